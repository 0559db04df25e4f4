//! Every refusal that `docs/callbacks.md` names, with its code; nothing moves and nothing is written.

use serde_json::json;

use crate::support::{
    client::Client,
    eventually,
    ledger::{Ledger, Rows},
    player::{Player, with},
    sandbox::shared,
    unique,
};

struct Scene {
    client: Client,
    player: Player,
    ledger: Ledger,
}

impl Scene {
    async fn start() -> Self {
        let client = shared().await;
        let player = Player::with(&client, "100.00").await;
        let ledger = Ledger::open(&client.at.postgres).await;
        Self {
            client,
            player,
            ledger,
        }
    }

    async fn rows(&self) -> Rows {
        self.ledger.rows(&self.player.id).await
    }
}

#[tokio::test]
async fn a_bet_above_the_balance_is_told_the_balance_and_may_come_again_after_a_deposit() {
    let scene = Scene::start().await;
    let before = scene.rows().await;
    let bet = scene.player.bet("b", "100.01");
    for _ in 0..2 {
        let answer = scene
            .client
            .callback("bet", &bet)
            .await
            .refused(402, "insufficient_funds");
        assert_eq!(answer.cash(), "100.00");
    }
    assert_eq!(scene.rows().await, before);
    // T4: the id is not used up.
    scene.player.deposit(&scene.client, "0.01").await;
    assert_eq!(scene.client.callback("bet", &bet).await.ok().cash(), "0.00");
}

#[tokio::test]
async fn a_blocked_player_may_not_bet_or_launch_but_is_paid() {
    let scene = Scene::start().await;
    let Scene {
        client,
        player,
        ledger,
    } = &scene;
    client
        .callback("bet", &player.bet("before", "1.00"))
        .await
        .ok();
    ledger
        .alter_player(
            "UPDATE player SET status = 'blocked' WHERE id = $1",
            &player.id,
        )
        .await;
    let before = scene.rows().await;
    client
        .callback("bet", &player.bet("b", "1.00"))
        .await
        .refused(403, "player_blocked");
    let batch = player.batch("r", &[("bet", "b", "1.00"), ("win", "w", "2.00")]);
    client
        .callback("bet_win", &batch)
        .await
        .refused(403, "player_blocked");
    let launch = json!({ "player": player.id, "currency": "EUR" });
    client
        .post("/v1/games/dice/launch", &launch)
        .await
        .refused(403, "player_blocked");
    assert_eq!(scene.rows().await, before);
    client
        .callback("rollback", &player.rollback("rb", "before"))
        .await
        .ok();
}

#[tokio::test]
async fn a_session_that_is_over_takes_no_bet() {
    let scene = Scene::start().await;
    let Scene {
        client,
        player,
        ledger,
    } = &scene;
    for change in [
        "UPDATE session SET ended_at = now(), end_reason = 'ended' WHERE player_id = $1",
        "UPDATE session SET ended_at = NULL, end_reason = NULL, expires_at = now() - interval '1 s' WHERE player_id = $1",
    ] {
        ledger.alter_player(change, &player.id).await;
        let before = scene.rows().await;
        client
            .callback("bet", &player.bet("b", "1.00"))
            .await
            .refused(403, "session_expired");
        assert_eq!(scene.rows().await, before, "{change}");
    }
}

#[tokio::test]
async fn a_launch_token_that_is_too_old_is_expired() {
    let Scene {
        client,
        player,
        ledger,
    } = Scene::start().await;
    let token = player.launch_token(&client).await;
    let change = "UPDATE session SET token_expires_at = now() - interval '1 s'
        WHERE player_id = $1 AND token_expires_at IS NOT NULL";
    ledger.alter_player(change, &player.id).await;
    client
        .callback("authenticate", &json!({ "token": token }))
        .await
        .refused(403, "session_expired");
}

#[tokio::test]
async fn what_is_no_launch_token_opens_no_session() {
    let Scene { client, player, .. } = Scene::start().await;
    let nobody = format!("lt_test_{}", "A".repeat(43));
    for token in ["x", &nobody, &client.at.operator_key, &player.token] {
        let answer = client
            .callback("authenticate", &json!({ "token": token }))
            .await;
        answer.refused(403, "session_invalid");
    }
}

