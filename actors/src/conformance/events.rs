//! Events: gap-free per player, contiguous per lane, published by one holder at a time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use pitboss_wallet::{Policy, apply};

use super::{
    Checked, Failure, Subject,
    hand::{Hand, LIMITS, Table, deposit, eur, new_id, now, origin},
    holds, same, wrong,
};
use crate::ports::{Committed, Families, FoundStream, LaneLease, Outbox, OutboxEvent};

/// The `seq` inside an envelope.
fn seq(body: &str) -> Option<i64> {
    serde_json::from_str::<serde_json::Value>(body)
        .ok()?
        .get("seq")?
        .as_i64()
}

pub(super) async fn events_of_a_player_are_gap_free_and_in_order(subject: &dyn Subject) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "stream", 1_000, Policy::default()).await?;
    for n in 0..10 {
        let id = format!("e-{n}");
        hand.accepted(&table.bet(&id, &id, 1)).await?;
    }
    let id = hand.state.id.clone();
    let newest = hand.state.last_event;
    let all = hand.ledger.events(&id, 0, newest, 1_000).await?;
    let numbers: Vec<i64> = all.iter().map(|event| event.seq).collect();
    same("numbers", numbers, (1..=newest).collect())?;
    for event in &all {
        same("envelope", seq(&event.body), Some(event.seq))?;
    }
    let some = hand.ledger.events(&id, 3, 9, 4).await?;
    same("a part", some, all[3..7].to_vec())?;
    let rest = hand.ledger.events(&id, newest, newest + 5, 4).await?;
    same("the rest", rest, Vec::new())
}

