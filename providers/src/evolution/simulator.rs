//! A provider that speaks One Wallet, as its documents tell it.

use pitboss_wallet::{Money, WinKind};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    GAME,
    cases::{self, EXISTS, FINAL, NO_BET, NO_SID, NO_TOKEN, PARAMETER, SETTLED},
    signature::TOKEN,
};
use crate::simulate::{
    Case, Expect, Move, Received, Script, Seat, Sent, Simulator, Table, Told, Turn, Verdict,
};

/// The provider.
pub struct Evolution;

impl Simulator for Evolution {
    fn digits(&self) -> u32 {
        6
    }

    fn request(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (verb, body) = body(table, seat, made)?;
        let mut sent = sent(table, verb, bytes(&body));
        match made {
            Move::Own {
                name: "debit without a token",
                ..
            } => sent.query.clear(),
            Move::Own {
                name: "debit with two tokens",
                ..
            } => sent.query = format!("{0}&{0}", sent.query),
            Move::Own {
                name: "debit by GET",
                ..
            } => sent.method = "GET",
            _ => {}
        }
        Some(sent)
    }

    fn garbled(&self, table: &Table, seat: &Seat, made: &Move, bytes: &[u8]) -> Option<Sent> {
        let (verb, _) = body(table, seat, made)?;
        Some(sent(table, verb, bytes.to_vec()))
    }

    fn astray(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (_, body) = body(table, seat, made)?;
        Some(sent(table, "take_all", bytes(&body)))
    }

    fn read(&self, seat: &Seat, made: &Move, received: &Received) -> Result<Told, String> {
        if received.status != 200 {
            return Err(format!("HTTP status {}, not 200", received.status));
        }
        let answer: Answer<'_> =
            serde_json::from_slice(&received.body).map_err(|error| error.to_string())?;
        let is_ok = answer.status == "OK";
        let is_check = matches!(made, Move::Enter)
            || matches!(made, Move::Own { name, .. } if name.starts_with("check") || *name == "sid");
        if is_ok && is_check && answer.sid != Some(seat.session.as_str()) {
            return Err(format!("the sid is {:?}", answer.sid));
        }
        // A repeat to come, when it helps, and never else.
        let comes_again = answer.retransmission == Some(true);
        if comes_again != (answer.status == "TEMPORARY_ERROR") && !is_check {
            return Err(format!("retransmission is {comes_again}"));
        }
        let (balance, bonus) = (units(seat, answer.balance)?, units(seat, answer.bonus)?);
        if is_ok && !is_check && (balance.is_none() || bonus.is_none()) {
            return Err("no balance".to_owned());
        }
        Ok(Told {
            code: if is_ok {
                Told::OK.to_owned()
            } else {
                answer.status.to_owned()
            },
            balance: balance.map(|cash| cash + bonus.unwrap_or_default()),
            transactions: Vec::new(),
        })
    }

    fn expect(&self, turn: Turn) -> Expect {
        Expect::Told(match turn {
            Turn::RepeatedBet => EXISTS,
            Turn::RepeatedWin
            | Turn::RepeatedRollback
            | Turn::RollbackOfSettled
            | Turn::WinAfterRollback => SETTLED,
            Turn::RollbackOfUnknown | Turn::WinWithoutBet => NO_BET,
            Turn::LateBet => FINAL,
            Turn::Poor => Verdict::Code("INSUFFICIENT_FUNDS"),
            Turn::BetInEndedSession | Turn::BetInNoSession => NO_SID,
            Turn::BetOfBlocked => Verdict::Code("ACCOUNT_LOCKED"),
            Turn::OtherBet
            | Turn::OtherWin
            | Turn::BetInUnknownGame
            | Turn::BetOfUnknownPlayer
            | Turn::BetInOtherCurrency
            | Turn::Malformed
            | Turn::UnknownAction => PARAMETER,
            Turn::BadSignature => NO_TOKEN,
            Turn::BetAfterClose => return Expect::Not("a credit does not close the game"),
        })
    }

    fn cases(&self, s: &Script) -> Vec<Case> {
        cases::all(s)
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    status: &'a str,
    sid: Option<&'a str>,
    #[serde(borrow)]
    balance: Option<&'a RawValue>,
    #[serde(borrow)]
    bonus: Option<&'a RawValue>,
    retransmission: Option<bool>,
}

/// A JSON number in ledger units.
fn units(seat: &Seat, shown: Option<&RawValue>) -> Result<Option<i64>, String> {
    let Some(shown) = shown else {
        return Ok(None);
    };
    let money = Money::parse(shown.get(), seat.balance.currency);
    money
        .map(|money| Some(money.units))
        .map_err(|error| format!("the balance {shown} {error}"))
}

fn sent(table: &Table, verb: &str, body: Vec<u8>) -> Sent {
    Sent {
        method: "POST",
        path: format!("/{verb}"),
        query: format!("{TOKEN}={}", String::from_utf8_lossy(&table.key)),
        content_type: "application/json",
        headers: Vec::new(),
        body,
    }
}

fn body(table: &Table, seat: &Seat, made: &Move) -> Option<(&'static str, Value)> {
    let call = Call { table, seat };
    Some(match made {
        Move::Enter => ("check", call.check(&seat.token, "P")),
        Move::Balance => ("balance", call.in_game("lobby-round", json!({}))),
        Move::Bet {
            id,
            round,
            amount,
            free_round: None,
            ..
        } => ("debit", call.transaction(round, &debit_id(id), id, *amount)),
        Move::Win {
            id,
            bet: Some(bet),
            round,
            amount,
            kind: WinKind::Ordinary,
            ..
        } => ("credit", call.transaction(round, id, bet, *amount)),
        // It carries the id of the debit.
        Move::Rollback {
            target,
            round,
            amount,
            ..
        } => (
            "cancel",
            call.transaction(round, &debit_id(target), target, *amount),
        ),
        Move::Close { round } => ("close", call.in_game(round, json!({}))),
        Move::Own {
            name,
            id,
            round,
            amount,
        } => call.own(name, id, round, *amount),
        // Free rounds are paid at their end, by a promotion; there is no call for both bet and win.
        Move::Bet { .. } | Move::Win { .. } | Move::BetWin { .. } => return None,
    })
}

fn debit_id(bet: &str) -> String {
    format!("{bet}-d")
}

/// What the bodies of one call have in common.
struct Call<'a> {
    table: &'a Table,
    seat: &'a Seat,
}

