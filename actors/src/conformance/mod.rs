//! One conformance suite for every ledger: what the actors rely on, run against memory and Postgres.
//!
//! Decisions are the wallet's own, made by [`pitboss_wallet::decide`]; a case is a function that answers
//! what it found wrong. Nothing here knows what is behind the ports.

mod events;
mod facts;
mod hand;
mod keys;
mod money;
mod payments;
mod races;
mod sessions;

use std::{panic::Location, sync::Arc};

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use pitboss_wallet::PlayerId;

use crate::ports::{CommitError, Housekeeping, Ledger, Outbox, PortError};

/// A fresh, empty ledger to be examined. One run of the suite uses it up.
#[async_trait]
pub trait Subject: Send + Sync {
    fn ledger(&self) -> Arc<dyn Ledger>;
    fn outbox(&self) -> Arc<dyn Outbox>;
    fn housekeeping(&self) -> Arc<dyn Housekeeping>;

    /// Creates a player without a wallet.
    async fn create_player(&self, player: &PlayerId) -> Result<(), PortError>;

    /// Makes the account of [`provider`] known, with a policy that closes rounds after 60 seconds.
    async fn put_provider(&self, origin: &pitboss_wallet::Origin) -> Result<(), PortError>;
}

/// What a case found wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{at}: {what}")]
    Wrong {
        at: &'static Location<'static>,
        what: String,
    },
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// The outcome of a case.
pub type Checked = Result<(), Failure>;

#[track_caller]
fn wrong(what: impl Into<String>) -> Failure {
    Failure::Wrong {
        at: Location::caller(),
        what: what.into(),
    }
}

/// Fails unless both are equal.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Checked {
    if found == wanted {
        Ok(())
    } else {
        Err(wrong(format!(
            "{what}\n   found: {found:?}\n  wanted: {wanted:?}"
        )))
    }
}

#[track_caller]
fn holds(what: &str, condition: bool) -> Checked {
    if condition { Ok(()) } else { Err(wrong(what)) }
}

/// A case, by the rule that it proves.
pub struct Case {
    pub name: &'static str,
    pub run: for<'a> fn(&'a dyn Subject) -> LocalBoxFuture<'a, Checked>,
}

macro_rules! cases {
    ($($module:ident: $($name:ident),+ $(,)?);+ $(;)?) => {
        /// Every case, in the order in which they are run on one subject.
        pub const CASES: &[Case] = &[
            $($(Case {
                name: stringify!($name),
                run: |subject| Box::pin($module::$name(subject)),
            }),+),+
        ];
    };
}

cases! {
    money: a_player_who_does_not_exist_is_not_loaded,
        every_kind_of_decision_reads_back_as_it_was_applied,
        a_player_with_many_open_rounds_holds_all_their_stakes,
        any_text_survives_as_an_external_id;
    keys: a_repeated_key_is_stale_and_moves_nothing,
        a_stale_version_is_refused_as_a_whole,
        a_round_that_should_be_new_and_is_not_is_stale,
        two_decisions_of_one_player_in_one_batch_are_one,
        a_provider_wide_key_belongs_to_one_player,
        a_bad_entry_does_not_take_the_others_with_it,
        a_tombstoned_key_never_moves,
        a_refusal_that_burned_its_id_is_kept;
    facts: facts_are_answered_of_one_moment_in_their_order,
        a_transaction_tells_what_took_it_back;
    sessions: a_session_is_found_by_its_id_when_it_is_over,
        a_session_that_slid_reads_back,
        all_sessions_that_have_not_been_ended_are_found_oldest_first,
        players_with_sessions_whose_time_is_over_are_found;
    payments: payments_read_back_as_they_were_left,
        payments_are_of_one_player,
        a_hold_that_two_owners_end_ends_once;
    races: two_owners_of_one_player_lose_nothing,
        two_owners_with_the_same_requests_apply_each_once;
    events: events_of_a_player_are_gap_free_and_in_order,
        lanes_are_contiguous_and_in_player_order_under_concurrent_writers,
        only_the_holder_of_a_lane_moves_its_checkpoint,
        a_bus_that_lost_something_sets_back_every_lane_that_had_it_there,
        overdue_rounds_are_found_by_their_last_movement;
}

/// Runs every case on one subject; returns those that failed, each with its name.
pub async fn run(subject: &dyn Subject) -> Vec<(&'static str, Failure)> {
    let mut failed = Vec::new();
    for case in CASES {
        if let Err(failure) = (case.run)(subject).await {
            failed.push((case.name, failure));
        }
    }
    failed
}
