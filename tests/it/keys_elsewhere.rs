//! Operator keys on several nodes, behind proxies, on the command line and on NATS.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    keys::{actions, make, noted},
    support::{
        bus::Bus,
        casino::{Casino, done},
        client::{Client, send},
        eventually,
        program::{pitboss, run, stderr, stdout},
    },
};

/// The end of a long poll: its text.
async fn waits_for_events(client: Client) -> String {
    client
        .get("/v1/events?after=newest&type=withdrawal.*&wait=300")
        .await
        .ok()
        .text
}

#[tokio::test]
async fn a_revoked_key_ends_on_every_node_also_where_it_waits() {
    let casino = Casino::start("key-nodes", &["sandbox"]).await;
    let settings = "[events]\nwait_max_s = 300\n";
    let (one, two) = tokio::join!(casino.serve(settings), casino.serve(settings));
    let nodes = [
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    ];
    let made = make(&nodes[0], &["*"], json!({})).await;
    let (id, secret) = (made.text_at("/id"), made.text_at("/secret"));
    let waiting: Vec<_> = nodes
        .iter()
        .map(|node| tokio::spawn(waits_for_events(node.with_key(&secret))))
        .collect();
    for node in &nodes {
        eventually("somebody waits", async || {
            let metrics = node.admin("/metrics").await.ok().text;
            metrics
                .contains("pitboss_event_waiters{environment=\"sandbox\"} 1")
                .then_some(())
        })
        .await;
    }
    assert!(waiting.iter().all(|poll| !poll.is_finished()));
    nodes[0]
        .post(&format!("/v1/keys/{id}/revoke"), &json!({}))
        .await
        .ok();
    // Here at once, there when it looks again.
    nodes[0]
        .with_key(&secret)
        .get("/v1/games")
        .await
        .refused(401, "unauthorized");
    let there = nodes[1].with_key(&secret);
    let refused = eventually("the other node has heard of it", async || {
        Some(there.get("/v1/games").await).filter(|answer| answer.status != 200)
    });
    refused.await.refused(401, "unauthorized");
    for poll in waiting {
        // They would have waited for 300 seconds.
        let text = tokio::time::timeout(Duration::from_secs(120), poll)
            .await
            .unwrap()
            .unwrap();
        assert!(text.contains("\"data\":[]"), "{text}");
    }
}

