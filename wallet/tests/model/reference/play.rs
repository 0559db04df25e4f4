//! Bets, wins and batches of both, as T3, T4, T8, T9 and the chapter on rounds tell it.

use pitboss_wallet::{
    Action, Bet, BetWin, Currency, ExternalId, GameId, GameStanding, Kind, LateBet, LateWin, Money,
    RefusalCode, RoundState, SessionId, Win, WinKind, WinWithoutBet,
};

use super::{Answer, Draft, Effect, Meaning, Model, No, Receipt, RoundName, Who, Yes};

/// What a bet needs besides its money, the same for all bets of a batch.
struct Seat<'a> {
    session: SessionId,
    standing: GameStanding,
    currency: Currency,
    round: &'a RoundName,
}

fn meaning_of_bet(game: &GameId, round: &RoundName, amount: Money) -> Meaning {
    Meaning {
        amount: Some(amount),
        game: Some(game.clone()),
        round: Some(round.round.clone()),
        ..Meaning::default()
    }
}

fn bet_draft(
    who: Who,
    id: &ExternalId,
    game: &GameId,
    round: &RoundName,
    amount: Money,
    closes: bool,
) -> Draft {
    Draft {
        who,
        kind: Kind::Bet,
        id: id.clone(),
        meaning: meaning_of_bet(game, round, amount),
        effect: Effect::Staked {
            round: round.clone(),
            amount,
            closes,
        },
        currency: Some(amount.currency),
        units: amount.units,
    }
}

fn win_draft(who: Who, win: &Win, round: &RoundName) -> Draft {
    Draft {
        who,
        kind: Kind::Win,
        id: win.transaction.clone(),
        meaning: Meaning {
            names: win.bet.clone(),
            ..meaning_of_bet(&win.game, round, win.amount)
        },
        effect: Effect::Won {
            round: round.clone(),
            amount: win.amount,
            names: win.bet.clone(),
            closes: win.closes_round,
        },
        currency: Some(win.amount.currency),
        units: win.amount.units,
    }
}

impl Model {
    pub(super) fn bet(&mut self, who: Who, bet: &Bet) -> Answer {
        if bet.amount.units < 0 {
            return Err(RefusalCode::Malformed.into());
        }
        let round = self.round_name(who, &bet.game, &bet.round);
        let draft = bet_draft(
            who,
            &bet.transaction,
            &bet.game,
            &round,
            bet.amount,
            bet.closes_round,
        );
        if let Some(late) = self.late(who, Kind::Bet, &bet.transaction, bet.amount.currency) {
            return Ok(Yes::Repeat(vec![late]));
        }
        if let Some(number) = self.stored(who, Kind::Bet, &bet.transaction, &draft.meaning)? {
            return self.repeat(number);
        }
        let seat = Seat {
            session: bet.session,
            standing: bet.standing.clone(),
            currency: bet.amount.currency,
            round: &round,
        };
        let (id, meaning) = (draft.id.clone(), draft.meaning.clone());
        let result = self
            .may_bet(who, &seat)
            .and_then(|()| self.can_afford(who, bet.amount, 0))
            .and_then(|()| {
                self.attempt(|model| {
                    let receipt = model.write_if_it_fits(draft)?;
                    model.held_must_fit()?;
                    Ok(receipt)
                })
            });
        match result {
            Ok(receipt) => Ok(Yes::New(vec![receipt])),
            Err(no) => {
                if self.policy.refusal_burns_id {
                    self.write(Draft {
                        who,
                        kind: Kind::Bet,
                        id,
                        meaning,
                        effect: Effect::Burned(no.code),
                        currency: None,
                        units: 0,
                    });
                }
                Err(no)
            }
        }
    }

    /// T5, by policy: the answer to what was rolled back before it came. It tells of the rollback.
    fn late(&self, who: Who, kind: Kind, id: &ExternalId, currency: Currency) -> Option<Receipt> {
        let line = &self.log[self.line_of(who, kind, id)?];
        let Effect::Entombed { by } = line.effect else {
            return None;
        };
        let accepted = self.policy.late_bet == LateBet::Accept && line.who == who;
        accepted.then(|| Receipt {
            line: by,
            kind,
            id: id.clone(),
            currency: Some(currency),
            units: 0,
            cash: Some(self.books().cash(who, currency)),
            tombstone: true,
        })
    }

