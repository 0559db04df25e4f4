//! The manual is true: its examples are computed here, and every code has its heading.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod door;

use std::collections::{BTreeSet, HashMap};

use common::{account, context, parse, receipt, request, settled};
use door::{Door, with_raw};
use pitboss_providers::{
    Allowed, Answer, CallError, Code, Context, DIALECTS, Dialect, Outcome, ParseError, Response,
    Settings, SignatureError,
    native::{self, Native},
    simulate::{Move, Told},
};
use pitboss_wallet::{
    Balance, Currency, ExternalId, Funding, Kind, Money, PlayerId, Policy, Receipt, Refusal,
    RefusalCode, Reply, SessionId, SessionReply, Timestamp, TransactionId,
};

fn doc(name: &str) -> String {
    let path = format!("{}/../docs/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The contents of the fenced blocks of a language, in order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    text.split(opening.as_str())
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap().to_owned())
        .collect()
}

/// The JSON examples under each `### action`, and those under `## Errors`.
fn examples() -> HashMap<String, Vec<String>> {
    let text = doc("callbacks.md");
    let (actions, rest) = text.split_once("\n## Errors\n").unwrap();
    let mut found: HashMap<_, _> = actions
        .split("\n### ")
        .skip(1)
        .map(|section| {
            let name = section.lines().next().unwrap().to_owned();
            (name, blocks(section, "json"))
        })
        .collect();
    found.insert("Errors".to_owned(), blocks(rest, "json"));
    found
}

fn balance(cents: i64) -> Balance {
    Balance {
        currency: Currency::from_code("EUR").unwrap(),
        cash: cents * 10_000,
        bonus: 0,
    }
}

fn receipt_of(kind: Kind, number: u8, id: &str, cents: i64, after: i64) -> Receipt {
    Receipt {
        transaction: TransactionId::parse(&format!(
            "tx_0192f3a0c0de700080000000000000{number:02x}"
        ))
        .unwrap(),
        external_id: ExternalId::new(id).unwrap(),
        units: cents * 10_000,
        funding: Funding {
            cash: cents * 10_000,
            bonus: 0,
        },
        balance: Some(balance(after)),
        ..receipt(kind)
    }
}

