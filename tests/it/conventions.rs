//! What holds for every route: ids of requests, tags of states, compression, origins, security headers.

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

use crate::support::{
    casino::Casino,
    client::{Answer, Client, send},
    player::Player,
    sandbox::shared,
    stream::Stream,
    unique,
};

fn by_operator(client: &Client, method: Method, path: &str) -> RequestBuilder {
    client
        .http(method, path)
        .bearer_auth(&client.at.operator_key)
}

fn has_id(answer: &Answer, id: &str) {
    assert_eq!(answer.header("request-id"), id, "{}", answer.text);
    assert_eq!(answer.headers.get_all("request-id").iter().count(), 1);
}

#[tokio::test]
async fn every_answer_repeats_the_id_of_its_request() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let id = "support/4711:\"x\"";
    let named = |request: RequestBuilder| request.header("Request-Id", id);
    let bet = player.bet("b", "1.00").to_string().into_bytes();
    let (bet_path, signature) = client.signed("bet", &bet);
    let signed = client
        .http(Method::POST, &bet_path)
        .header("Pitboss-Signature", signature);
    for request in [
        by_operator(&client, Method::GET, "/v1/games"),
        client.http(Method::GET, "/docs/errors"),
        signed.body(bet),
        // Refused by the dialect, by the router, by the gate, for the body, for the path.
        client.http(Method::POST, &bet_path).body("{}"),
        client.http(Method::GET, "/nowhere"),
        client.http(Method::DELETE, "/v1/games"),
        client.http(Method::GET, "/v1/games"),
        by_operator(&client, Method::POST, "/v1/players").body("{"),
        by_operator(&client, Method::GET, "/v1/players/%ff"),
        client.http(Method::POST, "/callbacks/nowhere/x/bet"),
    ] {
        let answer = send(named(request)).await;
        has_id(&answer, id);
        if answer.status >= 400 && !answer.json["request_id"].is_null() {
            assert_eq!(answer.json["request_id"], id);
        }
    }
    let problem = send(named(client.http(Method::GET, "/nowhere"))).await;
    assert_eq!(problem.refused(404, "not_found").json["request_id"], id);
}

#[tokio::test]
async fn an_id_that_is_none_is_replaced_by_one_that_nobody_else_has() {
    let client = shared().await;
    let mut made = Vec::new();
    let long = "x".repeat(129);
    for id in ["", "a b", "\u{e9}", &long] {
        let request = client.http(Method::GET, "/healthz");
        made.push(send(request.header("Request-Id", id)).await);
    }
    let twice = client.http(Method::GET, "/healthz");
    made.push(send(twice.header("Request-Id", "a").header("Request-Id", "b")).await);
    made.push(send(client.http(Method::GET, "/healthz")).await);
    let mut ids: Vec<&str> = made
        .iter()
        .map(|answer| answer.header("request-id"))
        .collect();
    assert!(
        ids.iter()
            .all(|id| id.starts_with("req_") && id.len() == 36),
        "{ids:?}"
    );
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), made.len());
}

#[tokio::test]
async fn a_stream_and_every_line_of_the_log_have_the_id() {
    let casino = Casino::start("ids", &["sandbox"]).await;
    let mut node = casino.serve("[log]\nformat = \"json\"\n").await;
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "10.00").await;
    let request = client
        .http(Method::GET, "/v1/stream")
        .bearer_auth(&player.token)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("request-id", "of-the-stream");
    let upgraded = request.send().await.unwrap();
    assert_eq!(upgraded.status(), 101);
    assert_eq!(upgraded.headers()["request-id"], "of-the-stream");
    drop(upgraded);
    // A signature that is wrong is logged.
    let path = client.callback_path("bet");
    let wrong = client
        .http(Method::POST, &path)
        .header("Request-Id", "a\"b")
        .header("Pitboss-Signature", "t=1,v1=00");
    send(wrong.body("{}")).await.refused(401, "bad_signature");
    node.program.terminate().await;
    let log = node.program.log();
    let line = log.lines().find(|line| line.contains("was not accepted"));
    let line: Value = serde_json::from_str(line.unwrap()).unwrap();
    assert_eq!(line["request_id"], "a\"b", "{line}");
    let other = log.lines().find(|line| line.contains("\"ready\"")).unwrap();
    assert!(!other.contains("request_id"), "{other}");
}

