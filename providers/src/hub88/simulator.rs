//! A provider that speaks Hub88's wallet API.

use base64::{Engine, engine::general_purpose::STANDARD};
use pitboss_wallet::{Kind, Money, WinKind};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rsa::pkcs8::SecretDocument;
use serde_json::{Value, json};

use super::HEADER;
use crate::simulate::{
    Case, Expect, Move, Received, Script, Seat, Sent, Simulator, Step, Table, Told, Turn, Verdict,
};

/// The provider.
pub struct Hub88;

/// A pair for tests alone: whoever reads this can sign with it.
const TEST_PRIVATE: &[u8] = include_bytes!("test-key.pem");
const TEST_PUBLIC: &[u8] = include_bytes!("test-key-public.pem");

impl Simulator for Hub88 {
    fn digits(&self) -> u32 {
        5
    }

    fn keys(&self, _: [u8; 32]) -> (Vec<u8>, Vec<u8>) {
        (TEST_PUBLIC.to_vec(), TEST_PRIVATE.to_vec())
    }

    fn request(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (path, body) = body(table, seat, made)?;
        Some(signed(table, path, body.to_string().into_bytes()))
    }

    fn garbled(&self, table: &Table, seat: &Seat, made: &Move, bytes: &[u8]) -> Option<Sent> {
        let (path, _) = body(table, seat, made)?;
        Some(signed(table, path, bytes.to_vec()))
    }

    fn astray(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (_, body) = body(table, seat, made)?;
        Some(signed(
            table,
            "/transaction/steal",
            body.to_string().into_bytes(),
        ))
    }

    fn read(&self, seat: &Seat, _: &Move, received: &Received) -> Result<Told, String> {
        if received.status != 200 {
            return Err(format!("HTTP status {}, not 200", received.status));
        }
        let body: Value =
            serde_json::from_slice(&received.body).map_err(|error| error.to_string())?;
        let status = body["status"].as_str().ok_or("no status")?;
        let balance = body["balance"].as_i64().map(|shown| {
            // 1/100000 to ledger units.
            let ledger = seat.balance.currency.ledger_digits();
            shown * 10_i64.pow(ledger.saturating_sub(5))
        });
        Ok(Told {
            code: if status == "RS_OK" {
                Told::OK.to_owned()
            } else {
                status.to_owned()
            },
            balance,
            transactions: Vec::new(),
        })
    }

    fn expect(&self, turn: Turn) -> Expect {
        match turn {
            Turn::RepeatedBet
            | Turn::RepeatedWin
            | Turn::RepeatedRollback
            | Turn::RollbackOfUnknown
            | Turn::RollbackOfSettled => Expect::OK,
            Turn::OtherBet | Turn::OtherWin => Expect::code("RS_ERROR_DUPLICATE_TRANSACTION"),
            Turn::Poor => Expect::code("RS_ERROR_NOT_ENOUGH_MONEY"),
            Turn::LateBet | Turn::WinAfterRollback => {
                Expect::code("RS_ERROR_TRANSACTION_ROLLED_BACK")
            }
            Turn::WinWithoutBet => Expect::code("RS_ERROR_TRANSACTION_DOES_NOT_EXIST"),
            Turn::BetAfterClose | Turn::Malformed | Turn::UnknownAction => {
                Expect::code("RS_ERROR_WRONG_SYNTAX")
            }
            Turn::BetInEndedSession => Expect::code("RS_ERROR_TOKEN_EXPIRED"),
            Turn::BetInNoSession | Turn::BetOfUnknownPlayer => {
                Expect::code("RS_ERROR_INVALID_TOKEN")
            }
            Turn::BetOfBlocked => Expect::code("RS_ERROR_USER_DISABLED"),
            Turn::BetInUnknownGame => Expect::code("RS_ERROR_INVALID_GAME"),
            Turn::BetInOtherCurrency => Expect::code("RS_ERROR_WRONG_CURRENCY"),
            Turn::BadSignature => Expect::code("RS_ERROR_INVALID_SIGNATURE"),
        }
    }

