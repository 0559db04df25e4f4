//! From a body or a query to a [`Call`].

use pitboss_wallet::{
    Bet, ExternalId, GameId, Money, MoneyError, PlayCommand, Rollback, RoundId, SessionId, Win,
    WinKind,
};

use crate::{
    Account, Ask, Call, Found, Known, Lookup, ParseError, RawRequest, amount,
    fields::Fields,
    form::Form,
    json::{self, quoted},
};

/// What a path asks.
enum Verb {
    Balance,
    Play(fn(&Body<'_>) -> Result<PlayCommand, ParseError>),
}

fn verb(request: &RawRequest<'_>) -> Result<Verb, ParseError> {
    let (verb, allowed) = match request.action {
        "balance" => (Verb::Balance, "GET"),
        "bet" => (Verb::Play(bet), "POST"),
        "win" => (Verb::Play(win), "POST"),
        "refund" => (Verb::Play(refund), "POST"),
        _ => return Err(ParseError::UnknownAction),
    };
    if request.method != allowed {
        return Err(ParseError::Method { allowed });
    }
    Ok(verb)
}

/// The session, which tells player, currency and game: nothing else in a request does.
fn session(request: &RawRequest<'_>, verb: &Verb) -> Result<String, ParseError> {
    const NAME: &str = "sessionID";
    let missing = || ParseError::Malformed(format!("{NAME}: is missing"));
    let text = match verb {
        Verb::Balance => {
            let query = Form::read(request.query.as_bytes())?;
            query.get(NAME)?.ok_or_else(missing)?.to_owned()
        }
        Verb::Play(_) => {
            let object = json::object(request.body)?;
            Fields::of(&object).text(NAME)?.to_owned()
        }
    };
    if text.is_empty() {
        return Err(missing());
    }
    Ok(text)
}

/// By what the game was opened with: the session's id, or its launch token.
pub(super) fn lookup(request: &RawRequest<'_>) -> Result<Option<Lookup>, ParseError> {
    let text = session(request, &verb(request)?)?;
    Ok(Some(match SessionId::parse(&text) {
        Ok(session) => Lookup::Session(session),
        Err(_) => Lookup::Token(text),
    }))
}

pub(super) fn parse(
    account: &Account,
    request: &RawRequest<'_>,
    known: &Known<'_>,
) -> Result<Call, ParseError> {
    let verb = verb(request)?;
    let Some(seat) = known.found.as_ref().and_then(Seat::of) else {
        // Nobody has this session. Asked to take it over, the server says just that.
        let token = session(request, &verb)?;
        return Ok(Ask::Authenticate { token }.into());
    };
    let (player, currency) = (seat.found.player.clone(), seat.found.currency);
    let ask = match verb {
        Verb::Balance => Ask::Balance { player, currency },
        Verb::Play(read) => {
            let object = json::object(request.body)?;
            let fields = Fields::of(&object);
            let body = Body {
                fields,
                known,
                seat: &seat,
            };
            let play = account.play(read(&body)?);
            Ask::Play { player, play }
        }
    };
    Ok(Call {
        ask,
        echo: None,
        currency: Some(currency),
    })
}

/// A game session, live or over.
struct Seat<'a> {
    found: &'a Found,
    session: SessionId,
    game: &'a GameId,
}

impl<'a> Seat<'a> {
    fn of(found: &'a Found) -> Option<Self> {
        Some(Self {
            found,
            session: found.session?,
            game: found.game.as_ref()?,
        })
    }
}

struct Body<'a> {
    fields: Fields<'a>,
    known: &'a Known<'a>,
    seat: &'a Seat<'a>,
}

impl Body<'_> {
    /// Whether it is of free rounds, which the provider plays by himself: it is told for information.
    fn is_free(&self) -> Result<bool, ParseError> {
        match self.fields.text("type")? {
            "regular" => Ok(false),
            "free" => Ok(true),
            // What an unknown kind does to money is not for us to guess.
            _ => Err(self.fields.wrong("type", "must be \"regular\" or \"free\"")),
        }
    }

    /// The free rounds that it belongs to.
    fn free_rounds(&self) -> Result<Option<ExternalId>, ParseError> {
        match self.fields.optional_text("frID")? {
            None | Some("") => Ok(None),
            Some(_) => self.fields.optional_id("frID", ExternalId::new),
        }
    }

    fn amount(&self) -> Result<Money, ParseError> {
        let text = self.fields.text("amount")?;
        let has_zeros_in_front = text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
        let money = if has_zeros_in_front {
            Err(MoneyError::Form)
        } else {
            amount::from_decimal(text, self.seat.found.currency)
        };
        money.map_err(|error| {
            let why = format!("{} {error}", quoted(text));
            self.fields.wrong("amount", why)
        })
    }
}

fn bet(body: &Body<'_>) -> Result<PlayCommand, ParseError> {
    let transaction = body.fields.id("txID", ExternalId::new)?;
    let mut amount = body.amount()?;
    let mut free_round = None;
    if body.is_free()? {
        amount.units = 0;
        free_round = Some(body.free_rounds()?.unwrap_or(transaction.clone()));
    }
    Ok(PlayCommand::Bet(Bet {
        transaction,
        session: body.seat.session,
        standing: (body.known.game)(body.seat.game),
        game: body.seat.game.clone(),
        round: body.fields.id("roundID", RoundId::new)?,
        amount,
        closes_round: false,
        free_round,
        jackpot_contribution: None,
    }))
}

/// What free rounds have won is paid once, at their end: by a regular win that names them.
fn win(body: &Body<'_>) -> Result<PlayCommand, ParseError> {
    let mut amount = body.amount()?;
    let mut kind = WinKind::Ordinary;
    if body.is_free()? {
        amount.units = 0;
        kind = WinKind::Free;
    } else if body.free_rounds()?.is_some() {
        kind = WinKind::Free;
    }
    Ok(PlayCommand::Win(Win {
        transaction: body.fields.id("txID", ExternalId::new)?,
        standing: (body.known.game)(body.seat.game),
        game: body.seat.game.clone(),
        round: body.fields.id("roundID", RoundId::new)?,
        amount,
        bet: None,
        kind,
        closes_round: false,
    }))
}

fn refund(body: &Body<'_>) -> Result<PlayCommand, ParseError> {
    Ok(PlayCommand::Rollback(Rollback {
        transaction: body.fields.id("txID", ExternalId::new)?,
        target: body.fields.id("origTxID", ExternalId::new)?,
        round: body.fields.optional_id("roundID", RoundId::new)?,
        units: Some(body.amount()?.units),
    }))
}
