//! `GET /v1/events`: complete, in order per player, the same bytes as elsewhere, and bounded in every way.

use std::collections::HashMap;

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    bus::Bus,
    casino::Casino,
    client::{Answer, Client, send, try_send},
    eventually,
    player::{EVENTS, Player},
    sandbox::shared,
};

/// Where the feed of all players ends now.
async fn newest(client: &Client) -> String {
    let page = client.get("/v1/events?after=newest").await.ok();
    page.text_at("/next")
}

fn events(page: &Answer) -> Vec<Value> {
    page.json["data"].as_array().unwrap().clone()
}

/// Pages from a cursor until there is no more for now; the events, and where they end.
async fn read(client: &Client, query: &str, from: &str, limit: usize) -> (Vec<Value>, String) {
    let (mut all, mut after) = (Vec::new(), from.to_owned());
    loop {
        let path = format!("/v1/events?limit={limit}&after={after}{query}");
        let page = client.get(&path).await.ok();
        assert!(events(&page).len() <= limit, "{}", page.text);
        all.extend(events(&page));
        after = page.text_at("/next");
        if page.json["more"] == false {
            return (all, after);
        }
    }
}

fn seqs_of(events: &[Value], player: &str) -> Vec<i64> {
    let of_player = events.iter().filter(|event| event["player"] == player);
    of_player
        .map(|event| event["seq"].as_i64().unwrap())
        .collect()
}

async fn plays(client: &Client, player: &Player, id: &str) {
    client.callback("bet", &player.bet(id, "0.01")).await.ok();
    client
        .callback("win", &player.win(id, id, "0.02"))
        .await
        .ok();
}

#[tokio::test]
async fn a_players_feed_has_the_bytes_of_the_bus_from_the_first_on() {
    let client = shared().await;
    let mut bus = Bus::listen(&client.at.nats).await;
    let player = Player::with(&client, "10.00").await;
    for index in 0..5 {
        plays(&client, &player, &format!("b{index}")).await;
    }
    let last = EVENTS + 15;
    let heard = bus.until(&player.id, last).await;
    let page = client
        .get(&format!("/v1/events?player={}", player.id))
        .await
        .ok();
    let bodies: Vec<&str> = heard.iter().map(|message| message.text.as_str()).collect();
    let expected = format!(
        r#"{{"data":[{}],"next":"{last}","more":false}}"#,
        bodies.join(",")
    );
    assert_eq!(page.text, expected);
    // Pages of any size end where the one page ends.
    for limit in [1, 2, 7, 200] {
        let (all, next) = read(&client, &format!("&player={}", player.id), "0", limit).await;
        assert_eq!(all, events(&page));
        assert_eq!(next, last.to_string());
    }
    let newest = format!("/v1/events?player={}&after=newest", player.id);
    assert_eq!(
        client.get(&newest).await.ok().text_at("/next"),
        last.to_string()
    );
}

#[tokio::test]
async fn while_many_write_a_reader_of_small_pages_misses_nothing_and_sees_nothing_twice() {
    let client = shared().await;
    let start = newest(&client).await;
    let mut players = Vec::new();
    for _ in 0..6 {
        players.push(Player::with(&client, "10.00").await);
    }
    let writing = futures_util::future::join_all(players.iter().map(|player| {
        let client = client.clone();
        async move {
            for index in 0..20 {
                plays(&client, player, &format!("b{index}")).await;
            }
        }
    }));
    let last = EVENTS + 20 * 3;
    let reading = async {
        let (mut all, mut after) = (Vec::new(), start.clone());
        while players
            .iter()
            .any(|player| seqs_of(&all, &player.id).last() != Some(&last))
        {
            let page = format!("/v1/events?limit=7&wait=5&after={after}");
            let page = client.get(&page).await.ok();
            all.extend(events(&page));
            after = page.text_at("/next");
        }
        all
    };
    let (_, all) = tokio::join!(writing, reading);
    let whole: Vec<i64> = (1..=last).collect();
    for player in &players {
        assert_eq!(seqs_of(&all, &player.id), whole, "{}", player.id);
    }
    // The cursor is stable: the same from the start again, page by page of another size.
    let (again, _) = read(&client, "", &start, 50).await;
    for player in &players {
        assert_eq!(seqs_of(&again, &player.id), whole, "{}", player.id);
    }
}

