//! Launching a game: where the player is sent, and a demo, of which nothing is written.

use reqwest::Method;
use serde_json::{Value, json};

use crate::catalogue::{new_game, put};
use crate::support::{
    casino::Casino,
    client::send,
    player::{Player, with},
    sandbox::shared,
};

#[tokio::test]
async fn a_launch_goes_to_the_games_own_page_with_everything_filled_in() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let template = "https://games.example/{game}/play?t={token}&s={session}&l={language}&c={currency}&d={device}&r={return_url}&m={mode}";
    let more = json!({ "launch_url": template, "languages": ["sv", "en"], "devices": ["mobile"], "demo": true });
    let (game, path) = new_game(&client, more).await;
    let path = format!("{path}/launch");
    let body = json!({
        "player": player.id, "currency": "EUR", "language": "en", "device": "mobile",
        "return_url": "https://casino.example/?a=1&b=2",
    });
    let launched = client.post(&path, &body).await.ok();
    assert_eq!(launched.json["mode"], "real");
    let (token, session) = (launched.text_at("/token"), launched.text_at("/session"));
    assert_eq!(
        launched.text_at("/url"),
        format!(
            "https://games.example/{game}/play?t={token}&s={session}&l=en&c=EUR&d=mobile\
             &r=https%3A%2F%2Fcasino.example%2F%3Fa%3D1%26b%3D2&m=real"
        )
    );
    let taken = client
        .callback("authenticate", &json!({ "token": token }))
        .await
        .ok();
    assert_eq!(taken.text_at("/session"), session);
    // What is left out is the game's first.
    let plain = json!({ "player": player.id, "currency": "EUR" });
    let url = client.post(&path, &plain).await.ok().text_at("/url");
    assert!(url.contains("&l=sv&c=EUR&d=mobile&r=&m=real"), "{url}");
    for (field, value) in [
        ("device", json!("desktop")),
        ("device", json!("watch")),
        ("language", json!("de")),
        ("language", json!("no language")),
        ("return_url", json!("javascript:alert(1)")),
        ("return_url", json!("/lobby")),
        ("country", json!("SE")),
        ("player", Value::Null),
        ("currency", Value::Null),
        ("demo", json!("yes")),
    ] {
        let refused = client
            .post(&path, &with(&body, field, value))
            .await
            .refused(422, "malformed");
        assert!(
            refused.text_at("/detail").contains(field),
            "{}",
            refused.text
        );
    }
    client
        .post("/v1/games/nope/launch", &body)
        .await
        .refused(404, "unknown_game");
    client
        .post(&path, &with(&body, "player", "nobody"))
        .await
        .refused(404, "unknown_player");
}

/// No row in any table, and a token that opens nothing.
#[tokio::test]
async fn a_demo_writes_nothing_and_its_token_opens_nothing() {
    let casino = Casino::start("demo", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "100.00").await;
    let of_acme = |more: Value| {
        let mut game = json!({ "provider": "acme", "name": "G", "category": "slot" });
        game.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        game
    };
    let template = "https://g.example/?t={token}&s={session}&c={currency}&m={mode}";
    put(
        &client,
        "/v1/games/own",
        &of_acme(json!({ "demo": true, "launch_url": template })),
    )
    .await
    .ok();
    put(
        &client,
        "/v1/games/plain",
        &of_acme(json!({ "demo": true })),
    )
    .await
    .ok();
    put(
        &client,
        "/v1/games/local",
        &of_acme(json!({ "demo": true, "countries": { "allow": ["SE"] } })),
    )
    .await
    .ok();
    put(
        &client,
        "/v1/games/off",
        &of_acme(json!({ "demo": true, "enabled": false })),
    )
    .await
    .ok();
    // The first request of an account that may be stored is noted on its row, whatever becomes of it.
    let first = player.bet("first", "0.01");
    client.callback("bet", &first).await.ok();
    let ledger = casino.ledger("sandbox").await;
    let before = ledger.contents().await;
    let launch = async |game: &str, body: Value| {
        client
            .post(&format!("/v1/games/{game}/launch"), &body)
            .await
    };
    let own = launch("own", json!({ "demo": true, "currency": "EUR" }))
        .await
        .ok();
    let token = own.text_at("/token");
    assert_eq!(
        own.text_at("/url"),
        format!("https://g.example/?t={token}&s=&c=EUR&m=demo")
    );
    assert_eq!(
        (&own.json["mode"], &own.json["session"]),
        (&json!("demo"), &Value::Null)
    );
    let plain = launch("plain", json!({ "demo": true, "player": player.id }))
        .await
        .ok();
    assert!(plain.text_at("/url").ends_with("/games/plain?mode=demo"));
    launch("local", json!({ "demo": true, "country": "SE" }))
        .await
        .ok();
    for (game, body, status, code) in [
        ("dice", json!({ "demo": true }), 422, "malformed"),
        ("off", json!({ "demo": true }), 403, "game_disabled"),
        ("local", json!({ "demo": true }), 403, "country_refused"),
        (
            "local",
            json!({ "demo": true, "country": "US" }),
            403,
            "country_refused",
        ),
        (
            "own",
            json!({ "demo": true, "player": "nobody" }),
            404,
            "unknown_player",
        ),
        (
            "own",
            json!({ "demo": true, "player": player.id, "country": "SE" }),
            422,
            "malformed",
        ),
    ] {
        launch(game, body).await.refused(status, code);
    }
    for token in [&token, &plain.text_at("/token")] {
        client
            .callback("authenticate", &json!({ "token": token }))
            .await
            .refused(403, "session_invalid");
        let bet = with(&player.bet("b", "1.00"), "session", token.as_str());
        client
            .callback("bet", &bet)
            .await
            .refused(403, "session_invalid");
        let stream = client
            .http(Method::GET, "/v1/player/lobby")
            .bearer_auth(token);
        send(stream).await.refused(401, "unauthorized");
    }
    assert_eq!(ledger.contents().await, before);
    // A player who may not play has no demo either.
    ledger
        .alter_player(
            "UPDATE player SET status = 'blocked' WHERE id = $1",
            &player.id,
        )
        .await;
    launch("own", json!({ "demo": true, "player": player.id }))
        .await
        .refused(403, "player_blocked");
}
