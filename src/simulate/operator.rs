//! The operator's side of a simulation, over the REST API.

use std::{collections::BTreeMap, error::Error, time::Duration};

use pitboss_actors::ports::Ids;
use pitboss_providers::{
    Dialect, Settings,
    simulate::{Received, Seat, Sent},
};
use pitboss_wallet::{Currency, Environment, Money};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Account, SimulateError};
use crate::seams::SystemIds;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Speaks with the server.
pub struct Operator {
    http: reqwest::Client,
    api: String,
    key: String,
}

impl Operator {
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(api: &str, key: &str) -> Result<Self, SimulateError> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build();
        Ok(Self {
            http: http.map_err(|error| SimulateError::Other(error.to_string()))?,
            api: api.trim_end_matches('/').to_owned(),
            key: key.to_owned(),
        })
    }

    /// The account of this id, which speaks the dialect and has this secret on its provider's side.
    ///
    /// # Errors
    /// There is none, or it speaks another dialect.
    pub async fn account(
        &self,
        dialect: &dyn Dialect,
        id: String,
        key: &[u8],
        game: String,
    ) -> Result<Account, SimulateError> {
        let path = format!("/v1/providers/{id}");
        let found = self.ask(Method::GET, &path, None).await?;
        if found["dialect"] != dialect.name() {
            let spoken = found["dialect"].as_str().unwrap_or_default();
            let text = format!("{id} speaks {spoken}, not {}", dialect.name());
            return Err(SimulateError::Other(text));
        }
        let settings: BTreeMap<String, String> =
            serde_json::from_value(found["settings"].clone()).unwrap_or_default();
        let settings = Settings::new(dialect.settings(), settings);
        Ok(Account {
            id,
            key: key.to_vec(),
            settings: settings.map_err(SimulateError::Other)?,
            game,
        })
    }

    /// An account and a game to play with, made unless they are there.
    ///
    /// # Errors
    /// Where money is real, no account is made that a simulator has the key of.
    pub async fn own_account(
        &self,
        dialect: &dyn Dialect,
        environment: Environment,
    ) -> Result<Account, SimulateError> {
        if environment != Environment::Sandbox {
            let text = "outside the environment sandbox, name an account: --provider, --secret-file, --game";
            return Err(SimulateError::Other(text.to_owned()));
        }
        let id = format!("simulated-{}", dialect.name());
        // As secret as the operator key, and the same in every run.
        let seed = Sha256::digest(format!("{id}/{}", self.key)).into();
        let (ours, theirs) = dialect.simulator().keys(seed);
        let new = json!({
            "id": id, "name": format!("Simulated provider of {}", dialect.name()), "dialect": dialect.name(),
            "secret": String::from_utf8_lossy(&ours),
        });
        match self.ask(Method::POST, "/v1/providers", Some(&new)).await {
            Err(SimulateError::Refused {
                status: 409, text, ..
            }) if text.contains("provider_exists") => {}
            made => drop(made?),
        }
        let game = json!({ "id": id, "provider": id, "name": "Simulated", "category": "slot" });
        let path = format!("/v1/games/{id}");
        self.ask(Method::PUT, &path, Some(&game)).await?;
        self.account(dialect, id.clone(), &theirs, id).await
    }

    /// Begins the ids of a run: none was there before.
    pub(super) fn run_id(&self) -> String {
        let id = SystemIds.uuid().simple().to_string();
        format!("sim-{}", &id[20..])
    }

    /// A player with money in a launched game. The launch token is not exchanged yet.
    pub(super) async fn seat(
        &self,
        player: &str,
        game: &str,
        amount: Money,
    ) -> Result<Seat, SimulateError> {
        let currency = amount.currency.code();
        let new = json!({ "id": player, "currency": currency, "test": true });
        self.ask(Method::POST, "/v1/players", Some(&new)).await?;
        let deposit = json!({ "amount": amount, "currency": currency, "reference": player });
        let path = format!("/v1/players/{player}/deposits");
        self.ask(Method::POST, &path, Some(&deposit)).await?;
        let launch = json!({ "player": player, "currency": currency });
        let path = format!("/v1/games/{game}/launch");
        let launched = self.ask(Method::POST, &path, Some(&launch)).await?;
        let text = |name: &str| launched[name].as_str().unwrap_or_default().to_owned();
        Ok(Seat {
            player: player.to_owned(),
            session: text("session"),
            token: text("token"),
            game: game.to_owned(),
            balance: amount,
        })
    }

    /// The player's cash.
    pub(super) async fn cash(
        &self,
        player: &str,
        currency: Currency,
    ) -> Result<Money, SimulateError> {
        let path = format!("/v1/players/{player}/wallets");
        let wallets = self.ask(Method::GET, &path, None).await?;
        let wallets = wallets["data"].as_array().cloned().unwrap_or_default();
        let cash = wallets.iter().find_map(|wallet| {
            let is_it = wallet["currency"] == currency.code();
            is_it
                .then(|| wallet["cash"].as_str().map(str::to_owned))
                .flatten()
        });
        let cash = cash.ok_or_else(|| SimulateError::Other(format!("{player} has no wallet")))?;
        Money::parse(&cash, currency).map_err(|error| SimulateError::Other(error.to_string()))
    }

    pub(super) async fn end_session(&self, session: &str) -> Result<(), SimulateError> {
        let path = format!("/v1/sessions/{session}");
        self.ask(Method::DELETE, &path, None).await.map(drop)
    }

    pub(super) async fn set_status(&self, player: &str, status: &str) -> Result<(), SimulateError> {
        let body = json!({ "status": status, "reason": "a simulation" });
        let path = format!("/v1/players/{player}/status");
        self.ask(Method::POST, &path, Some(&body)).await.map(drop)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, SimulateError> {
        let what = format!("{method} {path}");
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.api))
            .bearer_auth(&self.key);
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let received = self.received(request).await?;
        if !(200..300).contains(&received.status) {
            return Err(SimulateError::Refused {
                what,
                status: received.status,
                text: String::from_utf8_lossy(&received.body).into_owned(),
            });
        }
        Ok(serde_json::from_slice(&received.body).unwrap_or_default())
    }

    /// Sends what a provider sends.
    pub(super) async fn send(&self, base: &str, sent: &Sent) -> Result<Received, SimulateError> {
        let mut url = format!("{}{base}{}", self.api, sent.path);
        if !sent.query.is_empty() {
            url = format!("{url}?{}", sent.query);
        }
        let method = Method::from_bytes(sent.method.as_bytes())
            .map_err(|error| SimulateError::Other(error.to_string()))?;
        let mut request = self.http.request(method, url);
        if !sent.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, sent.content_type);
        }
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        self.received(request.body(sent.body.clone())).await
    }

    async fn received(&self, request: reqwest::RequestBuilder) -> Result<Received, SimulateError> {
        let away = |error: reqwest::Error| {
            // The cause at the end of the chain is the part that helps: "connection refused".
            let mut cause: &dyn Error = &error;
            while let Some(source) = cause.source() {
                cause = source;
            }
            SimulateError::NoAnswer {
                address: self.api.clone(),
                reason: cause.to_string(),
            }
        };
        let answer = request.send().await.map_err(away)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(away)?.to_vec();
        Ok(Received { status, body })
    }
}
