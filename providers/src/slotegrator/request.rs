//! From a form to a [`Call`].

use pitboss_wallet::{
    Bet, Currency, ExternalId, GameId, IdError, PlayCommand, PlayerId, Rollback, RoundId,
    SessionId, Win, WinKind,
};
use uuid::Uuid;

use crate::{
    Account, Ask, Call, Known, Lookup, ParseError, RawRequest,
    fields::session_id,
    form::{Form, Pair, wrong},
    json::quoted,
};

/// The greatest number of transactions that one rollback takes back.
const MAX_ROLLBACKS: usize = 100;

/// What `action` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Balance,
    Bet,
    Win,
    Refund,
    Rollback,
}

fn asked<'a>(request: &RawRequest<'a>) -> Result<(Verb, Form<'a>), ParseError> {
    if !request.action.is_empty() {
        return Err(ParseError::UnknownAction);
    }
    if request.method != "POST" {
        return Err(ParseError::Method { allowed: "POST" });
    }
    let form = Form::read(request.body)?;
    let verb = match form.text("action")? {
        "balance" => Verb::Balance,
        "bet" => Verb::Bet,
        "win" => Verb::Win,
        "refund" => Verb::Refund,
        "rollback" => Verb::Rollback,
        _ => return Err(ParseError::UnknownAction),
    };
    Ok((verb, form))
}

/// A bet that names no session is one of the player's live one. What moves nothing, or only back, may come without a
/// currency.
pub(super) fn lookup(request: &RawRequest<'_>) -> Result<Option<Lookup>, ParseError> {
    let (verb, form) = asked(request)?;
    let player = form.id("player_id", PlayerId::new)?;
    Ok(match currency(&form)? {
        Some(currency) if verb == Verb::Bet && form.optional_text("session_id")?.is_none() => {
            Some(Lookup::LiveSession { player, currency })
        }
        None if matches!(verb, Verb::Balance | Verb::Refund | Verb::Rollback) => {
            Some(Lookup::Player(player))
        }
        _ => None,
    })
}

fn currency(form: &Form<'_>) -> Result<Option<Currency>, ParseError> {
    let Some(code) = form.optional_text("currency")? else {
        return Ok(None);
    };
    let known = Currency::from_code(code);
    known.map(Some).ok_or_else(|| {
        let detail = format!("currency: {} is not known here", quoted(code));
        ParseError::UnknownCurrency(detail)
    })
}

pub(super) fn parse(
    account: &Account,
    request: &RawRequest<'_>,
    known: &Known<'_>,
) -> Result<Call, ParseError> {
    let (verb, form) = asked(request)?;
    let player = form.id("player_id", PlayerId::new)?;
    let found = known.found.as_ref().map(|found| found.currency);
    let currency = currency(&form)?.or(found);
    let currency = currency.ok_or_else(|| wrong("currency", "is missing"))?;
    let body = Body {
        form: &form,
        known,
        currency,
    };
    let mut echo = None;
    let command = match verb {
        Verb::Balance => None,
        Verb::Bet => Some(PlayCommand::Bet(body.bet()?)),
        Verb::Win => Some(PlayCommand::Win(body.win()?)),
        Verb::Refund => Some(PlayCommand::Rollback(body.refund()?)),
        Verb::Rollback => {
            let (rollbacks, ids) = rollbacks(&form)?;
            echo = serde_json::to_string(&ids).ok();
            Some(PlayCommand::Rollbacks(rollbacks))
        }
    };
    let ask = match command {
        Some(command) => Ask::Play {
            player,
            play: account.play(command),
        },
        None => Ask::Balance { player, currency },
    };
    Ok(Call {
        ask,
        echo,
        currency: Some(currency),
    })
}

struct Body<'a> {
    form: &'a Form<'a>,
    known: &'a Known<'a>,
    currency: Currency,
}

