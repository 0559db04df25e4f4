//! The front door of a dialect without a server: what its simulator sends goes in as the server would hand it in, and
//! what is rendered comes back to the simulator.

#![allow(dead_code, reason = "the tests and the bench each use their part")]

use std::sync::Arc;

use pitboss_providers::{
    Account, Call, Context, Dialect, Found, Known, Outcome, ParseError, RawRequest, Response,
    Settings,
    simulate::{Move, Received, Seat, Sent, Simulator, Table, Told},
};
use pitboss_wallet::{
    Currency, Environment, GameId, GameStanding, Money, PlayerId, ProviderId, SessionId, Timestamp,
};

pub const NOW_S: i64 = 1_760_000_000;
pub const PLAYER: &str = "alice";
pub const GAME: &str = "dice";
pub const PROVIDER: &str = "demo";
pub const TOKEN: &str = "lt_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// One account of a dialect, and its provider.
pub struct Door {
    pub dialect: &'static dyn Dialect,
    pub account: Account,
    pub table: Table,
    pub seat: Seat,
}

impl Door {
    /// An account with these settings. The player's session is his only one, and has money in `currency`.
    pub fn new(
        dialect: &'static dyn Dialect,
        settings: Settings,
        session: SessionId,
        balance: Money,
    ) -> Self {
        let (ours, theirs) = dialect.simulator().keys([7; 32]);
        let account = Account {
            id: ProviderId::new(PROVIDER).unwrap(),
            policy: Arc::new(dialect.default_policy()),
            secrets: vec![dialect.secret(ours).unwrap()],
            settings: settings.clone(),
        };
        Self {
            dialect,
            account,
            table: Table {
                path: format!("/callbacks/sandbox/{PROVIDER}"),
                key: theirs,
                settings,
                now_s: NOW_S,
                serial: 0,
            },
            seat: Seat {
                player: PLAYER.to_owned(),
                session: session.to_string(),
                token: TOKEN.to_owned(),
                game: GAME.to_owned(),
                balance,
            },
        }
    }

    pub fn simulator(&self) -> &'static dyn Simulator {
        self.dialect.simulator()
    }

    /// A move as its request; `None`: the dialect has no such move.
    pub fn sent(&mut self, made: &Move) -> Option<Sent> {
        self.table.serial += 1;
        self.simulator().request(&self.table, &self.seat, made)
    }

    /// What the server looks up: there is but one player, and one session.
    pub fn found(&self, currency: Currency) -> Found {
        Found {
            player: PlayerId::new(PLAYER).unwrap(),
            currency,
            session: SessionId::parse(&self.seat.session).ok(),
            game: GameId::new(GAME).ok(),
        }
    }

    /// Verifies, looks up and parses.
    ///
    /// # Errors
    /// The request is not understood. A signature that does not fit is a failed test.
    pub fn call(&self, raw: &RawRequest<'_>) -> Result<Call, ParseError> {
        let verified = self.dialect.verify(&self.account, raw);
        assert_eq!(verified, Ok(0), "{}", self.dialect.name());
        let currency = self.seat.balance.currency;
        let found = self.dialect.lookup(&self.account, raw)?;
        let found = found.map(|_| self.found(currency));
        let game = |_: &GameId| GameStanding::ENABLED;
        self.dialect
            .parse(&self.account, raw, &Known { game: &game, found })
    }

    /// What the provider reads in an answer.
    ///
    /// # Errors
    /// It is none of this dialect.
    pub fn told(&self, made: &Move, response: Response) -> Result<Told, String> {
        let received = Received {
            status: response.status,
            body: response.body,
        };
        self.simulator().read(&self.seat, made, &received)
    }

    pub fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response {
        self.dialect.render(context, outcome)
    }
}

/// A request as the server hands it in, of the account with this path.
pub fn with_raw<T>(account: &str, sent: &Sent, work: impl FnOnce(&RawRequest<'_>) -> T) -> T {
    let path = format!("{account}{}", sent.path);
    let mut headers = sent.headers.clone();
    headers.push(("Content-Type".to_owned(), sent.content_type.to_owned()));
    work(&RawRequest {
        method: sent.method,
        path: &path,
        action: sent.path.trim_start_matches('/'),
        query: &sent.query,
        headers: &headers,
        body: &sent.body,
        now: Timestamp::from_micros(NOW_S * 1_000_000),
        environment: Environment::Sandbox,
    })
}
