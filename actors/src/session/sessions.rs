//! All sessions of this server, seen from outside.
//!
//! A session whose client does not read is not polled: none of its timers fires. So its liveness is watched
//! from here, and so are the limits, which are about all sessions together.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use pitboss_wallet::{Environment, PlayerId, SessionId};

use super::{close::CloseCode, outbound::Outbound, topics::Topics};
use crate::stream::Login;

/// How many sessions may be open.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// On this server, over all players and environments. One more is refused.
    pub max_sessions: usize,
    /// Of one player. One more closes his oldest with [`CloseCode::Replaced`].
    pub max_sessions_per_player: usize,
}

/// There is no room for another session on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this server has as many open streams as it takes")]
pub struct TooManySessions;

impl ResponseError for TooManySessions {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::ServiceUnavailable()
            .insert_header(("Retry-After", "1"))
            .finish()
    }
}

/// What [`Sessions::sweep`] found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub open: usize,
    pub queued_bytes: usize,
    /// Sessions that are to close, and could not yet tell their client: it does not read.
    pub jammed: usize,
    /// Sessions whose client was silent for too long, closed by this sweep.
    pub silent: usize,
}

/// The registry of this server's sessions.
pub struct Sessions {
    limits: SessionLimits,
    queued_bytes: Arc<AtomicUsize>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// Of each player, oldest first.
    players: HashMap<(Environment, PlayerId), Vec<Entry>>,
    sandbox: usize,
    live: usize,
    newest_id: u64,
    /// This server is going away: a session that still comes in is closed at once.
    draining: bool,
}

struct Entry {
    id: u64,
    /// Weak: the session owns itself, and this registry must not keep what it held.
    outbound: Weak<Outbound>,
}

impl Open {
    fn count(&mut self, environment: Environment) -> &mut usize {
        match environment {
            Environment::Sandbox => &mut self.sandbox,
            Environment::Live => &mut self.live,
        }
    }

    fn total(&self) -> usize {
        self.sandbox + self.live
    }

    fn each(&self) -> impl Iterator<Item = Arc<Outbound>> {
        let entries = self.players.values().flatten();
        entries.filter_map(|entry| entry.outbound.upgrade())
    }
}

impl Sessions {
    #[must_use]
    pub fn new(limits: SessionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            queued_bytes: Arc::default(),
            open: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many sessions of an environment are open.
    #[must_use]
    pub fn count(&self, environment: Environment) -> usize {
        *self.lock().count(environment)
    }

    /// How many sessions are open.
    #[must_use]
    pub fn total(&self) -> usize {
        self.lock().total()
    }

    /// How many bytes wait in the outbound queues of all sessions.
    #[must_use]
    pub fn bytes_queued(&self) -> usize {
        self.queued_bytes.load(Ordering::Relaxed)
    }

    /// Asks every session to close. [`Sessions::total`] tells when they have; one whose client does not read
    /// may take until its socket is given up.
    pub fn close_all(&self, code: CloseCode) {
        let all: Vec<_> = self.lock().each().collect();
        for outbound in all {
            outbound.close(code);
        }
    }

    /// Asks every session to go away, one after the other over `window`, and every one that still comes in.
    /// So that the servers which they go to see them one after the other too.
    pub async fn drain(&self, window: Duration) {
        let all: Vec<_> = {
            let mut open = self.lock();
            open.draining = true;
            let entries = open.players.values().flatten();
            entries.map(|entry| entry.outbound.clone()).collect()
        };
        let began = tokio::time::Instant::now();
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX).max(1);
        for (place, outbound) in (0..count).zip(all) {
            tokio::time::sleep_until(began + window / count * place).await;
            if let Some(outbound) = outbound.upgrade() {
                outbound.close(CloseCode::GoingAway);
            }
        }
    }

