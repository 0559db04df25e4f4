//! Deposits and withdrawals: they read back, and a hold ends once (INV-9).

use pitboss_wallet::{
    Command, DepositStep, Fact, InitiateDeposit, Payment, PaymentId, Person, Policy, Reply,
    RequestWithdrawal, ReviewReason, WithdrawalStep, WithdrawalTerms,
};

use super::{
    Checked, Failure, Subject,
    hand::{Hand, by, eur, external, money, now},
    holds, same, wrong,
};
use crate::ports::Committed;

fn person(name: &str) -> Person {
    Person {
        by: by(name),
        hands: vec![name.to_lowercase()],
    }
}

fn request(reference: &str, units: i64) -> Command {
    Command::RequestWithdrawal(Box::new(RequestWithdrawal {
        reference: external(reference),
        amount: money(units),
        destination: Some("an account, \"quoted\"".to_owned()),
        terms: WithdrawalTerms {
            fee_units: 7,
            approvers: 0,
            review: Vec::new(),
            may_cancel: true,
            expires_at: Some(now().plus_seconds(3_600)),
        },
        by: person("Kate"),
    }))
}

fn initiate(reference: &str, units: i64) -> Command {
    Command::InitiateDeposit(InitiateDeposit {
        reference: external(reference),
        amount: money(units),
        expires_at: None,
    })
}

fn move_it(id: PaymentId, step: WithdrawalStep) -> Command {
    Command::MoveWithdrawal(id, Box::new(step))
}

fn reject() -> WithdrawalStep {
    WithdrawalStep::Reject {
        reason: "a wrong account".to_owned(),
        by: by("Rita"),
    }
}

/// Carries it out; the payment must be stored as it was answered, and the player as he was left.
async fn paid(hand: &mut Hand, command: &Command) -> Result<Payment, Failure> {
    let payment = match hand.run(command).await? {
        Ok(Reply::Payment(reply)) => reply.payment,
        other => return Err(wrong(format!("{command:?}: {other:?}"))),
    };
    hand.reads_back("a payment").await?;
    let asked = [Fact::Payment(payment.id())];
    let found = hand.ledger.find(&hand.state.id, &asked).await?;
    let found = found.payments.into_iter().next().and_then(|(_, one)| one);
    same("the payment", found, Some(payment.clone()))?;
    Ok(payment)
}

pub(super) async fn payments_read_back_as_they_were_left(subject: &dyn Subject) -> Checked {
    let (mut hand, _) = Hand::seated(subject, "payments", 10_000, Policy::default()).await?;
    let paid_out = paid(&mut hand, &request("p-1", 100)).await?.id();
    let failed = paid(&mut hand, &request("p-2", 200)).await?.id();
    let whole = paid(&mut hand, &request("p-3", 300)).await?.id();
    let steps = [
        (paid_out, WithdrawalStep::Send),
        (paid_out, WithdrawalStep::LoseSight),
        (
            paid_out,
            WithdrawalStep::Pay {
                provider_reference: external("psp-1"),
            },
        ),
        (
            paid_out,
            WithdrawalStep::Return {
                reason: "the account is closed".to_owned(),
            },
        ),
        (failed, WithdrawalStep::Send),
        (
            failed,
            WithdrawalStep::Fail {
                reason: "the bank refused it".to_owned(),
            },
        ),
        (
            whole,
            WithdrawalStep::Split {
                parts: vec![120, 180],
            },
        ),
    ];
    for (id, step) in steps {
        paid(&mut hand, &move_it(id, step)).await?;
    }
    let in_review = match request("p-4", 400) {
        Command::RequestWithdrawal(mut asked) => {
            asked.terms.review = vec![ReviewReason::HighRisk];
            Command::RequestWithdrawal(asked)
        }
        other => other,
    };
    let held = paid(&mut hand, &in_review).await?.id();
    let steps = [
        WithdrawalStep::Hold {
            reason: ReviewReason::Kyc,
            by: by("Rita"),
        },
        WithdrawalStep::ClearHold { by: by("Rita") },
        reject(),
    ];
    for step in steps {
        paid(&mut hand, &move_it(held, step)).await?;
    }
    let deposit = paid(&mut hand, &initiate("p-5", 50)).await?.id();
    let complete = DepositStep::Complete {
        provider_reference: external("psp-2"),
        amount: money(50),
    };
    paid(&mut hand, &Command::MoveDeposit(deposit, complete)).await?;
    let charge_back = DepositStep::ChargeBack {
        reason: "not my purchase".to_owned(),
    };
    paid(&mut hand, &Command::MoveDeposit(deposit, charge_back)).await?;
    let wallet = hand.state.wallet(eur()).copied();
    let held = wallet.map(|wallet| (wallet.withdrawal_hold, wallet.fee_hold, wallet.in_transit));
    same("the parts", held, Some((300, 7, 0)))?;
    let cash = wallet.map(|wallet| wallet.cash);
    // A fee was earned, and the parts are held.
    same("cash", cash, Some(10_000 - 7 - 307))
}

pub(super) async fn payments_are_of_one_player(subject: &dyn Subject) -> Checked {
    let (mut hand, _) = Hand::seated(subject, "payer", 1_000, Policy::default()).await?;
    let id = paid(&mut hand, &request("q-1", 100)).await?.id();
    let (other, _) = Hand::seated(subject, "no-payer", 0, Policy::default()).await?;
    let nothing = PaymentId(super::hand::new_id());
    let asked = [Fact::Payment(id), Fact::Payment(nothing)];
    let found = other.ledger.find(&other.state.id, &asked).await?;
    same(
        "of another",
        found.payments,
        vec![(id, None), (nothing, None)],
    )?;
    let found = hand.ledger.find(&hand.state.id, &asked).await?;
    let known: Vec<_> = found
        .payments
        .iter()
        .map(|(_, one)| one.is_some())
        .collect();
    same("his own", known, vec![true, false])
}

/// Two owners decide on one version: one of them is told, and looks again.
pub(super) async fn a_hold_that_two_owners_end_ends_once(subject: &dyn Subject) -> Checked {
    let (mut hand, _) = Hand::seated(subject, "two-ends", 1_000, Policy::default()).await?;
    let id = paid(&mut hand, &request("e-1", 100)).await?.id();
    let mut other = Hand::of(subject, "two-ends").await?;
    let send = hand.decision(&move_it(id, WithdrawalStep::Send)).await?;
    let reject = other.decision(&move_it(id, reject())).await?;
    same("first", hand.commit(&send).await?, Committed::Durable)?;
    same("second", other.commit(&reject).await?, Committed::Stale)?;
    hand.reload().await?;
    let wallet = hand.state.wallet(eur()).copied();
    let places = wallet.map(|w| (w.cash, w.withdrawal_hold, w.fee_hold, w.in_transit));
    same("where the money is", places, Some((893, 0, 7, 100)))?;
    let found = hand
        .ledger
        .find(&hand.state.id, &[Fact::Payment(id)])
        .await?;
    let payment = found.payments.into_iter().next().and_then(|(_, one)| one);
    holds(
        "it is not processing",
        payment.is_some_and(|payment| payment.state() == "processing"),
    )
}
