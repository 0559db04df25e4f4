//! Holds a run's bets against the ledger's rows: pure.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bets::{
    book::{Book, Fate},
    plan::{Run, player_id, player_index},
};

/// Examples kept of one kind of finding.
const EXAMPLES: usize = 10;

/// One transaction of the run, as the ledger has it.
pub struct LedgerRow<'a> {
    pub player_id: &'a str,
    pub provider_id: &'a str,
    pub kind: &'a str,
    pub external_id: &'a str,
    pub state: &'a str,
    pub amount: Option<i64>,
    /// The sum of its postings below zero.
    pub taken: i64,
    /// The sum of all its postings.
    pub total: i64,
}

/// One balance, beside the sum of its postings.
pub struct BalanceRow<'a> {
    pub player_id: &'a str,
    pub currency: &'a str,
    pub account: &'a str,
    pub balance: Option<i64>,
    pub posted: Option<i64>,
}

#[derive(Debug, Default, Serialize)]
pub struct Finding {
    pub count: u64,
    pub examples: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct AuditReport {
    pub ledger_rows: u64,
    /// Bets acknowledged, each of them found once, unless there is a finding.
    pub acknowledged: u64,
    /// Bets without a final answer that the ledger has, and those that it has not. Both are right.
    pub unknown_applied: u64,
    pub unknown_absent: u64,
    pub balances: u64,
    /// What is not as it must be. Empty: the audit passed.
    pub breaches: BTreeMap<&'static str, Finding>,
}

impl AuditReport {
    pub fn passed(&self) -> bool {
        self.breaches.is_empty()
    }

    fn breach(&mut self, kind: &'static str, example: impl FnOnce() -> String) {
        let finding = self.breaches.entry(kind).or_default();
        finding.count += 1;
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(example());
        }
    }
}

/// What the run did, as the driver saw it.
pub struct Check<'a> {
    run: &'a Run,
    book: &'a Book,
    provider: &'a str,
    currency: &'a str,
    /// Money of each player before the run, all accounts together.
    before: &'a [i64],
    /// By the bet's number: the ledger has it as applied.
    applied: Vec<bool>,
    /// By player: what the ledger says that he bet in this run.
    spent: Vec<i64>,
    after: Vec<i64>,
    report: AuditReport,
}

impl<'a> Check<'a> {
    pub fn new(
        run: &'a Run,
        book: &'a Book,
        provider: &'a str,
        currency: &'a str,
        before: &'a [i64],
    ) -> Self {
        Self {
            run,
            book,
            provider,
            currency,
            before,
            applied: vec![false; book.len()],
            spent: vec![0; before.len()],
            after: vec![0; before.len()],
            report: AuditReport::default(),
        }
    }

    pub fn ledger(&mut self, row: &LedgerRow<'_>) {
        self.report.ledger_rows += 1;
        let id = || format!("{} of {}", row.external_id, row.player_id);
        let sent = self
            .run
            .number(row.external_id)
            .and_then(|number| Some((number, self.book.get(number)?)));
        let Some((number, entry)) = sent else {
            return self.report.breach("in the ledger, but never sent", id);
        };
        if row.kind != "bet" || row.provider_id != self.provider {
            return self.report.breach(
                "in the ledger as something else than a bet of the account",
                || format!("{}: {} of {}", id(), row.kind, row.provider_id),
            );
        }
        if row.player_id != player_id(entry.player) {
            return self.report.breach("in the ledger of another player", id);
        }
        if row.state != "applied" {
            // Moved nothing. A bet that was acknowledged is then found missing in the end.
            return;
        }
        if std::mem::replace(&mut self.applied[number as usize], true) {
            self.report.breach("in the ledger twice", id);
        }
        let units = self.run.units(number);
        if row.amount != Some(units) {
            self.report.breach("in the ledger with another amount", || {
                format!("{}: {:?} instead of {units}", id(), row.amount)
            });
        }
        if row.taken != -units || row.total != 0 {
            self.report.breach(
                "postings do not take the amount or do not sum to zero",
                || format!("{}: taken {}, total {}", id(), row.taken, row.total),
            );
        }
        if entry.fate == Fate::Refused {
            self.report.breach("refused, but in the ledger", id);
        }
        if let Some(spent) = self.spent.get_mut(entry.player as usize) {
            *spent += units;
        }
    }

