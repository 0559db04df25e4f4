//! Providers' callbacks: raw bytes in, the provider's own dialect out, whatever happens in between.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::HeaderMap,
    web::{Bytes, Data, Payload},
};
use futures_util::FutureExt;
use pitboss_providers::{
    Answer, Ask, Call, CallError, Code, Context, Dialect, Found, Headers, Known, Lookup, Outcome,
    Problem, RawRequest,
};
use pitboss_wallet::{
    Authenticate, Balance, Command, Currency, Environment, PlayerId, ProviderId, Reply,
};

use super::{
    body,
    problem::{call_error, http_response, response},
};
use crate::{
    app::App,
    catalogue::Provider,
    tokens::{self, TokenKind},
    world::World,
};

/// `POST /callbacks/{environment}/{provider}/{action}`
pub async fn handle(request: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    let began = Instant::now();
    let part = |name| request.match_info().get(name).unwrap_or_default();
    let world = Environment::from_name(part("environment")).and_then(|name| app.world(name));
    let Some(world) = world else {
        return response(&Problem::new(
            Code::UnknownProvider,
            "this environment is not served here",
        ));
    };
    let Some(provider) = world.catalogue.provider(part("provider")) else {
        return response(&Problem::new(
            Code::UnknownProvider,
            CallError::UnknownProvider.to_string(),
        ));
    };
    // From here on everything, also what goes wrong in this very layer, is told in the provider's dialect.
    let (body, unread) = match body::read(payload, (&app.config.server).into()).await {
        Ok(body) => (body, None),
        Err(error) => (Bytes::new(), Some(error)),
    };
    let headers = HttpHeaders(request.headers());
    let raw = RawRequest {
        method: request.method().as_str(),
        path: request.uri().path(),
        action: part("action"),
        query: request.uri().query().unwrap_or_default(),
        headers: &headers,
        body: &body,
        now: world.clock.now(),
        environment: world.environment,
    };
    let mut call = None;
    let outcome = match unread {
        Some(error) => Err(error),
        None if !app.accepts_work() => Err(CallError::Retry { retry_after_s: 1 }),
        None => {
            let carried = AssertUnwindSafe(carry_out(world, &provider, &raw, &mut call));
            carried.catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!(provider = %provider.account.id, "a callback panicked");
                Err(CallError::Internal)
            })
        }
    };
    note(&provider, &outcome, began.elapsed());
    let balance = balance_beside(world, provider.dialect, call.as_ref(), &outcome).await;
    let context = Context {
        request: &raw,
        account: Some(&provider.account),
        call: call.as_ref(),
        balance,
    };
    http_response(provider.dialect.render(&context, &outcome))
}

async fn carry_out(
    world: &World,
    provider: &Provider,
    raw: &RawRequest<'_>,
    understood: &mut Option<Call>,
) -> Outcome {
    let Provider {
        dialect, account, ..
    } = provider;
    dialect.verify(account, raw)?;
    let found = match dialect.lookup(account, raw)? {
        Some(lookup) => look_up(world, &account.id, lookup).await?,
        None => None,
    };
    let standing = |game: &_| world.catalogue.standing(&account.id, game);
    let call = dialect.parse(
        account,
        raw,
        &Known {
            game: &standing,
            found,
        },
    )?;
    let ask = understood.insert(call).ask.clone();
    let (player, command) = match ask {
        Ask::Authenticate { token } => {
            let hash = match tokens::classify(&token) {
                Some((TokenKind::LaunchToken, environment)) if environment == world.environment => {
                    tokens::hash(&token)
                }
                _ => return Err(CallError::unknown_token()),
            };
            let found = world
                .store
                .session_by_token(&hash)
                .await
                .map_err(|error| unavailable(&error))?;
            let (player, session) = found.ok_or_else(CallError::unknown_token)?;
            let provider = account.id.clone();
            (
                player,
                Command::Authenticate(Authenticate {
                    session: session.id,
                    provider,
                }),
            )
        }
        Ask::Balance { player, currency } => (player, Command::Balance(currency)),
        Ask::Play { player, play } => (player, Command::Play(play)),
        Ask::Profile { player, currency } => {
            return profile(world, player, currency).await;
        }
    };
    match world.registry.execute(&player, command).await {
        Ok(Ok(reply)) => Ok(Answer::from((player, reply))),
        Ok(Err(refusal)) => Err(refusal.into()),
        Err(failure) => Err(call_error(&failure)),
    }
}

