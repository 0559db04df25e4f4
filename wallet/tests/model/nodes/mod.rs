//! Every interleaving of a few requests over two owners of one player.
//!
//! A world ([`world`]) is what is durable ([`durable`]), the two owners with what each remembers and is about to do, and
//! what the client has heard. Its steps are those between which something else may happen: a request is received, the
//! ledger is asked, the player is loaded, a decision is committed, the answer is sent; and, as often as the scenario
//! allows, an owner crashes, an answer gets lost, or the outcome of a commit does. What is decided in between is decided
//! by the real `decide` and `apply`.
//!
//! In every world that can be reached INV-1 to INV-9 hold, what was acknowledged is in the ledger, once (INV-11), and two
//! acceptances of one request are equal (T6). In the end every request has an answer. The same checks find each of the
//! commits that are broken on purpose.
//!
//! What must not be here: rules of the wallet. A scenario is a list of requests, and the checks are those of any ledger.

mod durable;
mod owners;
mod scenarios;
mod world;

use stateright::{Checker, Expectation, HasDiscoveries, Model, Property};

use crate::invariants;
use durable::Commit;
use scenarios::Scenario;
use world::{Action, World};

/// What is checked: a scenario on a ledger.
#[derive(Clone)]
pub struct Nodes {
    scenario: Scenario,
    commit: Commit,
}

const SAME_ANSWER: &str = "T6: two acceptances of one request are equal";
const ACKNOWLEDGED: &str = "INV-11: what was acknowledged is in the ledger, once";
const ANSWERED: &str = "in the end every request has an answer";

impl Model for Nodes {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.scenario)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        world.possible(&self.scenario, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        Some(world.after(&self.scenario, self.commit, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties: Vec<Property<Self>> = vec![
            Property::always(SAME_ANSWER, |_, world: &World| !world.has_unequal_answers()),
            Property::always(ACKNOWLEDGED, |_, world: &World| {
                world.has_all_acknowledged()
            }),
            Property::eventually(ANSWERED, |_, world: &World| world.is_answered()),
            Property::sometimes("a commit is stale", |_, world: &World| world.seen.stale),
            Property::sometimes("a repeat is answered", |_, world: &World| world.seen.repeat),
        ];
        macro_rules! invariant {
            ($place:literal) => {
                properties.push(Property::always(
                    invariants::ALL[$place].0,
                    |_, world: &World| !world.has_breach(invariants::ALL[$place].0),
                ));
            };
        }
        invariant!(0);
        invariant!(1);
        invariant!(2);
        invariant!(3);
        invariant!(4);
        invariant!(5);
        invariant!(6);
        invariant!(7);
        invariant!(8);
        properties
    }
}

/// Walks through all that can happen, and demands that nothing is wrong.
fn holds_in_every_interleaving(scenario: Scenario) {
    let name = scenario.name;
    let nodes = Nodes {
        scenario,
        commit: Commit::Fenced,
    };
    let checker = nodes
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    println!("{name}: {} worlds", checker.unique_state_count());
    checker.assert_properties();
}

/// Walks until something is wrong, and demands that it is.
fn is_caught(scenario: Scenario, commit: Commit, breach: &str) {
    let checker = Nodes { scenario, commit }
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let is_failure = |name| checker.model().property(name).expectation != Expectation::Sometimes;
    let mut failures: Vec<&'static str> = checker.discoveries().into_keys().collect();
    failures.retain(|name| is_failure(name));
    assert!(failures.contains(&breach), "found {failures:?}");
}

#[test]
fn t6_one_bet_sent_twice_at_once_moves_once() {
    holds_in_every_interleaving(scenarios::one_bet());
}

#[test]
fn t5_a_rollback_and_its_bet_in_any_order_leave_nothing_standing() {
    holds_in_every_interleaving(scenarios::bet_and_rollback());
}

#[test]
fn t8_a_win_is_paid_once_whatever_gets_lost() {
    holds_in_every_interleaving(scenarios::bet_and_win());
}

#[test]
fn t6_two_bets_cannot_spend_the_same_money() {
    holds_in_every_interleaving(scenarios::two_bets());
}

#[test]
fn t2_one_id_with_two_amounts_moves_once() {
    holds_in_every_interleaving(scenarios::changed_amount());
}

#[test]
fn t7_two_rollbacks_of_one_bet_give_it_back_once() {
    holds_in_every_interleaving(scenarios::two_rollbacks_in_an_open_round());
    holds_in_every_interleaving(scenarios::two_rollbacks_in_a_closed_round());
}

#[test]
fn t7_a_win_and_a_rollback_of_one_bet_are_decided_once() {
    holds_in_every_interleaving(scenarios::win_or_rollback());
}

/// Whoever is first decides; money that was given to the payment provider is not given back beside.
#[test]
fn inv_9_a_withdrawal_ends_once_whoever_races_whom() {
    holds_in_every_interleaving(scenarios::approval_or_cancel());
    holds_in_every_interleaving(scenarios::payout_or_rejection());
    holds_in_every_interleaving(scenarios::paid_or_failed());
}

#[test]
fn inv_9_a_withdrawal_that_ends_twice_is_caught() {
    is_caught(
        scenarios::payout_or_rejection(),
        Commit::WithoutFence,
        "INV-9",
    );
}

#[test]
fn inv_4_notices_of_one_deposit_bring_the_money_once() {
    holds_in_every_interleaving(scenarios::deposit_notices());
}

/// The player's row is written whatever its version is.
#[test]
fn a_commit_without_the_fence_is_caught() {
    is_caught(scenarios::two_bets(), Commit::WithoutFence, "INV-2");
}

/// The version alone: a repeat that memory does not know is new.
#[test]
fn a_commit_without_the_keys_is_caught() {
    is_caught(scenarios::one_bet(), Commit::WithoutKeys, "INV-4");
}

/// The guard is on the ledger's insert, beside the update of the balance.
#[test]
fn a_commit_with_the_guard_beside_the_update_is_caught() {
    is_caught(scenarios::one_bet(), Commit::GuardBeside, "INV-2");
}

/// The ledger is written first, and stays when the player's row was moved by somebody else.
#[test]
fn a_commit_that_writes_the_ledger_first_is_caught() {
    is_caught(scenarios::two_bets(), Commit::LedgerFirst, "INV-2");
}

/// The target is asked for before it is rolled back elsewhere, and its round after.
#[test]
fn an_owner_that_mixes_facts_of_two_moments_is_caught() {
    is_caught(
        scenarios::two_rollbacks_in_a_closed_round(),
        Commit::OldFacts,
        "INV-6",
    );
}
