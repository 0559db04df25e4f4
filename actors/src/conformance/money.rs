//! What was committed reads back as it was applied.

use std::sync::Arc;

use pitboss_wallet::{
    Action, Authenticate, BetWin, Client, Command, Currency, Direction, GameStanding, OpenSession,
    PlayCommand, PlayerStatus, Policy, Rollback, RollbackAmount, RoundScope, SessionId, WinKind,
    apply,
};

use super::{
    Checked, Subject,
    hand::{
        Hand, LIMITS, Table, adjust, deposit, eur, external, game, launch, new_id, now, origin,
        player, round_id, status,
    },
    holds, same, wrong,
};
use crate::ports::Committed;

pub(super) async fn a_player_who_does_not_exist_is_not_loaded(subject: &dyn Subject) -> Checked {
    let ledger = subject.ledger();
    let loaded = ledger.load(&player("nobody")).await?;
    holds("nobody is loaded", loaded.is_none())?;
    let mut hand = Hand::of_new(subject, "somebody").await?;
    hand.state.id = player("nobody");
    let decision = hand.decision(&Command::OpenAccount(eur())).await?;
    same("commit", hand.commit(&decision).await?, Committed::Stale)
}

pub(super) async fn every_kind_of_decision_reads_back_as_it_was_applied(
    subject: &dyn Subject,
) -> Checked {
    let mut hand = Hand::of_new(subject, "all-kinds").await?;
    let policy = Policy {
        rollback_amount: RollbackAmount::Partial,
        round_scope: RoundScope::Game,
        ..Policy::default()
    };
    let table = Table {
        origin: origin(policy),
        session: SessionId(new_id()),
    };
    let usd = Currency::from_code("USD").ok_or_else(|| wrong("no USD"))?;
    let login = SessionId(new_id());
    let mut token_hash = [7; 32];
    token_hash[..16].copy_from_slice(login.0.as_bytes());
    let partial = PlayCommand::Rollback(Rollback {
        transaction: external("k-rb-part"),
        target: external("k-bet-3"),
        round: None,
        units: Some(3_000),
    });
    let batch = PlayCommand::BetWin(BetWin {
        session: table.session,
        game: game(),
        standing: GameStanding::ENABLED,
        round: round_id("k-batch"),
        currency: eur(),
        actions: vec![
            Action::Bet {
                transaction: external("k-b-1"),
                units: 500,
            },
            Action::Win {
                transaction: external("k-b-2"),
                units: 20,
                kind: WinKind::Ordinary,
            },
            Action::Bet {
                transaction: external("k-b-3"),
                units: 1,
            },
        ],
        closes_round: false,
    });
    let steps = [
        ("open account", Command::OpenAccount(eur())),
        ("second account", Command::OpenAccount(usd)),
        ("deposit", deposit("k-deposit", 100_000)),
        (
            "login",
            Command::OpenSession(OpenSession {
                session: login,
                currency: eur(),
                token_hash,
                expires_at: now().plus_seconds(1_000_000),
                client: Client::default(),
            }),
        ),
        ("launch", launch(&table)),
        (
            "authenticate",
            Command::Authenticate(Authenticate {
                session: table.session,
                provider: table.origin.provider.clone(),
            }),
        ),
        ("bet", table.bet("k-bet-1", "k-1", 10_000)),
        ("second bet", table.bet("k-bet-2", "k-1", 0)),
        ("win", table.win("k-win-1", "k-1", 2_500)),
        ("bet and win", table.play(batch)),
        ("close", table.close("k-batch")),
        ("bet to take back", table.bet("k-bet-3", "k-3", 9_000)),
        ("partial rollback", table.play(partial)),
        ("bet beside it", table.bet("k-bet-4", "k-3", 40)),
        ("void", table.void("k-void", "k-3")),
        ("win to take back", table.win("k-win-2", "k-4", 1_000_000)),
        ("all is lost", table.bet("k-bet-5", "k-5", 1_092_019)),
        (
            "rollback of a spent win",
            table.rollback("k-rb-1", "k-win-2"),
        ),
        ("rollback of a bet", table.rollback("k-rb-2", "k-bet-5")),
        ("second debt", table.win("k-win-3", "k-4", 10)),
        ("rollback of nothing", table.rollback("k-rb-3", "k-unknown")),
        ("credit", adjust("k-adjust-1", Direction::Credit, 70)),
        ("debit", adjust("k-adjust-2", Direction::Debit, 30)),
        (
            "debit of all",
            adjust("k-adjust-3", Direction::Debit, 9_000_000),
        ),
        ("block of bets", status(PlayerStatus::BetsBlocked)),
        ("logout", Command::EndSession(login)),
        ("block", status(PlayerStatus::Blocked)),
        ("close for good", status(PlayerStatus::Closed)),
    ];
    for (name, command) in &steps {
        if *name == "all is lost" {
            let cash = hand.state.wallet(eur()).map_or(0, |wallet| wallet.cash);
            hand.accepted(&table.bet("k-bet-5", "k-5", cash)).await?;
        } else {
            hand.accepted(command).await?;
        }
        hand.reads_back(name).await?;
    }
    holds(
        "the player owes",
        hand.state.wallet(eur()).is_some_and(|w| w.receivable < 0),
    )
}

pub(super) async fn a_player_with_many_open_rounds_holds_all_their_stakes(
    subject: &dyn Subject,
) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "many-rounds", 1_000, Policy::default()).await?;
    for n in 0..40 {
        let bet = table.bet(&format!("m-{n}"), &format!("m-{n}"), 10);
        hand.accepted(&bet).await?;
    }
    hand.reload().await?;
    let held = hand.state.wallet(eur()).map(|wallet| wallet.held);
    same("held", held, Some(400))?;
    // The oldest rounds are not loaded, and still found when they are needed.
    holds("all rounds are loaded", hand.state.rounds.len() < 40)?;
    hand.accepted(&table.win("m-win", "m-0", 5)).await?;
    hand.accepted(&table.close("m-1")).await?;
    hand.accepted(&table.bet("m-more", "m-2", 7)).await?;
    hand.reload().await?;
    let held = hand.state.wallet(eur()).map(|wallet| wallet.held);
    same("held", held, Some(397))
}

pub(super) async fn any_text_survives_as_an_external_id(subject: &dyn Subject) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "any-text", 1_000, Policy::default()).await?;
    let texts = [
        "'; drop table ledger; --",
        "ünïcødé 🎲 \u{202e}",
        "\\N",
        "{}\",\\\"",
        "a\nb\t\u{1}",
        " ",
        "NULL",
    ];
    let long = "🎲".repeat(255);
    for text in texts.into_iter().chain([long.as_str()]) {
        let bet = table.bet(text, text, 1);
        let decision = hand.decision(&bet).await?;
        same(text, hand.commit(&decision).await?, Committed::Durable)?;
        apply(&mut hand.state, &decision, LIMITS);
        hand.reads_back(text).await?;
        // Asked of the ledger, not of the cache.
        hand.reload().await?;
        let again: Arc<_> = hand.decision(&table.bet(text, text, 1)).await?;
        same(text, hand.commit(&again).await?, Committed::Stale)?;
    }
    Ok(())
}
