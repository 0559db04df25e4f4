//! Withdrawals: the whole table of states and steps, the holds, the people, the repeats (INV-9).

use pitboss_wallet::{
    Command, Payment, PaymentId, PlayerStatus, RefusalCode, RequestWithdrawal, ReviewReason,
    Wallet, Withdrawal, WithdrawalState, WithdrawalStep, WithdrawalTerms,
};

use crate::harness::*;

fn terms() -> WithdrawalTerms {
    withdrawal("w", 1).terms
}

/// A withdrawal of 400 with a fee of 25, from 1 000, in this state.
fn at_state(state: WithdrawalState) -> (Table, PaymentId) {
    let mut table = Table::with_cash(1_000);
    let id = request(&mut table, "w");
    for step in way_to(state) {
        table.paid(&step_of(id, step));
    }
    assert_eq!(withdrawal_of(&table, id).state, state);
    (table, id)
}

fn request(table: &mut Table, reference: &str) -> PaymentId {
    let request = RequestWithdrawal {
        terms: WithdrawalTerms {
            fee_units: 25,
            expires_at: Some(NOON),
            ..terms()
        },
        ..withdrawal(reference, 400)
    };
    table.paid(&withdraw(request)).payment.id()
}

fn step_of(id: PaymentId, one: WithdrawalStep) -> Command {
    step(id, one)
}

fn withdrawal_of(table: &Table, id: PaymentId) -> Withdrawal {
    match table.ledger.payment(id) {
        Some(Payment::Withdrawal(withdrawal)) => withdrawal.clone(),
        other => panic!("{other:?}"),
    }
}

fn hold() -> WithdrawalStep {
    WithdrawalStep::Hold {
        reason: ReviewReason::Kyc,
        by: by("Rita"),
    }
}

fn clear() -> WithdrawalStep {
    WithdrawalStep::ClearHold { by: by("Rita") }
}

/// The steps that lead from `requested` to a state.
fn way_to(state: WithdrawalState) -> Vec<WithdrawalStep> {
    use WithdrawalState as S;
    let mut way = Vec::new();
    let reviewed = |mut more: Vec<WithdrawalStep>| {
        let mut way = vec![start_review()];
        way.append(&mut more);
        way
    };
    let sent = |more: Vec<WithdrawalStep>| {
        let mut way = vec![start_review(), approve("Carl"), WithdrawalStep::Send];
        way.extend(more);
        way
    };
    way.extend(match state {
        S::Requested => vec![],
        S::InReview => reviewed(vec![]),
        S::OnHold => reviewed(vec![hold()]),
        S::Approved => reviewed(vec![approve("Carl")]),
        S::Processing => sent(vec![]),
        S::Unknown => sent(vec![WithdrawalStep::LoseSight]),
        S::Paid => sent(vec![pay("psp-1")]),
        S::Failed => sent(vec![fail()]),
        S::Returned => sent(vec![pay("psp-1"), give_back()]),
        S::Cancelled => vec![cancel()],
        S::Rejected => vec![reject()],
        S::Expired => vec![WithdrawalStep::Expire],
        S::Confiscated => vec![confiscate()],
        S::Split => reviewed(vec![approve("Carl"), split(&[300, 100])]),
    });
    way
}

fn split(parts: &[i64]) -> WithdrawalStep {
    WithdrawalStep::Split {
        parts: parts.to_vec(),
    }
}

fn all_steps() -> Vec<WithdrawalStep> {
    vec![
        start_review(),
        hold(),
        clear(),
        approve("Carl"),
        cancel(),
        reject(),
        WithdrawalStep::Expire,
        confiscate(),
        WithdrawalStep::Send,
        WithdrawalStep::LoseSight,
        pay("psp-1"),
        fail(),
        give_back(),
        split(&[300, 100]),
    ]
}

fn wallet(table: &Table) -> Wallet {
    *table.node.state.wallet(eur()).unwrap()
}

/// Cash, hold, fee, in transit.
fn places(table: &Table) -> (i64, i64, i64, i64) {
    let of = wallet(table);
    (of.cash, of.withdrawal_hold, of.fee_hold, of.in_transit)
}

