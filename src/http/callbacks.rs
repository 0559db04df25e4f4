//! Providers' callbacks: raw bytes in, the provider's own dialect out, whatever happens in between.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::HeaderMap,
    web::{Bytes, Data, Payload},
};
use futures_util::FutureExt;
use pitboss_providers::{
    Account, Answer, Ask, Beside, Call, CallError, Code, Context, Dialect, Found, Headers, Known,
    Lookup, Outcome, Problem, RawRequest, Response,
};
use pitboss_schema::ProviderStatus;
use pitboss_wallet::{
    Authenticate, Balance, Command, Environment, PlayerId, ProviderId, Refusal, RefusalCode, Reply,
    Timestamp,
};

use super::{
    auth::origin,
    body,
    problem::{call_error, http_response, response},
    request_id::RequestId,
};
use crate::{
    access::Refusal as Counted,
    app::App,
    callback_log::{self, Seen, Signature},
    catalogue::Provider,
    tokens::{self, TokenKind},
    world::World,
};

/// `/callbacks/{environment}/{provider}/{action}`, and whatever else is below an account.
pub async fn handle(request: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    let began = Instant::now();
    let part = |name| request.match_info().get(name).unwrap_or_default();
    let world = Environment::from_name(part("environment")).and_then(|name| app.world(name));
    let Some(world) = world else {
        return unknown("this environment is not served here");
    };
    let Some(provider) = world.catalogue.provider(part("provider")) else {
        return unknown(&CallError::UnknownProvider.to_string());
    };
    // From here on everything, also what goes wrong in this very layer, is told in the provider's dialect.
    let (body, unread) = match body::read(payload, (&app.config.server).into()).await {
        Ok(body) => (body, None),
        Err(error) => (Bytes::new(), Some(error)),
    };
    let headers = HttpHeaders(request.headers());
    let now = world.clock.now();
    let account = provider.account(now);
    let raw = RawRequest {
        method: request.method().as_str(),
        path: request.uri().path(),
        action: part("action"),
        query: request.uri().query().unwrap_or_default(),
        headers: &headers,
        body: &body,
        now,
        environment: world.environment,
    };
    let mut progress = Progress::default();
    let outcome = match unread {
        Some(error) => Err(error),
        None if !app.accepts_work() => Err(CallError::Retry { retry_after_s: 1 }),
        None => match admit(&provider, &request) {
            Err(error) => Err(error),
            Ok(()) => {
                let work = carry_out(world, &provider, account, &raw, &mut progress);
                survive(provider.id(), work).await
            }
        },
    };
    if let Err(CallError::BadSignature(_)) = outcome {
        let (address, who) = (origin(&request).address.to_string(), provider.id().as_str());
        world
            .refusals
            .count(Counted::BadSignature, &address, who, world.clock.now());
    }
    let took = began.elapsed();
    note(&provider, &outcome, took);
    let call = progress.call.as_ref();
    let balance = balance_beside(world, provider.dialect, call, &outcome);
    let balance = AssertUnwindSafe(balance).catch_unwind().await;
    let context = Context {
        request: &raw,
        account: Some(account),
        call,
        // A balance that a bug kept from being read is none.
        balance: balance.unwrap_or(None),
    };
    let response = rendered(provider.dialect, &context, &outcome);
    if world.callback_log.wants(&provider, outcome.is_err()) {
        let headers = request.headers().iter().take(callback_log::HEADERS_MAX);
        world.callback_log.put(Seen {
            provider: provider.id().clone(),
            received_at: now,
            took,
            address: origin(&request).address.to_string(),
            request_id: RequestId::current().map(|id| id.as_str().to_owned()),
            method: request.method().clone(),
            uri: request.uri().clone(),
            action: part("action").to_owned(),
            headers: headers
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            body: body.clone(),
            signature: progress.signature,
            player: outcome.as_ref().ok().map(|answer| answer.player.clone()),
            outcome: code_of(&outcome),
            status: response.status,
            content_type: response.content_type,
            answer: Bytes::copy_from_slice(&response.body),
            call: progress.call,
        });
    }
    http_response(response)
}

/// A panic is an error like others: what the account's provider is told of it is his dialect's.
async fn survive(provider: &ProviderId, work: impl Future<Output = Outcome>) -> Outcome {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|_| {
        tracing::error!(%provider, "a callback panicked");
        Err(CallError::Internal)
    })
}

/// An outcome that its dialect cannot put into words is told as one that is not known: it may have happened.
fn rendered(dialect: &dyn Dialect, context: &Context<'_>, outcome: &Outcome) -> Response {
    let render = |outcome| catch_unwind(AssertUnwindSafe(|| dialect.render(context, outcome)));
    let unknown = Err(CallError::Retry { retry_after_s: 1 });
    let response = render(outcome).or_else(|_| {
        tracing::error!(dialect = dialect.name(), "an answer was not rendered");
        render(&unknown)
    });
    let detail = "the outcome is not known; send the same request, with the same ids, again";
    response.unwrap_or_else(|_| Response::from(&Problem::new(Code::Retry, detail)))
}

