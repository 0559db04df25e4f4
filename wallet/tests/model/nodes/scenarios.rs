//! What is sent in a walk, and how much may go wrong. Small: every order of everything is tried.

use std::sync::Arc;

use pitboss_wallet::{
    Command, DepositStep, PaymentId, Policy, RollbackAfterWin, RollbackAmount, WithdrawalStep,
};

use super::durable::the_player;
use crate::{
    harness::{
        Request, SESSION, a_bet, a_win, approve, batch, bet, cancel, complete, deposit, eur, fail,
        initiate, launch, notice, pay, reject, rollback, rollback_units, start_review, step,
        win_of, withdraw, withdrawal,
    },
    owner::first_id,
};

#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: &'static str,
    /// What was done before the walk begins.
    pub before: Vec<Command>,
    /// Each is sent until it has an answer.
    pub requests: Vec<Command>,
    /// How many requests are sent once more without need: while the first is on its way, or after its answer.
    pub repeats: u8,
    /// How many crashes, lost replies and lost outcomes there are.
    pub faults: u8,
}

/// A player with 100 units and a running game.
fn seated() -> Vec<Command> {
    vec![
        Command::OpenAccount(eur()),
        Command::Launch(launch(SESSION)),
        deposit("initial", 100),
    ]
}

fn played(requests: Vec<Command>, name: &'static str) -> Scenario {
    Scenario {
        name,
        before: seated(),
        requests,
        repeats: 1,
        faults: 2,
    }
}

fn command(request: impl Request) -> Command {
    request.command(&Policy::default())
}

fn with(policy: &Arc<Policy>, request: impl Request) -> Command {
    request.command(policy)
}

/// The player could pay it twice.
pub fn one_bet() -> Scenario {
    Scenario {
        repeats: 3,
        ..played(vec![command(bet("b", "r", 40))], "one bet")
    }
}

pub fn bet_and_rollback() -> Scenario {
    let requests = vec![command(bet("b", "r", 40)), command(rollback("rb", "b"))];
    played(requests, "a bet and its rollback")
}

pub fn bet_and_win() -> Scenario {
    let requests = vec![
        command(bet("b", "r", 40)),
        command(win_of("b", "w", "r", 70)),
    ];
    played(requests, "a bet and its win")
}

/// The player can pay one of them, and one is in a batch.
pub fn two_bets() -> Scenario {
    let actions = vec![a_bet("b2", 70), a_win("w", 5)];
    let requests = vec![command(bet("b1", "r", 60)), command(batch("s", actions))];
    played(requests, "two bets")
}

pub fn changed_amount() -> Scenario {
    let requests = vec![command(bet("b", "r", 40)), command(bet("b", "r", 50))];
    played(requests, "one id, two amounts")
}

/// Of one bet, and one of them gives only a part back. A round that is open is loaded with the player; one that is
/// closed is asked for, after the bet.
fn two_rollbacks(closes_round: bool, name: &'static str) -> Scenario {
    let policy = Arc::new(Policy {
        rollback_amount: RollbackAmount::Partial,
        ..Policy::default()
    });
    let target = pitboss_wallet::Bet {
        closes_round,
        ..bet("b", "r", 90)
    };
    let mut before = seated();
    before.push(with(&policy, target));
    let requests = vec![
        with(&policy, rollback_units("rb1", "b", 30)),
        with(&policy, rollback("rb2", "b")),
    ];
    Scenario {
        before,
        ..played(requests, name)
    }
}

/// A deposit moves the player on once more, so that an owner can be behind twice.
pub fn two_rollbacks_in_an_open_round() -> Scenario {
    let mut scenario = two_rollbacks(false, "two rollbacks, open round");
    scenario.requests.push(deposit("more", 7));
    scenario.faults = 0;
    scenario
}

pub fn two_rollbacks_in_a_closed_round() -> Scenario {
    two_rollbacks(true, "two rollbacks, closed round")
}

/// The bet may go back although it has won: by policy the win stays.
pub fn win_or_rollback() -> Scenario {
    let policy = Arc::new(Policy {
        rollback_after_win: RollbackAfterWin::Reverse,
        ..Policy::default()
    });
    let requests = vec![
        with(&policy, bet("b", "r", 40)),
        with(&policy, win_of("b", "w", "r", 70)),
        with(&policy, rollback("rb", "b")),
    ];
    Scenario {
        repeats: 0,
        ..played(requests, "a win or a rollback")
    }
}

/// The payment that the next command begins, after these.
fn next_payment(before: &[Command]) -> PaymentId {
    PaymentId(first_id(&the_player(), before.len() as u64))
}

/// A withdrawal that came as far as these steps, and those that race each other then, beside a bet.
fn withdrawal_after(
    steps: Vec<WithdrawalStep>,
    races: Vec<WithdrawalStep>,
    name: &'static str,
) -> Scenario {
    let mut before = seated();
    let id = next_payment(&before);
    before.push(withdraw(withdrawal("w", 60)));
    before.extend(steps.into_iter().map(|one| step(id, one)));
    let races = races.into_iter().map(|one| step(id, one));
    let bet = command(bet("b", "r", 90));
    Scenario {
        before,
        faults: 1,
        ..played(races.chain([bet]).collect(), name)
    }
}

pub fn approval_or_cancel() -> Scenario {
    let races = vec![approve("Carl"), cancel()];
    withdrawal_after(vec![start_review()], races, "an approval or a cancel")
}

pub fn payout_or_rejection() -> Scenario {
    let races = vec![WithdrawalStep::Send, reject()];
    let before = vec![start_review(), approve("Carl")];
    withdrawal_after(before, races, "a payout or a rejection")
}

pub fn paid_or_failed() -> Scenario {
    let races = vec![pay("p"), fail()];
    let before = vec![start_review(), approve("Carl"), WithdrawalStep::Send];
    withdrawal_after(before, races, "paid or failed")
}

/// Out of order, and what is taken back may come before what it takes back.
pub fn deposit_notices() -> Scenario {
    let mut before = seated();
    let id = next_payment(&before);
    before.push(initiate("d", 50));
    let charge_back = DepositStep::ChargeBack {
        reason: "not my purchase".to_owned(),
    };
    let requests = vec![notice(id, complete("p", 50)), notice(id, charge_back)];
    Scenario {
        before,
        ..played(requests, "notices of a deposit")
    }
}
