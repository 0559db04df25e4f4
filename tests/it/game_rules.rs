//! What a game allows, over HTTP: switches for all, for one game and for one player; limits, currencies, countries.

use reqwest::Method;
use serde_json::{Value, json};

use crate::catalogue::{actions, new_game, patch, put};
use crate::support::{
    casino::{Casino, PROVIDER},
    client::{Client, send},
    eventually,
    ledger::Ledger,
    player::{Player, with},
    sandbox::shared,
};

fn on(game: &str, bet: &Value) -> Value {
    with(bet, "game", game)
}

/// A bet in a round.
fn bet_in(player: &Player, id: &str, round: &str) -> Value {
    with(&player.bet(id, "1.00"), "round", round)
}

pub async fn live_in(client: &Client, country: &str) -> Player {
    let player = Player::with(client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let change = format!("UPDATE player SET country = '{country}' WHERE id = $1");
    ledger.alter_player(&change, &player.id).await;
    player
}

#[tokio::test]
async fn a_disabled_game_finishes_its_open_rounds_and_begins_none() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let (game, path) = new_game(&client, json!({})).await;
    client
        .callback("bet", &on(&game, &bet_in(&player, "b1", "r")))
        .await
        .ok();
    patch(&client, &path, &json!({ "enabled": false }))
        .await
        .ok();
    client
        .callback("bet", &on(&game, &bet_in(&player, "b2", "r")))
        .await
        .ok();
    let fresh = on(&game, &bet_in(&player, "b3", "other"));
    client
        .callback("bet", &fresh)
        .await
        .refused(403, "game_disabled");
    let launch = json!({ "player": player.id, "currency": "EUR" });
    client
        .post(&format!("{path}/launch"), &launch)
        .await
        .refused(403, "game_disabled");
    // Without the grace, no bet at all; wins, rollbacks and closes go on.
    patch(&client, &path, &json!({ "finish_open_round": false }))
        .await
        .ok();
    let late = on(&game, &bet_in(&player, "b4", "r"));
    client
        .callback("bet", &late)
        .await
        .refused(403, "game_disabled");
    client
        .callback("rollback", &player.rollback("rb", "b2"))
        .await
        .ok();
    let win = on(&game, &with(&player.win("w", "x", "5.00"), "round", "r"));
    client.callback("win", &win).await.ok();
    let close = on(&game, &with(&player.close("x"), "round", "r"));
    client.callback("close_round", &close).await.ok();
    patch(&client, &path, &json!({ "enabled": true }))
        .await
        .ok();
    client.callback("bet", &fresh).await.ok();
}

#[tokio::test]
async fn a_stop_of_all_gaming_holds_on_every_node_and_open_rounds_finish() {
    let casino = Casino::start("gaming-stop", &["sandbox"]).await;
    // Another game than the one that he is in: a launch takes the place of the session before.
    let ledger = casino.ledger("sandbox").await;
    let game = "INSERT INTO game (id, provider_id, name, category, enabled) VALUES ('roulette', $1, 'Roulette', 'dice', true)";
    ledger.0.execute(game, &[&PROVIDER]).await.unwrap();
    let (one, two) = tokio::join!(casino.serve(""), casino.serve(""));
    let (one, two) = (
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    );
    let player = Player::with(&one, "100.00").await;
    two.callback("bet", &bet_in(&player, "b1", "r")).await.ok();
    let stop = json!({ "enabled": false, "reason": "drill" });
    let stopped = put(&one, "/v1/gaming", &stop).await.ok();
    assert_eq!(
        (&stopped.json["enabled"], &stopped.json["finish_open_round"]),
        (&json!(false), &json!(true))
    );
    // This node at once, the other by itself.
    let fresh = |id: &str| bet_in(&player, id, &format!("r-{id}"));
    one.callback("bet", &fresh("b2"))
        .await
        .refused(403, "game_disabled");
    let launch = json!({ "player": player.id, "currency": "EUR" });
    eventually("the other node has stopped too", async || {
        let answer = two.post("/v1/games/roulette/launch", &launch).await;
        (answer.code() == "game_disabled").then_some(())
    })
    .await;
    two.callback("bet", &fresh("b3"))
        .await
        .refused(403, "game_disabled");
    two.callback("bet", &bet_in(&player, "b4", "r")).await.ok();
    two.callback("rollback", &player.rollback("rb", "b4"))
        .await
        .ok();
    two.callback("win", &with(&player.win("w", "x", "5.00"), "round", "r"))
        .await
        .ok();
    assert_eq!(two.get("/v1/gaming").await.ok().json["reason"], "drill");
    assert_eq!(two.get("/v1/lobby").await.ok().json["gaming"], false);
    // A node that starts during a stop has stopped.
    let three = casino.serve("").await;
    let three = casino.client(&three, "sandbox");
    three
        .callback("bet", &fresh("b5"))
        .await
        .refused(403, "game_disabled");
    let hard = json!({ "enabled": false, "finish_open_round": false, "reason": "order" });
    put(&two, "/v1/gaming", &hard).await.ok();
    two.callback("bet", &bet_in(&player, "b6", "r"))
        .await
        .refused(403, "game_disabled");
    two.callback("close_round", &with(&player.close("x"), "round", "r"))
        .await
        .ok();
    put(
        &two,
        "/v1/gaming",
        &json!({ "enabled": true, "reason": "over" }),
    )
    .await
    .ok();
    two.callback("bet", &fresh("b2")).await.ok();
    let all = ["gaming.stopped", "gaming.stopped", "gaming.resumed"];
    assert_eq!(actions(&one, "gaming").await, all);
    for wrong in [
        json!({ "enabled": false }),
        json!({ "enabled": false, "reason": "" }),
        json!({ "reason": "x" }),
    ] {
        put(&one, "/v1/gaming", &wrong)
            .await
            .refused(422, "malformed");
    }
    assert_eq!(actions(&one, "gaming").await, all);
}

