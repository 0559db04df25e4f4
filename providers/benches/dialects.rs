//! What a bet costs on its way through each dialect: verified, looked up, parsed, and its answer rendered.
//!
//! `cargo bench -p pitboss-providers`; the figures are in `docs/performance.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench"
)]

#[path = "../tests/door/mod.rs"]
mod door;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use door::{Door, with_raw};
use pitboss_providers::{Answer, Context, DIALECTS, Outcome, Settings, simulate::Move};
use pitboss_wallet::{
    Balance, Currency, ExternalId, Funding, Kind, Money, PlayerId, Receipt, Reply, SessionId,
    Settled, TransactionId,
};

fn bets(criterion: &mut Criterion) {
    let currency = Currency::from_code("EUR").unwrap();
    let session = SessionId::parse("ses_0192f3a0c0de7000800000000000a11c").unwrap();
    let made = Move::Bet {
        id: "b-1001".to_owned(),
        round: "r-77".to_owned(),
        amount: Money::new(2_500_000, currency),
        closes: false,
        free_round: None,
    };
    let outcome: Outcome = Ok(answer(currency));
    for dialect in DIALECTS {
        let start = Money::new(100_000_000, currency);
        let mut door = Door::new(*dialect, Settings::default(), session, start);
        let sent = door.sent(&made).unwrap();
        with_raw(&door.table.path, &sent, |raw| {
            criterion.bench_function(&format!("{}: verify", dialect.name()), |bench| {
                bench.iter(|| dialect.verify(&door.account, black_box(raw)).unwrap());
            });
            criterion.bench_function(&format!("{}: bet", dialect.name()), |bench| {
                bench.iter(|| {
                    let call = door.call(black_box(raw)).unwrap();
                    let context = Context {
                        request: raw,
                        account: Some(&door.account),
                        call: Some(&call),
                        balance: None,
                    };
                    door.render(&context, &outcome)
                });
            });
        });
    }
}

fn answer(currency: Currency) -> Answer {
    let balance = Balance {
        currency,
        cash: 97_500_000,
        bonus: 0,
    };
    let receipt = Receipt {
        transaction: TransactionId::parse("tx_0192f3a0c0de70008000000000007ac5").unwrap(),
        kind: Kind::Bet,
        external_id: ExternalId::new("b-1001").unwrap(),
        currency: Some(currency),
        units: 2_500_000,
        funding: Funding {
            cash: 2_500_000,
            bonus: 0,
        },
        balance: Some(balance),
        tombstone: false,
    };
    let settled = Settled {
        receipts: vec![receipt],
        replayed: false,
        current: Some(balance),
    };
    Answer::from((PlayerId::new("alice").unwrap(), Reply::Settled(settled)))
}

criterion_group!(benches, bets);
criterion_main!(benches);
