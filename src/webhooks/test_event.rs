//! What an operator sends himself to see whether an endpoint works. It is about nothing and nobody.

use pitboss_wallet::{EVENT_VERSION, Environment, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// The type of a test event. No stream and no filter has it.
pub const TEST_EVENT: &str = "webhook.test";

/// Sent on demand to one endpoint, to try it out: nothing has happened.
#[derive(Serialize, JsonSchema)]
pub struct TestEvent {
    pub id: Uuid,
    /// Always `webhook.test`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub version: u16,
    pub time: Timestamp,
    pub environment: Environment,
}

impl TestEvent {
    #[must_use]
    pub fn new(id: Uuid, time: Timestamp, environment: Environment) -> Self {
        Self {
            id,
            kind: TEST_EVENT,
            version: EVENT_VERSION,
            time,
            environment,
        }
    }
}
