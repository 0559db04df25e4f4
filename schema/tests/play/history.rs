//! A player to whom a bit of everything happened.

use pitboss_schema::Store;
use pitboss_wallet::{
    Action, Adjust, AdjustmentCategory, Authenticate, BetWin, By, Command, Currency, Deposit,
    Direction, GameStanding, MakerChecker, Money, PlayCommand, Policy, Rollback, RollbackAmount,
    RollbackOfWin, RoundId, TransactionScope, VoidRound, Win, WinKind,
};

use super::{Player, eur, external, game};

/// Takes wins back, and bets in part.
pub fn lenient(scope: TransactionScope) -> Policy {
    Policy {
        transaction_scope: scope,
        rollback_of_win: RollbackOfWin::Reverse,
        rollback_amount: RollbackAmount::Partial,
        ..Policy::default()
    }
}

/// What happened to alice and bob: two currencies, rounds in every state, every kind of correction, a tombstone, a
/// debt. Their ids are their own; those of bob belong to the whole provider account.
pub async fn of_alice_and_bob(store: &Store) -> (Player, Player) {
    let alice = happened(store, "alice", lenient(TransactionScope::Player)).await;
    let bob = happened(store, "bob", lenient(TransactionScope::Provider)).await;
    (alice, bob)
}

async fn happened(store: &Store, name: &str, policy: Policy) -> Player {
    let mut player = Player::seated(store, name, policy).await;
    let id = |text: &str| format!("{name} {text}");
    let usd = Currency::from_code("USD").unwrap();
    player.run(&Command::OpenAccount(usd)).await;
    let deposit = Deposit {
        reference: external(&id("dollars")),
        amount: Money::new(500, usd),
    };
    player.run(&Command::Deposit(deposit)).await;
    let authenticate = Authenticate {
        session: player.session,
        provider: player.origin.provider.clone(),
    };
    player.run(&Command::Authenticate(authenticate)).await;

    // A round that is won and closed, and a win that comes after that.
    player.bet_into(&id("b-1"), "r-1", 100).await;
    player.win(&id("w-1"), "r-1", 250, true).await;
    player.win(&id("w-late"), "r-1", 7, false).await;
    // A bet that goes back, and one that goes back in part.
    player.bet_into(&id("b-2"), "r-2", 40).await;
    player.take_back(&id("rb-2"), &id("b-2"), None).await;
    player.bet_into(&id("b-3"), "r-3", 60).await;
    player.take_back(&id("rb-3"), &id("b-3"), Some(25)).await;
    // A round that is voided, with a win of nothing in it.
    player.bet_into(&id("b-4"), "r-4", 11).await;
    player.bet_into(&id("b-5"), "r-4", 12).await;
    player.win(&id("w-5"), "r-4", 30, false).await;
    player.win(&id("w-nothing"), "r-4", 0, false).await;
    let void = VoidRound {
        transaction: external(&id("void")),
        game: game(),
        round: RoundId::new("r-4").unwrap(),
        reason: "a test".to_owned(),
        by: None,
    };
    player.run(&player.play(PlayCommand::VoidRound(void))).await;
    // By hand, there and back.
    for (reference, direction) in [("adj-1", Direction::Credit), ("adj-2", Direction::Debit)] {
        let by = By {
            key: uuid::Uuid::nil(),
            person: "Mary".to_owned(),
        };
        let adjust = Adjust {
            reference: external(&id(reference)),
            direction,
            amount: Money::new(15, eur()),
            category: AdjustmentCategory::Correction,
            reason: "a test".to_owned(),
            allow_debt: false,
            by: MakerChecker {
                maker: by.clone(),
                checker: Some(by),
            },
        };
        player.run(&Command::Adjust(adjust)).await;
    }
    // Bets and wins in one call, in a round that stays open.
    let batch = BetWin {
        session: player.session,
        game: game(),
        standing: GameStanding::ENABLED,
        round: RoundId::new("r-5").unwrap(),
        currency: eur(),
        actions: vec![
            Action::Bet {
                transaction: external(&id("b-6")),
                units: 20,
            },
            Action::Win {
                transaction: external(&id("w-6")),
                units: 5,
                kind: WinKind::Ordinary,
            },
            Action::Bet {
                transaction: external(&id("b-7")),
                units: 30,
            },
        ],
        closes_round: false,
    };
    player.run(&player.play(PlayCommand::BetWin(batch))).await;
    // A rollback of what never came.
    player.rollback(&id("rb-ghost"), &id("ghost")).await;
    // A win that is taken back when it is spent: he owes.
    player.bet_into(&id("b-8"), "r-6", 10).await;
    player.win(&id("w-8"), "r-6", 300, false).await;
    let all = player.state.wallet(eur()).unwrap().cash;
    player.bet_into(&id("b-all"), "r-7", all).await;
    player.take_back(&id("rb-8"), &id("w-8"), None).await;
    player.win(&id("w-all"), "r-7", 9_000, true).await;
    player
}

impl Player {
    async fn bet_into(&mut self, id: &str, round: &str, units: i64) {
        self.run(&self.bet_in(id, round, units)).await;
    }

    async fn win(&mut self, id: &str, round: &str, units: i64, closes_round: bool) {
        self.run(&self.win_in(id, round, units, closes_round)).await;
    }

    pub fn win_in(&self, id: &str, round: &str, units: i64, closes_round: bool) -> Command {
        let win = Win {
            transaction: external(id),
            game: game(),
            standing: GameStanding::ENABLED,
            round: RoundId::new(round).unwrap(),
            amount: Money::new(units, eur()),
            bet: None,
            kind: WinKind::Ordinary,
            closes_round,
        };
        self.play(PlayCommand::Win(win))
    }

    pub fn rollback_of(&self, id: &str, target: &str, units: Option<i64>) -> Command {
        self.play(PlayCommand::Rollback(Rollback {
            transaction: external(id),
            target: external(target),
            round: None,
            units,
        }))
    }

    pub fn void_of(&self, id: &str, round: &str) -> Command {
        self.play(PlayCommand::VoidRound(VoidRound {
            transaction: external(id),
            game: game(),
            round: RoundId::new(round).unwrap(),
            reason: "a test".to_owned(),
            by: None,
        }))
    }

    pub async fn take_back(&mut self, id: &str, target: &str, units: Option<i64>) {
        self.run(&self.rollback_of(id, target, units)).await;
    }
}
