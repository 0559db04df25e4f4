//! What a player's actor does, without actix: decide, make durable, apply, tell.

use std::sync::Arc;

use pitboss_wallet::{
    CacheLimits, Command, Decision, Environment, Fact, Facts, Outcome, PlayerId, PlayerState,
    Reply, RoundView, Seam, SessionRules, Settled, Verdict, WalletView, apply, decide,
};

use crate::{
    bridge::Wake,
    journal::{Journal, JournalError},
    metric::{self, hot_counter},
    ports::{Clock, Committed, Ids, Ledger, PortError},
    stream::{EventSink, SinkState, Snapshot},
};

/// How often a command is decided again after its commit found the state stale.
const STALE_MAX: usize = 8;
/// How often the ledger is asked for one decision: own keys, then target, then its round.
const ASK_MAX: usize = 4;

/// Everything that the players of one environment share.
pub struct PlayerPorts {
    pub environment: Environment,
    pub ledger: Arc<dyn Ledger>,
    pub journal: Journal,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub wake: Wake,
    pub cache: CacheLimits,
    pub sessions: SessionRules,
}

/// Why a command has no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("there is no such player")]
    UnknownPlayer,
    /// Refused before any work.
    #[error("too much is going on: {0}")]
    Busy(&'static str),
    /// The outcome is unknown, or the ledger is out of reach. The same request, with the same id, is to be
    /// sent again (T10).
    #[error("the outcome is not known; the same request is to be sent again")]
    Retry,
}

/// One player. Used by one caller at a time.
pub struct Core {
    id: PlayerId,
    ports: Arc<PlayerPorts>,
    /// `None` before the first load, and after an outcome that is unknown.
    state: Option<PlayerState>,
    sinks: Vec<Arc<dyn EventSink>>,
    /// Another owner has committed events that were not pushed here.
    behind: bool,
}

impl Core {
    #[must_use]
    pub fn new(id: PlayerId, ports: Arc<PlayerPorts>) -> Self {
        Self {
            id,
            ports,
            state: None,
            sinks: Vec::new(),
            behind: false,
        }
    }

    /// Whether somebody streams this player.
    pub fn has_sinks(&mut self) -> bool {
        self.sinks.retain(|sink| sink.push(&[]) == SinkState::Open);
        !self.sinks.is_empty()
    }

    /// Carries a command out. An `Ok` outcome is durable, or needed no writing.
    ///
    /// # Errors
    /// [`Failure`]: there is no outcome.
    pub async fn execute(&mut self, command: &Command) -> Result<Outcome, Failure> {
        let result = self.carry_out(command).await;
        if std::mem::take(&mut self.behind) {
            // Nothing was pushed that would have shown the sessions the hole.
            self.sinks.clear();
        }
        result
    }

    async fn carry_out(&mut self, command: &Command) -> Result<Outcome, Failure> {
        let mut facts = Facts::default();
        let mut asked = 0;
        let mut stale = 0;
        if matches!(command, Command::Balance(_)) {
            self.refresh().await?;
        }
        loop {
            let ports = self.ports.clone();
            let state = self.loaded().await?;
            let mut new_id = || ports.ids.uuid();
            let mut seam = Seam {
                now: ports.clock.now(),
                environment: ports.environment,
                sessions: ports.sessions,
                new_id: &mut new_id,
            };
            match decide(state, &facts, command, &mut seam) {
                Verdict::Answer(reply) => {
                    note_answer(&reply, asked > 0);
                    return Ok(Ok(reply));
                }
                Verdict::Refuse(refusal) => {
                    metrics::counter!(metric::COMMANDS, "outcome" => "refused").increment(1);
                    return Ok(Err(refusal));
                }
                Verdict::Need(need) => {
                    asked += 1;
                    if asked > ASK_MAX + stale {
                        tracing::error!(?need, "a decision asks for facts without an end");
                        return Err(Failure::Retry);
                    }
                    let found = self.ask(command, need, &facts).await?;
                    facts.extend(found);
                    self.forget_if_stale(&facts);
                }
                Verdict::Commit(decision) => {
                    let decision = Arc::new(*decision);
                    match self.ports.journal.commit(decision.clone()).await {
                        Ok(Committed::Durable) => return Ok(self.take_over(&decision)),
                        Ok(Committed::Stale) => {
                            metrics::counter!(metric::STALE).increment(1);
                            stale += 1;
                            if stale > STALE_MAX {
                                return Err(Failure::Retry);
                            }
                            // Another owner was faster, or the request came before. Both are in the ledger:
                            // look there for all that this command may turn on.
                            self.fall_behind();
                            facts = Facts::default();
                            let found = self.ask(command, Vec::new(), &facts).await?;
                            facts.extend(found);
                        }
                        // Nothing was written and the state still holds.
                        Err(JournalError::Busy) => return Err(Failure::Busy("journal")),
                        Err(JournalError::Commit(_)) => {
                            self.forget();
                            return Err(Failure::Retry);
                        }
                    }
                }
            }
        }
    }

