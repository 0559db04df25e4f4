//! What holds for every route of the REST API, put around its handlers: no handler has to remember any of it.
//!
//! A query that nobody reads is refused; a change under `If-Match` is compared first; an answer that is sent whole has
//! an `ETag`, and is not sent again to who has it; large answers are compressed; every answer says how it may be kept.
//! Callbacks are not routes: nothing of this is paid for by a bet.

mod compression;
mod entity_tag;
mod precondition;

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpResponse,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::{
        Method,
        header::{
            AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue,
            STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    web::Data,
};
use pitboss_providers::{Code, Problem};

use super::{
    problem::response,
    route::{Caller, Gate},
};
use crate::app::App;

pub use entity_tag::EntityTag;

type Answering = Pin<Box<dyn Future<Output = Result<ServiceResponse, Error>>>>;

/// To be wrapped around a resource: its path is known then, its method not yet.
pub struct Conventions;

impl<S> Transform<S, ServiceRequest> for Conventions
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error> + 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Transform = Kept<S>;
    type InitError = ();
    type Future = Ready<Result<Kept<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Kept(Rc::new(service))))
    }
}

/// A resource whose routes keep the conventions.
pub struct Kept<S>(Rc<S>);

impl<S> Service<ServiceRequest> for Kept<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error> + 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Answering {
        let service = self.0.clone();
        Box::pin(async move {
            let wanted = Wanted::of(&request);
            let answer = match refusal_of_query(&request) {
                Some(refused) => request.into_response(refused),
                None => precondition::call(&*service, request).await?,
            };
            Ok(wanted.finish(answer))
        })
    }
}

/// A query that no field is read from: the caller believes that it does something. Who has no key at all is told that first.
fn refusal_of_query(request: &ServiceRequest) -> Option<HttpResponse> {
    let query = request.query_string();
    let gate = request.app_data::<Gate>()?;
    if query.is_empty() || gate.reads_query(request.method()) {
        return None;
    }
    if is_nobody(request, gate) {
        return None;
    }
    let field = query.split(['=', '&']).next().unwrap_or_default();
    let detail = format!("unknown field `{field}`: this request has no query");
    Some(response(&Problem::new(Code::UnknownField, detail)))
}

/// Whether it comes without a key to what needs one: it is told that, and nothing else.
fn is_nobody(request: &ServiceRequest, gate: &Gate) -> bool {
    let is_open = gate.caller(request.method()) == Some(Caller::Anybody);
    !is_open && !request.headers().contains_key(AUTHORIZATION)
}

/// What the request says about its answer.
struct Wanted {
    is_get: bool,
    known: Option<HeaderValue>,
    gzip: bool,
    is_secure: bool,
}

impl Wanted {
    fn of(request: &ServiceRequest) -> Self {
        let app = request.app_data::<Data<App>>();
        Self {
            is_get: request.method() == Method::GET,
            known: entity_tag::known(request.headers()),
            gzip: compression::is_wanted(request),
            is_secure: app.is_some_and(|app| app.config.server.has_tls()),
        }
    }

    fn finish(self, mut answer: ServiceResponse) -> ServiceResponse {
        let headers = answer.headers_mut();
        default(headers, CACHE_CONTROL, "no-store");
        default(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
        if self.is_secure {
            default(headers, STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
        if !self.is_get {
            return answer;
        }
        let answer = entity_tag::put_on(answer, self.known.as_ref());
        if !compression::is_worth_it(&answer) {
            return answer;
        }
        if self.gzip {
            return compression::compress(answer);
        }
        let mut answer = answer;
        let vary = HeaderValue::from_static("accept-encoding");
        answer.headers_mut().append(VARY, vary);
        answer
    }
}

fn default(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
