//! Integrators on NATS: each hears the subjects that he was given, and nothing else, in any way.

use async_nats::{
    Client as NatsClient, ConnectOptions, HeaderMap, header::NATS_MESSAGE_ID, jetstream,
};
use futures_util::StreamExt;
use jetstream::consumer::PullConsumer;
use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    bus::Bus,
    casino::{Casino, Node, done},
    client::{Client, NatsLogin},
    eventually,
    player::Player,
};

const USERS: &str = r#"
[environments.sandbox.nats_users.acme]
password = "acme-acme-acme-acme"
subjects = ["withdrawal.*", "wallet.deposit_completed"]
[environments.sandbox.nats_users.beta]
password = "beta-beta-beta-beta"
subjects = ["game.*", "withdrawal.*"]
[environments.live.nats_users.acme]
password = "live-live-live-live"
subjects = ["withdrawal.*", "wallet.*"]
"#;

struct Scene {
    casino: Casino,
    node: Node,
}

impl Scene {
    /// A casino whose nats-server has the accounts that `pitboss bus config` printed.
    async fn begin(label: &str) -> Self {
        let mut casino = Casino::start(label, &["sandbox", "live"]).await;
        let config = casino.config(USERS, 1, 1);
        let printed = done(&["bus", "config", "--config", config.to_str().unwrap()]).await;
        let folder = casino.scratch.join("nats");
        let own = format!(
            "jetstream: {{ store_dir: {:?} }}\n{printed}\n",
            folder.to_str().unwrap()
        );
        std::fs::write(folder.join("nats.conf"), own).unwrap();
        casino.nats.restart().await.unwrap();
        let node = casino.serve(USERS).await;
        Self { casino, node }
    }

    fn client(&self, environment: &'static str) -> Client {
        self.casino.client(&self.node, environment)
    }

    async fn guest(&self, user: &str, password: &str) -> NatsClient {
        let options = ConnectOptions::with_user_and_password(user.into(), password.into());
        options.connect(&self.casino.nats.url()).await.unwrap()
    }

    async fn acme(&self) -> NatsClient {
        self.guest("sandbox-acme", "acme-acme-acme-acme").await
    }

    /// An event as a later part of Pitboss will publish it.
    async fn publish(&self, login: &NatsLogin, subject: &'static str, id: &str) {
        let options =
            ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone());
        let client = options.connect(&login.url).await.unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, id);
        let context = jetstream::new(client);
        // The bridge makes them once it is connected.
        eventually("the streams are there", async || {
            context.get_stream("WITHDRAWAL").await.ok()
        })
        .await;
        let sent = context.publish_with_headers(subject, headers, id.to_owned().into());
        sent.await.unwrap().await.unwrap();
    }
}

/// The subject of the next message.
async fn next(subscription: &mut async_nats::Subscriber) -> String {
    let next = tokio::time::timeout(PATIENCE, subscription.next()).await;
    next.unwrap().unwrap().subject.to_string()
}

/// Everything that comes to a subscription once the server has nothing more for this client.
async fn heard(client: &NatsClient, subscription: &mut async_nats::Subscriber) -> Vec<String> {
    client.flush().await.unwrap();
    let pause = std::time::Duration::from_millis(200);
    let mut heard = Vec::new();
    while let Ok(Some(message)) = tokio::time::timeout(pause, subscription.next()).await {
        heard.push(message.subject.to_string());
    }
    heard
}

/// What a reader of JetStream gives, acknowledged one by one.
async fn read(client: &NatsClient, stream: &str, reader: &str, count: usize) -> Vec<String> {
    let context = jetstream::with_prefix(client.clone(), "PITBOSS.API");
    let reader: PullConsumer = context
        .get_consumer_from_stream(reader, stream)
        .await
        .unwrap();
    let mut messages = reader.fetch().max_messages(count).messages().await.unwrap();
    let mut read = Vec::new();
    while let Some(Ok(message)) = messages.next().await {
        read.push(message.subject.to_string());
        message.ack().await.unwrap();
    }
    read
}

