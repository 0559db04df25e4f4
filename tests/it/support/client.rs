//! The operator and the provider, as programs that speak HTTP.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

/// Where everything is, as in `connection.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Connection {
    pub api: String,
    pub admin: String,
    pub stream: String,
    pub postgres: String,
    pub nats: NatsLogin,
    pub operator_key: String,
    pub second_operator_key: String,
    pub providers: Vec<ProviderLogin>,
    pub players: Vec<String>,
    pub pids: Pids,
}

#[derive(Debug, Clone, Deserialize)]
pub struct NatsLogin {
    pub url: String,
    pub user: String,
    pub password: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ProviderLogin {
    pub id: String,
    pub secret: String,
}

#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct Pids {
    pub server: u32,
    pub postgres: u32,
    pub nats: u32,
}

/// One answer, with all that a test may want to look at.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(
            matches!(self.status, 200 | 201),
            "{} {}",
            self.status,
            self.text
        );
        self
    }

    /// The documented error: RFC 9457, a link to its explanation, and when to come back if at all.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["type"], format!("/docs/errors#{code}"));
        assert!(
            self.json["title"].is_string() && self.json["detail"].is_string(),
            "{}",
            self.text
        );
        let retryable = matches!(status, 408 | 429 | 500 | 503);
        assert_eq!(self.json["retryable"], retryable, "{}", self.text);
        assert_eq!(
            self.headers.contains_key("retry-after"),
            retryable,
            "{:?}",
            self.headers
        );
        self
    }

    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn text_at(&self, pointer: &str) -> String {
        let found = self.json.pointer(pointer).and_then(Value::as_str);
        found
            .unwrap_or_else(|| panic!("no {pointer} in {}", self.text))
            .to_owned()
    }

    /// The cash that the answer tells of.
    #[track_caller]
    pub fn cash(&self) -> String {
        self.text_at("/balance/cash")
    }
}

/// `t=..,v1=..` as `docs/callbacks.md` says, written here a second time on purpose.
pub fn signature(secret: &str, t: i64, path: &str, body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{t}\n{path}\n").as_bytes());
    mac.update(body);
    format!("t={t},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[allow(clippy::disallowed_methods, reason = "a client's own clock")]
pub fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// A provider and an operator of one server, in one hand.
#[derive(Clone)]
pub struct Client {
    pub at: Connection,
    pub environment: &'static str,
    http: reqwest::Client,
}

impl Client {
    pub fn new(at: Connection, environment: &'static str) -> Self {
        Self {
            at,
            environment,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// The same casino, asked with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        let mut client = self.clone();
        key.clone_into(&mut client.at.operator_key);
        client
    }

    /// The same casino, asked by the second person.
    #[must_use]
    pub fn second_person(&self) -> Self {
        self.with_key(&self.at.second_operator_key)
    }

    /// The same casino, asked with a new key of another person, which the second person made.
    pub async fn of_another_person(&self, person: &str) -> Self {
        let key = json!({ "name": person, "person": person, "scopes": ["*"] });
        let made = self.second_person().post("/v1/keys", &key).await.ok();
        self.with_key(&made.text_at("/secret"))
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        let request = self.http(Method::PATCH, path);
        send(request.bearer_auth(&self.at.operator_key).json(body)).await
    }

    pub fn http(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.at.api))
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(
            self.http(Method::GET, path)
                .bearer_auth(&self.at.operator_key),
        )
        .await
    }

    /// All rows of a list, page by page. The path has a query already.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("{path}{after}")).await.ok();
            rows.extend(page.json["data"].as_array().unwrap().iter().cloned());
            match page.json["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return rows,
            }
        }
    }

    pub async fn admin(&self, path: &str) -> Answer {
        send(self.http.get(format!("{}{path}", self.at.admin))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(
            self.http(Method::POST, path)
                .bearer_auth(&self.at.operator_key)
                .json(body),
        )
        .await
    }

    /// A POST under an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self
            .http(Method::POST, path)
            .bearer_auth(&self.at.operator_key);
        send(request.header("Idempotency-Key", key).json(body)).await
    }

    pub fn callback_path(&self, action: &str) -> String {
        format!(
            "/callbacks/{}/{}/{action}",
            self.environment, self.at.providers[0].id
        )
    }

    /// Path and signature of a callback of the first provider.
    pub fn signed(&self, action: &str, body: &[u8]) -> (String, String) {
        let path = self.callback_path(action);
        let signature = signature(&self.at.providers[0].secret, unix_now(), &path, body);
        (path, signature)
    }

    /// A well signed callback of the first provider.
    pub async fn callback(&self, action: &str, body: &Value) -> Answer {
        self.callback_bytes(action, body.to_string().into_bytes())
            .await
    }

    pub async fn callback_bytes(&self, action: &str, body: Vec<u8>) -> Answer {
        self.try_callback(action, body).await.unwrap()
    }

    /// Also without an answer, as when the server dies meanwhile.
    pub async fn try_callback(&self, action: &str, body: Vec<u8>) -> Option<Answer> {
        let (path, signature) = self.signed(action, &body);
        try_send(
            self.http(Method::POST, &path)
                .header("Pitboss-Signature", signature)
                .body(body),
        )
        .await
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    try_send(request).await.expect("an answer")
}

pub async fn try_send(request: RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.ok()?;
    let json = serde_json::from_str(&text).unwrap_or_default();
    Some(Answer {
        status,
        headers,
        text,
        json,
    })
}
