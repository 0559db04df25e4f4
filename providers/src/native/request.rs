//! From a body to a [`Call`].

use pitboss_wallet::{
    Action, Bet, BetWin, CloseRound, Currency, ExternalId, GameId, IdError, Money, PlayCommand,
    PlayerId, Rollback, RoundId, SessionId, Win, WinKind,
};
use uuid::Uuid;

use crate::{
    Account, Ask, Call, Known, ParseError, RawRequest,
    json::{self, Object, Value, quoted},
};

/// The greatest number of actions in one `bet_win`.
pub const MAX_ACTIONS: usize = 100;

const WIN_KINDS: [(&str, WinKind); 6] = [
    ("ordinary", WinKind::Ordinary),
    ("free", WinKind::Free),
    ("jackpot", WinKind::Jackpot),
    ("promo", WinKind::Promo),
    ("tournament", WinKind::Tournament),
    ("correction", WinKind::Correction),
];

/// One action's reader.
type Read = fn(&Fields<'_>, &Account, &Known<'_>) -> Result<Ask, ParseError>;

pub(super) fn parse(
    account: &Account,
    request: &RawRequest<'_>,
    known: &Known<'_>,
) -> Result<Call, ParseError> {
    let read: Read = match request.action {
        "authenticate" => authenticate,
        "balance" => balance,
        "bet" => bet,
        "win" => win,
        "bet_win" => bet_win,
        "rollback" => rollback,
        "close_round" => close_round,
        _ => return Err(ParseError::UnknownAction),
    };
    if request.method != "POST" {
        return Err(ParseError::Method { allowed: "POST" });
    }
    let object = json::object(request.body)?;
    let fields = Fields {
        object: &object,
        index: None,
    };
    read(&fields, account, known).map(Call::from)
}

fn authenticate(fields: &Fields<'_>, _: &Account, _: &Known<'_>) -> Result<Ask, ParseError> {
    let token = fields.text("token")?;
    if token.is_empty() {
        return Err(fields.wrong("token", "must not be empty"));
    }
    Ok(Ask::Authenticate {
        token: token.to_owned(),
    })
}

fn balance(fields: &Fields<'_>, _: &Account, _: &Known<'_>) -> Result<Ask, ParseError> {
    Ok(Ask::Balance {
        player: fields.id("player", PlayerId::new)?,
        currency: fields.currency()?,
    })
}

fn bet(fields: &Fields<'_>, account: &Account, known: &Known<'_>) -> Result<Ask, ParseError> {
    let currency = fields.currency()?;
    let game = fields.id("game", GameId::new)?;
    let bet = Bet {
        transaction: fields.id("transaction_id", ExternalId::new)?,
        session: fields.session()?,
        standing: (known.game)(&game),
        game,
        round: fields.id("round", RoundId::new)?,
        amount: fields.amount("amount", currency)?,
        closes_round: fields.flag("round_closed")?,
        free_round: fields.optional_id("free_round", ExternalId::new)?,
        jackpot_contribution: fields
            .optional_amount("jackpot_contribution", currency)?
            .map(|money| money.units),
    };
    fields.play(account, PlayCommand::Bet(bet))
}

fn win(fields: &Fields<'_>, account: &Account, known: &Known<'_>) -> Result<Ask, ParseError> {
    let game = fields.id("game", GameId::new)?;
    let win = Win {
        transaction: fields.id("transaction_id", ExternalId::new)?,
        standing: (known.game)(&game),
        game,
        round: fields.id("round", RoundId::new)?,
        amount: fields.amount("amount", fields.currency()?)?,
        bet: fields.optional_id("bet_transaction_id", ExternalId::new)?,
        kind: fields.win_kind()?,
        closes_round: fields.flag("round_closed")?,
    };
    fields.play(account, PlayCommand::Win(win))
}

fn bet_win(fields: &Fields<'_>, account: &Account, known: &Known<'_>) -> Result<Ask, ParseError> {
    let currency = fields.currency()?;
    let game = fields.id("game", GameId::new)?;
    let batch = BetWin {
        session: fields.session()?,
        standing: (known.game)(&game),
        game,
        round: fields.id("round", RoundId::new)?,
        currency,
        actions: fields.actions(currency)?,
        closes_round: fields.flag("round_closed")?,
    };
    fields.play(account, PlayCommand::BetWin(batch))
}

fn rollback(fields: &Fields<'_>, account: &Account, _: &Known<'_>) -> Result<Ask, ParseError> {
    let rollback = Rollback {
        transaction: fields.id("transaction_id", ExternalId::new)?,
        target: fields.id("target_transaction_id", ExternalId::new)?,
        round: fields.optional_id("round", RoundId::new)?,
        // The whole target goes back, always.
        units: None,
    };
    fields.play(account, PlayCommand::Rollback(rollback))
}

fn close_round(fields: &Fields<'_>, account: &Account, _: &Known<'_>) -> Result<Ask, ParseError> {
    let close = CloseRound {
        game: fields.id("game", GameId::new)?,
        round: fields.id("round", RoundId::new)?,
    };
    fields.play(account, PlayCommand::CloseRound(close))
}

