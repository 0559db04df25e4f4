//! One key, one movement, for ever (INV-4); the fence; tombstones (INV-8).

use std::sync::Arc;

use pitboss_wallet::{
    Account, Decision, Policy, RefusalCode, TransactionScope, TransactionState, apply,
};

use super::{
    Checked, Subject,
    hand::{Hand, LIMITS, deposit, eur, new_id},
    holds, same, wrong,
};
use crate::ports::Committed;

pub(super) async fn a_repeated_key_is_stale_and_moves_nothing(subject: &dyn Subject) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "repeat", 1_000, Policy::default()).await?;
    let bet = table.bet("r-1", "r-1", 100);
    hand.accepted(&bet).await?;
    // As after a restart: the cache is empty, the version is right, the round is known.
    hand.reload().await?;
    for command in [
        &bet,
        &table.bet("r-1", "r-2", 100),
        &table.bet("r-1", "r-1", 5),
    ] {
        let again = hand.decision(command).await?;
        same("repeat", hand.commit(&again).await?, Committed::Stale)?;
        hand.reads_back("a repeat").await?;
    }
    let cash = hand.state.wallet(eur()).map(|wallet| wallet.cash);
    same("cash", cash, Some(900))
}

pub(super) async fn a_stale_version_is_refused_as_a_whole(subject: &dyn Subject) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "stale", 1_000, Policy::default()).await?;
    let late = hand.decision(&table.bet("s-2", "s-2", 100)).await?;
    hand.accepted(&table.bet("s-1", "s-1", 100)).await?;
    same("stale", hand.commit(&late).await?, Committed::Stale)?;
    hand.reads_back("a stale commit").await?;
    // Its key is still free, and its round does not exist.
    hand.accepted(&table.bet("s-2", "s-2", 100)).await?;
    hand.reads_back("the second try").await
}

pub(super) async fn a_round_that_should_be_new_and_is_not_is_stale(
    subject: &dyn Subject,
) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "new-round", 1_000, Policy::default()).await?;
    hand.accepted(&table.bet("n-1", "n-1", 100)).await?;
    hand.accepted(&table.close("n-1")).await?;
    hand.reload().await?;
    // A closed round is not loaded: the bet takes it for new.
    let bet = table.bet("n-2", "n-1", 100);
    let decision = hand.decision(&bet).await?;
    holds(
        "taken for new",
        decision.rounds.iter().all(|change| change.is_new),
    )?;
    same("commit", hand.commit(&decision).await?, Committed::Stale)?;
    hand.reads_back("a round taken for new").await
}

pub(super) async fn two_decisions_of_one_player_in_one_batch_are_one(
    subject: &dyn Subject,
) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "twice", 1_000, Policy::default()).await?;
    let one = hand.decision(&table.bet("t-1", "t-1", 100)).await?;
    let two = hand.decision(&table.bet("t-2", "t-2", 200)).await?;
    let answers = hand.writer.commit(&[one.clone(), two.clone()]).await?;
    let durable = |answer: &Committed| *answer == Committed::Durable;
    same("durable", answers.iter().filter(|a| durable(a)).count(), 1)?;
    let kept = if durable(&answers[0]) { one } else { two };
    apply(&mut hand.state, &kept, LIMITS);
    hand.reads_back("one of two").await
}

pub(super) async fn a_provider_wide_key_belongs_to_one_player(subject: &dyn Subject) -> Checked {
    let policy = Policy {
        transaction_scope: TransactionScope::Provider,
        ..Policy::default()
    };
    let (mut one, table) = Hand::seated(subject, "wide-1", 1_000, policy.clone()).await?;
    let (mut two, other) = Hand::seated(subject, "wide-2", 1_000, policy).await?;
    // In one batch.
    let first = one.decision(&table.bet("w-1", "w-1", 100)).await?;
    let second = two.decision(&other.bet("w-1", "w-1", 100)).await?;
    let answers = one.writer.commit(&[first.clone(), second.clone()]).await?;
    let durable = answers.iter().filter(|a| **a == Committed::Durable).count();
    same("durable", durable, 1)?;
    one.reload().await?;
    two.reload().await?;
    let cash = |hand: &Hand| hand.state.wallet(eur()).map_or(0, |wallet| wallet.cash);
    same("cash", cash(&one) + cash(&two), 1_900)?;
    // One after the other.
    one.accepted(&table.bet("w-2", "w-2", 100)).await?;
    let late = two.decision(&other.bet("w-2", "w-2", 100)).await?;
    same("late", two.commit(&late).await?, Committed::Stale)?;
    two.reads_back("somebody else's key").await?;
    match two.run(&other.bet("w-2", "w-2", 100)).await? {
        Err(refusal) => same("code", refusal.code, RefusalCode::TransactionMismatch)?,
        Ok(reply) => return Err(wrong(format!("accepted: {reply:?}"))),
    }
    // A deposit's reference is unique among all players.
    one.accepted(&deposit("w-deposit", 10)).await?;
    match two.run(&deposit("w-deposit", 10)).await? {
        Err(refusal) => same("code", refusal.code, RefusalCode::TransactionMismatch),
        Ok(reply) => Err(wrong(format!("accepted: {reply:?}"))),
    }
}

