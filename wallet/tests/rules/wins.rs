//! T8: wins.

use pitboss_wallet::{
    Command, GameStanding, PlayerStatus, Policy, RefusalCode, Win, WinKind, WinWithoutBet,
};

use crate::harness::*;

const NOT_ORDINARY: [WinKind; 5] = [
    WinKind::Free,
    WinKind::Jackpot,
    WinKind::Promo,
    WinKind::Tournament,
    WinKind::Correction,
];

fn no_win_without_bet() -> Policy {
    Policy {
        win_without_bet: WinWithoutBet::Refuse,
        ..Policy::default()
    }
}

#[test]
fn t8_a_win_is_paid_to_a_player_who_is_blocked_logged_out_or_whose_game_is_disabled() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.done(&status(PlayerStatus::BetsBlocked));
    table.applied(win("w1", "r", 1));
    table.done(&Command::EndSession(session(SESSION)));
    table.applied(win("w2", "r", 1));
    table.now = NOON.plus_seconds(10_000_000);
    for (id, standing) in [
        ("w3", GameStanding::DISABLED),
        ("w4", GameStanding::Unknown),
    ] {
        table.applied(Win {
            standing,
            ..win(id, "r", 1)
        });
    }
    assert_eq!(table.cash(), 904);
}

#[test]
fn t8_a_batch_of_wins_alone_is_paid_like_a_win() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.done(&Command::EndSession(session(SESSION)));
    table.done(&status(PlayerStatus::BetsBlocked));
    table.applied(close("r"));
    let wins = vec![a_win("w1", 10), a_win("w2", 20)];
    table.accepted(batch("r", wins.clone()));
    table.replayed(batch("r", wins));
    assert_eq!(table.cash(), 930);
    let with_a_bet = vec![a_bet("b2", 0), a_win("w3", 10)];
    table.refused(RefusalCode::SessionExpired, batch("r", with_a_bet));
}

#[test]
fn t8_a_win_after_the_rollback_of_its_bet_is_rolled_back() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(rollback("rb", "b"));
    table.refused(RefusalCode::RolledBack, win_of("b", "w", "r", 300));
    table.refused(RefusalCode::RolledBack, win("w", "r", 300));
    table.refused(RefusalCode::RolledBack, batch("r", vec![a_win("w", 300)]));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn t8_a_win_is_paid_while_another_bet_of_the_round_stands() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b1", "r", 100));
    table.applied(bet("b2", "r", 100));
    table.applied(rollback("rb", "b1"));
    table.applied(win("w1", "r", 10));
    table.applied(win_of("b2", "w2", "r", 10));
    table.refused(RefusalCode::RolledBack, win_of("b1", "w3", "r", 10));
    assert_eq!(table.cash(), 920);
}

/// Bet and win of one play share the id: the win belongs to that bet, even when it does not name it.
#[test]
fn t8_a_win_with_the_id_of_a_rolled_back_bet_of_its_round_is_rolled_back() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("x", "r", 100));
    table.applied(bet("y", "r", 100));
    table.applied(rollback("rb", "x"));
    table.refused(RefusalCode::RolledBack, win("x", "r", 300));
    table.refused(RefusalCode::RolledBack, batch("r", vec![a_win("x", 300)]));
    table.applied(win("y", "r", 300));
    assert_eq!(table.cash(), 1_200);
}

#[test]
fn t8_by_default_a_win_without_a_bet_is_paid() {
    let mut table = Table::with_cash(1_000);
    table.applied(win("w", "r", 300));
    assert_eq!(table.cash(), 1_300);
    assert_eq!(
        table.subjects_after(3)[1..],
        ["game.round_opened", "wallet.win_credited"]
    );
}

#[test]
fn t8_by_policy_a_win_without_a_bet_is_refused_unless_it_needs_none() {
    let mut table = Table::with_policy(no_win_without_bet()).holding(1_000);
    table.refused(RefusalCode::UnknownBet, win("w", "r", 300));
    table.refused(RefusalCode::UnknownBet, batch("r", vec![a_win("w", 300)]));
    for (number, kind) in NOT_ORDINARY.into_iter().enumerate() {
        let id = format!("w{number}");
        table.applied(Win {
            kind,
            ..win(&id, "r", 10)
        });
    }
    assert_eq!(table.cash(), 1_050);
    table.applied(bet("b", "r", 100));
    table.applied(win("w", "r", 300));
}

#[test]
fn t8_a_win_that_names_a_bet_needs_that_bet_in_its_round() {
    let mut table = Table::with_cash(1_000);
    table.refused(RefusalCode::UnknownBet, win_of("b", "w", "r", 300));
    table.applied(bet("b", "r", 100));
    table.refused(RefusalCode::UnknownBet, win_of("b", "w", "s", 300));
    table.refused(RefusalCode::UnknownBet, win_of("c", "w", "r", 300));
    table.applied(win_of("b", "w", "r", 300));
    assert_eq!(table.cash(), 1_200);
}

#[test]
fn t8_a_win_of_a_game_that_nobody_knows_is_refused_unless_its_round_is_known() {
    let unknown = |id: &str, round: &str| Win {
        standing: GameStanding::Unknown,
        ..win(id, round, 10)
    };
    let mut table = Table::with_cash(1_000);
    table.refused(RefusalCode::UnknownGame, unknown("w", "r"));
    table.applied(Win {
        kind: WinKind::Correction,
        ..unknown("w", "r")
    });
    table.applied(unknown("w2", "r"));
}

#[test]
fn t8_a_win_of_zero_is_a_record_without_a_movement() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    let receipt = table.applied(win("w", "r", 0));
    assert_eq!((receipt.units, receipt.balance.unwrap().cash), (0, 900));
    let stored = table
        .ledger
        .transactions()
        .find(|stored| stored.id == receipt.transaction);
    assert!(stored.unwrap().postings.is_empty());
    table.replayed(win("w", "r", 0));
    table.refused(RefusalCode::TransactionMismatch, win("w", "r", 1));
}

#[test]
fn t8_many_kinds_of_wins_are_told_apart_in_the_event() {
    let mut table = Table::with_cash(1_000);
    for (number, kind) in NOT_ORDINARY.into_iter().enumerate() {
        table.applied(Win {
            kind,
            ..win(&number.to_string(), "r", 10)
        });
        let told = table.newest("wallet.win_credited");
        assert_eq!(told["data"]["kind"], serde_json::to_value(kind).unwrap());
    }
}