/// The fields of one object. Every complaint names its field; those that are not asked for are ignored.
struct Fields<'a> {
    object: &'a Object<'a>,
    /// Which of the actions the object is, when it is not the body itself.
    index: Option<usize>,
}

impl<'a> Fields<'a> {
    fn wrong(&self, name: &str, why: impl std::fmt::Display) -> ParseError {
        ParseError::Malformed(format!("{}: {why}", self.place(name)))
    }

    fn place(&self, name: &str) -> String {
        match self.index {
            Some(index) => format!("actions[{index}].{name}"),
            None => name.to_owned(),
        }
    }

    /// The field's value; `null` is the same as absent.
    fn value(&self, name: &str) -> Option<&'a Value<'a>> {
        self.object
            .get(name)
            .filter(|value| !matches!(value, Value::Null))
    }

    fn mismatch(&self, name: &str, expected: &str, value: &Value<'_>) -> ParseError {
        let why = format!("must be {expected}, and is {}", value.kind());
        self.wrong(name, why)
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, ParseError> {
        value.ok_or_else(|| self.wrong(name, "is missing"))
    }

    fn optional_text(&self, name: &str) -> Result<Option<&'a str>, ParseError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.mismatch(name, "a text", other)),
        }
    }

    fn text(&self, name: &str) -> Result<&'a str, ParseError> {
        self.required(name, self.optional_text(name)?)
    }

    fn flag(&self, name: &str) -> Result<bool, ParseError> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => Err(self.mismatch(name, "true or false", other)),
        }
    }

    fn optional_id<T>(
        &self,
        name: &str,
        new: impl FnOnce(&'a str) -> Result<T, IdError>,
    ) -> Result<Option<T>, ParseError> {
        self.optional_text(name)?
            .map(new)
            .transpose()
            .map_err(|error| self.wrong(name, error))
    }

    fn id<T>(
        &self,
        name: &str,
        new: impl FnOnce(&'a str) -> Result<T, IdError>,
    ) -> Result<T, ParseError> {
        self.required(name, self.optional_id(name, new)?)
    }

    /// A text that is no session id names no session. That is for the wallet to say, after it has looked
    /// for the stored transaction (T3): here it becomes an id that no session ever has.
    fn session(&self) -> Result<SessionId, ParseError> {
        let text = self.text("session")?;
        Ok(SessionId::parse(text).unwrap_or(SessionId(Uuid::nil())))
    }

    fn currency(&self) -> Result<Currency, ParseError> {
        let code = self.text("currency")?;
        Currency::from_code(code).ok_or_else(|| {
            let place = self.place("currency");
            ParseError::UnknownCurrency(format!("{place}: {} is not known here", quoted(code)))
        })
    }

    fn optional_amount(&self, name: &str, currency: Currency) -> Result<Option<Money>, ParseError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Money::parse(text, currency)
                .map(Some)
                .map_err(|error| self.wrong(name, error)),
            Some(other) => {
                Err(self.mismatch(name, "a decimal number as a text, such as \"12.50\"", other))
            }
        }
    }

    fn amount(&self, name: &str, currency: Currency) -> Result<Money, ParseError> {
        self.required(name, self.optional_amount(name, currency)?)
    }

    fn win_kind(&self) -> Result<WinKind, ParseError> {
        let Some(text) = self.optional_text("kind")? else {
            return Ok(WinKind::default());
        };
        WIN_KINDS
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| self.wrong("kind", format_args!("{} is no kind of win", quoted(text))))
    }

    fn actions(&self, currency: Currency) -> Result<Vec<Action>, ParseError> {
        let list = match self.required("actions", self.value("actions"))? {
            Value::List(list) => list,
            other => return Err(self.mismatch("actions", "a list", other)),
        };
        if list.is_empty() || list.len() > MAX_ACTIONS {
            let why = format!(
                "must have 1 to {MAX_ACTIONS} entries, and has {}",
                list.len()
            );
            return Err(self.wrong("actions", why));
        }
        list.iter()
            .enumerate()
            .map(|(index, item)| match item {
                Value::Object(object) => Fields {
                    object,
                    index: Some(index),
                }
                .action(currency),
                other => {
                    let place = format!("actions[{index}]");
                    Err(self.mismatch(&place, "an object", other))
                }
            })
            .collect()
    }

    fn action(&self, currency: Currency) -> Result<Action, ParseError> {
        let kind = self.text("type")?;
        let transaction = self.id("transaction_id", ExternalId::new)?;
        let units = self.amount("amount", currency)?.units;
        match kind {
            "bet" => Ok(Action::Bet { transaction, units }),
            "win" => Ok(Action::Win {
                transaction,
                units,
                kind: WinKind::Ordinary,
            }),
            // What an unknown verb does to money is not for us to guess.
            _ => Err(self.wrong("type", "must be \"bet\" or \"win\"")),
        }
    }

    fn play(&self, account: &Account, command: PlayCommand) -> Result<Ask, ParseError> {
        Ok(Ask::Play {
            player: self.id("player", PlayerId::new)?,
            play: account.play(command),
        })
    }
}
