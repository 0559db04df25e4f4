//! Sessions over the started server: how they end, on every node, and what their history says.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    casino::Casino,
    client::{Answer, Client, send},
    eventually,
    ledger::Ledger,
    player::{Player, with},
    sandbox::shared,
    stream::Stream,
    unique,
};

/// Long enough for a slow machine to do something meanwhile; nothing here is proved by how long it takes.
const SHORT: &str = "[sessions]\nplayer_idle_s = 10\ngame_idle_s = 10\ntouch_s = 0\n[sweeper]\nevery_ms = 100\n\
                     [stream]\nlogins_poll_ms = 100\n";

/// Logs a player in; the whole answer.
async fn log_in(client: &Client, player: &str) -> Answer {
    let login = json!({
        "player": player, "currency": "EUR", "address": "192.0.2.7", "user_agent": "Browser/1.0",
    });
    client.post("/v1/sessions", &login).await
}

async fn delete(client: &Client, path: &str, token: &str) -> Answer {
    send(client.http(Method::DELETE, path).bearer_auth(token)).await
}

/// Logged in, in a game that was launched from the login: the player, and the login's id.
async fn seated(client: &Client) -> (Player, String) {
    let mut player = Player::with(client, "100.00").await;
    let opened = log_in(client, &player.id).await.ok();
    let login = opened.text_at("/id");
    player.token = opened.text_at("/token");
    let launch = json!({ "player": player.id, "currency": "EUR", "session": login });
    let launched = client.post("/v1/games/dice/launch", &launch).await.ok();
    let token = json!({ "token": launched.text_at("/token") });
    let session = client.callback("authenticate", &token).await.ok();
    player.session = session.text_at("/session");
    (player, login)
}

async fn session(client: &Client, id: &str) -> Value {
    client.get(&format!("/v1/sessions/{id}")).await.ok().json
}

async fn told(ledger: &Ledger, player: &str, kind: &str) -> i64 {
    let count = format!("SELECT count(*) FROM event WHERE player_id = $1 AND type = '{kind}'");
    ledger.number(&count, player).await
}

/// A win, a rollback and a close of bets that were taken while the session was live.
async fn settles(client: &Client, player: &Player, bets: [&str; 3]) {
    let [won, back, closed] = bets;
    let win = player.win(&format!("w-{won}"), won, "0.10");
    client.callback("win", &win).await.ok();
    let rollback = player.rollback(&format!("rb-{back}"), back);
    client.callback("rollback", &rollback).await.ok();
    client
        .callback("close_round", &player.close(closed))
        .await
        .ok();
}

#[tokio::test]
async fn an_idle_player_expires_once_over_two_nodes_and_his_sockets_close() {
    let casino = Casino::start("idle", &["sandbox"]).await;
    let (one, two) = tokio::join!(casino.serve(SHORT), casino.serve(SHORT));
    let (here, there) = (
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    );
    let ledger = casino.ledger("sandbox").await;
    let (player, login) = seated(&here).await;
    let mut sockets = [
        Stream::open(&here, &player.token, "").await.unwrap(),
        Stream::open(&there, &player.token, "").await.unwrap(),
    ];
    // On either node, and noted by both.
    for (index, client) in [&here, &there, &here].into_iter().enumerate() {
        let bet = player.bet(&format!("b{index}"), "0.10");
        client.callback("bet", &bet).await.ok();
    }
    let of_login = session(&there, &login).await;
    let of_game = session(&there, &player.session).await;
    assert_eq!(of_login["last_active_at"], of_game["last_active_at"]);
    assert_eq!(
        (&of_login["live"], &of_game["live"]),
        (&json!(true), &json!(true))
    );

    // Connected all the time, with answered heartbeats: that is no activity.
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, 4102);
        assert_eq!(socket.reason, "session_expired");
    }
    // Two logins, one of them of `Player::with`, whose game gave way to this one.
    let kinds = [("player.session_expired", 2), ("game.session_expired", 1)];
    for (kind, times) in kinds {
        eventually(kind, async || {
            (told(&ledger, &player.id, kind).await == times).then_some(())
        })
        .await;
    }
    for client in [&here, &there] {
        let bet = player.bet("late", "0.10");
        client
            .callback("bet", &bet)
            .await
            .refused(403, "session_expired");
        let keep_alive = format!("/v1/sessions/{login}/keep-alive");
        client
            .post(&keep_alive, &json!({}))
            .await
            .refused(403, "session_expired");
    }
    settles(&there, &player, ["b0", "b1", "b2"]).await;
    for (id, before) in [(&login, of_login), (&player.session, of_game)] {
        let over = session(&here, id).await;
        assert_eq!(over["end_reason"], "expired_idle", "{over}");
        assert_eq!(
            over["ended_at"], before["expires_at"],
            "not when it was noticed"
        );
    }
    for (kind, times) in kinds {
        assert_eq!(told(&ledger, &player.id, kind).await, times, "{kind}");
    }
    ledger.audited_cash(&player.id).await;
}

