//! The ports `Outbox` and `Housekeeping`.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use pitboss_actors::ports::{
    Backlog, Families, FoundStream, Housekeeping, LaneLease, Outbox, OutboxEvent, OverdueRound,
    PortError, Retention, Settled, Trimmed,
};
use pitboss_wallet::{Decision, GameId, Origin, PlayerId, Policy, ProviderId, RoundId, Timestamp};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    Store, StoreError,
    document::{id, parse},
    moment::Moment,
    store::get,
};

#[async_trait]
impl Outbox for Store {
    async fn claim(&self, owner: Uuid, lease: Duration) -> Result<Vec<LaneLease>, PortError> {
        let sql = include_str!("../queries/claim_lanes.sql");
        let rows = self
            .rows("claim lanes", sql, &[&owner, &micros(lease)])
            .await?;
        let lane = |row: &Row| {
            Ok(LaneLease {
                lane: u16::try_from(get::<i16>(row, "lane")?).map_err(StoreError::corrupt)?,
                epoch: get(row, "epoch")?,
                published: get(row, "published")?,
                newest: get(row, "newest")?,
                acknowledged: parse(get(row, "acknowledged")?)?,
                held: parse(get(row, "held")?)?,
            })
        };
        let lanes: Result<Vec<LaneLease>, StoreError> = rows.iter().map(lane).collect();
        let lanes = lanes?;
        let held = lanes.iter().filter_map(|lease| lease.lane.try_into().ok());
        self.fresh().keep_only(held);
        Ok(lanes)
    }

    async fn release(&self, owner: Uuid) -> Result<(), PortError> {
        let sql = include_str!("../queries/release_lanes.sql");
        self.execute("release lanes", sql, &[&owner]).await?;
        self.fresh().keep_only([]);
        Ok(())
    }

    async fn read(
        &self,
        lane: u16,
        after: i64,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, PortError> {
        let lane = i16::try_from(lane).map_err(StoreError::corrupt)?;
        if let Some((first, decisions)) = self.fresh().after(lane, after, limit) {
            return Ok(fresh_events(first, &decisions));
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = include_str!("../queries/read_outbox.sql");
        let rows = self
            .rows("read the outbox", sql, &[&lane, &after, &limit])
            .await?;
        let mut events = Vec::with_capacity(2 * rows.len());
        for row in &rows {
            unpack(row, &mut events)?;
        }
        Ok(events)
    }

    async fn checkpoint(
        &self,
        lane: u16,
        epoch: i64,
        published: i64,
        acknowledged: &Families,
    ) -> Result<bool, PortError> {
        let lane = i16::try_from(lane).map_err(StoreError::corrupt)?;
        let acknowledged = serde_json::to_string(acknowledged).map_err(StoreError::corrupt)?;
        let sql = include_str!("../queries/checkpoint_lane.sql");
        let moved = self
            .row(
                "move a checkpoint",
                sql,
                &[&lane, &epoch, &published, &acknowledged],
            )
            .await?;
        Ok(moved.is_some())
    }

    async fn settle(&self, found: &[FoundStream]) -> Result<Settled, PortError> {
        let families: Vec<&str> = found.iter().map(|stream| stream.family.as_str()).collect();
        let made_at: Vec<Option<&str>> = found
            .iter()
            .map(|stream| stream.made_at.as_deref())
            .collect();
        let newest: Vec<i64> = found.iter().map(|stream| stream.newest).collect();
        let sql = include_str!("../queries/settle_bus.sql");
        let row = self
            .row_under_lock(
                "settle with the bus",
                LOCK_LANES,
                sql,
                &[&families, &made_at, &newest],
            )
            .await?;
        let set_back = get(&row, "set_back")?;
        Ok(Settled {
            // A stream that never had anything of ours can lose nothing.
            lost: if set_back > 0 {
                get(&row, "lost")?
            } else {
                Vec::new()
            },
            set_back,
        })
    }

    async fn trim(
        &self,
        owner: Uuid,
        retention: Retention,
        limit: usize,
    ) -> Result<Trimmed, PortError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (keep, hold) = (micros(retention.keep), micros(retention.hold));
        let sql = include_str!("../queries/trim_outbox.sql");
        let row = self
            .row("trim the outbox", sql, &[&owner, &keep, &hold, &limit])
            .await?;
        let Some(row) = row else {
            return Ok(Trimmed::default());
        };
        Ok(Trimmed {
            decisions: get(&row, "decisions")?,
            more: get(&row, "more")?,
        })
    }

    async fn backlog(&self) -> Result<Backlog, PortError> {
        let sql = include_str!("../queries/outbox_backlog.sql");
        let Some(row) = self.row("measure the outbox", sql, &[]).await? else {
            return Ok(Backlog::default());
        };
        // An event's time is its node's: a clock that is ahead makes an age below zero.
        let age = |column| {
            let age_us = u64::try_from(get::<i64>(&row, column)?).unwrap_or(0);
            Ok::<_, StoreError>(Duration::from_micros(age_us))
        };
        Ok(Backlog {
            events: get(&row, "events")?,
            oldest_age: age("age_us")?,
            kept: get(&row, "kept")?,
            kept_age: age("kept_age_us")?,
        })
    }
}

const LOCK_LANES: &str = include_str!("../queries/lock_lanes.sql");

/// What a replay by hand led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// How many decisions are to be published again.
    pub set_back: i64,
    /// Whether a server holds the lanes, and will do it.
    pub is_served: bool,
}

