//! What a client asks for: one command at a time, in the order in which they came.
//!
//! Most are answered at once. Those that need the player, the catalogue or the database run beside the feed,
//! which goes on meanwhile, in tasks of their own: a session whose client does not read is not polled, and must
//! not keep a database connection waiting.

use std::{collections::VecDeque, future::Future, sync::Arc};

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use actix_web_actors::ws::WebsocketContext;
use bytestring::ByteString;
use pitboss_wallet::{PlayerId, Timestamp};
use serde_json::Value;

use super::{
    actor::Session,
    close::CloseCode,
    message::{self, Command, CommandError, Head, Message, Request, Resume},
    topics::{Topics, UnknownTopic},
};
use crate::stream::{Desk, Launched, Login, Refused, Snapshot};

/// What is known of a client's commands.
#[derive(Default)]
pub(super) struct Commands {
    /// One is being carried out.
    running: bool,
    waiting: VecDeque<Request>,
    /// Tokens that were not his.
    refused_tokens: u32,
}

/// What came of a command that took its time.
enum Done {
    Balance(Snapshot),
    Launched(Launched),
    Authenticated(Login),
    KeptAlive(Timestamp),
    TokenRefused(Refused),
}

type Errand = Result<Done, Refused>;

impl Session {
    pub(super) fn command(&mut self, text: &str, ctx: &mut WebsocketContext<Self>) {
        let request = match message::read(text) {
            Ok(request) => request,
            Err(error) => return self.refuse(&error, ctx),
        };
        if !self.commands.running {
            return self.begin(request, ctx);
        }
        if self.commands.waiting.len() >= self.ports.limits.max_commands_waiting {
            return self.refuse(&CommandError::new("busy", request.id), ctx);
        }
        self.commands.waiting.push_back(request);
    }

    fn begin(&mut self, Request { id, command }: Request, ctx: &mut WebsocketContext<Self>) {
        let desk = self.desk.clone();
        let player = self.admission.player().clone();
        let login = self.admission.outbound.login();
        metrics::counter!(
            "pitboss_session_commands_total",
            "environment" => self.admission.environment().as_str(), "command" => command.name()
        )
        .increment(1);
        match command {
            Command::Ping => ctx.text(self.answer(id.as_ref(), |head| Message::Pong { head })),
            Command::Subscribe { types } => {
                let topics = self.admission.outbound.topics();
                self.choose(topics.with(types.iter().map(String::as_str)), id, ctx);
            }
            Command::Unsubscribe { types } => {
                let topics = self.admission.outbound.topics();
                self.choose(topics.without(types.iter().map(String::as_str)), id, ctx);
            }
            Command::Resume { after, epoch } => {
                let resume = Resume { after, epoch, id };
                if let Err(resume) = self.admission.outbound.ask_to_resume(resume) {
                    self.refuse(&CommandError::new("busy", resume.id), ctx);
                }
            }
            Command::Balance => self.run(id, ctx, async move {
                Ok(Done::Balance(desk.balance(&player).await?))
            }),
            Command::Launch { game, currency } => self.run(id, ctx, async move {
                let currency = currency.unwrap_or(login.currency);
                let launched = desk.launch(&player, login.session, &game, currency).await?;
                Ok(Done::Launched(launched))
            }),
            Command::Authenticate { token } => {
                self.run(id, ctx, authenticate(desk, player, token));
            }
            Command::KeepAlive => self.run(id, ctx, async move {
                let expires_at = desk.keep_alive(&player, login.session).await?;
                Ok(Done::KeptAlive(expires_at))
            }),
        }
    }

    pub(super) fn refuse(&self, error: &CommandError, ctx: &mut WebsocketContext<Self>) {
        metrics::counter!(
            "pitboss_session_command_errors_total",
            "environment" => self.admission.environment().as_str(), "code" => error.code
        )
        .increment(1);
        ctx.text(error.text());
    }

