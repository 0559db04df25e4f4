//! Who may call back: the signature over time, path and body, and several of them. Rotating secrets: `providers`.

use reqwest::Method;
use serde_json::Value;

use crate::support::{
    client::{Answer, Client, send, signature, unix_now},
    ledger::{Ledger, Rows},
    player::Player,
    sandbox::shared,
};

struct Scene {
    client: Client,
    player: Player,
    ledger: Ledger,
    path: String,
    bet: Value,
    before: Rows,
}

impl Scene {
    async fn start() -> Self {
        let client = shared().await;
        let player = Player::with(&client, "100.00").await;
        let ledger = Ledger::open(&client.at.postgres).await;
        let before = ledger.rows(&player.id).await;
        let (path, bet) = (client.callback_path("bet"), player.bet("b", "1.00"));
        Self {
            client,
            player,
            ledger,
            path,
            bet,
            before,
        }
    }

    fn sign(&self, secret: &str, t: i64) -> String {
        signature(secret, t, &self.path, self.bet.to_string().as_bytes())
    }

    fn good(&self) -> String {
        self.sign(&self.client.at.providers[0].secret, unix_now())
    }

    async fn bet_signed(&self, headers: &[&str]) -> Answer {
        let mut request = self
            .client
            .http(Method::POST, &self.path)
            .body(self.bet.to_string());
        for header in headers {
            request = request.header("Pitboss-Signature", *header);
        }
        send(request).await
    }

    async fn nothing_written(&self) {
        assert_eq!(self.ledger.rows(&self.player.id).await, self.before);
    }
}

#[tokio::test]
async fn a_callback_without_exactly_one_good_signature_is_refused_unread() {
    let scene = Scene::start().await;
    let good = scene.good();
    let (t, tag) = good.split_once(',').unwrap();
    scene.bet_signed(&[]).await.refused(401, "bad_signature");
    scene
        .bet_signed(&[&good, &good])
        .await
        .refused(401, "bad_signature");
    let wrong_secret = scene.sign("cs_another", unix_now());
    for header in [
        "",
        "nonsense",
        t,
        tag,
        &wrong_secret,
        &good[..good.len() - 2],
        &format!("{good}00"),
        &format!("t=1,{tag}"),
        &format!("{t},{t},{tag}"),
        &good.replace("v1=", "v2="),
        &format!("{t}{}", format!(",v1={}", "0".repeat(64)).repeat(9)),
    ] {
        scene
            .bet_signed(&[header])
            .await
            .refused(401, "bad_signature");
    }
    scene.nothing_written().await;
}

#[tokio::test]
async fn a_signature_holds_for_its_own_path_and_body_alone() {
    let scene = Scene::start().await;
    let good = scene.good();
    let elsewhere = scene
        .client
        .http(Method::POST, &scene.client.callback_path("win"));
    let answer = send(
        elsewhere
            .header("Pitboss-Signature", &good)
            .body(scene.bet.to_string()),
    )
    .await;
    answer.refused(401, "bad_signature");
    for body in [
        scene.bet.to_string().replace("1.00", "9.00"),
        scene.bet.to_string() + " ",
    ] {
        let request = scene
            .client
            .http(Method::POST, &scene.path)
            .header("Pitboss-Signature", &good);
        send(request.body(body)).await.refused(401, "bad_signature");
    }
    scene.nothing_written().await;
}

#[tokio::test]
async fn a_stale_signature_is_refused_in_either_direction() {
    let scene = Scene::start().await;
    let secret = scene.client.at.providers[0].secret.clone();
    for skew in [-310, 310, -1_000_000, 1_000_000_000] {
        let header = scene.sign(&secret, unix_now() + skew);
        scene
            .bet_signed(&[&header])
            .await
            .refused(401, "bad_signature");
    }
    scene.nothing_written().await;
    for skew in [-290, 290] {
        scene
            .bet_signed(&[&scene.sign(&secret, unix_now() + skew)])
            .await
            .ok();
    }
}

#[tokio::test]
async fn a_query_is_not_part_of_what_is_signed() {
    let scene = Scene::start().await;
    let path = format!("{}?trace=1", scene.path);
    let request = scene
        .client
        .http(Method::POST, &path)
        .header("Pitboss-Signature", scene.good());
    send(request.body(scene.bet.to_string())).await.ok();
}

#[tokio::test]
async fn in_a_rotation_one_of_the_two_signatures_that_fits_is_enough() {
    let scene = Scene::start().await;
    let good = scene.good();
    let tag = good.split_once("v1=").unwrap().1;
    let other = scene.sign("cs_the_next_secret", unix_now());
    let other = other.split_once("v1=").unwrap().1;
    let t = unix_now();
    for header in [
        format!("t={t},v1={other},v1={tag}"),
        format!("t={t}, v1={tag}, v1={other}"),
    ] {
        // The second may have turned over since `good` was made.
        let header = if good.starts_with(&format!("t={t},")) {
            header
        } else {
            good.clone()
        };
        scene.bet_signed(&[&header]).await.ok();
    }
}