/// A callback that is nobody's has no log but a count.
fn unknown(detail: &str) -> HttpResponse {
    let code = Code::UnknownProvider;
    metrics::counter!("pitboss_callbacks_total", "dialect" => "none", "outcome" => code.as_str())
        .increment(1);
    response(&Problem::new(code, detail))
}

/// How far a callback came.
#[derive(Default)]
struct Progress {
    signature: Signature,
    call: Option<Call>,
}

/// Whether the account takes requests from where this one comes from.
fn admit(provider: &Provider, request: &HttpRequest) -> Result<(), CallError> {
    if provider.networks.is_everywhere() {
        return Ok(());
    }
    let origin = origin(request);
    if provider.networks.admits(origin) {
        return Ok(());
    }
    let address = origin.address.to_string();
    Err(CallError::AddressRefused { address })
}

async fn carry_out(
    world: &World,
    provider: &Provider,
    account: &Account,
    raw: &RawRequest<'_>,
    progress: &mut Progress,
) -> Outcome {
    let dialect = provider.dialect;
    let verified = dialect.verify(account, raw);
    progress.signature = match verified {
        Ok(place) => Signature::Fits(place),
        Err(error) => Signature::Wrong(error),
    };
    verified?;
    if provider.status == ProviderStatus::Closed {
        return Err(CallError::ProviderClosed);
    }
    let found = match dialect.lookup(account, raw)? {
        Some(lookup) => look_up(world, &account.id, lookup).await?,
        None => None,
    };
    let session = found.as_ref().and_then(|found| found.session);
    let floor = world.games.now();
    let standing = |game: &_| {
        let standing = floor.standing(&account.id, game);
        standing.at_most(provider.switch())
    };
    let call = dialect.parse(
        account,
        raw,
        &Known {
            game: &standing,
            found,
        },
    )?;
    let ask = progress.call.insert(call).ask.clone();
    let mut country = None;
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
        Ask::KeepAlive { session: asked, .. } if session != Some(asked) => {
            let detail = "not a game session of this provider";
            return Err(Refusal::new(RefusalCode::SessionInvalid, detail).into());
        }
        Ask::KeepAlive { player, session } => (player, Command::KeepAlive(session)),
        Ask::Balance { player, currency } => (player, Command::Balance(currency)),
        Ask::Play { player, mut play } => {
            mark_used(world, provider, raw.now).await?;
            floor.restrict(&player, &mut play);
            (player, Command::Play(play))
        }
        Ask::Profile { player, currency } => {
            country = country_of(world, &player).await?;
            (player, Command::Balance(currency))
        }
    };
    match world.registry.execute(&player, command).await {
        Ok(Ok(reply)) => Ok(Answer {
            player,
            reply,
            country,
        }),
        Ok(Err(refusal)) => Err(refusal.into()),
        Err(failure) => Err(call_error(&failure)),
    }
}

/// Before an account's first transaction the database is told of it: what keys are made by cannot be changed any more.
/// Whoever goes by an account of before a change has to look first.
async fn mark_used(world: &World, provider: &Provider, now: Timestamp) -> Result<(), CallError> {
    if provider.is_used() {
        return Ok(());
    }
    let marked = world
        .store
        .mark_provider_used(provider.id(), provider.revision, now)
        .await
        .map_err(|error| unavailable(&error))?;
    if marked {
        provider.set_used();
        return Ok(());
    }
    let read = world.catalogue.refresh(&world.store, &world.vault).await;
    read.map_err(|error| unavailable(&error))?;
    Err(CallError::Retry { retry_after_s: 1 })
}

async fn country_of(world: &World, player: &PlayerId) -> Result<Option<String>, CallError> {
    let row = world.store.player(player).await;
    let row = row.map_err(|error| unavailable(&error))?;
    row.map(|row| row.country)
        .ok_or_else(CallError::unknown_player)
}

