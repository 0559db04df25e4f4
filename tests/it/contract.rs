//! The contract: what is really sent, on every channel, is what `/asyncapi.json` says, and nothing else.

use std::collections::BTreeMap;

use pitboss_actors::ports::Ids;
use pitboss_wallet::{
    Adjust, AdjustmentCategory, By, Command, Currency, Direction, EventType, GameId, GameStanding,
    Launch, MakerChecker, Money, OpenSession, Origin, Play, PlayCommand, PlayerStatus, ProviderId,
    RoundId, SessionId, SetStatus, Timestamp, VoidRound,
};
use serde_json::{Value, json};

use crate::support::{
    bus::Bus,
    casino::{Casino, PROVIDER},
    client::{Client, send},
    owner::carry_out,
    player::{GAME, Player, with},
    receiver::Receiver,
    sandbox::shared,
    stream::Stream,
};

#[path = "contract_payments.rs"]
mod payments;

/// The document that the server publishes.
async fn document(client: &Client) -> Value {
    send(client.http(reqwest::Method::GET, "/asyncapi.json"))
        .await
        .ok()
        .json
}

/// No field may be sent that is not in the schema, although consumers must allow for new ones.
fn closed(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(closed);
            if fields.get("properties").is_some_and(Value::is_object) {
                fields.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(closed),
        _ => {}
    }
}

/// What a message breaks of the schema under this name.
fn breaches(document: &Value, name: &str, message: &Value) -> Vec<String> {
    let payload = &document["components"]["messages"][name]["payload"];
    assert!(payload.is_object(), "the contract has no {name}");
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "allOf": [payload],
        "components": { "schemas": document["components"]["schemas"] },
    });
    closed(&mut schema);
    let validator = jsonschema::draft7::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let errors = validator.iter_errors(message);
    errors
        .map(|error| format!("{name}{}: {error}", error.instance_path))
        .collect()
}

#[track_caller]
fn conforms(document: &Value, message: &Value) {
    let name = message["type"].as_str().unwrap();
    let found = breaches(document, name, message);
    assert!(found.is_empty(), "{found:#?}\n{message:#}");
}

/// Everything that can happen, to one player.
async fn rich_life(client: &Client, player: &Player) {
    payments::happen(client, player).await;
    let call = async |action: &str, body: Value| drop(client.callback(action, &body).await.ok());
    let jackpot = with(&player.bet("b1", "2.50"), "jackpot_contribution", "0.01");
    call("bet", jackpot).await;
    let named = with(
        &player.win("w1", "b1", "1000.00"),
        "bet_transaction_id",
        "b1",
    );
    call("win", with(&named, "round_closed", true)).await;
    call(
        "win",
        with(&player.win("late", "b1", "1.00"), "kind", "promo"),
    )
    .await;
    let free = with(&player.bet("b2", "0"), "free_round", "free-1");
    call("bet", free).await;
    call("bet", player.bet("b3", "1.00")).await;
    call("rollback", player.rollback("rb3", "b3")).await;
    // More than is left: the win is gone, and the rollback of it leaves a debt.
    call("bet", player.bet("b4", "1050.00")).await;
    call("rollback", player.rollback("rb1", "w1")).await;
    call(
        "bet_win",
        player.batch("both", &[("bet", "x", "0"), ("win", "y", "5.00")]),
    )
    .await;
    let id = |text: &str| RoundId::new(text).unwrap();
    let void = VoidRound {
        transaction: pitboss_wallet::ExternalId::new("void").unwrap(),
        game: GameId::new(GAME).unwrap(),
        round: id("both"),
        reason: "a broken game".into(),
        by: None,
    };
    let provider = &client.at.providers[0].id;
    let origin = Origin {
        provider: ProviderId::new(provider.as_str()).unwrap(),
        policy: std::sync::Arc::default(),
    };
    let void = Command::Play(Play {
        origin,
        command: PlayCommand::VoidRound(void),
    });
    carry_out(client, &player.id, &void).await;
    let by = |person: &str| By {
        key: uuid::Uuid::from_u128(1),
        person: person.to_owned(),
    };
    let adjust = Command::Adjust(Adjust {
        reference: pitboss_wallet::ExternalId::new("apr_0").unwrap(),
        direction: Direction::Credit,
        amount: Money::parse("2.50", Currency::from_code("EUR").unwrap()).unwrap(),
        category: AdjustmentCategory::Goodwill,
        reason: "for the trouble".to_owned(),
        allow_debt: false,
        by: MakerChecker {
            maker: by("Mary"),
            checker: Some(by("Carl")),
        },
    });
    carry_out(client, &player.id, &adjust).await;
    let session = SessionId::parse(&player.session).unwrap();
    carry_out(client, &player.id, &Command::EndSession(session)).await;
    ended_logins(client, player).await;
    let status = Command::SetStatus(SetStatus {
        status: PlayerStatus::BetsBlocked,
        reason: "asked for a pause".to_owned(),
        by: by("Mary"),
    });
    carry_out(client, &player.id, &status).await;
}