fn body_of(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

/// Parses the example request and renders the outcome in the light of it.
fn rendered(action: &str, body: &str, reply: Reply) -> String {
    let request = request(action, body.as_bytes());
    let call = parse(action, body).unwrap_or_else(|error| panic!("{action}: {error}"));
    let answer = Answer::from((PlayerId::new("alice").unwrap(), reply));
    let response = Native.render(&context(&request, &account(), Some(&call)), &Ok(answer));
    assert_eq!(response.status, 200);
    body_of(&response)
}

#[test]
fn every_example_request_is_understood_and_every_example_answer_is_what_is_rendered() {
    let session = SessionId::parse("ses_0192f3a0c0de7000800000000000a11c").unwrap();
    let one = |receipt| settled(vec![receipt], false);
    let tombstone = Receipt {
        currency: None,
        balance: None,
        tombstone: true,
        ..receipt_of(Kind::Rollback, 7, "rb-2", 0, 0)
    };
    let batch = vec![
        receipt_of(Kind::Bet, 3, "b-1002", 100, 10_145),
        receipt_of(Kind::Win, 4, "w-1002", 40, 10_185),
    ];
    let replies = [
        (
            "authenticate",
            vec![Reply::Session(SessionReply {
                session,
                balance: balance(10_000),
                expires_at: Timestamp::from_micros(0),
            })],
        ),
        ("balance", vec![Reply::Balance(balance(10_000))]),
        (
            "bet",
            vec![one(receipt_of(Kind::Bet, 1, "b-1001", 250, 9_750))],
        ),
        (
            "win",
            vec![one(receipt_of(Kind::Win, 2, "w-1001", 495, 10_245))],
        ),
        ("bet_win", vec![settled(batch, false)]),
        (
            "rollback",
            vec![
                one(receipt_of(Kind::Rollback, 6, "rb-1", 500, 10_185)),
                one(tombstone),
            ],
        ),
        (
            "close_round",
            vec![one(receipt_of(Kind::CloseRound, 8, "r-79", 0, 10_185))],
        ),
    ];
    let examples = examples();
    assert_eq!(examples.len(), replies.len() + 1, "{:?}", examples.keys());
    for (action, replies) in replies {
        let (body, answers) = examples[action].split_first().unwrap();
        let rendered: Vec<_> = replies
            .into_iter()
            .map(|reply| rendered(action, body, reply))
            .collect();
        assert_eq!(rendered, answers, "{action}");
    }

    let refusal = Refusal::new(
        RefusalCode::InsufficientFunds,
        "the balance does not cover the bet",
    )
    .with_balance(Some(balance(100)));
    let error: Outcome = Err(CallError::Refused(refusal));
    let request = request("bet", b"{}");
    let response = Native.render(&context(&request, &account(), None), &error);
    assert_eq!(vec![body_of(&response)], examples["Errors"]);
}

#[test]
fn the_worked_signature_is_the_one_that_the_manual_prints() {
    let text = doc("callbacks.md");
    // Among the diagrams.
    let blocks_of_text = blocks(&text, "text");
    let at = blocks_of_text
        .iter()
        .position(|block| block.starts_with(native::HEADER))
        .unwrap();
    let (body, header) = (&blocks_of_text[at - 1], &blocks_of_text[at]);
    let secret = "example-secret-of-the-manual";
    let path = "/callbacks/sandbox/demo/bet";
    let signature = native::sign(secret.as_bytes(), 1_760_000_000, path, body.as_bytes());
    assert_eq!(*header, format!("{}: {signature}", native::HEADER));
    // The shell snippet signs the same request.
    let [shell] = blocks(&text, "sh").try_into().unwrap();
    for line in [
        format!("secret='{secret}'"),
        format!("path={path}"),
        format!("body='{body}'"),
    ] {
        assert!(shell.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn every_code_has_its_heading_and_every_heading_its_code() {
    let text = doc("errors.md");
    let headings: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    for code in Code::ALL {
        assert!(headings.contains(&code.as_str()), "no heading for {code:?}");
    }
    for (section, heading) in text.split("\n## ").skip(1).zip(&headings) {
        let code = Code::ALL
            .iter()
            .find(|code| code.as_str() == *heading)
            .unwrap_or_else(|| panic!("{heading} is no code"));
        let kind = if code.is_retryable() {
            "retryable"
        } else {
            "final"
        };
        let first = format!("\n{}, {kind}. ", code.status());
        assert!(section.contains(&first), "{heading}: {first:?}");
    }
    assert_eq!(headings.len(), Code::ALL.len());
}

#[test]
fn the_table_of_choices_is_that_of_the_policy() {
    let text = doc("providers.md");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split(" | ").collect())
        .collect();
    let defaults = serde_json::to_value(Native.default_policy()).unwrap();
    let schema = schemars::schema_for!(Policy).to_value();
    for (name, default) in defaults.as_object().unwrap() {
        let title = format!("| `{name}`");
        let row = rows.iter().find(|row| row[0] == title);
        let row = row.unwrap_or_else(|| panic!("no row for {name}"));
        let told: Vec<&str> = row[1].split('`').skip(1).step_by(2).collect();
        let shown = default
            .as_str()
            .map_or_else(|| default.to_string(), str::to_owned);
        assert_eq!(told[0], shown, "the default of {name}");
        let values = choices_of(&schema, name);
        if !values.is_empty() {
            assert_eq!(BTreeSet::from_iter(told.iter().copied()), values, "{name}");
        }
        let is_fixed = !Policy::default().differing_keys(&changed(name)).is_empty();
        assert_eq!(row[2].contains("Fixed once"), is_fixed, "{name}");
    }
}

/// What a dialect answers for each thing that can go wrong, as its provider reads it.
fn codes_of(dialect: &dyn Dialect) -> BTreeSet<String> {
    let mut errors: Vec<CallError> = RefusalCode::ALL
        .iter()
        .map(|code| CallError::Refused(Refusal::new(*code, "why")))
        .collect();
    errors.extend([
        CallError::BadSignature(SignatureError::Mismatch),
        CallError::Parse(ParseError::UnknownAction),
        CallError::Parse(ParseError::Method { allowed: "POST" }),
        CallError::Parse(ParseError::Malformed("x".to_owned())),
        CallError::Parse(ParseError::UnknownCurrency("x".to_owned())),
        CallError::UnknownProvider,
        CallError::AddressRefused {
            address: "192.0.2.1".to_owned(),
        },
        CallError::ProviderClosed,
        CallError::BodyTooLarge { limit_bytes: 1 },
        CallError::BodyTooSlow { limit_ms: 1 },
        CallError::Busy { retry_after_s: 1 },
        CallError::Retry { retry_after_s: 1 },
        CallError::Internal,
    ]);
    let eur = Currency::from_code("EUR").unwrap();
    let session = SessionId::parse("ses_0192f3a0c0de7000800000000000a11c").unwrap();
    let mut door = Door::new(
        registered(dialect),
        Settings::default(),
        session,
        Money::new(0, eur),
    );
    let made = Move::Bet {
        id: "b-1".to_owned(),
        round: "r-1".to_owned(),
        amount: Money::new(1_000_000, eur),
        closes: false,
        free_round: None,
    };
    let sent = door.sent(&made).unwrap();
    let told = |error: CallError| {
        let outcome: Outcome = Err(error.clone());
        let response = with_raw(&door.table.path, &sent, |raw| {
            let call = door.call(raw).ok();
            let context = Context {
                request: raw,
                account: Some(&door.account),
                call: call.as_ref(),
                balance: None,
            };
            door.render(&context, &outcome)
        });
        let told = door.told(&made, response);
        let told = told.unwrap_or_else(|why| panic!("{}: {error:?}: {why}", dialect.name()));
        assert_ne!(told.code, Told::OK, "{}: {error:?}", dialect.name());
        told.code
    };
    errors.into_iter().map(told).collect()
}

fn registered(dialect: &dyn Dialect) -> &'static dyn Dialect {
    pitboss_providers::dialect(dialect.name()).unwrap()
}

/// Whether a text has this, and not only as a part of a longer word.
fn names(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !is_part(before.chars().next_back()) && !is_part(after.chars().next())
    })
}

