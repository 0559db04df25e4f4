//! The ports `Outbox` and `Housekeeping`.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use pitboss_actors::ports::{
    Backlog, Housekeeping, LaneLease, Outbox, OutboxEvent, OverdueRound, PortError,
};
use pitboss_wallet::{GameId, Origin, PlayerId, Policy, ProviderId, RoundId, Timestamp};
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
        let lease_us = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
        let sql = include_str!("../queries/claim_lanes.sql");
        let rows = self.rows("claim lanes", sql, &[&owner, &lease_us]).await?;
        let lane = |row: &Row| {
            Ok(LaneLease {
                lane: u16::try_from(get::<i16>(row, "lane")?).map_err(StoreError::corrupt)?,
                epoch: get(row, "epoch")?,
                published: get(row, "published")?,
                newest: get(row, "newest")?,
            })
        };
        let lanes: Result<_, StoreError> = rows.iter().map(lane).collect();
        Ok(lanes?)
    }

    async fn release(&self, owner: Uuid) -> Result<(), PortError> {
        let sql = include_str!("../queries/release_lanes.sql");
        self.execute("release lanes", sql, &[&owner]).await?;
        Ok(())
    }

    async fn read(
        &self,
        lane: u16,
        after: i64,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, PortError> {
        let lane = i16::try_from(lane).map_err(StoreError::corrupt)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = include_str!("../queries/read_outbox.sql");
        let rows = self
            .rows("read the outbox", sql, &[&lane, &after, &limit])
            .await?;
        let event = |row: &Row| {
            Ok(OutboxEvent {
                lane_seq: get(row, "lane_seq")?,
                id: get(row, "id")?,
                player: id(PlayerId::new(get::<&str>(row, "player_id")?))?,
                subject: get(row, "type")?,
                body: get(row, "body")?,
            })
        };
        let events: Result<_, StoreError> = rows.iter().map(event).collect();
        Ok(events?)
    }

    async fn checkpoint(&self, lane: u16, epoch: i64, published: i64) -> Result<bool, PortError> {
        let lane = i16::try_from(lane).map_err(StoreError::corrupt)?;
        let sql = include_str!("../queries/checkpoint_lane.sql");
        let moved = self
            .execute("move a checkpoint", sql, &[&lane, &epoch, &published])
            .await?;
        Ok(moved == 1)
    }

    async fn backlog(&self) -> Result<Backlog, PortError> {
        let sql = include_str!("../queries/outbox_backlog.sql");
        let Some(row) = self.row("measure the outbox", sql, &[]).await? else {
            return Ok(Backlog::default());
        };
        // An event's time is its node's: a clock that is ahead makes an age below zero.
        let age_us = u64::try_from(get::<i64>(&row, "age_us")?).unwrap_or(0);
        Ok(Backlog {
            events: get(&row, "events")?,
            oldest_age: Duration::from_micros(age_us),
        })
    }
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
