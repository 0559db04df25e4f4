//! Random histories, played to the wallet and to the reference: after every step they must agree.

mod casino;
mod payments;
mod steps;

use std::collections::BTreeSet;

use pitboss_wallet::{CacheLimits, Kind, Policy, RefusalCode, RoundState};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::{
    invariants,
    reference::{Answer, Effect, Model, Receipt, Yes},
};
use casino::Casino;
pub use steps::Step;

/// How a history begins, and how far the reference has come in it.
#[derive(Debug, Clone)]
pub struct Course {
    pub model: Model,
    pub limits: CacheLimits,
    /// What was sent so far, to be sent again.
    sent: Vec<Step>,
    /// What the reference says to the newest step.
    pub answer: Answer,
}

impl Course {
    fn new(policy: Policy, limits: CacheLimits) -> Self {
        let mut model = Model::new(policy);
        for who in 0..casino::PLAYERS.len() {
            model.seat(&casino::sessions(who));
            for deposit in casino::deposits(who) {
                model.take(who, &deposit).unwrap();
            }
        }
        Self {
            model,
            limits,
            sent: Vec::new(),
            answer: Ok(Yes::Done),
        }
    }
}

struct Rules;

impl ReferenceStateMachine for Rules {
    type State = Course;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Course> {
        (steps::policy(), steps::limits())
            .prop_map(|(policy, limits)| Course::new(policy, limits))
            .boxed()
    }

    fn transitions(course: &Course) -> BoxedStrategy<Step> {
        steps::step(&course.model, &course.sent)
    }

    fn apply(mut course: Course, step: &Step) -> Course {
        course.answer = course.model.take(step.who, &step.command);
        course.sent.push(step.clone());
        course
    }

    /// Shrinking may delete what made these possible.
    fn preconditions(course: &Course, step: &Step) -> bool {
        step.is_possible(&course.model)
    }
}

struct TheWallet;

impl StateMachineTest for TheWallet {
    type SystemUnderTest = Casino;
    type Reference = Rules;

    fn init_test(course: &Course) -> Casino {
        Casino::new(course.limits)
    }

    fn apply(mut casino: Casino, course: &Course, step: Step) -> Casino {
        let outcome = casino.play(&step, course.model.policy());
        casino.compare_answer(course, &step, &outcome);
        casino
    }

    fn check_invariants(casino: &Casino, course: &Course) {
        casino.compare_books(&course.model);
        for (name, check) in invariants::ALL {
            if let Err(breach) = check(&casino.evidence()) {
                panic!("{name}: {breach}");
            }
        }
    }

    fn teardown(casino: Casino, course: Course) {
        casino.inv_5_a_bet_and_its_rollback_change_nothing(&course);
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    })]

    /// T1 to T9 and T11, and INV-1 to INV-9 after every step.
    #[test]
    fn the_wallet_does_what_the_rules_say(sequential 1..50 => TheWallet);
}

/// Histories in which nothing happens would agree with everything.
#[test]
fn the_histories_come_by_everything_that_the_rules_tell_of() {
    let mut runner = TestRunner::deterministic();
    let strategy = Rules::sequential_strategy(1..50);
    let mut met = BTreeSet::new();
    for _ in 0..300 {
        let (mut course, steps, _) = strategy.new_tree(&mut runner).unwrap().current();
        for step in steps {
            course = Rules::apply(course, &step);
            met.extend(met_in(&course));
        }
    }
    let elsewhere = [
        // Not the wallet's to say, or later.
        RefusalCode::UnknownPlayer,
        RefusalCode::BetLimit,
        RefusalCode::CountryRefused,
        RefusalCode::LossLimit,
        // Of `rules/lifetimes.rs`.
        RefusalCode::SessionLimit,
    ];
    let codes = RefusalCode::ALL
        .iter()
        .filter(|code| !elsewhere.contains(code));
    let expected = codes.map(|code| code.as_str()).chain([
        "a repeat",
        "a tombstone",
        "a late bet accepted",
        "a debt",
        "a part given back",
        "a rollback after a void",
        "a void",
        "a burned id",
        "an adjustment",
        "an adjustment that leaves a debt",
        "a refused adjustment",
        "a deposit taken back",
        "a withdrawal paid",
        "a withdrawal that came back",
        "a withdrawal confiscated",
        "a withdrawal in parts",
        "a release of what was sent",
        "a release of what was not",
        "two open rounds",
        "two currencies",
        "an account that is full",
    ]);
    let missing: Vec<_> = expected.filter(|what| !met.contains(what)).collect();
    assert!(missing.is_empty(), "never met: {missing:?}");
}

fn met_in(course: &Course) -> Vec<&'static str> {
    let mut met = Vec::new();
    match &course.answer {
        Err(no) => met.push(no.code.as_str()),
        Ok(Yes::Repeat(receipts)) => {
            let is_late = |receipt: &Receipt| receipt.kind == Kind::Bet && receipt.tombstone;
            met.push("a repeat");
            met.extend(
                receipts
                    .iter()
                    .any(is_late)
                    .then_some("a late bet accepted"),
            );
        }
        Ok(_) => {}
    }
    let log = &course.model.log;
    met.extend(log.iter().filter_map(|line| match line.effect {
        Effect::FoundNothing => Some("a tombstone"),
        Effect::CameAfterVoid => Some("a rollback after a void"),
        Effect::Voided(_) => Some("a void"),
        Effect::Adjusted(amount) => {
            let owes = line.meaning.owes() && amount.units < 0;
            Some(if owes {
                "an adjustment that leaves a debt"
            } else {
                "an adjustment"
            })
        }
        Effect::Reversed(_) => Some("a deposit taken back"),
        Effect::PaidOut { .. } => Some("a withdrawal paid"),
        Effect::CameBack(_) => Some("a withdrawal that came back"),
        Effect::Confiscated { .. } => Some("a withdrawal confiscated"),
        Effect::Released { is_sent: true, .. } => Some("a release of what was sent"),
        Effect::Released { .. } => Some("a release of what was not"),
        Effect::Burned(_) if line.kind == Kind::Adjustment => Some("a refused adjustment"),
        Effect::Burned(_) => Some("a burned id"),
        Effect::TookBack { target, units } => {
            let whole = log[target].receipt.units;
            (i128::from(units) < whole).then_some("a part given back")
        }
        _ => None,
    }));
    let parts = course.model.payments.iter().any(|one| one.state == "split");
    met.extend(parts.then_some("a withdrawal in parts"));
    let books = course.model.books();
    let open = |who| {
        let rounds = books
            .rounds
            .iter()
            .filter(move |round| round.name.who == who);
        rounds
            .filter(|round| round.state == RoundState::Open)
            .count()
    };
    met.extend((open(0) > 1).then_some("two open rounds"));
    let mut rich = 0;
    for (who, currency) in course.model.people() {
        let cash = books.cash(who, currency);
        rich += usize::from(who == 0 && cash > 0);
        met.extend((books.owed(who, currency) > 0).then_some("a debt"));
        met.extend((cash == i128::from(i64::MAX)).then_some("an account that is full"));
    }
    met.extend((rich > 1).then_some("two currencies"));
    met
}
