//! Play of any kind by chance, and everything that is found of it afterwards.

use pitboss_schema::{Found, RoundRow, RoundSearch, Store, TransactionRow, TransactionSearch};
use pitboss_wallet::{Command, TransactionScope};

use super::{
    Player,
    history::{lenient, of_alice_and_bob},
};
use crate::common::Database;

/// Numbers that can be had again.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Some play of any kind, a few seconds apart.
pub async fn random_play(player: &mut Player, dice: &mut Dice, steps: u64) {
    for step in 0..steps {
        player.at = player
            .at
            .plus_seconds(i64::try_from(dice.below(5)).unwrap());
        let round = format!("x-{}", dice.below(1 + step / 6));
        let id = format!("t-{step}");
        let target = format!("t-{}", dice.below(step + 1));
        let units = i64::try_from(dice.below(60)).unwrap();
        let command: Command = match dice.below(10) {
            0..4 => player.bet_in(&id, &round, units),
            4..6 => player.win_in(&id, &round, units * 2, dice.below(4) == 0),
            6 => player.win_in(&id, &round, 0, false),
            7 => player.rollback_of(&id, &target, None),
            8 => player.rollback_of(&id, &target, Some(units / 3)),
            _ => player.void_of(&id, &round),
        };
        player.attempt(&command).await;
    }
}

pub async fn all(
    store: &Store,
    search: &TransactionSearch,
    limit: usize,
    scan: usize,
) -> Vec<TransactionRow> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let page = store.search_transactions(search, before, limit, scan).await;
        let Found { rows: page, next } = page.unwrap();
        assert!(page.len() <= limit);
        rows.extend(page);
        let Some(next) = next else { return rows };
        assert!(before.is_none_or(|before| next < before), "no way on");
        before = Some(next);
    }
}

pub async fn all_rounds(store: &Store) -> Vec<RoundRow> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let page = store
            .search_rounds(&RoundSearch::default(), before, 5, 20)
            .await;
        let Found { rows: page, next } = page.unwrap();
        rows.extend(page);
        if next.is_none() {
            return rows;
        }
        before = next;
    }
}

/// What happened to alice and bob, and to carol by chance.
pub async fn played(name: &str, seed: u64) -> (Database, Vec<Player>) {
    let database = Database::new(name).await;
    let (alice, bob) = of_alice_and_bob(&database.store).await;
    let scope = TransactionScope::Player;
    let mut carol = Player::seated(&database.store, "carol", lenient(scope)).await;
    random_play(&mut carol, &mut Dice(seed), 220).await;
    (database, vec![alice, bob, carol])
}
