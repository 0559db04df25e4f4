//! What a dialect is, and what passes between it and the server.

use std::{any::Any, fmt, sync::Arc};

use pitboss_wallet::{
    Balance, Currency, Environment, GameId, GameStanding, Origin, Play, PlayCommand, PlayerId,
    Policy, ProviderId, RefusalCode, Reply, SessionId, Timestamp,
};
use serde::Serialize;
use subtle::Choice;

use crate::{
    CallError, ParseError, Problem, Setting, Settings, SignatureError, simulate::Simulator,
};

/// Looks a header up by name, whatever its case.
pub trait Headers {
    /// The header's value; `None` when it is missing, is not text, or is there more than once: a dialect
    /// never has to choose which of two signatures counts.
    fn get(&self, name: &str) -> Option<&str>;
}

impl<N: AsRef<str>, V: AsRef<str>, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn get(&self, name: &str) -> Option<&str> {
        only(self, name)
    }
}

impl<N: AsRef<str>, V: AsRef<str>> Headers for Vec<(N, V)> {
    fn get(&self, name: &str) -> Option<&str> {
        only(self, name)
    }
}

fn only<'a, N: AsRef<str>, V: AsRef<str>>(headers: &'a [(N, V)], name: &str) -> Option<&'a str> {
    let mut values = headers
        .iter()
        .filter(|(given, _)| given.as_ref().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_ref());
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// A callback as it came from the network. Nothing in it is decoded: signatures cover these very bytes.
#[derive(Clone, Copy)]
pub struct RawRequest<'a> {
    /// As in the request line: `POST`.
    pub method: &'a str,
    /// The path of the request line, undecoded and without the query.
    pub path: &'a str,
    /// What follows the provider in the path: `bet`, `transaction/bet`, `bet.html`.
    pub action: &'a str,
    /// What follows the `?`, undecoded; empty when there is none.
    pub query: &'a str,
    pub headers: &'a dyn Headers,
    pub body: &'a [u8],
    pub now: Timestamp,
    pub environment: Environment,
}

/// A key that a provider signs with (or its public half). Prints as stars.
#[derive(Clone)]
pub struct Secret {
    bytes: Arc<[u8]>,
    read: Option<Arc<dyn Any + Send + Sync>>,
}

impl Secret {
    #[must_use]
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self {
            bytes: bytes.into(),
            read: None,
        }
    }

    /// With what a dialect read in the bytes, once: to read a public key costs more than to use it.
    #[must_use]
    pub fn with(bytes: impl Into<Arc<[u8]>>, read: impl Any + Send + Sync) -> Self {
        Self {
            bytes: bytes.into(),
            read: Some(Arc::new(read)),
        }
    }

    /// The bytes, for the dialect that computes with them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// What [`Secret::with`] was given.
    #[must_use]
    pub fn read<T: Any>(&self) -> Option<&T> {
        self.read.as_ref()?.downcast_ref()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// One integration with one provider.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: ProviderId,
    pub policy: Arc<Policy>,
    /// All that are valid now, the newest first: more than one while they are rotated. With none, nothing verifies.
    pub secrets: Vec<Secret>,
    /// What the dialect lets an account choose.
    pub settings: Settings,
}

impl Account {
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            provider: self.id.clone(),
            policy: Arc::clone(&self.policy),
        }
    }

    /// The place of the secret that a request was signed with, the newest if several fit. All are tried, so that the time
    /// taken does not tell which one it was; an empty one is a key that everybody knows, and signs nothing.
    ///
    /// # Errors
    /// None fits.
    pub(crate) fn fitting_secret(
        &self,
        fits: impl Fn(&[u8]) -> Choice,
    ) -> Result<usize, SignatureError> {
        let mut fitting = None;
        for (place, secret) in self.secrets.iter().enumerate().rev() {
            let secret = secret.expose();
            if !secret.is_empty() && fits(secret).into() {
                fitting = Some(place);
            }
        }
        fitting.ok_or(SignatureError::Mismatch)
    }

    /// A player's play command under this account's rules.
    #[must_use]
    pub fn play(&self, command: PlayCommand) -> Play {
        Play {
            origin: self.origin(),
            command,
        }
    }
}

