//! Random histories: whatever is sent, in whatever order, the invariants hold.
//!
//! Ids, rounds and amounts are few, so that requests meet each other: repeats, mismatches, rollbacks before and after,
//! shared ids. The ledger of the harness checks INV-1, 2, 3, 4, 7 and the sums of the rounds after each commit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::*;
use pitboss_wallet::{
    Action, Bet, CacheLimits, Command, GameStanding, LateBet, LateWin, Outcome, PlayCommand,
    PlayerStatus, Policy, RefusalCode, Reply, RollbackAfterWin, RollbackAmount, RollbackOfWin,
    RoundScope, Settled, TransactionScope, Win, WinKind, WinWithoutBet,
};
use proptest::{prelude::*, sample::select};

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Play(PlayCommand),
    Deposit(&'static str, i64),
    Status(PlayerStatus),
    EndSession,
    Launch,
    Wait(i64),
    /// The same as the step before.
    Again,
    /// The actor is restarted.
    Restart,
}

fn id() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c", "d", "e", "f"])
}

fn round() -> impl Strategy<Value = &'static str> {
    select(vec!["r", "s", "t"])
}

fn units() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 0..=120_i64,
        1 => select(vec![0, 1, -1, i64::MAX, i64::MAX - 1, i64::MIN, i64::MIN + 1]),
    ]
}

fn standing() -> impl Strategy<Value = GameStanding> {
    prop_oneof![
        10 => Just(GameStanding::ENABLED),
        1 => Just(GameStanding::DISABLED),
        1 => Just(GameStanding::FINISHING),
        1 => Just(GameStanding::Unknown),
    ]
}

fn a_game() -> impl Strategy<Value = &'static str> {
    prop_oneof![5 => Just("dice"), 1 => Just("slots")]
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.1)
}

fn any_bet() -> impl Strategy<Value = PlayCommand> {
    (id(), round(), units(), standing(), a_game(), rarely()).prop_map(
        |(id, round, units, standing, on, closes_round)| {
            PlayCommand::Bet(Bet {
                standing,
                game: game(on),
                closes_round,
                ..bet(id, round, units)
            })
        },
    )
}

fn any_win() -> impl Strategy<Value = PlayCommand> {
    let kind = prop_oneof![
        5 => Just(WinKind::Ordinary),
        1 => select(vec![WinKind::Free, WinKind::Jackpot, WinKind::Correction]),
    ];
    let named = prop::option::weighted(0.3, id());
    (
        id(),
        round(),
        units(),
        standing(),
        a_game(),
        named,
        kind,
        rarely(),
    )
        .prop_map(
            |(id, round, units, standing, on, named, kind, closes_round)| {
                PlayCommand::Win(Win {
                    standing,
                    game: game(on),
                    bet: named.map(ext),
                    kind,
                    closes_round,
                    ..win(id, round, units)
                })
            },
        )
}

fn any_batch() -> impl Strategy<Value = PlayCommand> {
    let action = (prop::bool::ANY, id(), units()).prop_map(|(is_bet, id, units)| -> Action {
        if is_bet {
            a_bet(id, units)
        } else {
            a_win(id, units)
        }
    });
    (round(), prop::collection::vec(action, 0..4), rarely()).prop_map(
        |(round, actions, closes_round)| {
            PlayCommand::BetWin(pitboss_wallet::BetWin {
                closes_round,
                ..batch(round, actions)
            })
        },
    )
}

fn any_rollback() -> impl Strategy<Value = PlayCommand> {
    (id(), id(), prop::option::weighted(0.4, units())).prop_map(|(id, target, units)| {
        PlayCommand::Rollback(pitboss_wallet::Rollback {
            units,
            ..rollback(id, target)
        })
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any_bet().prop_map(Step::Play),
        6 => any_win().prop_map(Step::Play),
        4 => any_batch().prop_map(Step::Play),
        6 => any_rollback().prop_map(Step::Play),
        2 => round().prop_map(|round| Step::Play(PlayCommand::CloseRound(close(round)))),
        2 => (id(), round()).prop_map(|(id, round)| Step::Play(PlayCommand::VoidRound(void(id, round)))),
        3 => (id(), units()).prop_map(|(id, units)| Step::Deposit(id, units)),
        1 => select(vec![PlayerStatus::Active, PlayerStatus::Active, PlayerStatus::BetsBlocked]).prop_map(Step::Status),
        1 => Just(Step::EndSession),
        2 => Just(Step::Launch),
        1 => (1..40_000_i64).prop_map(Step::Wait),
        4 => Just(Step::Again),
        1 => Just(Step::Restart),
    ]
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..50)
}

