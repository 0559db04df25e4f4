//! One player of a test, and the bodies of the requests about him.

use serde_json::{Value, json};

use super::{
    client::{Answer, Client},
    unique,
};

/// A player with money, logged in, in a game.
#[derive(Clone)]
pub struct Player {
    pub id: String,
    pub session: String,
    /// For the stream.
    pub token: String,
    /// That he plays.
    pub game: String,
}

pub const GAME: &str = "dice";
/// Events of [`Player::with`]: registration, account, deposit, launch, session and login.
pub const EVENTS: i64 = 6;

impl Player {
    /// A new player with so many EUR, in a session of [`GAME`].
    pub async fn with(client: &Client, amount: &str) -> Self {
        let id = unique("player");
        client
            .post("/v1/players", &json!({ "id": id, "currency": "EUR" }))
            .await
            .ok();
        let mut player = Self {
            id,
            session: String::new(),
            token: String::new(),
            game: GAME.to_owned(),
        };
        player.deposit(client, amount).await;
        player.session = player.launch(client).await;
        player.token = player.log_in(client).await;
        player
    }

    /// So many bets of 0.10, one after the other.
    pub async fn bet_often(&self, client: &Client, name: &str, count: usize) {
        for index in 0..count {
            let bet = self.bet(&format!("{name}{index}"), "0.10");
            client.callback("bet", &bet).await.ok();
        }
    }

    pub async fn deposit(&self, client: &Client, amount: &str) {
        let body = json!({ "amount": amount, "currency": "EUR", "reference": unique("deposit") });
        client
            .post(&format!("/v1/players/{}/deposits", self.id), &body)
            .await
            .ok();
    }

    /// A new game session, which takes the place of the one before.
    pub async fn launched(&self, client: &Client) -> Answer {
        let body = json!({ "player": self.id, "currency": "EUR" });
        let path = format!("/v1/games/{}/launch", self.game);
        client.post(&path, &body).await.ok()
    }

    /// The launch token of a new game session.
    pub async fn launch_token(&self, client: &Client) -> String {
        self.launched(client).await.text_at("/token")
    }

    /// A new game session, taken over by the provider.
    pub async fn launch(&self, client: &Client) -> String {
        let token = self.launch_token(client).await;
        client
            .callback("authenticate", &json!({ "token": token }))
            .await
            .ok()
            .text_at("/session")
    }

    pub async fn log_in(&self, client: &Client) -> String {
        let body = json!({ "player": self.id, "currency": "EUR" });
        client
            .post("/v1/sessions", &body)
            .await
            .ok()
            .text_at("/token")
    }

    pub async fn cash(&self, client: &Client) -> String {
        let body = json!({ "player": self.id, "currency": "EUR" });
        client.callback("balance", &body).await.ok().cash()
    }

    /// A bet in the round `r-<id>`.
    pub fn bet(&self, id: &str, amount: &str) -> Value {
        json!({
            "transaction_id": id, "player": self.id, "session": self.session, "game": self.game,
            "round": format!("r-{id}"), "amount": amount, "currency": "EUR",
        })
    }

    /// A win in the round of the bet with this id.
    pub fn win(&self, id: &str, bet: &str, amount: &str) -> Value {
        json!({
            "transaction_id": id, "player": self.id, "game": self.game, "round": format!("r-{bet}"),
            "amount": amount, "currency": "EUR",
        })
    }

    pub fn rollback(&self, id: &str, target: &str) -> Value {
        json!({ "transaction_id": id, "player": self.id, "target_transaction_id": target })
    }

    pub fn close(&self, bet: &str) -> Value {
        json!({ "player": self.id, "game": self.game, "round": format!("r-{bet}") })
    }

    /// A batch of `(type, id, amount)` in one round.
    pub fn batch(&self, round: &str, actions: &[(&str, &str, &str)]) -> Value {
        let action = |(kind, id, amount): &(&str, &str, &str)| json!({ "type": kind, "transaction_id": id, "amount": amount });
        let actions: Vec<Value> = actions.iter().map(action).collect();
        json!({
            "player": self.id, "session": self.session, "game": self.game, "round": round, "currency": "EUR",
            "actions": actions,
        })
    }
}

/// The same body with one field changed; `null` takes it out.
pub fn with(body: &Value, field: &str, value: impl Into<Value>) -> Value {
    let mut body = body.clone();
    let fields = body.as_object_mut().unwrap();
    match value.into() {
        Value::Null => drop(fields.remove(field)),
        value => drop(fields.insert(field.to_owned(), value)),
    }
    body
}
