//! INV-12, and who may come in at all: every route of operators, tried with every key that must not open it. The routes
//! are those of the table, so a new one is tried by being there.

use pitboss::http::{Route, route::Caller, routes};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{
    casino::Casino,
    client::{Answer, Client, send},
    eventually,
    player::Player,
};

/// A route with something for each of its parameters.
fn path(route: &Route) -> String {
    let segments = route.path.split('/');
    let segments = segments.map(|segment| {
        if segment.starts_with('{') {
            "x"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

async fn ask(
    client: &Client,
    route: &Route,
    with: impl Fn(RequestBuilder) -> RequestBuilder,
) -> Answer {
    let request = with(client.http(route.method.as_str().parse().unwrap(), &path(route)));
    let request = if route.method.as_str() == "GET" {
        request
    } else {
        request.body("{}")
    };
    send(request).await
}

async fn new_key(client: &Client, more: Value) -> (String, String) {
    let mut key = json!({ "name": "tried", "person": "tester", "scopes": ["*"] });
    key.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let made = client.post("/v1/keys", &key).await.ok();
    (made.text_at("/id"), made.text_at("/secret"))
}

/// A player's route, with everything but a token of his own world.
async fn no_stranger_enters(alone: &Client, sandbox: &Client, route: &Route, of_live: &Player) {
    let shown = format!("{} {}", route.method, route.path);
    let crossed = of_live.token.replace("pst_live_", "pst_test_");
    let unknown = format!("pst_test_{}", "A".repeat(43));
    for (client, token, what) in [
        (
            alone,
            &of_live.token,
            "a live token where only the sandbox is",
        ),
        (
            sandbox,
            &crossed,
            "a live token that calls itself one of the sandbox",
        ),
        (sandbox, &unknown, "a token of nobody"),
        (sandbox, &sandbox.at.operator_key, "a key of an operator"),
    ] {
        let answer = ask(client, route, |request| request.bearer_auth(token)).await;
        let told = (answer.status, answer.code());
        assert_eq!(
            told,
            (401, "unauthorized"),
            "{shown} with {what}: {}",
            answer.text
        );
    }
    let without = ask(sandbox, route, |request| request).await;
    assert_eq!(
        without.status, 401,
        "{shown} without a token: {}",
        without.text
    );
}

#[tokio::test]
async fn no_route_of_operators_opens_for_a_key_that_must_not_open_it_and_nothing_is_written() {
    let casino = Casino::start("access", &["sandbox", "live"]).await;
    let (both, only) = tokio::join!(casino.serve(""), casino.serve_only("sandbox"));
    let (sandbox, live) = (
        casino.client(&both, "sandbox"),
        casino.client(&both, "live"),
    );
    let alone = casino.client(&only, "sandbox");
    let (revoked_id, revoked) = new_key(&sandbox, json!({})).await;
    let revoke = format!("/v1/keys/{revoked_id}/revoke");
    sandbox.post(&revoke, &json!({})).await.ok();
    let (_, expired) = new_key(&sandbox, json!({ "expires_at": "2099-01-01T00:00:00Z" })).await;
    let ledgers = [casino.ledger("sandbox").await, casino.ledger("live").await];
    let end = "UPDATE operator_key SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL";
    assert_eq!(ledgers[0].0.execute(end, &[]).await.unwrap(), 1);
    let networks = json!({ "allowed_addresses": ["192.0.2.0/24"] });
    let (_, elsewhere) = new_key(&sandbox, networks).await;
    let mut narrow = Vec::new();
    for scope in ["reports:read", "approvals:read"] {
        let (_, key) = new_key(&sandbox, json!({ "scopes": [scope] })).await;
        narrow.push((scope, key));
    }
    let player = Player::with(&live, "1.00").await;
    let before = [ledgers[0].contents().await, ledgers[1].contents().await];

    let mut tried = 0;
    for route in routes() {
        let Caller::Operator(scope) = route.caller else {
            if matches!(route.caller, Caller::Player) {
                no_stranger_enters(&alone, &sandbox, &route, &player).await;
            }
            continue;
        };
        tried += 1;
        let shown = format!("{} {}", route.method, route.path);
        let refused = async |client: &Client, key: &str, status: u16, code: &str, what: &str| {
            let answer = ask(client, &route, |request| request.bearer_auth(key)).await;
            assert_eq!(
                (answer.status, answer.code()),
                (status, code),
                "{shown} with {what}: {}",
                answer.text
            );
        };
        let without = ask(&sandbox, &route, |request| request).await;
        assert_eq!(
            without.status, 401,
            "{shown} without a key: {}",
            without.text
        );
        let crossed = live.at.operator_key.replace("sk_live_", "sk_test_");
        for (client, key, what) in [
            (
                &alone,
                &live.at.operator_key,
                "a live key where only the sandbox is",
            ),
            (
                &sandbox,
                &crossed,
                "a live key that calls itself one of the sandbox",
            ),
            (&sandbox, &revoked, "a revoked key"),
            (&sandbox, &expired, "an expired key"),
        ] {
            refused(client, key, 401, "unauthorized", what).await;
        }
        refused(
            &sandbox,
            &elsewhere,
            403,
            "forbidden",
            "a key from a foreign address",
        )
        .await;
        let forged = ask(&sandbox, &route, |request| {
            request
                .bearer_auth(&elsewhere)
                .header("X-Forwarded-For", "192.0.2.1")
                .header("X-Real-IP", "192.0.2.1")
                .header("Forwarded", "for=192.0.2.1")
        });
        assert_eq!(forged.await.status, 403, "{shown} with a forged address");
        let narrow = narrow.iter().find(|(name, _)| **name != scope.to_string());
        let (_, key) = narrow.unwrap();
        refused(&sandbox, key, 403, "forbidden", "a key without the scope").await;
    }
    assert!(tried > 15, "{tried}");
    let after = [ledgers[0].contents().await, ledgers[1].contents().await];
    assert_eq!(after, before);

    // The refusals are in the log, counted together, each kind once.
    let reasons = [
        "unknown_key",
        "revoked_key",
        "expired_key",
        "foreign_address",
        "missing_scope",
    ];
    eventually("the refusals are noted", async || {
        let log = sandbox
            .get("/v1/audit?action=access.failed&limit=200")
            .await
            .ok();
        let noted = log.json["data"].as_array().unwrap().clone();
        let has = |reason: &&str| {
            noted
                .iter()
                .any(|entry| entry["detail"]["reason"] == **reason)
        };
        reasons.iter().all(has).then_some(())
    })
    .await;
    let text = sandbox.get("/v1/audit?limit=200").await.ok().text;
    for secret in [&revoked, &expired, &elsewhere, &live.at.operator_key] {
        assert!(!text.contains(secret.as_str()));
    }
}