#[tokio::test]
async fn a_bet_needs_a_game_session_of_its_own_player() {
    let scene = Scene::start().await;
    let Scene { client, player, .. } = &scene;
    let other = Player::with(client, "1.00").await;
    let login = client
        .post(
            "/v1/sessions",
            &json!({ "player": player.id, "currency": "EUR" }),
        )
        .await
        .ok();
    let before = scene.rows().await;
    let nobody = format!("ses_{}", "0".repeat(32));
    for session in [
        "nonsense",
        "",
        &nobody,
        &other.session,
        &login.text_at("/id"),
    ] {
        let bet = with(&player.bet("b", "1.00"), "session", session);
        client
            .callback("bet", &bet)
            .await
            .refused(403, "session_invalid");
    }
    assert_eq!(scene.rows().await, before);
}

#[tokio::test]
async fn an_unknown_player_is_unknown_to_every_action_and_leaves_no_trace() {
    let Scene {
        client,
        player,
        ledger,
    } = Scene::start().await;
    let nobody = Player {
        id: unique("nobody"),
        ..player
    };
    let requests = [
        ("balance", json!({ "player": nobody.id, "currency": "EUR" })),
        ("bet", nobody.bet("b", "1.00")),
        ("win", nobody.win("w", "b", "1.00")),
        ("bet_win", nobody.batch("r", &[("bet", "b", "1.00")])),
        ("rollback", nobody.rollback("rb", "b")),
        ("close_round", nobody.close("b")),
    ];
    let before = ledger.rows(&nobody.id).await;
    assert_eq!((before.version, before.ledger), (-1, 0));
    for (action, body) in requests {
        client
            .callback(action, &body)
            .await
            .refused(404, "unknown_player");
    }
    assert_eq!(ledger.rows(&nobody.id).await, before);
}

#[tokio::test]
async fn unknown_providers_environments_and_actions_are_not_found() {
    let Scene { client, player, .. } = Scene::start().await;
    let bet = player.bet("b", "1.00");
    for path in [
        "/callbacks/sandbox/nobody/bet",
        "/callbacks/live/demo/bet",
        "/callbacks/moon/demo/bet",
    ] {
        let answer =
            crate::support::client::send(client.http(reqwest::Method::POST, path).json(&bet)).await;
        answer.refused(404, "unknown_provider");
    }
    for action in ["steal", "bet/", "bet/more", "Bet", "", "b%65t%2f"] {
        client
            .callback(action, &bet)
            .await
            .refused(404, "unknown_action");
    }
}

#[tokio::test]
async fn an_action_takes_no_method_but_post_and_names_it() {
    use reqwest::Method;
    let Scene { client, .. } = Scene::start().await;
    let path = client.callback_path("balance");
    let secret = &client.at.providers[0].secret;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let now = crate::support::client::unix_now();
        let signature = crate::support::client::signature(secret, now, &path, b"");
        let request = client
            .http(method, &path)
            .header("Pitboss-Signature", signature);
        let answer = crate::support::client::send(request)
            .await
            .refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "POST");
    }
}

#[tokio::test]
async fn a_game_that_is_unknown_or_disabled_takes_no_bet() {
    let scene = Scene::start().await;
    let Scene {
        client,
        player,
        ledger,
    } = &scene;
    let disabled = unique("disabled");
    let insert = "INSERT INTO game (id, provider_id, name, category, enabled) VALUES ($1, 'demo', 'x', 'slot', false)";
    ledger.run(insert, &disabled).await;
    let before = scene.rows().await;
    // The catalogue is read every few seconds; till then the game is unknown.
    eventually("the game is in the catalogue", async || {
        let answer = client
            .callback(
                "bet",
                &with(&player.bet("b", "1.00"), "game", disabled.as_str()),
            )
            .await;
        (answer.code() != "unknown_game").then(|| answer.refused(403, "game_disabled"))
    })
    .await;
    let launch = json!({ "player": player.id, "currency": "EUR" });
    client
        .post(&format!("/v1/games/{disabled}/launch"), &launch)
        .await
        .refused(403, "game_disabled");
    let unknown = with(&player.bet("b", "1.00"), "game", "no-such-game");
    client
        .callback("bet", &unknown)
        .await
        .refused(404, "unknown_game");
    client
        .callback(
            "win",
            &with(&player.win("w", "x", "1.00"), "game", "no-such-game"),
        )
        .await
        .refused(404, "unknown_game");
    client
        .post("/v1/games/no-such-game/launch", &launch)
        .await
        .refused(404, "unknown_game");
    assert_eq!(scene.rows().await, before);
}

