//! A database that is away: "ask again", and the server recovers by itself.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{casino::Casino, eventually, player::Player, program::stdout, stream::Stream};

#[tokio::test]
async fn a_lost_postgres_is_answered_retry_and_the_retry_moves_the_money_once() {
    let mut casino = Casino::start("postgres-away", &["sandbox"]).await;
    let mut node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "100.00").await;
    let cold = Player::with(&client, "100.00").await;
    client
        .callback("bet", &player.bet("stored", "1.00"))
        .await
        .ok();

    // Killed under load: some of these are answered, some are not known.
    let bets: Vec<Value> = (0..40)
        .map(|index| player.bet(&format!("b{index}"), "1.00"))
        .collect();
    let sending = join_all(bets.iter().map(|bet| client.callback("bet", bet)));
    let (answers, ()) = tokio::join!(sending, casino.postgres.kill_immediate());
    for answer in answers {
        if answer.status != 200 {
            answer.refused(503, "retry");
        }
    }
    for (action, body) in [
        ("bet", player.bet("during", "1.00")),
        ("win", player.win("w-during", "stored", "1.00")),
        ("rollback", cold.rollback("rb", "x")),
        (
            "authenticate",
            json!({ "token": format!("lt_test_{}", "A".repeat(43)) }),
        ),
    ] {
        let answer = client.callback(action, &body).await.refused(503, "retry");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
    }
    client
        .get(&format!("/v1/transactions?player={}", player.id))
        .await
        .refused(503, "retry");
    let deposit = json!({ "amount": "1.00", "currency": "EUR", "reference": "deposit-during" });
    let deposits = format!("/v1/players/{}/deposits", player.id);
    client.post(&deposits, &deposit).await.refused(503, "retry");
    assert_eq!(client.admin("/readyz").await.status, 503);
    assert_eq!(client.admin("/healthz").await.status, 200);

    casino.postgres.restart().await.unwrap();
    casino.wait_until_ready(&mut node).await;
    let ledger = casino.ledger("sandbox").await;
    let all = bets
        .iter()
        .chain([bets[0].clone(), player.bet("during", "1.00")].iter())
        .cloned()
        .collect::<Vec<_>>();
    for bet in &all {
        // The same request again, until there is another answer, as the manual says.
        eventually("the bet is accepted", async || {
            let answer = client.callback("bet", bet).await;
            (answer.status == 200).then_some(())
        })
        .await;
    }
    client.post(&deposits, &deposit).await.ok();
    for index in 0..40 {
        assert_eq!(
            ledger.movements(&player.id, &format!("b{index}")).await,
            1,
            "b{index}"
        );
    }
    assert_eq!(ledger.movements(&player.id, "during").await, 1);
    assert_eq!(ledger.audited_cash(&player.id).await, 59_000_000);
    let mut stream = Stream::open(&client, &player.token, "?after=0")
        .await
        .unwrap();
    let newest = ledger
        .number("SELECT last_event FROM player WHERE id = $1", &player.id)
        .await;
    assert_eq!(
        stream.until(newest).await.len(),
        usize::try_from(newest).unwrap()
    );
    let audit = casino.audit().await;
    assert!(audit.status.success(), "{}", stdout(&audit));
}

#[tokio::test]
async fn a_stream_survives_or_tells_to_reconnect_when_postgres_is_lost() {
    let mut casino = Casino::start("postgres-stream", &["sandbox"]).await;
    let mut node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "100.00").await;
    let mut stream = Stream::open(&client, &player.token, "").await.unwrap();
    let seq = stream.first["seq"].as_i64().unwrap();
    casino.postgres.kill_immediate().await;
    client
        .callback("bet", &player.bet("b", "1.00"))
        .await
        .refused(503, "retry");
    casino.postgres.restart().await.unwrap();
    casino.wait_until_ready(&mut node).await;
    eventually("the bet is accepted", async || {
        let answer = client.callback("bet", &player.bet("b", "1.00")).await;
        (answer.status == 200).then_some(())
    })
    .await;
    // Whichever way: after a reconnect with the position, everything is there.
    let events = match stream.try_events(2).await {
        Ok(events) => events,
        Err(code) => {
            assert!((4000..4100).contains(&code), "{code}");
            let query = format!("?after={seq}");
            Stream::open(&client, &player.token, &query)
                .await
                .unwrap()
                .events(2)
                .await
        }
    };
    assert_eq!(crate::support::stream::seqs(&events), [seq + 1, seq + 2]);
}
