//! The HTTP side: the operator's REST calls and the provider's signed callbacks.

use std::{error::Error, time::Duration};

use pitboss_actors::ports::Clock;
use pitboss_providers::native;
use pitboss_wallet::{Environment, ProviderId};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::Value;

use super::{DemoError, text::Body};
use crate::{
    sandbox::{Connection, ProviderConnection},
    seams::SystemClock,
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Who asks, which is how the request proves that it may.
pub(super) enum Proof {
    OperatorKey,
    /// A POST that moves or creates something is safe to repeat under its key.
    OperatorKeyOnce(String),
    /// Signed with the provider's secret.
    Signature,
    /// Signed with a secret that is not the provider's.
    Forgery,
}

pub(super) struct Request {
    pub method: Method,
    pub path: String,
    pub body: Option<String>,
    pub proof: Proof,
}

impl Request {
    /// How it is introduced on the screen.
    pub fn note(&self) -> &'static str {
        match self.proof {
            Proof::OperatorKey => "operator key",
            Proof::OperatorKeyOnce(_) => "operator key, Idempotency-Key",
            Proof::Signature => "signed by the provider",
            Proof::Forgery => "signed with a wrong secret",
        }
    }
}

pub(super) struct Answer {
    pub status: u16,
    /// The body as it came.
    pub text: String,
    /// `null` when it is not JSON.
    pub json: Value,
}

impl Answer {
    /// A text inside the body, by JSON pointer.
    pub fn text_at(&self, pointer: &str) -> Option<&str> {
        self.json.pointer(pointer).and_then(Value::as_str)
    }
}

pub(super) struct Client {
    http: reqwest::Client,
    api: String,
    operator_key: String,
    provider: ProviderId,
    secret: String,
}

impl Client {
    pub fn new(connection: &Connection, provider: &ProviderConnection) -> Result<Self, DemoError> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // The sandbox is on this machine, whatever proxy the environment names.
            .no_proxy()
            .build()
            .map_err(|error| no_answer(&connection.api, &error))?;
        let id = ProviderId::new(provider.id.as_str()).map_err(|error| DemoError::NoProvider {
            found: format!("{:?}, which {error}", provider.id),
        })?;
        Ok(Self {
            http,
            api: connection.api.clone(),
            operator_key: connection.operator_key.clone(),
            provider: id,
            secret: provider.secret.clone(),
        })
    }

    pub fn provider(&self) -> &str {
        self.provider.as_str()
    }

    pub fn get(&self, path: &str) -> Request {
        Request {
            method: Method::GET,
            path: path.to_owned(),
            body: None,
            proof: Proof::OperatorKey,
        }
    }

    pub fn post(&self, path: &str, idempotency_key: &str, body: &Body) -> Request {
        Request {
            method: Method::POST,
            path: path.to_owned(),
            body: Some(body.json()),
            proof: Proof::OperatorKeyOnce(idempotency_key.to_owned()),
        }
    }

    pub fn callback(&self, action: &str, body: &Body) -> Request {
        Request {
            method: Method::POST,
            path: native::path(Environment::Sandbox, &self.provider, action),
            body: Some(body.json()),
            proof: Proof::Signature,
        }
    }

    fn sign(secret: &str, request: &Request) -> String {
        let now_s = SystemClock.now().as_micros() / 1_000_000;
        let body = request.body.as_deref().unwrap_or_default();
        native::sign(secret.as_bytes(), now_s, &request.path, body.as_bytes())
    }

    pub async fn send(&self, request: &Request) -> Result<Answer, DemoError> {
        let url = format!("{}{}", self.api, request.path);
        let mut call = self.http.request(request.method.clone(), url);
        call = match &request.proof {
            Proof::OperatorKey => call.bearer_auth(&self.operator_key),
            Proof::OperatorKeyOnce(key) => call
                .bearer_auth(&self.operator_key)
                .header("Idempotency-Key", key),
            Proof::Signature => call.header(native::HEADER, Self::sign(&self.secret, request)),
            Proof::Forgery => call.header(native::HEADER, Self::sign("not the secret", request)),
        };
        if let Some(body) = &request.body {
            call = call
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let response = call
            .send()
            .await
            .map_err(|error| no_answer(&self.api, &error))?;
        let status = response.status().as_u16();
        let text = response
            .text()
            .await
            .map_err(|error| no_answer(&self.api, &error))?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer { status, text, json })
    }
}

/// The cause at the end of the chain is the part that helps: "connection refused".
fn no_answer(api: &str, error: &reqwest::Error) -> DemoError {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    DemoError::NoAnswer {
        address: api.to_owned(),
        reason: cause.to_string(),
    }
}