#[tokio::test]
async fn the_clients_address_is_what_the_last_of_our_proxies_says() {
    let casino = Casino::start("key-proxies", &["sandbox"]).await;
    let behind_one = |text: String| text.replace("[server]\n", "[server]\ntrusted_hops = 1\n");
    let node = casino.serve_edited(behind_one).await;
    let client = casino.client(&node, "sandbox");
    let networks = json!({ "allowed_addresses": ["203.0.113.0/24"] });
    let made = make(&client, &["*"], networks).await;
    let ask = async |forwarded: &[&str]| {
        let mut request = client
            .http(Method::GET, "/v1/games")
            .bearer_auth(made.text_at("/secret"));
        for line in forwarded {
            request = request.header("X-Forwarded-For", *line);
        }
        send(request).await
    };
    ask(&["203.0.113.9"]).await.ok();
    ask(&["198.51.100.1, 203.0.113.9"]).await.ok();
    ask(&["198.51.100.1", "203.0.113.9"]).await.ok();
    for foreign in [
        &[][..],
        &[""],
        &["203.0.113.9, 198.51.100.1"],
        &["203.0.113.9", "198.51.100.1"],
        &["203.0.113.9, unknown"],
        &["203.0.113.9,"],
    ] {
        ask(foreign).await.refused(403, "forbidden");
    }
    eventually("the address is noted", async || {
        let path = format!("/v1/keys/{}", made.text_at("/id"));
        let shown = client.get(&path).await.ok();
        (shown.json["last_used_address"] == "203.0.113.9").then_some(())
    })
    .await;
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked_on_the_command_line() {
    let casino = Casino::start("key-commands", &["sandbox", "live"]).await;
    let config = casino.config("", 1, 1);
    let command = |verb: &'static str, environment: &'static str, more: &[&str]| {
        let common = [
            "keys",
            verb,
            "--config",
            config.to_str().unwrap(),
            "--environment",
            environment,
        ];
        [&common[..], more]
            .concat()
            .iter()
            .map(|arg| (*arg).to_owned())
            .collect::<Vec<_>>()
    };
    let run = async |args: Vec<String>| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(pitboss(&args)).await
    };
    let options = [
        "--name",
        "reports",
        "--person",
        "Ann",
        "--scopes",
        "reports:read,players:read",
        "--allow",
        "127.0.0.0/8",
        "--rate",
        "5:10",
        "--expires",
        "2099-01-01T00:00:00Z",
    ];
    let made = run(command("create", "live", &options)).await;
    assert!(made.status.success(), "{}", stderr(&made));
    let secret = stdout(&made).trim().to_owned();
    let node = casino.serve("").await;
    let live = casino.client(&node, "live");
    let keys = live.get("/v1/keys").await.ok();
    let key = keys.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "reports")
        .unwrap();
    assert_eq!(key["scopes"], json!(["players:read", "reports:read"]));
    assert_eq!(
        (&key["person"], &key["issuers"]),
        (&json!("Ann"), &json!([]))
    );
    assert_eq!(key["rate"], json!({ "per_s": 5, "burst": 10 }));
    live.with_key(&secret)
        .get("/v1/games")
        .await
        .refused(403, "forbidden");

    let table = stdout(&run(command("list", "live", &[])).await);
    let line = table.lines().find(|line| line.contains("reports")).unwrap();
    for cell in [
        key["id"].as_str().unwrap(),
        &secret[..12],
        "until 2099-01-01T00:00:00Z",
        "Ann",
    ] {
        assert!(line.contains(cell), "{cell}: {table}");
    }
    assert!(
        !table.contains(&secret) && table.ends_with("3 keys\n"),
        "{table}"
    );

    let id = key["id"].as_str().unwrap();
    let revoked = run(command("revoke", "live", &["--id", id, "--reason", "lost"])).await;
    assert!(revoked.status.success(), "{}", stderr(&revoked));
    let refused = eventually("the server has heard of it", async || {
        Some(live.with_key(&secret).get("/v1/games").await).filter(|answer| answer.status == 401)
    });
    refused.await.refused(401, "unauthorized");
    let entries = noted(&live, id).await;
    assert_eq!(actions(&entries), ["key.created", "key.revoked"]);
    assert_eq!(entries[1]["actor"]["kind"], "command_line");
    assert!(stdout(&run(command("list", "live", &[])).await).contains("revoked"));

    for (wrong, said) in [
        (&["--name", "x", "--scopes", "players"][..], "players:read"),
        (
            &["--name", "x", "--allow", "10.0.0.0/99"],
            "must be an address or a network",
        ),
        (
            &["--name", "x", "--expires", "2020-01-01T00:00:00Z"],
            "--expires",
        ),
        (&["--name", " "], "--name"),
        (&["--name", "x", "--rate", "0:1"], "100:200"),
    ] {
        let output = run(command("create", "live", wrong)).await;
        assert!(
            !output.status.success() && stderr(&output).contains(said),
            "{}",
            stderr(&output)
        );
    }
    // The other world's database is refused, whatever the configuration says.
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("casino_live", "casino_sandbox")).unwrap();
    let output = run(command("create", "live", &["--name", "x"])).await;
    assert!(
        !output.status.success() && stderr(&output).contains("must never touch it"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn there_are_so_many_live_keys_and_no_more() {
    let casino = Casino::start("key-limit", &["sandbox"]).await;
    // Two are there.
    let node = casino.serve("[keys]\nlive_max = 3\n").await;
    let client = casino.client(&node, "sandbox");
    let third = make(&client, &["games:read"], json!({})).await;
    let key = json!({ "name": "a fourth", "person": "Ann", "scopes": ["games:read"] });
    let refused = client.post("/v1/keys", &key).await;
    refused.refused(409, "key_limit");
    let listed = client.get("/v1/keys").await.ok();
    assert_eq!(listed.json["data"].as_array().unwrap().len(), 3);
    let revoke = format!("/v1/keys/{}/revoke", third.text_at("/id"));
    client.post(&revoke, &json!({})).await.ok();
    client.post("/v1/keys", &key).await.ok();
}

#[tokio::test]
async fn changes_of_keys_reach_whoever_listens_on_nats() {
    let casino = Casino::start("key-bus", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let bus = Bus::listen(&client.at.nats).await;
    let made = make(&client, &["games:read"], json!({})).await;
    let subject = format!("key/{}", made.text_at("/id"));
    let is_kept = async || {
        let kept = bus.kept("SYSTEM").await;
        kept.into_iter()
            .find(|heard| heard.event["data"]["subject"] == subject)
    };
    let found = eventually("the event is kept", is_kept).await;
    assert_eq!(found.event["type"], "key.created");
    assert_eq!(found.event["player"], Value::Null);
    // A stream that is lost is filled again, as those of players are.
    bus.jetstream().delete_stream("SYSTEM").await.unwrap();
    make(&client, &["games:read"], json!({})).await;
    let stream = async || bus.jetstream().get_stream("SYSTEM").await.ok();
    eventually("the stream is there again", stream).await;
    assert_eq!(eventually("the event is kept again", is_kept).await, found);
    done(&[
        "audit",
        "--config",
        casino.config("", 1, 1).to_str().unwrap(),
    ])
    .await;
}