#[tokio::test]
async fn a_filter_takes_types_and_families_and_moves_over_the_rest() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    plays(&client, &player, "b").await;
    client
        .callback("close_round", &player.close("b"))
        .await
        .ok();
    let of = async |types: &str| {
        let query = format!("&player={}&type={types}", player.id);
        let (all, next) = read(&client, &query, "0", 2).await;
        assert_eq!(
            next,
            (EVENTS + 4).to_string(),
            "what the filter drops is read as well"
        );
        let kinds = all
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(of("game.round_opened").await, ["game.round_opened"]);
    assert_eq!(
        of("game.round_opened,wallet.*").await,
        [
            "wallet.account_opened",
            "wallet.deposit_completed",
            "game.round_opened",
            "wallet.bet_debited",
            "wallet.win_credited"
        ]
    );
    assert!(of("withdrawal.*").await.is_empty());
    for unknown in ["wallet.nothing", "wallet", "*", "wallet.*,,", "casino.*"] {
        let answer = client.get(&format!("/v1/events?type={unknown}")).await;
        let answer = answer.refused(422, "malformed");
        let name = unknown.trim_start_matches("wallet.*,");
        let name = name.split(',').next().unwrap();
        assert!(
            answer.text.contains(&format!("\\\"{name}\\\"")),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_by_the_name_of_what_is_wrong() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let cursor = newest(&client).await;
    for query in [
        "limit=0".to_owned(),
        "limit=201".into(),
        "wait=31".into(),
        "wait=-1".into(),
        "wait=x".into(),
        "after=".into(),
        "after=%21".into(),
        "after=7".into(),
        format!("after={cursor}x"),
        format!("player={}&after=x", player.id),
        format!("player={}&after=-1", player.id),
        format!("player={}&after={cursor}", player.id),
        "colour=red".into(),
    ] {
        let answer = client.get(&format!("/v1/events?{query}")).await;
        let name = query.rsplit('&').next().unwrap();
        let name = name.split('=').next().unwrap();
        let code = if name == "colour" {
            "unknown_field"
        } else {
            "malformed"
        };
        let answer = answer.refused(422, code);
        let names_it = answer.text.contains(name) || matches!(name, "wait" | "limit");
        assert!(names_it, "{query}: {}", answer.text);
    }
    client
        .get("/v1/events?player=nobody")
        .await
        .refused(404, "unknown_player");
    client
        .get("/v1/events?player=nobody&after=newest")
        .await
        .refused(404, "unknown_player");
    // A seq that he does not have yet is another history's.
    client
        .get(&format!("/v1/events?player={}&after=99", player.id))
        .await
        .refused(410, "events_gone");
    send(client.http(Method::GET, "/v1/events"))
        .await
        .refused(401, "unauthorized");
    send(
        client
            .http(Method::GET, "/v1/events")
            .bearer_auth(&player.token),
    )
    .await
    .refused(401, "unauthorized");
}

#[tokio::test]
async fn a_waiter_is_woken_by_either_node_is_bounded_and_is_answered_by_a_stop() {
    let casino = Casino::start("events", &["sandbox"]).await;
    let more = "[events]\nwaiters_max = 1\n";
    let (mut one, two) = tokio::join!(casino.serve(more), casino.serve(""));
    let (here, there) = (
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    );
    let player = Player::with(&here, "10.00").await;
    let only = format!("&player={}", player.id);
    let all = String::new();
    let wallet = "&type=wallet.bet_debited".to_owned();
    for (index, node) in [&here, &there, &here, &there].into_iter().enumerate() {
        let query = [&only, &all, &wallet, &only][index];
        let (_, after) = read(&here, query, "newest", 200).await;
        // It finds nothing at first: an event in its answer is one that it was woken for.
        let path = format!("/v1/events?after={after}{query}&wait=30");
        let waiting = here.get(&path);
        let playing = async {
            until_somebody_waits(&here).await;
            plays(node, &player, &format!("b{index}")).await;
        };
        let (page, ()) = tokio::join!(waiting, playing);
        let page = page.ok();
        assert!(page.text.starts_with(['{', ' ']), "{}", page.text);
        assert_eq!(events(&page)[0]["player"], player.id, "{}", page.text);
    }

    // One place: the second is turned away, and gets it when the first has gone away without a word.
    let path = format!("/v1/events?after=newest{only}&wait=30");
    let request = || {
        here.http(Method::GET, &path)
            .bearer_auth(&here.at.operator_key)
    };
    let first = tokio::spawn(try_send(request()));
    until_somebody_waits(&here).await;
    here.get(&path).await.refused(429, "busy");
    first.abort();
    let second = eventually("the place is free", async || {
        // Told by its head alone: the body comes at the end of the wait.
        let answer = request().send().await.unwrap();
        (answer.status() == 200).then_some(answer)
    })
    .await;
    // The other node waits on: a stop answers nobody but its own.
    one.program.signal(Signal::SIGTERM);
    let body = second.text().await.unwrap();
    let page: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(page["data"], Value::Array(vec![]));
    assert_eq!(
        one.program.wait().await.code(),
        Some(0),
        "{}",
        one.program.log()
    );
}

async fn until_somebody_waits(client: &Client) {
    eventually("somebody waits", async || {
        let metrics = client.admin("/metrics").await.text;
        metrics
            .lines()
            .find(|line| line.starts_with("pitboss_event_waiters{"))
            .is_some_and(|line| !line.ends_with(" 0"))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_no_longer_kept_is_told_and_never_skipped() {
    let casino = Casino::start("events-gone", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let ledger = casino.ledger("sandbox").await;
    let start = newest(&client).await;
    let gone = async |query: String| {
        let path = format!("/v1/events?{query}");
        client.get(&path).await.refused(410, "events_gone");
    };
    let cannot_begin = async |after: &str| {
        gone(format!("after={after}")).await;
        let webhook = json!({ "url": "http://localhost:9/", "after": after });
        let answer = client.post("/v1/webhooks", &webhook).await;
        answer.refused(410, "events_gone");
    };
    // Fewer lanes than there are, more, and one that is further than it was ever filled.
    let short = start.strip_suffix("AAAAAAAA").expect("empty lanes");
    cannot_begin(short).await;
    cannot_begin(&format!("{start}AAAAAAAA")).await;
    cannot_begin(&format!("{short}AQAAAAAA")).await;
    let player = Player::with(&client, "10.00").await;
    let quiet = Player::with(&client, "10.00").await;
    plays(&client, &player, "b").await;
    let middle = newest(&client).await;
    plays(&client, &player, "c").await;
    let (all, end) = read(&client, "", &start, 200).await;
    let mut newest_of: HashMap<&str, i64> = HashMap::new();
    for event in &all {
        let player = event["player"].as_str().unwrap();
        newest_of.insert(player, event["seq"].as_i64().unwrap());
    }
    let last = EVENTS + 6;
    assert_eq!(newest_of[&*player.id], last);
    let kept_seqs = [last - 2, last - 1, last];

    // As a trim does: whole lanes, oldest first, all but the last two decisions of the player.
    let kept = "DELETE FROM outbox o USING lane l WHERE o.lane = l.id AND o.lane_seq <= l.seq - 2";
    ledger.0.execute(kept, &[]).await.unwrap();
    cannot_begin(&start).await;
    gone(format!("after={start}&wait=1&type=withdrawal.*")).await;
    gone(format!("player={}&after=0", player.id)).await;
    // What is kept can be read: from the oldest on, or from where nothing is missing.
    let (rest, _) = read(
        &client,
        &format!("&player={}", player.id),
        &(last - 3).to_string(),
        200,
    )
    .await;
    assert_eq!(seqs_of(&rest, &player.id), kept_seqs);
    let oldest = client.get("/v1/events?limit=200").await.ok();
    assert_eq!(seqs_of(&events(&oldest), &player.id), kept_seqs);
    let (after, _) = read(&client, "", &end, 200).await;
    assert!(after.is_empty());
    let (from_middle, _) = read(&client, "", &middle, 200).await;
    assert_eq!(seqs_of(&from_middle, &player.id), kept_seqs);
    // Also when a lane has nothing left at all.
    ledger.0.execute("DELETE FROM outbox", &[]).await.unwrap();
    gone(format!("after={middle}")).await;
    gone(format!("player={}&after={}", player.id, last - 1)).await;
    gone(format!("player={}&after=0", quiet.id)).await;
    let (after, _) = read(&client, "", &end, 200).await;
    assert!(after.is_empty());
    // A cursor of another database means nothing here.
    let elsewhere = newest(&shared().await).await;
    cannot_begin(&elsewhere).await;
}

#[tokio::test]
async fn a_page_in_the_middle_of_a_decision_goes_on_there() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let start = newest(&client).await;
    // One decision, many events: a round opened, bets and wins.
    let actions: Vec<(String, String)> = (0..6)
        .map(|index| (format!("x{index}"), format!("y{index}")))
        .collect();
    let actions: Vec<(&str, &str, &str)> = actions
        .iter()
        .flat_map(|(bet, win)| [("bet", bet.as_str(), "0.01"), ("win", win.as_str(), "0.01")])
        .collect();
    client
        .callback("bet_win", &player.batch("many", &actions))
        .await
        .ok();
    let whole: Vec<i64> = (EVENTS + 1..=EVENTS + 13).collect();
    for limit in [1, 2, 5, 200] {
        let (all, _) = read(&client, "", &start, limit).await;
        assert_eq!(seqs_of(&all, &player.id), whole, "limit {limit}");
    }
}
