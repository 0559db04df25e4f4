//! A new connection to the bus: before anything is published on it, what the bus has is compared with what it
//! acknowledged, and what it lost is set back to be published again.

use std::sync::Arc;

use crate::{
    metric,
    ports::{Bus, BusSession, FoundStream, Outbox, PortError},
};

/// Connects and settles. Streams that are missing are made last: until then nobody's late batch can get into one
/// before what belongs in front of it.
pub(super) async fn connect(
    outbox: &dyn Outbox,
    bus: &dyn Bus,
    environment: &'static str,
) -> Result<Arc<dyn BusSession>, PortError> {
    let session = bus.connect().await?;
    let found = session.streams();
    settle(outbox, &found, environment).await?;
    let made = session.make_streams().await?;
    if made != found {
        settle(outbox, &made, environment).await?;
    }
    Ok(session)
}

async fn settle(
    outbox: &dyn Outbox,
    streams: &[FoundStream],
    environment: &'static str,
) -> Result<(), PortError> {
    let settled = outbox.settle(streams).await?;
    if settled.set_back > 0 {
        metrics::counter!(metric::REWINDS, "environment" => environment).increment(1);
        tracing::warn!(
            environment,
            lost = settled.lost.join(", "),
            decisions = settled.set_back,
            "the bus lost events: they are published again from the outbox"
        );
    }
    Ok(())
}
