//! Pragmatic Play: hashes that were worked out elsewhere, and what its documents say of fields and answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answer;
#[path = "../common/mod.rs"]
mod common;
mod request;
mod signature;

use std::{collections::BTreeMap, sync::Arc};

use pitboss_providers::{
    Account, CallError, Context, Dialect, RawRequest, Secret, Settings, pragmatic::Pragmatic,
};
use pitboss_wallet::{Environment, ProviderId, Timestamp};
use proptest::prelude::*;

use request::{BODY, found, parse_for};

static NO_HEADERS: [(&str, &str); 0] = [];

fn account(choices: &[(&str, &str)], secrets: &[&str]) -> Account {
    let choices: BTreeMap<String, String> = choices
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Account {
        id: ProviderId::new("pp").unwrap(),
        policy: Arc::new(Pragmatic.default_policy()),
        secrets: secrets
            .iter()
            .map(|text| Secret::new(text.as_bytes()))
            .collect(),
        settings: Settings::new(Pragmatic.settings(), choices).unwrap(),
    }
}

fn raw_request<'a>(action: &'a str, body: &'a [u8]) -> RawRequest<'a> {
    RawRequest {
        method: "POST",
        path: "/callbacks/sandbox/pp/x",
        action,
        query: "",
        headers: &NO_HEADERS,
        body,
        now: Timestamp::from_micros(0),
        environment: Environment::Sandbox,
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_call_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300), verb in 0_usize..11) {
        let verbs = [
            "authenticate.html", "balance.html", "bet.html", "result.html", "refund.html", "bonusWin.html",
            "jackpotWin.html", "promoWin.html", "adjustment.html", "endRound.html", "x",
        ];
        let account = account(&[], &["s"]);
        let raw = raw_request(verbs[verb], &bytes);
        prop_assert!(Pragmatic.verify(&account, &raw).is_err());
        let _ = Pragmatic.lookup(&account, &raw);
        let _ = parse_for(&account, verbs[verb], &bytes, None);
        let mut form = BODY.as_bytes().to_vec();
        form.extend_from_slice(&bytes);
        let _ = parse_for(&account, verbs[verb], &form, found());
        let context = Context { request: &raw, account: Some(&account), call: None, balance: None };
        prop_assert_eq!(Pragmatic.render(&context, &Err(CallError::Internal)).status, 200);
    }
}
