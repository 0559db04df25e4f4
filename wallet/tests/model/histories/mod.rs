//! Random histories, played to the wallet and to the reference: after every step they must agree.

mod casino;
mod steps;

use pitboss_wallet::{CacheLimits, Policy};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::{
    invariants,
    reference::{Answer, Model, Yes},
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
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    })]

    /// T1 to T9 and T11, and INV-1 to INV-8 after every step.
    #[test]
    fn the_wallet_does_what_the_rules_say(sequential 1..40 => TheWallet);
}
