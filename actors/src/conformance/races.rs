//! Several owners of one player: slow, and safe.

use futures_util::future::try_join_all;
use pitboss_wallet::{Policy, RefusalCode};

use super::{
    Checked, Failure, Subject,
    hand::{Hand, deposit, eur},
    same, wrong,
};

const ROUNDS: i64 = 30;

pub(super) async fn two_owners_of_one_player_lose_nothing(subject: &dyn Subject) -> Checked {
    let (first, table) = Hand::seated(subject, "race", 1_000_000, Policy::default()).await?;
    let mut owners = vec![first];
    for _ in 0..2 {
        owners.push(Hand::of(subject, "race").await?);
    }
    let plays = owners.iter_mut().enumerate().map(|(owner, hand)| {
        let table = table.clone();
        async move {
            for n in 0..ROUNDS {
                let id = format!("o{owner}-{n}");
                hand.accepted(&table.bet(&id, &id, 100)).await?;
                hand.accepted(&table.win(&id, &id, 30)).await?;
            }
            Ok::<_, Failure>(())
        }
    });
    try_join_all(plays).await?;
    let mut hand = Hand::of(subject, "race").await?;
    let cash = hand.state.wallet(eur()).map(|wallet| wallet.cash);
    same("cash", cash, Some(1_000_000 - 3 * ROUNDS * 70))?;
    let held = hand.state.wallet(eur()).map(|wallet| wallet.held);
    same("held", held, Some(3 * ROUNDS * 100))?;
    same(
        "transactions",
        hand.state.last_transaction,
        1 + 3 * ROUNDS * 2,
    )?;
    hand.accepted(&table.bet("after", "after", 1)).await
}

pub(super) async fn two_owners_with_the_same_requests_apply_each_once(
    subject: &dyn Subject,
) -> Checked {
    let (first, table) = Hand::seated(subject, "dup", 100_000, Policy::default()).await?;
    let mut owners = [first, Hand::of(subject, "dup").await?];
    let plays = owners.iter_mut().map(|hand| {
        let table = table.clone();
        async move {
            for n in 0..ROUNDS {
                let id = format!("d-{n}");
                hand.accepted(&table.bet(&id, &id, 100)).await?;
                hand.accepted(&deposit(&format!("dup-{n}"), 10)).await?;
                // Whoever comes second is told what the first one was told.
                let other = table.bet(&id, &id, 101);
                match hand.run(&other).await? {
                    Err(refusal) => same("code", refusal.code, RefusalCode::TransactionMismatch)?,
                    Ok(reply) => return Err(wrong(format!("accepted: {reply:?}"))),
                }
            }
            Ok::<_, Failure>(())
        }
    });
    try_join_all(plays).await?;
    let hand = Hand::of(subject, "dup").await?;
    let cash = hand.state.wallet(eur()).map(|wallet| wallet.cash);
    same("cash", cash, Some(100_000 - ROUNDS * 90))?;
    same("transactions", hand.state.last_transaction, 1 + ROUNDS * 2)
}
