//! A provider that speaks version 2 of SoftSwiss' wallet protocol.

use pitboss_wallet::{Money, WinKind};
use serde_json::{Value, json};

use super::cases;
use crate::{
    simulate::{Case, Expect, Move, Received, Script, Seat, Sent, Simulator, Table, Told, Turn},
    softswiss_v1::{
        session::SESSION,
        signature::{HEADER, sign},
    },
};

/// The provider.
pub struct SoftswissV2;

impl Simulator for SoftswissV2 {
    fn digits(&self) -> u32 {
        16
    }

    fn request(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (path, body) = body(seat, made, session(table, seat))?;
        let text = body.to_string();
        let Move::Own { name, .. } = made else {
            return Some(signed(table, path, text.into_bytes()));
        };
        // What no library writes: blanks, and escapes where none are needed.
        let body = match *name {
            "oddly written" => text
                .replace("\":", "\" :\t")
                .replace("\"bet\"", "\"\\u0062et\"")
                .into_bytes(),
            _ => text.into_bytes(),
        };
        let mut sent = signed(table, path, body.clone());
        if let Some((_, header)) = sent.headers.last_mut() {
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
        let money = |value: &Value| -> Result<Option<i64>, String> {
            match value {
                Value::Null => Ok(None),
                Value::String(text) => Money::parse(text, seat.balance.currency)
                    .map(|money| Some(money.units))
                    .map_err(|error| format!("{text:?} {error}")),
                other => Err(format!("the balance is {other}")),
            }
        };
        if received.status != 200 {
            let meta = &body["meta"];
            let code = meta["api_code"].as_str().ok_or("no api_code")?;
            let class = match received.status {
                400 => "invalid_argument",
                500 => "internal",
                other => return Err(format!("HTTP status {other}")),
            };
            let is_doubt = matches!(code, "500" | "502" | "503" | "504");
            if body["code"] != class || is_doubt != (received.status == 500) {
                return Err(format!("{code} is told as {class}"));
            }
            let balance = money(&meta["balance"])?;
            if matches!(code, "100" | "105" | "106") && balance.is_none() {
                return Err(format!("{code} without a balance"));
            }
            if meta["api_message"].as_str().is_none() {
                return Err("no api_message".to_owned());
            }
            return Ok(Told {
                code: code.to_owned(),
                balance,
                transactions: Vec::new(),
            });
        }
        let balance = money(&body["balance"])?.ok_or("no balance")?;
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
            | Turn::RollbackOfSettled
            | Turn::WinWithoutBet => Expect::OK,
            Turn::OtherBet | Turn::OtherWin => Expect::code("155"),
            Turn::Poor => Expect::code("100"),
            Turn::LateBet | Turn::WinAfterRollback => Expect::code("409"),
            Turn::BetAfterClose | Turn::Malformed => Expect::code("400"),
            Turn::BetInEndedSession | Turn::BetOfUnknownPlayer => Expect::code("101"),
            Turn::BetInNoSession => Expect::Not("the session is the provider's own"),
            Turn::BetInOtherCurrency => Expect::Not("there is no session in it, or another one"),
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

fn bet(id: &str, amount: impl Into<Value>) -> Value {
    json!({ "type": "bet", "id_provider": id, "amount": amount.into() })
}

fn win(id: &str, amount: impl Into<Value>) -> Value {
    json!({ "type": "win", "id_provider": id, "amount": amount.into() })
}

fn back(id: &str, target: &str) -> Value {
    json!({ "type": "rollback", "id_provider": id, "original_id_provider": target })
}

/// Main units as a text: never 0, for such a transaction is not sent.
fn main_units(amount: Money) -> Option<String> {
    (amount.units > 0).then(|| amount.to_string())
}

fn body(seat: &Seat, made: &Move, session: &str) -> Option<(&'static str, Value)> {
    let common = |more: Value| {
        let mut body = json!({
            "account_id": seat.player, "currency": seat.balance.currency.code(), "session_id": session,
            "some_new_field": { "anything": [1, 2.5, null] },
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        body
    };
    let play = |round: &str, finished: bool, transactions: Value| {
        let more = json!({
            "game_id": seat.game, "round_id": round, "finished": finished, "transactions": transactions,
        });
        ("/betwin", common(more))
    };
    let rollback = |round: &str, transactions: Value| {
        let more = json!({
            "game_id": seat.game, "round_id_provider": round, "finished": false, "transactions": transactions,
        });
        ("/rollback", common(more))
    };
    Some(match made {
        Move::Enter => return None,
        Move::Balance => ("/balance", common(json!({ "game_id": seat.game }))),
        Move::Bet {
            id,
            round,
            amount,
            closes,
            free_round: None,
        } => play(round, *closes, json!([bet(id, main_units(*amount)?)])),
        Move::Win {
            id,
            round,
            amount,
            kind: WinKind::Ordinary,
            closes,
            ..
        } => play(round, *closes, json!([win(id, main_units(*amount)?)])),
        Move::Bet { .. } | Move::Win { .. } => return None,
        Move::BetWin {
            bet: stake_id,
            win: win_id,
            round,
            stake,
            won,
        } => {
            let both = [
                bet(stake_id, main_units(*stake)?),
                win(win_id, main_units(*won)?),
            ];
            play(round, false, json!(both))
        }
        Move::Rollback {
            id, target, round, ..
        } => rollback(round, json!([back(id, target)])),
        Move::Close { round } => ("/finish", common(json!({ "round_id": round }))),
        Move::Own {
            name,
            id,
            round,
            amount,
        } => {
            let amount = main_units(*amount)?;
            let part = |end: &str| format!("{id}-{end}");
            let one = || play(round, false, json!([bet(id, amount.clone())]));
            match *name {
                "two and one" => {
                    let all = [
                        bet(&part("b1"), amount.clone()),
                        bet(&part("b2"), amount.clone()),
                        win(&part("w1"), amount),
                    ];
                    play(round, true, json!(all))
                }
                "win, then bet" => {
                    let both = [win(&part("w"), amount.clone()), bet(&part("b"), amount)];
                    play(round, false, json!(both))
                }
                "bet, then steal" => {
                    let mut steal = bet(&part("s"), amount.clone());
                    steal["type"] = json!("steal");
                    play(round, false, json!([bet(&part("b"), amount), steal]))
                }
                "nothing" => play(round, false, json!([])),
                "roll both back" | "roll nothing back" => {
                    let both = [back(&part("r1"), &part("b")), back(&part("r2"), &part("w"))];
                    rollback(round, json!(both))
                }
                "bet as rollback" => rollback(round, json!([bet(id, amount)])),
                "under a prefix" => ("/api/v2/betwin", one().1),
                "currency eur" => {
                    let (path, mut body) = one();
                    body["currency"] = json!(seat.balance.currency.code().to_lowercase());
                    (path, body)
                }
                "amount in a number" => play(round, false, json!([bet(id, 1)])),
                name if name.starts_with("amount ") => play(
                    round,
                    false,
                    json!([bet(id, name.trim_start_matches("amount "))]),
                ),
                _ => one(),
            }
        }
    })
}

/// Our ids in an answer, of which there is one for each transaction, in their order and under its id.
fn transactions(seat: &Seat, made: &Move, answer: &Value) -> Result<Vec<String>, String> {
    let (path, sent) = body(seat, made, "").ok_or("there is no such move")?;
    let Some(transactions) = sent["transactions"].as_array() else {
        return Ok(Vec::new());
    };
    if answer["round_id"].as_str().is_none_or(str::is_empty) {
        return Err("no round_id".to_owned());
    }
    let told = answer["transactions"].as_array().ok_or("no transactions")?;
    if told.len() != transactions.len() {
        return Err(format!(
            "{} transactions, not {}",
            told.len(),
            transactions.len()
        ));
    }
    let mut ids = Vec::new();
    for (sent, told) in transactions.iter().zip(told) {
        if told["id_provider"] != sent["id_provider"] {
            return Err("the transactions are not in the order of the request".to_owned());
        }
        let id = told["id"].as_str().ok_or("no id")?;
        // Whether a single rollback finds its target, only the case knows.
        let fits = match made {
            Move::Rollback { .. } => true,
            Move::Own { name, .. } if *name == "roll nothing back" => id.is_empty(),
            _ => !id.is_empty(),
        };
        if !fits {
            return Err(format!("id is {id:?}"));
        }
        let bonus = told["bonus_amount"].as_str();
        let bonus = bonus.map(|text| Money::parse(text, seat.balance.currency));
        if path != "/rollback" && !matches!(bonus, Some(Ok(Money { units: 0, .. }))) {
            return Err(format!("bonus_amount is {}", told["bonus_amount"]));
        }
        ids.push(id.to_owned());
    }
    Ok(ids)
}