/// Who a player is.
async fn profile(world: &World, player: PlayerId, currency: Currency) -> Outcome {
    let row = world.store.player(&player).await;
    let row = row.map_err(|error| unavailable(&error))?;
    let row = row.ok_or_else(CallError::unknown_player)?;
    let asked = world.registry.execute(&player, Command::Balance(currency));
    match asked.await {
        Ok(Ok(reply)) => Ok(Answer {
            player,
            reply,
            country: row.country,
        }),
        Ok(Err(refusal)) => Err(refusal.into()),
        Err(failure) => Err(call_error(&failure)),
    }
}

/// The balance of now, where the outcome has none and the dialect may tell one.
async fn balance_beside(
    world: &World,
    dialect: &dyn Dialect,
    call: Option<&Call>,
    outcome: &Outcome,
) -> Option<Balance> {
    match outcome {
        Err(CallError::Refused(refusal)) if refusal.balance.is_some() => return refusal.balance,
        Err(CallError::Refused(refusal)) if dialect.wants_balance(refusal.code) => {}
        Ok(Answer {
            reply: Reply::Settled(settled),
            ..
        }) if settled.current.is_none() => {}
        _ => return None,
    }
    let (player, currency) = call?.wallet()?;
    let asked = world
        .registry
        .execute(player, Command::Balance(currency))
        .await;
    match asked {
        Ok(Ok(Reply::Balance(balance))) => Some(balance),
        _ => None,
    }
}

async fn look_up(
    world: &World,
    provider: &ProviderId,
    lookup: Lookup,
) -> Result<Option<Found>, CallError> {
    let session = match lookup {
        Lookup::Token(token) => world.store.session_by_token(&tokens::hash(&token)).await,
        Lookup::Session(id) => world.store.session(id).await,
        Lookup::LiveSession { player, currency } => {
            let now = world.clock.now();
            let store = &world.store;
            let found = store.live_session(&player, provider, currency, now).await;
            let session = found.map_err(|error| unavailable(&error))?;
            return Ok(Some(Found {
                player,
                currency,
                session: session.map(|session| session.id),
            }));
        }
        Lookup::Player(player) => {
            let view = match world.registry.view(&player).await {
                Ok(view) => view,
                Err(failure) => return Err(call_error(&failure)),
            };
            let currency = view.wallets.first().map(|wallet| wallet.balance.currency);
            return Ok(currency.map(|currency| Found {
                player,
                currency,
                session: None,
            }));
        }
    };
    let session = session.map_err(|error| unavailable(&error))?;
    Ok(session.map(|(player, session)| Found {
        player,
        currency: session.currency,
        session: Some(session.id),
    }))
}

fn unavailable(error: &pitboss_schema::StoreError) -> CallError {
    tracing::error!(%error, "the database did not answer");
    CallError::Retry { retry_after_s: 1 }
}

struct HttpHeaders<'a>(&'a HeaderMap);

impl Headers for HttpHeaders<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.get_all(name);
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        value.to_str().ok()
    }
}

/// Counts and times callbacks by dialect and outcome.
fn note(provider: &Provider, outcome: &Outcome, took: Duration) {
    let code = match outcome {
        Ok(_) => "ok",
        Err(error) => Code::from(error).as_str(),
    };
    let dialect: &'static dyn Dialect = provider.dialect;
    metrics::counter!("pitboss_callbacks_total", "dialect" => dialect.name(), "outcome" => code)
        .increment(1);
    metrics::histogram!("pitboss_callback_seconds", "dialect" => dialect.name()).record(took);
    if let Err(error @ (CallError::BadSignature(_) | CallError::Internal)) = outcome {
        tracing::warn!(provider = %provider.account.id, %error, "a callback was not accepted");
    }
}
