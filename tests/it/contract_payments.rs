//! Every event of deposits and withdrawals, for the life of one player. What he had, he has afterwards.

use pitboss_wallet::{
    By, Command, Currency, DepositStep, ExternalId, InitiateDeposit, MakerChecker, Money,
    PaymentId, Person, Reply, RequestWithdrawal, ReviewReason, Timestamp, WithdrawalStep,
    WithdrawalTerms,
};

use crate::support::{client::Client, owner::carry_out, player::Player};

fn ext(text: String) -> ExternalId {
    ExternalId::new(text).unwrap()
}

fn by(person: &str) -> By {
    By {
        key: uuid::Uuid::from_u128(person.len() as u128),
        person: person.to_owned(),
    }
}

fn person(name: &str) -> Person {
    Person {
        by: by(name),
        hands: vec![name.to_lowercase()],
    }
}

fn euros(amount: &str) -> Money {
    Money::parse(amount, Currency::from_code("EUR").unwrap()).unwrap()
}

async fn paid(client: &Client, player: &Player, command: Command) -> PaymentId {
    match carry_out(client, &player.id, &command).await {
        Some(Reply::Payment(reply)) => reply.payment.id(),
        other => panic!("{command:?}: {other:?}"),
    }
}

/// A withdrawal of a euro whose time is over, and these steps.
async fn withdraw(client: &Client, player: &Player, number: usize, steps: Vec<WithdrawalStep>) {
    let request = RequestWithdrawal {
        reference: ext(format!("{} w-{number}", player.id)),
        amount: euros("1.00"),
        destination: Some("iban".to_owned()),
        terms: WithdrawalTerms {
            fee_units: euros("0.05").units,
            approvers: 1,
            review: vec![ReviewReason::LargeAmount],
            may_cancel: true,
            expires_at: Some(Timestamp::from_micros(1)),
        },
        by: person("Kate"),
    };
    let id = paid(
        client,
        player,
        Command::RequestWithdrawal(Box::new(request)),
    )
    .await;
    for step in steps {
        paid(client, player, Command::MoveWithdrawal(id, Box::new(step))).await;
    }
}

pub async fn happen(client: &Client, player: &Player) {
    let deposit = async |number: usize, steps: Vec<DepositStep>| {
        let asked = InitiateDeposit {
            reference: ext(format!("{} d-{number}", player.id)),
            amount: euros("20.00"),
            expires_at: Some(Timestamp::from_micros(1)),
        };
        let id = paid(client, player, Command::InitiateDeposit(asked)).await;
        for step in steps {
            paid(client, player, Command::MoveDeposit(id, step)).await;
        }
    };
    let provider_reference = |number: usize| ext(format!("{} psp-{number}", player.id));
    let complete = |number| DepositStep::Complete {
        provider_reference: provider_reference(number),
        amount: euros("20.00"),
    };
    let pend = DepositStep::Pend {
        provider_reference: provider_reference(1),
    };
    let reason = || "the bank said so".to_owned();
    deposit(1, vec![pend, complete(1)]).await;
    deposit(2, vec![DepositStep::Fail { reason: reason() }]).await;
    deposit(
        3,
        vec![complete(3), DepositStep::ChargeBack { reason: reason() }],
    )
    .await;
    let approve = || WithdrawalStep::Approve {
        by: person("Mary-Ann"),
    };
    let (hold, clear) = (
        WithdrawalStep::Hold {
            reason: ReviewReason::Kyc,
            by: by("Rita"),
        },
        WithdrawalStep::ClearHold { by: by("Rita") },
    );
    let pay = WithdrawalStep::Pay {
        provider_reference: provider_reference(4),
    };
    let lives = [
        vec![
            hold,
            clear,
            approve(),
            WithdrawalStep::Send,
            WithdrawalStep::LoseSight,
            pay,
            WithdrawalStep::Return { reason: reason() },
        ],
        vec![
            approve(),
            WithdrawalStep::Send,
            WithdrawalStep::Fail { reason: reason() },
        ],
        vec![
            approve(),
            WithdrawalStep::Split {
                parts: vec![euros("0.60").units, euros("0.40").units],
            },
        ],
        vec![WithdrawalStep::Cancel { by: by("Kate") }],
        vec![WithdrawalStep::Reject {
            reason: reason(),
            by: by("Rita"),
        }],
        vec![WithdrawalStep::Expire],
        vec![WithdrawalStep::Confiscate {
            reason: reason(),
            by: MakerChecker {
                maker: by("Kate"),
                checker: Some(by("Rita")),
            },
        }],
    ];
    for (number, steps) in lives.into_iter().enumerate() {
        withdraw(client, player, number, steps).await;
    }
}
