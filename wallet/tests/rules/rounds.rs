//! Section 2: rounds.

use pitboss_wallet::{
    Account, Bet, CloseRound, LateWin, Policy, RefusalCode, RollbackAmount, RoundScope, RoundState,
    RoundView, Win,
};

use crate::harness::*;

fn state(table: &Table, round: &str) -> RoundState {
    table.ledger.round(&player("alice"), round).unwrap().state
}

#[test]
fn a_round_opens_on_its_first_bet_and_takes_many_bets_and_wins() {
    let mut table = Table::with_cash(1_000);
    let seq = table.last_seq();
    table.applied(bet("b1", "r", 100));
    table.applied(bet("b2", "r", 50));
    table.applied(win("w1", "r", 30));
    table.applied(win("w2", "r", 0));
    let opened = table.subjects_after(seq);
    assert_eq!(
        opened
            .iter()
            .filter(|subject| **subject == "game.round_opened")
            .count(),
        1
    );
    let view = RoundView::from(table.ledger.round(&player("alice"), "r").unwrap());
    assert_eq!((view.bets, view.wins, view.state), (2, 2, RoundState::Open));
    assert_eq!(
        (view.stake, view.won, view.held),
        (cents(150), cents(30), cents(150))
    );
    assert_eq!((table.cash(), table.held()), (880, 150));
}

#[test]
fn a_refused_bet_opens_no_round() {
    let mut table = Table::with_cash(10);
    let seq = table.last_seq();
    table.refused(RefusalCode::InsufficientFunds, bet("b", "r", 11));
    assert!(table.subjects_after(seq).is_empty());
    table.refused(RefusalCode::UnknownBet, close("r"));
}

#[test]
fn a_round_is_closed_by_a_flag_on_its_bet() {
    let mut table = Table::with_cash(1_000);
    table.applied(Bet {
        closes_round: true,
        ..bet("b", "r", 100)
    });
    assert_eq!((state(&table, "r"), table.held()), (RoundState::Closed, 0));
    table.refused(RefusalCode::RoundClosed, bet("b2", "r", 1));
}

#[test]
fn a_round_is_closed_by_a_flag_on_its_win() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    let seq = table.last_seq();
    table.applied(Win {
        closes_round: true,
        ..win("w", "r", 30)
    });
    assert_eq!((state(&table, "r"), table.held()), (RoundState::Closed, 0));
    assert_eq!(
        table.subjects_after(seq),
        ["wallet.win_credited", "game.round_closed"]
    );
}

#[test]
fn a_round_is_closed_by_a_call_once() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        table.applied(bet("b", "r", 100));
        let seq = table.last_seq();
        let first = table.applied(close("r"));
        assert_eq!(table.replayed(close("r")).receipts, vec![first]);
        assert_eq!(table.subjects_after(seq), ["game.round_closed"]);
        assert_eq!((state(&table, "r"), table.held()), (RoundState::Closed, 0));
    }
}

#[test]
fn a_close_of_a_round_that_a_flag_closed_is_accepted_and_told_once() {
    let mut table = Table::with_cash(1_000);
    let seq = table.last_seq();
    table.applied(Bet {
        closes_round: true,
        ..bet("b", "r", 100)
    });
    table.applied(close("r"));
    let closed = table.subjects_after(seq);
    assert_eq!(
        closed
            .iter()
            .filter(|subject| **subject == "game.round_closed")
            .count(),
        1
    );
}

#[test]
fn a_close_of_an_unknown_round_is_refused() {
    let mut table = Table::with_cash(1_000);
    table.refused(RefusalCode::UnknownBet, close("r"));
    table.applied(bet("b", "r", 100));
    table.applied(close("r"));
}

#[test]
fn a_bet_after_the_close_is_refused() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b1", "r", 100));
    table.applied(close("r"));
    table.refused(RefusalCode::RoundClosed, bet("b2", "r", 100));
    table.replayed(bet("b1", "r", 100));
}

#[test]
fn by_default_a_late_win_is_paid_and_flagged() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(close("r"));
    let seq = table.last_seq();
    table.applied(Win {
        closes_round: true,
        ..win("w", "r", 30)
    });
    assert_eq!(table.cash(), 930);
    assert_eq!(table.newest("wallet.win_credited")["data"]["late"], true);
    assert_eq!(table.subjects_after(seq), ["wallet.win_credited"]);
    assert_eq!(state(&table, "r"), RoundState::Closed);
}

