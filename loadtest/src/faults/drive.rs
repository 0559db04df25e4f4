//! The load: many players at once, each one request after the other.

use std::{cell::RefCell, rc::Rc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    courier::{Counter, Courier, Ended},
    player::Player,
    step::{Expect, Step},
    tally::Tally,
};
use crate::{
    error::{Error, Result},
    random::{Random, mix},
};

/// After a stall no more than so much of what was missed is made up for.
const CATCH_UP: Duration = Duration::from_secs(1);

/// What the workers share.
pub struct Load {
    pub counter: Rc<Counter>,
    pub tally: Rc<Tally>,
    pub seed: u64,
    pub workers: u32,
    /// Requests per second, over all workers.
    pub rate: f64,
    pub start: Instant,
    pub end: Instant,
}

struct Shared {
    load: Load,
    /// Players that nobody plays for just now.
    idle: RefCell<Vec<Player>>,
    next_due: RefCell<Instant>,
}

/// Plays until the end, and until every request that was sent is answered. Inside a `LocalSet`.
pub async fn drive(load: Load, players: Vec<Player>) -> Result<Vec<Player>> {
    let count = players.len();
    let shared = Rc::new(Shared {
        next_due: RefCell::new(load.start),
        idle: RefCell::new(players),
        load,
    });
    let mut workers = JoinSet::new();
    for number in 0..shared.load.workers {
        let random = Random::new(mix(shared.load.seed ^ mix(u64::from(number) + 1)));
        workers.spawn_local(work(shared.clone(), random));
    }
    while let Some(ended) = workers.join_next().await {
        ended.map_err(|error| Error::given(format!("a worker ended: {error}")))?;
    }
    let mut players = shared.idle.take();
    if players.len() != count {
        return Err(Error::given("a player got lost"));
    }
    players.sort_by(|one, two| one.name.cmp(&two.name));
    Ok(players)
}

async fn work(shared: Rc<Shared>, mut random: Random) {
    let mut first = Courier::new(&shared.load.counter);
    let mut second = Courier::new(&shared.load.counter);
    while Instant::now() < shared.load.end {
        let Some(mut player) = take(&shared, &mut random) else {
            return;
        };
        for step in player.play(&mut random) {
            sleep_until(due(&shared)).await;
            let tally = &shared.load.tally;
            if !carry_out(
                &step,
                &mut player,
                [&mut first, &mut second],
                &mut random,
                tally,
            )
            .await
            {
                // What would follow is founded on an answer that did not come.
                player.retire();
                break;
            }
        }
        shared.idle.borrow_mut().push(player);
    }
}

fn take(shared: &Shared, random: &mut Random) -> Option<Player> {
    let mut idle = shared.idle.borrow_mut();
    let fit: Vec<usize> = (0..idle.len())
        .filter(|at| !idle[*at].is_retired())
        .collect();
    let count = u32::try_from(fit.len()).ok().filter(|count| *count > 0)?;
    let place = fit[random.below(count) as usize];
    Some(idle.swap_remove(place))
}

/// When the next request may go.
fn due(shared: &Shared) -> Instant {
    let mut next = shared.next_due.borrow_mut();
    let earliest = Instant::now().checked_sub(CATCH_UP).unwrap_or(*next);
    let due = (*next).max(earliest);
    *next = due + Duration::from_secs_f64(1.0 / shared.load.rate);
    due
}

/// Sends a step, or a pair of twins, until it is answered. `false`: not as it should be.
async fn carry_out(
    step: &Step,
    player: &mut Player,
    [first, second]: [&mut Courier; 2],
    random: &mut Random,
    tally: &Tally,
) -> bool {
    let name = player.name.clone();
    let ends = if step.twin {
        let mut other = Random::new(random.next());
        let (one, two) = tokio::join!(
            first.deliver(step, &name, true, random, tally),
            second.deliver(step, &name, true, &mut other, tally)
        );
        vec![one, two]
    } else {
        vec![first.deliver(step, &name, false, random, tally).await]
    };
    let mut told_as_new = 0;
    let mut is_right = true;
    for end in ends {
        let problem = match end {
            Ended::Right(right) => {
                told_as_new += u32::from(right.is_some_and(|(_, replayed)| !replayed));
                let different = match (&step.expect, right) {
                    (Expect::Done(done), Some((id, _))) => !player.acknowledge(done.row, id),
                    _ => false,
                };
                different.then(|| ("another answer to a repeat", String::new()))
            }
            Ended::Wrong(wrong) => Some(("a wrong answer", wrong)),
            Ended::Unanswered(why) => Some(("a request without an answer", why)),
        };
        if let Some((kind, why)) = problem {
            is_right = false;
            tally.breach(kind, || {
                format!("{} {} {}: {why}", name, step.action.name(), step.body)
            });
        }
    }
    if step.twin && told_as_new > 1 && step.action != super::step::Action::Deposit {
        is_right = false;
        tally.breach("twins both told as new", || format!("{name} {}", step.body));
    }
    is_right
}
