//! A provider of any dialect with an account, a game and a player of its own, request by request.

use std::sync::atomic::{AtomicU64, Ordering};

use pitboss_providers::{
    Dialect, Settings, dialect,
    simulate::{Move, Received, Seat, Sent, Simulator, Table, Told},
};
use pitboss_wallet::{Currency, Money};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    client::{Answer, Client, send, try_send, unix_now},
    unique,
};

pub struct Simulated {
    pub client: Client,
    pub id: String,
    pub seat: Seat,
    simulator: &'static dyn Simulator,
    table: Table,
    serial: AtomicU64,
}

impl Simulated {
    /// An account with these choices, and a player with 100.00 EUR in its game.
    pub async fn make(client: &Client, speaks: &str, choices: Value) -> Self {
        let dialect: &'static dyn Dialect = dialect(speaks).unwrap();
        let id = unique(speaks);
        let (ours, theirs) = dialect.simulator().keys([3; 32]);
        let mut account = json!({ "id": id, "dialect": speaks });
        account["secret"] = String::from_utf8(ours).unwrap().into();
        for (name, value) in choices.as_object().unwrap() {
            account[name] = value.clone();
        }
        client.post("/v1/providers", &account).await.ok();
        let game = json!({ "id": id, "provider": id, "name": "Simulated", "category": "slot" });
        let put = client.http(Method::PUT, &format!("/v1/games/{id}"));
        send(put.bearer_auth(&client.at.operator_key).json(&game))
            .await
            .ok();
        let player = unique("player");
        let new = json!({ "id": player, "currency": "EUR" });
        client.post("/v1/players", &new).await.ok();
        let deposit = json!({ "amount": "100.00", "currency": "EUR", "reference": player });
        let path = format!("/v1/players/{player}/deposits");
        client.post(&path, &deposit).await.ok();
        let launch = json!({ "player": player, "currency": "EUR" });
        let path = format!("/v1/games/{id}/launch");
        let launched = client.post(&path, &launch).await.ok();
        let seat = Seat {
            player,
            session: launched.text_at("/session"),
            token: launched.text_at("/token"),
            game: id.clone(),
            balance: money("100.00"),
        };
        let made = Self {
            table: Table {
                path: format!("/callbacks/sandbox/{id}"),
                key: theirs,
                settings: Settings::default(),
                now_s: 0,
                serial: 0,
            },
            client: client.clone(),
            simulator: dialect.simulator(),
            serial: AtomicU64::new(0),
            id,
            seat,
        };
        if let Some(sent) = made
            .simulator
            .request(&made.fresh(), &made.seat, &Move::Enter)
        {
            let told = made.read(&Move::Enter, &made.send(&sent).await);
            assert_eq!(told.code, Told::OK);
        }
        made
    }

    fn fresh(&self) -> Table {
        Table {
            now_s: unix_now(),
            serial: self.serial.fetch_add(1, Ordering::Relaxed),
            ..self.table.clone()
        }
    }

    /// A move as its request.
    pub fn sent(&self, made: &Move) -> Sent {
        self.simulator
            .request(&self.fresh(), &self.seat, made)
            .unwrap()
    }

    pub fn path(&self) -> &str {
        &self.table.path
    }

    pub fn request(&self, sent: &Sent) -> reqwest::RequestBuilder {
        let path = format!("{}{}", self.table.path, sent.path);
        let method = Method::from_bytes(sent.method.as_bytes()).unwrap();
        let mut request = self.client.http(method, &path);
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        request
            .header("Content-Type", sent.content_type)
            .body(sent.body.clone())
    }

    pub async fn send(&self, sent: &Sent) -> Answer {
        try_send(self.request(sent)).await.expect("an answer")
    }

    /// Makes a move, and tells its answer.
    pub async fn play(&self, made: &Move) -> (Answer, Told) {
        let answer = self.send(&self.sent(made)).await;
        let told = self.read(made, &answer);
        (answer, told)
    }

    pub fn read(&self, made: &Move, answer: &Answer) -> Told {
        let received = Received {
            status: answer.status,
            body: answer.text.clone().into_bytes(),
        };
        let told = self.simulator.read(&self.seat, made, &received);
        told.unwrap_or_else(|error| panic!("{error}: {}", answer.text))
    }

    pub async fn cash(&self) -> String {
        let path = format!("/v1/players/{}/wallets", self.seat.player);
        self.client.get(&path).await.ok().text_at("/data/0/cash")
    }
}

fn money(text: &str) -> Money {
    Money::parse(text, Currency::from_code("EUR").unwrap()).unwrap()
}

pub fn bet(id: &str, amount: &str) -> Move {
    Move::Bet {
        id: id.to_owned(),
        round: format!("round-{id}"),
        amount: money(amount),
        closes: false,
        free_round: None,
    }
}

pub fn win(id: &str, bet: &str, amount: &str) -> Move {
    Move::Win {
        id: id.to_owned(),
        bet: Some(bet.to_owned()),
        round: format!("round-{bet}"),
        amount: money(amount),
        kind: pitboss_wallet::WinKind::Ordinary,
        closes: false,
    }
}