/// Whom the server must find before a request can be parsed, for dialects whose requests do not carry the
/// player or the currency themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// By our own session id.
    Session(SessionId),
    /// By the token that the player was launched with, exchanged or not.
    Token(String),
    /// By the token that the player was launched with, where [`Ask::Authenticate`] exchanges it for our session id: it
    /// names its session until then, and only the player from then on.
    LaunchToken(String),
    /// By the player's id, for the currency that he plays in.
    Player(PlayerId),
    /// The player's newest live session with this account in a currency, for dialects that name no session.
    LiveSession {
        player: PlayerId,
        currency: Currency,
    },
}

/// What a [`Lookup`] found. A session is found whether it is live or not: a win must be paid in either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub player: PlayerId,
    pub currency: Currency,
    pub session: Option<SessionId>,
    /// The game that the session was launched in, for dialects whose requests do not name it.
    pub game: Option<GameId>,
}

/// What only the server knows and a request may turn on.
pub struct Known<'a> {
    /// How a game of this account stands in the catalogue.
    pub game: &'a dyn Fn(&GameId) -> GameStanding,
    /// The answer to [`Dialect::lookup`]; `None` when it asked nothing or there is none.
    pub found: Option<Found>,
}

/// What a provider asks.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Exchange a launch token: the server finds its player and session.
    Authenticate { token: String },
    /// Whether a session is still live; asking keeps it so. The one that was [`Found`], or it is not valid.
    KeepAlive {
        player: PlayerId,
        session: SessionId,
    },
    Balance {
        player: PlayerId,
        currency: Currency,
    },
    /// One command, committed as a whole or not at all, however many actions the request has.
    Play { player: PlayerId, play: Play },
    /// Who the player is: answered with his balance in the currency, and his country.
    Profile {
        player: PlayerId,
        currency: Currency,
    },
}

/// A request, understood.
#[derive(Debug, Clone)]
pub struct Call {
    pub ask: Ask,
    /// What the dialect wants back when it renders, such as the request's own id. Opaque to the server.
    pub echo: Option<String>,
    /// The currency that is played in, where the request does not say it.
    pub currency: Option<Currency>,
}

impl From<Ask> for Call {
    fn from(ask: Ask) -> Self {
        Self {
            ask,
            echo: None,
            currency: None,
        }
    }
}

impl Call {
    /// A player's play command under an account's rules. `currency`: as in [`Call::currency`].
    #[must_use]
    pub fn play(
        account: &Account,
        player: PlayerId,
        currency: Option<Currency>,
        command: PlayCommand,
    ) -> Self {
        Self {
            ask: Ask::Play {
                player,
                play: account.play(command),
            },
            echo: None,
            currency,
        }
    }

    /// Whose wallet in which currency it is about, as far as is known.
    #[must_use]
    pub fn wallet(&self) -> Option<(&PlayerId, Currency)> {
        match &self.ask {
            Ask::Authenticate { .. } => None,
            Ask::KeepAlive { player, .. } => Some((player, self.currency?)),
            Ask::Balance { player, currency } | Ask::Profile { player, currency } => {
                Some((player, *currency))
            }
            Ask::Play { player, play } => {
                let currency = play.command.currency().or(self.currency)?;
                Some((player, currency))
            }
        }
    }
}

/// What the wallet answered, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub player: PlayerId,
    pub reply: Reply,
    /// The player's country (ISO 3166-1 alpha-2), where [`Ask::Profile`] asked and it is known.
    pub country: Option<String>,
}

impl From<(PlayerId, Reply)> for Answer {
    fn from((player, reply): (PlayerId, Reply)) -> Self {
        Self {
            player,
            reply,
            country: None,
        }
    }
}

/// How a call ended.
pub type Outcome = Result<Answer, CallError>;

/// What is at hand when an outcome is rendered. The earlier a request failed, the less there is.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub request: &'a RawRequest<'a>,
    /// `None` when there is no such provider.
    pub account: Option<&'a Account>,
    /// `None` when the request was not understood.
    pub call: Option<&'a Call>,
    /// The player's balance now: with a refusal that [`Dialect::wants_balance`], and with an answer that has none.
    pub balance: Option<Balance>,
}

impl<'a> Context<'a> {
    /// What was to be played, if anything was.
    #[must_use]
    pub fn command(&self) -> Option<&'a PlayCommand> {
        match &self.call?.ask {
            Ask::Play { play, .. } => Some(&play.command),
            _ => None,
        }
    }
}