#[tokio::test]
async fn a_player_is_blocked_from_a_game_a_category_or_a_provider_and_others_are_not() {
    let client = shared().await;
    let (player, other) = (
        Player::with(&client, "100.00").await,
        Player::with(&client, "100.00").await,
    );
    let (game, path) = new_game(&client, json!({ "category": "virtual" })).await;
    let blocks = format!("/v1/players/{}/game-blocks", player.id);
    for (index, block) in [
        json!({ "game": game }),
        json!({ "category": "virtual" }),
        json!({ "provider": "demo" }),
    ]
    .into_iter()
    .enumerate()
    {
        let round = format!("open-{index}");
        let id = |name: &str| format!("{name}-{index}");
        client
            .callback("bet", &on(&game, &bet_in(&player, &id("a"), &round)))
            .await
            .ok();
        let mut body = block.clone();
        body["reason"] = json!("asked for it");
        let made = client.post(&blocks, &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let fresh = on(&game, &player.bet(&id("b"), "1.00"));
        client
            .callback("bet", &fresh)
            .await
            .refused(403, "game_disabled");
        let batch = on(
            &game,
            &player.batch(&id("batch"), &[("bet", &id("c"), "1.00")]),
        );
        client
            .callback("bet_win", &batch)
            .await
            .refused(403, "game_disabled");
        let launch = json!({ "player": player.id, "currency": "EUR" });
        client
            .post(&format!("{path}/launch"), &launch)
            .await
            .refused(403, "game_disabled");
        client
            .callback("bet", &on(&game, &bet_in(&player, &id("d"), &round)))
            .await
            .ok();
        client
            .callback("bet", &on(&game, &other.bet(&id("e"), "1.00")))
            .await
            .ok();
        // The same again changes the block, and is not another.
        body["finish_open_round"] = json!(false);
        let again = client.post(&blocks, &body).await;
        assert_eq!((again.status, &again.json["id"]), (200, &made.json["id"]));
        client
            .callback("bet", &on(&game, &bet_in(&player, &id("f"), &round)))
            .await
            .refused(403, "game_disabled");
        let win = on(
            &game,
            &with(&player.win(&id("w"), "x", "1.00"), "round", &*round),
        );
        client.callback("win", &win).await.ok();
        let listed = client.get(&blocks).await.ok().json;
        assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
        assert_eq!(listed["data"][0]["person"], "sandbox");
        let one = format!("{blocks}/{}", made.text_at("/id"));
        let lift = || {
            client
                .http(Method::DELETE, &one)
                .bearer_auth(&client.at.operator_key)
        };
        assert_eq!(send(lift()).await.status, 204);
        send(lift()).await.refused(404, "not_found");
        client.callback("bet", &fresh).await.ok();
    }
    let of_player = actions(&client, &format!("player/{}", player.id)).await;
    let of_one = ["game.blocked", "game.blocked", "game.unblocked"];
    assert_eq!(of_player, [of_one, of_one, of_one].concat());
}

#[tokio::test]
async fn a_wrong_block_is_refused_and_not_written() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let blocks = format!("/v1/players/{}/game-blocks", player.id);
    for (body, status, code) in [
        (json!({ "reason": "x" }), 422, "malformed"),
        (
            json!({ "game": "dice", "category": "dice", "reason": "x" }),
            422,
            "malformed",
        ),
        (json!({ "game": "dice" }), 422, "malformed"),
        (json!({ "game": "dice", "reason": " " }), 422, "malformed"),
        (
            json!({ "category": "casino", "reason": "x" }),
            422,
            "malformed",
        ),
        (
            json!({ "game": "nope", "reason": "x" }),
            404,
            "unknown_game",
        ),
        (
            json!({ "provider": "nope", "reason": "x" }),
            404,
            "unknown_provider",
        ),
    ] {
        client.post(&blocks, &body).await.refused(status, code);
    }
    let good = json!({ "game": "dice", "reason": "x" });
    client
        .post("/v1/players/nobody/game-blocks", &good)
        .await
        .refused(404, "unknown_player");
    client
        .get("/v1/players/nobody/game-blocks")
        .await
        .refused(404, "unknown_player");
    assert_eq!(client.get(&blocks).await.ok().json["data"], json!([]));
    assert!(
        actions(&client, &format!("player/{}", player.id))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_bet_outside_the_games_limits_is_told_the_range_and_moves_nothing() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let limits = json!({ "limits": [{ "currency": "EUR", "min": "0.50", "max": "5.00" }] });
    let (game, _) = new_game(&client, limits).await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let before = ledger.rows(&player.id).await;
    let bet = |id: &str, amount: &str| on(&game, &player.bet(id, amount));
    for amount in ["0.49", "5.01", "0.000001", "50.00"] {
        let refused = client
            .callback("bet", &bet("b", amount))
            .await
            .refused(409, "bet_limit");
        assert!(
            refused.text_at("/detail").contains("from 0.50 to 5.00 EUR"),
            "{}",
            refused.text
        );
    }
    let batch = on(
        &game,
        &player.batch("r", &[("bet", "x", "1.00"), ("bet", "y", "5.01")]),
    );
    client
        .callback("bet_win", &batch)
        .await
        .refused(409, "bet_limit");
    assert_eq!(ledger.rows(&player.id).await, before);
    for (id, amount) in [("min", "0.50"), ("max", "5.00")] {
        client.callback("bet", &bet(id, amount)).await.ok();
    }
    let free = with(&bet("free", "0.00"), "free_round", "f");
    client.callback("bet", &free).await.ok();
    // T3: a repeat is answered, whatever the limits have become.
    let path = format!("/v1/games/{game}");
    patch(
        &client,
        &path,
        &json!({ "limits": [{ "currency": "EUR", "max": "0.10" }] }),
    )
    .await
    .ok();
    let again = client.callback("bet", &bet("max", "5.00")).await.ok();
    assert_eq!(again.json["replayed"], true);
}

/// What is in memory was decided by the country of before, and is decided anew.
#[tokio::test]
async fn a_player_who_moves_is_known_to_have_moved_at_his_next_bet() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let (game, _) = new_game(&client, json!({ "countries": { "allow": ["SE"] } })).await;
    let path = format!("/v1/players/{}", player.id);
    let moves = async |country: &str| {
        let body = json!({ "country": country });
        client.patch(&path, &body).await.ok();
        client.get(&path).await.ok().header("etag").to_owned()
    };
    let bet = async |id: &str| {
        client
            .callback("bet", &on(&game, &player.bet(id, "1.00")))
            .await
    };
    let at_home = moves("SE").await;
    bet("b1").await.ok();
    for (index, away) in ["DE", "US"].into_iter().enumerate() {
        assert_ne!(moves(away).await, at_home);
        bet(&format!("away-{index}"))
            .await
            .refused(403, "country_refused");
        moves("SE").await;
        bet(&format!("home-{index}")).await.ok();
    }
    // Told again, he has not moved: nothing is decided anew.
    let ledger = Ledger::open(&client.at.postgres).await;
    let version = async || {
        let sql = "SELECT version FROM player WHERE id = $1";
        let row = ledger.0.query_one(sql, &[&player.id]).await.unwrap();
        row.get::<_, i64>(0)
    };
    let before = version().await;
    moves("SE").await;
    client.patch(&path, &json!({ "language": "sv" })).await.ok();
    assert_eq!(version().await, before);
    assert_eq!(player.cash(&client).await, "97.00");
}