impl Body<'_> {
    fn transaction(&self) -> Result<ExternalId, ParseError> {
        self.form.id("transaction_id", ExternalId::new)
    }

    fn game(&self) -> Result<GameId, ParseError> {
        self.form.id("game_uuid", GameId::new)
    }

    /// Our own id, as it was given to `/games/init`.
    fn session(&self) -> Result<SessionId, ParseError> {
        if let Some(text) = self.form.optional_text("session_id")? {
            return Ok(session_id(text));
        }
        let found = self.known.found.as_ref();
        let session = found.and_then(|found| found.session);
        // One that nobody has: the stored transaction is looked for first (T3).
        Ok(session.unwrap_or(SessionId(Uuid::nil())))
    }

    /// The round, and whether this ends it. What is in none has one of its own.
    fn round(&self, transaction: &ExternalId) -> Result<(RoundId, bool), ParseError> {
        if let Some(round) = self.form.optional_id("round_id", RoundId::new)? {
            let finished = self.form.optional_text("finished")?;
            return Ok((round, matches!(finished, Some("1" | "true"))));
        }
        let own = RoundId::new(transaction.as_str());
        let own = own.map_err(|error: IdError| wrong("transaction_id", error))?;
        Ok((own, true))
    }

    fn bet(&self) -> Result<Bet, ParseError> {
        let transaction = self.transaction()?;
        let game = self.game()?;
        let (round, closes_round) = self.round(&transaction)?;
        let mut amount = self.form.amount("amount", self.currency)?;
        let free_round = match self.form.optional_text("type")? {
            None | Some("bet" | "tip") => None,
            Some("freespin") => {
                // Its amount is for information: nothing is taken.
                amount.units = 0;
                let named = self.form.optional_id("freespin_id", ExternalId::new)?;
                Some(named.unwrap_or_else(|| transaction.clone()))
            }
            // Money is taken for what is understood, and for nothing else.
            Some(other) => {
                let why = format!("{} is not known here", quoted(other));
                return Err(wrong("type", why));
            }
        };
        Ok(Bet {
            transaction,
            session: self.session()?,
            standing: (self.known.game)(&game),
            game,
            round,
            amount,
            closes_round,
            free_round,
            jackpot_contribution: None,
        })
    }

    fn win(&self) -> Result<Win, ParseError> {
        let transaction = self.transaction()?;
        let game = self.game()?;
        let (round, closes_round) = self.round(&transaction)?;
        let kind = match self.form.optional_text("type")? {
            None | Some("win") => WinKind::Ordinary,
            Some("freespin") => WinKind::Free,
            Some("jackpot") => WinKind::Jackpot,
            // A prize of any name is paid.
            Some(_) => WinKind::Promo,
        };
        Ok(Win {
            transaction,
            standing: (self.known.game)(&game),
            game,
            round,
            amount: self.form.amount("amount", self.currency)?,
            bet: None,
            kind,
            closes_round,
        })
    }

    fn refund(&self) -> Result<Rollback, ParseError> {
        let amount = self.form.optional_amount("amount", self.currency)?;
        Ok(Rollback {
            transaction: self.transaction()?,
            target: self.form.id("bet_transaction_id", ExternalId::new)?,
            round: self.form.optional_id("round_id", RoundId::new)?,
            units: amount.map(|amount| amount.units),
        })
    }
}

/// One entry of `rollback_transactions`.
#[derive(Default)]
struct Entry<'a> {
    index: &'a str,
    action: Option<&'a str>,
    id: Option<&'a str>,
}

/// What a rollback takes back: wins before bets, as a bet with a win does not go back. With the ids in their own order.
fn rollbacks(form: &Form<'_>) -> Result<(Vec<Rollback>, Vec<String>), ParseError> {
    const LIST: &str = "rollback_transactions";
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for pair in &form.pairs {
        let Some((index, name)) = nested(pair, LIST) else {
            continue;
        };
        let place = entries.iter().position(|entry| entry.index == index);
        let place = place.unwrap_or(entries.len());
        if place == entries.len() {
            entries.push(Entry {
                index,
                ..Entry::default()
            });
        }
        let slot = match name {
            "action" => &mut entries[place].action,
            "transaction_id" => &mut entries[place].id,
            _ => continue,
        };
        if slot.replace(&pair.value).is_some() {
            return Err(wrong(&pair.key, "is there twice"));
        }
    }
    if entries.is_empty() || entries.len() > MAX_ROLLBACKS {
        let why = format!(
            "must have 1 to {MAX_ROLLBACKS} entries, and has {}",
            entries.len()
        );
        return Err(wrong(LIST, why));
    }
    let round = form.optional_id("round_id", RoundId::new)?;
    let (mut wins, mut bets, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let at = |name: &str| format!("{LIST}[{}][{name}]", entry.index);
        let id = entry.id.unwrap_or_default();
        if id.contains(char::REPLACEMENT_CHARACTER) {
            return Err(wrong(&at("transaction_id"), "is not UTF-8"));
        }
        let target = ExternalId::new(id).map_err(|error| wrong(&at("transaction_id"), error))?;
        let rollback = Rollback {
            // A transaction goes back once, whichever call names it.
            transaction: target.clone(),
            target,
            round: round.clone(),
            units: None,
        };
        ids.push(id.to_owned());
        match entry.action {
            Some("win") => wins.push(rollback),
            Some("bet") => bets.push(rollback),
            other => {
                let why = format!("{} is not known here", quoted(other.unwrap_or_default()));
                return Err(wrong(&at("action"), why));
            }
        }
    }
    wins.append(&mut bets);
    Ok((wins, ids))
}

/// `list[0][name]` is `("0", "name")`.
fn nested<'a>(pair: &'a Pair<'_>, list: &str) -> Option<(&'a str, &'a str)> {
    let rest = pair.key.strip_prefix(list)?.strip_prefix('[')?;
    rest.strip_suffix(']')?.split_once("][")
}