#[tokio::test]
async fn whoever_has_a_state_already_is_not_sent_it_again() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let path = format!("/v1/players/{}/wallets", player.id);
    let first = client.get(&path).await.ok();
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 30, "{tag}");
    let ask = async |known: &str| {
        let request = by_operator(&client, Method::GET, &path);
        send(request.header("If-None-Match", known)).await
    };
    for known in [&tag, "*", &format!("\"x\", W/{tag}")] {
        let answer = ask(known).await;
        assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{known}");
        assert_eq!(answer.header("etag"), tag);
        assert!(!answer.headers.contains_key("content-type"));
    }
    assert_eq!(ask("\"x\"").await.status, 200);
    // Any movement makes another state.
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    let moved = ask(&tag).await.ok();
    assert_ne!(moved.header("etag"), tag);
    // What is public says the same.
    let document = send(client.http(Method::GET, "/openapi.json")).await.ok();
    let again = client.http(Method::GET, "/openapi.json");
    let again = send(again.header("If-None-Match", document.header("etag"))).await;
    assert_eq!(again.status, 304);
    assert_eq!(again.header("cache-control"), "public, max-age=300");
}

async fn webhook(client: &Client) -> (String, Answer) {
    let url = format!("http://localhost:9/{}", unique("hook"));
    let made = client.post("/v1/webhooks", &json!({ "url": url })).await;
    let path = format!("/v1/webhooks/{}", made.ok().text_at("/id"));
    let off = by_operator(client, Method::PATCH, &path).json(&json!({ "enabled": false }));
    send(off).await.ok();
    let seen = client.get(&path).await.ok();
    (path, seen)
}

#[tokio::test]
async fn a_change_is_made_to_what_its_caller_has_seen_or_not_at_all() {
    let client = shared().await;
    let (path, seen) = webhook(&client).await;
    let change = async |expected: &str, text: &str| {
        let request = by_operator(&client, Method::PATCH, &path);
        let request = request.header("If-Match", expected);
        send(request.json(&json!({ "description": text }))).await
    };
    let tag = seen.header("etag").to_owned();
    for wrong in ["\"x\"", "", "x"] {
        change(wrong, "no")
            .await
            .refused(412, "precondition_failed");
    }
    assert_eq!(client.get(&path).await.header("etag"), tag);
    let first = change(&tag, "first").await.ok();
    assert_eq!(first.text_at("/description"), "first");
    change(&tag, "second")
        .await
        .refused(412, "precondition_failed");
    change("*", "third").await.ok();
    let text = client.get(&path).await.ok().text_at("/description");
    assert_eq!(text, "third");
    // What is not there, or may not be seen, is refused as ever; and so is a body that is wrong.
    let nowhere = by_operator(&client, Method::PATCH, "/v1/webhooks/wh_0");
    let nowhere = nowhere.header("If-Match", "*").json(&json!({}));
    send(nowhere).await.refused(404, "not_found");
    let nobody = client.http(Method::PATCH, &path).header("If-Match", "*");
    send(nobody.json(&json!({})))
        .await
        .refused(401, "unauthorized");
    // Nor does it hide that there is no such method, or that nobody is let in where nothing is to be seen.
    let none = by_operator(&client, Method::PATCH, "/v1/gaming").header("If-Match", "x");
    send(none).await.refused(405, "method_not_allowed");
    let nobody = client.http(Method::DELETE, "/v1/session");
    let nobody = nobody.header("If-Match", "x");
    send(nobody).await.refused(401, "unauthorized");
    let wrong = by_operator(&client, Method::PATCH, &path).header("If-Match", "*");
    send(wrong.json(&json!({ "x": 1 })))
        .await
        .refused(422, "unknown_field");
    let gone = by_operator(&client, Method::DELETE, &path).header("If-Match", &tag);
    send(gone).await.refused(412, "precondition_failed");
    let newest = client.get(&path).await.ok();
    let gone =
        by_operator(&client, Method::DELETE, &path).header("If-Match", newest.header("etag"));
    assert_eq!(send(gone).await.status, 204);
}