    pub fn balance(&mut self, row: &BalanceRow<'_>) {
        self.report.balances += 1;
        if row.balance != row.posted {
            self.report
                .breach("a balance is not the sum of its postings", || {
                    format!(
                        "{} {} {}: balance {:?}, postings {:?}",
                        row.player_id, row.account, row.currency, row.balance, row.posted
                    )
                });
        }
        let player =
            player_index(row.player_id).and_then(|index| self.after.get_mut(index as usize));
        if let Some(after) = player
            && row.currency == self.currency
        {
            *after += row.balance.unwrap_or(0);
        }
    }

    /// After the last row.
    pub fn finish(mut self) -> AuditReport {
        for (number, entry) in self.book.iter() {
            let applied = self.applied[number as usize];
            match (entry.fate, applied) {
                (Fate::Acknowledged, true) => self.report.acknowledged += 1,
                (Fate::Acknowledged, false) => {
                    self.report.acknowledged += 1;
                    self.report
                        .breach("acknowledged, but not in the ledger", || {
                            format!("{}{number} of {}", self.run.prefix, player_id(entry.player))
                        });
                }
                (Fate::Unknown, true) => self.report.unknown_applied += 1,
                (Fate::Unknown, false) => self.report.unknown_absent += 1,
                (Fate::Refused, _) => {}
            }
        }
        for (index, player) in (0_u32..).zip(0..self.before.len()) {
            let expected = self.before[player] - self.spent[player];
            let after = self.after[player];
            if after != expected {
                self.report
                    .breach("a balance did not fall by what was bet", || {
                        format!(
                            "{}: {after} instead of {} - {}",
                            player_id(index),
                            self.before[player],
                            self.spent[player]
                        )
                    });
            }
        }
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_000_000_000;

    /// Bet 0 of player 0 acknowledged, bet 1 of player 1 unknown, bet 2 of player 0 refused.
    fn book() -> Book {
        let mut book = Book::default();
        for (player, fate) in [
            (0, Fate::Acknowledged),
            (1, Fate::Unknown),
            (0, Fate::Refused),
        ] {
            let number = book.open(player).unwrap();
            book.settle(number, fate);
        }
        book
    }

    #[derive(Clone)]
    struct Row {
        player: &'static str,
        provider: &'static str,
        kind: &'static str,
        id: String,
        state: &'static str,
        amount: i64,
        taken: i64,
        total: i64,
    }

    fn run() -> Run {
        Run::new(1, 2)
    }

    fn good(number: u32) -> Row {
        let units = run().units(number);
        Row {
            player: ["load-000000", "load-000001", "load-000000"][number as usize],
            provider: "demo",
            kind: "bet",
            id: format!("{}{number}", run().prefix),
            state: "applied",
            amount: units,
            taken: -units,
            total: 0,
        }
    }

    /// The audit of these rows, with balances that fit the book's first `applied` bets.
    fn audit(rows: &[Row], balances: [i64; 2]) -> AuditReport {
        let (run, book) = (run(), book());
        let mut check = Check::new(&run, &book, "demo", "EUR", &[START; 2]);
        for row in rows {
            check.ledger(&LedgerRow {
                player_id: row.player,
                provider_id: row.provider,
                kind: row.kind,
                external_id: &row.id,
                state: row.state,
                amount: Some(row.amount),
                taken: row.taken,
                total: row.total,
            });
        }
        for (player, balance) in ["load-000000", "load-000001"].into_iter().zip(balances) {
            check.balance(&BalanceRow {
                player_id: player,
                currency: "EUR",
                account: "CASH",
                balance: Some(balance),
                posted: Some(balance),
            });
        }
        check.finish()
    }

    fn breaches(rows: &[Row]) -> Vec<&'static str> {
        let spent = START - run().units(0);
        audit(rows, [spent, START]).breaches.into_keys().collect()
    }