#[tokio::test]
async fn a_game_is_played_in_its_currencies_and_countries_alone() {
    let client = shared().await;
    let (swede, american) = (live_in(&client, "SE").await, live_in(&client, "US").await);
    let stateless = Player::with(&client, "100.00").await;
    let (game, path) = new_game(&client, json!({ "countries": { "deny": ["US"] } })).await;
    let launch = |player: &Player| json!({ "player": player.id, "currency": "EUR" });
    for player in [&american, &stateless] {
        let refused = client
            .callback("bet", &on(&game, &player.bet("b", "1.00")))
            .await;
        refused.refused(403, "country_refused");
        client
            .post(&format!("{path}/launch"), &launch(player))
            .await
            .refused(403, "country_refused");
    }
    client
        .callback("bet", &on(&game, &swede.bet("b", "1.00")))
        .await
        .ok();
    client
        .post(&format!("{path}/launch"), &launch(&swede))
        .await
        .ok();
    patch(&client, &path, &json!({ "countries": { "allow": ["US"] } }))
        .await
        .ok();
    client
        .callback("bet", &on(&game, &american.bet("b", "1.00")))
        .await
        .ok();
    client
        .callback("bet", &on(&game, &swede.bet("b2", "1.00")))
        .await
        .refused(403, "country_refused");
    // A win is paid wherever the player is.
    client
        .callback("win", &on(&game, &swede.win("w", "b", "3.00")))
        .await
        .ok();
    patch(
        &client,
        &path,
        &json!({ "currencies": ["USD"], "countries": {} }),
    )
    .await
    .ok();
    client
        .callback("bet", &on(&game, &swede.bet("b3", "1.00")))
        .await
        .refused(422, "currency_mismatch");
    client
        .post(&format!("{path}/launch"), &launch(&swede))
        .await
        .refused(422, "currency_mismatch");
}
