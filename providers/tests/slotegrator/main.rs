//! Slotegrator: signatures that were worked out elsewhere, and what its documents say of fields and answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answer;
#[path = "../common/mod.rs"]
mod common;
mod request;
mod signature;

use std::{collections::BTreeMap, sync::Arc};

use pitboss_providers::{
    Account, CallError, Context, Dialect, RawRequest, Secret, Settings, slotegrator::Slotegrator,
};
use pitboss_wallet::{Environment, ProviderId, Timestamp};
use proptest::prelude::*;

use request::{BODY, parse_as};

/// When the vectors were signed.
const NOW_S: i64 = 1_471_857_411;

static NO_HEADERS: [(&str, &str); 0] = [];

fn account(choices: &[(&str, &str)], secrets: &[&str]) -> Account {
    let choices: BTreeMap<String, String> = choices
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Account {
        id: ProviderId::new("gis").unwrap(),
        policy: Arc::new(Slotegrator.default_policy()),
        secrets: secrets
            .iter()
            .map(|text| Secret::new(text.as_bytes()))
            .collect(),
        settings: Settings::new(Slotegrator.settings(), choices).unwrap(),
    }
}

fn raw_request(body: &[u8]) -> RawRequest<'_> {
    RawRequest {
        method: "POST",
        path: "/callbacks/sandbox/gis/",
        action: "",
        query: "",
        headers: &NO_HEADERS,
        body,
        now: Timestamp::from_micros(NOW_S * 1_000_000),
        environment: Environment::Sandbox,
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_call_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..300), header in "\\PC{0,50}", verb in 0_usize..6,
    ) {
        let account = account(&[("clock", "five_minutes")], &["s"]);
        let headers = [
            ("X-Merchant-Id", header.as_str()), ("X-Nonce", header.as_str()), ("X-Timestamp", header.as_str()),
            ("X-Sign", header.as_str()),
        ];
        let raw = RawRequest { headers: &headers, ..raw_request(&bytes) };
        prop_assert!(Slotegrator.verify(&account, &raw).is_err());
        let _ = Slotegrator.lookup(&account, &raw);
        let _ = parse_as(&bytes, None);
        let verb = ["balance", "bet", "win", "refund", "rollback", "x"][verb];
        let mut form = BODY.replace("=bet&", &format!("={verb}&")).into_bytes();
        form.extend_from_slice(&bytes);
        let _ = parse_as(&form, None);
        let context = Context { request: &raw, account: Some(&account), call: None, balance: None };
        prop_assert_eq!(Slotegrator.render(&context, &Err(CallError::Internal)).status, 200);
    }
}