/// What the rules say, written down a second time: the state, the step, the state after it.
fn table_of_the_rules() -> Vec<(WithdrawalState, WithdrawalStep, WithdrawalState)> {
    use WithdrawalState as S;
    let unsent = [S::Requested, S::InReview, S::OnHold, S::Approved];
    let mut rules = vec![
        (S::Requested, start_review(), S::InReview),
        (S::InReview, hold(), S::OnHold),
        (S::OnHold, clear(), S::InReview),
        (S::InReview, approve("Carl"), S::Approved),
        (S::Approved, WithdrawalStep::Send, S::Processing),
        (S::Approved, split(&[300, 100]), S::Split),
        (S::Processing, WithdrawalStep::LoseSight, S::Unknown),
        (S::Paid, give_back(), S::Returned),
    ];
    for from in [S::Processing, S::Unknown] {
        rules.push((from, pay("psp-1"), S::Paid));
        rules.push((from, fail(), S::Failed));
    }
    for from in unsent {
        rules.push((from, reject(), S::Rejected));
        rules.push((from, WithdrawalStep::Expire, S::Expired));
        rules.push((from, confiscate(), S::Confiscated));
        if from != S::Approved {
            rules.push((from, cancel(), S::Cancelled));
        }
    }
    rules
}

#[test]
fn each_state_leads_where_the_table_says_and_nowhere_else() {
    let rules = table_of_the_rules();
    let mut met = 0;
    for state in WithdrawalState::ALL {
        for step in all_steps() {
            let (mut table, id) = at_state(state);
            let before = withdrawal_of(&table, id);
            let rule = rules
                .iter()
                .find(|(from, by, _)| *from == state && *by == step);
            let command = step_of(id, step.clone());
            let told = format!("{state:?} {step:?}");
            if let Some((_, _, to)) = rule {
                met += 1;
                let reply = table.paid(&command);
                assert!(!reply.replayed, "{told}");
                assert_eq!(withdrawal_of(&table, id).state, *to, "{told}");
                // Whoever sends it again gets the same, and nothing is written.
                assert_eq!(table.paid_before(&command), reply.payment, "{told}");
            } else if is_repeat(state, &step) {
                assert_eq!(
                    table.paid_before(&command),
                    Payment::Withdrawal(before),
                    "{told}"
                );
            } else {
                let refusal = table.refused_command(RefusalCode::PaymentState, &command);
                assert!(
                    refusal.detail.contains(state.as_str()),
                    "{told}: {refusal:?}"
                );
                assert_eq!(withdrawal_of(&table, id), before, "{told}");
            }
        }
    }
    assert_eq!(met, rules.len());
}

/// A step whose end the withdrawal has already, by the way on which it came there.
fn is_repeat(state: WithdrawalState, step: &WithdrawalStep) -> bool {
    state == step.target()
}

#[test]
fn each_step_moves_the_money_to_its_place() {
    use WithdrawalState as S;
    for (state, expected) in [
        (S::Requested, (575, 400, 25, 0)),
        (S::InReview, (575, 400, 25, 0)),
        (S::OnHold, (575, 400, 25, 0)),
        (S::Approved, (575, 400, 25, 0)),
        (S::Split, (575, 400, 25, 0)),
        (S::Processing, (575, 0, 25, 400)),
        (S::Unknown, (575, 0, 25, 400)),
        (S::Paid, (575, 0, 0, 0)),
        (S::Failed, (1_000, 0, 0, 0)),
        // The fee was earned.
        (S::Returned, (975, 0, 0, 0)),
        (S::Cancelled, (1_000, 0, 0, 0)),
        (S::Rejected, (1_000, 0, 0, 0)),
        (S::Expired, (1_000, 0, 0, 0)),
        (S::Confiscated, (575, 0, 0, 0)),
    ] {
        let (table, _) = at_state(state);
        assert_eq!(places(&table), expected, "{state:?}");
    }
}