/// A decision that the wallet would never make: it takes the player's cash below zero.
fn overdrawn(decision: &Decision) -> Arc<Decision> {
    let mut bad = decision.clone();
    for change in &mut bad.balances {
        if change.account == Account::Cash {
            change.units = -1;
        }
    }
    for transaction in &mut bad.transactions {
        for posting in &mut transaction.postings {
            posting.balance_after = posting.balance_after.map(|_| -1);
        }
    }
    Arc::new(bad)
}

pub(super) async fn a_bad_entry_does_not_take_the_others_with_it(subject: &dyn Subject) -> Checked {
    let mut hands = Vec::new();
    let mut batch = Vec::new();
    for n in 0..9 {
        let name = format!("bad-{n}");
        let (hand, table) = Hand::seated(subject, &name, 1_000, Policy::default()).await?;
        let decision = hand.decision(&table.bet("b-1", "b-1", 100)).await?;
        batch.push(if n % 4 == 1 {
            overdrawn(&decision)
        } else {
            decision
        });
        hands.push(hand);
    }
    let answers = hands[0].writer.commit(&batch).await?;
    for (n, (hand, decision)) in hands.iter_mut().zip(&batch).enumerate() {
        if n % 4 == 1 {
            same("bad", answers[n], Committed::Stale)?;
        } else {
            same("good", answers[n], Committed::Durable)?;
            apply(&mut hand.state, decision, LIMITS);
        }
        hand.reads_back("a batch with bad entries").await?;
    }
    Ok(())
}

pub(super) async fn a_tombstoned_key_never_moves(subject: &dyn Subject) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "tomb", 1_000, Policy::default()).await?;
    // Both are decided on one version; the rollback comes first.
    let bet = hand.decision(&table.bet("x-1", "x-1", 100)).await?;
    hand.accepted(&table.rollback("x-rb", "x-1")).await?;
    same("stale bet", hand.commit(&bet).await?, Committed::Stale)?;
    hand.reload().await?;
    let bet = hand.decision(&table.bet("x-1", "x-1", 100)).await?;
    same("late bet", hand.commit(&bet).await?, Committed::Stale)?;
    let win = hand.decision(&table.rollback("x-rb-2", "x-2")).await?;
    let states: Vec<_> = win.transactions.iter().map(|t| t.state).collect();
    use TransactionState::{Applied, Tombstone};
    same(
        "rows of a tombstone",
        states,
        vec![Applied, Tombstone, Tombstone],
    )?;
    hand.reload().await?;
    match hand.run(&table.bet("x-1", "x-1", 100)).await? {
        Err(refusal) => same("code", refusal.code, RefusalCode::RolledBack)?,
        Ok(reply) => return Err(wrong(format!("accepted: {reply:?}"))),
    }
    let cash = hand.state.wallet(eur()).map(|wallet| wallet.cash);
    same("cash", cash, Some(1_000))
}

pub(super) async fn a_refusal_that_burned_its_id_is_kept(subject: &dyn Subject) -> Checked {
    let policy = Policy {
        refusal_burns_id: true,
        ..Policy::default()
    };
    let (mut hand, table) = Hand::seated(subject, "burn", 1_000, policy).await?;
    let bet = table.bet("f-1", "f-1", 1_001);
    let Err(first) = hand.run(&bet).await? else {
        return Err(wrong("accepted without the money"));
    };
    hand.reads_back("a burned id").await?;
    hand.accepted(&deposit(&format!("f-{}", new_id()), 1_000))
        .await?;
    hand.reload().await?;
    match hand.run(&bet).await? {
        Err(second) => same("refusal", second, first),
        Ok(reply) => Err(wrong(format!("accepted: {reply:?}"))),
    }
}