    /// An answer with what all of them have.
    fn answer<'a>(
        &self,
        id: Option<&'a Value>,
        message: impl FnOnce(Head<'a>) -> Message<'a>,
    ) -> ByteString {
        let seq = self.admission.outbound.passed();
        message(Head { id, seq }).text()
    }

    fn choose(
        &mut self,
        topics: Result<Topics, UnknownTopic>,
        id: Option<Value>,
        ctx: &mut WebsocketContext<Self>,
    ) {
        match topics {
            Ok(topics) => {
                self.admission.outbound.set_topics(topics);
                let types = topics.names();
                ctx.text(self.answer(id.as_ref(), |head| Message::Subscribed { head, types }));
            }
            Err(unknown) => self.refuse(&CommandError::unknown_topic(&unknown, id), ctx),
        }
    }

    fn run(
        &mut self,
        id: Option<Value>,
        ctx: &mut WebsocketContext<Self>,
        errand: impl Future<Output = Errand> + Send + 'static,
    ) {
        self.commands.running = true;
        let running = tokio::spawn(tokio::time::timeout(self.ports.limits.port_timeout, errand));
        let done = async move {
            match running.await {
                Ok(Ok(done)) => done,
                Ok(Err(_)) => Err(retry("no answer in time")),
                Err(error) => {
                    tracing::error!(%error, "a command ended by a bug");
                    Err(retry("something went wrong here"))
                }
            }
        };
        ctx.spawn(done.into_actor(self).map(move |done, session, ctx| {
            session.finish(id, done, ctx);
        }));
    }

    fn finish(&mut self, id: Option<Value>, done: Errand, ctx: &mut WebsocketContext<Self>) {
        self.commands.running = false;
        match done {
            Ok(Done::Balance(Snapshot { wallets, .. })) => {
                let wallets = &wallets;
                ctx.text(self.answer(id.as_ref(), |head| Message::AllBalances { head, wallets }));
            }
            Ok(Done::Launched(launched)) => {
                let launched = &launched;
                ctx.text(self.answer(id.as_ref(), |head| Message::Launched { head, launched }));
            }
            Ok(Done::Authenticated(login)) => {
                self.commands.refused_tokens = 0;
                self.admission.outbound.set_login(login);
                let expires_at = login.expires_at;
                ctx.text(self.answer(id.as_ref(), |head| Message::Authenticated {
                    head,
                    expires_at,
                }));
            }
            Ok(Done::KeptAlive(expires_at)) => {
                ctx.text(self.answer(id.as_ref(), |head| Message::KeptAlive { head, expires_at }));
            }
            Ok(Done::TokenRefused(refused)) => {
                self.commands.refused_tokens += 1;
                if self.commands.refused_tokens > self.ports.limits.max_refused_tokens {
                    return self.close(CloseCode::Unauthorized, ctx);
                }
                self.refuse(&CommandError::refused(refused, id), ctx);
            }
            Err(refused) => self.refuse(&CommandError::refused(refused, id), ctx),
        }
        while !self.commands.running
            && let Some(next) = self.commands.waiting.pop_front()
        {
            self.begin(next, ctx);
        }
    }
}

/// A token of anybody else, or of nobody, changes nothing.
async fn authenticate(desk: Arc<dyn Desk>, player: PlayerId, token: String) -> Errand {
    Ok(match desk.authenticate(&token).await {
        Ok((whose, login)) if whose == player => Done::Authenticated(login),
        Ok(_) => Done::TokenRefused(Refused {
            code: "unauthorized",
            detail: "the token is another player's".to_owned(),
            retryable: false,
        }),
        Err(refused) if refused.retryable => return Err(refused),
        Err(refused) => Done::TokenRefused(refused),
    })
}

fn retry(detail: &str) -> Refused {
    Refused {
        code: "retry",
        detail: detail.to_owned(),
        retryable: true,
    }
}
