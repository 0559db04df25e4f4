//! A provider that speaks version 1 of SoftSwiss' wallet protocol.

use pitboss_wallet::{Currency, Money, WinKind};
use serde_json::{Value, json};

use super::{
    cases,
    session::SESSION,
    signature::{HEADER, sign},
};
use crate::simulate::{
    Case, Expect, Move, Received, Script, Seat, Sent, Simulator, Table, Told, Turn,
};

/// The provider.
pub struct SoftswissV1;

impl Simulator for SoftswissV1 {
    fn digits(&self) -> u32 {
        2
    }

    fn request(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (path, body) = body(seat, made, session(table, seat))?;
        let body = written(&body, made);
        let mut sent = signed(table, path, body.clone());
        if let (Move::Own { name, .. }, Some((_, header))) = (made, sent.headers.last_mut()) {
            match *name {
                "unsigned" => sent.headers.clear(),
                "shouted" => *header = header.to_uppercase(),
                "signed short" => *header = header.chars().take(63).collect(),
                "signed keyless" => *header = sign(b"", &body),
                "signed otherwise" => *header = sign(&table.key, &[&body[..], b" "].concat()),
                _ => {}
            }
        }
        Some(sent)
    }

    fn garbled(&self, table: &Table, seat: &Seat, made: &Move, bytes: &[u8]) -> Option<Sent> {
        let (path, _) = body(seat, made, session(table, seat))?;
        Some(signed(table, path, bytes.to_vec()))
    }

    fn astray(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (_, body) = body(seat, made, session(table, seat))?;
        Some(signed(table, "/steal", body.to_string().into_bytes()))
    }

    fn read(&self, seat: &Seat, made: &Move, received: &Received) -> Result<Told, String> {
        let body: Value =
            serde_json::from_slice(&received.body).map_err(|error| error.to_string())?;
        let currency = seat.balance.currency;
        let balance = match &body["balance"] {
            Value::Null => None,
            shown => Some(shown.as_i64().ok_or("the balance is no integer")? * step(currency)),
        };
        if received.status != 200 {
            let code = body["code"].as_u64().ok_or("no code")?;
            let status = match code {
                403 => 403,
                500 | 502..=504 => 500,
                _ => 412,
            };
            if received.status != status || body["message"].as_str().is_none() {
                return Err(format!(
                    "code {code} with HTTP status {}, or no message",
                    received.status
                ));
            }
            return Ok(Told {
                code: code.to_string(),
                balance,
                transactions: Vec::new(),
            });
        }
        let balance = balance.ok_or("no balance")?;
        Ok(Told {
            code: Told::OK.to_owned(),
            balance: Some(balance),
            transactions: transactions(seat, made, &body)?,
        })
    }

    fn expect(&self, turn: Turn) -> Expect {
        match turn {
            Turn::RepeatedBet
            | Turn::RepeatedWin
            | Turn::RepeatedRollback
            | Turn::RollbackOfUnknown
            | Turn::LateBet
            | Turn::RollbackOfSettled
            | Turn::WinWithoutBet => Expect::OK,
            Turn::OtherBet | Turn::OtherWin => Expect::code("155"),
            Turn::Poor => Expect::code("100"),
            Turn::WinAfterRollback | Turn::BetAfterClose | Turn::Malformed => Expect::code("400"),
            Turn::BetInEndedSession | Turn::BetOfUnknownPlayer => Expect::code("101"),
            Turn::BetInOtherCurrency => Expect::Not("there is no session in it, or another one"),
            Turn::BetInNoSession => Expect::Not("the session is the provider's own"),
            Turn::BetOfBlocked => Expect::code("110"),
            Turn::BetInUnknownGame => Expect::code("405"),
            Turn::BadSignature => Expect::code("403"),
            Turn::UnknownAction => Expect::code("404"),
        }
    }

    fn cases(&self, script: &Script) -> Vec<Case> {
        cases::all(script)
    }
}

/// What the provider calls the session: his own name for it, unless he has ours.
fn session<'a>(table: &'a Table, seat: &'a Seat) -> &'a str {
    match table.settings.get(&SESSION) {
        "ours" => &seat.session,
        _ => "7b115688-3849-490a-95bd-7c281d81c64c",
    }
}

fn signed(table: &Table, path: &str, body: Vec<u8>) -> Sent {
    Sent {
        method: "POST",
        path: path.to_owned(),
        query: String::new(),
        content_type: "application/json",
        headers: vec![(HEADER.to_owned(), sign(&table.key, &body))],
        body,
    }
}

/// The body's bytes; an amount that JSON libraries do not write takes its place here.
fn written(body: &Value, made: &Move) -> Vec<u8> {
    let text = body.to_string();
    let raw = match made {
        Move::Own { name, .. } => name.strip_prefix("amount "),
        _ => None,
    };
    match raw {
        Some(raw) => text.replace("\"<amount>\"", raw).into_bytes(),
        None => text.into_bytes(),
    }
}

/// Ledger units of one subunit.
fn step(currency: Currency) -> i64 {
    10_i64.pow(currency.ledger_digits() - currency.display_digits())
}

fn integer(money: Money) -> i64 {
    money.units / step(money.currency)
}

fn bet(id: &str, amount: impl Into<Value>) -> Value {
    json!({ "action": "bet", "amount": amount.into(), "action_id": id })
}

fn win(id: &str, amount: i64) -> Value {
    json!({ "action": "win", "amount": amount, "action_id": id })
}

fn back(id: &str, target: &str) -> Value {
    json!({ "action": "rollback", "action_id": id, "original_action_id": target })
}

