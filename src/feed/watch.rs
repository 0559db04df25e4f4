//! Waiting for new events: woken at once by this node's commits, and within a poll by those of others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use pitboss_actors::bridge::Wake;
use pitboss_schema::Store;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Readers do not read again sooner than this, however fast the commits come: one read has many of them.
pub const BREATH: Duration = Duration::from_millis(20);

/// Of one environment. Cheap to clone.
#[derive(Clone)]
pub struct FeedWatch {
    wake: Wake,
    shared: Arc<Shared>,
}

struct Shared {
    /// Of other nodes' commits, and of the end.
    notify: Notify,
    listeners: AtomicUsize,
    closed: AtomicBool,
    places: Arc<Semaphore>,
}

/// A place among the bounded number of waiters; dropping it makes room.
pub struct Waiting {
    watch: FeedWatch,
    _place: Option<OwnedSemaphorePermit>,
    last: Instant,
}

impl FeedWatch {
    #[must_use]
    pub fn new(wake: Wake, waiters_max: usize) -> Self {
        Self {
            wake,
            shared: Arc::new(Shared {
                notify: Notify::new(),
                listeners: AtomicUsize::new(0),
                closed: AtomicBool::new(false),
                places: Arc::new(Semaphore::new(waiters_max)),
            }),
        }
    }

    /// A place to wait in, unless all are taken.
    #[must_use]
    pub fn place(&self) -> Option<Waiting> {
        let place = self.shared.places.clone().try_acquire_owned().ok()?;
        Some(self.waiting(Some(place)))
    }

    /// A place for one of our own, which is bounded elsewhere.
    #[must_use]
    pub fn listen(&self) -> Waiting {
        self.waiting(None)
    }

    /// Completes at the next commit after this call, of this node or, a little later, of another one.
    pub fn next(&self) -> impl Future<Output = ()> + Send + '_ {
        // Made here and not at the first poll: what comes in between counts.
        let here = self.wake.told();
        let elsewhere = self.shared.notify.notified();
        async move {
            tokio::select! {
                () = here => {}
                () = elsewhere => {}
            }
        }
    }

    fn waiting(&self, place: Option<OwnedSemaphorePermit>) -> Waiting {
        self.shared.listeners.fetch_add(1, Ordering::Relaxed);
        Waiting {
            watch: self.clone(),
            _place: place,
            last: Instant::now(),
        }
    }

    /// Everybody who waits. For a gauge.
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.shared.listeners.load(Ordering::Relaxed)
    }

    /// Whether waiting is over for good: the server stops.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    /// Ends all waiting.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.notify.notify_waiters();
    }

    /// Looks for other nodes' commits while somebody waits, until aborted.
    pub async fn poll(self, store: Store, every: Duration) {
        let mut known = None;
        loop {
            tokio::time::sleep(every).await;
            if self.waiters() == 0 {
                known = None;
                continue;
            }
            match store.events_committed().await {
                Ok(committed) if known != Some(committed) => {
                    known = Some(committed);
                    self.shared.notify.notify_waiters();
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "the feed could not be looked at"),
            }
        }
    }
}

impl Waiting {
    /// Runs `read`, whose answer may be `None`, until it is something; again after every commit. `None` after
    /// `patience`, or when waiting is over for good.
    pub async fn until<T, E>(
        &mut self,
        patience: Duration,
        mut read: impl AsyncFnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let deadline = Instant::now() + patience;
        let watch = self.watch.clone();
        loop {
            // Before the read: a commit after it wakes, one before it is read.
            let next = watch.next();
            if watch.is_closed() {
                return Ok(None);
            }
            self.last = Instant::now();
            if let Some(found) = read().await? {
                return Ok(Some(found));
            }
            tokio::select! {
                () = next => {}
                () = tokio::time::sleep_until(deadline) => return Ok(None),
            }
            tokio::time::sleep_until(self.last + BREATH).await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.watch.shared.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[tokio::test]
    async fn places_are_bounded_and_freed_by_whoever_goes_away() {
        let watch = FeedWatch::new(Wake::new(1), 1);
        let first = watch.place().unwrap();
        assert!(watch.place().is_none());
        let ours = watch.listen();
        assert_eq!(watch.waiters(), 2);
        drop(first);
        assert!(watch.place().is_some());
        drop(ours);
        assert_eq!(watch.waiters(), 0);
    }

    #[tokio::test]
    async fn a_commit_wakes_a_waiter_and_the_end_sends_him_away() {
        let wake = Wake::new(1);
        let watch = FeedWatch::new(wake.clone(), 1);
        let mut waiting = watch.place().unwrap();
        let mut reads = 0;
        let found = waiting
            .until(Duration::from_secs(600), async || {
                reads += 1;
                if reads == 1 {
                    wake.poke(0);
                }
                Ok::<_, Infallible>((reads > 1).then_some(reads))
            })
            .await;
        assert_eq!(found, Ok(Some(2)));
        let closing = watch.clone();
        let found = waiting
            .until(Duration::from_secs(600), async || {
                closing.close();
                Ok::<Option<()>, Infallible>(None)
            })
            .await;
        assert_eq!(found, Ok(None));
    }
}
