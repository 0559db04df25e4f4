//! The promise: the same request again, in any way, is the same answer and no second movement.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    client::{Answer, Client},
    ledger::Ledger,
    player::{Player, with},
    sandbox::shared,
};

async fn start() -> (Client, Player, Ledger) {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    (client, player, ledger)
}

/// One request of each action that moves money or rounds, in an order in which all succeed.
fn story(player: &Player) -> Vec<(&'static str, Value)> {
    vec![
        ("bet", player.bet("b1", "10.00")),
        ("win", player.win("w1", "b1", "3.00")),
        (
            "bet_win",
            player.batch("r2", &[("bet", "b2", "4.00"), ("win", "w2", "1.00")]),
        ),
        ("bet", player.bet("b3", "5.00")),
        ("rollback", player.rollback("rb3", "b3")),
        ("rollback", player.rollback("rb4", "never-came")),
        ("close_round", player.close("b1")),
    ]
}

fn as_replay(first: &Answer) -> String {
    first
        .text
        .replace(r#""replayed":false"#, r#""replayed":true"#)
}

#[tokio::test]
async fn a_repeat_is_byte_equal_but_for_replayed_now_and_after_the_cache_is_gone() {
    let (client, player, ledger) = start().await;
    let mut answers = Vec::new();
    for (action, body) in story(&player) {
        answers.push((
            action,
            body.clone(),
            client.callback(action, &body).await.ok(),
        ));
    }
    let rows = ledger.rows(&player.id).await;
    for from_ledger in [false, true] {
        if from_ledger {
            // The actor finds its state stale at its next commit, and reads everything anew.
            ledger
                .alter_player("UPDATE player SET country = NULL WHERE id = $1", &player.id)
                .await;
            player.deposit(&client, "1.00").await;
        }
        for (action, body, first) in &answers {
            let again = client.callback(action, body).await.ok();
            assert_eq!(
                again.text,
                as_replay(first),
                "{action}, from the ledger: {from_ledger}"
            );
            assert_eq!(again.json["replayed"], true);
        }
    }
    let after = ledger.rows(&player.id).await;
    assert_eq!(
        (after.ledger, after.rounds),
        (rows.ledger + 1, rows.rounds),
        "only the deposit is new"
    );
    assert_eq!(ledger.audited_cash(&player.id).await, 91_000_000);
}

#[tokio::test]
async fn a_repeat_may_be_written_in_another_way() {
    let (client, player, _) = start().await;
    let bet = player.bet("b", "1.50");
    let first = client.callback("bet", &bet).await.ok();
    // Other white space, another order, a field that is not known, and the amount with other digits.
    let fields = bet.as_object().unwrap();
    let body: Vec<String> = fields
        .iter()
        .rev()
        .map(|(name, value)| format!("\"{name}\" : {value}"))
        .collect();
    let body = format!("{{\n{},\"x\":1}}", body.join(" ,\n")).replace("1.50", "1.500");
    let again = client.callback_bytes("bet", body.into_bytes()).await.ok();
    assert_eq!(again.text, as_replay(&first));
}

#[tokio::test]
async fn an_accepted_bet_is_repeated_to_who_is_broke_blocked_or_logged_out_since() {
    let (client, player, ledger) = start().await;
    let bet = player.bet("b", "60.00");
    let first = client.callback("bet", &bet).await.ok();
    let batch = player.batch("r2", &[("bet", "b2", "40.00")]);
    let first_batch = client.callback("bet_win", &batch).await.ok();
    // Broke: a new bet is refused, the old ones are not.
    client
        .callback("bet", &player.bet("new", "60.00"))
        .await
        .refused(402, "insufficient_funds");
    for (change, code) in [
        (
            "UPDATE player SET country = NULL WHERE id = $1",
            "insufficient_funds",
        ),
        (
            "UPDATE player SET status = 'blocked' WHERE id = $1",
            "player_blocked",
        ),
        (
            // Whoever is blocked is told so first: a block ends sessions.
            "UPDATE session SET ended_at = now(), end_reason = 'ended' WHERE player_id = $1",
            "player_blocked",
        ),
    ] {
        ledger.alter_player(change, &player.id).await;
        let refused = client.callback("bet", &player.bet("new", "1.00")).await;
        assert_eq!(refused.code(), code, "{}", refused.text);
        assert_eq!(
            client.callback("bet", &bet).await.ok().text,
            as_replay(&first),
            "{code}"
        );
        assert_eq!(
            client.callback("bet_win", &batch).await.ok().text,
            as_replay(&first_batch),
            "{code}"
        );
        // Even a session that is none, or a game that is gone, is looked at later than the stored answer.
        let elsewhere = with(&bet, "session", "nonsense");
        assert_eq!(
            client.callback("bet", &elsewhere).await.ok().text,
            as_replay(&first),
            "{code}"
        );
    }
    assert_eq!(ledger.audited_cash(&player.id).await, 0);
}

#[tokio::test]
async fn twenty_of_the_same_at_once_are_one_movement_and_one_answer() {
    let (client, player, ledger) = start().await;
    for (action, body) in story(&player) {
        let answers = join_all((0..20).map(|_| client.callback(action, &body))).await;
        let mut fresh = Vec::new();
        let mut texts = Vec::new();
        for answer in answers {
            let answer = answer.ok();
            texts.push(as_replay(&answer));
            fresh.push(answer.json["replayed"] == json!(false));
        }
        assert_eq!(
            fresh.iter().filter(|fresh| **fresh).count(),
            1,
            "{action}: one applied"
        );
        texts.dedup();
        assert_eq!(texts.len(), 1, "{action}: all got the same answer");
    }
    for id in ["b1", "w1", "b2", "w2", "b3"] {
        assert_eq!(ledger.movements(&player.id, id).await, 1, "{id}");
    }
    assert_eq!(ledger.audited_cash(&player.id).await, 90_000_000);
}

#[tokio::test]
async fn many_bets_at_once_never_spend_more_than_there_is() {
    let (client, player, ledger) = start().await;
    // Twenty bets of 9.00 from 100.00, each twice: eleven fit.
    let bets: Vec<Value> = (0..20)
        .map(|index| player.bet(&format!("b{index}"), "9.00"))
        .collect();
    let answers = join_all(
        bets.iter()
            .chain(&bets)
            .map(|bet| client.callback("bet", bet)),
    )
    .await;
    let refused = answers.iter().filter(|answer| answer.status == 402).count();
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status, 200 | 402))
    );
    assert_eq!(refused, 2 * (20 - 11));
    assert_eq!(ledger.applied(&player.id, "bet").await.len(), 11);
    assert_eq!(ledger.audited_cash(&player.id).await, 1_000_000);
}

#[tokio::test]
async fn any_order_of_repeats_ends_in_the_same_balance() {
    let (client, player, ledger) = start().await;
    // INV-6: duplicates of the whole story, interleaved at random, each sent again until it is settled.
    let mut random = crate::support::random::Random::seeded("any_order_of_repeats");
    let story = story(&player);
    for (action, body) in &story {
        client.callback(action, body).await;
        let requests: Vec<_> = (0..10).map(|_| random.one_of(&story)).collect();
        join_all(
            requests
                .iter()
                .map(|(action, body)| client.callback(action, body)),
        )
        .await;
    }
    for (action, body) in &story {
        let answer = client.callback(action, body).await;
        // A rollback that overtook its bet blocked it: then neither moved.
        let blocked = body["transaction_id"] == "b3" && answer.code() == "rolled_back";
        assert!(answer.status == 200 || blocked, "{action}: {}", answer.text);
    }
    assert_eq!(ledger.movements(&player.id, "b1").await, 1);
    let cash = ledger.audited_cash(&player.id).await;
    assert_eq!(
        cash, 90_000_000,
        "100 - 10 + 3 - 4 + 1, and b3 was given back or never taken"
    );
}