#[tokio::test]
async fn a_win_or_a_close_that_names_what_has_not_arrived_is_told_so() {
    let scene = Scene::start().await;
    let Scene { client, player, .. } = &scene;
    let before = scene.rows().await;
    let win = with(
        &player.win("w", "b", "1.00"),
        "bet_transaction_id",
        "missing",
    );
    client
        .callback("win", &win)
        .await
        .refused(404, "unknown_bet");
    client
        .callback("close_round", &player.close("missing"))
        .await
        .refused(404, "unknown_bet");
    assert_eq!(scene.rows().await, before);
}

#[tokio::test]
async fn a_currency_that_does_not_fit_is_refused() {
    let scene = Scene::start().await;
    let Scene { client, player, .. } = &scene;
    let before = scene.rows().await;
    for currency in ["USD", "BTC", "XXX", "eur", ""] {
        let bet = with(&player.bet("b", "1.00"), "currency", currency);
        client
            .callback("bet", &bet)
            .await
            .refused(422, "currency_mismatch");
        let win = with(&player.win("w", "b", "1.00"), "currency", currency);
        client
            .callback("win", &win)
            .await
            .refused(422, "currency_mismatch");
        let balance = json!({ "player": player.id, "currency": currency });
        client
            .callback("balance", &balance)
            .await
            .refused(422, "currency_mismatch");
    }
    assert_eq!(scene.rows().await, before);
}

#[tokio::test]
async fn the_same_id_with_other_data_is_told_what_it_was_used_for() {
    let scene = Scene::start().await;
    let Scene { client, player, .. } = &scene;
    let bet = player.bet("b", "5.00");
    let first = client.callback("bet", &bet).await.ok();
    client
        .callback("win", &player.win("w", "b", "1.00"))
        .await
        .ok();
    let before = scene.rows().await;
    for (field, value) in [("amount", "6.00"), ("round", "another"), ("game", "crash")] {
        let answer = client.callback("bet", &with(&bet, field, value)).await;
        let answer = answer.refused(409, "transaction_mismatch");
        assert_eq!(
            answer.json["original"]["transaction_id"],
            first.json["transaction_id"]
        );
        assert_eq!(answer.json["original"]["amount"], "5.00");
        assert_eq!(answer.json["original"]["currency"], "EUR");
    }
    client
        .callback("win", &player.win("w", "b", "2.00"))
        .await
        .refused(409, "transaction_mismatch");
    // A batch that names a part of another transaction moves none of its own.
    let batch = player.batch("r", &[("bet", "fresh", "1.00"), ("bet", "b", "5.00")]);
    client
        .callback("bet_win", &batch)
        .await
        .refused(409, "transaction_mismatch");
    assert_eq!(scene.rows().await, before);
}

#[tokio::test]
async fn a_bet_with_a_win_is_settled_and_a_rolled_back_one_wins_nothing() {
    let scene = Scene::start().await;
    let Scene { client, player, .. } = &scene;
    client
        .callback("bet", &player.bet("settled", "5.00"))
        .await
        .ok();
    client
        .callback("win", &player.win("w", "settled", "1.00"))
        .await
        .ok();
    client
        .callback("bet", &player.bet("gone", "5.00"))
        .await
        .ok();
    client
        .callback("rollback", &player.rollback("rb-gone", "gone"))
        .await
        .ok();
    let before = scene.rows().await;
    client
        .callback("rollback", &player.rollback("rb", "settled"))
        .await
        .refused(409, "already_settled");
    client
        .callback("win", &player.win("w2", "gone", "9.00"))
        .await
        .refused(409, "rolled_back");
    let win = with(
        &player.win("w3", "gone", "9.00"),
        "bet_transaction_id",
        "gone",
    );
    client
        .callback("win", &win)
        .await
        .refused(409, "rolled_back");
    assert_eq!(scene.rows().await, before);
}