    /// The player's wallets and open rounds, as the ledger has them.
    ///
    /// # Errors
    /// [`Failure`]: the player could not be loaded.
    pub async fn snapshot(&mut self) -> Result<Snapshot, Failure> {
        self.refresh().await?;
        let state = self.loaded().await?;
        Ok(Snapshot {
            seq: state.last_event,
            wallets: state.wallets.iter().map(WalletView::from).collect(),
            open_rounds: state
                .rounds
                .iter()
                .filter(|round| round.state.is_open())
                .map(RoundView::from)
                .collect(),
        })
    }

    /// Registers a sink, and returns the state at that moment: every later event is pushed.
    ///
    /// # Errors
    /// [`Failure`]: the player could not be loaded.
    pub async fn subscribe(&mut self, sink: Arc<dyn EventSink>) -> Result<Snapshot, Failure> {
        let snapshot = self.snapshot().await?;
        self.has_sinks();
        self.sinks.push(sink);
        Ok(snapshot)
    }

    async fn loaded(&mut self) -> Result<&PlayerState, Failure> {
        if self.state.is_none() {
            let loaded = self.ports.ledger.load(&self.id).await.map_err(retry)?;
            self.state = Some(loaded.ok_or(Failure::UnknownPlayer)?);
        }
        self.state.as_ref().ok_or(Failure::Retry)
    }

    /// Drops what is held in memory, because the ledger may know better. The sinks go too: their sessions
    /// come back and fill from the ledger what they have missed.
    fn forget(&mut self) {
        self.state = None;
        self.sinks.clear();
    }

    /// The ledger knows better, but the sinks stay: what this command commits is pushed with a hole before
    /// it, which the sessions fill from the ledger. Two nodes that share a busy player would else take his
    /// sessions apart with every bet.
    fn fall_behind(&mut self) {
        self.state = None;
        self.behind = true;
    }

    /// What is only read has no commit that would find a stale state: another node may have moved on.
    async fn refresh(&mut self) -> Result<(), Failure> {
        if self.state.is_some() {
            let now = self.ports.ledger.find(&self.id, &[]).await.map_err(retry)?;
            self.forget_if_stale(&now);
        }
        Ok(())
    }

    /// Another owner has moved on: nobody is to be refused on what was true before.
    fn forget_if_stale(&mut self, facts: &Facts) {
        let held = self.state.as_ref().map(|state| state.version);
        if held.is_some() && facts.version.is_some() && held != facts.version {
            self.forget();
        }
    }

    /// Asks for what is needed; on the first time for all that the command may turn on.
    async fn ask(
        &self,
        command: &Command,
        need: Vec<Fact>,
        known: &Facts,
    ) -> Result<Facts, Failure> {
        let mut question = need;
        for fact in command.facts() {
            if !question.contains(&fact) && !is_answered(known, &fact) {
                question.push(fact);
            }
        }
        if question.is_empty() {
            return Ok(Facts::default());
        }
        self.ports
            .ledger
            .find(&self.id, &question)
            .await
            .map_err(retry)
    }

    fn take_over(&mut self, decision: &Decision) -> Outcome {
        if let Some(state) = &mut self.state {
            apply(state, decision, self.ports.cache);
        }
        if !decision.events.is_empty() {
            self.behind = false;
            self.sinks
                .retain(|sink| sink.push(&decision.events) == SinkState::Open);
            self.ports.wake.poke(decision.lane);
        }
        hot_counter!(metric::COMMANDS, "outcome" => "committed").increment(1);
        decision.outcome.clone()
    }
}

fn is_answered(facts: &Facts, fact: &Fact) -> bool {
    match fact {
        Fact::Transaction(key) => facts.transactions.iter().any(|(of, _)| of == key),
        Fact::Round(key) => facts.rounds.iter().any(|(of, _)| of == key),
        Fact::Session(id) => facts.sessions.iter().any(|(of, _)| of == id),
        Fact::Sessions => facts.unended.is_some(),
        Fact::Payment(id) => facts.payments.iter().any(|(of, _)| of == id),
    }
}

fn note_answer(reply: &Reply, from_ledger: bool) {
    if let Reply::Settled(Settled { replayed: true, .. }) = reply {
        let found = if from_ledger { "ledger" } else { "cache" };
        metrics::counter!(metric::IDEMPOTENCY, "found" => found).increment(1);
        metrics::counter!(metric::COMMANDS, "outcome" => "replayed").increment(1);
    } else {
        metrics::counter!(metric::COMMANDS, "outcome" => "read").increment(1);
    }
}

fn retry(error: PortError) -> Failure {
    tracing::error!(%error, "the ledger did not answer");
    Failure::Retry
}
