//! A provider that speaks Swipe Games' integration adapter, as its documents tell it.

use pitboss_wallet::{Money, WinKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::signature::HEADER;
use crate::{
    mac,
    simulate::{
        Case, Expect, Move, Place, Received, Script, Seat, Sent, Simulator, Step, Table, Told,
        Turn, Verdict,
    },
};

/// The provider.
pub struct Swipe;

/// What a refusal is told with: the HTTP status, and the code where there is one.
const REFUSED: Verdict = Verdict::Code("400");
const UNSIGNED: Verdict = Verdict::Code("401");
const NO_SESSION: Verdict = Verdict::Code("404 session_not_found");
const EXPIRED: Verdict = Verdict::Code("400 session_expired");

/// The statuses of the documents.
const STATUSES: [u16; 5] = [200, 400, 401, 404, 500];
const CODES: [&str; 11] = [
    "game_not_found",
    "currency_not_supported",
    "locale_not_supported",
    "account_blocked",
    "bet_limit",
    "loss_limit",
    "time_limit",
    "insufficient_funds",
    "session_expired",
    "session_not_found",
    "client_connection_error",
];

impl Simulator for Swipe {
    fn digits(&self) -> u32 {
        2
    }

    fn request(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let mut sent = match ask(seat, made)? {
            Asked::Balance(query) => get(table, &query),
            Asked::Post(path, body) => post(table, path, canonical(&body)),
        };
        match made {
            Move::Own {
                name: "bet unsigned",
                ..
            } => sent.headers.clear(),
            Move::Own {
                name: "bet signed twice",
                ..
            } => sent.headers.push(sent.headers.first()?.clone()),
            Move::Own {
                name: "bet signed for another body",
                ..
            } => sent.body.push(b' '),
            Move::Own {
                name: "balance signed for another query",
                ..
            } => sent.query.push_str("&x=1"),
            _ => {}
        }
        Some(sent)
    }

    fn garbled(&self, table: &Table, seat: &Seat, made: &Move, bytes: &[u8]) -> Option<Sent> {
        match ask(seat, made)? {
            Asked::Post(path, _) => Some(post(table, path, bytes.to_vec())),
            Asked::Balance(_) => None,
        }
    }

    fn astray(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        match ask(seat, made)? {
            Asked::Post(_, body) => Some(post(table, "/take_all", canonical(&body))),
            Asked::Balance(_) => None,
        }
    }

    fn read(&self, seat: &Seat, made: &Move, received: &Received) -> Result<Told, String> {
        if !STATUSES.contains(&received.status) {
            return Err(format!("HTTP status {}", received.status));
        }
        let answer: Answer =
            serde_json::from_slice(&received.body).map_err(|error| error.to_string())?;
        if received.status != 200 {
            return refusal(received.status, &answer);
        }
        let text = answer.balance.ok_or("no balance")?;
        let money = Money::parse(&text, seat.balance.currency);
        let balance = money.map_err(|error| format!("the balance {text:?} {error}"))?;
        let is_balance = matches!(made, Move::Balance | Move::Enter)
            || matches!(made, Move::Own { name, .. } if name.starts_with("balance"));
        if answer.transaction.is_none() != is_balance {
            return Err(format!("txID is {:?}", answer.transaction));
        }
        // Some currencies are shown in whole units.
        let has_digits = seat.balance.currency.display_digits() >= self.digits();
        Ok(Told {
            code: Told::OK.to_owned(),
            balance: has_digits.then_some(balance.units),
            transactions: answer.transaction.into_iter().collect(),
        })
    }

    fn expect(&self, turn: Turn) -> Expect {
        match turn {
            Turn::RepeatedBet
            | Turn::RepeatedWin
            | Turn::RepeatedRollback
            | Turn::RollbackOfUnknown => Expect::OK,
            // Refunds are of bets that failed, whatever else happened in the round, and must succeed.
            Turn::RollbackOfSettled => Expect::OK,
            Turn::OtherBet
            | Turn::OtherWin
            | Turn::LateBet
            | Turn::WinAfterRollback
            | Turn::WinWithoutBet
            | Turn::Malformed => Expect::Told(REFUSED),
            Turn::Poor => Expect::code("400 insufficient_funds"),
            Turn::BetInEndedSession => Expect::Told(EXPIRED),
            Turn::BetInNoSession => Expect::Told(NO_SESSION),
            Turn::BetOfBlocked => Expect::code("400 account_blocked"),
            Turn::BadSignature => Expect::Told(UNSIGNED),
            Turn::UnknownAction => Expect::code("404"),
            Turn::BetAfterClose => Expect::Not("no request closes a round"),
            Turn::BetOfUnknownPlayer | Turn::BetInUnknownGame | Turn::BetInOtherCurrency => {
                Expect::Not("the session alone says who plays what, and in which currency")
            }
        }
    }

    fn cases(&self, s: &Script) -> Vec<Case> {
        vec![
            free_rounds(s),
            refunds(s),
            signatures(s),
            sessions(s),
            amounts(s),
            kinds(s),
        ]
    }
}

/// Told one by one for information, and paid at the end.
fn free_rounds(s: &Script) -> Case {
    let free = |what, name: &str, cents| s.own(what, name, cents);
    Case {
        name: "free rounds are paid once, at their end",
        steps: vec![
            s.well(free("free bet", "f1", 100), 10_000),
            s.well(free("free win", "w1", 500), 10_000),
            s.well(free("free bet", "f2", 20_000), 10_000),
            s.well(free("refund", "f2", 20_000), 10_000),
            s.well(free("free win", "w2", 0), 10_000),
            Step::EndSession,
            s.well(free("total of free rounds", "total", 500), 10_500),
            s.well(free("total of free rounds", "total", 500), 10_500),
            s.told(free("total of free rounds", "total", 600), REFUSED, 10_500),
            s.told(free("free bet", "f3", 100), EXPIRED, 10_500),
        ],
    }
}

/// Sent until they are a 200, also for what never arrived.
fn refunds(s: &Script) -> Case {
    let refund = |name: &str, cents| s.own("refund", name, cents);
    Case {
        name: "refunds",
        steps: vec![
            s.well(s.own("bet", "a", 1_000), 9_000),
            s.well(s.own("bet", "b", 2_000), 7_000),
            s.well(s.win("w", "a", 500), 7_500),
            // The answer to b was lost; its round went on.
            s.well(refund("b", 2_000), 9_500),
            s.well(refund("b", 2_000), 9_500),
            s.well(s.own("refund by another call", "b", 2_000), 9_500),
            s.well(s.own("refund without a round", "lost", 300), 9_500),
            s.well(refund("lost", 300), 9_500),
            s.told(s.own("bet", "lost", 300), REFUSED, 9_500),
            Step::EndSession,
            s.well(refund("never", 300), 9_500),
            s.well(refund("a", 1_000), 10_500),
        ],
    }
}

fn signatures(s: &Script) -> Case {
    let own = |what| s.told(s.own(what, "b", 100), UNSIGNED, 10_000);
    Case {
        name: "signatures of something else",
        steps: vec![
            own("bet unsigned"),
            own("bet signed twice"),
            own("bet signed for another body"),
            own("balance signed for another query"),
            // A query is signed as it is understood, whatever it is escaped like, and with all that is in it.
            s.well(s.own("balance with more", "b", 100), 10_000),
        ],
    }
}

/// The session is all that tells who plays.
fn sessions(s: &Script) -> Case {
    let mut steps = vec![
        s.well(s.own("balance by the launch token", "", 0), 10_000),
        s.well(s.own("bet by the launch token", "t", 100), 9_900),
        s.well(s.bet("b", 100), 9_800),
    ];
    for made in [
        Move::Balance,
        s.bet("new", 100),
        s.win("w", "b", 100),
        s.own("refund", "b", 100),
    ] {
        steps.push(Step::Elsewhere {
            made,
            place: Place::Session,
            expect: NO_SESSION,
        });
    }
    steps.push(s.well(s.own("refund", "b", 100), 9_900));
    Case {
        name: "sessions, and one that nobody has",
        steps,
    }
}

fn amounts(s: &Script) -> Case {
    let wrong = |what| s.told(s.own(what, "wrong", 100), REFUSED, 9_900);
    Case {
        name: "amounts of every form",
        steps: vec![
            s.well(s.bet("zero", 0), 10_000),
            s.well(s.own("bet with many zeros", "zeros", 100), 9_900),
            wrong("bet of a number"),
            wrong("bet of a negative amount"),
            wrong("bet with zeros in front"),
            wrong("bet with an exponent"),
            wrong("bet of too many digits"),
            wrong("bet with a comma"),
            wrong("bet of nothing"),
        ],
    }
}

fn kinds(s: &Script) -> Case {
    let wrong = |what| s.told(s.own(what, "wrong", 100), REFUSED, 10_000);
    Case {
        name: "kinds that nobody knows",
        steps: vec![
            wrong("bet of an unknown kind"),
            wrong("win of an unknown kind"),
            wrong("bet of no kind"),
        ],
    }
}

#[derive(Deserialize)]
struct Answer {
    balance: Option<String>,
    #[serde(rename = "txID")]
    transaction: Option<String>,
    message: Option<String>,
    code: Option<String>,
    action: Option<String>,
}

fn refusal(status: u16, answer: &Answer) -> Result<Told, String> {
    if answer.message.is_none() {
        return Err("no message".to_owned());
    }
    if answer
        .action
        .as_ref()
        .is_some_and(|action| action != "refresh")
    {
        return Err(format!("action {:?}", answer.action));
    }
    let code = match &answer.code {
        None => status.to_string(),
        Some(code) if CODES.contains(&code.as_str()) => format!("{status} {code}"),
        Some(code) => return Err(format!("code {code}")),
    };
    Ok(Told {
        code,
        balance: None,
        transactions: Vec::new(),
    })
}

/// A request before it is signed.
enum Asked {
    /// The query, as texts that are not escaped yet.
    Balance(Vec<(&'static str, String)>),
    Post(&'static str, Value),
}

fn ask(seat: &Seat, made: &Move) -> Option<Asked> {
    let session = &seat.session;
    let play = |kind: &str, id: &str, round: &str, amount: &str| {
        json!({
            "type": kind, "sessionID": session, "amount": amount, "txID": id, "roundID": round,
            "somethingNew": { "b": [1, null], "a": "\u{fc}" },
        })
    };
    Some(match made {
        Move::Balance => Asked::Balance(vec![("sessionID", session.clone())]),
        Move::Bet {
            id,
            round,
            amount,
            free_round,
            ..
        } => {
            let kind = if free_round.is_some() {
                "free"
            } else {
                "regular"
            };
            let mut body = play(kind, id, round, &amount.to_string());
            body["frID"] = json!(free_round);
            Asked::Post("/bet", body)
        }
        Move::Win {
            id,
            round,
            amount,
            kind: WinKind::Ordinary,
            ..
        } => Asked::Post("/win", play("regular", id, round, &amount.to_string())),
        Move::Win {
            id,
            round,
            amount,
            kind: WinKind::Free,
            ..
        } => {
            let mut body = play("regular", id, round, &amount.to_string());
            body["frID"] = json!("free-rounds");
            Asked::Post("/win", body)
        }
        Move::Rollback {
            id,
            target,
            round,
            amount,
            ..
        } => Asked::Post("/refund", refund(session, id, target, Some(round), *amount)),
        Move::Own {
            name,
            id,
            round,
            amount,
        } => own(seat, name, id, round, *amount, &play),
        Move::Enter | Move::Win { .. } | Move::BetWin { .. } | Move::Close { .. } => return None,
    })
}

fn refund(session: &str, id: &str, target: &str, round: Option<&str>, amount: Money) -> Value {
    let mut body = json!({
        "sessionID": session, "txID": id, "origTxID": target, "amount": amount.to_string(),
    });
    if let Some(round) = round {
        body["roundID"] = json!(round);
    }
    body
}

type Play<'a> = &'a dyn Fn(&str, &str, &str, &str) -> Value;

fn own(seat: &Seat, name: &str, id: &str, round: &str, amount: Money, play: Play<'_>) -> Asked {
    let text = amount.to_string();
    let bet = |amount: Value| {
        let mut body = play("regular", id, round, "");
        body["amount"] = amount;
        Asked::Post("/bet", body)
    };
    let session = ("sessionID", seat.session.clone());
    match name {
        "balance with more" => {
            let more = [("z", "a b&c=\"d\"\u{fc}/\n"), ("", "<"), ("Z", "")];
            let more = more.map(|(name, value)| (name, value.to_owned()));
            Asked::Balance([session].into_iter().chain(more).collect())
        }
        "balance by the launch token" => Asked::Balance(vec![("sessionID", seat.token.clone())]),
        name if name.starts_with("balance") => Asked::Balance(vec![session]),
        "bet by the launch token" => {
            let mut body = play("regular", id, round, &text);
            body["sessionID"] = json!(seat.token);
            Asked::Post("/bet", body)
        }
        "free bet" | "free win" | "total of free rounds" => {
            let kind = if name.starts_with("free") {
                "free"
            } else {
                "regular"
            };
            let path = if name == "free bet" { "/bet" } else { "/win" };
            let mut body = play(kind, id, round, &text);
            body["frID"] = json!("free-rounds");
            Asked::Post(path, body)
        }
        "refund" => {
            let call = format!("{id}-refund");
            let body = refund(&seat.session, &call, id, Some(round), amount);
            Asked::Post("/refund", body)
        }
        "refund by another call" => {
            let call = format!("{id}-other-refund");
            let body = refund(&seat.session, &call, id, Some(round), amount);
            Asked::Post("/refund", body)
        }
        "refund without a round" => {
            let call = format!("{id}-refund");
            Asked::Post("/refund", refund(&seat.session, &call, id, None, amount))
        }
        "bet of an unknown kind" => Asked::Post("/bet", play("bonus", id, round, &text)),
        "win of an unknown kind" => Asked::Post("/win", play("bonus", id, round, &text)),
        "bet of no kind" => {
            let mut body = play("", id, round, &text);
            body["type"] = Value::Null;
            Asked::Post("/bet", body)
        }
        "bet with many zeros" => bet(json!(format!("{text}{}", "0".repeat(20)))),
        "bet of a number" => bet(json!(1)),
        "bet of a negative amount" => bet(json!(format!("-{text}"))),
        "bet with zeros in front" => bet(json!(format!("0{text}"))),
        "bet with an exponent" => bet(json!("1e0")),
        "bet of too many digits" => bet(json!("0.0000000000001")),
        "bet with a comma" => bet(json!("1,00")),
        "bet of nothing" => bet(Value::Null),
        _ => bet(json!(text)),
    }
}

fn post(table: &Table, path: &str, body: Vec<u8>) -> Sent {
    Sent {
        method: "POST",
        path: path.to_owned(),
        query: String::new(),
        content_type: "application/json",
        headers: vec![signature(table, &body)],
        body,
    }
}

fn get(table: &Table, pairs: &[(&'static str, String)]) -> Sent {
    let object: Map<String, Value> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    Sent {
        method: "GET",
        path: "/balance".to_owned(),
        query: query.finish(),
        content_type: "application/json",
        headers: vec![signature(table, &canonical(&Value::Object(object)))],
        body: Vec::new(),
    }
}

/// The library keeps the names of an object sorted, and writes no blanks.
fn canonical(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn signature(table: &Table, message: &[u8]) -> (String, String) {
    let tag = mac::tag(&table.key, &[message]);
    (HEADER.to_owned(), hex::encode(tag))
}
