//! Deposits that a payment provider carries out: announced, told of, taken back.

use pitboss_wallet::{
    Command, DepositOrder, DepositState, DepositStep, Payment, PaymentId, PlayerStatus,
    RefusalCode, Reply,
};

use crate::harness::*;

fn pend(reference: &str) -> DepositStep {
    DepositStep::Pend {
        provider_reference: ext(reference),
    }
}

fn refuse() -> DepositStep {
    DepositStep::Fail {
        reason: "the card was refused".to_owned(),
    }
}

fn reverse() -> DepositStep {
    DepositStep::Reverse {
        reason: "sent twice".to_owned(),
    }
}

fn charge_back() -> DepositStep {
    DepositStep::ChargeBack {
        reason: "not my purchase".to_owned(),
    }
}

fn all_steps() -> Vec<DepositStep> {
    vec![
        pend("psp-1"),
        complete("psp-1", 500),
        refuse(),
        DepositStep::Expire,
        reverse(),
        charge_back(),
    ]
}

/// A deposit of 500 in this state.
fn at_state(state: DepositState) -> (Table, PaymentId) {
    let mut table = Table::new();
    let id = table.paid(&initiate("d", 500)).payment.id();
    let way = match state {
        DepositState::Initiated => vec![],
        DepositState::Pending => vec![pend("psp-1")],
        DepositState::Completed => vec![pend("psp-1"), complete("psp-1", 500)],
        DepositState::Failed => vec![refuse()],
        DepositState::Expired => vec![DepositStep::Expire],
        DepositState::Reversed => vec![complete("psp-1", 500), reverse()],
        DepositState::ChargedBack => vec![complete("psp-1", 500), charge_back()],
    };
    for step in way {
        table.paid(&notice(id, step));
    }
    assert_eq!(order(&table, id).state, state);
    (table, id)
}

fn order(table: &Table, id: PaymentId) -> DepositOrder {
    match table.ledger.payment(id) {
        Some(Payment::Deposit(order)) => order.clone(),
        other => panic!("{other:?}"),
    }
}

/// `None`: refused. `Some(None)`: known before.
fn rule(from: DepositState, step: &DepositStep) -> Option<Option<DepositState>> {
    use DepositState as S;
    let to = step.target();
    if from == to {
        return Some(None);
    }
    let leads = match (from, to) {
        (S::Initiated, _) => !matches!(to, S::Reversed | S::ChargedBack),
        (S::Pending, S::Completed | S::Failed | S::Expired)
        | (S::Failed | S::Expired, S::Completed)
        | (S::Completed, S::Reversed | S::ChargedBack) => true,
        // Late, and no news.
        (_, S::Pending) => return Some(None),
        _ => false,
    };
    leads.then_some(Some(to))
}

#[test]
fn each_state_leads_where_the_table_says_and_nowhere_else() {
    let mut moved = 0;
    for state in DepositState::ALL {
        for step in all_steps() {
            let (mut table, id) = at_state(state);
            let before = order(&table, id);
            let command = notice(id, step.clone());
            match rule(state, &step) {
                Some(Some(to)) => {
                    moved += 1;
                    table.paid(&command);
                    assert_eq!(order(&table, id).state, to, "{state:?} {step:?}");
                    table.paid_before(&command);
                }
                Some(None) => {
                    table.paid_before(&command);
                    assert_eq!(order(&table, id), before, "{state:?} {step:?}");
                }
                None => {
                    table.refused_command(RefusalCode::PaymentState, &command);
                    assert_eq!(order(&table, id), before, "{state:?} {step:?}");
                }
            }
            let is_here = order(&table, id).state == DepositState::Completed;
            assert_eq!(table.cash(), if is_here { 500 } else { 0 });
        }
    }
    assert_eq!(moved, 11);
}

/// Every notice races every other, over two owners.
#[test]
fn inv_4_whatever_notices_race_the_money_comes_once() {
    for state in DepositState::ALL {
        for first in all_steps() {
            for second in all_steps() {
                let (mut table, id) = at_state(state);
                let mut other = Node::new(table.ledger.load(&player("alice")));
                let late = notice(id, second.clone());
                let decided = other.decide(&table.ledger, NOON, &late);
                let _ = table.send(&notice(id, first.clone()));
                let _ = other.send_late(&mut table.ledger, NOON, &late, decided);
                table.restart();
                let is_here = order(&table, id).state == DepositState::Completed;
                let told = format!("{state:?} {first:?} {second:?}");
                assert_eq!(table.cash(), if is_here { 500 } else { 0 }, "{told}");
            }
        }
    }
}

#[test]
fn a_deposit_is_announced_once_for_each_reference() {
    for forgetful in [false, true] {
        let mut table = Table::new();
        table.node.forgetful = forgetful;
        let first = table.paid(&initiate("d", 500)).payment;
        assert_eq!(table.paid_before(&initiate("d", 500)), first);
        table.refused_command(RefusalCode::TransactionMismatch, &initiate("d", 501));
        // Neither announced again as one that is complete, nor the other way round.
        table.refused_command(RefusalCode::TransactionMismatch, &deposit("d", 500));
        table.done(&deposit("e", 500));
        table.refused_command(RefusalCode::TransactionMismatch, &initiate("e", 500));
        let mut bob = table.seat("bob");
        let refusal = bob
            .send(&mut table.ledger, NOON, &initiate("d", 500))
            .unwrap_err();
        assert_eq!(refusal.code, RefusalCode::TransactionMismatch);
        assert_eq!(refusal.original, None);
    }
}

