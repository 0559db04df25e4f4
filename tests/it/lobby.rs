//! The lobby: collections, and what each visitor sees of them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::catalogue::{actions, put};
use crate::game_rules::live_in;
use crate::support::{casino::Casino, client::send, sandbox::shared, unique};

#[tokio::test]
async fn the_lobby_shows_each_visitor_what_he_could_launch() {
    let casino = Casino::start("lobby", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let game = |id: &str, more: Value| {
        let mut game = json!({ "id": id, "provider": "acme", "name": format!("Game {id}"), "category": "slot" });
        game.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        game
    };
    let games = json!({ "games": [
        game("anywhere", json!({ "tags": ["hot"], "sort_weight": 1 })),
        game("swedish", json!({ "tags": ["hot"], "countries": { "allow": ["SE"] }, "sort_weight": 9 })),
        game("mobile", json!({ "tags": ["hot"], "devices": ["mobile"] })),
        game("dollars", json!({ "tags": ["hot"], "currencies": ["USD"] })),
        game("spoken", json!({ "tags": ["hot"], "languages": ["pt-BR"] })),
        game("off", json!({ "tags": ["hot"], "enabled": false })),
        game("table", json!({ "category": "table", "name": "Á table" })),
    ]});
    client.post("/v1/games/import", &games).await.ok();
    let hot = json!({ "titles": { "en": "Hot", "sv": "Hett" }, "rule": { "tags": ["hot"] }, "position": 2 });
    let made = put(&client, "/v1/collections/hot", &hot).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let picked = json!({
        "titles": { "en": "Picked" }, "games": ["table", "off", "anywhere"], "position": 1, "devices": ["desktop"],
    });
    put(&client, "/v1/collections/picked", &picked).await.ok();
    let named = json!({ "titles": { "en": "By name" }, "rule": { "order": "name", "providers": ["acme"] }, "position": 3, "limit": 2 });
    put(&client, "/v1/collections/named", &named).await.ok();
    let see = async |query: &str| {
        let lobby = client.get(&format!("/v1/lobby?{query}")).await.ok().json;
        let rows = lobby["collections"].as_array().unwrap().clone();
        let row = |row: &Value| {
            let games = row["games"].as_array().unwrap();
            let games: Vec<&str> = games
                .iter()
                .map(|game| game["id"].as_str().unwrap())
                .collect();
            format!("{}: {}", row["title"].as_str().unwrap(), games.join(" "))
        };
        rows.iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(
        see("country=SE&device=desktop&currency=EUR&language=sv").await,
        [
            "Picked: table anywhere",
            "Hett: swedish anywhere",
            "By name: table dice"
        ]
    );
    assert_eq!(
        see("device=mobile&currency=USD&language=pt").await,
        ["Hot: anywhere dollars mobile spoken", "By name: table dice"]
    );
    assert_eq!(
        see("country=US&device=desktop&currency=EUR&language=de").await[1],
        "Hot: anywhere"
    );
    let listed = client.get("/v1/collections?limit=2").await.ok();
    assert_eq!(
        (&listed.json["data"][0]["id"], &listed.json["data"][1]["id"]),
        (&json!("picked"), &json!("hot"))
    );
    let next = format!("/v1/collections?limit=2&after={}", listed.text_at("/next"));
    assert_eq!(client.get(&next).await.ok().json["data"][0]["id"], "named");
    // The same answer is not sent twice.
    let ask = |tag: &str| {
        let request = client
            .http(Method::GET, "/v1/lobby?country=SE")
            .bearer_auth(&client.at.operator_key);
        request.header("If-None-Match", tag)
    };
    let first = send(ask("\"x\"")).await.ok();
    let tag = first.header("etag").to_owned();
    let same = send(ask(&format!("\"x\", W/{tag}"))).await;
    assert_eq!(
        (same.status, same.text.as_str(), same.header("etag")),
        (304, "", tag.as_str())
    );
    // His own country, currency and blocks.
    let swede = live_in(&client, "SE").await;
    let own = async || {
        let request = client
            .http(Method::GET, "/v1/player/lobby?device=mobile")
            .bearer_auth(&swede.token);
        send(request).await.ok().text
    };
    assert!(own().await.contains("\"swedish\"") && !own().await.contains("\"dollars\""));
    let block = json!({ "game": "swedish", "reason": "x" });
    client
        .post(&format!("/v1/players/{}/game-blocks", swede.id), &block)
        .await
        .ok();
    assert!(!own().await.contains("\"swedish\""));
    put(
        &client,
        "/v1/gaming",
        &json!({ "enabled": false, "reason": "drill" }),
    )
    .await
    .ok();
    assert!(see("country=SE").await.is_empty());
    // And a collection goes without its games.
    let gone = client
        .http(Method::DELETE, "/v1/collections/hot")
        .bearer_auth(&client.at.operator_key);
    assert_eq!(send(gone).await.status, 204);
    client
        .get("/v1/collections/hot")
        .await
        .refused(404, "not_found");
    client.get("/v1/games/swedish").await.ok();
    assert_eq!(
        actions(&client, "collection/hot").await,
        ["collection.changed", "collection.removed"]
    );
}

#[tokio::test]
async fn a_wrong_collection_is_told_its_field_and_not_written() {
    let client = shared().await;
    let id = unique("c")
        .to_lowercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let path = format!("/v1/collections/{id}");
    for (body, code, field) in [
        (json!({ "titles": {}, "rule": {} }), "malformed", "titles"),
        (json!({ "rule": {} }), "malformed", "titles"),
        (json!({ "titles": { "en": "T" } }), "malformed", "games"),
        (
            json!({ "titles": { "en": "T" }, "games": ["nope"] }),
            "malformed",
            "games[0]",
        ),
        (
            json!({ "titles": { "en": "T" }, "games": ["dice"], "rule": {} }),
            "malformed",
            "games",
        ),
        (
            json!({ "titles": { "en": "T" }, "rule": { "order": "random" } }),
            "malformed",
            "rule.order",
        ),
        (
            json!({ "titles": { "en": "T" }, "rule": {}, "limit": 0 }),
            "malformed",
            "limit",
        ),
        (
            json!({ "titles": { "en": "T" }, "rule": {}, "countries": { "deny": ["UK"] } }),
            "malformed",
            "countries",
        ),
        (
            json!({ "id": "other", "titles": { "en": "T" }, "rule": {} }),
            "malformed",
            "id",
        ),
        (
            json!({ "titles": { "en": "T" }, "rule": {}, "colour": "red" }),
            "unknown_field",
            "colour",
        ),
    ] {
        let refused = put(&client, &path, &body).await.refused(422, code);
        assert!(
            refused.text_at("/detail").contains(field),
            "{body}: {}",
            refused.text
        );
    }
    let good = json!({ "titles": { "en": "T" }, "rule": {} });
    put(&client, "/v1/collections/Not-Small", &good)
        .await
        .refused(422, "malformed");
    client.get(&path).await.refused(404, "not_found");
    assert!(
        actions(&client, &format!("collection/{id}"))
            .await
            .is_empty()
    );
}
