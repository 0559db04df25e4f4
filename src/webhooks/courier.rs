//! Serves one endpoint: reads its part of the feed, sends it, writes down how far it came.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use pitboss_actors::ports::Clock;
use pitboss_schema::{
    Again, DisabledBy, FeedEvent, FeedPage, FeedPosition, Health, Store, StoreError,
    WebhookMessage, WebhookProgress, WebhookRow,
};
use pitboss_wallet::Timestamp;
use tokio::sync::watch;

use super::{
    plan::{self, Outcome},
    sender::{Sender, Target},
};
use crate::{
    config::Webhooks,
    feed::{self, BREATH, FeedWatch, TypeFilter},
    seams::random_fraction,
};

/// How long nothing is looked at by itself: a new event wakes at once.
const IDLE: Duration = Duration::from_secs(2);
/// A position that moved over events which nobody wants is written down this often.
const SAVE_EVERY_S: i64 = 5;

/// What a courier needs.
pub(super) struct Courier {
    pub row: WebhookRow,
    pub target: Target,
    pub filter: TypeFilter,
    pub settings: Webhooks,
    pub scan_max: usize,
    pub store: Store,
    pub feed: FeedWatch,
    pub sender: Sender,
    pub clock: Arc<dyn Clock>,
    pub stop: watch::Receiver<bool>,
    /// When the oldest event was decided that this endpoint has not taken, for a gauge.
    pub oldest: watch::Sender<Option<Timestamp>>,
}

/// What a step came to.
enum Step {
    /// Look again at once.
    Moved,
    /// Nothing to do before this moment, or before an event comes.
    Idle(Option<Timestamp>),
    /// Somebody else serves the endpoint by now, its settings are others, or it was disabled.
    Over,
}

impl Courier {
    /// Until told to stop, or until it is not this courier's any more.
    pub async fn run(mut self) {
        let feed = self.feed.clone();
        let _listening = feed.listen();
        let mut stop = self.stop.clone();
        let mut saved_at = self.clock.now();
        let mut saved = self.row.position.clone();
        loop {
            if *stop.borrow() {
                break;
            }
            // Before the step: a commit after it wakes, one before it is read.
            let event = feed.next();
            let now = self.clock.now();
            let step = match self.step(now).await {
                Ok(step) => step,
                Err(error) => {
                    tracing::warn!(webhook = %self.row.id, %error, "a webhook has to wait for the database");
                    tokio::select! {
                        () = tokio::time::sleep(IDLE) => {}
                        _ = stop.wait_for(|stop| *stop) => {}
                    }
                    continue;
                }
            };
            match step {
                Step::Moved => {}
                Step::Over => return,
                Step::Idle(until) => {
                    if self.row.position != saved && now >= saved_at.plus_seconds(SAVE_EVERY_S) {
                        match self.save(now).await {
                            Ok(true) => {}
                            Ok(false) => return,
                            Err(error) => tracing::debug!(%error, "a position was not saved"),
                        }
                        (saved, saved_at) = (self.row.position.clone(), now);
                    }
                    let patience = patience(now, until);
                    let woken = tokio::select! {
                        () = event => true,
                        () = tokio::time::sleep(patience) => false,
                        _ = stop.wait_for(|stop| *stop) => false,
                    };
                    if woken {
                        tokio::time::sleep(BREATH).await;
                    }
                }
            }
        }
        if self.row.position != saved {
            let _ = self.save(self.clock.now()).await;
        }
    }

    async fn step(&mut self, now: Timestamp) -> Result<Step, StoreError> {
        if let Some(at) = self.row.health.next_attempt_at
            && at > now
        {
            return Ok(Step::Idle(Some(at)));
        }
        let is_paused = plan::is_paused(&self.row.health, &self.settings);
        if !is_paused && self.send_due(now, self.settings.batch_max).await?.is_over() {
            return Ok(Step::Over);
        }
        let page = self.store.feed(&self.row.position, self.scan_max).await?;
        let FeedPage::Read { events, more } = page else {
            tracing::error!(webhook = %self.row.id, "a webhook is disabled: its next events are no longer kept");
            self.disable(now, DisabledBy::EventsGone).await?;
            return Ok(Step::Over);
        };
        let before = self.row.position.clone();
        let limit = plan::batch(&self.row.health, &self.settings);
        let (taken, left) = feed::take(events, &mut self.row.position, &self.filter, limit);
        self.oldest
            .send_replace(taken.first().map(|event| event.at));
        if !taken.is_empty() {
            return self.send_page(now, before, taken).await;
        }
        if more || left {
            return Ok(Step::Moved);
        }
        if is_paused && self.send_due(now, 1).await?.is_over() {
            return Ok(Step::Over);
        }
        let (next, _) = self.store.next_due(self.row.id).await?;
        Ok(if next.is_some_and(|next| next <= now) {
            Step::Moved
        } else {
            Step::Idle(next)
        })
    }