#[test]
fn by_policy_a_late_win_is_refused() {
    let mut table = Table::with_policy(Policy {
        late_win: LateWin::Refuse,
        ..Policy::default()
    })
    .holding(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(win("w1", "r", 1));
    table.applied(close("r"));
    table.refused(RefusalCode::RoundClosed, win("w2", "r", 30));
    table.refused(RefusalCode::RoundClosed, batch("r", vec![a_win("w2", 30)]));
    table.replayed(win("w1", "r", 1));
    assert_eq!(table.cash(), 901);
}

#[test]
fn a_void_takes_wins_back_first_then_bets_newest_first_in_one_transaction() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        table.applied(bet("b1", "r", 100));
        table.applied(win("w1", "r", 10));
        table.applied(bet("b2", "r", 200));
        table.applied(win("w2", "r", 20));
        let seq = table.last_seq();
        let receipt = table.applied(void("v", "r"));
        assert_eq!(
            (receipt.units, receipt.funding.cash),
            (300, 300),
            "the stake that went back"
        );
        assert_eq!((table.cash(), table.held(), table.owed()), (1_000, 0, 0));
        let stored = table
            .ledger
            .transactions()
            .find(|stored| stored.id == receipt.transaction);
        let moves: Vec<_> = stored
            .unwrap()
            .postings
            .iter()
            .filter(|posting| posting.account == Account::Cash)
            .map(|posting| posting.amount.units)
            .collect();
        assert_eq!(moves, [-20, -10, 200, 100]);
        assert_eq!(
            table.subjects_after(seq),
            [
                "wallet.win_rolled_back",
                "wallet.win_rolled_back",
                "wallet.bet_rolled_back",
                "wallet.bet_rolled_back",
                "game.round_voided"
            ]
        );
        assert_eq!(
            table.newest("game.round_voided")["data"]["reason"],
            "the game crashed"
        );
        assert_eq!(
            table.newest("wallet.bet_rolled_back")["data"]["target_transaction_id"],
            "b1"
        );
    }
}

#[test]
fn a_voided_round_takes_no_bet_and_pays_no_win() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(void("v", "r"));
    table.refused(RefusalCode::RoundClosed, bet("b2", "r", 100));
    table.refused(RefusalCode::RolledBack, win("w", "r", 100));
    table.refused(RefusalCode::RolledBack, batch("r", vec![a_win("w", 100)]));
    table.applied(close("r"));
    assert_eq!(state(&table, "r"), RoundState::Voided);
}

#[test]
fn a_void_is_told_once_and_moves_once() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    let first = table.applied(void("v", "r"));
    assert_eq!(table.replayed(void("v", "r")).receipts, vec![first]);
    let seq = table.last_seq();
    assert_eq!(table.applied(void("v2", "r")).units, 0);
    assert!(table.subjects_after(seq).is_empty());
    assert_eq!(table.cash(), 1_000);
    table.refused(RefusalCode::UnknownBet, void("v3", "nobody"));
}

#[test]
fn a_void_of_a_closed_round_gives_everything_back() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(close("r"));
    table.applied(win("w", "r", 40));
    table.applied(void("v", "r"));
    assert_eq!((table.cash(), table.held()), (1_000, 0));
}

#[test]
fn a_void_gives_back_only_what_still_stands() {
    let mut table = Table::with_policy(Policy {
        rollback_amount: RollbackAmount::Partial,
        ..Policy::default()
    })
    .holding(1_000);
    table.applied(bet("b1", "r", 100));
    table.applied(bet("b2", "r", 100));
    table.applied(bet("b3", "r", 100));
    table.applied(win_of("b3", "w", "r", 50));
    table.applied(rollback_units("rb1", "b1", 40));
    table.applied(rollback("rb2", "b2"));
    table.applied(rollback_units("rb3", "w", 20));
    let receipt = table.applied(void("v", "r"));
    assert_eq!(receipt.units, 160);
    assert_eq!((table.cash(), table.held()), (1_000, 0));
    table.replayed(rollback_units("rb1", "b1", 40));
    assert_eq!(table.cash(), 1_000);
}