#[test]
fn one_payment_of_the_provider_completes_one_deposit() {
    let mut table = Table::new();
    let first = table.paid(&initiate("d", 500)).payment.id();
    let second = table.paid(&initiate("e", 500)).payment.id();
    table.paid(&notice(first, complete("psp-1", 500)));
    table.refused_command(
        RefusalCode::TransactionMismatch,
        &notice(second, complete("psp-1", 500)),
    );
    // Nor has one deposit two payments.
    table.refused_command(
        RefusalCode::TransactionMismatch,
        &notice(first, complete("psp-2", 500)),
    );
    table.paid(&notice(second, pend("psp-3")));
    table.refused_command(
        RefusalCode::TransactionMismatch,
        &notice(second, complete("psp-4", 500)),
    );
    assert_eq!(table.cash(), 500);
    // Another player's neither, and without a word about whose it is.
    let mut bob = table.seat("bob");
    let bobs = bob
        .send(&mut table.ledger, NOON, &initiate("b", 500))
        .unwrap();
    let Reply::Payment(bobs) = bobs else {
        panic!("{bobs:?}");
    };
    let theft = notice(bobs.payment.id(), complete("psp-1", 500));
    let refusal = bob.send(&mut table.ledger, NOON, &theft).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::TransactionMismatch);
    assert_eq!(refusal.original, None);
}

#[test]
fn another_amount_than_was_announced_is_not_credited() {
    let mut table = Table::new();
    let id = table.paid(&initiate("d", 500)).payment.id();
    for units in [499, 501, 0, -500] {
        let other = notice(id, complete("psp-1", units));
        table.refused_command(RefusalCode::TransactionMismatch, &other);
    }
    let other = DepositStep::Complete {
        provider_reference: ext("psp-1"),
        amount: pitboss_wallet::Money::new(500, currency("USD")),
    };
    table.refused_command(RefusalCode::TransactionMismatch, &notice(id, other));
    assert_eq!(table.cash(), 0);
}

#[test]
fn money_that_arrives_late_or_at_a_blocked_player_is_still_his() {
    let (mut table, id) = at_state(DepositState::Expired);
    table.done(&status(PlayerStatus::Blocked));
    table.paid(&notice(id, complete("psp-9", 500)));
    assert_eq!(table.cash(), 500);
    table.refused_command(RefusalCode::PlayerBlocked, &initiate("x", 500));
}

#[test]
fn what_is_taken_back_beyond_the_balance_is_owed() {
    let (mut table, id) = at_state(DepositState::Completed);
    table.applied(bet("b", "r", 380));
    let seq = table.last_seq();
    table.paid(&notice(id, charge_back()));
    assert_eq!((table.cash(), table.owed()), (0, 380));
    assert_eq!(
        table.subjects_after(seq),
        ["wallet.deposit_reversed", "wallet.negative_balance"]
    );
    let told = table.newest("wallet.deposit_reversed");
    assert_eq!(told["data"]["state"], "charged_back");
    assert_eq!(told["data"]["reason"], "not my purchase");
    assert_eq!(told["data"]["balance"]["cash"], cents(0).to_string());
}

#[test]
fn a_deposit_that_was_complete_at_once_is_taken_back_too() {
    let mut table = Table::with_cash(700);
    let (id, at_once) = {
        let (_, payment) = table.ledger.payments().next().unwrap();
        (payment.id(), payment.clone())
    };
    assert_eq!((at_once.state(), at_once.units()), ("completed", 700));
    table.paid(&notice(id, reverse()));
    assert_eq!((table.cash(), table.owed()), (0, 0));
    // Its reference stays used up.
    let Reply::Settled(again) = table.done(&deposit("initial", 700)) else {
        panic!("not settled");
    };
    assert!(again.replayed);
    assert_eq!(table.cash(), 0);
}

#[test]
fn a_deposit_expires_when_its_time_is_over_and_not_before() {
    let mut table = Table::new();
    table.now = NOON.plus_seconds(-1);
    let id = table.paid(&initiate("d", 500)).payment.id();
    let expire = notice(id, DepositStep::Expire);
    table.refused_command(RefusalCode::PaymentState, &expire);
    table.now = NOON;
    table.paid(&expire);
    let told = table.newest("wallet.deposit_failed");
    assert_eq!(told["data"]["state"], "expired");
    assert_eq!(told["data"].get("reason"), None);
}

#[test]
fn amounts_are_above_zero_in_a_currency_that_the_player_has() {
    let mut table = Table::new();
    for units in [0, -1, i64::MIN] {
        table.refused_command(RefusalCode::Malformed, &initiate("d", units));
    }
    let usd = Command::InitiateDeposit(pitboss_wallet::InitiateDeposit {
        reference: ext("d"),
        amount: pitboss_wallet::Money::new(500, currency("USD")),
        expires_at: None,
    });
    table.refused_command(RefusalCode::CurrencyMismatch, &usd);
    let nobody = PaymentId(uuid::Uuid::from_u128(99));
    table.refused_command(RefusalCode::UnknownPayment, &notice(nobody, refuse()));
    let id = table.paid(&initiate("d", 5)).payment.id();
    table.refused_command(RefusalCode::UnknownPayment, &step(id, cancel()));
}