fn body(seat: &Seat, made: &Move, session: &str) -> Option<(&'static str, Value)> {
    let request = |round: Option<&str>, finished: bool, actions: Value| {
        json!({
            "user_id": seat.player, "currency": seat.balance.currency.code(), "game": seat.game,
            "game_id": round, "finished": finished, "session_id": session,
            "actions": actions, "some_new_field": { "anything": [1, 2.5, null] },
        })
    };
    let play = |round: &str, finished, actions| ("/play", request(Some(round), finished, actions));
    Some(match made {
        Move::Enter => return None,
        Move::Balance => ("/play", request(None, false, Value::Null)),
        Move::Bet {
            free_round: Some(_),
            ..
        } => return None,
        Move::Bet {
            id,
            round,
            amount,
            closes,
            ..
        } => play(round, *closes, json!([bet(id, integer(*amount))])),
        Move::Win {
            id,
            round,
            amount,
            kind,
            closes,
            ..
        } => {
            let mut action = win(id, integer(*amount));
            match kind {
                WinKind::Ordinary => {}
                WinKind::Jackpot => action["jackpot_win"] = json!(integer(*amount)),
                _ => return None,
            }
            play(round, *closes, json!([action]))
        }
        Move::BetWin {
            bet: stake_id,
            win: win_id,
            round,
            stake,
            won,
        } => {
            let actions = json!([bet(stake_id, integer(*stake)), win(win_id, integer(*won))]);
            play(round, false, actions)
        }
        Move::Rollback {
            id, target, round, ..
        } => {
            let actions = json!([back(id, target)]);
            ("/rollback", request(Some(round), false, actions))
        }
        Move::Close { round } => play(round, true, json!([])),
        Move::Own {
            name,
            id,
            round,
            amount,
        } => own(seat, name, id, integer(*amount), &|path, actions| {
            (path, request(Some(round), false, actions))
        })?,
    })
}

fn own(
    seat: &Seat,
    name: &str,
    id: &str,
    amount: i64,
    request: &dyn Fn(&'static str, Value) -> (&'static str, Value),
) -> Option<(&'static str, Value)> {
    let part = |end: &str| format!("{id}-{end}");
    if let Some(status) = name.strip_prefix("free spins ") {
        let holder = if status == "of nobody" {
            ""
        } else {
            &seat.player
        };
        let currency = seat.balance.currency;
        return Some((
            "/freespins",
            json!({
                "issue_id": format!("{holder}/{currency}/{id}"), "status": status, "total_amount": amount,
                "some_new_field": true,
            }),
        ));
    }
    Some(match name {
        "two and two" => request(
            "/play",
            json!([
                bet(&part("b1"), amount),
                bet(&part("b2"), amount),
                win(&part("w1"), amount * 3),
                win(&part("w2"), 0),
            ]),
        ),
        "win, then bet" => request(
            "/play",
            json!([win(&part("w"), amount), bet(&part("b"), amount)]),
        ),
        "bet, then steal" => {
            let steal = json!({ "action": "steal", "amount": amount, "action_id": part("s") });
            request("/play", json!([bet(&part("b"), amount), steal]))
        }
        "bet twice" => request(
            "/play",
            json!([bet(&part("b"), amount), bet(&part("b"), amount)]),
        ),
        "bet with contribution" => {
            let mut action = bet(id, amount);
            action["jackpot_contribution"] = json!(0.5);
            request("/play", json!([action]))
        }
        "roll both back" | "roll nothing back" => request(
            "/rollback",
            json!([back(&part("r1"), &part("b")), back(&part("r2"), &part("w")),]),
        ),
        "empty rollback" => request("/rollback", json!([])),
        "bet as rollback" => request("/rollback", json!([bet(id, amount)])),
        "id too long" => request("/play", json!([bet(&"x".repeat(256), amount)])),
        "unsigned" | "shouted" | "signed short" | "signed keyless" | "signed otherwise" => {
            request("/play", json!([bet(id, amount)]))
        }
        _ if name.starts_with("amount ") => request("/play", json!([bet(id, "<amount>")])),
        _ => return None,
    })
}

/// Our ids in an answer, of which there is one for each action, in their order and under its id.
fn transactions(seat: &Seat, made: &Move, answer: &Value) -> Result<Vec<String>, String> {
    let (_, sent) = body(seat, made, "").ok_or("there is no such move")?;
    let actions = sent["actions"].as_array().cloned().unwrap_or_default();
    if actions.is_empty() {
        return Ok(Vec::new());
    }
    if answer["game_id"] != sent["game_id"] {
        return Err("the answer is for another round".to_owned());
    }
    let told = answer["transactions"].as_array().ok_or("no transactions")?;
    if told.len() != actions.len() {
        return Err(format!(
            "{} transactions for {} actions",
            told.len(),
            actions.len()
        ));
    }
    let mut ids = Vec::new();
    for (action, transaction) in actions.iter().zip(told) {
        if transaction["action_id"] != action["action_id"] {
            return Err("the transactions are not in the order of the actions".to_owned());
        }
        let at = transaction["processed_at"].as_str().unwrap_or_default();
        if at.len() != "2020-01-01T00:00:00.000000Z".len() || !at.ends_with('Z') {
            return Err(format!("processed_at is {at:?}"));
        }
        let id = transaction["tx_id"].as_str().unwrap_or_default();
        // Whether a single rollback finds its target, only the case knows.
        let fits = match made {
            Move::Rollback { .. } => true,
            Move::Own { name, .. } if *name == "roll nothing back" => id.is_empty(),
            _ => !id.is_empty(),
        };
        if !fits {
            return Err(format!("tx_id is {id:?}"));
        }
        ids.push(id.to_owned());
    }
    Ok(ids)
}
