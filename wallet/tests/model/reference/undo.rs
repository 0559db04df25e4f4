//! Rollbacks, closes and voids, as T5, T7 and the chapter on rounds tell it.

use std::collections::HashSet;

use pitboss_wallet::{
    CloseRound, ExternalId, Kind, RefusalCode, Rollback, RollbackAfterWin, RollbackAmount,
    RollbackOfWin, RoundState, VoidRound,
};

use super::{Answer, Draft, Effect, LineNumber, Meaning, Model, No, Who, Yes, mismatch};

impl Model {
    pub(super) fn rollback(&mut self, who: Who, rollback: &Rollback) -> Answer {
        let meaning = self.meaning_of(rollback);
        let id = &rollback.transaction;
        if let Some(number) = self.stored(who, Kind::Rollback, id, &meaning)? {
            return self.repeat(number);
        }
        // If bet and win share the id, the rollback is for the bet.
        let targets =
            [Kind::Bet, Kind::Win].map(|kind| (kind, self.line_of(who, kind, &rollback.target)));
        let mut tombstone = None;
        for (kind, line) in targets {
            let Some(line) = line else { continue };
            if self.log[line].who != who {
                return Err(RefusalCode::TransactionMismatch.into());
            }
            match self.log[line].effect {
                Effect::Staked { .. } | Effect::Won { .. } => {
                    let answer = self.take_back(who, id, line, meaning)?;
                    let moved =
                        matches!(self.log[self.log.len() - 1].effect, Effect::TookBack { .. });
                    if kind == Kind::Win
                        && targets[0].1.is_none()
                        && moved
                        && matches!(answer, Yes::New(_))
                    {
                        // The bet may share the id and still be on its way.
                        self.entomb(who, Kind::Bet, &rollback.target, self.log.len() - 1);
                    }
                    return Ok(answer);
                }
                Effect::Entombed { by } => tombstone = Some(by),
                // A burned id has nothing to roll back.
                _ => {}
            }
        }
        if let Some(first) = tombstone {
            return self.repeat(first);
        }
        let receipt = self.write(Draft {
            who,
            kind: Kind::Rollback,
            id: id.clone(),
            meaning,
            effect: Effect::FoundNothing,
            currency: None,
            units: 0,
        });
        for (kind, line) in targets {
            if line.is_none() {
                self.entomb(who, kind, &rollback.target, receipt.line);
            }
        }
        Ok(Yes::New(vec![receipt]))
    }

    /// All or nothing, in order; what came before keeps its answer.
    pub(super) fn rollbacks(&mut self, who: Who, list: &[Rollback]) -> Answer {
        let names_one_twice = |name: fn(&Rollback) -> &ExternalId| {
            let names: HashSet<_> = list.iter().map(name).collect();
            names.len() < list.len()
        };
        let twice = names_one_twice(|one| &one.transaction) || names_one_twice(|one| &one.target);
        if list.is_empty() || twice {
            return Err(RefusalCode::Malformed.into());
        }
        // Whoever has an id with other data is told first, whatever the others would be refused for.
        for one in list {
            let meaning = self.meaning_of(one);
            self.stored(who, Kind::Rollback, &one.transaction, &meaning)?;
        }
        self.attempt(|model| {
            let (mut receipts, mut is_new) = (Vec::new(), false);
            for one in list {
                receipts.extend(match model.rollback(who, one)? {
                    Yes::New(now) => {
                        is_new = true;
                        now
                    }
                    Yes::Repeat(before) => before,
                    Yes::Payment { .. } | Yes::Done => Vec::new(),
                });
            }
            Ok(if is_new {
                Yes::New(receipts)
            } else {
                Yes::Repeat(receipts)
            })
        })
    }

    fn meaning_of(&self, rollback: &Rollback) -> Meaning {
        let part = match self.policy.rollback_amount {
            RollbackAmount::Ignore => None,
            RollbackAmount::MustEqual | RollbackAmount::Partial => rollback.units,
        };
        Meaning {
            names: Some(rollback.target.clone()),
            part,
            ..Meaning::default()
        }
    }

    fn entomb(&mut self, who: Who, kind: Kind, id: &ExternalId, by: LineNumber) {
        self.write(Draft {
            who,
            kind,
            id: id.clone(),
            meaning: Meaning::default(),
            effect: Effect::Entombed { by },
            currency: None,
            units: 0,
        });
    }

