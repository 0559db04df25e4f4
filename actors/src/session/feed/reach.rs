//! How a feed reaches its player and the ledger: subscribing, resuming, reading what is missing.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    task::Poll,
    time::Duration,
};

use bytestring::ByteString;
use tokio::time::Instant;
use uuid::Uuid;

use super::Feed;
use crate::{
    ports::{PlayerEvent, PortError},
    session::{
        close::CloseCode,
        message::{self, Resume},
    },
    stream::Snapshot,
};

const FIRST_PAUSE: Duration = Duration::from_millis(50);

impl Feed {
    /// Subscribes, and greets a client that was not greeted yet.
    pub(super) async fn subscribe(&mut self) -> Result<Option<ByteString>, CloseCode> {
        let snapshot = self.reach().await?;
        self.progress.subscribed_at = Some(Instant::now());
        if self.progress.greeted {
            if snapshot.seq < self.progress.last {
                // Committed events are gone, so the database is another one by now. The client comes back
                // with an epoch and a position that tell, and gets a new snapshot.
                tracing::warn!(
                    seq = snapshot.seq,
                    last = self.progress.last,
                    "a player's events went back"
                );
                return Err(CloseCode::Internal);
            }
            self.progress.known = self.progress.known.max(snapshot.seq);
            return Ok(None);
        }
        let resume = self.resume.take();
        let id = resume.as_ref().and_then(|resume| resume.id.as_ref());
        let recovered = match &resume {
            None => None,
            Some(resume) => Some(self.recover(resume, snapshot.seq).await?),
        };
        if let Some(recovered) = recovered {
            metrics::counter!(
                "pitboss_session_resumes_total",
                "environment" => self.ports.environment.as_str(),
                "recovered" => if recovered { "true" } else { "false" }
            )
            .increment(1);
        }
        self.progress.greeted = true;
        self.progress.known = snapshot.seq;
        if recovered == Some(true) {
            return Ok(Some(message::resumed(
                snapshot.seq,
                self.ports.incarnation,
                id,
            )));
        }
        self.pass(snapshot.seq);
        Ok(Some(message::snapshot(
            &snapshot,
            self.ports.incarnation,
            recovered,
            id,
        )))
    }

    /// Whether all events after the client's position can be given. Never a part: if not, none.
    async fn recover(&mut self, resume: &Resume, seq: i64) -> Result<bool, CloseCode> {
        let same_epoch = resume.epoch.as_ref().is_none_or(|epoch| {
            Uuid::try_parse(epoch).is_ok_and(|epoch| epoch == self.ports.incarnation)
        });
        let missed = seq.saturating_sub(resume.after);
        if !same_epoch || resume.after < 0 || missed < 0 || missed > self.limits().resume_max {
            return Ok(false);
        }
        if missed > 0 {
            // Events are kept from some moment on: if the first is still there, all are.
            let page = self.read(resume.after, seq).await?;
            if page.front().map(|event| event.seq) != Some(resume.after + 1) {
                return Ok(false);
            }
            self.progress.page = page;
        }
        self.progress.last = resume.after;
        self.outbound.set_passed(resume.after);
        Ok(true)
    }

    /// Subscribes; tries again, with pauses, before it gives up.
    async fn reach(&mut self) -> Result<Snapshot, CloseCode> {
        loop {
            if self.progress.failures > self.limits().subscribe_retries {
                return Err(CloseCode::Internal);
            }
            if self.progress.failures > 0 {
                let pause = FIRST_PAUSE * (1 << self.progress.failures.min(6));
                self.or_close(tokio::time::sleep(pause)).await?;
            }
            let source = self.ports.source.clone();
            let player = self.player.clone();
            let sink = self.outbound.sink();
            let subscribing = async move { source.subscribe(&player, sink).await };
            match self.in_time(subscribing).await? {
                Ok(snapshot) => return Ok(snapshot),
                Err(error) => {
                    tracing::warn!(%error, "a session could not subscribe to its player");
                    self.progress.failures += 1;
                }
            }
        }
    }

    /// Reads the next page of what is known to be in the ledger and was not given out.
    pub(super) async fn fetch(&mut self) -> Result<(), CloseCode> {
        let page = self.read(self.progress.last, self.progress.known).await?;
        let gapless = page
            .iter()
            .zip(self.progress.last + 1..)
            .all(|(event, seq)| event.seq == seq);
        if page.is_empty() || !gapless {
            tracing::warn!(
                after = self.progress.last,
                up_to = self.progress.known,
                "the ledger does not have all events of a player"
            );
            return Err(CloseCode::Internal);
        }
        self.progress.page = page;
        Ok(())
    }

    async fn read(&self, after: i64, up_to: i64) -> Result<VecDeque<PlayerEvent>, CloseCode> {
        let (ledger, player) = (self.ports.ledger.clone(), self.player.clone());
        let limit = self.limits().replay_page;
        let reading = async move { ledger.events(&player, after, up_to, limit).await };
        match self.in_time(reading).await? {
            Ok(page) => Ok(page.into()),
            Err(error) => {
                tracing::warn!(%error, "a session could not read its player's events");
                Err(CloseCode::Internal)
            }
        }
    }

    /// With a deadline, whose passing is an error like the port's own. In a task of its own: a session whose
    /// client stops reading is not polled, and must not hold a database connection meanwhile.
    async fn in_time<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, PortError>> + Send + 'static,
    ) -> Result<Result<T, PortError>, CloseCode> {
        let working = tokio::spawn(tokio::time::timeout(self.limits().port_timeout, work));
        Ok(match self.or_close(working).await? {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(PortError("no answer in time".to_owned())),
            Err(error) => Err(PortError(error.to_string())),
        })
    }

    /// Gives up as soon as the session is to close.
    async fn or_close<T>(&self, work: impl Future<Output = T>) -> Result<T, CloseCode> {
        let mut work = std::pin::pin!(work);
        poll_fn(|cx| match self.outbound.poll_close(cx) {
            Poll::Ready(code) => Poll::Ready(Err(code)),
            Poll::Pending => work.as_mut().poll(cx).map(Ok),
        })
        .await
    }
}
