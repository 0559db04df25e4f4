//! What follows from the answers of an endpoint. Pure: no I/O, no clock, no randomness of its own.
//!
//! One event that is not taken goes to the endpoint's list and is tried again by itself; the others go on. When
//! nothing at all is taken any more the position stays and only the head is probed, so that a dead endpoint
//! costs a request every few minutes and not a row per event.

use pitboss_schema::{DisabledBy, Health};
use pitboss_wallet::Timestamp;

use crate::config::Webhooks;

/// The first pause between two probes; each is twice the one before.
const FIRST_PROBE_S: u32 = 5;
/// After so many failed probes the head goes to the list, so that a single event never blocks an endpoint.
const HEAD_PROBES: u32 = 10;
/// What an endpoint that says "slow down" may ask for at most.
const SLOW_DOWN_MAX_S: u32 = 3600;

/// What an endpoint answered to one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// Why, without any of the answer's body.
    Failed(String),
    /// It asks for a pause of so many seconds.
    SlowDown(u32),
    /// It wants nothing any more (410).
    Gone,
}

/// What is to be done about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The position goes behind so many events of the page.
    pub done: usize,
    /// Which of these are to be tried again by themselves, and why.
    pub again: Vec<(usize, String)>,
    pub health: Health,
    pub disable: Option<DisabledBy>,
}

/// A pause with up to a fifth more or less; `random` is from 0 to 1.
#[must_use]
pub fn jittered(pause_s: u32, random: f64) -> i64 {
    let jittered = f64::from(pause_s) * (0.8 + 0.4 * random.clamp(0.0, 1.0));
    #[allow(clippy::cast_possible_truncation, reason = "a few days in seconds")]
    let seconds = jittered.round() as i64;
    seconds.max(1)
}

/// When to try an event again that was not taken at its `attempts`th time. `None`: it is dead.
#[must_use]
pub fn next_attempt(
    attempts: u32,
    retry_s: &[u32],
    now: Timestamp,
    random: f64,
) -> Option<Timestamp> {
    let pause = retry_s.get(usize::try_from(attempts.max(1) - 1).ok()?)?;
    Some(now.plus_seconds(jittered(*pause, random)))
}

/// Whether the endpoint is only probed.
#[must_use]
pub const fn is_paused(health: &Health, settings: &Webhooks) -> bool {
    health.failures >= settings.pause_after
}

/// How many events to send next: one at a time after a failure, so that a dead endpoint is found out cheaply.
#[must_use]
pub const fn batch(health: &Health, settings: &Webhooks) -> usize {
    if health.failures > 0 {
        1
    } else {
        settings.batch_max
    }
}

fn probe_at(health: &Health, settings: &Webhooks, now: Timestamp, random: f64) -> Timestamp {
    let probes = health.failures.saturating_sub(settings.pause_after);
    let pause = FIRST_PROBE_S.saturating_mul(1 << probes.min(20));
    now.plus_seconds(jittered(pause.min(settings.probe_max_s), random))
}

/// Notes a failure of the endpoint, and whether it has failed for too long.
fn note_failure(
    health: &mut Health,
    error: &str,
    settings: &Webhooks,
    now: Timestamp,
) -> Option<DisabledBy> {
    health.last_error = Some(error.to_owned());
    let since = *health.failing_since.get_or_insert(now);
    let limit = since.plus_seconds(settings.disable_after_h.saturating_mul(3600));
    (now >= limit).then_some(DisabledBy::Failing)
}

