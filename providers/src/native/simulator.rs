//! A provider that speaks the native protocol, as `docs/callbacks.md` tells it.

use pitboss_wallet::{Money, WinKind};
use serde_json::{Value, json};

use super::{HEADER, sign};
use crate::simulate::{Expect, Move, Received, Seat, Sent, Simulator, Table, Told, Turn};

/// The provider.
pub struct Native;

impl Simulator for Native {
    fn digits(&self) -> u32 {
        9
    }

    fn request(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (action, body) = body(seat, made)?;
        Some(signed(table, action, body.to_string().into_bytes()))
    }

    fn garbled(&self, table: &Table, seat: &Seat, made: &Move, bytes: &[u8]) -> Option<Sent> {
        let (action, _) = body(seat, made)?;
        Some(signed(table, action, bytes.to_vec()))
    }

    fn astray(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (_, body) = body(seat, made)?;
        Some(signed(table, "take_all", body.to_string().into_bytes()))
    }

    fn read(&self, seat: &Seat, _: &Move, received: &Received) -> Result<Told, String> {
        let body: Value =
            serde_json::from_slice(&received.body).map_err(|error| error.to_string())?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let code = match received.status {
            200 => text(&body["status"]),
            _ => text(&body["code"]),
        };
        let balance = body["balance"]["total"]
            .as_str()
            .map(|total| Money::parse(total, seat.balance.currency).map(|money| money.units));
        let mut transactions: Vec<String> = Vec::new();
        match body["transactions"].as_array() {
            Some(list) => {
                transactions.extend(list.iter().filter_map(|one| text(&one["transaction_id"])))
            }
            None => transactions.extend(text(&body["transaction_id"])),
        }
        Ok(Told {
            code: code.ok_or("neither a status nor a code")?,
            balance: balance.transpose().map_err(|error| error.to_string())?,
            transactions,
        })
    }

    fn expect(&self, turn: Turn) -> Expect {
        match turn {
            Turn::RepeatedBet
            | Turn::RepeatedWin
            | Turn::RepeatedRollback
            | Turn::RollbackOfUnknown => Expect::OK,
            Turn::OtherBet | Turn::OtherWin => Expect::code("transaction_mismatch"),
            Turn::Poor => Expect::code("insufficient_funds"),
            Turn::LateBet | Turn::WinAfterRollback => Expect::code("rolled_back"),
            Turn::RollbackOfSettled => Expect::code("already_settled"),
            Turn::WinWithoutBet => Expect::code("unknown_bet"),
            Turn::BetAfterClose => Expect::code("round_closed"),
            Turn::BetInEndedSession => Expect::code("session_expired"),
            Turn::BetInNoSession => Expect::code("session_invalid"),
            Turn::BetOfBlocked => Expect::code("player_blocked"),
            Turn::BetInUnknownGame => Expect::code("unknown_game"),
            Turn::BetOfUnknownPlayer => Expect::code("unknown_player"),
            Turn::BetInOtherCurrency => Expect::code("currency_mismatch"),
            Turn::BadSignature => Expect::code("bad_signature"),
            Turn::Malformed => Expect::code("malformed"),
            Turn::UnknownAction => Expect::code("unknown_action"),
        }
    }
}

fn signed(table: &Table, action: &str, body: Vec<u8>) -> Sent {
    let path = format!("/{action}");
    let full = format!("{}{path}", table.path);
    let signature = sign(&table.key, table.now_s, &full, &body);
    Sent {
        method: "POST",
        path,
        query: String::new(),
        content_type: "application/json",
        headers: vec![(HEADER.to_owned(), signature)],
        body,
    }
}

fn body(seat: &Seat, made: &Move) -> Option<(&'static str, Value)> {
    let Seat {
        player,
        session,
        game,
        balance,
        ..
    } = seat;
    let currency = balance.currency.code();
    Some(match made {
        Move::Enter => ("authenticate", json!({ "token": seat.token })),
        Move::Balance => ("balance", json!({ "player": player, "currency": currency })),
        Move::Bet {
            id,
            round,
            amount,
            closes,
            free_round,
        } => (
            "bet",
            json!({
                "transaction_id": id, "player": player, "session": session, "game": game, "round": round,
                // A free one says that it costs nothing.
                "amount": if free_round.is_some() { Money::new(0, amount.currency) } else { *amount },
                "currency": currency, "round_closed": closes, "free_round": free_round,
            }),
        ),
        Move::Win {
            id,
            bet,
            round,
            amount,
            kind,
            closes,
        } => (
            "win",
            json!({
                "transaction_id": id, "player": player, "game": game, "round": round, "amount": amount,
                "currency": currency, "bet_transaction_id": bet.as_ref().filter(|_| *kind == WinKind::Ordinary),
                "kind": kind, "round_closed": closes,
            }),
        ),
        Move::BetWin {
            bet,
            win,
            round,
            stake,
            won,
        } => (
            "bet_win",
            json!({
                "player": player, "session": session, "game": game, "round": round, "currency": currency,
                "actions": [
                    { "type": "bet", "transaction_id": bet, "amount": stake },
                    { "type": "win", "transaction_id": win, "amount": won },
                ],
            }),
        ),
        Move::Rollback {
            id, target, round, ..
        } => (
            "rollback",
            json!({ "transaction_id": id, "player": player, "target_transaction_id": target, "round": round }),
        ),
        Move::Close { round } => (
            "close_round",
            json!({ "player": player, "game": game, "round": round }),
        ),
        Move::Own { .. } => return None,
    })
}
