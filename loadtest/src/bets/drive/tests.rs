//! The driver against a tiny wallet of its own, which loses answers, is busy and stalls.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    thread,
};

use pitboss_wallet::{Currency, Money};
use tokio::task::LocalSet;

use super::*;
use crate::stub::{Reply, Request, Stub};

/// What the stub has taken: by id, the player and the amount.
#[derive(Default)]
struct Wallet {
    requests: u32,
    /// Answers sent that say that the bet was there before.
    repeats: u64,
    bets: HashMap<String, (String, String)>,
}

type Shared = Arc<Mutex<Wallet>>;

/// Takes a bet once, as the real server promises to.
fn take(wallet: &mut Wallet, request: &Request) -> String {
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let id = text("transaction_id");
    let bet = (text("player"), text("amount"));
    let before = wallet.bets.insert(id.clone(), bet.clone());
    let replayed = before.is_some();
    assert!(
        before.is_none_or(|before| before == bet),
        "same id, other data"
    );
    format!(r#"{{"status":"ok","provider_transaction_id":"{id}","replayed":{replayed}}}"#)
}

fn load(rate: Option<f64>, connections: u32, ms: u64) -> Load {
    Load {
        rate,
        connections,
        warm_up: Duration::ZERO,
        duration: Duration::from_millis(ms),
        timeout: Duration::from_secs(5),
        tries: 10,
        overlap: false,
    }
}

async fn drive_at(stub: &Stub, load: Load) -> Result<Driven> {
    let bets = Bets {
        authority: stub.authority(),
        signer: Signer::new("secret", "/callbacks/sandbox/demo/bet").unwrap(),
        run: Run::new(1, 7),
        form: BetForm {
            game: "dice".into(),
            currency: Currency::from_code("EUR").unwrap(),
            bets_per_round: 1,
            close_rounds: false,
        },
        sessions: vec!["ses_1".into(); 100],
        seed: 7,
    };
    LocalSet::new().run_until(drive(bets, load, || {})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_bet_is_settled_although_answers_are_lost_and_the_server_is_busy() {
    let wallet = Shared::default();
    let shared = wallet.clone();
    let stub = Stub::start(move |request| {
        assert_eq!(request.path, "/callbacks/sandbox/demo/bet");
        assert!(request.headers["pitboss-signature"].starts_with("t="));
        let mut wallet = shared.lock().unwrap();
        wallet.requests += 1;
        match wallet.requests % 7 {
            3 => {
                // Done, and the answer is lost: the case for which ids exist.
                take(&mut wallet, &request);
                Reply::HangUp
            }
            5 => Reply::Answer(503, r#"{"code":"retry"}"#.into()),
            _ => {
                let answer = take(&mut wallet, &request);
                wallet.repeats += u64::from(answer.contains("\"replayed\":true"));
                Reply::Answer(200, answer)
            }
        }
    })
    .await;
    let driven = drive_at(&stub, load(None, 8, 300)).await.unwrap();
    let sent = driven.book.len();
    assert!(sent > 50, "{sent}");
    assert_eq!(driven.book.count(Fate::Acknowledged), sent as u64);
    assert_eq!(driven.tally.given_up, 0);
    assert!(driven.tally.retries["503 retry"] > 0);
    assert!(driven.tally.wrong.is_empty(), "{:?}", driven.tally.wrong);
    assert!(driven.bytes_sent > 0 && driven.bytes_received > 0);

    let wallet = wallet.lock().unwrap();
    assert!(wallet.repeats > 0);
    assert_eq!(driven.tally.replays, wallet.repeats);
    assert_eq!(wallet.bets.len(), sent);
    let run = Run::new(1, 7);
    let eur = Currency::from_code("EUR").unwrap();
    for (id, (player, amount)) in &wallet.bets {
        let number = run.number(id).unwrap();
        let entry = driven.book.get(number).unwrap();
        assert_eq!(*player, crate::bets::plan::player_id(entry.player));
        assert_eq!(*amount, Money::new(run.units(number), eur).to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn refusals_are_final_and_a_server_that_never_answers_is_given_up() {
    let refusing =
        Stub::start(|_| Reply::Answer(402, r#"{"code":"insufficient_funds"}"#.into())).await;
    let driven = drive_at(&refusing, load(Some(100.0), 4, 100))
        .await
        .unwrap();
    assert_eq!(driven.book.count(Fate::Refused), 10);
    assert_eq!(driven.tally.refusals["402 insufficient_funds"], 10);
    assert_eq!(driven.tally.requests, 10, "a refusal is not sent again");

    let silent = Stub::start(|_| Reply::HangUp).await;
    let mut patience = load(Some(50.0), 4, 100);
    patience.tries = 3;
    let driven = drive_at(&silent, patience).await.unwrap();
    assert_eq!(driven.book.count(Fate::Unknown), 5);
    assert_eq!((driven.tally.given_up, driven.tally.requests), (5, 15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stall_is_charged_to_every_bet_that_was_due_during_it() {
    let wallet = Shared::default();
    let stub = Stub::start(move |request| {
        let mut wallet = wallet.lock().unwrap();
        wallet.requests += 1;
        if wallet.requests == 50 {
            thread::sleep(Duration::from_millis(400));
        }
        Reply::Answer(200, take(&mut wallet, &request))
    })
    .await;
    // Two connections are stuck at once; a closed loop would see two slow bets and nothing else.
    let driven = drive_at(&stub, load(Some(200.0), 2, 1_000)).await.unwrap();
    let latency = driven.tally.latency.summary();
    assert_eq!(
        latency.count, 200,
        "all that was due was sent, however late"
    );
    assert!(latency.max_ms >= 390.0, "{latency}");
    assert!(latency.p95_ms >= 250.0, "{latency}");
    assert!(driven.tally.send_delay.summary().p95_ms >= 250.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn too_few_players_for_the_connections_are_refused_instead_of_hanging() {
    let stub = Stub::start(|_| Reply::HangUp).await;
    let error = drive_at(&stub, load(None, 100, 10)).await.err().unwrap();
    assert!(error.to_string().contains("100 players"), "{error}");
}