    /// In the order of the protocol: session, player, game, round, balance.
    fn may_bet(&self, who: Who, seat: &Seat) -> Result<(), No> {
        let person = &self.people[who];
        let session = person.sessions.iter().find(|(id, ..)| *id == seat.session);
        let &(_, currency, is_over) = session.ok_or(RefusalCode::SessionInvalid)?;
        if is_over {
            // A block ends the sessions: it is why.
            let code = if person.out {
                RefusalCode::PlayerBlocked
            } else {
                RefusalCode::SessionExpired
            };
            return Err(code.into());
        }
        if currency != seat.currency {
            return Err(RefusalCode::CurrencyMismatch.into());
        }
        if person.blocked {
            return Err(RefusalCode::PlayerBlocked.into());
        }
        if seat.standing == GameStanding::Unknown {
            return Err(RefusalCode::UnknownGame.into());
        }
        let begins = self.books().round(seat.round).is_none();
        if seat.standing == GameStanding::DISABLED
            || (seat.standing == GameStanding::FINISHING && begins)
        {
            return Err(RefusalCode::GameDisabled.into());
        }
        if let Some(round) = self.books().round(seat.round) {
            if round.state != RoundState::Open {
                return Err(RefusalCode::RoundClosed.into());
            }
            if round.currency != seat.currency {
                return Err(RefusalCode::CurrencyMismatch.into());
            }
        }
        Ok(())
    }

    /// `won` came in the same batch and pays for nothing in it (T9).
    fn can_afford(&self, who: Who, amount: Money, won: i128) -> Result<(), No> {
        if self.books().cash(who, amount.currency) - won < i128::from(amount.units) {
            return Err(RefusalCode::InsufficientFunds.into());
        }
        Ok(())
    }

    fn held_must_fit(&self) -> Result<(), No> {
        if self.books().held_fits() {
            Ok(())
        } else {
            Err(RefusalCode::Malformed.into())
        }
    }

    pub(super) fn win(&mut self, who: Who, win: &Win) -> Answer {
        if win.amount.units < 0 {
            return Err(RefusalCode::Malformed.into());
        }
        let round = self.round_name(who, &win.game, &win.round);
        let draft = win_draft(who, win, &round);
        if let Some(number) = self.stored(who, Kind::Win, &win.transaction, &draft.meaning)? {
            return self.repeat(number);
        }
        self.may_win(who, win, &round)?;
        let receipt = self.write_if_it_fits(draft)?;
        Ok(Yes::New(vec![receipt]))
    }

    /// T8, in the order of the protocol: the game, then the round and its bets.
    fn may_win(&self, who: Who, win: &Win, name: &RoundName) -> Result<(), No> {
        let books = self.books();
        let round = books.round(name);
        if round.is_some_and(|round| round.currency != win.amount.currency) {
            return Err(RefusalCode::CurrencyMismatch.into());
        }
        let is_ordinary = win.kind == WinKind::Ordinary;
        if round.is_none() && is_ordinary && win.standing == GameStanding::Unknown {
            return Err(RefusalCode::UnknownGame.into());
        }
        let tombstone = |id: &ExternalId| {
            let line = self.line_of(who, Kind::Bet, id).map(|line| &self.log[line]);
            line.is_some_and(|line| {
                line.who == who && matches!(line.effect, Effect::Entombed { .. })
            })
        };
        let its_bet = |id: &ExternalId| round.and_then(|round| round.bet(id));
        let has_bets = round.is_some_and(|round| round.bets().next().is_some());
        let rolled_back = if let Some(named) = &win.bet {
            its_bet(named).is_some_and(|bet| !bet.stands()) || tombstone(named)
        } else if !is_ordinary {
            // It needs none.
            false
        } else if let Some(bet) = its_bet(&win.transaction) {
            !bet.stands()
        } else {
            round.is_some_and(|round| has_bets && round.bets().all(|bet| !bet.stands()))
        };
        let state = round.map(|round| round.state);
        if rolled_back || state == Some(RoundState::Voided) {
            return Err(RefusalCode::RolledBack.into());
        }
        if win
            .bet
            .as_ref()
            .is_some_and(|named| its_bet(named).is_none())
        {
            return Err(RefusalCode::UnknownBet.into());
        }
        if is_ordinary && !has_bets && self.policy.win_without_bet == WinWithoutBet::Refuse {
            return Err(RefusalCode::UnknownBet.into());
        }
        if state == Some(RoundState::Closed) && self.policy.late_win == LateWin::Refuse {
            return Err(RefusalCode::RoundClosed.into());
        }
        Ok(())
    }