/// `If-Match` comes after who it is and whether there is such a change at all.
#[tokio::test]
async fn a_state_is_compared_only_for_whoever_may_change_it() {
    let client = shared().await;
    let of_nothing = |request: RequestBuilder| request.header("If-Match", "\"x\"");
    let gaming = by_operator(&client, Method::PATCH, "/v1/gaming");
    send(of_nothing(gaming).json(&json!({})))
        .await
        .refused(405, "method_not_allowed");
    // Nobody can GET these, so nothing of them is ever named.
    let player = Player::with(&client, "1.00").await;
    let log_out = || of_nothing(client.http(Method::DELETE, "/v1/session"));
    send(log_out()).await.refused(401, "unauthorized");
    let own = log_out().bearer_auth(&player.token);
    send(own).await.refused(412, "precondition_failed");
    Stream::open(&client, &player.token, "").await.unwrap();
    let block = format!("/v1/players/{}/game-blocks/gb_0", player.id);
    let lift = || of_nothing(client.http(Method::DELETE, &block));
    send(lift()).await.refused(401, "unauthorized");
    let key = json!({ "name": unique("reader"), "person": "Ann", "scopes": ["players:read"] });
    let reader = client.post("/v1/keys", &key).await.ok();
    let reader = lift().bearer_auth(reader.text_at("/secret"));
    send(reader).await.refused(403, "forbidden");
    let writer = lift().bearer_auth(&client.at.operator_key);
    send(writer).await.refused(412, "precondition_failed");
}

#[tokio::test]
async fn of_many_changes_of_one_state_one_is_made() {
    let client = shared().await;
    let (path, seen) = webhook(&client).await;
    let tag = seen.header("etag").to_owned();
    let changes = (0..8).map(|number| {
        let request = by_operator(&client, Method::PATCH, &path).header("If-Match", &tag);
        send(request.json(&json!({ "description": format!("change {number}") })))
    });
    let answers = futures_util::future::join_all(changes).await;
    let made = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(made, 1, "{answers:?}");
}

#[tokio::test]
async fn large_answers_are_compressed_for_whoever_takes_it_and_secrets_never_are() {
    let client = shared().await;
    let ask = async |request: RequestBuilder, accepted: &str| {
        let answer = request.header("Accept-Encoding", accepted).send().await;
        let answer = answer.unwrap();
        let headers: HeaderMap = answer.headers().clone();
        (headers, answer.bytes().await.unwrap())
    };
    let document = || client.http(Method::GET, "/openapi.json");
    let (headers, small) = ask(document(), "br, gzip;q=0.5").await;
    assert_eq!(headers["content-encoding"], "gzip");
    assert_eq!(&small[..2], b"\x1f\x8b");
    let tag = headers["etag"].to_str().unwrap().to_owned();
    assert!(tag.ends_with("-gzip\""), "{tag}");
    let (headers, whole) = ask(document(), "identity").await;
    assert!(!headers.contains_key("content-encoding") && headers["vary"] == "accept-encoding");
    assert!(
        small.len() * 4 < whole.len(),
        "{} {}",
        small.len(),
        whole.len()
    );
    for refused in ["gzip;q=0", "br", ""] {
        let (headers, _) = ask(document(), refused).await;
        assert!(!headers.contains_key("content-encoding"), "{refused}");
    }
    // The same state, whatever its form.
    let known = document().header("If-None-Match", &tag);
    assert_eq!(send(known).await.status, 304);
    let player = Player::with(&client, "10.00").await;
    let path = format!("/v1/players/{}/wallets", player.id);
    let (headers, _) = ask(by_operator(&client, Method::GET, &path), "gzip").await;
    assert!(!headers.contains_key("content-encoding"), "too small");
    let session = json!({ "player": player.id, "currency": "EUR" });
    let padded = format!("{}{session}", " ".repeat(8_000));
    let session = by_operator(&client, Method::POST, "/v1/sessions").body(padded);
    let (headers, _) = ask(session, "gzip").await;
    assert!(!headers.contains_key("content-encoding"), "a secret");
}

