//! A provider that speaks Slotegrator's GIS API.

use form_urlencoded::byte_serialize;
use hmac::{Hmac, Mac};
use pitboss_wallet::{Kind, Money, WinKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha1::Sha1;

use super::cases;
use crate::{
    amount,
    simulate::{Case, Expect, Move, Received, Script, Seat, Sent, Simulator, Table, Told, Turn},
};

/// The provider.
pub struct Slotegrator;

impl Simulator for Slotegrator {
    fn digits(&self) -> u32 {
        4
    }

    fn request(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let fields = fields(seat, made)?;
        let name = match made {
            Move::Own { name, .. } => *name,
            _ => "",
        };
        Some(spoilt(name, signed(table, &fields)))
    }

    fn garbled(&self, table: &Table, _: &Seat, _: &Move, body: &[u8]) -> Option<Sent> {
        let pairs = form_urlencoded::parse(body);
        let fields = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
        let sent = signed(table, &fields.collect());
        Some(Sent {
            body: body.to_vec(),
            ..sent
        })
    }

    fn astray(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let mut fields = fields(seat, made)?;
        fields.retain(|(name, _)| name != "action");
        fields.push(("action".to_owned(), "steal".to_owned()));
        Some(signed(table, &fields))
    }

    fn read(&self, seat: &Seat, made: &Move, received: &Received) -> Result<Told, String> {
        if received.status != 200 {
            return Err(format!("HTTP status {}, not 200", received.status));
        }
        let body: Body<'_> =
            serde_json::from_slice(&received.body).map_err(|error| error.to_string())?;
        if let Some(code) = body.error_code {
            if body.error_description.is_none() {
                return Err("an error without a description".to_owned());
            }
            return Ok(Told {
                code,
                balance: None,
                transactions: Vec::new(),
            });
        }
        let shown = body.balance.ok_or("neither a balance nor an error")?;
        let balance = amount::from_decimal(shown.get(), seat.balance.currency);
        let balance = balance.map_err(|error| format!("balance {error}"))?;
        if body.transaction_id.is_none() && !matches!(made, Move::Balance) {
            return Err("no transaction_id".to_owned());
        }
        let listed: Vec<String> = listed(made).into_iter().map(|(_, id)| id).collect();
        if !listed.is_empty() && body.rollback_transactions.as_ref() != Some(&listed) {
            return Err("rollback_transactions is not the list of the request".to_owned());
        }
        Ok(Told {
            code: Told::OK.to_owned(),
            balance: Some(balance.units),
            transactions: body.transaction_id.into_iter().collect(),
        })
    }

    fn expect(&self, turn: Turn) -> Expect {
        match turn {
            Turn::RepeatedBet
            | Turn::RepeatedWin
            | Turn::RepeatedRollback
            | Turn::RollbackOfUnknown
            | Turn::WinWithoutBet => Expect::OK,
            Turn::Poor => Expect::code("INSUFFICIENT_FUNDS"),
            Turn::OtherBet
            | Turn::OtherWin
            | Turn::LateBet
            | Turn::RollbackOfSettled
            | Turn::WinAfterRollback
            | Turn::BetAfterClose
            | Turn::BetInEndedSession
            | Turn::BetInNoSession
            | Turn::BetOfBlocked
            | Turn::BetInUnknownGame
            | Turn::BetOfUnknownPlayer
            | Turn::BetInOtherCurrency
            | Turn::BadSignature
            | Turn::Malformed
            | Turn::UnknownAction => Expect::code("INTERNAL_ERROR"),
        }
    }

    fn cases(&self, script: &Script) -> Vec<Case> {
        cases::all(script)
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    balance: Option<&'a RawValue>,
    transaction_id: Option<String>,
    rollback_transactions: Option<Vec<String>>,
    error_code: Option<String>,
    error_description: Option<String>,
}

type Fields = Vec<(String, String)>;

fn text(money: Money) -> String {
    amount::to_decimal(money.units, 4, money.currency)
}

fn fields(seat: &Seat, made: &Move) -> Option<Fields> {
    let mut fields = Fields::new();
    let mut put = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    put("player_id", &seat.player);
    put("currency", seat.balance.currency.code());
    put("session_id", &seat.session);
    // A field of later, and one without a value.
    put("some_new_field", "spin & more: 100% * ~1 [x]");
    put("provider_round_id", "");
    if matches!(made, Move::Balance) {
        put("action", "balance");
        return Some(fields);
    }
    put("game_uuid", &seat.game);
    put("casino_request_retry_count", "0");
    match made {
        Move::Enter | Move::Balance | Move::BetWin { .. } | Move::Close { .. } => return None,
        Move::Bet {
            id,
            round,
            amount,
            closes,
            free_round,
        } => {
            put("action", "bet");
            put("transaction_id", id);
            put("round_id", round);
            put("amount", &text(*amount));
            put("finished", if *closes { "1" } else { "0" });
            match free_round {
                Some(gift) => {
                    put("type", "freespin");
                    put("freespin_id", gift);
                    put("quantity", "10");
                }
                None => put("type", "bet"),
            }
        }
        Move::Win {
            id,
            round,
            amount,
            kind,
            closes,
            ..
        } => {
            put("action", "win");
            put("transaction_id", id);
            put("round_id", round);
            put("amount", &text(*amount));
            put("finished", if *closes { "1" } else { "0" });
            let kind = match kind {
                WinKind::Ordinary => "win",
                WinKind::Free => "freespin",
                WinKind::Jackpot => "jackpot",
                WinKind::Promo | WinKind::Tournament => "pragmatic prize",
                WinKind::Correction => return None,
            };
            put("type", kind);
        }
        Move::Rollback {
            id,
            target,
            kind: Kind::Bet,
            amount,
            round,
        } => {
            put("action", "refund");
            put("transaction_id", id);
            put("bet_transaction_id", target);
            put("round_id", round);
            put("amount", &text(*amount));
        }
        Move::Rollback { id, round, .. } => {
            put("action", "rollback");
            put("transaction_id", id);
            put("round_id", round);
        }
        Move::Own {
            name,
            id,
            round,
            amount,
        } => own(name, id, round, &text(*amount), &mut put),
    }
    for (index, (action, id)) in listed(made).into_iter().enumerate() {
        let of = |name: &str| format!("rollback_transactions[{index}][{name}]");
        // Not in the order of their names.
        fields.push((of("transaction_id"), id));
        fields.push((of("action"), action.to_owned()));
        fields.push((of("amount"), "1.0000".to_owned()));
        fields.push((of("type"), action.to_owned()));
    }
    Some(fields)
}

/// What a rollback lists. A whole round is the bet `...-b` and the win `...-w` of a rollback `...-r`.
fn listed(made: &Move) -> Vec<(&'static str, String)> {
    match made {
        Move::Rollback {
            target,
            kind: Kind::Win,
            ..
        } => vec![("win", target.clone())],
        Move::Own { name, id, .. } => {
            let of = |letter: &str| format!("{}{letter}", id.strip_suffix('r').unwrap_or(id));
            match *name {
                "a rollback of bet and win" => vec![("bet", of("b")), ("win", of("w"))],
                "a rollback of what is no bet" => vec![("bet", of("b")), ("refund", of("w"))],
                "a rollback of one bet twice" => vec![("bet", of("b")), ("bet", of("b"))],
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// What only this protocol has, and what is wrong in its own ways.
fn own(name: &str, id: &str, round: &str, amount: &str, put: &mut dyn FnMut(&str, &str)) {
    if name.starts_with("a rollback ") {
        put("action", "rollback");
        put("transaction_id", id);
        put("round_id", round);
        return;
    }
    put("transaction_id", id);
    match name {
        "a win without a round" => {
            put("action", "win");
            put("amount", amount);
            return;
        }
        "a bet without a round" => {
            put("action", "bet");
            put("amount", amount);
            return;
        }
        _ => put("round_id", round),
    }
    put("action", "bet");
    if name == "a tip" {
        put("type", "tip");
    } else if name == "a bet of a type that nobody knows" {
        put("type", "gift");
    }
    match name.strip_prefix("a bet of the amount ") {
        Some(written) => put("amount", written),
        None => put("amount", amount),
    }
    if name == "a bet with two amounts" {
        put("amount", "0.01");
    }
}

/// What is wrong with the signature, or with the way it is sent.
fn spoilt(name: &str, mut sent: Sent) -> Sent {
    let mut without = |header: &str| sent.headers.retain(|(name, _)| name != header);
    match name {
        "a bet without X-Sign" => without("X-Sign"),
        "a bet without X-Nonce" => without("X-Nonce"),
        "a bet without X-Merchant-Id" => without("X-Merchant-Id"),
        "a bet without X-Timestamp" => without("X-Timestamp"),
        "a bet with another nonce" => {
            without("X-Nonce");
            sent.headers
                .insert(0, ("X-Nonce".to_owned(), "0".to_owned()));
        }
        "a bet with two signatures" => sent.headers.extend(sent.headers.last().cloned()),
        "a bet with a field that is not signed" => sent.body.extend_from_slice(b"&finished=1"),
        "a bet by GET" => sent.method = "GET",
        "a bet to another path" => sent.path = "/bet".to_owned(),
        _ => {}
    }
    sent
}

/// As PHP's `urlencode`.
fn encoded(text: &str) -> String {
    let text: String = byte_serialize(text.as_bytes()).collect();
    text.replace('*', "%2A")
}

fn query(fields: &[(String, String)]) -> String {
    let pairs = fields.iter();
    let pairs = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn signed(table: &Table, fields: &Fields) -> Sent {
    let headers = [
        ("X-Merchant-Id", "merchant-1".to_owned()),
        ("X-Timestamp", table.now_s.to_string()),
        ("X-Nonce", format!("nonce {}", table.serial)),
    ];
    let mut headers: Fields = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    // A list keeps its own order: only the name of the whole is sorted.
    let mut sorted = [headers.clone(), fields.clone()].concat();
    sorted.sort_by(|(a, _), (b, _)| outermost(a).cmp(outermost(b)));
    // Without a key nothing is signed, and the server says so.
    let mac = Hmac::<Sha1>::new_from_slice(&table.key).ok();
    let sign = mac.map(|mut mac| {
        mac.update(query(&sorted).as_bytes());
        hex::encode(mac.finalize().into_bytes())
    });
    headers.push(("X-Sign".to_owned(), sign.unwrap_or_default()));
    let mut body = query(fields);
    if table.serial % 2 == 1 {
        // Another way to write the same form.
        body = body
            .replace('+', "%20")
            .replace("%5B", "[")
            .replace("%5D", "]");
    }
    Sent {
        method: "POST",
        path: "/".to_owned(),
        query: String::new(),
        content_type: "application/x-www-form-urlencoded",
        headers,
        body: body.into_bytes(),
    }
}

fn outermost(name: &str) -> &str {
    name.split_once('[')
        .map_or(name, |(outermost, _)| outermost)
}