impl Store {
    /// Sets every lane back, to the events of a moment and after it or to the oldest that are kept: whoever holds the
    /// lanes publishes them again.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn replay(&self, since: Option<Timestamp>) -> Result<Replay, StoreError> {
        let sql = include_str!("../queries/replay_lanes.sql");
        let since = since.map(Moment);
        let row = self
            .row_under_lock("set the lanes back", LOCK_LANES, sql, &[&since])
            .await?;
        Ok(Replay {
            set_back: get(&row, "set_back")?,
            is_served: get(&row, "is_served")?,
        })
    }
}

/// The events of decisions with lane numbers from `first`.
fn fresh_events(first: i64, decisions: &[Arc<Decision>]) -> Vec<OutboxEvent> {
    let numbered = (first..).zip(decisions);
    numbered
        .flat_map(|(lane_seq, decision)| {
            decision
                .events
                .iter()
                .map(move |event| OutboxEvent::of(lane_seq, &decision.player, event))
        })
        .collect()
}

/// The events of a decision.
fn unpack(row: &Row, events: &mut Vec<OutboxEvent>) -> Result<(), StoreError> {
    let lane_seq = get(row, "lane_seq")?;
    let player = match get::<&str>(row, "player_id")? {
        "" => None,
        player => Some(id(PlayerId::new(player))?),
    };
    let ids: Vec<Uuid> = get(row, "ids")?;
    let types: Vec<String> = get(row, "types")?;
    let bodies: Vec<String> = get(row, "bodies")?;
    for ((id, subject), body) in ids.into_iter().zip(types).zip(bodies) {
        events.push(OutboxEvent {
            lane_seq,
            id,
            player: player.clone(),
            subject: subject.into(),
            body: body.into(),
        });
    }
    Ok(())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[async_trait]
impl Housekeeping for Store {
    async fn overdue_rounds(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OverdueRound>, PortError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = include_str!("../queries/overdue_rounds.sql");
        let rows = self
            .rows("look for overdue rounds", sql, &[&Moment(now), &limit])
            .await?;
        let rounds: Result<_, StoreError> = rows.iter().map(overdue).collect();
        Ok(rounds?)
    }

    async fn players_with_due_sessions(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<PlayerId>, PortError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = include_str!("../queries/due_sessions.sql");
        let what = "look for sessions whose time is over";
        let rows = self.rows(what, sql, &[&Moment(now), &limit]).await?;
        let player = |row: &Row| id(PlayerId::new(get::<&str>(row, "player_id")?));
        let players: Result<_, StoreError> = rows.iter().map(player).collect();
        Ok(players?)
    }
}

fn overdue(row: &Row) -> Result<OverdueRound, StoreError> {
    Ok(OverdueRound {
        player: id(PlayerId::new(get::<&str>(row, "player_id")?))?,
        origin: Origin {
            provider: id(ProviderId::new(get::<&str>(row, "provider_id")?))?,
            policy: Arc::new(parse::<Policy>(get(row, "policy")?)?),
        },
        game: id(GameId::new(get::<&str>(row, "game_id")?))?,
        round: id(RoundId::new(get::<&str>(row, "round_id")?))?,
    })
}