/// The note of an activity is in the commit of the bet, or nowhere.
#[tokio::test]
async fn a_crash_loses_no_activity_that_was_answered() {
    let casino = Casino::start("active", &["sandbox"]).await;
    let mut node = casino.serve("[sessions]\ntouch_s = 0\n").await;
    let client = casino.client(&node, "sandbox");
    let (player, login) = seated(&client).await;
    let opened = session(&client, &login).await;
    client.callback("bet", &player.bet("b1", "0.10")).await.ok();
    node.program.kill().await;
    casino.serve_again(&mut node).await;
    let client = casino.client(&node, "sandbox");
    for id in [&login, &player.session] {
        let now = session(&client, id).await;
        assert!(
            now["expires_at"].as_str() > opened["expires_at"].as_str(),
            "{now}"
        );
    }
    client.callback("bet", &player.bet("b2", "0.10")).await.ok();
}

#[tokio::test]
async fn a_keep_alive_moves_the_end_by_rest_and_over_the_socket() {
    let casino = Casino::start("keep-alive", &["sandbox"]).await;
    let node = casino.serve("[sessions]\ntouch_s = 0\n").await;
    let client = casino.client(&node, "sandbox");
    let (player, login) = seated(&client).await;
    let mut ends = vec![session(&client, &login).await["expires_at"].clone()];
    let path = format!("/v1/sessions/{login}/keep-alive");
    let kept = client.post(&path, &json!({})).await.ok();
    assert_eq!(kept.json["id"], login);
    ends.push(kept.json["expires_at"].clone());
    let mut socket = Stream::open(&client, &player.token, "").await.unwrap();
    // What a client sends by itself is no activity.
    for command in ["ping", "balance"] {
        socket.ask(&json!({ "type": command })).await;
    }
    assert_eq!(session(&client, &login).await["expires_at"], ends[1]);
    let kept = socket.ask(&json!({ "type": "keep_alive", "id": 7 })).await;
    assert_eq!(
        (&kept["type"], &kept["id"]),
        (&json!("kept_alive"), &json!(7))
    );
    ends.push(kept["expires_at"].clone());
    let launch = json!({ "type": "launch", "game": "dice", "id": 8 });
    let launched = socket.ask(&launch).await;
    ends.push(session(&client, &login).await["expires_at"].clone());
    let texts: Vec<_> = ends.iter().map(|end| end.as_str().unwrap()).collect();
    assert!(texts.is_sorted_by(|one, other| one < other), "{texts:?}");
    let game = session(&client, launched["session"].as_str().unwrap()).await;
    assert_eq!(game["login"], login);
    for unknown in ["ses_00000000000000000000000000000001", "ses_x", "x"] {
        let path = format!("/v1/sessions/{unknown}");
        client.get(&path).await.refused(404, "not_found");
        delete(&client, &path, &client.at.operator_key)
            .await
            .refused(404, "not_found");
        client
            .post(&format!("{path}/keep-alive"), &json!({}))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_log_out_by_anybody_ends_the_games_and_closes_the_sockets() {
    let client = shared().await;
    for by_player in [false, true] {
        let (player, login) = seated(&client).await;
        let mut socket = Stream::open(&client, &player.token, "").await.unwrap();
        for bet in ["b1", "b2", "b3"] {
            client.callback("bet", &player.bet(bet, "0.10")).await.ok();
        }
        let ended = if by_player {
            delete(&client, "/v1/session", &player.token).await
        } else {
            let path = format!("/v1/sessions/{login}");
            delete(&client, &path, &client.at.operator_key).await
        };
        assert_eq!((ended.status, ended.text.as_str()), (204, ""));
        assert_eq!(socket.closed().await, 4102);
        let bet = player.bet("b4", "0.10");
        client
            .callback("bet", &bet)
            .await
            .refused(403, "session_expired");
        settles(&client, &player, ["b1", "b2", "b3"]).await;
        assert_eq!(session(&client, &login).await["end_reason"], "ended");
        let game = session(&client, &player.session).await;
        assert_eq!(game["end_reason"], "logged_out");
        delete(&client, "/v1/session", &player.token)
            .await
            .refused(403, "session_expired");
        let launch = json!({ "player": player.id, "currency": "EUR", "session": login });
        client
            .post("/v1/games/dice/launch", &launch)
            .await
            .refused(403, "session_expired");
    }
}

#[tokio::test]
async fn all_sessions_of_a_player_end_at_once_on_every_node() {
    let casino = Casino::start("end-all", &["sandbox"]).await;
    let more = "[stream]\nlogins_poll_ms = 100\n";
    let (one, two) = tokio::join!(casino.serve(more), casino.serve(more));
    let nodes = [&one, &two].map(|node| casino.client(node, "sandbox"));
    let (player, _) = seated(&nodes[0]).await;
    let (other, _) = seated(&nodes[0]).await;
    let mut sockets = Vec::new();
    for node in &nodes {
        sockets.push(Stream::open(node, &player.token, "").await.unwrap());
    }
    for bet in ["b1", "b2", "b3"] {
        nodes[1]
            .callback("bet", &player.bet(bet, "0.10"))
            .await
            .ok();
    }
    let path = format!("/v1/players/{}/sessions/end", player.id);
    let ended = nodes[0].post(&path, &json!({})).await.ok();
    // Two logins (one of `Player::with`), and the game.
    assert_eq!(ended.json, json!({ "player": player.id, "ended": 3 }));
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, 4102);
    }
    for node in &nodes {
        node.callback("bet", &player.bet("late", "0.10"))
            .await
            .refused(403, "session_expired");
        node.callback("bet", &other.bet(&unique("b"), "0.10"))
            .await
            .ok();
    }
    settles(&nodes[1], &player, ["b1", "b2", "b3"]).await;
    let again = nodes[1].post(&path, &json!({})).await.ok();
    assert_eq!(again.json["ended"], 0);
    let nobody = "/v1/players/nobody/sessions/end";
    nodes[0]
        .post(nobody, &json!({}))
        .await
        .refused(404, "unknown_player");
}

