//! Every dialect, case by case over real HTTP, by `pitboss simulate`; the ledger is audited behind it.

use futures_util::future::join_all;
use pitboss_providers::{DIALECTS, dialect};
use pitboss_services::ScratchDir;

use crate::support::{
    program::{pitboss, run, stderr, stdout},
    sandbox::Sandbox,
};

#[tokio::test]
async fn every_dialect_does_what_its_provider_s_documents_say() {
    let scratch = ScratchDir::new("dialects").unwrap();
    let sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
    let file = sandbox.data.join("connection.json");
    let file = file.to_str().unwrap();
    let simulate = async |name: &str, more: &[&str]| {
        let args = ["simulate", "--dialect", name, "--connection", file];
        run(pitboss(&[&args[..], more].concat())).await
    };
    let runs = DIALECTS.iter().map(async |speaks| {
        let output = simulate(speaks.name(), &["--brief"]).await;
        let text = format!("{}\n{}", stdout(&output), stderr(&output));
        (!output.status.success()).then(|| format!("{}:\n{text}", speaks.name()))
    });
    let failed: Vec<String> = join_all(runs).await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));

    // Again, with the accounts that are there by now; and with an account that is named.
    let again = simulate("hub88", &["--scenario", "a bet and its win", "--brief"]).await;
    assert!(again.status.success(), "{}", stderr(&again));
    let text = stdout(&again);
    assert!(text.contains("ok    a bet and its win\n"), "{text}");
    assert!(text.ends_with("hub88: 1 of 1 cases hold\n"), "{text}");
    let key = scratch.join("key.pem");
    let (_, private) = dialect("hub88").unwrap().simulator().keys([0; 32]);
    std::fs::write(&key, private).unwrap();
    let at = &sandbox.at;
    let named = [
        ["simulate", "--dialect", "hub88"],
        ["--scenario", "a bet repeated", "--api"],
        [&at.api, "--key", &at.operator_key],
        ["--provider", "simulated-hub88", "--game"],
        ["simulated-hub88", "--secret-file", key.to_str().unwrap()],
    ];
    let named = run(pitboss(&named.concat())).await;
    assert!(named.status.success(), "{}", stderr(&named));

    let audit = run(pitboss(&["audit", "--connection", file])).await;
    assert!(audit.status.success(), "{}", stdout(&audit));
}

#[tokio::test]
async fn an_answer_that_differs_exits_1_and_is_shown() {
    let scratch = ScratchDir::new("dialects-wrong").unwrap();
    let sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
    let client = sandbox.client();
    let (public, private) = dialect("hub88").unwrap().simulator().keys([0; 32]);
    // Late bets are not as Hub88 has them.
    let account = serde_json::json!({
        "id": "odd", "dialect": "hub88", "secret": String::from_utf8(public).unwrap(),
        "policy": { "late_bet": "accept" },
    });
    client.post("/v1/providers", &account).await.ok();
    let game =
        serde_json::json!({ "id": "odd", "provider": "odd", "name": "Odd", "category": "slot" });
    let put = client.http(reqwest::Method::PUT, "/v1/games/odd");
    let put = put.bearer_auth(&client.at.operator_key).json(&game);
    crate::support::client::send(put).await.ok();
    let key = scratch.join("key.pem");
    std::fs::write(&key, private).unwrap();
    let simulate = async |scenario: &str| {
        let args = [
            ["simulate", "--dialect", "hub88"],
            ["--scenario", scenario, "--api"],
            [&client.at.api, "--key", &client.at.operator_key],
            ["--provider", "odd", "--game"],
            ["odd", "--secret-file", key.to_str().unwrap()],
        ];
        run(pitboss(&args.concat())).await
    };
    let differs = simulate("a rollback of nothing").await;
    let text = stdout(&differs);
    assert_eq!(differs.status.code(), Some(1), "{text}");
    for told in [
        "FAIL  a rollback of nothing, and its late bet",
        "RS_ERROR_TRANSACTION_ROLLED_BACK, cash 100.00",
        "ok, cash 100.00",
        "\"RS_OK\"",
        "0 of 1 cases hold",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    // A key that is not the account's, and an account of another dialect.
    std::fs::write(&key, "no key").unwrap();
    let stranger = simulate("a bet and its win").await;
    assert_eq!(stranger.status.code(), Some(1));
    let text = stderr(&stranger);
    assert!(text.contains("RS_ERROR_INVALID_SIGNATURE"), "{text}");
}

#[tokio::test]
async fn the_command_line_tells_what_there_is_and_what_is_wrong_with_it() {
    let list = run(pitboss(&["simulate", "--dialect", "native", "--list"])).await;
    assert!(list.status.success());
    assert!(stdout(&list).lines().any(|line| line == "a bet repeated"));
    let help = stdout(&run(pitboss(&["simulate", "--help"])).await);
    for speaks in DIALECTS {
        assert!(help.contains(speaks.name()), "{help}");
    }
    for (args, told) in [
        (&["--dialect", "klingon"][..], "native"),
        (&[], "--dialect"),
        (
            &["--dialect", "native", "--scenario", "nothing like it"],
            "a bet repeated",
        ),
        (&["--dialect", "native", "--api", "http://x"], "--key"),
        (&["--dialect", "native", "--provider", "x"], "--secret-file"),
        (&["--dialect", "native", "--currency", "ABC"], "currency"),
        (
            &["--dialect", "native", "--connection", "/nowhere/at/all"],
            "bin/sandbox",
        ),
    ] {
        let wrong = run(pitboss(&[&["simulate"], args].concat())).await;
        let text = stderr(&wrong);
        assert_eq!(wrong.status.code(), Some(64), "{args:?}: {text}");
        assert!(text.contains(told), "{args:?}: {text}");
    }
    let live = [
        "simulate",
        "--dialect",
        "native",
        "--api",
        "http://127.0.0.1:1",
    ];
    let live = [&live[..], &["--key", "k", "--environment", "live"]].concat();
    let live = run(pitboss(&live)).await;
    assert_eq!(live.status.code(), Some(1));
    assert!(stderr(&live).contains("--provider"), "{}", stderr(&live));
}