    /// The logins under which sessions are open, and whose they are.
    #[must_use]
    pub fn logins(&self) -> Vec<(PlayerId, SessionId)> {
        let open = self.lock();
        let mut logins = HashSet::new();
        for ((_, player), his) in &open.players {
            let outbounds = his.iter().filter_map(|entry| entry.outbound.upgrade());
            logins.extend(outbounds.map(|outbound| (player.clone(), outbound.login().session)));
        }
        logins.into_iter().collect()
    }

    /// Closes every session under one of these logins, which are over.
    pub fn end_logins(&self, over: &HashSet<SessionId>) {
        let all: Vec<_> = self.lock().each().collect();
        end(&all, over);
    }

    /// The same of one player, without looking at all others.
    pub fn end_logins_of(
        &self,
        environment: Environment,
        player: &PlayerId,
        over: &HashSet<SessionId>,
    ) {
        end(&self.of(environment, player), over);
    }

    /// The logins under which a player's sessions are open.
    #[must_use]
    pub fn logins_of(&self, environment: Environment, player: &PlayerId) -> HashSet<SessionId> {
        let his = self.of(environment, player);
        his.iter().map(|one| one.login().session).collect()
    }

    fn of(&self, environment: Environment, player: &PlayerId) -> Vec<Arc<Outbound>> {
        let open = self.lock();
        let his = open.players.get(&(environment, player.clone()));
        let entries = his.into_iter().flatten();
        entries
            .filter_map(|entry| entry.outbound.upgrade())
            .collect()
    }

    /// There are events of this player up to `seq`, which another server may have committed.
    pub fn look(&self, environment: Environment, player: &PlayerId, seq: i64) {
        for outbound in self.of(environment, player) {
            outbound.look(seq);
        }
    }

    /// Frees what is kept for clients that were silent for `silent_for`, makes their sessions close, and
    /// reports the gauges. For the sweeper, every few seconds; `silent_for` is to be longer than the sessions'
    /// own idle time-out, because a session that can still be polled closes itself better.
    pub fn sweep(&self, silent_for: Duration) -> Swept {
        let all: Vec<_> = self.lock().each().collect();
        let mut swept = Swept {
            open: all.len(),
            ..Swept::default()
        };
        for outbound in all {
            if !outbound.is_open() {
                swept.jammed += 1;
            } else if outbound.silence() >= silent_for {
                outbound.close(CloseCode::Idle);
                swept.silent += 1;
            }
        }
        swept.queued_bytes = self.bytes_queued();
        metrics::gauge!("pitboss_session_queued_bytes").set(swept.queued_bytes as f64);
        metrics::gauge!("pitboss_sessions_jammed").set(swept.jammed as f64);
        swept
    }

    /// Makes room for a new session of a player and registers it.
    pub(super) fn admit(
        self: &Arc<Self>,
        environment: Environment,
        player: &PlayerId,
        max_queued_bytes: usize,
        login: Login,
        topics: Topics,
    ) -> Result<Admission, TooManySessions> {
        let mut open = self.lock();
        if open.total() >= self.limits.max_sessions {
            return Err(TooManySessions);
        }
        let outbound = Arc::new(Outbound::new(
            max_queued_bytes,
            self.queued_bytes.clone(),
            login,
            topics,
        ));
        if open.draining {
            outbound.close(CloseCode::GoingAway);
        }
        open.newest_id += 1;
        let id = open.newest_id;
        *open.count(environment) += 1;
        report_open(environment, *open.count(environment));
        let his = open
            .players
            .entry((environment, player.clone()))
            .or_default();
        his.push(Entry {
            id,
            outbound: Arc::downgrade(&outbound),
        });
        // Sessions that close already do not count: they only wait for their client to read.
        let staying: Vec<_> = his
            .iter()
            .filter_map(|entry| entry.outbound.upgrade())
            .filter(|outbound| outbound.is_open())
            .collect();
        drop(open);
        let too_many = staying
            .len()
            .saturating_sub(self.limits.max_sessions_per_player.max(1));
        for oldest in &staying[..too_many] {
            oldest.close(CloseCode::Replaced);
        }
        Ok(Admission {
            sessions: self.clone(),
            environment,
            player: player.clone(),
            id,
            outbound,
        })
    }
}