#[tokio::test]
async fn an_integrator_hears_his_subjects_and_reads_them_from_jetstream() {
    let scene = Scene::begin("users-can").await;
    let client = scene.client("sandbox");
    let acme = scene.acme().await;
    let mut own = acme.subscribe("withdrawal.*").await.unwrap();
    let mut one = acme.subscribe("wallet.deposit_completed").await.unwrap();
    acme.flush().await.unwrap();
    let player = Player::with(&client, "100.00").await;
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    scene
        .publish(&client.at.nats, "withdrawal.paid", "w-1")
        .await;
    assert_eq!(next(&mut own).await, "withdrawal.paid");
    assert_eq!(next(&mut one).await, "wallet.deposit_completed");
    assert_eq!(
        read(&acme, "WITHDRAWAL", "acme", 1).await,
        ["withdrawal.paid"]
    );
    assert_eq!(
        read(&acme, "WALLET", "acme-deposit_completed", 1).await,
        ["wallet.deposit_completed"]
    );
    // What he acknowledged does not come again, to him; the other reads on his own.
    scene
        .publish(&client.at.nats, "withdrawal.failed", "w-2")
        .await;
    assert_eq!(
        read(&acme, "WITHDRAWAL", "acme", 1).await,
        ["withdrawal.failed"]
    );
    let beta = scene.guest("sandbox-beta", "beta-beta-beta-beta").await;
    assert_eq!(
        read(&beta, "WITHDRAWAL", "beta", 2).await,
        ["withdrawal.paid", "withdrawal.failed"]
    );
}

#[tokio::test]
async fn a_sandbox_user_does_not_see_a_live_event_nor_the_other_way_round() {
    let scene = Scene::begin("users-apart").await;
    let (sandbox, live) = (scene.client("sandbox"), scene.client("live"));
    let in_sandbox = scene.acme().await;
    let in_live = scene.guest("live-acme", "live-live-live-live").await;
    let mut of_sandbox = in_sandbox.subscribe("withdrawal.*").await.unwrap();
    let mut of_live = in_live.subscribe("withdrawal.*").await.unwrap();
    in_sandbox.flush().await.unwrap();
    in_live.flush().await.unwrap();
    scene
        .publish(&live.at.nats, "withdrawal.paid", "w-live")
        .await;
    scene
        .publish(&sandbox.at.nats, "withdrawal.failed", "w-sandbox")
        .await;
    assert_eq!(
        heard(&in_sandbox, &mut of_sandbox).await,
        ["withdrawal.failed"]
    );
    assert_eq!(heard(&in_live, &mut of_live).await, ["withdrawal.paid"]);
    assert_eq!(
        read(&in_sandbox, "WITHDRAWAL", "acme", 1).await,
        ["withdrawal.failed"]
    );
    assert_eq!(
        read(&in_live, "WITHDRAWAL", "acme", 1).await,
        ["withdrawal.paid"]
    );
    let crossed =
        ConnectOptions::with_user_and_password("live-acme".into(), "acme-acme-acme-acme".into());
    assert!(crossed.connect(&scene.casino.nats.url()).await.is_err());
}

/// The state of JetStream, as far as anybody could have changed it.
async fn state(bus: &Bus) -> Value {
    let mut streams = Vec::new();
    let context = bus.jetstream();
    let mut names = context.stream_names();
    while let Some(Ok(name)) = names.next().await {
        let mut stream = context.get_stream(&name).await.unwrap();
        let info = stream.info().await.unwrap().clone();
        let mut readers = Vec::new();
        let mut all = stream.consumers();
        while let Some(Ok(reader)) = all.next().await {
            readers.push(json!([
                reader.name,
                reader.delivered.stream_sequence,
                reader.config.deliver_subject
            ]));
        }
        readers.sort_by_key(Value::to_string);
        streams.push(json!([
            name,
            info.state.last_sequence,
            info.state.messages,
            info.config.subjects,
            readers
        ]));
    }
    streams.sort_by_key(Value::to_string);
    json!(streams)
}

