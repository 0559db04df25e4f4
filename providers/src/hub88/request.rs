//! From a body to a [`Call`].

use pitboss_wallet::{
    Bet, Currency, ExternalId, GameId, Money, PlayCommand, PlayerId, Rollback, RoundId, SessionId,
    Win, WinKind,
};
use uuid::Uuid;

use super::{DIGITS, PATHS};
use crate::{
    Account, Ask, Call, Known, Lookup, ParseError, RawRequest, amount,
    fields::Fields,
    json::{self, quoted},
};

/// What a path asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Info,
    Balance,
    Bet,
    Win,
    Rollback,
}

fn verb(account: &Account, request: &RawRequest<'_>) -> Result<Verb, ParseError> {
    let verb = match (account.settings.get(&PATHS), request.action) {
        ("hub88", "user/info") | ("wallet", "wallet/check") => Verb::Info,
        ("hub88", "user/balance") | ("wallet", "wallet/balance") => Verb::Balance,
        ("hub88", "transaction/bet") | ("wallet", "wallet/bet") => Verb::Bet,
        ("hub88", "transaction/win") | ("wallet", "wallet/win") => Verb::Win,
        ("hub88", "transaction/rollback") | ("wallet", "wallet/rollback") => Verb::Rollback,
        _ => return Err(ParseError::UnknownAction),
    };
    if request.method != "POST" {
        return Err(ParseError::Method { allowed: "POST" });
    }
    Ok(verb)
}

/// The token names player, session and currency; where there is none, the player is named.
pub(super) fn lookup(
    account: &Account,
    request: &RawRequest<'_>,
) -> Result<Option<Lookup>, ParseError> {
    verb(account, request)?;
    let object = json::object(request.body)?;
    let fields = Fields::of(&object);
    Ok(match fields.optional_text("token")? {
        Some(token) if !token.is_empty() => Some(Lookup::Token(token.to_owned())),
        _ => fields
            .optional_id("user", PlayerId::new)?
            .map(Lookup::Player),
    })
}

pub(super) fn parse(
    account: &Account,
    request: &RawRequest<'_>,
    known: &Known<'_>,
) -> Result<Call, ParseError> {
    let verb = verb(account, request)?;
    let object = json::object(request.body)?;
    let body = Body {
        fields: Fields::of(&object),
        known,
        account,
    };
    let player = body.player()?;
    let ask = match verb {
        Verb::Info => Ask::Profile {
            currency: body.currency()?,
            player,
        },
        Verb::Balance => Ask::Balance {
            currency: body.currency()?,
            player,
        },
        Verb::Bet => body.play(player, PlayCommand::Bet(body.bet()?)),
        Verb::Win => body.play(player, PlayCommand::Win(body.win()?)),
        Verb::Rollback => body.play(player, PlayCommand::Rollback(body.rollback()?)),
    };
    Ok(Call {
        ask,
        echo: None,
        currency: known.found.as_ref().map(|found| found.currency),
    })
}

struct Body<'a> {
    fields: Fields<'a>,
    known: &'a Known<'a>,
    account: &'a Account,
}

impl Body<'_> {
    /// The one whom the request names; else the one whose token it is. A token that is not the named player's gives him
    /// no session.
    fn player(&self) -> Result<PlayerId, ParseError> {
        if let Some(named) = self.fields.optional_id("user", PlayerId::new)? {
            return Ok(named);
        }
        match &self.known.found {
            Some(found) => Ok(found.player.clone()),
            // No player has this id, whatever the token was: the answer is that he is not known.
            None => PlayerId::new("-").map_err(|error| self.fields.wrong("token", error)),
        }
    }

    /// Of the request; else of the session.
    fn currency(&self) -> Result<Currency, ParseError> {
        if self.fields.optional_text("currency")?.is_some() {
            return self.fields.currency();
        }
        let found = self.known.found.as_ref();
        found.map(|found| found.currency).ok_or_else(|| {
            let detail = "the token is not known, and no currency is named";
            ParseError::UnknownCurrency(detail.to_owned())
        })
    }

    fn session(&self) -> SessionId {
        let found = self.known.found.as_ref();
        let session = found.and_then(|found| found.session);
        // One that nobody has: the stored transaction is looked for first (T3).
        session.unwrap_or(SessionId(Uuid::nil()))
    }

    fn amount(&self) -> Result<Money, ParseError> {
        let text = self.fields.number("amount")?;
        amount::from_integer(text, DIGITS, self.currency()?).map_err(|error| {
            let why = format!("{} {error}", quoted(text));
            self.fields.wrong("amount", why)
        })
    }

    fn bet(&self) -> Result<Bet, ParseError> {
        let fields = &self.fields;
        let game = fields.id("game_code", GameId::new)?;
        let mut amount = self.amount()?;
        let free_round = if fields.flag("is_free")? {
            // Its amount is for information: nothing is taken.
            amount.units = 0;
            let reward = fields.optional_id("reward_uuid", ExternalId::new)?;
            Some(reward.unwrap_or(fields.id("transaction_uuid", ExternalId::new)?))
        } else {
            None
        };
        Ok(Bet {
            transaction: fields.id("transaction_uuid", ExternalId::new)?,
            session: self.session(),
            standing: (self.known.game)(&game),
            game,
            round: fields.id("round", RoundId::new)?,
            amount,
            closes_round: fields.flag("round_closed")?,
            free_round,
            jackpot_contribution: None,
        })
    }

    fn win(&self) -> Result<Win, ParseError> {
        let fields = &self.fields;
        let transaction = fields.id("transaction_uuid", ExternalId::new)?;
        let game = fields.id("game_code", GameId::new)?;
        let is_promo = fields.flag("is_supplier_promo")?;
        let kind = if is_promo {
            WinKind::Promo
        } else if fields.flag("is_free")? {
            WinKind::Free
        } else {
            WinKind::Ordinary
        };
        // A promotion pays without a bet, and may come without a round.
        let (bet, round) = if is_promo {
            let round = fields.optional_id("round", RoundId::new)?;
            let own = || RoundId::new(transaction.as_str());
            let round = round.map_or_else(own, Ok);
            (None, round.map_err(|error| fields.wrong("round", error))?)
        } else {
            let bet = fields.id("reference_transaction_uuid", ExternalId::new)?;
            (Some(bet), fields.id("round", RoundId::new)?)
        };
        Ok(Win {
            transaction,
            standing: (self.known.game)(&game),
            game,
            round,
            amount: self.amount()?,
            bet,
            kind,
            closes_round: fields.flag("round_closed")? || is_promo,
        })
    }

    fn rollback(&self) -> Result<Rollback, ParseError> {
        let fields = &self.fields;
        Ok(Rollback {
            transaction: fields.id("transaction_uuid", ExternalId::new)?,
            target: fields.id("reference_transaction_uuid", ExternalId::new)?,
            round: fields.optional_id("round", RoundId::new)?,
            units: None,
        })
    }

    fn play(&self, player: PlayerId, command: PlayCommand) -> Ask {
        Ask::Play {
            player,
            play: self.account.play(command),
        }
    }
}