/// What to do after a page was sent: an outcome for each event, in the order of the feed, `None` for those
/// that were not sent. `room`: how many more may wait to be tried again.
#[must_use]
pub fn after_page(
    before: &Health,
    outcomes: &[Option<Outcome>],
    room: usize,
    settings: &Webhooks,
    now: Timestamp,
    random: f64,
) -> Plan {
    let mut health = before.clone();
    let mut plan = Plan {
        done: 0,
        again: Vec::new(),
        health: Health::default(),
        disable: None,
    };
    let mut delivered = false;
    for (index, outcome) in outcomes.iter().enumerate() {
        match outcome {
            None => break,
            Some(Outcome::Delivered) => {
                delivered = true;
                health.failures = 0;
                health.failing_since = None;
                health.next_attempt_at = None;
                health.last_success_at = Some(now);
            }
            Some(Outcome::Failed(error)) => {
                if plan.again.len() >= room {
                    // The list is full: the endpoint waits as if it were dead.
                    health.failures = health.failures.max(settings.pause_after);
                    break;
                }
                health.failures = health.failures.saturating_add(1);
                plan.disable = note_failure(&mut health, error, settings, now);
                plan.again.push((index, error.clone()));
            }
            Some(Outcome::SlowDown(pause_s)) => {
                plan.disable = note_failure(&mut health, "it asked to slow down", settings, now);
                let pause_s = (*pause_s).clamp(1, SLOW_DOWN_MAX_S);
                health.next_attempt_at = Some(now.plus_seconds(i64::from(pause_s)));
                break;
            }
            Some(Outcome::Gone) => {
                note_failure(&mut health, "it answered 410", settings, now);
                plan.disable = Some(DisabledBy::Gone);
                break;
            }
        }
        plan.done = index + 1;
    }
    let slowed = outcomes
        .get(plan.done)
        .is_some_and(|next| matches!(next, Some(Outcome::SlowDown(_) | Outcome::Gone)));
    if is_paused(&health, settings) && !slowed {
        health.next_attempt_at = Some(probe_at(&health, settings, now, random));
        let probes = health.failures.saturating_sub(settings.pause_after);
        let head_is_stuck = probes > 0 && probes.is_multiple_of(HEAD_PROBES) && room > 0;
        if !delivered {
            // Nothing was taken: the page stays where it is, or all of it would end in the list.
            plan.done = usize::from(head_is_stuck);
            plan.again.truncate(plan.done);
        }
    }
    plan.health = health;
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn settings() -> Webhooks {
        Config::defaults().unwrap().webhooks
    }

    fn failed() -> Option<Outcome> {
        Some(Outcome::Failed("500".into()))
    }

    fn plan(before: &Health, outcomes: &[Option<Outcome>]) -> Plan {
        after_page(before, outcomes, 1000, &settings(), NOW, 0.5)
    }

    #[test]
    fn the_schedule_is_that_of_the_specification_and_ends_in_the_dead_letters() {
        let retry_s = settings().retry_s;
        let hours = |attempts| {
            next_attempt(attempts, &retry_s, NOW, 0.5)
                .map(|at| (at.as_micros() - NOW.as_micros()) / 1_000_000)
        };
        let pauses: Vec<i64> = (1..).map_while(hours).collect();
        let h = 3600;
        let expected = [5, 300, 1800, 2 * h, 5 * h, 10 * h, 14 * h, 20 * h, 24 * h];
        assert_eq!(pauses, expected);
        assert_eq!(jittered(100, 0.0), 80);
        assert_eq!(jittered(100, 1.0), 120);
        assert_eq!(jittered(1, 0.0), 1);
    }

    #[test]
    fn one_event_that_is_not_taken_does_not_hold_the_others_up() {
        let ok = || Some(Outcome::Delivered);
        let plan = plan(&Health::default(), &[ok(), failed(), ok(), ok()]);
        assert_eq!((plan.done, plan.again.len()), (4, 1));
        assert_eq!(plan.again[0].0, 1);
        assert_eq!((plan.health.failures, plan.health.failing_since), (0, None));
        assert_eq!(plan.disable, None);
    }

    #[test]
    fn an_endpoint_that_takes_nothing_keeps_its_position_and_fills_no_list() {
        let mut health = Health::default();
        // One at a time after the first failure; the first two go to the list.
        for done in [1, 1, 0, 0] {
            let plan = plan(&health, &[failed()]);
            assert_eq!((plan.done, plan.again.len()), (done, done), "{health:?}");
            health = plan.health;
            assert_eq!(batch(&health, &settings()), 1);
        }
        assert!(is_paused(&health, &settings()));
        assert!(health.next_attempt_at.unwrap() > NOW);
        // A whole page at once, of many players: not even one.
        let plan = plan(&Health::default(), &[failed(), failed(), failed(), None]);
        assert_eq!((plan.done, plan.again.len()), (0, 0));
    }

    #[test]
    fn probes_become_rarer_and_a_success_ends_them() {
        let mut health = Health {
            failures: 2,
            ..Health::default()
        };
        let mut pauses = Vec::new();
        for _ in 0..9 {
            health = plan(&health, &[failed()]).health;
            let pause = health.next_attempt_at.unwrap().as_micros() - NOW.as_micros();
            pauses.push(pause / 1_000_000);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        let plan = plan(&health, &[Some(Outcome::Delivered)]);
        assert_eq!((plan.done, plan.health.failures), (1, 0));
        assert_eq!(plan.health.next_attempt_at, None);
    }

    #[test]
    fn a_head_that_is_never_taken_makes_room_for_the_next_at_last() {
        let mut health = Health {
            failures: 3,
            ..Health::default()
        };
        let moved: Vec<usize> = (0..20)
            .map(|_| {
                let plan = plan(&health, &[failed()]);
                health = plan.health;
                plan.done
            })
            .collect();
        assert_eq!(moved.iter().sum::<usize>(), 2);
        assert_eq!((moved[9], moved[19]), (1, 1));
    }

    #[test]
    fn a_full_list_stops_the_feed() {
        let ok = Some(Outcome::Delivered);
        let outcomes = [ok.clone(), failed(), ok];
        let plan = after_page(&Health::default(), &outcomes, 0, &settings(), NOW, 0.5);
        assert_eq!((plan.done, plan.again.len()), (1, 0));
        assert!(is_paused(&plan.health, &settings()));
    }

    #[test]
    fn slow_down_is_obeyed_and_is_no_ones_fault() {
        let outcomes = [Some(Outcome::Delivered), Some(Outcome::SlowDown(90)), None];
        let plan = plan(&Health::default(), &outcomes);
        assert_eq!(
            (plan.done, plan.again.len(), plan.health.failures),
            (1, 0, 0)
        );
        assert_eq!(plan.health.next_attempt_at, Some(NOW.plus_seconds(90)));
        assert_eq!(plan.disable, None);
    }

    #[test]
    fn gone_disables_at_once_and_failing_for_days_in_the_end() {
        let gone = plan(&Health::default(), &[Some(Outcome::Gone)]);
        assert_eq!((gone.done, gone.disable), (0, Some(DisabledBy::Gone)));
        let health = |hours: i64| Health {
            failures: 50,
            failing_since: Some(NOW.plus_seconds(-hours * 3600)),
            ..Health::default()
        };
        assert_eq!(plan(&health(119), &[failed()]).disable, None);
        let failing = Some(DisabledBy::Failing);
        assert_eq!(plan(&health(120), &[failed()]).disable, failing);
    }
}