    /// A target is rolled back once; whoever asks again, under whatever id, has the answer of the first (T7).
    fn once_more(&self, first: LineNumber, part: Option<i64>) -> Answer {
        let given = self.log[first].receipt.units;
        match part {
            Some(part) if i128::from(part) != given => Err(mismatch(first)),
            _ => self.repeat(first),
        }
    }

    fn take_back(
        &mut self,
        who: Who,
        id: &ExternalId,
        target: LineNumber,
        meaning: Meaning,
    ) -> Answer {
        let part = meaning.part;
        let is_first = |effect: &Effect| matches!(effect, Effect::TookBack { target: of, .. } if *of == target);
        if let Some(first) = self.log.iter().position(|line| is_first(&line.effect)) {
            return self.once_more(first, part);
        }
        let books = self.books();
        let holds = |line: LineNumber| {
            let mut rounds = books.rounds.iter();
            rounds.find(|round| round.entries.iter().any(|entry| entry.line == line))
        };
        let round = holds(target).unwrap();
        let entry = round.entries.iter().find(|entry| entry.line == target);
        let standing = i64::try_from(entry.unwrap().standing()).unwrap();
        let currency = round.currency;
        let (effect, units) = if round.state == RoundState::Voided {
            // The void gave it back already.
            (Effect::CameAfterVoid, 0)
        } else {
            let units = match (self.policy.rollback_amount, part) {
                (RollbackAmount::MustEqual, Some(part)) if part != standing => {
                    return Err(mismatch(target));
                }
                (RollbackAmount::Partial, Some(part)) if !(0..=standing).contains(&part) => {
                    return Err(mismatch(target));
                }
                (RollbackAmount::Partial, Some(part)) => part,
                _ => standing,
            };
            // Whether the request fits its target comes first, as with any mismatch.
            self.may_take_back(target, round.settles_bet(target))?;
            (Effect::TookBack { target, units }, units)
        };
        let receipt = self.write_if_it_fits(Draft {
            who,
            kind: Kind::Rollback,
            id: id.clone(),
            meaning,
            effect,
            currency: Some(currency),
            units,
        })?;
        Ok(Yes::New(vec![receipt]))
    }

    fn may_take_back(&self, target: LineNumber, is_settled: bool) -> Result<(), No> {
        let refused = if self.log[target].kind == Kind::Bet {
            is_settled && self.policy.rollback_after_win == RollbackAfterWin::Refuse
        } else {
            self.policy.rollback_of_win == RollbackOfWin::Refuse
        };
        if refused {
            return Err(RefusalCode::AlreadySettled.into());
        }
        Ok(())
    }

    pub(super) fn close(&mut self, who: Who, close: &CloseRound) -> Answer {
        let name = self.round_name(who, &close.game, &close.round);
        let is_close = |effect: &Effect| matches!(effect, Effect::Closed(of) if *of == name);
        if let Some(number) = self.log.iter().position(|line| is_close(&line.effect)) {
            return self.repeat(number);
        }
        let books = self.books();
        let round = books.round(&name).ok_or(RefusalCode::UnknownBet)?;
        let receipt = self.write(Draft {
            who,
            kind: Kind::CloseRound,
            id: ExternalId::from(&close.round),
            meaning: Meaning::default(),
            effect: Effect::Closed(name),
            currency: Some(round.currency),
            units: 0,
        });
        Ok(Yes::New(vec![receipt]))
    }

    pub(super) fn void(&mut self, who: Who, void: &VoidRound) -> Answer {
        let meaning = Meaning {
            game: Some(void.game.clone()),
            round: Some(void.round.clone()),
            ..Meaning::default()
        };
        if let Some(number) = self.stored(who, Kind::VoidRound, &void.transaction, &meaning)? {
            return self.repeat(number);
        }
        let name = self.round_name(who, &void.game, &void.round);
        let books = self.books();
        let round = books.round(&name).ok_or(RefusalCode::UnknownBet)?;
        let stake = i64::try_from(round.standing(Kind::Bet));
        let receipt = self.write_if_it_fits(Draft {
            who,
            kind: Kind::VoidRound,
            id: void.transaction.clone(),
            meaning,
            effect: Effect::Voided(name),
            currency: Some(round.currency),
            units: stake.map_err(|_| RefusalCode::Malformed)?,
        })?;
        Ok(Yes::New(vec![receipt]))
    }
}
