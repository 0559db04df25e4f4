//! Makes the scheduled things go wrong, each at its time.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    casino::Casino,
    scenario::{Fault, Planned},
};
use crate::error::{Error, Result};

/// How many of each kind were made.
pub type Made = BTreeMap<&'static str, u64>;

/// Carries a schedule out. Returns when its last fault is over, or at the first that could not be made.
pub async fn inflict(casino: &Rc<Casino>, schedule: Vec<Planned>, start: Instant) -> Result<Made> {
    let mut made = Made::new();
    let mut under_way: JoinSet<Result<()>> = JoinSet::new();
    for Planned { at_ms, fault } in schedule {
        sleep_until(start + Duration::from_millis(at_ms.into())).await;
        if let Some(kind) = kind(&fault) {
            *made.entry(kind).or_default() += 1;
        }
        // Some take their time. What they hit is locked until it is there again, so that it is never
        // killed while it is being started.
        let casino = casino.clone();
        under_way.spawn_local(async move { make(&casino, fault).await });
        while let Some(ended) = under_way.try_join_next() {
            joined(ended)?;
        }
    }
    while let Some(ended) = under_way.join_next().await {
        joined(ended)?;
    }
    Ok(made)
}

fn joined(ended: std::result::Result<Result<()>, tokio::task::JoinError>) -> Result<()> {
    ended.map_err(|error| Error::given(format!("a fault could not be made: {error}")))?
}

/// What it counts as; the end of something counts as nothing.
fn kind(fault: &Fault) -> Option<&'static str> {
    use super::scenario::Weather::{CutReplies, Fair, Slow};
    match fault {
        Fault::KillServer { .. } => Some("server killed"),
        Fault::CrashPostgres { .. } => Some("Postgres crashed"),
        Fault::KillNats {
            lose_store: false, ..
        } => Some("NATS killed"),
        Fault::KillNats {
            lose_store: true, ..
        } => Some("NATS store lost"),
        Fault::Weather {
            weather: Slow { .. },
            ..
        } => Some("line slow"),
        Fault::Weather {
            weather: CutReplies { .. },
            ..
        } => Some("line cut"),
        Fault::RefuseCommits { per_cent: 1.. } => Some("disk full"),
        Fault::Clock { offset_s, .. } if *offset_s != 0 => Some("clock moved"),
        Fault::Weather { weather: Fair, .. }
        | Fault::RefuseCommits { .. }
        | Fault::Clock { .. } => None,
    }
}

async fn make(casino: &Casino, fault: Fault) -> Result<()> {
    let ms = |down_ms: u32| Duration::from_millis(down_ms.into());
    match fault {
        Fault::KillServer { node, down_ms } => {
            let Some(node) = casino.nodes.get(node) else {
                return Ok(());
            };
            let mut node = node.lock().await;
            node.kill();
            tokio::time::sleep(ms(down_ms)).await;
            node.ready().await
        }
        Fault::CrashPostgres { down_ms } => casino.crash_postgres(ms(down_ms)).await,
        Fault::KillNats {
            down_ms,
            lose_store,
        } => casino.kill_nats(ms(down_ms), lose_store).await,
        Fault::Weather { line, weather } => {
            casino.set_weather(line, weather);
            Ok(())
        }
        Fault::RefuseCommits { per_cent } => {
            // Not while Postgres is away, or it could not be told.
            let _running = casino.postgres.lock().await;
            casino.refuse_commits(per_cent).await
        }
        Fault::Clock { node, offset_s } => match casino.nodes.get(node) {
            Some(node) => node.lock().await.set_clock(offset_s).await,
            None => Ok(()),
        },
    }
}