fn policy() -> impl Strategy<Value = Policy> {
    let flags = prop::collection::vec(prop::bool::ANY, 8);
    let amount = select(vec![
        RollbackAmount::Ignore,
        RollbackAmount::MustEqual,
        RollbackAmount::Partial,
    ]);
    (flags, amount).prop_map(|(flags, rollback_amount)| {
        let pick = |index: usize| flags[index];
        Policy {
            transaction_scope: if pick(0) {
                TransactionScope::Provider
            } else {
                TransactionScope::Player
            },
            round_scope: if pick(1) {
                RoundScope::Game
            } else {
                RoundScope::Provider
            },
            late_bet: if pick(2) {
                LateBet::Accept
            } else {
                LateBet::Refuse
            },
            rollback_after_win: if pick(3) {
                RollbackAfterWin::Reverse
            } else {
                RollbackAfterWin::Refuse
            },
            rollback_of_win: if pick(4) {
                RollbackOfWin::Refuse
            } else {
                RollbackOfWin::Reverse
            },
            rollback_amount,
            win_without_bet: if pick(5) {
                WinWithoutBet::Refuse
            } else {
                WinWithoutBet::Allow
            },
            late_win: if pick(6) {
                LateWin::Refuse
            } else {
                LateWin::Allow
            },
            refusal_burns_id: pick(7),
            auto_close_after_s: None,
        }
    })
}

/// A table that a history is played on.
struct Play {
    table: Table,
    last: Option<Command>,
    /// Sessions that were launched: the newest is the one that bets name.
    launched: u128,
}

impl Play {
    fn on(policy: &Policy) -> Self {
        Self {
            table: Table::with_policy(policy.clone()).holding(500),
            last: None,
            launched: SESSION,
        }
    }

    fn command(&mut self, step: &Step) -> Option<Command> {
        let command = match step {
            Step::Play(play) => {
                let mut play = play.clone();
                match &mut play {
                    PlayCommand::Bet(bet) => bet.session = session(self.launched),
                    PlayCommand::BetWin(batch) => batch.session = session(self.launched),
                    _ => {}
                }
                play.command(&self.table.policy)
            }
            Step::Deposit(reference, units) => deposit(reference, *units),
            Step::Status(new) => status(*new),
            Step::EndSession => Command::EndSession(session(self.launched)),
            Step::Launch => {
                // Sessions 1 and 2 belong to the harness.
                self.launched = self.launched.max(100) + 1;
                let mut launch = launch(self.launched);
                launch.expires_at = self.table.now.plus_seconds(50_000);
                Command::Launch(launch)
            }
            Step::Again => return self.last.clone(),
            Step::Restart => {
                self.table.restart();
                return None;
            }
            Step::Wait(seconds) => {
                self.table.now = self.table.now.plus_seconds(*seconds);
                return None;
            }
        };
        self.last = Some(command.clone());
        Some(command)
    }

    /// Plays a step; `None` when it asks nothing of the wallet.
    fn play(&mut self, step: &Step) -> Option<(Command, Outcome)> {
        let command = self.command(step)?;
        let outcome = self.table.send(&command);
        Some((command, outcome))
    }
}

fn limits() -> impl Strategy<Value = CacheLimits> {
    (0..4_usize, 0..6_usize, 0..3_usize).prop_map(|(rounds, transactions, sessions)| CacheLimits {
        rounds,
        transactions,
        sessions,
    })
}

/// What was carried out and is to be answered the same for ever.
fn newly_settled(outcome: &Outcome) -> Option<&Settled> {
    match outcome {
        Ok(Reply::Settled(settled)) if !settled.replayed => Some(settled),
        _ => None,
    }
}