    /// T9: all or nothing, in order; every bet affordable before the wins of the batch.
    pub(super) fn batch(&mut self, who: Who, batch: &BetWin) -> Answer {
        let round = self.round_name(who, &batch.game, &batch.round);
        let mut drafts = Vec::new();
        for (place, action) in batch.actions.iter().enumerate() {
            let closes_round = batch.closes_round && place + 1 == batch.actions.len();
            let money = |units| Money::new(units, batch.currency);
            let draft = match action {
                Action::Bet { transaction, units } => {
                    let amount = money(*units);
                    bet_draft(who, transaction, &batch.game, &round, amount, closes_round)
                }
                Action::Win {
                    transaction,
                    units,
                    kind,
                } => {
                    let win = Win {
                        transaction: transaction.clone(),
                        game: batch.game.clone(),
                        standing: batch.standing.clone(),
                        round: batch.round.clone(),
                        amount: money(*units),
                        bet: None,
                        kind: *kind,
                        closes_round,
                    };
                    win_draft(who, &win, &round)
                }
            };
            drafts.push(draft);
        }
        let names_one_twice = drafts.iter().enumerate().any(|(place, draft)| {
            drafts[..place]
                .iter()
                .any(|before| (before.kind, &before.id) == (draft.kind, &draft.id))
        });
        if drafts.is_empty() || names_one_twice || drafts.iter().any(|draft| draft.units < 0) {
            return Err(RefusalCode::Malformed.into());
        }
        if let Some(receipts) = self.stored_batch(&drafts)? {
            return Ok(Yes::Repeat(receipts));
        }
        if drafts.iter().any(|draft| draft.kind == Kind::Bet) {
            let seat = Seat {
                session: batch.session,
                standing: batch.standing.clone(),
                currency: batch.currency,
                round: &round,
            };
            self.may_bet(who, &seat)?;
        }
        let receipts = self.attempt(|model| {
            let mut receipts = Vec::new();
            let mut won = 0;
            for draft in drafts {
                if let Effect::Staked { amount, .. } = &draft.effect {
                    model.can_afford(who, *amount, won)?;
                }
                if let Effect::Won { amount, closes, .. } = &draft.effect {
                    let win = Win {
                        transaction: draft.id.clone(),
                        game: batch.game.clone(),
                        standing: batch.standing.clone(),
                        round: batch.round.clone(),
                        amount: *amount,
                        bet: None,
                        kind: WinKind::Ordinary,
                        closes_round: *closes,
                    };
                    model.may_win(who, &win, &round)?;
                    won += i128::from(amount.units);
                }
                receipts.push(model.write_if_it_fits(draft)?);
            }
            model.held_must_fit()?;
            Ok(receipts)
        })?;
        Ok(Yes::New(receipts))
    }

    /// What stands under the ids of a batch: all of it, as the batch says, or nothing.
    fn stored_batch(&self, drafts: &[Draft]) -> Result<Option<Vec<Receipt>>, No> {
        let (mut found, mut is_late) = (Vec::new(), false);
        for draft in drafts {
            let currency = draft.currency.unwrap();
            if let Some(late) = self.late(draft.who, draft.kind, &draft.id, currency) {
                found.push(late);
                is_late = true;
                continue;
            }
            let stored = self.stored(draft.who, draft.kind, &draft.id, &draft.meaning)?;
            found.extend(stored.map(|number| self.log[number].receipt.clone()));
        }
        if found.is_empty() {
            return Ok(None);
        }
        if found.len() == drafts.len() {
            return Ok(Some(found));
        }
        Err(if is_late {
            RefusalCode::RolledBack.into()
        } else {
            // Each of these ids came with this very data: there is no other data to show.
            RefusalCode::TransactionMismatch.into()
        })
    }
}
