//! The admin listener: health, readiness and metrics.

use pitboss_actors::metric;

use crate::support::{
    client::send,
    player::{Player, with},
    sandbox::shared,
    stream::Stream,
};

#[tokio::test]
async fn healthz_and_readyz_tell_that_all_is_well() {
    let client = shared().await;
    assert_eq!(client.admin("/healthz").await.ok().json["status"], "ok");
    let ready = client.admin("/readyz").await.ok();
    assert_eq!(ready.json["status"], "ready");
    assert_eq!(ready.json["checks"]["postgres_sandbox"], true);
    client.admin("/v1/games").await.refused(404, "not_found");
    // The API has the health for its load balancer, and nothing else of this.
    send(client.http(reqwest::Method::GET, "/healthz"))
        .await
        .ok();
    send(client.http(reqwest::Method::GET, "/metrics"))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn the_metrics_name_actors_and_messages_and_never_a_player() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let _stream = Stream::open(&client, &player.token, "").await.unwrap();
    client
        .callback("bet", &player.bet("metered-bet", "1.00"))
        .await
        .ok();
    client
        .callback("bet", &player.bet("metered-bet", "1.00"))
        .await
        .ok();
    client
        .callback("bet", &player.bet("metered-too-much", "900.00"))
        .await
        .refused(402, "insufficient_funds");
    client
        .callback("bet", &with(&player.bet("b", "1"), "amount", 1))
        .await
        .refused(422, "malformed");
    crate::support::eventually("the bridge has been at work", async || {
        let text = client.admin("/metrics").await.text;
        text.contains(metric::PUBLISHED).then_some(())
    })
    .await;
    let answer = client.admin("/metrics").await;
    assert!(
        answer
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    let text = answer.text;
    // Those that count what has gone wrong are there once something has.
    let of_trouble = [
        metric::REFUSED,
        metric::PANICKED,
        metric::STALE,
        metric::COMMIT_ERRORS,
        metric::PUBLISH_ERRORS,
        metric::EVICTED,
        metric::ROUNDS_SWEPT,
        metric::SESSIONS_SWEPT,
    ];
    for (name, help) in metric::DESCRIPTIONS
        .iter()
        .filter(|(name, _)| !of_trouble.contains(name))
    {
        assert!(
            text.contains(&format!("# HELP {name} {help}")),
            "{name} is missing"
        );
    }
    for sample in [
        r#"pitboss_actors_alive{actor="player"}"#,
        r#"pitboss_actors_alive{actor="bridge"}"#,
        r#"pitboss_commands_total{outcome="committed"}"#,
        r#"pitboss_commands_total{outcome="replayed"}"#,
        r#"pitboss_commands_total{outcome="refused"}"#,
        r#"pitboss_callbacks_total{dialect="native",outcome="malformed"}"#,
        "pitboss_actor_mailbox_depth",
        "pitboss_journal_batch_size_bucket",
        "pitboss_actor_handle_seconds_bucket",
        r#"pitboss_outbox_backlog{environment="sandbox"}"#,
    ] {
        assert!(text.contains(sample), "{sample} is missing");
    }
    for secret in [
        &player.id,
        &player.session,
        &player.token,
        "metered-bet",
        "alice",
        &client.at.operator_key,
    ] {
        assert!(!text.contains(secret), "a metric shows {secret}");
    }
}