    #[test]
    fn a_ledger_with_just_the_acknowledged_bets_passes() {
        let report = audit(&[good(0)], [START - run().units(0), START]);
        assert!(report.passed(), "{:?}", report.breaches);
        assert_eq!((report.acknowledged, report.unknown_absent), (1, 1));
    }

    #[test]
    fn a_bet_without_an_answer_may_be_there_once() {
        let balances = [START - run().units(0), START - run().units(1)];
        let report = audit(&[good(0), good(1)], balances);
        assert!(report.passed(), "{:?}", report.breaches);
        assert_eq!((report.unknown_applied, report.unknown_absent), (1, 0));
    }

    #[test]
    fn a_lost_bet_is_found() {
        assert!(breaches(&[]).contains(&"acknowledged, but not in the ledger"));
        let tombstone = Row {
            state: "tombstone",
            ..good(0)
        };
        assert!(breaches(&[tombstone]).contains(&"acknowledged, but not in the ledger"));
    }

    #[test]
    fn a_doubled_bet_is_found_whether_it_was_answered_or_not() {
        assert!(breaches(&[good(0), good(0)]).contains(&"in the ledger twice"));
        assert!(breaches(&[good(0), good(1), good(1)]).contains(&"in the ledger twice"));
    }

    #[test]
    fn a_bet_with_other_data_is_found() {
        let expect = |row: Row, breach: &'static str| {
            let found = breaches(std::slice::from_ref(&row));
            assert!(found.contains(&breach), "{breach}: {found:?}");
        };
        expect(
            Row {
                amount: 1,
                ..good(0)
            },
            "in the ledger with another amount",
        );
        expect(
            Row {
                taken: -1,
                ..good(0)
            },
            "postings do not take the amount or do not sum to zero",
        );
        expect(
            Row {
                total: 1,
                ..good(0)
            },
            "postings do not take the amount or do not sum to zero",
        );
        expect(
            Row {
                player: "load-000001",
                ..good(0)
            },
            "in the ledger of another player",
        );
        let other = "in the ledger as something else than a bet of the account";
        expect(
            Row {
                kind: "win",
                ..good(0)
            },
            other,
        );
        expect(
            Row {
                provider: "other",
                ..good(0)
            },
            other,
        );
        let never = Row {
            id: format!("{}3", run().prefix),
            ..good(0)
        };
        expect(never, "in the ledger, but never sent");
    }

    #[test]
    fn a_refused_bet_in_the_ledger_is_found() {
        assert!(breaches(&[good(0), good(2)]).contains(&"refused, but in the ledger"));
        let burnt = Row {
            state: "refused",
            ..good(2)
        };
        assert_eq!(breaches(&[good(0), burnt]), [""; 0]);
    }

    #[test]
    fn a_balance_that_fell_by_another_sum_is_found_although_its_postings_agree() {
        let report = audit(&[good(0)], [START, START]);
        let kinds: Vec<_> = report.breaches.keys().copied().collect();
        assert_eq!(kinds, ["a balance did not fall by what was bet"]);
    }

    #[test]
    fn a_balance_that_is_not_its_postings_is_found() {
        let (run, book) = (run(), Book::default());
        for (balance, posted) in [(Some(1), Some(2)), (Some(1), None), (None, Some(1))] {
            let mut check = Check::new(&run, &book, "demo", "EUR", &[]);
            check.balance(&BalanceRow {
                player_id: "load-000009",
                currency: "EUR",
                account: "CASH",
                balance,
                posted,
            });
            assert!(!check.finish().passed(), "{balance:?} {posted:?}");
        }
    }
}
