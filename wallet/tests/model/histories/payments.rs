//! Deposits, withdrawals and adjustments in a history: mostly what may come next, at times anything.

use pitboss_wallet::{
    Adjust, Command, Deposit, DepositStep, InitiateDeposit, Money, PaymentId, RequestWithdrawal,
    ReviewReason, WithdrawalStep, WithdrawalTerms,
};
use proptest::{prelude::*, sample::select};
use uuid::Uuid;

use super::steps::{any_units, id, there};
use crate::{
    harness::{
        NOON, approve, by, cancel, confiscate, credit, debit, ext, fail, give_back, pay, reject,
        start_review, withdrawal,
    },
    reference::{Model, PaymentBook, PaymentNumber, Who},
};

/// Of the payment provider.
const REFERENCES: [&str; 3] = ["p", "q", "s"];

pub fn any_deposit(model: &Model) -> BoxedStrategy<(Who, Command)> {
    there(model, |place, cash| {
        (id(), any_units(cash))
            .prop_map(move |(reference, units)| {
                let deposit = Deposit {
                    reference: ext(&reference),
                    amount: Money::new(units, place.currency),
                };
                (place.who, Command::Deposit(deposit))
            })
            .boxed()
    })
}

pub fn any_adjustment(model: &Model) -> BoxedStrategy<(Who, Command)> {
    there(model, |place, cash| {
        (id(), any_units(cash), 0..3_u8)
            .prop_map(move |(reference, units, way)| {
                let adjust = match way {
                    0 => credit(&reference, units),
                    1 => debit(&reference, units),
                    _ => Adjust {
                        allow_debt: true,
                        ..debit(&reference, units)
                    },
                };
                let amount = Money::new(units, place.currency);
                (place.who, Command::Adjust(Adjust { amount, ..adjust }))
            })
            .boxed()
    })
}

pub fn any_payment(model: &Model) -> BoxedStrategy<(Who, Command)> {
    let mut kinds = vec![(2, any_request(model)), (2, any_announcement(model))];
    let known: Vec<_> = model.payments.iter().cloned().enumerate().collect();
    let is_open = |book: &PaymentBook| book.is_held() || book.is_sent() || book.state == "paid";
    let open: Vec<_> = known
        .iter()
        .filter(|(_, book)| is_open(book))
        .cloned()
        .collect();
    if !open.is_empty() {
        kinds.push((12, any_step(open)));
    }
    if !known.is_empty() {
        kinds.push((5, any_step(known)));
    }
    proptest::strategy::Union::new_weighted(kinds).boxed()
}

fn any_request(model: &Model) -> BoxedStrategy<(Who, Command)> {
    there(model, |place, cash| {
        let fee = prop_oneof![6 => 0..5_i64, 1 => select(vec![-1, i64::MAX])];
        let review = select(vec![vec![], vec![], vec![ReviewReason::HighRisk]]);
        (
            id(),
            any_units(cash),
            fee,
            0..3_u8,
            review,
            prop::bool::weighted(0.8),
            any::<bool>(),
        )
            .prop_map(
                move |(reference, units, fee_units, approvers, review, may_cancel, is_due)| {
                    let request = RequestWithdrawal {
                        amount: Money::new(units, place.currency),
                        terms: WithdrawalTerms {
                            fee_units,
                            approvers,
                            review,
                            may_cancel,
                            expires_at: is_due.then_some(NOON),
                        },
                        ..withdrawal(&reference, 0)
                    };
                    let command = Command::RequestWithdrawal(Box::new(request));
                    (place.who, command)
                },
            )
            .boxed()
    })
}

fn any_announcement(model: &Model) -> BoxedStrategy<(Who, Command)> {
    there(model, |place, cash| {
        (id(), any_units(cash), any::<bool>())
            .prop_map(move |(reference, units, is_due)| {
                let asked = InitiateDeposit {
                    reference: ext(&reference),
                    amount: Money::new(units, place.currency),
                    expires_at: is_due.then_some(NOON),
                };
                (place.who, Command::InitiateDeposit(asked))
            })
            .boxed()
    })
}