/// Which balance is to stand beside an outcome in [`Context::balance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    Nothing,
    /// It came with the outcome.
    This(Balance),
    /// The one of now has to be asked for.
    Now,
}

impl Beside {
    #[must_use]
    pub fn of(dialect: &dyn Dialect, outcome: &Outcome) -> Self {
        match outcome {
            Err(CallError::Refused(refusal)) => match refusal.balance {
                Some(balance) => Self::This(balance),
                None if dialect.wants_balance(refusal.code) => Self::Now,
                None => Self::Nothing,
            },
            Ok(Answer {
                reply: Reply::Settled(settled),
                ..
            }) if settled.current.is_none() => Self::Now,
            _ => Self::Nothing,
        }
    }
}

/// The answer as it goes to the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Some providers use numbers above 599.
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self {
                status,
                content_type: "application/json",
                headers: Vec::new(),
                body,
            },
            // The command may be done already, so this must never look like its failure (T10).
            Err(_) => Problem::unprintable(),
        }
    }
}

/// The wire format of a family of providers.
///
/// The server calls [`verify`](Self::verify), then [`lookup`](Self::lookup), then [`parse`](Self::parse),
/// carries the [`Call`] out, and [`render`](Self::render)s the outcome. Everything that goes wrong on the way,
/// also in the server's own HTTP layer, is rendered here too, because many providers know no status but 200.
pub trait Dialect: Send + Sync {
    /// The name by which provider accounts choose this dialect.
    fn name(&self) -> &'static str;

    /// The choices of an account that makes none.
    fn default_policy(&self) -> Policy;

    /// What else an account may choose.
    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    /// Whether the provider gives us the key (such as his public one), instead of us giving him one.
    fn key_is_given(&self) -> bool {
        false
    }

    /// Reads a key, once; a wrong one is refused when it is given, not at the first request.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    fn secret(&self, bytes: Vec<u8>) -> Result<Secret, String> {
        if bytes.is_empty() {
            return Err("must not be empty".to_owned());
        }
        Ok(Secret::new(bytes))
    }

    /// Whether the answer to a refusal tells the player's balance of now. It costs a look at the wallet.
    fn wants_balance(&self, _refusal: RefusalCode) -> bool {
        false
    }

    /// Checks the signature over the raw request, in constant time, before anything is parsed. Accepts any
    /// of the account's secrets, and tells the place of the first one that fits among them.
    ///
    /// # Errors
    /// [`SignatureError`] says what is wrong with the signature.
    fn verify(&self, account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError>;

    /// Whom the server must find before [`parse`](Self::parse); most dialects ask nothing.
    ///
    /// # Errors
    /// [`ParseError`], as `parse` would give it.
    fn lookup(
        &self,
        _account: &Account,
        _request: &RawRequest<'_>,
    ) -> Result<Option<Lookup>, ParseError> {
        Ok(None)
    }

    /// Understands a verified request.
    ///
    /// A form error alone is refused here. What depends on the state of the world (a session, a game, a
    /// limit) is passed on, because the stored transaction has to be answered first (T3).
    ///
    /// # Errors
    /// [`ParseError`] says what is wrong with the request.
    fn parse(
        &self,
        account: &Account,
        request: &RawRequest<'_>,
        known: &Known<'_>,
    ) -> Result<Call, ParseError>;

    /// The provider's end, for tests and for `pitboss simulate`.
    fn simulator(&self) -> &'static dyn Simulator;

    /// Puts any outcome into the provider's format.
    fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_there_twice_counts_as_absent() {
        let headers = [("a", "1"), ("X-Sign", "2"), ("x-sign", "3")];
        assert_eq!(headers.get("A"), Some("1"));
        assert_eq!(headers.get("X-Sign"), None);
        assert_eq!(headers.get("b"), None);
    }

    #[test]
    fn a_secret_prints_as_stars() {
        let secret = Secret::new(*b"hunter2 hunter2");
        assert_eq!(format!("{secret:?}"), "***");
        let read = Secret::with(*b"7", 7_u32);
        assert_eq!(read.read::<u32>(), Some(&7));
        assert_eq!(read.read::<u64>(), None);
        assert_eq!(read, Secret::new(*b"7"));
    }
}
