//! Every action of the native protocol, as `docs/callbacks.md` tells it.

use serde_json::json;

use crate::support::{
    client::Client,
    ledger::Ledger,
    player::{GAME, Player, with},
    sandbox::shared,
    unique,
};

async fn start() -> (Client, Player, Ledger) {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    (client, player, ledger)
}

#[tokio::test]
async fn authenticate_exchanges_the_launch_token_for_a_session() {
    let (client, player, _) = start().await;
    let launch = json!({ "player": player.id, "currency": "EUR" });
    let launched = client
        .post(&format!("/v1/games/{GAME}/launch"), &launch)
        .await
        .ok();
    assert_eq!(launched.status, 201);
    let token = launched.text_at("/token");
    let url = launched.text_at("/url");
    assert!(
        url.starts_with(&client.at.api) && url.contains(&token),
        "{url}"
    );

    let answer = client
        .callback("authenticate", &json!({ "token": token }))
        .await
        .ok();
    assert_eq!(answer.text_at("/session"), launched.text_at("/session"));
    assert_eq!(answer.json["status"], "ok");
    assert_eq!(answer.json["player"], player.id);
    assert_eq!(answer.json["currency"], "EUR");
    let balance =
        json!({ "currency": "EUR", "cash": "100.00", "bonus": "0.00", "total": "100.00" });
    assert_eq!(answer.json["balance"], balance);
}

#[tokio::test]
async fn a_launch_token_works_once_also_when_ten_come_at_once() {
    let (client, player, _) = start().await;
    let body = json!({ "token": player.launch_token(&client).await });
    let requests = (0..10).map(|_| client.callback("authenticate", &body));
    let answers = futures_util::future::join_all(requests).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        answer.refused(403, "session_invalid");
    }
    client
        .callback("authenticate", &body)
        .await
        .refused(403, "session_invalid");
}

#[tokio::test]
async fn balance_tells_the_balance() {
    let (client, player, _) = start().await;
    let body = json!({ "player": player.id, "currency": "EUR" });
    let answer = client.callback("balance", &body).await.ok();
    let id = &player.id;
    let expected = format!(
        r#"{{"status":"ok","player":"{id}","balance":{{"currency":"EUR","cash":"100.00","bonus":"0.00","total":"100.00"}}}}"#
    );
    assert_eq!(answer.text, expected);
}

#[tokio::test]
async fn a_bet_takes_and_a_win_pays_exactly_the_amount() {
    let (client, player, ledger) = start().await;
    let bet = client.callback("bet", &player.bet("b", "2.50")).await.ok();
    assert!(bet.text_at("/transaction_id").starts_with("tx_"));
    assert_eq!(bet.json["provider_transaction_id"], "b");
    assert_eq!(bet.json["replayed"], false);
    assert_eq!(
        bet.json["funding"],
        json!({ "cash": "2.50", "bonus": "0.00" })
    );
    assert_eq!(bet.cash(), "97.50");

    let win = with(&player.win("w", "b", "4.95"), "bet_transaction_id", "b");
    let win = client
        .callback("win", &with(&win, "round_closed", true))
        .await
        .ok();
    assert_eq!(win.cash(), "102.45");
    assert_eq!(win.json["funding"]["cash"], "4.95");
    assert_eq!(ledger.audited_cash(&player.id).await, 102_450_000);
    client
        .callback("bet", &with(&player.bet("b2", "1.00"), "round", "r-b"))
        .await
        .refused(409, "round_closed");
}

#[tokio::test]
async fn fractions_of_a_cent_are_kept_and_zero_is_an_amount() {
    let (client, player, ledger) = start().await;
    let bet = client
        .callback("bet", &player.bet("b", "0.403604"))
        .await
        .ok();
    assert_eq!(bet.cash(), "99.596396");
    assert_eq!(
        client
            .callback("win", &player.win("w", "b", "0"))
            .await
            .ok()
            .cash(),
        "99.596396"
    );
    let free = with(&player.bet("free", "0"), "free_round", "campaign-7");
    assert_eq!(client.callback("bet", &free).await.ok().cash(), "99.596396");
    assert_eq!(ledger.audited_cash(&player.id).await, 99_596_396);
}

#[tokio::test]
async fn a_bet_and_a_win_may_share_one_id() {
    let (client, player, _) = start().await;
    client
        .callback("bet", &player.bet("same", "10.00"))
        .await
        .ok();
    assert_eq!(
        client
            .callback("win", &player.win("same", "same", "1.00"))
            .await
            .ok()
            .cash(),
        "91.00"
    );
}

