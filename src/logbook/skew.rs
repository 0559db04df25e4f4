//! How far this server's clock is from its database's.

use pitboss_schema::{AuditAction, StoreError};
use pitboss_wallet::Timestamp;
use serde_json::json;

use super::note;
use crate::world::World;

/// Whether the clocks were apart at the last look: an entry is written when they come to be.
#[derive(Default)]
pub(super) struct Skew {
    is_apart: bool,
}

impl Skew {
    pub async fn look(&mut self, world: &World) -> Result<(), StoreError> {
        let before = world.clock.now();
        let there = world.store.clock().await?;
        let after = world.clock.now();
        let skew_us = apart(before, there, after);
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("pitboss_clock_skew_seconds", "environment" => world.environment.as_str())
            .set(skew_us as f64 / 1e6);
        let most = 1000 * world.config.audit.clock_skew_max_ms;
        if self.begins(skew_us, most) {
            tracing::error!(environment = %world.environment, skew_us, "the clocks of this server and of the database are apart");
            let detail = json!({ "skew_us": skew_us, "allowed_us": most });
            world
                .store
                .note(&note(world, AuditAction::ClockSkewed, detail))
                .await?;
        }
        Ok(())
    }

    fn begins(&mut self, skew_us: i64, most: i64) -> bool {
        let was_apart = std::mem::replace(&mut self.is_apart, skew_us.abs() > most);
        self.is_apart && !was_apart
    }
}

/// How far the database is ahead, at least: it answered at some time between the two looks.
fn apart(before: Timestamp, there: Timestamp, after: Timestamp) -> i64 {
    let (before, there, after) = (before.as_micros(), there.as_micros(), after.as_micros());
    if there < before {
        there - before
    } else {
        (there - after).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_answer_took_is_no_skew() {
        let at = Timestamp::from_micros;
        assert_eq!(apart(at(100), at(150), at(200)), 0);
        assert_eq!(apart(at(100), at(230), at(200)), 30);
        assert_eq!(apart(at(100), at(60), at(200)), -40);
    }

    #[test]
    fn it_is_told_when_it_begins() {
        let mut skew = Skew::default();
        let told: Vec<bool> = [0, 11, 12, -30, 10, 0, -11]
            .into_iter()
            .map(|skew_us| skew.begins(skew_us, 10))
            .collect();
        assert_eq!(told, [false, true, false, false, false, false, true]);
    }
}
