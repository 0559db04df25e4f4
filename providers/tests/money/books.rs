//! What a provider knows: which of his ids were answered well, and what that means for the player's money.

use std::collections::HashMap;

use pitboss_providers::simulate::Move;
use pitboss_wallet::Kind;

/// One id of a bet or a win.
#[derive(Debug, Clone, Copy)]
enum Standing {
    /// What it brought the player.
    Counts(i64),
    /// It was taken back, or must never count.
    Dead,
}

/// The provider's books. They know nothing of policies and codes: an id counts when it is answered well for the first
/// time, until it is taken back, and never again.
#[derive(Debug, Default)]
pub struct Books {
    ids: HashMap<(Kind, String), Standing>,
}

impl Books {
    /// Whether a move has an id that was never answered well before; one without an id always is.
    pub fn is_new(&self, made: &Move) -> bool {
        let known = |kind, id: &String| self.ids.contains_key(&(kind, id.clone()));
        match made {
            Move::Bet { id, .. } => !known(Kind::Bet, id),
            Move::Win { id, .. } => !known(Kind::Win, id),
            Move::BetWin { bet, win, .. } => !known(Kind::Bet, bet) && !known(Kind::Win, win),
            Move::Rollback { target, kind, .. } => {
                let target = self.ids.get(&(*kind, target.clone()));
                !matches!(target, Some(Standing::Dead))
            }
            _ => true,
        }
    }

    /// Notes how a move was answered; what the player's money must have changed by.
    pub fn tell(&mut self, made: &Move, is_ok: bool) -> i64 {
        if !is_ok {
            return 0;
        }
        match made {
            Move::Bet {
                id,
                amount,
                free_round,
                ..
            } => {
                let costs = if free_round.is_some() {
                    0
                } else {
                    amount.units
                };
                self.count(Kind::Bet, id, -costs)
            }
            Move::Win { id, amount, .. } => self.count(Kind::Win, id, amount.units),
            Move::BetWin {
                bet,
                win,
                stake,
                won,
                ..
            } => self.count(Kind::Bet, bet, -stake.units) + self.count(Kind::Win, win, won.units),
            Move::Rollback { target, kind, .. } => {
                let key = (*kind, target.clone());
                match self.ids.insert(key, Standing::Dead) {
                    Some(Standing::Counts(units)) => -units,
                    Some(Standing::Dead) | None => 0,
                }
            }
            _ => 0,
        }
    }

    fn count(&mut self, kind: Kind, id: &str, units: i64) -> i64 {
        let key = (kind, id.to_owned());
        if self.ids.contains_key(&key) {
            return 0;
        }
        self.ids.insert(key, Standing::Counts(units));
        units
    }
}
