//! A provider account of a test's own, with a game of its own.

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    client::{Answer, Client, ProviderLogin, send},
    eventually,
    ledger::Ledger,
    player::Player,
    unique,
};

pub struct Account {
    pub id: String,
    pub secret: String,
    pub game: String,
}

/// A PATCH of the operator's.
pub async fn patch(client: &Client, path: &str, body: &Value) -> Answer {
    let request = client.http(Method::PATCH, path);
    send(request.bearer_auth(&client.at.operator_key).json(body)).await
}

/// An operator key and its hash, for a row of the test's own.
pub fn scoped_key() -> (String, Vec<u8>) {
    let key = format!("sk_test_{:A<43}", unique("scoped"));
    let hash = Sha256::digest(key.as_bytes()).to_vec();
    (key, hash)
}

impl Account {
    /// A new account that makes these choices.
    pub async fn make(client: &Client, mut body: Value) -> Self {
        let id = unique("account");
        body["id"] = json!(id);
        let made = client.post("/v1/providers", &body).await.ok();
        Self {
            game: format!("game-of-{id}"),
            secret: made.text_at("/secret"),
            id,
        }
    }

    pub fn path(&self) -> String {
        format!("/v1/providers/{}", self.id)
    }

    pub async fn change(&self, client: &Client, body: &Value) -> Answer {
        patch(client, &self.path(), body).await
    }

    /// The provider of this account, with one of its secrets.
    pub fn client(&self, client: &Client, secret: &str) -> Client {
        let mut client = client.clone();
        client.at.providers = vec![ProviderLogin {
            id: self.id.clone(),
            secret: secret.to_owned(),
        }];
        client
    }

    /// The provider of this account, and a player with 100.00 EUR in its game.
    pub async fn seat(&self, client: &Client) -> (Client, Player) {
        let ledger = Ledger::open(&client.at.postgres).await;
        let insert = "INSERT INTO game (id, provider_id, name, category, enabled) VALUES ($1, $2, $1, 'dice', true)";
        ledger
            .0
            .execute(insert, &[&self.game, &self.id])
            .await
            .unwrap();
        let client = self.client(client, &self.secret);
        let mut player = Player {
            id: unique("player"),
            session: String::new(),
            token: String::new(),
            game: self.game.clone(),
        };
        let body = json!({ "id": player.id, "currency": "EUR" });
        client.post("/v1/players", &body).await.ok();
        player.deposit(&client, "100.00").await;
        // The catalogue is read every few seconds.
        let launch = json!({ "player": player.id, "currency": "EUR" });
        let path = format!("/v1/games/{}/launch", self.game);
        let token = eventually("the game is in the catalogue", async || {
            let launched = client.post(&path, &launch).await;
            (launched.code() != "unknown_game").then(|| launched.ok().text_at("/token"))
        })
        .await;
        let entered = client
            .callback("authenticate", &json!({ "token": token }))
            .await;
        player.session = entered.ok().text_at("/session");
        (client, player)
    }
}
