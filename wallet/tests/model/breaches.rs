//! Each check of [`invariants`] finds what it is there for: a check that cannot fail proves nothing.

use pitboss_wallet::{
    Account, ExternalId, Kind, Payment, PlayerState, Posting, Round, Transaction, TransactionId,
    TransactionState, Withdrawal, WithdrawalState,
};
use uuid::Uuid;

use crate::{
    harness::{Table, bet, cancel, ext, player, rollback, step, win, withdraw, withdrawal},
    invariants::{self, Evidence, Follower},
};

/// What is durable, to be tampered with.
struct Copy {
    rows: Vec<Transaction>,
    rounds: Vec<Round>,
    payments: Vec<Payment>,
    player: PlayerState,
    follower: Follower,
    /// Events that the follower does not get.
    lost_seq: Option<i64>,
}

impl Copy {
    fn row(&mut self, kind: Kind, id: &str) -> &mut Transaction {
        let mut rows = self.rows.iter_mut();
        rows.find(|row| row.key.kind == kind && row.key.external_id == ext(id))
            .unwrap()
    }
}

/// The checks that fail after `tamper` on a player with a bet, a win, a rollback, a tombstone and two withdrawals.
fn found_after(tamper: impl FnOnce(&mut Copy)) -> Vec<&'static str> {
    let mut table = Table::with_cash(100);
    table.applied(bet("b", "r", 30));
    table.applied(win("w", "r", 50));
    table.applied(bet("c", "s", 10));
    table.applied(rollback("back", "c"));
    table.applied(rollback("early", "late"));
    table.paid(&withdraw(withdrawal("held", 20)));
    let id = table.paid(&withdraw(withdrawal("gone", 20))).payment.id();
    table.paid(&step(id, cancel()));
    let of = player("alice");
    let mut copy = Copy {
        rows: table.ledger.transactions().cloned().collect(),
        rounds: table.ledger.rounds_of(&of).cloned().collect(),
        payments: table
            .ledger
            .payments()
            .map(|(_, one)| one.clone())
            .collect(),
        player: table.ledger.load(&of),
        follower: Follower::default(),
        lost_seq: None,
    };
    tamper(&mut copy);
    let mut events = table.ledger.events(&of).to_vec();
    events.retain(|event| Some(event.seq) != copy.lost_seq);
    copy.follower.read(&events);
    let evidence = Evidence {
        rows: copy.rows.iter().map(|row| (&of, row)).collect(),
        rounds: copy.rounds.iter().map(|round| (&of, round)).collect(),
        payments: copy.payments.iter().map(|payment| (&of, payment)).collect(),
        players: vec![copy.player],
        followers: &[copy.follower],
    };
    let failing = invariants::ALL
        .into_iter()
        .filter(|(_, check)| check(&evidence).is_err());
    failing.map(|(name, _)| name).collect()
}

fn another(row: &Transaction, id: u128, external_id: ExternalId) -> Transaction {
    let mut other = row.clone();
    other.id = TransactionId(Uuid::from_u128(id));
    other.key.external_id = external_id;
    other
}

#[test]
fn what_the_wallet_wrote_has_no_breach() {
    assert!(found_after(|_| {}).is_empty());
}

#[test]
fn inv_1_a_transaction_that_does_not_sum_to_zero_is_found() {
    let found = found_after(|copy| {
        let row = copy.row(Kind::Bet, "b");
        let house = |posting: &&mut Posting| !posting.account.is_player();
        let mut postings = row.postings.iter_mut();
        postings.find(house).unwrap().amount.units += 1;
    });
    assert!(found.contains(&"INV-1"), "{found:?}");
}

#[test]
fn inv_2_a_balance_that_is_not_the_sum_of_its_postings_is_found() {
    let found = found_after(|copy| copy.player.wallets[0].cash += 1);
    assert!(found.contains(&"INV-2"), "{found:?}");
}

#[test]
fn inv_3_a_bet_on_credit_is_found() {
    let found = found_after(|copy| {
        let row = copy.row(Kind::Bet, "b");
        let cash = |posting: &&mut Posting| posting.account == Account::Cash;
        row.postings.iter_mut().find(cash).unwrap().account = Account::Receivable;
    });
    assert!(found.contains(&"INV-3"), "{found:?}");
}