/// Two steps at once, decided on the same state by two owners: one is carried out, and the other is decided on what that
/// one left.
#[test]
fn inv_9_every_step_races_every_other_and_one_hold_is_released_once() {
    let mut races = 0;
    for state in WithdrawalState::ALL {
        for first in all_steps() {
            for second in all_steps() {
                let (mut table, id) = at_state(state);
                let mut other = Node::new(table.ledger.load(&player("alice")));
                other.limits = ROOMY;
                let (first, second) = (step_of(id, first.clone()), step_of(id, second.clone()));
                let decided = other.decide(&table.ledger, NOON, &second);
                let _ = table.send(&first);
                // Stale, reloaded, decided again.
                let _ = other.send_late(&mut table.ledger, NOON, &second, decided);
                let (mut twin, id) = at_state(state);
                let _ = twin.send(&rename(&first, id));
                let _ = twin.send(&rename(&second, id));
                table.restart();
                assert_eq!(
                    places(&table),
                    places(&twin),
                    "{state:?} {first:?} {second:?}"
                );
                check_releases(&table);
                races += 1;
            }
        }
    }
    assert_eq!(races, 14 * 14 * 14);
}

fn rename(command: &Command, id: PaymentId) -> Command {
    match command {
        Command::MoveWithdrawal(_, step) => Command::MoveWithdrawal(id, step.clone()),
        other => panic!("{other:?}"),
    }
}

/// Of all that ends a hold there is one record at most, and as much is held as waits.
fn check_releases(table: &Table) {
    use pitboss_wallet::Kind;
    let mut held = 0;
    for (_, payment) in table.ledger.payments() {
        let Payment::Withdrawal(withdrawal) = payment else {
            continue;
        };
        let ends = table.ledger.transactions().filter(|row| {
            let is_end = matches!(
                row.key.kind,
                Kind::WithdrawalRelease | Kind::WithdrawalPaid | Kind::WithdrawalConfiscation
            );
            is_end && row.key.external_id.as_str() == withdrawal.id.to_string()
        });
        let is_open = withdrawal.state.is_held() || withdrawal.state.is_in_transit();
        let is_split = withdrawal.state == WithdrawalState::Split;
        assert_eq!(
            ends.count(),
            usize::from(!is_open && !is_split),
            "INV-9: {withdrawal:?}"
        );
        if is_open {
            held += withdrawal.units + withdrawal.fee_units;
        }
    }
    let wallet = wallet(table);
    assert_eq!(
        wallet.withdrawal_hold + wallet.fee_hold + wallet.in_transit,
        held,
        "INV-9"
    );
}

#[test]
fn what_is_asked_for_is_held_in_one_transaction_with_the_checks() {
    let mut table = Table::with_cash(1_000);
    let seq = table.last_seq();
    let id = request(&mut table, "w");
    assert_eq!(
        table.subjects_after(seq),
        ["withdrawal.requested", "wallet.hold_placed"]
    );
    let placed = table.newest("wallet.hold_placed");
    assert_eq!(placed["data"]["amount"], cents(425).to_string());
    assert_eq!(placed["data"]["balance"]["cash"], cents(575).to_string());
    assert_eq!(placed["data"]["withdrawal"], id.to_string());
    // What is held is not there to play with, nor to be withdrawn again.
    table.refused(RefusalCode::InsufficientFunds, bet("b", "r", 576));
    let more = withdraw(withdrawal("x", 576));
    let refusal = table.refused_command(RefusalCode::InsufficientFunds, &more);
    assert_eq!(refusal.balance.unwrap().cash, 575);
}

#[test]
fn nobody_moves_the_withdrawal_of_another_player() {
    let (mut table, id) = at_state(WithdrawalState::Approved);
    let mut bob = table.seat("bob");
    let refusal = bob
        .send(&mut table.ledger, NOON, &step(id, reject()))
        .unwrap_err();
    assert_eq!(refusal.code, RefusalCode::UnknownPayment);
    let nobody = PaymentId(uuid::Uuid::from_u128(99));
    table.refused_command(RefusalCode::UnknownPayment, &step(nobody, reject()));
    // A withdrawal is no deposit.
    table.refused_command(RefusalCode::UnknownPayment, &notice(id, complete("p", 400)));
}