#[tokio::test]
async fn wins_of_every_kind_are_paid_and_all_but_ordinary_ones_need_no_bet() {
    let (client, player, _) = start().await;
    for kind in ["free", "jackpot", "promo", "tournament", "correction"] {
        let win = with(&player.win(kind, kind, "1.00"), "kind", kind);
        client.callback("win", &win).await.ok();
    }
    assert_eq!(player.cash(&client).await, "105.00");
}

#[tokio::test]
async fn bet_win_moves_its_actions_in_order_and_tells_each() {
    let (client, player, ledger) = start().await;
    let batch = player.batch(
        "r",
        &[
            ("bet", "b1", "1.00"),
            ("win", "w1", "0.40"),
            ("bet", "b2", "2.00"),
        ],
    );
    let answer = client
        .callback("bet_win", &with(&batch, "round_closed", true))
        .await
        .ok();
    assert_eq!(answer.cash(), "97.40");
    assert_eq!(answer.json["provider_transaction_id"], "b2");
    assert_eq!(answer.json["funding"]["cash"], "3.00");
    let transactions = answer.json["transactions"].as_array().unwrap();
    let told: Vec<_> = transactions
        .iter()
        .map(|t| {
            (
                t["type"].as_str().unwrap(),
                t["provider_transaction_id"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("bet", "b1"), ("win", "w1"), ("bet", "b2")]);
    assert_eq!(
        transactions[2]["transaction_id"],
        answer.json["transaction_id"]
    );
    assert_eq!(ledger.audited_cash(&player.id).await, 97_400_000);
}

#[tokio::test]
async fn a_batch_is_all_or_nothing_and_its_wins_pay_for_none_of_its_bets() {
    let (client, player, ledger) = start().await;
    let before = ledger.rows(&player.id).await;
    let batches: [&[(&str, &str, &str)]; 3] = [
        &[("bet", "b1", "60.00"), ("bet", "b2", "60.00")],
        &[
            ("bet", "b1", "100.00"),
            ("win", "w1", "500.00"),
            ("bet", "b2", "1.00"),
        ],
        &[("win", "w1", "500.00"), ("bet", "b1", "100.01")],
    ];
    for actions in batches {
        let answer = client
            .callback("bet_win", &player.batch("r", actions))
            .await;
        let answer = answer.refused(402, "insufficient_funds");
        assert_eq!(answer.cash(), "100.00");
    }
    assert_eq!(ledger.rows(&player.id).await, before);
}

#[tokio::test]
async fn a_rollback_gives_the_bet_back_and_only_once() {
    let (client, player, ledger) = start().await;
    client.callback("bet", &player.bet("b", "5.00")).await.ok();
    let first = client
        .callback("rollback", &player.rollback("rb", "b"))
        .await
        .ok();
    assert_eq!(
        (first.cash().as_str(), &first.json["replayed"]),
        ("100.00", &json!(false))
    );
    assert_eq!(first.json["funding"]["cash"], "5.00");
    let again = client
        .callback("rollback", &player.rollback("rb", "b"))
        .await
        .ok();
    assert_eq!(
        again.text,
        first
            .text
            .replace(r#""replayed":false"#, r#""replayed":true"#)
    );
    // Under another id it is the same rollback, too.
    let other = client
        .callback("rollback", &player.rollback("rb-2", "b"))
        .await
        .ok();
    assert_eq!(other.json["transaction_id"], first.json["transaction_id"]);
    assert_eq!(ledger.audited_cash(&player.id).await, 100_000_000);
}

#[tokio::test]
async fn a_rollback_of_a_win_takes_it_back() {
    let (client, player, _) = start().await;
    client.callback("bet", &player.bet("b", "5.00")).await.ok();
    client
        .callback("win", &player.win("w", "b", "20.00"))
        .await
        .ok();
    assert_eq!(
        client
            .callback("rollback", &player.rollback("rb", "w"))
            .await
            .ok()
            .cash(),
        "95.00"
    );
    // Now that its win is gone, the bet may go as well.
    assert_eq!(
        client
            .callback("rollback", &player.rollback("rb-b", "b"))
            .await
            .ok()
            .cash(),
        "100.00"
    );
}

#[tokio::test]
async fn a_rollback_before_its_bet_blocks_the_bet_for_ever() {
    let (client, player, ledger) = start().await;
    let tombstone = client
        .callback("rollback", &player.rollback("rb", "late"))
        .await
        .ok();
    assert_eq!(tombstone.json["tombstone"], true);
    assert!(tombstone.json.get("balance").is_none() && tombstone.json.get("funding").is_none());
    for _ in 0..2 {
        client
            .callback("bet", &player.bet("late", "5.00"))
            .await
            .refused(409, "rolled_back");
    }
    let again = client
        .callback("rollback", &player.rollback("rb", "late"))
        .await
        .ok();
    assert_eq!(
        again.text,
        tombstone
            .text
            .replace(r#""replayed":false"#, r#""replayed":true"#)
    );
    assert_eq!(ledger.movements(&player.id, "late").await, 0);
    assert_eq!(ledger.audited_cash(&player.id).await, 100_000_000);
}

#[tokio::test]
async fn of_a_bet_and_its_rollback_at_once_either_order_leaves_the_money_whole() {
    let (client, player, ledger) = start().await;
    for round in 0..8 {
        let id = format!("race-{round}");
        let (bet, rollback) = (
            player.bet(&id, "5.00"),
            player.rollback(&format!("rb-{round}"), &id),
        );
        let (bet, rollback) = tokio::join!(
            client.callback("bet", &bet),
            client.callback("rollback", &rollback)
        );
        let rollback = rollback.ok();
        match bet.status {
            200 => assert_ne!(rollback.json["tombstone"], true),
            _ => drop(bet.refused(409, "rolled_back")),
        }
    }
    assert_eq!(ledger.audited_cash(&player.id).await, 100_000_000);
}

#[tokio::test]
async fn close_round_ends_a_round_and_a_late_win_is_still_paid() {
    let (client, player, _) = start().await;
    client.callback("bet", &player.bet("b", "5.00")).await.ok();
    let first = client
        .callback("close_round", &player.close("b"))
        .await
        .ok();
    assert_eq!(first.json["provider_transaction_id"], "r-b");
    assert_eq!(first.cash(), "95.00");
    let again = client
        .callback("close_round", &player.close("b"))
        .await
        .ok();
    assert_eq!(
        again.text,
        first
            .text
            .replace(r#""replayed":false"#, r#""replayed":true"#)
    );
    client
        .callback("bet", &with(&player.bet("b2", "5.00"), "round", "r-b"))
        .await
        .refused(409, "round_closed");
    assert_eq!(
        client
            .callback("win", &player.win("w", "b", "7.00"))
            .await
            .ok()
            .cash(),
        "102.00"
    );
}

#[tokio::test]
async fn a_win_needs_no_session_no_standing_and_no_open_game() {
    let (client, player, ledger) = start().await;
    client.callback("bet", &player.bet("b", "5.00")).await.ok();
    ledger
        .alter_player(
            "UPDATE player SET status = 'blocked' WHERE id = $1",
            &player.id,
        )
        .await;
    ledger
        .alter_player(
            "UPDATE session SET ended_at = now(), end_reason = 'ended' WHERE player_id = $1",
            &player.id,
        )
        .await;
    assert_eq!(
        client
            .callback("win", &player.win("w", "b", "7.00"))
            .await
            .ok()
            .cash(),
        "102.00"
    );
    client
        .callback("close_round", &player.close("b"))
        .await
        .ok();
}

#[tokio::test]
async fn ids_are_any_text_of_up_to_255_characters() {
    let (client, player, ledger) = start().await;
    let ids = [
        "é".repeat(255),
        "' OR 1=1; --".into(),
        "\u{1F3B2} \"\\\n\t{}".into(),
        "007".into(),
        "7".into(),
    ];
    for id in &ids {
        // Their rounds are named apart, because "r-" in front would make 257 characters of 255.
        let bet = with(&player.bet(id, "1.00"), "round", "r");
        assert_eq!(
            client.callback("bet", &bet).await.ok().json["provider_transaction_id"],
            id.as_str()
        );
    }
    assert_eq!(ledger.applied(&player.id, "bet").await, ids);
    assert_eq!(player.cash(&client).await, "95.00");
}

#[tokio::test]
async fn unknown_fields_of_a_callback_are_ignored_and_null_is_absent() {
    let (client, player, _) = start().await;
    let mut bet = with(
        &player.bet("b", "1.00"),
        "from_the_future",
        json!({ "deep": [1, 2] }),
    );
    bet["round_closed"] = json!(null);
    bet["free_round"] = json!(null);
    client.callback("bet", &bet).await.ok();
    // The round is still open: null was no `true`.
    client
        .callback("bet", &with(&player.bet("b2", "1.00"), "round", "r-b"))
        .await
        .ok();
}

#[tokio::test]
async fn two_players_may_have_a_transaction_of_one_id() {
    let (client, player, _) = start().await;
    let other = Player::with(&client, "50.00").await;
    let id = unique("shared-id");
    assert_eq!(
        client
            .callback("bet", &player.bet(&id, "1.00"))
            .await
            .ok()
            .cash(),
        "99.00"
    );
    assert_eq!(
        client
            .callback("bet", &other.bet(&id, "2.00"))
            .await
            .ok()
            .cash(),
        "48.00"
    );
}