#[test]
fn inv_4_a_key_that_moves_twice_is_found() {
    let found = found_after(|copy| {
        let again = copy.row(Kind::Bet, "b").clone();
        copy.rows.push(again);
    });
    assert!(found.contains(&"INV-4"), "{found:?}");
}

#[test]
fn inv_4_a_receipt_that_tells_another_amount_is_found() {
    let found = found_after(|copy| copy.row(Kind::Win, "w").receipt.units += 1);
    assert!(found.contains(&"INV-4"), "{found:?}");
}

#[test]
fn inv_5_a_rollback_that_gives_more_than_its_bet_took_is_found() {
    let found = found_after(|copy| {
        let row = copy.row(Kind::Rollback, "back");
        row.receipt.units += 1;
        for posting in &mut row.postings {
            posting.amount.units += if posting.account.is_player() { 1 } else { -1 };
        }
    });
    assert!(found.contains(&"INV-5"), "{found:?}");
}

#[test]
fn inv_6_a_bet_that_goes_back_twice_is_found() {
    let found = found_after(|copy| {
        let again = another(copy.row(Kind::Rollback, "back"), 77, ext("again"));
        copy.rows.push(again);
    });
    assert!(found.contains(&"INV-6"), "{found:?}");
}

#[test]
fn inv_6_a_stake_that_its_round_does_not_have_is_found() {
    let found = found_after(|copy| {
        copy.rounds
            .iter_mut()
            .for_each(|round| round.entries.clear());
    });
    assert!(found.contains(&"INV-6"), "{found:?}");
}

#[test]
fn inv_7_a_lost_event_is_found() {
    let found = found_after(|copy| copy.lost_seq = Some(3));
    assert!(found.contains(&"INV-7"), "{found:?}");
}

#[test]
fn inv_7_a_balance_that_no_event_told_is_found() {
    let found = found_after(|copy| copy.player.wallets[0].cash += 1);
    assert!(found.contains(&"INV-7"), "{found:?}");
}

#[test]
fn inv_8_a_tombstone_that_moves_is_found() {
    let found = found_after(|copy| {
        let postings = copy.row(Kind::Bet, "b").postings.clone();
        let tombstone = copy.row(Kind::Bet, "late");
        assert_eq!(tombstone.state, TransactionState::Tombstone);
        tombstone.postings = postings;
    });
    assert!(found.contains(&"INV-8"), "{found:?}");
}

#[test]
fn inv_8_a_bet_under_a_tombstoned_key_is_found() {
    let found = found_after(|copy| {
        let late = another(copy.row(Kind::Bet, "b"), 77, ext("late"));
        copy.rows.push(late);
    });
    assert!(found.contains(&"INV-8"), "{found:?}");
}

fn withdrawal_of<'a>(copy: &'a mut Copy, reference: &str) -> &'a mut Withdrawal {
    let mut payments = copy.payments.iter_mut();
    let found = payments.find_map(|payment| match payment {
        Payment::Withdrawal(one) if one.reference == ext(reference) => Some(one),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn inv_9_a_hold_that_no_withdrawal_has_is_found() {
    let found = found_after(|copy| withdrawal_of(copy, "held").units += 1);
    assert!(found.contains(&"INV-9"), "{found:?}");
    let found = found_after(|copy| withdrawal_of(copy, "held").state = WithdrawalState::Processing);
    assert!(found.contains(&"INV-9"), "{found:?}");
}

#[test]
fn inv_9_a_hold_that_ends_twice_or_never_is_found() {
    let of = |copy: &mut Copy| withdrawal_of(copy, "gone").id.to_string();
    let found = found_after(|copy| {
        let id = of(copy);
        let mut again = another(copy.row(Kind::WithdrawalRelease, &id), 77, ext(&id));
        again.key.kind = Kind::WithdrawalConfiscation;
        copy.rows.push(again);
    });
    assert!(found.contains(&"INV-9"), "{found:?}");
    let found = found_after(|copy| {
        let id = of(copy);
        copy.rows.retain(|row| row.key.external_id != ext(&id));
    });
    assert!(found.contains(&"INV-9"), "{found:?}");
}

#[test]
fn inv_9_a_withdrawal_that_was_sent_without_its_approvals_is_found() {
    let found = found_after(|copy| {
        // Nothing of it is open, and its hold has ended.
        withdrawal_of(copy, "gone").state = WithdrawalState::Failed;
    });
    assert!(found.contains(&"INV-9"), "{found:?}");
}
