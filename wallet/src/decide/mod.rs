//! `decide`: from a state and a command to a verdict. Nothing is changed here.
//!
//! One file per family of commands; `draft` collects what they want to change. The order of checks is that
//! of the callback protocol: the form, the stored transaction, then session, player, game, round, balance.

mod account;
mod adjust;
mod balances;
mod batch;
mod bet;
mod deposit;
mod draft;
mod form;
mod game;
mod keys;
mod rollback;
mod round;
mod session;
mod stored;
mod void;
mod win;
mod withdrawal;

use uuid::Uuid;

use crate::{
    Command, Decision, Environment, Fact, Facts, Play, PlayCommand, PlayerState, Refusal,
    RefusalCode, Reply, SessionRules, Timestamp,
};
use draft::Draft;

/// What comes from outside: the moment, the world, how long sessions live, and new UUIDs (v7).
pub struct Seam<'a> {
    pub now: Timestamp,
    pub environment: Environment,
    pub sessions: SessionRules,
    pub new_id: &'a mut dyn FnMut() -> Uuid,
}

/// What is to be done about a command.
#[derive(Debug)]
pub enum Verdict {
    /// Make this durable, apply it, then answer its outcome.
    Commit(Box<Decision>),
    /// Answer this; nothing is to be written.
    Answer(Reply),
    /// Answer this; nothing is to be written.
    Refuse(Refusal),
    /// The ledger must be asked first. Decide again with the answers.
    Need(Vec<Fact>),
}

/// Why a decision stops before its end.
enum Stop {
    Answer(Reply),
    Refuse(Refusal),
    /// Refused, and the draft holds the record that uses the id up.
    Burn(Refusal),
    Need(Vec<Fact>),
}

impl Stop {
    fn refuse(code: RefusalCode, detail: impl Into<String>) -> Self {
        Self::Refuse(Refusal::new(code, detail))
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

/// Decides a command on a state and on the facts that were asked for so far.
///
/// A refusal is never given on memory alone: while the ledger has not been asked for the command's own
/// keys, the verdict is [`Verdict::Need`] (T3). An acceptance is, because the commit itself fails when a
/// key or a new round exists already, or when the state is stale.
#[must_use]
pub fn decide(
    state: &PlayerState,
    facts: &Facts,
    command: &Command,
    seam: &mut Seam<'_>,
) -> Verdict {
    // What was true at another version does not fit to this state: it is as good as not asked.
    let nothing = Facts::default();
    let is_of_state = facts.version.is_none_or(|version| version == state.version);
    let facts = if is_of_state { facts } else { &nothing };
    let mut draft = Draft::new(state, facts, seam);
    let ended = match command {
        Command::OpenAccount(currency) => account::open(&mut draft, *currency),
        Command::Deposit(deposit) => deposit::decide(&mut draft, deposit),
        Command::InitiateDeposit(initiate) => deposit::initiate(&mut draft, initiate),
        Command::MoveDeposit(id, step) => deposit::step(&mut draft, *id, step),
        Command::RequestWithdrawal(request) => withdrawal::request(&mut draft, request),
        Command::MoveWithdrawal(id, step) => withdrawal::step(&mut draft, *id, step),
        Command::OpenSession(open) => session::open(&mut draft, open),
        Command::Launch(launch) => session::launch(&mut draft, launch),
        Command::Authenticate(authenticate) => session::authenticate(&mut draft, authenticate),
        Command::EndSession(session) => session::end_one(&mut draft, *session),
        Command::EndSessions(reason) => session::end_all(&mut draft, *reason),
        Command::ExpireSessions => session::expire(&mut draft),
        Command::KeepAlive(session) => session::keep_alive(&mut draft, *session),
        Command::Register(registration) => account::register(&mut draft, registration),
        Command::SetStatus(set) => account::set_status(&mut draft, set),
        Command::Adjust(adjust) => adjust::decide(&mut draft, adjust),
        Command::Balance(currency) => draft
            .balance(*currency)
            .map(Reply::Balance)
            .map_err(Stop::from),
        Command::Play(play) => decide_play(&mut draft, play),
    };
    let outcome = match ended {
        Ok(reply) => Ok(reply),
        Err(Stop::Burn(refusal)) => Err(refusal),
        Err(Stop::Answer(reply)) => return Verdict::Answer(reply),
        Err(Stop::Refuse(refusal)) => return Verdict::Refuse(refusal),
        Err(Stop::Need(facts)) => return Verdict::Need(facts),
    };
    match draft.finish(outcome) {
        Ok(decision) => Verdict::Commit(Box::new(decision)),
        Err(Ok(reply)) => Verdict::Answer(reply),
        Err(Err(refusal)) => Verdict::Refuse(refusal),
    }
}

fn decide_play(draft: &mut Draft<'_, '_>, play: &Play) -> Result<Reply, Stop> {
    form::check(&play.command)?;
    let own = keys::own(play);
    stored::answer_repeat(draft, play, &own)?;
    let ended = match &play.command {
        PlayCommand::Bet(bet) => bet::decide(draft, &play.origin, bet),
        PlayCommand::Win(win) => win::decide(draft, &play.origin, win),
        PlayCommand::BetWin(batch) => batch::decide(draft, &play.origin, batch),
        PlayCommand::Rollback(rollback) => rollback::decide(draft, &play.origin, rollback),
        PlayCommand::Rollbacks(list) => rollback::decide_list(draft, &play.origin, list),
        PlayCommand::CloseRound(close) => round::decide_close(draft, &play.origin, close),
        PlayCommand::VoidRound(void) => void::decide(draft, &play.origin, void),
    };
    match ended {
        Err(Stop::Refuse(refusal)) => stored::refuse(draft, play, &own, refusal),
        other => other,
    }
}