    /// Sends a page, and moves the position behind what is done with.
    async fn send_page(
        &mut self,
        now: Timestamp,
        before: FeedPosition,
        page: Vec<FeedEvent>,
    ) -> Result<Step, StoreError> {
        let messages: Vec<WebhookMessage> = page.iter().map(message).collect();
        let outcomes = self.send(&messages).await;
        let (_, waiting) = self.store.next_due(self.row.id).await?;
        let room = self.settings.waiting_max.saturating_sub(waiting);
        let plan = plan::after_page(
            &self.row.health,
            &outcomes,
            room,
            &self.settings,
            now,
            random_fraction(),
        );
        if plan.done < page.len() {
            // Back to where the first event begins that is still to be sent.
            self.row.position = before;
            for event in &page[..plan.done] {
                if let Some(lane) = self.row.position.0.get_mut(event.lane) {
                    *lane = event.next;
                }
            }
        }
        let again: Vec<Again> = plan
            .again
            .iter()
            .map(|(index, error)| self.again(&messages[*index], error.clone(), now))
            .collect();
        if let Some(by) = plan.disable {
            tracing::warn!(webhook = %self.row.id, reason = by.as_str(), "a webhook is disabled");
        }
        let was_paused = plan::is_paused(&self.row.health, &self.settings);
        self.row.health = plan.health;
        if !was_paused && plan::is_paused(&self.row.health, &self.settings) {
            let error = self.row.health.last_error.as_deref().unwrap_or_default();
            tracing::warn!(webhook = %self.row.id, error, "a webhook takes nothing: it is only probed");
        }
        let progress = WebhookProgress {
            position: self.row.position.clone(),
            health: self.row.health.clone(),
            disabled_by: plan.disable,
            again,
        };
        let (id, epoch) = (self.row.id, self.row.epoch);
        let moved = self
            .store
            .checkpoint_webhook(id, epoch, now, &progress)
            .await?;
        let over = !moved || plan.disable.is_some();
        Ok(if over { Step::Over } else { Step::Moved })
    }

    /// Tries single events again that are due.
    async fn send_due(&mut self, now: Timestamp, limit: usize) -> Result<Step, StoreError> {
        let id = self.row.id;
        let due = self.store.due_messages(id, now, limit).await?;
        if due.is_empty() {
            return Ok(Step::Idle(None));
        }
        let outcomes = self.send(&due).await;
        let mut delivered = Vec::new();
        let mut failed = Vec::new();
        for (message, outcome) in due.iter().zip(outcomes) {
            match outcome {
                Some(Outcome::Delivered) => delivered.push(message.event),
                Some(Outcome::Failed(error)) => {
                    failed.push(self.again(message, error, now));
                }
                Some(Outcome::SlowDown(pause_s)) => {
                    self.row.health.next_attempt_at = Some(now.plus_seconds(i64::from(pause_s)));
                }
                Some(Outcome::Gone) => {
                    self.disable(now, DisabledBy::Gone).await?;
                    return Ok(Step::Over);
                }
                None => {}
            }
        }
        if !delivered.is_empty() {
            self.row.health = Health {
                last_success_at: Some(now),
                next_attempt_at: self.row.health.next_attempt_at,
                last_error: self.row.health.last_error.clone(),
                ..Default::default()
            };
        }
        let any_dead = failed.iter().any(|again| again.at.is_none());
        let epoch = self.row.epoch;
        let noted = self
            .store
            .note_retries(id, epoch, now, &delivered, &failed)
            .await?;
        if !noted {
            return Ok(Step::Over);
        }
        if any_dead {
            let most = self.settings.dead_max;
            let dropped = self.store.trim_dead_letters(id, most).await?;
            metrics::counter!("pitboss_webhook_dead_dropped_total").increment(dropped);
        }
        Ok(Step::Moved)
    }

