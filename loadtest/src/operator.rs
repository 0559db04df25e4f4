//! The few REST calls that set a load test up. Each may be repeated: every POST has an idempotency key.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{sleep, timeout};

use crate::{
    error::{Error, Result},
    http::Http,
    target::Target,
};

const TIMEOUT: Duration = Duration::from_secs(10);
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// One connection that speaks as the operator.
pub struct Operator {
    http: Http,
    authority: String,
    key: String,
}

#[derive(Debug, Deserialize)]
struct Page<T> {
    data: Vec<T>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Game {
    pub id: String,
    pub provider: String,
}

#[derive(Debug, Deserialize)]
struct Launched {
    session: String,
}

#[derive(Debug, Deserialize)]
struct LoggedIn {
    token: String,
}

impl Operator {
    pub fn new(target: &Target) -> Result<Self> {
        let authority = target.api_authority()?;
        Ok(Self {
            http: Http::new(authority.clone()),
            authority,
            key: target.operator_key.clone(),
        })
    }

    pub async fn create_player(&mut self, player: &str, currency: &str) -> Result<()> {
        let body = serde_json::json!({"id": player, "currency": currency});
        self.post("/v1/players", &format!("create-{player}"), &body)
            .await
            .map(drop)
    }

    /// `reference` makes it happen once only.
    pub async fn deposit(
        &mut self,
        player: &str,
        amount: &str,
        currency: &str,
        reference: &str,
    ) -> Result<()> {
        let body =
            serde_json::json!({"amount": amount, "currency": currency, "reference": reference});
        let path = format!("/v1/players/{player}/deposits");
        self.post(&path, &format!("deposit-{reference}"), &body)
            .await
            .map(drop)
    }

    /// A new game session; `key` tells one launch from the next.
    pub async fn launch(
        &mut self,
        player: &str,
        game: &str,
        currency: &str,
        key: &str,
    ) -> Result<String> {
        let body = serde_json::json!({"player": player, "currency": currency});
        let path = format!("/v1/games/{}/launch", escape(game));
        let answer = self.post(&path, key, &body).await?;
        let launched: Launched = read(&answer, &path)?;
        Ok(launched.session)
    }

    /// A login of the player: the token that opens his stream.
    pub async fn log_in(&mut self, player: &str, currency: &str, key: &str) -> Result<String> {
        let body = serde_json::json!({"player": player, "currency": currency});
        let path = "/v1/sessions";
        let logged_in: LoggedIn = read(&self.post(path, key, &body).await?, path)?;
        Ok(logged_in.token)
    }

    /// The first game of a provider account.
    pub async fn game_of(&mut self, provider: &str) -> Result<Game> {
        let mut path = "/v1/games".to_owned();
        loop {
            let page: Page<Game> = read(&self.get(&path).await?, &path)?;
            if let Some(game) = page.data.into_iter().find(|game| game.provider == provider) {
                return Ok(game);
            }
            let Some(next) = page.next else {
                return Err(Error::given(format!(
                    "the provider account {provider:?} has no game in the catalogue"
                )));
            };
            path = format!("/v1/games?after={}", escape(&next));
        }
    }

    async fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
            self.authority, self.key
        );
        self.call(&request, path).await
    }

    async fn post(&mut self, path: &str, key: &str, body: &serde_json::Value) -> Result<Vec<u8>> {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.authority,
            self.key,
            body.len()
        );
        self.call(&request, path).await
    }

    async fn call(&mut self, request: &str, path: &str) -> Result<Vec<u8>> {
        let mut last = String::new();
        for _ in 0..TRIES {
            match timeout(TIMEOUT, self.http.send(request.as_bytes())).await {
                Ok(Ok(answer)) if matches!(answer.status, 200 | 201) => {
                    return Ok(answer.body.to_vec());
                }
                Ok(Ok(answer)) if !matches!(answer.status, 429 | 503) => {
                    return Err(Error::Refused {
                        what: path.to_owned(),
                        status: answer.status,
                        body: String::from_utf8_lossy(answer.body).into_owned(),
                    });
                }
                Ok(Ok(answer)) => last = format!("status {}", answer.status),
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = "time-out".into(),
            }
            sleep(PAUSE).await;
        }
        Err(Error::NoAnswer {
            what: path.to_owned(),
            tries: TRIES,
            last,
        })
    }
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8], path: &str) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        Error::given(format!(
            "{path}: the answer is not as documented: {error}: {}",
            String::from_utf8_lossy(body)
        ))
    })
}

/// Percent-encodes all but the characters that stand for themselves in a path segment and a query value.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{
        stub::{Reply, Stub},
        target::Pids,
    };

    pub fn target(stub: &Stub) -> Target {
        Target {
            api: format!("http://{}", stub.authority()),
            admin: format!("http://{}", stub.authority()),
            stream: String::new(),
            postgres: String::new(),
            operator_key: "sk_test_1".into(),
            providers: Vec::new(),
            pids: Pids {
                server: 1,
                postgres: 1,
                nats: 1,
            },
        }
    }

    #[tokio::test]
    async fn a_call_without_an_answer_is_repeated_with_the_same_key() {
        let keys = std::sync::Arc::new(Mutex::new(Vec::new()));
        let seen = keys.clone();
        let stub = Stub::start(move |request| {
            assert_eq!(request.headers["authorization"], "Bearer sk_test_1");
            let mut keys = seen.lock().unwrap();
            keys.push(request.headers["idempotency-key"].clone());
            match keys.len() {
                1 => Reply::HangUp,
                2 => Reply::Answer(503, "{}".into()),
                _ => Reply::Answer(201, r#"{"url":"x","token":"t","session":"ses_9"}"#.into()),
            }
        })
        .await;
        let mut operator = Operator::new(&target(&stub)).unwrap();
        let session = operator
            .launch("load-000001", "dice", "EUR", "launch-1")
            .await;
        assert_eq!(session.unwrap(), "ses_9");
        assert_eq!(*keys.lock().unwrap(), ["launch-1"; 3]);
    }

    #[tokio::test]
    async fn the_game_is_looked_for_on_every_page() {
        let stub = Stub::start(|request| {
            let page = match request.path.as_str() {
                "/v1/games" => r#"{"data":[{"id":"a","provider":"other"}],"next":"a b"}"#,
                "/v1/games?after=a%20b" => r#"{"data":[{"id":"b","provider":"demo"}]}"#,
                path => return Reply::Answer(404, path.to_owned()),
            };
            Reply::Answer(200, page.into())
        })
        .await;
        let mut operator = Operator::new(&target(&stub)).unwrap();
        assert_eq!(operator.game_of("demo").await.unwrap().id, "b");
        let error = operator.game_of("nobody").await.unwrap_err().to_string();
        assert!(error.contains("nobody"), "{error}");
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_the_servers_own_words() {
        let stub = Stub::start(|_| Reply::Answer(422, r#"{"code":"malformed"}"#.into())).await;
        let mut operator = Operator::new(&target(&stub)).unwrap();
        let error = operator.create_player("x", "EUR").await.unwrap_err();
        assert!(error.to_string().contains("malformed"), "{error}");
    }
}