/// The balance of now, where the outcome has none and the dialect may tell one.
async fn balance_beside(
    world: &World,
    dialect: &dyn Dialect,
    call: Option<&Call>,
    outcome: &Outcome,
) -> Option<Balance> {
    match Beside::of(dialect, outcome) {
        Beside::Nothing => return None,
        Beside::This(balance) => return Some(balance),
        Beside::Now => {}
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
    let is_launch = matches!(lookup, Lookup::LaunchToken(_));
    let session = match lookup {
        Lookup::Token(token) | Lookup::LaunchToken(token) => {
            world.store.session_by_token(&tokens::hash(&token)).await
        }
        Lookup::Session(id) => world.store.session(id).await,
        Lookup::LiveSession { player, currency } => {
            let now = world.clock.now();
            let store = &world.store;
            let found = store.live_session(&player, provider, currency, now).await;
            let session = found.map_err(|error| unavailable(&error))?;
            return Ok(Some(Found {
                player,
                currency,
                session: session.as_ref().map(|session| session.id),
                game: session.and_then(|session| session.game),
            }));
        }
        Lookup::Player(player) => {
            let view = match world.registry.view(&player).await {
                Ok(view) => view,
                Err(failure) => return Err(call_error(&failure)),
            };
            let currency = view.wallets.first().map(|wallet| wallet.currency);
            return Ok(currency.map(|currency| Found {
                player,
                currency,
                session: None,
                game: None,
            }));
        }
    };
    let session = session.map_err(|error| unavailable(&error))?;
    // A login, or a session of another account, is nothing that this provider was given.
    let own = session.filter(|(_, session)| session.provider.as_ref() == Some(provider));
    Ok(own.map(|(player, session)| Found {
        player,
        currency: session.currency,
        session: (!is_launch || session.token_expires_at.is_some()).then_some(session.id),
        game: session.game,
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

fn code_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(error) => Code::from(error).as_str(),
    }
}

/// Counts and times callbacks by dialect and outcome.
fn note(provider: &Provider, outcome: &Outcome, took: Duration) {
    let dialect: &'static dyn Dialect = provider.dialect;
    metrics::counter!("pitboss_callbacks_total", "dialect" => dialect.name(), "outcome" => code_of(outcome))
        .increment(1);
    metrics::histogram!("pitboss_callback_seconds", "dialect" => dialect.name()).record(took);
    if let Err(
        error @ (CallError::BadSignature(_)
        | CallError::AddressRefused { .. }
        | CallError::Internal),
    ) = outcome
    {
        tracing::warn!(provider = %provider.id(), %error, "a callback was not accepted");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use pitboss_providers::{ParseError, SignatureError, simulate::Simulator};
    use pitboss_wallet::Policy;

    use super::*;

    /// Panics so often when it renders.
    struct Broken(AtomicUsize);

    impl Dialect for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }

        fn default_policy(&self) -> Policy {
            Policy::default()
        }

        fn verify(&self, _: &Account, _: &RawRequest<'_>) -> Result<usize, SignatureError> {
            Ok(0)
        }

        fn parse(
            &self,
            _: &Account,
            _: &RawRequest<'_>,
            _: &Known<'_>,
        ) -> Result<Call, ParseError> {
            panic!("a bug")
        }

        fn simulator(&self) -> &'static dyn Simulator {
            panic!("none")
        }

        fn render(&self, _: &Context<'_>, outcome: &Outcome) -> Response {
            let left = self.0.load(Ordering::Relaxed);
            self.0.store(left.saturating_sub(1), Ordering::Relaxed);
            assert_eq!(left, 0, "a bug");
            Response::json(200, &outcome.as_ref().err().map(ToString::to_string))
        }
    }

    fn render(panics: usize, outcome: &Outcome) -> (u16, String) {
        let headers: [(&str, &str); 0] = [];
        let request = RawRequest {
            method: "POST",
            path: "/callbacks/sandbox/acme/bet",
            action: "bet",
            query: "",
            headers: &headers,
            body: b"",
            now: Timestamp::from_micros(0),
            environment: Environment::Sandbox,
        };
        let context = Context {
            request: &request,
            account: None,
            call: None,
            balance: None,
        };
        let response = rendered(&Broken(AtomicUsize::new(panics)), &context, outcome);
        (response.status, String::from_utf8(response.body).unwrap())
    }

    #[test]
    fn an_answer_that_cannot_be_rendered_is_one_that_is_not_known_in_the_dialect_if_it_can() {
        let done: Outcome = Err(CallError::Internal);
        assert!(render(0, &done).1.contains("something went wrong"));
        // The provider would take a failure for one, and it may have been done.
        let (status, text) = render(1, &done);
        assert_eq!(status, 200);
        assert!(text.contains("not known"), "{text}");
        let (status, text) = render(2, &done);
        assert_eq!(status, 503);
        assert!(text.contains("\"code\":\"retry\""), "{text}");
    }

    #[actix_web::test]
    async fn a_panic_on_the_way_is_an_error_of_ours() {
        let id = ProviderId::new("acme").unwrap();
        let outcome = survive(&id, async { panic!("a bug") }).await;
        assert_eq!(outcome, Err(CallError::Internal));
        let outcome = survive(&id, async { Err(CallError::ProviderClosed) }).await;
        assert_eq!(outcome, Err(CallError::ProviderClosed));
    }
}