/// A login that is logged out, and a login and a game that are over when they begin.
async fn ended_logins(client: &Client, player: &Player) {
    let login = json!({ "player": player.id, "currency": "EUR" });
    let opened = client.post("/v1/sessions", &login).await.ok();
    let session = SessionId::parse(&opened.text_at("/id")).unwrap();
    carry_out(client, &player.id, &Command::EndSession(session)).await;
    let over = Timestamp::from_micros(1);
    let new_id = || SessionId(pitboss::seams::SystemIds.uuid());
    let (login, game) = (new_id(), new_id());
    let hash_of = |id: SessionId| {
        let mut hash = [9; 32];
        hash[..16].copy_from_slice(id.0.as_bytes());
        hash
    };
    let login = OpenSession {
        session: login,
        currency: Currency::from_code("EUR").unwrap(),
        token_hash: hash_of(login),
        expires_at: over,
        client: pitboss_wallet::Client::default(),
    };
    let game = Launch {
        session: game,
        currency: Currency::from_code("EUR").unwrap(),
        provider: ProviderId::new(client.at.providers[0].id.as_str()).unwrap(),
        game: GameId::new(GAME).unwrap(),
        standing: GameStanding::ENABLED,
        token_hash: hash_of(game),
        token_expires_at: over,
        expires_at: over,
        login: None,
        per_game_max: None,
    };
    for command in [
        Command::OpenSession(login),
        Command::Launch(game),
        // Unless the sweeper was faster.
        Command::ExpireSessions,
    ] {
        carry_out(client, &player.id, &command).await;
    }
}

/// His events by the feed, oldest first.
async fn feed(client: &Client, player: &str) -> Vec<Value> {
    let path = format!("/v1/events?player={player}&limit=200");
    let page = client.get(&path).await.ok();
    page.json["data"].as_array().unwrap().clone()
}

/// Takes one real event of each type over HTTP and writes them down:
/// `PITBOSS_RECORD=1 cargo test --test it what_is_really_sent`.
fn record(events: &[Value]) {
    let mut first = BTreeMap::new();
    for event in events {
        let kind = event["type"].as_str().unwrap().to_owned();
        first.entry(kind).or_insert(event);
    }
    let lines = EventType::ALL
        .iter()
        .filter_map(|kind| first.get(kind.as_str()));
    let text: String = lines.map(|event| format!("{event}\n")).collect();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/contract/examples.jsonl");
    std::fs::write(file, text).unwrap();
}