#[test]
fn a_hold_tells_why_and_another_reason_needs_it_cleared_first() {
    let (mut table, id) = at_state(WithdrawalState::OnHold);
    assert_eq!(withdrawal_of(&table, id).hold, Some(ReviewReason::Kyc));
    let other = WithdrawalStep::Hold {
        reason: ReviewReason::Aml,
        by: by("Rita"),
    };
    table.refused_command(RefusalCode::PaymentState, &step(id, other.clone()));
    table.paid(&step(id, clear()));
    assert_eq!(withdrawal_of(&table, id).hold, None);
    table.paid(&step(id, other));
    assert_eq!(withdrawal_of(&table, id).hold, Some(ReviewReason::Aml));
}

#[test]
fn it_is_paid_under_one_id_of_the_payment_provider() {
    let (mut table, id) = at_state(WithdrawalState::Paid);
    table.paid_before(&step(id, pay("psp-1")));
    table.refused_command(RefusalCode::TransactionMismatch, &step(id, pay("psp-2")));
    let told = table.newest("withdrawal.paid");
    assert_eq!(told["data"]["provider_reference"], "psp-1");
}

#[test]
fn parts_take_the_place_of_the_whole_and_are_paid_one_by_one() {
    let (mut table, id) = at_state(WithdrawalState::Approved);
    for parts in [
        &[400][..],
        &[300, 99],
        &[400, 0],
        &[500, -100],
        &[i64::MAX, 1],
        &[],
    ] {
        table.refused_command(RefusalCode::Malformed, &step(id, split(parts)));
    }
    table.refused_command(RefusalCode::Malformed, &step(id, split(&[1; 400])));
    table.paid(&step(id, split(&[300, 60, 40])));
    let whole = withdrawal_of(&table, id);
    let parts: Vec<_> = whole
        .parts
        .iter()
        .map(|id| withdrawal_of(&table, *id))
        .collect();
    let shares: Vec<_> = parts
        .iter()
        .map(|part| (part.units, part.fee_units))
        .collect();
    assert_eq!(shares, [(300, 25), (60, 0), (40, 0)]);
    assert!(parts.iter().all(|part| part.part_of == Some(id)));
    let told = table.newest("withdrawal.split");
    assert_eq!(told["data"]["parts"][1]["amount"], cents(60).to_string());
    for (part, end) in parts.iter().zip([pay("p1"), fail(), pay("p3")]) {
        table.paid(&step(part.id, WithdrawalStep::Send));
        table.paid(&step(part.id, end));
        check_releases(&table);
    }
    assert_eq!(places(&table), (635, 0, 0, 0));
}

#[test]
fn whoever_is_blocked_or_has_left_may_still_withdraw() {
    for status_of in [
        PlayerStatus::BetsBlocked,
        PlayerStatus::Blocked,
        PlayerStatus::Closed,
    ] {
        let mut table = Table::with_cash(1_000);
        table.done(&status(status_of));
        let id = request(&mut table, "w");
        for step_to in way_to(WithdrawalState::Paid) {
            table.paid(&step(id, step_to));
        }
        assert_eq!(table.cash(), 575);
    }
}

/// INV-7: whoever follows `wallet.*` alone sees each change of his cash.
#[test]
fn every_change_of_cash_is_told_with_the_balance_after_it() {
    for state in WithdrawalState::ALL {
        let (table, _) = at_state(state);
        let mut cash = 0;
        for event in table.ledger.events(&player("alice")) {
            let envelope: serde_json::Value = serde_json::from_str(&event.body).unwrap();
            let data = &envelope["data"];
            let units = |value: &serde_json::Value| {
                let text = value.as_str().unwrap();
                pitboss_wallet::Money::parse(text, eur()).unwrap().units
            };
            let sign = match event.kind.as_str() {
                "wallet.deposit_completed"
                | "wallet.hold_released"
                | "wallet.withdrawal_returned" => 1,
                "wallet.hold_placed" => -1,
                "wallet.hold_captured" => 0,
                _ => continue,
            };
            cash += sign * units(&data["amount"]);
            assert_eq!(
                units(&data["balance"]["cash"]),
                cash,
                "{state:?}: {}",
                event.body
            );
        }
        assert_eq!(cash, table.cash(), "{state:?}");
    }
}