#[test]
fn every_dialect_has_its_page_which_names_its_codes_and_its_settings() {
    let index = doc("providers.md");
    let mut missing = Vec::new();
    for dialect in DIALECTS {
        let name = dialect.name();
        let link = match name {
            "native" => "(callbacks.md)".to_owned(),
            _ => format!("(providers/{name}.md)"),
        };
        if !index.contains(&link) {
            missing.push(format!("providers.md does not lead to {link}"));
        }
        let page = match name {
            // It has a manual of its own, and its codes are those of all edges.
            "native" => doc("callbacks.md") + &doc("errors.md"),
            _ => doc(&format!("providers/{name}.md")),
        };
        // Some codes are an HTTP status and a word.
        let codes = codes_of(*dialect);
        let mut wanted: BTreeSet<&str> = codes.iter().flat_map(|one| one.split(' ')).collect();
        for setting in dialect.settings() {
            wanted.insert(setting.name);
            if let Allowed::OneOf(values) = setting.allowed {
                wanted.extend(values);
            }
        }
        let unnamed = wanted.iter().filter(|word| !names(&page, word));
        missing.extend(unnamed.map(|word| format!("the page of {name} does not name {word}")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The values of a choice, by its schema; none for a number.
fn choices_of<'a>(schema: &'a serde_json::Value, name: &str) -> BTreeSet<&'a str> {
    let property = &schema["properties"][name];
    if property["type"] == "boolean" {
        return BTreeSet::from(["false", "true"]);
    }
    let Some(reference) = property["$ref"].as_str() else {
        return BTreeSet::new();
    };
    let choice = schema.pointer(reference.trim_start_matches('#')).unwrap();
    let each = choice["oneOf"].as_array().unwrap().iter();
    each.map(|value| value["const"].as_str().unwrap()).collect()
}

/// A policy that has made another choice of this one alone.
fn changed(name: &str) -> Policy {
    let schema = schemars::schema_for!(Policy).to_value();
    let mut policy = serde_json::to_value(Policy::default()).unwrap();
    let values = choices_of(&schema, name);
    let other = values
        .into_iter()
        .find(|value| policy[name] != **value && *value != "false");
    policy[name] = match other {
        Some("true") => true.into(),
        Some(value) => value.into(),
        None => 60.into(),
    };
    serde_json::from_value(policy).unwrap()
}