#[tokio::test]
async fn an_integrator_gets_nothing_else_in_any_way_and_changes_nothing() {
    let scene = Scene::begin("users-cannot").await;
    let client = scene.client("sandbox");
    let acme = scene.acme().await;
    let mut others = Vec::new();
    for subject in [
        "wallet.*",
        "wallet.bet_debited",
        "game.*",
        "bonus.*",
        "*.*",
        ">",
        "$JS.>",
        "$JS.ACK.>",
        "_R_.>",
        "$SYS.>",
        "PITBOSS.>",
    ] {
        others.push(acme.subscribe(subject).await.unwrap());
    }
    acme.flush().await.unwrap();
    let mut bus = Bus::listen(&client.at.nats).await;
    let player = Player::with(&client, "100.00").await;
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    bus.until(&player.id, 6).await;
    scene
        .publish(&client.at.nats, "withdrawal.paid", "w-1")
        .await;
    for subscription in &mut others {
        assert_eq!(heard(&acme, subscription).await, [] as [&str; 0]);
    }

    bus.so_far().await;
    let before = state(&bus).await;
    let filter = "wallet.bet_debited";
    let reader = |deliver: &str| {
        json!({ "stream_name": "WALLET", "config": {
            "durable_name": "mine", "name": "mine", "deliver_subject": deliver, "ack_policy": "none",
            "deliver_policy": "all", "filter_subject": filter,
        }})
        .to_string()
    };
    let copy = json!({ "name": "MINE", "sources": [{ "name": "WALLET" }] }).to_string();
    let mirror = json!({ "name": "MINE", "mirror": { "name": "WALLET" } }).to_string();
    let all = json!({ "name": "MINE", "subjects": ["wallet.*"] }).to_string();
    let mut tricks: Vec<(String, String)> = vec![
        ("wallet.bet_debited".into(), "{}".into()),
        ("withdrawal.paid".into(), "{}".into()),
    ];
    for prefix in ["$JS.API", "PITBOSS.API"] {
        let calls = [
            ("STREAM.CREATE.MINE", &copy),
            ("STREAM.CREATE.MINE", &mirror),
            ("STREAM.CREATE.MINE", &all),
            ("STREAM.UPDATE.WITHDRAWAL", &all),
            ("STREAM.DELETE.WITHDRAWAL", &String::new()),
            ("STREAM.PURGE.WITHDRAWAL", &String::new()),
            ("STREAM.MSG.DELETE.WITHDRAWAL", &r#"{"seq":1}"#.to_owned()),
            ("STREAM.MSG.GET.WALLET", &r#"{"seq":1}"#.to_owned()),
            ("DIRECT.GET.WALLET", &r#"{"seq":1}"#.to_owned()),
            ("STREAM.INFO.WALLET", &String::new()),
            ("STREAM.NAMES", &String::new()),
            (
                "CONSUMER.DURABLE.CREATE.WALLET.mine",
                &reader("_INBOX.mine"),
            ),
            ("CONSUMER.CREATE.WALLET", &reader("_INBOX.mine")),
            (
                "CONSUMER.CREATE.WALLET.mine.wallet.bet_debited",
                &reader("_INBOX.mine"),
            ),
            (
                "CONSUMER.CREATE.WITHDRAWAL.mine.withdrawal.paid",
                &reader("wallet.bet_debited"),
            ),
            ("CONSUMER.DELETE.WITHDRAWAL.acme", &String::new()),
            ("CONSUMER.INFO.GAME.beta", &String::new()),
            ("CONSUMER.MSG.NEXT.GAME.beta", &"1".to_owned()),
            ("CONSUMER.MSG.NEXT.WITHDRAWAL.beta", &"1".to_owned()),
        ];
        tricks.extend(calls.map(|(call, body)| (format!("{prefix}.{call}"), body.clone())));
    }
    let mut answers = acme.subscribe("_INBOX.mine").await.unwrap();
    for (subject, body) in tricks {
        let reply = "_INBOX.mine";
        acme.publish_with_reply(subject.clone(), reply, body.into())
            .await
            .unwrap();
        acme.flush().await.unwrap();
        let pause = std::time::Duration::from_millis(50);
        while let Ok(Some(answer)) = tokio::time::timeout(pause, answers.next()).await {
            let told: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
            let is_refusal = answer.status.is_some() || told["error"].is_object();
            assert!(is_refusal, "{subject}: {answer:?}");
        }
    }
    assert_eq!(state(&bus).await, before);
    assert_eq!(bus.so_far().await, []);

    // What he may ask for, to be answered where an event of the casino would be: it stays in his own account.
    let ask = "PITBOSS.API.CONSUMER.MSG.NEXT.WITHDRAWAL.acme";
    acme.publish_with_reply(ask, "wallet.bet_debited", "1".into())
        .await
        .unwrap();
    let info = "PITBOSS.API.CONSUMER.INFO.WITHDRAWAL.acme";
    acme.publish_with_reply(info, "wallet.bet_debited", "".into())
        .await
        .unwrap();
    acme.flush().await.unwrap();
    assert_eq!(bus.so_far().await, []);
    let kept = bus.kept("WALLET").await;
    assert!(
        kept.iter().all(|heard| heard.is_of(&player.id)),
        "{kept:#?}"
    );
}