#[tokio::test]
async fn only_pages_that_are_named_may_use_the_api_from_a_browser() {
    let casino = Casino::start("cors", &["sandbox"]).await;
    let node = casino
        .serve("[rest]\ncors_origins = [\"https://office.example\"]\n")
        .await;
    let client = casino.client(&node, "sandbox");
    let preflight = async |client: &Client, origin: &str| {
        let request = client.http(Method::OPTIONS, "/v1/players");
        let request = request
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header(
                "Access-Control-Request-Headers",
                "authorization, content-type, idempotency-key",
            );
        send(request).await
    };
    let allowed = preflight(&client, "https://office.example").await;
    assert_eq!(allowed.status, 200, "{}", allowed.text);
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        "https://office.example"
    );
    assert!(
        !allowed
            .headers
            .contains_key("access-control-allow-credentials")
    );
    assert!(allowed.header("request-id").starts_with("req_"));
    let list = by_operator(&client, Method::GET, "/v1/games");
    let list = send(list.header("Origin", "https://office.example"))
        .await
        .ok();
    let exposed = list.header("access-control-expose-headers").to_lowercase();
    for name in [
        "etag",
        "request-id",
        "idempotency-replayed",
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
    ] {
        assert!(exposed.contains(name), "{exposed}");
    }
    assert!(
        !preflight(&client, "https://evil.example")
            .await
            .headers
            .contains_key("access-control-allow-origin")
    );
    let list = by_operator(&client, Method::GET, "/v1/games");
    let list = send(list.header("Origin", "https://evil.example")).await;
    assert!(!list.headers.contains_key("access-control-allow-origin"));
    // Off by default.
    let plain = shared().await;
    let answer = preflight(&plain, "https://office.example").await;
    answer.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn what_nobody_reads_is_refused_and_what_is_secret_is_kept_by_nobody() {
    let client = shared().await;
    for path in [
        "/v1/games?limi=1",
        "/v1/transactions?player=x&x=1",
        "/healthz?x",
    ] {
        let answer = client.get(path).await.refused(422, "unknown_field");
        assert!(answer.json["detail"].as_str().unwrap().contains('x') || path.contains("limi"));
    }
    let body = json!({ "id": unique("anna"), "currency": "EUR" }).to_string();
    let make = |kind: Option<&str>| {
        let request = by_operator(&client, Method::POST, "/v1/players").body(body.clone());
        match kind {
            Some(kind) => request.header("Content-Type", kind),
            None => request,
        }
    };
    for wrong in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "json",
    ] {
        send(make(Some(wrong)))
            .await
            .refused(415, "unsupported_media_type");
    }
    let made = send(make(Some("Application/JSON; charset=utf-8")))
        .await
        .ok();
    assert_eq!(made.header("cache-control"), "no-store");
    assert_eq!(made.header("x-content-type-options"), "nosniff");
    assert!(!made.headers.contains_key("strict-transport-security"));
    send(make(None)).await.ok();
}

#[tokio::test]
async fn a_socket_is_not_hurt_by_any_of_it() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let stream = Stream::open(&client, &player.token, "").await.unwrap();
    assert_eq!(stream.first["type"], "snapshot");
}