/// Wins go back before the bets, so a shortage is owed although the stake comes back right after.
#[test]
fn a_void_whose_wins_were_spent_leaves_a_debt_and_tells_it() {
    let mut table = Table::with_cash(100);
    table.applied(bet("b", "r", 100));
    table.applied(win("w", "r", 300));
    table.applied(bet("b2", "s", 300));
    table.applied(void("v", "r"));
    assert_eq!((table.cash(), table.owed()), (100, 300));
    assert_eq!(
        table.newest("wallet.negative_balance")["data"]["amount"],
        "0.0003"
    );
}

#[test]
fn two_rounds_of_one_player_run_at_once() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b1", "r1", 100));
    table.applied(bet("b2", "r2", 200));
    table.applied(bet("b3", "r1", 50));
    assert_eq!(table.held(), 350);
    table.applied(win("w1", "r2", 10));
    table.applied(close("r1"));
    assert_eq!(table.held(), 200);
    assert_eq!(
        (state(&table, "r1"), state(&table, "r2")),
        (RoundState::Closed, RoundState::Open)
    );
}

#[test]
fn the_game_may_change_inside_one_session_and_round() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b1", "r", 100));
    table.applied(Bet {
        game: game("dice-bonus"),
        ..bet("b2", "r", 100)
    });
    assert_eq!(
        table.newest("wallet.bet_debited")["data"]["game"],
        "dice-bonus"
    );
    assert_eq!(
        table
            .ledger
            .round(&player("alice"), "r")
            .unwrap()
            .entries
            .len(),
        2
    );
}

#[test]
fn by_policy_a_round_id_is_unique_within_its_game() {
    let mut table = Table::with_policy(Policy {
        round_scope: RoundScope::Game,
        ..Policy::default()
    })
    .holding(1_000);
    let slots = |id: &str, units| Bet {
        game: game("slots"),
        ..bet(id, "r", units)
    };
    table.applied(bet("b1", "r", 100));
    table.applied(slots("b2", 200));
    table.applied(close("r"));
    table.refused(RefusalCode::RoundClosed, bet("b3", "r", 1));
    table.applied(slots("b4", 1));
    assert_eq!(table.held(), 201);
    let close_slots = CloseRound {
        game: game("slots"),
        ..close("r")
    };
    table.applied(close_slots.clone());
    table.replayed(close_slots);
    assert_eq!(table.held(), 0);
}

#[test]
fn by_default_a_round_id_is_unique_within_the_provider() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b1", "r", 100));
    table.applied(close("r"));
    let slots = Bet {
        game: game("slots"),
        ..bet("b2", "r", 100)
    };
    table.refused(RefusalCode::RoundClosed, slots);
}

#[test]
fn a_round_has_one_currency() {
    let mut table = Table::with_cash(1_000);
    table.done(&pitboss_wallet::Command::OpenAccount(currency("USD")));
    table.applied(bet("b", "r", 100));
    let usd = Win {
        amount: pitboss_wallet::Money::new(5, currency("USD")),
        ..win("w", "r", 0)
    };
    table.refused(RefusalCode::CurrencyMismatch, usd);
}

/// An interrupted round waits to be resumed: it takes bets and wins, holds its stake, and can be closed.
#[test]
fn an_interrupted_round_is_open() {
    assert!(RoundState::Interrupted.is_open());
    for state in [RoundState::Closed, RoundState::Voided] {
        assert!(!state.is_open());
    }
}

#[test]
fn a_voided_round_pays_no_win_of_any_kind_and_no_round_of_wins_alone() {
    let mut table = Table::with_cash(1_000);
    table.applied(win("w1", "r", 100));
    table.applied(void("v", "r"));
    for kind in [
        pitboss_wallet::WinKind::Ordinary,
        pitboss_wallet::WinKind::Promo,
    ] {
        let late = Win {
            kind,
            ..win("w2", "r", 100)
        };
        table.refused(RefusalCode::RolledBack, late);
    }
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn a_late_batch_of_wins_does_not_close_its_round_again() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(close("r"));
    let seq = table.last_seq();
    table.accepted(pitboss_wallet::BetWin {
        closes_round: true,
        ..batch("r", vec![a_win("w", 30)])
    });
    assert_eq!(table.subjects_after(seq), ["wallet.win_credited"]);
}