/// Everything in a lane, read in pages.
async fn lane_events(outbox: &Arc<dyn Outbox>, lane: u16) -> Result<Vec<OutboxEvent>, Failure> {
    let mut all: Vec<OutboxEvent> = Vec::new();
    loop {
        let after = all.last().map_or(0, |event| event.lane_seq);
        let page = outbox.read(lane, after, 50).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

pub(super) async fn lanes_are_contiguous_and_in_player_order_under_concurrent_writers(
    subject: &dyn Subject,
) -> Checked {
    let mut groups = Vec::new();
    for group in 0..4 {
        let mut hands = Vec::new();
        for n in 0..4 {
            let name = format!("lane-{group}-{n}");
            hands.push(Hand::seated(subject, &name, 10_000, Policy::default()).await?);
        }
        groups.push(hands);
    }
    // Four writers at once, each with batches of four players on any lanes.
    let writing = groups.iter_mut().map(|hands| write_batches(hands));
    try_join_all(writing).await?;
    let outbox = subject.outbox();
    let owner = new_id();
    let lanes = outbox.claim(owner, Duration::from_secs(60)).await?;
    outbox.release(owner).await?;
    let mut newest: HashMap<String, i64> = HashMap::new();
    for lane in lanes {
        let events = lane_events(&outbox, lane.lane).await?;
        // The events of one decision may share a number.
        let mut numbers: Vec<i64> = events.iter().map(|event| event.lane_seq).collect();
        numbers.dedup();
        same("lane numbers", numbers, (1..=lane.newest).collect())?;
        for event in events {
            let seq = seq(&event.body).ok_or_else(|| wrong("an envelope without seq"))?;
            let player = event.player.ok_or_else(|| wrong("an event of nobody"))?;
            let before = newest.insert(player.as_str().to_owned(), seq);
            same("order of a player", seq, before.unwrap_or(0) + 1)?;
        }
    }
    for (hand, _) in groups.iter().flatten() {
        let last = newest.get(hand.state.id.as_str()).copied();
        same("all events", last, Some(hand.state.last_event))?;
    }
    Ok(())
}

async fn write_batches(hands: &mut [(Hand, Table)]) -> Checked {
    for n in 0..20 {
        let mut batch = Vec::new();
        for (hand, table) in hands.iter() {
            let id = format!("l-{n}");
            batch.push(hand.decision(&table.bet(&id, &id, 1)).await?);
        }
        let Some((first, _)) = hands.first_mut() else {
            return Ok(());
        };
        let answers = first.writer.commit(&batch).await?;
        same("answers", answers, vec![Committed::Durable; batch.len()])?;
        for ((hand, _), decision) in hands.iter_mut().zip(&batch) {
            apply(&mut hand.state, decision, LIMITS);
        }
    }
    Ok(())
}

pub(super) async fn only_the_holder_of_a_lane_moves_its_checkpoint(
    subject: &dyn Subject,
) -> Checked {
    let mut hand = Hand::of_new(subject, "checkpoint").await?;
    hand.accepted(&pitboss_wallet::Command::OpenAccount(eur()))
        .await?;
    hand.accepted(&deposit("c-1", 5)).await?;
    let outbox = subject.outbox();
    let (one, two) = (new_id(), new_id());
    let lease = Duration::from_millis(300);
    let held = outbox.claim(one, lease).await?;
    holds("lanes", !held.is_empty())?;
    same(
        "nothing is left",
        outbox.claim(two, lease).await?,
        Vec::new(),
    )?;
    let again = outbox.claim(one, lease).await?;
    same("a renewal keeps the epoch", &again, &held)?;
    let mine = held
        .iter()
        .find(|lane| lane.lane == hand.state.lane)
        .ok_or_else(|| wrong("the player's lane is not there"))?;
    let before = outbox.backlog().await?.events;
    holds(
        "the holder moves it",
        outbox
            .checkpoint(
                mine.lane,
                mine.epoch,
                mine.published + 2,
                &mine.acknowledged,
            )
            .await?,
    )?;
    let backlog = outbox.backlog().await?.events;
    same("backlog", backlog, before - 2)?;

    tokio::time::sleep(lease + Duration::from_millis(100)).await;
    let taken = outbox.claim(two, Duration::from_secs(60)).await?;
    same("all are taken over", taken.len(), held.len())?;
    for (old, new) in held.iter().zip(&taken) {
        holds("the epoch is raised", new.epoch > old.epoch)?;
    }
    holds(
        "an old holder is refused",
        !outbox
            .checkpoint(mine.lane, mine.epoch, mine.newest, &mine.acknowledged)
            .await?,
    )?;
    same("backlog", outbox.backlog().await?.events, backlog)?;
    let published = taken.iter().find(|lane| lane.lane == mine.lane);
    let published = published.map(|lane| lane.published);
    same("checkpoint", published, Some(mine.published + 2))?;
    outbox.release(two).await?;
    let back = outbox.claim(one, lease).await?;
    same("released lanes are free", back.len(), held.len())?;
    outbox.release(one).await?;
    Ok(())
}

fn found(family: &str, made_at: &str, newest: i64) -> FoundStream {
    FoundStream {
        family: family.to_owned(),
        made_at: (!made_at.is_empty()).then(|| made_at.to_owned()),
        newest,
    }
}

/// The lane of a player, claimed anew.
async fn lane_of(
    outbox: &Arc<dyn Outbox>,
    owner: uuid::Uuid,
    lane: u16,
) -> Result<LaneLease, Failure> {
    let held = outbox.claim(owner, Duration::from_secs(60)).await?;
    let lease = held.into_iter().find(|lease| lease.lane == lane);
    lease.ok_or_else(|| wrong("the player's lane is not there"))
}

pub(super) async fn a_bus_that_lost_something_sets_back_every_lane_that_had_it_there(
    subject: &dyn Subject,
) -> Checked {
    let mut hand = Hand::of_new(subject, "settle").await?;
    hand.accepted(&pitboss_wallet::Command::OpenAccount(eur()))
        .await?;
    let outbox = subject.outbox();
    let (owner, lane) = (new_id(), hand.state.lane);
    let whole = [found("one", "monday", 9), found("two", "monday", 9)];
    outbox.settle(&whole).await?;
    let before = lane_of(&outbox, owner, lane).await?;
    let acknowledged: Families = [("one".to_owned(), 9), ("two".to_owned(), 7)].into();
    let newest = before.newest;
    let checkpoint = outbox.checkpoint(lane, before.epoch, newest, &acknowledged);
    holds("the holder moves it", checkpoint.await?)?;

    let settled = outbox.settle(&whole).await?;
    same("nothing is lost", settled.set_back, 0)?;
    let same_lane = lane_of(&outbox, owner, lane).await?;
    same("and nobody fenced", same_lane.epoch, before.epoch)?;
    same("numbers", same_lane.acknowledged.get("one"), Some(&9))?;

    // The first stream lost its end, behind what the second has.
    let shorter = [found("one", "monday", 8), found("two", "monday", 9)];
    let settled = outbox.settle(&shorter).await?;
    same("what is lost", settled.lost, vec!["one".to_owned()])?;
    let back = lane_of(&outbox, owner, lane).await?;
    holds("it is set back", back.published < newest)?;
    holds("by as much", settled.set_back >= newest - back.published)?;
    holds("the epoch is raised", back.epoch > before.epoch)?;
    same("the other is held", back.held.get("two"), Some(&newest))?;
    let one = back.held.get("one").copied();
    same("the one is not", one, Some(back.published))?;
    let late = outbox.checkpoint(lane, before.epoch, newest, &acknowledged);
    holds("a late checkpoint is refused", !late.await?)?;

    // Published again; then the second stream is another one, and so twice in a row before anything is published.
    let checkpoint = outbox.checkpoint(lane, back.epoch, newest, &acknowledged);
    holds("the holder moves it again", checkpoint.await?)?;
    let gone = [found("one", "monday", 9), found("two", "", 0)];
    let settled = outbox.settle(&gone).await?;
    same("the other is lost", settled.lost, vec!["two".to_owned()])?;
    let again = [found("one", "monday", 9), found("two", "tuesday", 0)];
    same("once is enough", outbox.settle(&again).await?.set_back, 0)?;
    let back = lane_of(&outbox, owner, lane).await?;
    holds("it is set back again", back.published < newest)?;
    same("the first is held", back.held.get("one"), Some(&newest))?;
    let checkpoint = outbox.checkpoint(lane, back.epoch, newest, &acknowledged);
    holds("all is published", checkpoint.await?)?;
    outbox.release(owner).await?;
    Ok(())
}

pub(super) async fn overdue_rounds_are_found_by_their_last_movement(
    subject: &dyn Subject,
) -> Checked {
    let policy = Policy {
        auto_close_after_s: Some(60),
        ..Policy::default()
    };
    let origin = origin(policy.clone());
    subject.put_provider(&origin).await?;
    let housekeeping = subject.housekeeping();
    // Earlier cases left rounds open: they are older than anything here.
    let (mut hand, table) = Hand::seated(subject, "sweep", 1_000, policy).await?;
    for round in ["o-1", "o-2", "o-3"] {
        hand.accepted(&table.bet(round, round, 1)).await?;
    }
    hand.accepted(&table.close("o-2")).await?;
    hand.accepted(&table.bet("o-4", "o-1", 1)).await?;
    let at = now();
    let found = async |at| {
        let all = housekeeping.overdue_rounds(at, 10_000).await?;
        let mine = all
            .into_iter()
            .filter(|round| round.player == hand.state.id);
        let names = mine.map(|round| round.round.as_str().to_owned());
        Ok::<Vec<String>, Failure>(names.collect())
    };
    same("too early", found(at).await?, Vec::new())?;
    let late = found(at.plus_seconds(120)).await?;
    same(
        "oldest movement first",
        late,
        vec!["o-3".to_owned(), "o-1".to_owned()],
    )?;
    let first = housekeeping.overdue_rounds(at.plus_seconds(120), 1).await?;
    same("limit", first.len(), 1)?;
    let policy = first.first().map(|round| round.origin.policy.clone());
    same("policy", policy, Some(origin.policy))
}