fn end(all: &[Arc<Outbound>], over: &HashSet<SessionId>) {
    let is_over = |one: &&Arc<Outbound>| over.contains(&one.login().session);
    all.iter()
        .filter(is_over)
        .for_each(|one| one.close(CloseCode::SessionExpired));
}

fn report_open(environment: Environment, count: usize) {
    metrics::gauge!("pitboss_sessions_open", "environment" => environment.as_str())
        .set(count as f64);
}

/// A session's place in the registry, given back when dropped.
pub(super) struct Admission {
    sessions: Arc<Sessions>,
    environment: Environment,
    player: PlayerId,
    id: u64,
    pub outbound: Arc<Outbound>,
}

impl Admission {
    pub(super) fn environment(&self) -> Environment {
        self.environment
    }

    pub(super) fn player(&self) -> &PlayerId {
        &self.player
    }

    /// A part of `most`, another one for each session: neighbours are far apart.
    pub(super) fn jitter(&self, most: Duration) -> Duration {
        // The golden ratio, in 32 bits.
        let place = u32::try_from(self.id & 0xffff_ffff).unwrap_or(0);
        most.mul_f64(f64::from(place.wrapping_mul(0x9e37_79b9)) / f64::from(u32::MAX))
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.outbound.end();
        let mut open = self.sessions.lock();
        let key = (self.environment, self.player.clone());
        if let Some(his) = open.players.get_mut(&key) {
            his.retain(|entry| entry.id != self.id);
            if his.is_empty() {
                open.players.remove(&key);
            }
        }
        *open.count(self.environment) -= 1;
        report_open(self.environment, *open.count(self.environment));
    }
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::{Currency, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn sessions(max_sessions: usize, max_sessions_per_player: usize) -> Arc<Sessions> {
        Sessions::new(SessionLimits {
            max_sessions,
            max_sessions_per_player,
        })
    }

    fn login(session: u128) -> Login {
        Login {
            session: SessionId(Uuid::from_u128(session)),
            currency: Currency::from_code("EUR").unwrap(),
            expires_at: Timestamp::from_micros(0),
        }
    }

    fn admit_as(
        sessions: &Arc<Sessions>,
        environment: Environment,
        player: &str,
        session: u128,
    ) -> Result<Admission, TooManySessions> {
        let player = PlayerId::new(player).unwrap();
        let topics = Topics::default();
        sessions.admit(environment, &player, 1000, login(session), topics)
    }

    fn admit(sessions: &Arc<Sessions>, player: &str) -> Result<Admission, TooManySessions> {
        admit_as(sessions, Environment::Sandbox, player, 1)
    }

    #[test]
    fn the_oldest_session_of_a_player_makes_room_for_his_newest() {
        let sessions = sessions(10, 2);
        let first = admit(&sessions, "anna").unwrap();
        let other = admit(&sessions, "ben").unwrap();
        let second = admit(&sessions, "anna").unwrap();
        assert!(first.outbound.is_open());
        let third = admit(&sessions, "anna").unwrap();
        assert_eq!(first.outbound.close_code(), Some(CloseCode::Replaced));
        let fourth = admit(&sessions, "anna").unwrap();
        assert_eq!(second.outbound.close_code(), Some(CloseCode::Replaced));
        for session in [&other, &third, &fourth] {
            assert!(session.outbound.is_open());
        }
    }

    #[test]
    fn the_same_player_id_in_two_environments_is_two_players() {
        let sessions = sessions(10, 1);
        let sandbox = admit(&sessions, "anna").unwrap();
        let live = admit_as(&sessions, Environment::Live, "anna", 1).unwrap();
        assert!(sandbox.outbound.is_open() && live.outbound.is_open());
        assert_eq!(sessions.count(Environment::Live), 1);
        assert_eq!(sessions.total(), 2);
    }

    #[test]
    fn a_full_server_refuses_until_a_session_has_ended() {
        let sessions = sessions(2, 5);
        let first = admit(&sessions, "anna").unwrap();
        let _second = admit(&sessions, "ben").unwrap();
        assert_eq!(admit(&sessions, "cleo").err(), Some(TooManySessions));
        drop(first);
        assert!(admit(&sessions, "cleo").is_ok());
    }

    #[test]
    fn an_ended_session_leaves_no_trace() {
        let sessions = sessions(2, 5);
        drop(admit(&sessions, "anna").unwrap());
        assert_eq!(sessions.total(), 0);
        assert!(sessions.lock().players.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sweep_closes_the_silent_and_counts_those_that_cannot_close() {
        let sessions = sessions(10, 5);
        let silent = admit(&sessions, "anna").unwrap();
        let lively = admit(&sessions, "ben").unwrap();
        let jammed = admit(&sessions, "cleo").unwrap();
        jammed.outbound.close(CloseCode::SlowConsumer);
        tokio::time::advance(Duration::from_secs(60)).await;
        lively.outbound.seen();

        let swept = sessions.sweep(Duration::from_secs(30));

        assert_eq!((swept.open, swept.silent, swept.jammed), (3, 1, 1));
        assert_eq!(silent.outbound.close_code(), Some(CloseCode::Idle));
        assert!(lively.outbound.is_open());
    }

    #[test]
    fn what_is_over_closes_its_sessions_and_no_other() {
        let sessions = sessions(10, 5);
        let one = admit_as(&sessions, Environment::Sandbox, "anna", 1).unwrap();
        let two = admit_as(&sessions, Environment::Sandbox, "anna", 2).unwrap();
        let renewed = admit_as(&sessions, Environment::Sandbox, "ben", 1).unwrap();
        renewed.outbound.set_login(login(3));
        assert_eq!(sessions.logins().len(), 3);
        let ben = PlayerId::new("ben").unwrap();
        let his = sessions.logins_of(Environment::Sandbox, &ben);
        assert_eq!(his, HashSet::from([login(3).session]));
        sessions.end_logins_of(
            Environment::Sandbox,
            &ben,
            &HashSet::from([login(2).session]),
        );
        sessions.end_logins(&HashSet::from([login(1).session]));
        assert_eq!(one.outbound.close_code(), Some(CloseCode::SessionExpired));
        assert!(two.outbound.is_open() && renewed.outbound.is_open());
    }

    #[test]
    fn jitters_are_within_bounds_and_spread() {
        let sessions = sessions(1000, 1000);
        let most = Duration::from_secs(4);
        let mut seconds = [0; 4];
        let admitted: Vec<_> = (0..400)
            .map(|_| admit(&sessions, "anna").unwrap())
            .collect();
        for admission in &admitted {
            let jitter = admission.jitter(most);
            assert!(jitter <= most);
            seconds[usize::try_from(jitter.as_secs()).unwrap().min(3)] += 1;
        }
        assert!(
            seconds.iter().all(|count| (90..=110).contains(count)),
            "{seconds:?}"
        );
        assert_eq!(admitted[0].jitter(Duration::ZERO), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_closes_one_after_the_other_and_whoever_still_comes() {
        let sessions = sessions(100, 100);
        let all: Vec<_> = (0..10).map(|_| admit(&sessions, "anna").unwrap()).collect();
        let closed = || all.iter().filter(|one| !one.outbound.is_open()).count();
        let draining = tokio::spawn({
            let sessions = sessions.clone();
            async move { sessions.drain(Duration::from_secs(10)).await }
        });
        tokio::time::sleep(Duration::from_millis(4500)).await;
        assert_eq!(closed(), 5);
        let late = admit(&sessions, "ben").unwrap();
        assert_eq!(late.outbound.close_code(), Some(CloseCode::GoingAway));
        draining.await.unwrap();
        assert_eq!(closed(), 10);
    }
}
