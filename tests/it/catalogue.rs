//! The catalogue of games: found, put and changed; and each wrong case, with nothing written.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    client::{Answer, Client, send},
    ledger::Ledger,
    sandbox::shared,
    unique,
};

async fn with_body(client: &Client, method: Method, path: &str, body: &Value) -> Answer {
    let request = client
        .http(method, path)
        .bearer_auth(&client.at.operator_key);
    send(request.json(body)).await
}

pub async fn put(client: &Client, path: &str, body: &Value) -> Answer {
    with_body(client, Method::PUT, path, body).await
}

pub async fn patch(client: &Client, path: &str, body: &Value) -> Answer {
    with_body(client, Method::PATCH, path, body).await
}

/// A game of the sandbox's provider.
pub fn a_game(more: Value) -> Value {
    let mut game = json!({ "provider": "demo", "name": "A Game", "category": "slot" });
    game.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    game
}

/// A new game, and its path.
pub async fn new_game(client: &Client, more: Value) -> (String, String) {
    let id = unique("game");
    let path = format!("/v1/games/{id}");
    let game = put(client, &path, &a_game(more)).await;
    assert_eq!(game.status, 201, "{}", game.text);
    (id, path)
}

/// The actions of the audit log about a subject, in order.
pub async fn actions(client: &Client, subject: &str) -> Vec<String> {
    let ledger = Ledger::open(&client.at.postgres).await;
    let sql = "SELECT action FROM audit_entry WHERE subject = $1 ORDER BY number";
    let rows = ledger.0.query(sql, &[&subject]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

pub fn ids(list: &Value) -> Vec<&str> {
    let rows = list["data"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// All pages of a list.
async fn all(client: &Client, query: &str, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = client
            .get(&format!("/v1/games?limit={limit}&{query}{after}"))
            .await
            .ok();
        found.extend(ids(&page.json).into_iter().map(str::to_owned));
        match page.json["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn a_game_is_shown_with_everything_that_was_put() {
    let client = shared().await;
    let whole = a_game(json!({
        "tags": ["fruit", "new"], "rtp": "96.53", "volatility": "high", "currencies": ["EUR", "BTC"],
        "limits": [{ "currency": "EUR", "min": "0.10", "max": "100.00" }], "devices": ["mobile"],
        "languages": ["en", "pt-BR"], "countries": { "allow": ["SE", "BR"], "deny": [] }, "demo": true,
        "jackpots": ["mega"], "version": "2.1.0", "checksum": "ab".repeat(32),
        "launch_url": "https://games.example/{game}?token={token}&mode={mode}", "image": "/img/a.png",
        "sort_weight": 5, "enabled": false, "finish_open_round": false, "session_limit_s": 3600, "max_sessions": 1,
    }));
    let (id, path) = new_game(&client, whole.clone()).await;
    let shown = client.get(&path).await.ok().json;
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(shown[field], *value, "{field}");
    }
    assert_eq!(shown["id"], *id);
    assert!(shown["created_at"].is_string() && shown["created_at"] == shown["updated_at"]);
    // Again and the same: nothing is changed, and nothing told.
    let again = put(&client, &path, &whole).await;
    assert_eq!((again.status, &again.json), (200, &shown));
    assert_eq!(
        actions(&client, &format!("game/{id}")).await,
        ["game.created"]
    );
    // Whole: what is left out is gone.
    let bare = put(&client, &path, &a_game(json!({}))).await.ok().json;
    assert_eq!(
        (&bare["rtp"], &bare["tags"], &bare["enabled"]),
        (&Value::Null, &json!([]), &json!(true))
    );
}

#[tokio::test]
async fn a_change_leaves_the_rest_and_has_an_entry_of_its_kind() {
    let client = shared().await;
    let (id, path) = new_game(&client, json!({ "rtp": "96", "version": "1" })).await;
    let changed = patch(&client, &path, &json!({ "tags": ["hot"], "rtp": null }))
        .await
        .ok()
        .json;
    assert_eq!(
        (&changed["tags"], &changed["rtp"], &changed["name"]),
        (&json!(["hot"]), &Value::Null, &json!("A Game"))
    );
    patch(&client, &path, &json!({ "enabled": false }))
        .await
        .ok();
    patch(
        &client,
        &path,
        &json!({ "enabled": true, "checksum": "0".repeat(64) }),
    )
    .await
    .ok();
    patch(&client, &path, &json!({ "version": "2" })).await.ok();
    patch(&client, &path, &json!({ "version": "2" })).await.ok();
    let all = [
        "game.created",
        "game.changed",
        "game.disabled",
        "game.enabled",
        "game.version_changed",
        "game.version_changed",
    ];
    assert_eq!(actions(&client, &format!("game/{id}")).await, all);
    let ledger = Ledger::open(&client.at.postgres).await;
    let sql =
        "SELECT detail, person FROM audit_entry WHERE subject = $1 ORDER BY number DESC LIMIT 1";
    let row = ledger
        .0
        .query_one(sql, &[&format!("game/{id}")])
        .await
        .unwrap();
    let detail: Value = serde_json::from_str(row.get(0)).unwrap();
    assert_eq!(
        detail["changes"],
        json!([{ "field": "version", "from": "1", "to": "2" }])
    );
    assert_eq!(row.get::<_, &str>(1), "sandbox");
}

#[tokio::test]
async fn a_wrong_game_is_told_its_field_and_nothing_is_written() {
    let client = shared().await;
    let (id, path) = new_game(&client, json!({})).await;
    let before = client.get(&path).await.ok().json;
    for (change, code, field) in [
        (json!({ "rtp": "101" }), "malformed", "rtp"),
        (json!({ "rtp": 96.5 }), "malformed", "rtp"),
        (json!({ "category": "casino" }), "malformed", "category"),
        (json!({ "checksum": "xyz" }), "malformed", "checksum"),
        (
            json!({ "currencies": ["XXX"] }),
            "currency_mismatch",
            "currencies[0]",
        ),
        (
            json!({ "limits": [{ "currency": "EUR", "min": "5", "max": "1" }] }),
            "malformed",
            "limits[0]",
        ),
        (
            json!({ "countries": { "deny": ["UK"] } }),
            "malformed",
            "countries.deny[0]",
        ),
        (
            json!({ "launch_url": "https://g.example/" }),
            "malformed",
            "launch_url",
        ),
        (json!({ "provider": "other" }), "malformed", "provider"),
        (json!({ "id": "other" }), "malformed", "id"),
        (json!({ "name": null }), "malformed", "name"),
        (
            json!({ "session_limit_s": 0 }),
            "malformed",
            "session_limit_s",
        ),
        (json!({ "colour": "red" }), "unknown_field", "colour"),
        (json!({}), "malformed", "nothing to change"),
    ] {
        let refused = patch(&client, &path, &change).await.refused(422, code);
        assert!(
            refused.text_at("/detail").contains(field),
            "{change}: {}",
            refused.text
        );
    }
    let whole = a_game(json!({ "id": "another" }));
    put(&client, &path, &whole).await.refused(422, "malformed");
    let stranger = a_game(json!({ "provider": "nobody" }));
    put(&client, "/v1/games/of-nobody", &stranger)
        .await
        .refused(422, "malformed");
    put(&client, "/v1/games/import", &a_game(json!({})))
        .await
        .refused(405, "method_not_allowed");
    assert_eq!(client.get(&path).await.ok().json, before);
    assert_eq!(
        actions(&client, &format!("game/{id}")).await,
        ["game.created"]
    );
    client
        .get("/v1/games/of-nobody")
        .await
        .refused(404, "unknown_game");
    patch(&client, "/v1/games/of-nobody", &json!({ "name": "x" }))
        .await
        .refused(404, "unknown_game");
}

#[tokio::test]
async fn games_are_found_by_words_whatever_their_case_and_accents() {
    let client = shared().await;
    let mark = unique("mark").replace('_', "-");
    let (unicorn, _) = new_game(&client, json!({ "name": format!("Ünïcorn CAFÉ {mark}") })).await;
    let (other, _) = new_game(
        &client,
        json!({ "name": format!("Other {mark}"), "tags": ["unicorns"] }),
    )
    .await;
    for (words, expected) in [
        (
            format!("{mark} unicorn"),
            BTreeSet::from([&unicorn, &other]),
        ),
        (format!("{mark} UNICORN cafe"), BTreeSet::from([&unicorn])),
        (format!("café {mark}"), BTreeSet::from([&unicorn])),
        (format!("nicor {mark}"), BTreeSet::from([&unicorn, &other])),
        (format!("{mark} unicornx"), BTreeSet::new()),
    ] {
        let words: String = words.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = client.get(&format!("/v1/games?q={words}")).await.ok().json;
        let found: BTreeSet<String> = ids(&found).into_iter().map(str::to_owned).collect();
        assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected, "{words}");
    }
    let by_id = client
        .get(&format!("/v1/games?q={unicorn}"))
        .await
        .ok()
        .json;
    assert_eq!(ids(&by_id), [&unicorn]);
}

#[tokio::test]
async fn games_are_listed_by_what_they_are_on_pages_of_any_size() {
    let client = shared().await;
    let tag = unique("tag").replace('_', "-").to_lowercase();
    let tag = tag[tag.len().saturating_sub(32)..]
        .trim_start_matches('-')
        .to_owned();
    let mut expected = Vec::new();
    for (index, more) in [
        json!({ "category": "bingo", "currencies": ["EUR"] }),
        json!({ "category": "live", "devices": ["mobile"], "demo": true }),
        json!({ "category": "live", "countries": { "deny": ["US"] }, "enabled": false }),
        json!({ "category": "crash", "countries": { "allow": ["SE"] }, "limits": [{ "currency": "EUR", "max": "1" }] }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut more = more;
        more["tags"] = json!([tag]);
        more["sort_weight"] = json!(10 - i64::try_from(index).unwrap());
        expected.push(new_game(&client, more).await.0);
    }
    for limit in [1, 2, 3, 4, 50] {
        assert_eq!(
            all(&client, &format!("tag={tag}"), limit).await,
            expected,
            "limit {limit}"
        );
    }
    for (query, wanted) in [
        ("category=live", vec![1, 2]),
        ("category=slot", vec![]),
        ("currency=USD", vec![1, 2, 3]),
        ("currency=EUR", vec![0, 1, 2, 3]),
        ("device=desktop", vec![0, 2, 3]),
        ("country=US", vec![0, 1]),
        ("country=SE", vec![0, 1, 2, 3]),
        ("enabled=false", vec![2]),
        ("demo=true", vec![1]),
        ("provider=demo&enabled=true", vec![0, 1, 3]),
        ("provider=other", vec![]),
    ] {
        let found = all(&client, &format!("tag={tag}&{query}"), 2).await;
        let wanted: Vec<&String> = wanted.iter().map(|index| &expected[*index]).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{query}");
    }
}
