//! Reports, on a server of their own: they tell of everybody.

use std::collections::BTreeMap;

use pitboss_services::ScratchDir;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    client::{send, unix_now},
    eventually,
    player::{Player, with},
    random::Random,
    sandbox::{Sandbox, shared},
};

/// A period around now, as a query.
fn around_now() -> String {
    let at = |s: i64| {
        let at = time::OffsetDateTime::from_unix_timestamp(unix_now() + s).unwrap();
        at.format(&time::format_description::well_known::Rfc3339)
            .unwrap()
    };
    format!("from={}&to={}", at(-7200), at(7200))
}

/// Ledger units of a EUR amount.
fn units(amount: &Value) -> i128 {
    let text = amount.as_str().unwrap();
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, fraction) = text.split_once('.').unwrap();
    sign * (whole.parse::<i128>().unwrap() * 1_000_000
        + format!("{fraction:0<6}").parse::<i128>().unwrap())
}

/// Records of CSV without its head, under its columns.
fn records(text: &str, column: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let records: Vec<Vec<String>> = reader.deserialize().map(Result::unwrap).collect();
    let first = records
        .iter()
        .position(|record| record[0] == column)
        .unwrap();
    let named = |record: &Vec<String>| {
        records[first]
            .iter()
            .cloned()
            .zip(record.iter().cloned())
            .collect()
    };
    records[first + 1..].iter().map(named).collect()
}

