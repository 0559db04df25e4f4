//! One request to an endpoint, and what its answer means.

use std::{error::Error, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::Bytes,
    header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use pitboss_actors::ports::Clock;
use pitboss_wallet::{Environment, Timestamp};
use reqwest::Url;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use uuid::Uuid;

use super::{
    guard::{Guard, NotAllowed},
    plan::Outcome,
    signature,
};
use crate::config::{Webhooks, ms};

/// When an endpoint says "slow down" and not for how long.
const SLOW_DOWN_S: u32 = 60;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// Sends to endpoints, a bounded number at a time.
#[derive(Clone)]
pub struct Sender {
    client: Client<HttpsConnector<HttpConnector<Guard>>, Full<Bytes>>,
    guard: Guard,
    clock: Arc<dyn Clock>,
    places: Arc<Semaphore>,
    timeout: Duration,
    answer_max_bytes: usize,
    environment: &'static str,
}

/// Where and how to deliver.
#[derive(Debug, Clone)]
pub struct Target {
    pub url: String,
    /// Whole secrets, the current one first; one that is rotated out, with the end of its time.
    pub secrets: Vec<(String, Option<Timestamp>)>,
}

impl Sender {
    /// No redirect is followed and no proxy is used: either would go around the guard.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(
        environment: Environment,
        settings: &Webhooks,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, rustls::Error> {
        let guard = Guard::new(environment, settings);
        let timeout = ms(settings.timeout_ms);
        let mut http = HttpConnector::new_with_resolver(guard);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT.min(timeout)));
        // Whether http is allowed at all, and where to, is the guard's to say.
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(settings.per_endpoint)
            .build(connector);
        Ok(Self {
            client,
            guard,
            clock,
            places: Arc::new(Semaphore::new(settings.concurrency)),
            timeout,
            answer_max_bytes: settings.answer_max_bytes,
            environment: environment.as_str(),
        })
    }

    /// The URL, if this server sends anything there.
    ///
    /// # Errors
    /// [`NotAllowed`]
    pub fn check(&self, url: &str) -> Result<Url, NotAllowed> {
        self.guard.check(url)
    }

    /// Sends one event, and tells what the endpoint made of it.
    pub async fn deliver(&self, target: &Target, event: Uuid, body: &str) -> Outcome {
        // Closed never: then there would be nobody to ask.
        let _place = self.places.acquire().await;
        let started = Instant::now();
        let outcome = match timeout(self.timeout, self.send(target, event, body)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Failed("it did not answer in time".into()),
        };
        let label = match &outcome {
            Outcome::Delivered => "delivered",
            Outcome::Failed(_) => "failed",
            Outcome::SlowDown(_) => "slow_down",
            Outcome::Gone => "gone",
        };
        let environment = self.environment;
        metrics::counter!("pitboss_webhook_attempts_total", "environment" => environment, "outcome" => label)
            .increment(1);
        metrics::histogram!("pitboss_webhook_attempt_seconds", "environment" => environment)
            .record(started.elapsed().as_secs_f64());
        outcome
    }

    async fn send(&self, target: &Target, event: Uuid, body: &str) -> Outcome {
        let url = match self.guard.check(&target.url) {
            Ok(url) => url,
            Err(error) => return Outcome::Failed(format!("the URL {error}")),
        };
        let id = event.to_string();
        let now = self.clock.now();
        let timestamp_s = now.as_micros().div_euclid(1_000_000);
        let valid = target
            .secrets
            .iter()
            .filter(|(_, until)| until.is_none_or(|until| until > now));
        let secrets = valid.map(|(secret, _)| secret.as_str());
        let signature = signature::header(secrets, &id, timestamp_s, body);
        let request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "Pitboss-Webhooks")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp_s)
            .header("webhook-signature", signature)
            .body(Full::from(body.to_owned()));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let mut response = match self.client.request(request).await {
            Ok(response) => response,
            Err(error) => return Outcome::Failed(reason(&error)),
        };
        let outcome = judge(response.status(), response.headers(), timestamp_s);
        // Read, so that the connection can be used again; too long an answer costs it.
        let mut left = self.answer_max_bytes;
        while let Some(Ok(frame)) = response.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(bytes) else {
                break;
            };
            left = rest;
        }
        outcome
    }
}

/// TLS on ring, with the roots of the machine: an operator's receivers may have certificates of his own
/// authority, and a withdrawn root goes with the system's update, not with ours.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(
            "this machine has no root certificates (install ca-certificates): no https webhook can be delivered"
        );
    }
    let provider = Arc::new(ring::default_provider());
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    let builder =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(&versions)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// What a status means. A redirect is a failure: nobody follows it.
fn judge(status: StatusCode, headers: &HeaderMap, now_s: i64) -> Outcome {
    let pause = || {
        let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
        let seconds = text.trim().parse::<u32>().ok();
        seconds.or_else(|| {
            let at = OffsetDateTime::parse(text.trim(), &Rfc2822).ok()?;
            u32::try_from(at.unix_timestamp().saturating_sub(now_s).max(0)).ok()
        })
    };
    match status.as_u16() {
        200..=299 => Outcome::Delivered,
        410 => Outcome::Gone,
        429 => Outcome::SlowDown(pause().unwrap_or(SLOW_DOWN_S)),
        503 => match pause() {
            Some(pause_s) => Outcome::SlowDown(pause_s),
            None => Outcome::Failed("it answered 503".into()),
        },
        code => Outcome::Failed(format!("it answered {code}")),
    }
}

/// The cause of an error: the innermost says most.
fn reason(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, retry_after: &str) -> Outcome {
        let mut headers = HeaderMap::new();
        if !retry_after.is_empty() {
            headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        }
        judge(
            StatusCode::from_u16(status).unwrap(),
            &headers,
            1_445_412_400,
        )
    }

    #[test]
    fn a_status_tells_what_the_endpoint_made_of_it() {
        for status in [200, 201, 202, 204] {
            assert_eq!(judged(status, ""), Outcome::Delivered);
        }
        for status in [301, 302, 307, 400, 404, 500, 502, 503] {
            assert!(matches!(judged(status, ""), Outcome::Failed(_)), "{status}");
        }
        assert_eq!(judged(410, ""), Outcome::Gone);
        assert_eq!(judged(429, "7"), Outcome::SlowDown(7));
        assert_eq!(judged(503, "7"), Outcome::SlowDown(7));
        assert_eq!(judged(429, ""), Outcome::SlowDown(SLOW_DOWN_S));
        assert_eq!(judged(429, "soon"), Outcome::SlowDown(SLOW_DOWN_S));
        let at = "Wed, 21 Oct 2015 07:28:00 GMT";
        assert_eq!(judged(429, at), Outcome::SlowDown(80));
    }
}