#[tokio::test]
async fn a_history_has_every_session_with_where_it_came_from_and_why_it_ended() {
    let client = shared().await;
    let (player, login) = seated(&client).await;
    let path = format!("/v1/players/{}/sessions", player.id);
    let whole = client.get(&path).await.ok().json;
    assert_eq!(whole["next"], Value::Null);
    let rows = whole["data"].as_array().unwrap();
    let is_newest_first =
        rows.is_sorted_by(|one, other| one["created_at"].as_str() >= other["created_at"].as_str());
    // Of `Player::with` a login and a game, of `seated` another of each.
    assert!(rows.len() == 4 && is_newest_first, "{whole}");
    let game = &rows[0];
    assert_eq!(
        (&game["kind"], &game["game"], &game["login"], &game["live"]),
        (&json!("game"), &json!("dice"), &json!(login), &json!(true))
    );
    let of_login = &rows[1];
    assert_eq!(of_login["id"], login);
    assert_eq!(
        (&of_login["address"], &of_login["user_agent"]),
        (&json!("192.0.2.7"), &json!("Browser/1.0"))
    );
    // The same game again took the place of the first.
    let replaced = rows.iter().find(|row| row["end_reason"] == "replaced");
    assert_eq!(replaced.unwrap()["kind"], "game");
    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let page = client
            .get(&format!("{path}?limit=1{after}"))
            .await
            .ok()
            .json;
        paged.extend(page["data"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(&paged, rows);
    client
        .get("/v1/players/nobody/sessions")
        .await
        .refused(404, "unknown_player");
}

#[tokio::test]
async fn a_wrong_login_writes_nothing() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let before = ledger.rows(&player.id).await;
    let good = json!({ "player": player.id, "currency": "EUR" });
    let long = "x".repeat(513);
    for (field, value, code) in [
        ("address", json!("localhost"), "malformed"),
        ("address", json!("192.0.2.7:80"), "malformed"),
        ("address", json!(7), "malformed"),
        ("user_agent", json!(long), "malformed"),
        ("user_agent", json!("a\0b"), "malformed"),
        ("currency", json!("USD"), "currency_mismatch"),
        ("colour", json!("red"), "unknown_field"),
    ] {
        let body = with(&good, field, value);
        let refused = client.post("/v1/sessions", &body).await.refused(422, code);
        assert!(refused.text_at("/detail").contains(field) || field == "currency");
    }
    let failed = json!({ "player": player.id, "reason": "x".repeat(256) });
    client
        .post("/v1/sessions/failed", &failed)
        .await
        .refused(422, "malformed");
    let nobody = json!({ "player": "nobody" });
    client
        .post("/v1/sessions/failed", &nobody)
        .await
        .refused(404, "unknown_player");
    let failures = "SELECT count(*) FROM login_failure WHERE player_id IN ($1, 'nobody')";
    assert_eq!(ledger.number(failures, &player.id).await, 0);
    assert_eq!(ledger.rows(&player.id).await, before);
}

#[tokio::test]
async fn a_player_has_so_many_logins_and_one_too_many_is_replaced_or_refused() {
    let casino = Casino::start("limits", &["sandbox"]).await;
    let common = "[sessions]\nplayer_max = 2\n";
    let refusing = format!("{common}when_full = \"refuse\"\n");
    let (replaces, refuses) = tokio::join!(casino.serve(common), casino.serve(&refusing));
    let (replaces, refuses) = (
        casino.client(&replaces, "sandbox"),
        casino.client(&refuses, "sandbox"),
    );
    let (player, login) = seated(&replaces).await;
    let mut socket = Stream::open(&replaces, &player.token, "").await.unwrap();
    log_in(&refuses, &player.id)
        .await
        .refused(409, "session_limit");
    assert_eq!(session(&refuses, &login).await["live"], true);
    // The first of the two is that of `Player::with`.
    for _ in 0..2 {
        log_in(&replaces, &player.id).await.ok();
    }
    assert_eq!(socket.closed().await, 4102);
    assert_eq!(session(&replaces, &login).await["end_reason"], "replaced");
    let game = session(&replaces, &player.session).await;
    assert_eq!(game["end_reason"], "logged_out");
}

#[tokio::test]
async fn failed_logins_lock_for_a_while_and_a_good_one_forgets_them() {
    let casino = Casino::start("failures", &["sandbox"]).await;
    let node = casino
        .serve("[sessions]\nfailures_max = 3\nlock_s = 15\n")
        .await;
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "1.00").await;
    let failed = json!({ "player": player.id, "reason": "wrong password", "address": "192.0.2.9" });
    let report = async || {
        let answer = client.post("/v1/sessions/failed", &failed).await.ok();
        answer.json["locked_until"].clone()
    };
    for _ in 0..2 {
        for _ in 0..2 {
            assert_eq!(report().await, Value::Null);
        }
        log_in(&client, &player.id).await.ok();
    }
    for _ in 0..2 {
        assert_eq!(report().await, Value::Null);
    }
    let until = report().await;
    let refused = log_in(&client, &player.id)
        .await
        .refused(403, "player_locked");
    assert!(
        refused.text_at("/detail").contains(until.as_str().unwrap()),
        "{}",
        refused.text
    );
    assert_eq!(report().await, until, "a lock is not lengthened");
    // Who is logged in goes on.
    client.callback("bet", &player.bet("b1", "0.10")).await.ok();
    eventually("the lock is over", async || {
        let answer = log_in(&client, &player.id).await;
        (answer.status == 201).then_some(())
    })
    .await;
    let ledger = casino.ledger("sandbox").await;
    let noted = "SELECT count(*) FROM audit_entry WHERE action = 'player.login_failed' AND subject = 'player/' || $1";
    assert_eq!(ledger.number(noted, &player.id).await, 7);
}
