//! Trimming: what is on the bus and past its time leaves the outbox, on the node that holds the lane.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

use super::BridgeLimits;
use crate::{metric, ports::Outbox};

/// Between two full batches, so that trimming never takes the database for itself.
const BREATH: Duration = Duration::from_millis(50);

/// Until told to stop.
pub(super) async fn run(
    outbox: Arc<dyn Outbox>,
    owner: Uuid,
    limits: BridgeLimits,
    environment: &'static str,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = limits.trim_every;
    while timeout(pause, stop.wait_for(|stop| *stop)).await.is_err() {
        let trimmed = outbox.trim(owner, limits.retention, limits.trim_batch_max);
        pause = match trimmed.await {
            Ok(trimmed) => {
                let decisions = u64::try_from(trimmed.decisions).unwrap_or(0);
                metrics::counter!(metric::TRIMMED, "environment" => environment)
                    .increment(decisions);
                if trimmed.more {
                    BREATH
                } else {
                    limits.trim_every
                }
            }
            Err(error) => {
                tracing::warn!(environment, %error, "the outbox was not trimmed");
                limits.trim_every
            }
        };
    }
}