fn any_step(known: Vec<(PaymentNumber, PaymentBook)>) -> BoxedStrategy<(Who, Command)> {
    let beyond = known.len() + 7;
    let stray = prop_oneof![60 => Just(0_u8), 1 => Just(1), 1 => Just(2)];
    (select(known), stray)
        .prop_flat_map(move |((number, book), stray)| {
            // The other player's, or nobody's.
            let who = if stray == 1 { 1 - book.who } else { book.who };
            let number = if stray == 2 { beyond } else { number };
            let id = PaymentId(Uuid::from_u128(u128::try_from(number).unwrap()));
            let command = if book.is_deposit {
                any_deposit_step(&book)
                    .prop_map(move |step| Command::MoveDeposit(id, step))
                    .boxed()
            } else {
                any_withdrawal_step(&book)
                    .prop_map(move |step| Command::MoveWithdrawal(id, Box::new(step)))
                    .boxed()
            };
            command.prop_map(move |command| (who, command))
        })
        .boxed()
}

fn any_deposit_step(book: &PaymentBook) -> BoxedStrategy<DepositStep> {
    let amount = book.amount;
    let reason = || "a reason".to_owned();
    let units = prop_oneof![9 => Just(amount.units), 1 => Just(amount.units.saturating_sub(1))];
    let complete = (select(&REFERENCES[..]), units).prop_map(move |(reference, units)| {
        DepositStep::Complete {
            provider_reference: ext(reference),
            amount: Money::new(units, amount.currency),
        }
    });
    let pend = select(&REFERENCES[..]).prop_map(|reference| DepositStep::Pend {
        provider_reference: ext(reference),
    });
    let others = select(vec![
        DepositStep::Fail { reason: reason() },
        DepositStep::Expire,
        DepositStep::Reverse { reason: reason() },
        DepositStep::ChargeBack { reason: reason() },
    ]);
    prop_oneof![4 => complete, 1 => pend, 3 => others].boxed()
}

const fn split(parts: Vec<i64>) -> WithdrawalStep {
    WithdrawalStep::Split { parts }
}

/// What leads on from where it stands.
fn next(book: &PaymentBook) -> Vec<WithdrawalStep> {
    match book.state {
        "requested" => vec![start_review()],
        "in_review" => vec![approve("Carl"), approve("Dora"), approve("Kate"), cancel()],
        "on_hold" => vec![WithdrawalStep::ClearHold { by: by("Rita") }],
        "approved" => vec![
            WithdrawalStep::Send,
            WithdrawalStep::Send,
            split(vec![1, book.amount.units.saturating_sub(1)]),
        ],
        "processing" => vec![pay("p"), fail(), WithdrawalStep::LoseSight],
        "unknown" => vec![pay("p"), fail()],
        "paid" => vec![give_back()],
        _ => vec![reject()],
    }
}

fn any_withdrawal_step(book: &PaymentBook) -> BoxedStrategy<WithdrawalStep> {
    let units = book.amount.units;
    let anything = select(vec![
        start_review(),
        WithdrawalStep::Hold {
            reason: ReviewReason::Kyc,
            by: by("Rita"),
        },
        WithdrawalStep::Hold {
            reason: ReviewReason::Aml,
            by: by("Rita"),
        },
        WithdrawalStep::ClearHold { by: by("Rita") },
        approve("Carl"),
        approve("Kate"),
        cancel(),
        reject(),
        WithdrawalStep::Expire,
        confiscate(),
        WithdrawalStep::Send,
        WithdrawalStep::LoseSight,
        pay("p"),
        pay("q"),
        fail(),
        give_back(),
        split(vec![1, units.saturating_sub(1)]),
        split(vec![units, 0]),
    ]);
    prop_oneof![2 => select(next(book)), 1 => anything].boxed()
}