impl Call<'_> {
    fn common(&self, more: Value) -> Value {
        let mut body = json!({
            "sid": self.seat.session, "userId": self.seat.player, "uuid": format!("uuid-{}", self.table.serial),
            "someFakeField": { "anything": [1, 2.5, null] },
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        body
    }

    fn check(&self, sid: &str, channel: &str) -> Value {
        self.common(json!({ "sid": sid, "channel": { "type": channel } }))
    }

    fn in_game(&self, round: &str, more: Value) -> Value {
        let game = &self.seat.game;
        let (kind, place) = match self.table.settings.get(&GAME) {
            "type" => (game.as_str(), "table-1"),
            _ => ("roulette", game.as_str()),
        };
        let mut body = self.common(json!({
            "currency": self.seat.balance.currency.code(),
            "game": { "id": round, "type": kind, "details": { "table": { "id": place, "vid": "v-1" } } },
        }));
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        body
    }

    fn transaction(&self, round: &str, id: &str, bet: &str, amount: Money) -> Value {
        let transaction = json!({ "id": id, "refId": bet, "amount": number(&amount.to_string()) });
        self.in_game(round, json!({ "transaction": transaction }))
    }

    fn own(
        &self,
        name: &'static str,
        id: &str,
        round: &str,
        amount: Money,
    ) -> (&'static str, Value) {
        let text = amount.to_string();
        let debit = |amount: Value| {
            let transaction = json!({ "id": debit_id(id), "refId": id, "amount": amount });
            self.in_game(round, json!({ "transaction": transaction }))
        };
        let another = format!("{id}-another-call");
        match name {
            "check" => ("check", self.check(&self.seat.session, "P")),
            "check on a phone" => ("check", self.check(&self.seat.session, "M")),
            "check with the old sid" => ("check", self.check(&self.seat.token, "P")),
            "check of another player" => {
                let mut body = self.check(&self.seat.session, "P");
                body["userId"] = json!(format!("{}-nobody", self.seat.player));
                ("check", body)
            }
            "sid" => ("sid", self.check(&self.seat.session, "P")),
            "balance in the lobby" => {
                let currency = self.seat.balance.currency.code();
                let lobby = json!({ "currency": currency, "game": null });
                ("balance", self.common(lobby))
            }
            "debit with the old sid" => {
                let mut body = debit(number(&text));
                body["sid"] = json!(self.seat.token);
                ("debit", body)
            }
            "debit by another call" => ("debit", self.transaction(round, &another, id, amount)),
            "credit" => (
                "credit",
                self.transaction(round, &format!("{id}-c"), id, amount),
            ),
            "credit by another call" => ("credit", self.transaction(round, &another, id, amount)),
            "cancel" => ("cancel", self.transaction(round, &debit_id(id), id, amount)),
            "debit with six digits" => ("debit", debit(number(&padded(&text, 6)))),
            "debit with many zeros" => ("debit", debit(number(&padded(&text, 20)))),
            "debit of a negative amount" => ("debit", debit(number(&format!("-{text}")))),
            "debit with an exponent" => ("debit", debit(number("1e0"))),
            "debit of a text" => ("debit", debit(json!(text))),
            "debit of too many digits" => ("debit", debit(number("0.0000000000001"))),
            "debit of nothing" => ("debit", debit(Value::Null)),
            _ if name.starts_with("debit") => ("debit", debit(number(&text))),
            "promotion without a game" => {
                let mut body = self.promotion("FreeRoundPlayableSpent", id, round, amount);
                body["game"] = Value::Null;
                body["sid"] = Value::Null;
                ("promo_payout", body)
            }
            promotion => ("promo_payout", self.promotion(promotion, id, round, amount)),
        }
    }

    fn promotion(&self, kind: &str, id: &str, round: &str, amount: Money) -> Value {
        let amount = number(&amount.to_string());
        let promotion = json!({
            "type": kind, "id": id, "amount": amount, "voucherId": "v-1", "remainingRounds": 0,
            "jackpots": [{ "id": "j-1", "winAmount": amount }],
        });
        self.in_game(round, json!({ "promoTransaction": promotion }))
    }
}

/// A number exactly as it is written. JSON values have floats only: it is a marked text until the body is printed.
fn number(text: &str) -> Value {
    json!(format!("<<{text}>>"))
}

fn bytes(body: &Value) -> Vec<u8> {
    let text = body.to_string();
    text.replace("\"<<", "").replace(">>\"", "").into_bytes()
}

/// The text with so many digits behind its point.
fn padded(text: &str, digits: usize) -> String {
    let fraction = text
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    let point = if fraction == 0 { "." } else { "" };
    format!(
        "{text}{point}{}",
        "0".repeat(digits.saturating_sub(fraction))
    )
}