proptest! {
    #![proptest_config(config())]

    /// INV-1, 2, 3, 4, 7 and the sums of rounds: the harness checks them in every commit.
    #[test]
    fn inv_1_to_4_and_7_hold_in_every_history(policy in policy(), history in history()) {
        let mut play = Play::on(&policy);
        for step in &history {
            play.play(step);
        }
    }

    /// What a cache holds, or forgot, changes no outcome: asking the ledger for everything comes to the same.
    #[test]
    fn t3_the_caches_change_no_outcome(policy in policy(), history in history(), limits in limits()) {
        let mut warm = Play::on(&policy);
        let mut small = Play::on(&policy);
        let mut cold = Play::on(&policy);
        small.table.node.limits = limits;
        cold.table.node.forgetful = true;
        for step in &history {
            let expected = warm.play(step);
            for other in [&mut small, &mut cold] {
                let outcome = other.play(step);
                prop_assert_eq!(
                    expected.as_ref().map(|(_, outcome)| outcome),
                    outcome.as_ref().map(|(_, outcome)| outcome)
                );
                prop_assert_eq!(warm.table.version(), other.table.version());
                prop_assert_eq!(warm.table.cash(), other.table.cash());
                prop_assert_eq!(warm.table.held(), other.table.held());
            }
        }
        let bodies = |play: &Play| -> Vec<String> {
            let events = play.table.ledger.events(&player("alice"));
            events.iter().map(|event| event.body.clone()).collect()
        };
        prop_assert_eq!(bodies(&warm), bodies(&cold));
    }

    /// T2, T3, INV-4: at once and at the end, with the caches and without.
    #[test]
    fn t2_any_duplicate_of_an_accepted_request_is_answered_the_same_and_changes_nothing(
        policy in policy(),
        history in history(),
    ) {
        let mut play = Play::on(&policy);
        let mut accepted = Vec::new();
        for step in &history {
            let Some((command, outcome)) = play.play(step) else { continue };
            if let Some(settled) = newly_settled(&outcome) {
                accepted.push((command, settled.receipts.clone()));
            }
            let Some((command, receipts)) = accepted.last() else { continue };
            let version = play.table.version();
            let again = play.table.send(command);
            prop_assert_eq!(play.table.version(), version);
            prop_assert!(matches!(&again, Ok(Reply::Settled(again)) if again.replayed && again.receipts == *receipts));
        }
        play.table.node.forgetful = true;
        let version = play.table.version();
        for (command, receipts) in &accepted {
            let again = play.table.send(command);
            let same = matches!(&again, Ok(Reply::Settled(again)) if again.replayed && again.receipts == *receipts);
            prop_assert!(same, "{command:?}: {again:?} for {receipts:?}");
        }
        prop_assert_eq!(play.table.version(), version);
    }

    /// T4: a refusal writes nothing, unless the policy burns the id of a bet; then it moves nothing.
    #[test]
    fn t4_a_refusal_moves_nothing(policy in policy(), history in history()) {
        let mut play = Play::on(&policy);
        for step in &history {
            let before = (play.table.version(), play.table.cash(), play.table.held(), play.table.owed(), play.table.last_seq());
            let Some((command, outcome)) = play.play(step) else { continue };
            let Err(refusal) = outcome else { continue };
            let after = (play.table.version(), play.table.cash(), play.table.held(), play.table.owed(), play.table.last_seq());
            let is_bet = matches!(&command, Command::Play(play) if matches!(play.command, PlayCommand::Bet(_)));
            if policy.refusal_burns_id && is_bet {
                prop_assert_eq!((before.1, before.2, before.3, before.4), (after.1, after.2, after.3, after.4));
            } else {
                prop_assert_eq!(before, after);
            }
            if let Some(balance) = refusal.balance.filter(|_| refusal.code == RefusalCode::InsufficientFunds && !policy.refusal_burns_id) {
                prop_assert_eq!(balance.cash, play.table.cash());
            }
        }
    }

    /// INV-5: a new bet and its rollback leave balances, the held stake and the round's totals as they were.
    #[test]
    fn inv_5_a_bet_and_its_rollback_are_the_identity(
        policy in policy(),
        history in history(),
        amount in 0..200_i64,
        into in round(),
        in_batch in prop::bool::ANY,
    ) {
        let mut play = Play::on(&policy);
        for step in &history {
            play.play(step);
        }
        play.play(&Step::Status(PlayerStatus::Active));
        play.play(&Step::Launch);
        let totals = |play: &Play| {
            let rounds = play.table.ledger.rounds_of(&play.table.node.state.id);
            let mut totals: Vec<_> = rounds
                .filter(|round| !round.entries.iter().all(|entry| entry.external_id == ext("new")))
                .map(|round| (format!("{:?}", round.key), round.stake(), round.won(), round.held(), round.state.as_str()))
                .collect();
            totals.sort();
            (play.table.cash(), play.table.owed(), play.table.held(), totals)
        };
        let before = totals(&play);
        let bet = if in_batch {
            PlayCommand::BetWin(batch(into, vec![a_bet("new", amount)]))
        } else {
            PlayCommand::Bet(bet("new", into, amount))
        };
        let Some((_, Ok(_))) = play.play(&Step::Play(bet)) else { return Ok(()) };
        prop_assert_eq!(play.table.cash(), before.0 - amount);
        let (_, outcome) = play.play(&Step::Play(PlayCommand::Rollback(rollback("back", "new")))).unwrap();
        match outcome {
            Ok(_) => prop_assert_eq!(totals(&play), before),
            // A win that overtook its bet settles it.
            Err(refusal) => prop_assert_eq!(refusal.code, RefusalCode::AlreadySettled),
        }
    }

    /// INV-6: two nodes with one player's state, one always stale, come to the same as one node.
    #[test]
    fn inv_6_two_nodes_decide_as_one(policy in policy(), history in history(), turns in prop::collection::vec(prop::bool::ANY, 50)) {
        let mut alone = Play::on(&policy);
        let mut shared = Play::on(&policy);
        let mut other = Node::new(shared.table.ledger.load(&player("alice")));
        for (step, here) in history.iter().zip(turns) {
            let expected = alone.play(step);
            if !here {
                std::mem::swap(&mut shared.table.node, &mut other);
            }
            // What a refusal and a repeat read may be stale; the actors compare versions first. So do we.
            let id = shared.table.node.state.id.clone();
            if shared.table.node.state.version != shared.table.ledger.load(&id).version {
                let command = shared.command(step);
                let Some(command) = command else { continue };
                // Whatever a stale node decides, its commit fails.
                let before = shared.table.version();
                let now = shared.table.now;
                if let pitboss_wallet::Verdict::Commit(decision) =
                    shared.table.node.decide(&shared.table.ledger, now, &command)
                {
                    prop_assert_eq!(shared.table.ledger.commit(&decision), Err(Stale));
                }
                prop_assert_eq!(shared.table.version(), before);
                shared.table.restart();
                let outcome = shared.table.send(&command);
                prop_assert_eq!(expected.map(|(_, outcome)| outcome), Some(outcome));
            } else {
                let outcome = shared.play(step);
                prop_assert_eq!(expected.map(|(_, outcome)| outcome), outcome.map(|(_, outcome)| outcome));
            }
        }
        prop_assert_eq!(alone.table.version(), shared.table.version());
    }

    /// INV-6: one set of requests in any order, with duplicates. No request moves twice, and each moves what it says.
    #[test]
    fn inv_6_in_any_order_each_request_moves_once_or_not_at_all(
        policy in policy(),
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let requests: [PlayCommand; 6] = [
            PlayCommand::Bet(bet("x", "r", 100)),
            PlayCommand::Win(win_of("x", "w", "r", 30)),
            PlayCommand::Win(win("x", "r", 50)),
            PlayCommand::Rollback(rollback("rb", "x")),
            PlayCommand::Bet(bet("y", "r", 10)),
            PlayCommand::Rollback(rollback("rb2", "w")),
        ];
        let mut play = Play::on(&policy);
        for index in order {
            play.play(&Step::Play(requests[index % requests.len()].clone()));
        }
        let id = player("alice");
        let moved = |external_id: &str, kind: pitboss_wallet::Kind| {
            let mut rows = play.table.ledger.transactions();
            rows.any(|row| {
                row.key.external_id == ext(external_id) && row.key.kind == kind && !row.postings.is_empty()
            })
        };
        // A rollback that was acknowledged leaves no stake of the bet that it names.
        let round = play.table.ledger.rounds_of(&id).next();
        let stands = round.and_then(|round| round.entry(pitboss_wallet::Kind::Bet, &ext("x"))).is_some_and(pitboss_wallet::RoundEntry::is_live);
        let rolled_back = play.table.ledger.transactions().any(|row| row.key.external_id == ext("rb"));
        prop_assert!(!(stands && rolled_back), "the rollback of x was acknowledged, and x stands");
        prop_assert!(!stands || moved("x", pitboss_wallet::Kind::Bet));
    }
}
