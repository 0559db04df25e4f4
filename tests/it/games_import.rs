//! Many games at once: all or nothing, each wrong one named, and a dry run that only tells.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::catalogue::{a_game, actions, ids, new_game, put};
use crate::support::{casino::Casino, client::send, random::Random, sandbox::shared, unique};

#[tokio::test]
async fn an_import_creates_changes_and_leaves_and_a_dry_run_only_tells() {
    let client = shared().await;
    let (known, path) = new_game(
        &client,
        json!({ "rtp": "96", "enabled": false, "version": "1" }),
    )
    .await;
    let (same, _) = new_game(&client, json!({})).await;
    let new = unique("game");
    let games = json!([
        { "id": known, "rtp": "97", "version": "2" },
        { "id": same, "name": "A Game" },
        { "id": new, "provider": "demo", "name": "New", "category": "instant" },
    ]);
    let told = json!({
        "created": [new], "changed": [{ "game": known, "fields": ["rtp", "version"] }], "unchanged": 1,
    });
    let tell = |dry_run: bool| {
        let mut told = told.clone();
        told["dry_run"] = json!(dry_run);
        told
    };
    let dry = client
        .post(
            "/v1/games/import",
            &json!({ "games": games, "dry_run": true }),
        )
        .await
        .ok();
    assert_eq!(dry.json, tell(true));
    client
        .get(&format!("/v1/games/{new}"))
        .await
        .refused(404, "unknown_game");
    assert_eq!(client.get(&path).await.ok().json["rtp"], "96");
    assert_eq!(
        actions(&client, &format!("game/{known}")).await,
        ["game.created"]
    );
    let done = client
        .post("/v1/games/import", &json!({ "games": games }))
        .await
        .ok();
    assert_eq!(done.json, tell(false));
    let changed = client.get(&path).await.ok().json;
    // What an entry leaves out stays: an import never turns a game on that an operator turned off.
    assert_eq!(
        (&changed["rtp"], &changed["enabled"]),
        (&json!("97"), &json!(false))
    );
    let version = ["game.created", "game.version_changed"];
    assert_eq!(actions(&client, &format!("game/{known}")).await, version);
    let again = client
        .post("/v1/games/import", &json!({ "games": games }))
        .await
        .ok();
    assert_eq!(again.json["unchanged"], 3);
}

#[tokio::test]
async fn every_wrong_entry_of_an_import_is_named_and_none_is_written() {
    let client = shared().await;
    let good = unique("game");
    let entry = |more: Value| {
        let mut entry = a_game(json!({ "id": unique("game") }));
        entry
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        entry
    };
    let games = json!([
        entry(json!({ "id": good })),
        entry(json!({ "rtp": "x" })),
        entry(json!({ "provider": "nobody" })),
        { "id": unique("game") },
        entry(json!({ "colour": "red" })),
        entry(json!({ "limits": [{ "currency": "EUR", "min": "-1" }] })),
    ]);
    let refused = client
        .post("/v1/games/import", &json!({ "games": games }))
        .await
        .refused(422, "malformed");
    let errors = refused.json["errors"].as_array().unwrap();
    let places: Vec<(u64, &str)> = errors
        .iter()
        .map(|error| {
            (
                error["index"].as_u64().unwrap(),
                error["field"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            (1, "rtp"),
            (2, "provider"),
            (3, ""),
            (4, "colour"),
            (5, "limits[0].min")
        ]
    );
    assert!(refused.text_at("/detail").starts_with("5 games are wrong"));
    let twice = json!([
        entry(json!({ "id": good })),
        entry(json!({ "id": good })),
        7,
        {}
    ]);
    let refused = client
        .post("/v1/games/import", &json!({ "games": twice }))
        .await
        .refused(422, "malformed");
    assert_eq!(refused.json["errors"].as_array().unwrap().len(), 3);
    client
        .get(&format!("/v1/games/{good}"))
        .await
        .refused(404, "unknown_game");
    for wrong in [json!({ "games": [] }), json!({}), json!({ "games": {} })] {
        client
            .post("/v1/games/import", &wrong)
            .await
            .refused(422, "malformed");
    }
}

#[tokio::test]
async fn five_thousand_games_are_imported_at_once_and_found() {
    let casino = Casino::start("import", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let mut random = Random::seeded("import");
    let games: Vec<Value> = (0..5_000)
        .map(|index| {
            json!({
                "id": format!("game-{index}"), "provider": "acme", "name": format!("Game number {index}"),
                "category": random.one_of(&["slot", "live", "crash"]),
                "rtp": format!("{}.{}", 90 + random.below(10), random.below(1_000)),
                "tags": [format!("t{}", random.below(50))],
                "limits": [{ "currency": "EUR", "min": "0.10", "max": format!("{}.00", 1 + random.below(100)) }],
                "sort_weight": random.below(1_000),
            })
        })
        .collect();
    let imported = client
        .post("/v1/games/import", &json!({ "games": games }))
        .await
        .ok();
    assert_eq!(imported.json["created"].as_array().unwrap().len(), 5_000);
    // What was imported is what is listed, in every field that was told.
    let mut found = HashMap::new();
    let mut after = String::new();
    loop {
        let page = client
            .get(&format!("/v1/games?limit=200{after}"))
            .await
            .ok();
        for game in page.json["data"].as_array().unwrap() {
            found.insert(game["id"].as_str().unwrap().to_owned(), game.clone());
        }
        match page.json["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    // Dice was there before.
    assert_eq!(found.len(), 5_001);
    for game in &games {
        let shown = &found[game["id"].as_str().unwrap()];
        for (field, value) in game.as_object().unwrap() {
            assert_eq!(shown[field], *value, "{field} of {shown}");
        }
    }
    // And what is listed may be imported: it changes nothing.
    let without_times = |game: &Value| {
        let mut game = game.clone();
        let fields = game.as_object_mut().unwrap();
        fields.remove("created_at");
        fields.remove("updated_at");
        game
    };
    let back: Vec<Value> = found.values().map(without_times).collect();
    let again = client
        .post("/v1/games/import", &json!({ "games": back }))
        .await
        .ok();
    assert_eq!(again.json["unchanged"], 5_001);
    let one = client.get("/v1/games?q=number%204999").await.ok().json;
    assert_eq!(ids(&one), ["game-4999"]);
    // Another body limit holds for all else, and this one has an end too.
    let large = a_game(json!({ "tags": vec!["x"; 5_000] }));
    put(&client, "/v1/games/large", &large)
        .await
        .refused(413, "body_too_large");
    let small = casino
        .serve("[catalogue]\nimport_max_bytes = 20000\ngames_max = 5001\n")
        .await;
    let small = casino.client(&small, "sandbox");
    let large = small.http(Method::POST, "/v1/games/import");
    let large = large
        .bearer_auth(&small.at.operator_key)
        .body(" ".repeat(20_001));
    send(large).await.refused(413, "body_too_large");
    let more =
        json!({ "games": [{ "id": "more", "provider": "acme", "name": "M", "category": "slot" }] });
    small
        .post("/v1/games/import", &more)
        .await
        .refused(409, "catalogue_limit");
    put(&small, "/v1/games/more", &more["games"][0])
        .await
        .refused(409, "catalogue_limit");
}
