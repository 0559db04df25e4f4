//! A provider that speaks Pragmatic Play's protocol.

use form_urlencoded::Serializer;
use md5::{Digest, Md5};
use pitboss_wallet::{Kind, Money, WinKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::cases;
use crate::{
    amount,
    simulate::{Case, Expect, Move, Received, Script, Seat, Sent, Simulator, Table, Told, Turn},
};

/// The provider.
pub struct Pragmatic;

impl Simulator for Pragmatic {
    fn digits(&self) -> u32 {
        2
    }

    fn request(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let (method, mut fields) = fields(table, seat, made)?;
        let mut sent = sent(method);
        let wrongly = match made {
            Move::Own { name, .. } => *name,
            _ => "",
        };
        if wrongly == "a bet by GET" {
            sent.method = "GET";
        }
        if let Some(hash) = hashed(table, &fields, wrongly) {
            fields.push(("hash", hash));
        }
        if wrongly == "a bet with two hashes" {
            fields.push(("hash", hash(&fields, Written::Decoded, &table.key)));
        }
        sent.body = encoded(&fields).into_bytes();
        Some(sent)
    }

    /// The hash would be in the body: there is none.
    fn garbled(&self, table: &Table, seat: &Seat, made: &Move, body: &[u8]) -> Option<Sent> {
        let (method, _) = fields(table, seat, made)?;
        let mut sent = sent(method);
        sent.body = body.to_vec();
        Some(sent)
    }

    fn astray(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent> {
        let sent = self.request(table, seat, made)?;
        Some(Sent {
            path: "/bingo/buy.html".to_owned(),
            ..sent
        })
    }

    fn read(&self, seat: &Seat, made: &Move, received: &Received) -> Result<Told, String> {
        if received.status != 200 {
            return Err(format!("HTTP status {}, not 200", received.status));
        }
        let body: Body<'_> =
            serde_json::from_slice(&received.body).map_err(|error| error.to_string())?;
        if body.description.is_empty() {
            return Err("no description".to_owned());
        }
        let currency = seat.balance.currency;
        let units = |shown: Option<&RawValue>| {
            let read = shown.map(|shown| amount::from_decimal(shown.get(), currency));
            read.transpose().map_err(|error| error.to_string())
        };
        let (cash, bonus) = (units(body.cash)?, units(body.bonus)?);
        let balance = cash
            .zip(bonus)
            .map(|(cash, bonus)| cash.units + bonus.units);
        if body.error == 0 {
            complete(seat, made, &body)?;
        }
        Ok(Told {
            code: match body.error {
                0 => Told::OK.to_owned(),
                error => error.to_string(),
            },
            balance,
            transactions: body
                .transaction_id
                .filter(|id| !id.is_empty())
                .into_iter()
                .collect(),
        })
    }

    fn expect(&self, turn: Turn) -> Expect {
        match turn {
            Turn::RepeatedBet
            | Turn::RepeatedWin
            | Turn::RepeatedRollback
            | Turn::RollbackOfUnknown => Expect::OK,
            Turn::OtherBet | Turn::OtherWin | Turn::UnknownAction => Expect::code("7"),
            Turn::Poor => Expect::code("1"),
            Turn::LateBet | Turn::RollbackOfSettled | Turn::WinAfterRollback => Expect::code("120"),
            Turn::WinWithoutBet => Expect::code("100"),
            Turn::BetAfterClose => Expect::Not("endRound ends a round, no bet or result does"),
            Turn::BetInEndedSession | Turn::BetInNoSession => Expect::code("4"),
            Turn::BetOfBlocked => Expect::code("6"),
            Turn::BetInUnknownGame => Expect::code("8"),
            Turn::BetOfUnknownPlayer => Expect::code("2"),
            // The user id is that of another currency than the token's.
            Turn::BetInOtherCurrency => Expect::code("7"),
            // What is no form has no hash.
            Turn::BadSignature | Turn::Malformed => Expect::code("5"),
        }
    }

    fn cases(&self, script: &Script) -> Vec<Case> {
        cases::all(script)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    error: u32,
    description: String,
    transaction_id: Option<String>,
    user_id: Option<String>,
    currency: Option<String>,
    #[serde(borrow)]
    cash: Option<&'a RawValue>,
    #[serde(borrow)]
    bonus: Option<&'a RawValue>,
    #[serde(borrow)]
    used_promo: Option<&'a RawValue>,
}

/// Whether an answer without an error has all that it must have.
fn complete(seat: &Seat, made: &Move, body: &Body<'_>) -> Result<(), String> {
    let is_refund = matches!(made, Move::Rollback { .. });
    let needs_balance = !is_refund && (body.cash.is_none() || body.bonus.is_none());
    if needs_balance || (body.transaction_id.is_none() && has_transaction(made)) {
        return Err("an answer without cash, bonus or transactionId".to_owned());
    }
    if matches!(made, Move::Bet { .. }) && body.used_promo.is_none() {
        return Err("an answer to a bet without usedPromo".to_owned());
    }
    let known_as = user(seat);
    match (made, &body.user_id, &body.currency) {
        (Move::Enter, Some(user), Some(currency))
            if *user == known_as && *currency == seat.balance.currency.code() =>
        {
            Ok(())
        }
        (Move::Enter, ..) => Err(format!("authenticate does not answer the user {known_as}")),
        _ => Ok(()),
    }
}

fn has_transaction(made: &Move) -> bool {
    !matches!(made, Move::Enter | Move::Balance | Move::Close { .. })
}

fn sent(method: &str) -> Sent {
    Sent {
        method: "POST",
        path: format!("/{method}.html"),
        query: String::new(),
        content_type: "application/x-www-form-urlencoded",
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// As authenticate told it.
fn user(seat: &Seat) -> String {
    format!("{}-{}", seat.player, seat.balance.currency.code())
}

fn text(money: Money) -> String {
    amount::to_decimal(money.units, 2, money.currency)
}

type Fields = Vec<(&'static str, String)>;

fn fields(table: &Table, seat: &Seat, made: &Move) -> Option<(&'static str, Fields)> {
    let mut fields: Fields = vec![
        ("providerId", "PragmaticPlay".to_owned()),
        ("platform", "WEB".to_owned()),
        // A field of later, and one without a value.
        ("someNewField", "spin & more: 100% + 1".to_owned()),
        ("jackpotDetails", String::new()),
    ];
    if matches!(made, Move::Enter) {
        fields.push(("token", seat.token.clone()));
        fields.push(("gameId", seat.game.clone()));
        return Some(("authenticate", fields));
    }
    fields.push(("userId", user(seat)));
    if matches!(made, Move::Balance) {
        return Some(("balance", fields));
    }
    fields.push(("timestamp", (table.now_s * 1_000).to_string()));
    let game = ("gameId", seat.game.clone());
    let method = match made {
        Move::Enter | Move::Balance | Move::BetWin { .. } => return None,
        Move::Bet {
            id,
            round,
            amount,
            free_round,
            ..
        } => {
            fields.extend([
                game,
                ("roundId", round.clone()),
                ("reference", id.clone()),
                ("amount", text(*amount)),
                ("token", seat.token.clone()),
                ("bonusCode", free_round.clone().unwrap_or_default()),
                // Finer than money is.
                ("jackpotContribution", "0.00123456789".to_owned()),
            ]);
            "bet"
        }
        Move::Win {
            id,
            bet,
            round,
            amount,
            kind,
            ..
        } => {
            fields.push(("reference", id.clone()));
            fields.push(("amount", text(*amount)));
            if matches!(kind, WinKind::Promo | WinKind::Tournament) {
                fields.push(("campaignId", "7".to_owned()));
                fields.push(("campaignType", "a type of tomorrow".to_owned()));
                fields.push(("currency", amount.currency.code().to_owned()));
                return Some(("promoWin", fields));
            }
            fields.push(game);
            match kind {
                // Outside of a round.
                WinKind::Jackpot if bet.is_none() => return Some(("jackpotWin", fields)),
                _ => fields.push(("roundId", round.clone())),
            }
            match kind {
                WinKind::Jackpot => "jackpotWin",
                WinKind::Correction => "adjustment",
                WinKind::Free => {
                    fields.push(("bonusCode", "gift".to_owned()));
                    "result"
                }
                _ => "result",
            }
        }
        Move::Rollback {
            kind: Kind::Win, ..
        } => return None,
        // Without a token.
        Move::Rollback { target, .. } => {
            fields.push(("reference", target.clone()));
            "refund"
        }
        Move::Close { round } => {
            fields.extend([game, ("roundId", round.clone())]);
            "endRound"
        }
        Move::Own {
            name,
            id,
            round,
            amount,
        } => {
            fields.extend([game, ("roundId", round.clone()), ("reference", id.clone())]);
            own(name, text(*amount), round, seat, &mut fields)
        }
    };
    Some((method, fields))
}

/// What only this protocol has, and what is wrong in its own ways. Completes the fields.
fn own(
    name: &'static str,
    amount: String,
    round: &str,
    seat: &Seat,
    fields: &mut Fields,
) -> &'static str {
    if let Some(written) = name.strip_prefix("a bet of ") {
        fields.push(("amount", written.to_owned()));
        fields.push(("token", seat.token.clone()));
        return "bet";
    }
    let promotion = format!("{round}-promotion");
    match name {
        "a summary of free rounds" => {
            fields.extend([("amount", amount), ("bonusCode", "gift".to_owned())]);
            "bonusWin"
        }
        "a result with a promotion" => {
            fields.extend([
                ("amount", amount.clone()),
                ("promoWinAmount", amount),
                ("promoWinReference", promotion),
                ("promoCampaignID", "7".to_owned()),
                ("promoCampaignType", "a type of tomorrow".to_owned()),
            ]);
            "result"
        }
        "an adjustment downwards" => {
            fields.push(("amount", format!("-{amount}")));
            "adjustment"
        }
        "a bet without a token" => {
            fields.push(("amount", amount));
            "bet"
        }
        "a bet with two amounts" => {
            fields.extend([("amount", amount), ("amount", "0.01".to_owned())]);
            "bet"
        }
        _ => {
            fields.push(("amount", amount));
            fields.push(("token", seat.token.clone()));
            "bet"
        }
    }
}

fn encoded(fields: &Fields) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// How an integration writes what it hashes.
#[derive(Clone, Copy)]
enum Written {
    AsSent,
    AsSentWithEmpty,
    Decoded,
    DecodedWithEmpty,
}

/// Each way in turn, and none of them where the move says so.
fn hashed(table: &Table, fields: &Fields, wrongly: &str) -> Option<String> {
    let written = match table.serial % 4 {
        0 => Written::AsSent,
        1 => Written::AsSentWithEmpty,
        2 => Written::Decoded,
        _ => Written::DecodedWithEmpty,
    };
    let good = hash(fields, written, &table.key);
    match wrongly {
        "a bet without a hash" => None,
        "a bet with a short hash" => Some(good[..31].to_owned()),
        "a bet with the hash of another secret" => Some(hash(fields, written, b"another")),
        "a bet with the hash of other fields" => {
            Some(hash(&fields[1..].to_vec(), written, &table.key))
        }
        _ => Some(good),
    }
}

fn hash(fields: &Fields, written: Written, secret: &[u8]) -> String {
    let mut sorted: Vec<_> = fields.iter().filter(|(name, _)| *name != "hash").collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut texts = Vec::new();
    for (name, value) in sorted {
        let is_left_out = value.is_empty() && matches!(written, Written::AsSent | Written::Decoded);
        if is_left_out {
            continue;
        }
        texts.push(match written {
            Written::AsSent | Written::AsSentWithEmpty => encoded(&vec![(*name, value.clone())]),
            Written::Decoded | Written::DecodedWithEmpty => format!("{name}={value}"),
        });
    }
    let mut bytes = texts.join("&").into_bytes();
    bytes.extend_from_slice(secret);
    hex::encode(Md5::digest(&bytes))
}