    /// Sends events, each player's in order, several players' at a time. `None`: not sent any more, because the
    /// endpoint takes nothing.
    async fn send(&self, messages: &[WebhookMessage]) -> Vec<Option<Outcome>> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; messages.len()];
        let mut in_a_row = self.row.health.failures;
        for wave in waves(messages, self.settings.per_endpoint) {
            let stopping = *self.stop.borrow();
            let paused = in_a_row > 0 && in_a_row >= self.settings.pause_after;
            let first = outcomes.iter().all(Option::is_none);
            if stopping || (paused && !first) {
                break;
            }
            let sending = wave.iter().map(|index| {
                let message = &messages[*index];
                self.sender
                    .deliver(&self.target, message.event, &message.body)
            });
            for (index, outcome) in wave.iter().zip(join_all(sending).await) {
                match outcome {
                    Outcome::Delivered => in_a_row = 0,
                    Outcome::Failed(_) => in_a_row = in_a_row.saturating_add(1),
                    Outcome::SlowDown(_) | Outcome::Gone => in_a_row = u32::MAX,
                }
                outcomes[*index] = Some(outcome);
            }
        }
        outcomes
    }

    fn again(&self, message: &WebhookMessage, error: String, now: Timestamp) -> Again {
        let attempts = message.attempts.saturating_add(1);
        Again {
            message: message.clone(),
            at: plan::next_attempt(attempts, &self.settings.retry_s, now, random_fraction()),
            error,
        }
    }

    async fn save(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.write(now, None).await
    }

    async fn disable(&self, now: Timestamp, by: DisabledBy) -> Result<bool, StoreError> {
        self.write(now, Some(by)).await
    }

    async fn write(
        &self,
        now: Timestamp,
        disabled_by: Option<DisabledBy>,
    ) -> Result<bool, StoreError> {
        let progress = WebhookProgress {
            position: self.row.position.clone(),
            health: self.row.health.clone(),
            disabled_by,
            again: Vec::new(),
        };
        let (id, epoch) = (self.row.id, self.row.epoch);
        self.store
            .checkpoint_webhook(id, epoch, now, &progress)
            .await
    }
}

impl Step {
    const fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }
}

fn message(event: &FeedEvent) -> WebhookMessage {
    WebhookMessage {
        event: event.id,
        kind: event.kind.clone(),
        player: event.player.clone(),
        body: event.body.clone(),
        attempts: 0,
    }
}

fn patience(now: Timestamp, until: Option<Timestamp>) -> Duration {
    let until = until.map(|until| until.as_micros().saturating_sub(now.as_micros()));
    let until = until.and_then(|micros| u64::try_from(micros).ok());
    until.map_or(IDLE, |micros| Duration::from_micros(micros).min(IDLE))
}

/// Cuts a page into waves of at most `width` events, none with two of one player: what follows a player's event
/// is not on its way before that one is answered.
fn waves(messages: &[WebhookMessage], width: usize) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    // The first wave that may have the player's next event.
    let mut free: HashMap<&str, usize> = HashMap::new();
    for (index, message) in messages.iter().enumerate() {
        let from = free.get(message.player.as_str()).copied().unwrap_or(0);
        let open = waves[from.min(waves.len())..]
            .iter()
            .position(|wave| wave.len() < width);
        let wave = open.map_or(waves.len(), |offset| from + offset);
        if wave == waves.len() {
            waves.push(Vec::new());
        }
        waves[wave].push(index);
        free.insert(&message.player, wave + 1);
    }
    waves
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn of(player: &str) -> WebhookMessage {
        WebhookMessage {
            event: Uuid::nil(),
            kind: String::new(),
            player: player.into(),
            body: String::new(),
            attempts: 0,
        }
    }

    #[test]
    fn a_wave_is_bounded_and_has_one_event_per_player_in_order() {
        let messages: Vec<WebhookMessage> = ["a", "a", "b", "c", "a", "b"].map(of).into();
        assert_eq!(waves(&messages, 2), [vec![0, 2], vec![1, 3], vec![4, 5]]);
        assert_eq!(waves(&messages, 9), [vec![0, 2, 3], vec![1, 5], vec![4]]);
        assert_eq!(waves(&messages, 1).len(), 6);
    }

    #[test]
    fn a_pause_is_slept_in_pieces_so_that_a_clock_that_jumps_is_noticed() {
        let now = Timestamp::from_micros(0);
        assert_eq!(patience(now, None), IDLE);
        assert_eq!(patience(now, Some(now.plus_seconds(3600))), IDLE);
        assert_eq!(patience(now, Some(now.plus_seconds(-1))), IDLE);
        let soon = Timestamp::from_micros(1000);
        assert_eq!(patience(now, Some(soon)), Duration::from_millis(1));
    }
}