    fn cases(&self, s: &Script) -> Vec<Case> {
        let free = Move::Bet {
            id: s.id("free"),
            round: s.id("free-round"),
            amount: s.cents(500),
            closes: false,
            free_round: Some(s.id("reward")),
        };
        let win = Move::Win {
            id: s.id("free-win"),
            bet: Some(s.id("free")),
            round: s.id("free-round"),
            amount: s.cents(700),
            kind: WinKind::Free,
            closes: true,
        };
        let promo = Move::Win {
            id: s.id("promo"),
            bet: None,
            round: s.id("promo-round"),
            amount: s.cents(1_000),
            kind: WinKind::Promo,
            closes: true,
        };
        vec![Case {
            name: "a free round, and a promotion after the session",
            steps: vec![
                s.well(free.clone(), 10_000),
                s.well(win, 10_700),
                s.well(free, 10_000 + 700),
                Step::EndSession,
                s.well(promo.clone(), 11_700),
                s.told(promo, Verdict::Ok, 11_700),
                s.well(s.rollback("unpromo", "promo", Kind::Win, 1_000), 10_700),
            ],
        }]
    }
}

fn signed(table: &Table, path: &str, body: Vec<u8>) -> Sent {
    // Without a key nothing is signed, and the server says so.
    let signature = sign(&table.key, &body).unwrap_or_default();
    Sent {
        method: "POST",
        path: path.to_owned(),
        query: String::new(),
        content_type: "application/json",
        headers: vec![(table.settings.get(&HEADER).to_owned(), signature)],
        body,
    }
}

fn sign(pem: &[u8], body: &[u8]) -> Option<String> {
    let (_, key) = SecretDocument::from_pem(str::from_utf8(pem).ok()?).ok()?;
    let key = RsaKeyPair::from_pkcs8(key.as_bytes()).ok()?;
    let mut signature = vec![0; key.public().modulus_len()];
    let random = SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &random, body, &mut signature)
        .ok()?;
    Some(STANDARD.encode(signature))
}

fn body(table: &Table, seat: &Seat, made: &Move) -> Option<(&'static str, Value)> {
    let request = format!("00000000-0000-4000-8000-{:012}", table.serial);
    let common = |more: Value| {
        let mut body = json!({
            "user": seat.player, "token": seat.token, "request_uuid": request, "game_code": seat.game,
            "supplier_user": "s-1", "some_new_field": { "anything": [1, 2.5, null] },
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        body
    };
    let currency = seat.balance.currency.code();
    Some(match made {
        Move::Enter => ("/user/info", common(json!({}))),
        Move::Balance => ("/user/balance", common(json!({}))),
        Move::Bet {
            id,
            round,
            amount,
            closes,
            free_round,
        } => (
            "/transaction/bet",
            common(json!({
                "transaction_uuid": id, "round": round, "round_closed": closes, "amount": integer(*amount),
                "currency": currency, "is_free": free_round.is_some(), "reward_uuid": free_round,
                "supplier_transaction_id": id, "is_aggregated": false, "bet": "zero",
            })),
        ),
        Move::Win {
            id,
            bet,
            round,
            amount,
            kind,
            closes,
        } => (
            "/transaction/win",
            common(json!({
                "transaction_uuid": id, "reference_transaction_uuid": bet, "round": round, "round_closed": closes,
                "amount": integer(*amount), "currency": currency, "is_free": *kind == WinKind::Free,
                "is_supplier_promo": *kind == WinKind::Promo,
            })),
        ),
        Move::Rollback {
            id, target, round, ..
        } => (
            "/transaction/rollback",
            common(json!({
                "transaction_uuid": id, "reference_transaction_uuid": target, "round": round, "round_closed": false,
            })),
        ),
        Move::BetWin { .. } | Move::Close { .. } | Move::Own { .. } => return None,
    })
}

/// Ledger units to 1/100000.
fn integer(money: Money) -> i64 {
    money.units / 10_i64.pow(money.currency.ledger_digits().saturating_sub(5))
}
