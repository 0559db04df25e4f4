//! `If-Match`: a change of what the caller has seen, or none.
//!
//! The state is what `GET` of the same path answers to the same caller: it is asked for, its tag is compared, and only
//! then is the change carried out. Changes of one path under `If-Match` go one after the other on this node, so that of
//! two which name the same state one is refused; two nodes may still let both through.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::{
    Error, ResponseError,
    dev::{Payload, Service, ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{HeaderMap, HeaderValue, IF_MATCH},
    },
};
use pitboss_providers::{Code, Problem};
use tokio::sync::Mutex;

use super::{EntityTag, entity_tag};
use crate::http::{auth, problem::response, route::Gate};

const STRIPES: usize = 64;

/// Each path has one of these.
static ONE_BY_ONE: [Mutex<()>; STRIPES] = [const { Mutex::const_new(()) }; STRIPES];

/// Carries a request out, if what it changes is what its caller believes.
pub async fn call<S>(service: &S, request: ServiceRequest) -> Result<ServiceResponse, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    let changes = matches!(
        *request.method(),
        Method::PATCH | Method::PUT | Method::DELETE
    );
    let gate = request.app_data::<Gate>();
    // A method that the path does not have changes nothing, and is told so.
    let caller = gate.and_then(|gate| gate.caller(request.method()));
    let expected = tags(request.headers()).filter(|_| changes);
    let (Some(expected), Some(caller)) = (expected, caller) else {
        return service.call(request).await;
    };
    let _turn = ONE_BY_ONE[stripe(request.path())].lock().await;
    let method = request.method().clone();
    let (inner, payload) = request.into_parts();
    let mut look = ServiceRequest::from_parts(inner, Payload::None);
    look.head_mut().method = Method::GET;
    let (seen, body) = entity_tag::take(service.call(look).await?);
    // What may not be looked at, or is not there, may not be changed either.
    if seen.status() != StatusCode::OK && seen.status() != StatusCode::METHOD_NOT_ALLOWED {
        return Ok(seen);
    }
    let tag = body.filter(|_| seen.status() == StatusCode::OK);
    let is_expected = tag.is_some_and(|body| {
        let tag = EntityTag::of(&body);
        expected.iter().any(|list| tag.is_in(list))
    });
    if !is_expected {
        // Where there is no GET nobody has looked yet who it is.
        if let Err(error) = auth::check(seen.request(), caller).await {
            return Ok(seen.into_response(error.error_response()));
        }
        let detail = "If-Match does not name the ETag of what is there; read it again";
        let problem = Problem::new(Code::PreconditionFailed, detail);
        return Ok(seen.into_response(response(&problem)));
    }
    let (inner, _) = seen.into_parts();
    let mut request = ServiceRequest::from_parts(inner, payload);
    request.head_mut().method = method;
    service.call(request).await
}

/// The lines of the header; `None`: there is none.
fn tags(headers: &HeaderMap) -> Option<Vec<HeaderValue>> {
    let tags: Vec<_> = headers.get_all(IF_MATCH).cloned().collect();
    (!tags.is_empty()).then_some(tags)
}

fn stripe(path: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or(0)
}