#[tokio::test]
async fn what_is_really_sent_on_every_channel_is_what_the_contract_says() {
    let casino = Casino::start("contract", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    assert_eq!(client.at.providers[0].id, PROVIDER);
    let document = document(&client).await;
    let mut bus = Bus::listen(&client.at.nats).await;
    let receiver = Receiver::start().await;
    client
        .post("/v1/webhooks", &json!({ "url": receiver.url }))
        .await
        .ok();
    let player = Player::with(&client, "100.00").await;
    let mut stream = Stream::open(&client, &player.token, "?after=0")
        .await
        .unwrap();
    rich_life(&client, &player).await;
    // The stream of this node learns of another owner's commits with the player's next one.
    client
        .callback("win", &player.win("last", "b4", "0"))
        .await
        .ok();

    let events = feed(&client, &player.id).await;
    let last = events.last().unwrap()["seq"].as_i64().unwrap();
    if std::env::var_os("PITBOSS_RECORD").is_some() {
        record(&events);
    }
    let missing: Vec<_> = EventType::ALL
        .iter()
        .filter(|kind| events.iter().all(|event| event["type"] != kind.as_str()))
        .collect();
    assert!(missing.is_empty(), "this life has none of {missing:?}");
    for event in &events {
        conforms(&document, event);
    }

    // The same on every channel, to the byte where one can look at bytes.
    let heard = bus.until(&player.id, last).await;
    receiver.until_seq(&player.id, last).await;
    let page = client
        .get(&format!("/v1/events?player={}&limit=200", player.id))
        .await
        .ok();
    let delivered = receiver.deliveries();
    for message in &heard {
        assert!(page.text.contains(&message.text), "{}", message.text);
        let delivery = delivered
            .iter()
            .find(|delivery| delivery.id == message.message_id);
        assert_eq!(delivery.unwrap().text, message.text);
    }
    assert_eq!(heard.len(), events.len());
    conforms_as(&document, "stream.resumed", &stream.first);
    assert_eq!(stream.until(last).await, events);

    // What else the stream says.
    for (command, name) in [
        (r#"{"type":"ping","id":7}"#, "stream.pong"),
        (r#"{"type":"dance"}"#, "stream.error"),
    ] {
        stream.send(command).await;
        conforms_as(&document, name, &stream.next().await);
    }
    let ping = json!({ "type": "ping", "id": { "a": 1 } });
    conforms_as(&document, "client.ping", &ping);
    let fresh = Stream::open(&client, &player.token, "").await.unwrap();
    conforms_as(&document, "stream.snapshot", &fresh.first);
    let unknown = Stream::open(&client, &player.token, "?after=99999").await;
    conforms_as(&document, "stream.snapshot", &unknown.unwrap().first);
}

#[track_caller]
fn conforms_as(document: &Value, name: &str, message: &Value) {
    let found = breaches(document, name, message);
    assert!(found.is_empty(), "{found:#?}\n{message:#}");
}

#[tokio::test]
async fn every_type_of_event_has_an_example_of_a_real_run_that_the_schema_allows() {
    let client = shared().await;
    let document = document(&client).await;
    for kind in EventType::ALL {
        let name = kind.as_str();
        let examples = &document["components"]["messages"][name]["examples"];
        let example = &examples[0]["payload"];
        assert!(
            example.is_object(),
            "record an example of {name}: see `record`"
        );
        conforms(&document, example);
        // The test itself can fail: a field more, a field less, and a number for an amount are breaches.
        for breach in [
            with_data(example, |data| drop(data.insert("more".into(), 1.into()))),
            with_data(example, serde_json::Map::clear),
            with(example, "version", 2),
            with(example, "seq", "1"),
            with(example, "extra", 1),
        ] {
            assert!(!breaches(&document, name, &breach).is_empty(), "{breach:#}");
        }
    }
}

fn with_data(event: &Value, change: impl Fn(&mut serde_json::Map<String, Value>)) -> Value {
    let mut event = event.clone();
    change(event["data"].as_object_mut().unwrap());
    event
}

#[tokio::test]
async fn the_contract_is_public_and_its_copies_are_asked_for_once() {
    let client = shared().await;
    let path = "/asyncapi.json";
    let answer = send(client.http(reqwest::Method::GET, path)).await.ok();
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json["asyncapi"], "3.0.0");
    let tag = answer.header("etag").to_owned();
    let request = client
        .http(reqwest::Method::GET, path)
        .header("if-none-match", &tag);
    let again = send(request).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}
