//! More than there is room for: turned away before any work, and told when to come back.

use futures_util::future::join_all;
use pitboss_services::ScratchDir;
use serde_json::Value;

use crate::support::{eventually, player::Player, sandbox::Sandbox};

#[tokio::test]
async fn what_is_too_much_is_turned_away_untouched_and_accepted_later() {
    let scratch = ScratchDir::new("overload").unwrap();
    let config = scratch.join("small.toml");
    std::fs::write(
        &config,
        "[players]\nper_player_max = 2\nin_flight_max = 8\n",
    )
    .unwrap();
    let sandbox = Sandbox::start(
        &scratch.join("data"),
        &["--config", config.to_str().unwrap()],
    )
    .await;
    let (client, ledger) = (sandbox.client(), sandbox.ledger().await);
    let player = Player::with(&client, "100.00").await;
    let bets: Vec<Value> = (0..100)
        .map(|index| player.bet(&format!("b{index}"), "1.00"))
        .collect();
    let answers = join_all(bets.iter().map(|bet| client.callback("bet", bet))).await;
    let mut busy = 0;
    for (index, answer) in answers.into_iter().enumerate() {
        if answer.status == 200 {
            continue;
        }
        busy += 1;
        let status = answer.status;
        let answer = answer.refused(status, if status == 429 { "busy" } else { "retry" });
        assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
        if status == 429 {
            assert_eq!(
                ledger.movements(&player.id, &format!("b{index}")).await,
                0,
                "busy means untouched"
            );
        }
    }
    assert!(busy > 0, "a hundred at once with room for two");
    for bet in &bets {
        eventually("there is room again", async || {
            let answer = client.callback("bet", bet).await;
            (answer.status == 200).then_some(())
        })
        .await;
    }
    assert_eq!(ledger.applied(&player.id, "bet").await.len(), 100);
    assert_eq!(ledger.audited_cash(&player.id).await, 0);
    let refused = client.admin("/metrics").await.text;
    assert!(
        refused.contains(r#"pitboss_actor_refused_total{actor="player""#),
        "{refused}"
    );
}