#[tokio::test]
async fn reports_add_up_what_was_really_played() {
    let scratch = ScratchDir::new("reports").unwrap();
    let sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
    let client = sandbox.client();
    let ledger = sandbox.ledger().await;
    let rtp = "UPDATE game SET rtp = '97.5' WHERE id = 'dice'";
    ledger.0.batch_execute(rtp).await.unwrap();
    let period = around_now();
    // Nothing has been played.
    let empty = client
        .get(&format!("/v1/reports/revenue?{period}"))
        .await
        .ok();
    assert_eq!(
        (&empty.json["no_activity"], &empty.json["data"]),
        (&json!(true), &json!([])),
        "{}",
        empty.text
    );
    assert_eq!(
        (&empty.json["environment"], &empty.json["report"]),
        (&json!("sandbox"), &json!("revenue"))
    );
    assert!(empty.json["from"].is_string() && empty.json["generated_at"].is_string());
    let empty = client
        .get(&format!("/v1/reports/revenue?{period}&format=csv"))
        .await;
    assert!(
        empty.text.starts_with("title,Gaming revenue,"),
        "{}",
        empty.text
    );
    assert!(empty.text.contains("\r\nNo Activity,,"), "{}", empty.text);

    let mut random = Random::seeded("reports");
    let players = [
        Player::with(&client, "500.00").await,
        Player::with(&client, "500.00").await,
    ];
    for step in 0..120 {
        let player = random.one_of(&players).clone();
        let (id, target) = (format!("t{step}"), format!("t{}", random.below(step + 1)));
        let amount = format!("{}.{:02}", random.below(9), random.below(100));
        // Some are refused, as it goes.
        let (action, body) = match random.below(8) {
            0..4 => ("bet", player.bet(&id, &amount)),
            4 => ("win", player.win(&id, &target, &amount)),
            5 => (
                "win",
                with(&player.win(&id, &target, "0.00"), "round_closed", true),
            ),
            6 => ("close_round", player.close(&target)),
            _ => ("rollback", player.rollback(&format!("rb{step}"), &target)),
        };
        client.callback(action, &body).await;
    }
    let rows = client.all("/v1/transactions?limit=17").await;
    let kinds: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| {
            (
                row["transaction_id"].as_str().unwrap(),
                row["kind"].as_str().unwrap(),
            )
        })
        .collect();
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for row in rows
        .iter()
        .filter(|row| row["state"] == "applied" && row["amount"].is_string())
    {
        let kind = row["kind"].as_str().unwrap();
        let what = match kind {
            "rollback" => match row["reverses"].as_str().map(|id| kinds[id]) {
                Some("bet") => "stake_back_cash",
                _ => "won_back_cash",
            },
            "bet" => "stake_cash",
            "win" => "won_cash",
            _ => continue,
        };
        *sums.entry(what).or_default() += units(&row["amount"]);
        *counts.entry(kind).or_default() += 1;
    }
    let report = client
        .get(&format!(
            "/v1/reports/revenue?{period}&by=provider,game,day"
        ))
        .await
        .ok();
    let lines = report.json["data"].as_array().unwrap();
    assert!(lines.iter().all(|line| line["provider"] == "demo"
        && line["game"] == "dice"
        && line["currency"] == "EUR"));
    for (name, expected) in &sums {
        let found: i128 = lines.iter().map(|line| units(&line[name])).sum();
        assert_eq!(found, *expected, "{name} in {}", report.text);
    }
    for (kind, expected) in &counts {
        let found: i64 = lines
            .iter()
            .map(|line| line[format!("{kind}s")].as_i64().unwrap())
            .sum();
        assert_eq!(found, *expected, "{kind} in {}", report.text);
    }
    let sum = |name: &str| sums.get(name).copied().unwrap_or(0);
    let ggr = sum("stake_cash") - sum("stake_back_cash") - sum("won_cash") + sum("won_back_cash");
    let found: i128 = lines.iter().map(|line| units(&line["ggr_cash"])).sum();
    assert_eq!(found, ggr);
    assert!(
        lines
            .iter()
            .all(|line| line["ngr"] == line["ggr_cash"] && line["rtp_theoretical"] == "97.5000"),
        "{}",
        report.text
    );
    // What players have is what came in and was not lost.
    let liability = client.get("/v1/reports/liability").await.ok();
    let line = &liability.json["data"][0];
    let deposits = rows.iter().filter(|row| row["kind"] == "deposit");
    let deposited: i128 = deposits.map(|row| units(&row["amount"])).sum();
    assert_eq!(
        units(&line["cash"]) - units(&line["owed_by_players"]),
        deposited - ggr
    );
    let unfinished = client.get("/v1/reports/open-rounds").await.ok();
    let held: i128 = unfinished.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| units(&line["held"]))
        .sum();
    assert_eq!(units(&line["held_in_rounds"]), held);
    assert_eq!(units(&line["total"]), units(&line["cash"]) + held);
    let before = client
        .get("/v1/reports/liability?at=2026-01-01T00:00:00Z")
        .await
        .ok();
    assert_eq!(
        (
            &before.json["data"][0]["cash"],
            &before.json["data"][0]["held_in_rounds"]
        ),
        (&json!("0.00"), &Value::Null)
    );
    // Both players, and every transaction, also as CSV and by what the client accepts.
    let players = client
        .get(&format!("/v1/reports/players?{period}"))
        .await
        .ok();
    let of_players: i128 = players.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| units(&line["ggr_cash"]))
        .sum();
    assert_eq!(of_players, ggr);
    let request = client.http(Method::GET, &format!("/v1/reports/transactions?{period}"));
    let list = send(
        request
            .bearer_auth(&client.at.operator_key)
            .header("Accept", "text/csv"),
    )
    .await;
    assert_eq!(list.header("content-type"), "text/csv; charset=utf-8");
    let listed = records(&list.text, "created_at");
    let ids: Vec<&str> = listed
        .iter()
        .rev()
        .map(|record| record["transaction_id"].as_str())
        .collect();
    let expected: Vec<&str> = rows
        .iter()
        .map(|row| row["transaction_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, expected);
    let wins = client
        .get(&format!(
            "/v1/reports/large-wins?{period}&currency=EUR&min_amount=2.00"
        ))
        .await
        .ok();
    let large = rows.iter().filter(|row| {
        row["kind"] == "win" && row["state"] == "applied" && units(&row["amount"]) >= 2_000_000
    });
    assert_eq!(wins.json["data"].as_array().unwrap().len(), large.count());
    let other = client.get(&format!("/v1/reports/revenue?{period}&currency=USD&provider=demo&game=dice&offset=05:30&test_players=true")).await;
    assert_eq!(other.ok().json["no_activity"], true);
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_by_name() {
    let client = shared().await;
    for (query, named) in [
        ("revenue?from=2026-01-01", "to"),
        ("revenue?from=x&to=2026-01-02", "from"),
        ("revenue?from=2026-01-02&to=2026-01-01", "to"),
        ("revenue?from=2020-01-01&to=2026-01-01", "400 days"),
        ("revenue?from=2026-01-01&to=2026-01-02&by=hour", "by"),
        ("revenue?from=2026-01-01&to=2026-01-02&offset=x", "offset"),
        ("players?from=2026-01-01&to=2026-01-02&by=day", "by"),
        (
            "large-wins?from=2026-01-01&to=2026-01-02&currency=EUR&min_amount=x",
            "min_amount",
        ),
        ("liability?at=9000-01-01T00:00:00Z", "at"),
        ("open-rounds?age=x", "age"),
    ] {
        let answer = client.get(&format!("/v1/reports/{query}")).await;
        let is_refused = ["malformed", "unknown_field"].contains(&answer.code());
        assert!(
            is_refused && answer.status == 422,
            "{query}: {}",
            answer.text
        );
        assert!(
            answer.text_at("/detail").contains(named),
            "{query}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn reports_beyond_the_bound_are_refused_and_one_whose_reader_left_is_cancelled() {
    let scratch = ScratchDir::new("busy-reports").unwrap();
    let sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
    let client = sandbox.client();
    let player = Player::with(&client, "10.00").await;
    // Whoever asks who is a test player waits for a very long time.
    let ledger = sandbox.ledger().await;
    let sleeps = "CREATE OR REPLACE VIEW test_player AS SELECT id FROM player WHERE (SELECT pg_sleep(3600))::text IS NULL";
    ledger.0.batch_execute(sleeps).await.unwrap();
    let running = async || {
        let metrics = client.admin("/metrics").await.text;
        let line = metrics
            .lines()
            .find(|line| line.starts_with("pitboss_reports_running"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u32>().ok())
            .unwrap()
    };
    let asked = ["json", "csv"].map(|format| {
        let client = client.clone();
        tokio::spawn(async move {
            client
                .get(&format!("/v1/reports/liability?format={format}"))
                .await
        })
    });
    eventually("two reports run", async || {
        (running().await == 2).then_some(())
    })
    .await;
    client
        .get("/v1/reports/open-rounds")
        .await
        .refused(429, "busy");
    // Whoever plays does not notice.
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    for reader in asked {
        reader.abort();
    }
    eventually("both are cancelled", async || {
        (running().await == 0).then_some(())
    })
    .await;
    let active = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pitboss report' AND state = 'active'";
    eventually("Postgres has stopped too", async || {
        let row = ledger.0.query_one(active, &[]).await.unwrap();
        (row.get::<_, i64>(0) == 0).then_some(())
    })
    .await;
    let metrics = client.admin("/metrics").await.text;
    assert!(
        metrics.contains("pitboss_reports_total{outcome=\"refused\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("pitboss_reports_total{outcome=\"abandoned\"} 2"),
        "{metrics}"
    );
}
