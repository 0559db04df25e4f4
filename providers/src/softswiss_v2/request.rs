//! From a body to a [`Call`].

use pitboss_wallet::{
    Action, BetWin, CloseRound, Currency, ExternalId, GameId, PlayCommand, PlayerId, Rollback,
    RoundId, WinKind,
};

use crate::{
    Account, Ask, Call, Known, Lookup, ParseError, RawRequest, amount,
    fields::Fields,
    json::{self, quoted},
    softswiss_v1::{request::bet_or_batch, session},
};

/// The greatest number of transactions in one request.
const MAX_TRANSACTIONS: usize = 100;

/// The longest amount, and the most digits behind its point.
const AMOUNT_CHARS: usize = 40;
const AMOUNT_DIGITS: usize = 16;

/// The game of a round that is finished: the request names none, and the round knows its own.
const NO_GAME: &str = "-";

/// What a path asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Balance,
    BetWin,
    Rollback,
    Finish,
}

/// The end of the path counts: what is before it is the operator's.
fn verb(request: &RawRequest<'_>) -> Result<Verb, ParseError> {
    let path = request.action.trim_end_matches('/');
    let verb = match path.rsplit('/').next() {
        Some("balance") => Verb::Balance,
        Some("betwin") => Verb::BetWin,
        Some("rollback") => Verb::Rollback,
        Some("finish") => Verb::Finish,
        _ => return Err(ParseError::UnknownAction),
    };
    if request.method != "POST" {
        return Err(ParseError::Method { allowed: "POST" });
    }
    Ok(verb)
}

/// A session is asked for only when a transaction is a bet.
pub(super) fn lookup(
    account: &Account,
    request: &RawRequest<'_>,
) -> Result<Option<Lookup>, ParseError> {
    if verb(request)? != Verb::BetWin {
        return Ok(None);
    }
    let object = json::object(request.body)?;
    let fields = Fields::of(&object);
    let is_bet = |one: &Fields<'_>| one.text("type") == Ok("bet");
    if !transactions(&fields)?.iter().any(is_bet) {
        return Ok(None);
    }
    let player = fields.id("account_id", PlayerId::new)?;
    session::lookup(account, &fields, player, currency(&fields)?)
}

pub(super) fn parse(
    account: &Account,
    request: &RawRequest<'_>,
    known: &Known<'_>,
) -> Result<Call, ParseError> {
    let verb = verb(request)?;
    let object = json::object(request.body)?;
    let fields = Fields::of(&object);
    let player = fields.id("account_id", PlayerId::new)?;
    let currency = currency(&fields)?;
    let command = match verb {
        Verb::Balance => {
            fields.id("game_id", GameId::new)?;
            return Ok(Ask::Balance { player, currency }.into());
        }
        Verb::BetWin => bet_win(account, &fields, known, currency)?,
        Verb::Rollback => rollback(&fields)?,
        Verb::Finish => finish(&fields)?,
    };
    Ok(Call::play(account, player, Some(currency), command))
}

/// `^[A-Z][A-Z0-9_]{2,31}$`; only then it may be one that is not known here.
fn currency(fields: &Fields<'_>) -> Result<Currency, ParseError> {
    let code = fields.text("currency")?;
    let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let fits = (3..=32).contains(&code.len())
        && code.starts_with(|first: char| first.is_ascii_uppercase())
        && code.bytes().all(is_code);
    if !fits {
        return Err(fields.wrong("currency", format!("{} is no code", quoted(code))));
    }
    fields.currency()
}

fn transactions<'a>(fields: &Fields<'a>) -> Result<Vec<Fields<'a>>, ParseError> {
    fields.objects("transactions", MAX_TRANSACTIONS)
}

fn bet_win(
    account: &Account,
    fields: &Fields<'_>,
    known: &Known<'_>,
    currency: Currency,
) -> Result<PlayCommand, ParseError> {
    let game = fields.id("game_id", GameId::new)?;
    let batch = BetWin {
        session: session::of(account, fields, known)?,
        standing: (known.game)(&game),
        game,
        round: fields.id("round_id", RoundId::new)?,
        currency,
        actions: transactions(fields)?
            .iter()
            .map(|one| action(one, currency))
            .collect::<Result<_, _>>()?,
        closes_round: fields.flag("finished")?,
    };
    Ok(bet_or_batch(batch, |_| None))
}

fn action(fields: &Fields<'_>, currency: Currency) -> Result<Action, ParseError> {
    let verb = fields.text("type")?;
    let transaction = fields.id("id_provider", ExternalId::new)?;
    let units = units(fields, currency)?;
    match verb {
        "bet" => Ok(Action::Bet { transaction, units }),
        "win" => Ok(Action::Win {
            transaction,
            units,
            kind: WinKind::Ordinary,
        }),
        // What an unknown verb does to money is not for us to guess.
        _ => Err(fields.wrong("type", "must be \"bet\" or \"win\"")),
    }
}

/// A decimal text of main units, above 0: a loss has no win.
fn units(fields: &Fields<'_>, currency: Currency) -> Result<i64, ParseError> {
    let text = fields.text("amount")?;
    let wrong = |why: String| fields.wrong("amount", format!("{} {why}", quoted(text)));
    let digits = text
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    if text.len() > AMOUNT_CHARS || digits > AMOUNT_DIGITS {
        let why = format!("has more than {AMOUNT_CHARS} characters, or {AMOUNT_DIGITS} decimals");
        return Err(wrong(why));
    }
    let money = amount::from_decimal(text, currency).map_err(|error| wrong(error.to_string()))?;
    if money.units == 0 {
        return Err(wrong("must be above 0".to_owned()));
    }
    Ok(money.units)
}

fn rollback(fields: &Fields<'_>) -> Result<PlayCommand, ParseError> {
    let round = fields.id("round_id_provider", RoundId::new)?;
    let one = |one: &Fields<'_>| {
        if one.text("type")? != "rollback" {
            return Err(one.wrong("type", "must be \"rollback\""));
        }
        Ok(Rollback {
            transaction: one.id("id_provider", ExternalId::new)?,
            target: one.id("original_id_provider", ExternalId::new)?,
            round: Some(round.clone()),
            // The named transaction goes back whole.
            units: None,
        })
    };
    let list = transactions(fields)?
        .iter()
        .map(one)
        .collect::<Result<_, _>>()?;
    Ok(PlayCommand::Rollbacks(list))
}

fn finish(fields: &Fields<'_>) -> Result<PlayCommand, ParseError> {
    Ok(PlayCommand::CloseRound(CloseRound {
        game: GameId::new(NO_GAME).map_err(|error| fields.wrong("round_id", error))?,
        round: fields.id("round_id", RoundId::new)?,
    }))
}
