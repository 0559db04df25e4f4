//! From a body to a [`Call`].

use pitboss_wallet::{
    Bet, CloseRound, ExternalId, GameId, Money, PlayCommand, PlayerId, Rollback, RoundId,
    SessionId, Win, WinKind,
};

use super::{GAME, Verb};
use crate::{
    Account, Ask, Call, Known, Lookup, ParseError, RawRequest, amount,
    fields::{Fields, session_id},
    json::{self, quoted},
};

/// The game of a payout that names none.
const NO_GAME: &str = "promo";

fn verb(request: &RawRequest<'_>) -> Result<Verb, ParseError> {
    let verb = Verb::of(request.action).ok_or(ParseError::UnknownAction)?;
    if request.method != "POST" {
        return Err(ParseError::Method { allowed: "POST" });
    }
    Ok(verb)
}

/// The player is launched with a token; `check` exchanges it for our session id, which is the `sid` from then on.
pub(super) fn lookup(request: &RawRequest<'_>) -> Result<Option<Lookup>, ParseError> {
    let verb = verb(request)?;
    if !matches!(verb, Verb::Check | Verb::Debit) {
        return Ok(None);
    }
    let object = json::object(request.body)?;
    let sid = Fields::of(&object).text("sid")?;
    Ok(match SessionId::parse(sid) {
        Ok(session) if verb == Verb::Check => Some(Lookup::Session(session)),
        // The wallet knows the player's sessions.
        Ok(_) => None,
        Err(_) => Some(Lookup::LaunchToken(sid.to_owned())),
    })
}

pub(super) fn parse(
    account: &Account,
    request: &RawRequest<'_>,
    known: &Known<'_>,
) -> Result<Call, ParseError> {
    let verb = verb(request)?;
    let object = json::object(request.body)?;
    let body = Body {
        fields: Fields::of(&object),
        account,
        known,
    };
    let player = body.fields.id("userId", PlayerId::new)?;
    let command = match verb {
        Verb::Check => return body.check(player),
        Verb::Balance => {
            let currency = body.fields.currency()?;
            return Ok(Ask::Balance { player, currency }.into());
        }
        Verb::Debit => PlayCommand::Bet(body.debit()?),
        Verb::Credit => PlayCommand::Win(body.credit()?),
        Verb::Cancel => PlayCommand::Rollback(body.cancel()?),
        Verb::Promo => PlayCommand::Win(body.promo()?),
        Verb::Close => PlayCommand::CloseRound(body.close()?),
    };
    // A cancel or a close is answered with a balance, too.
    let currency = body.fields.currency().ok();
    Ok(Call::play(account, player, currency, command))
}

struct Body<'a> {
    fields: Fields<'a>,
    account: &'a Account,
    known: &'a Known<'a>,
}

impl Body<'_> {
    fn check(&self, player: PlayerId) -> Result<Call, ParseError> {
        let sid = self.fields.text("sid")?;
        let found = self.known.found.as_ref();
        // A token is used up by its exchange, so it is looked at before whose it is.
        if found.is_some_and(|found| found.player != player) {
            return Err(self.fields.wrong("userId", "is not the player of this sid"));
        }
        Ok(Call {
            ask: match SessionId::parse(sid) {
                Ok(session) => Ask::KeepAlive { player, session },
                Err(_) => Ask::Authenticate {
                    token: sid.to_owned(),
                },
            },
            echo: None,
            currency: found.map(|found| found.currency),
        })
    }

    /// Where the game is played: id of the round, and which game it is.
    fn game(&self) -> Result<(GameId, RoundId), ParseError> {
        let game = self.fields.object("game")?;
        Ok((self.game_of(&game)?, game.id("id", RoundId::new)?))
    }

    fn game_of(&self, game: &Fields<'_>) -> Result<GameId, ParseError> {
        match self.account.settings.get(&GAME) {
            "type" => game.id("type", GameId::new),
            _ => game
                .object("details")?
                .object("table")?
                .id("id", GameId::new),
        }
    }

    fn amount(&self, of: &Fields<'_>) -> Result<Money, ParseError> {
        let text = of.number("amount")?;
        amount::from_decimal(text, self.fields.currency()?)
            .map_err(|error| of.wrong("amount", format_args!("{} {error}", quoted(text))))
    }

    fn debit(&self) -> Result<Bet, ParseError> {
        let transaction = self.fields.object("transaction")?;
        let (game, round) = self.game()?;
        let found = self.known.found.as_ref();
        let launched = found.and_then(|found| found.session);
        Ok(Bet {
            // What debit, credit and cancel of one bet share.
            transaction: transaction.id("refId", ExternalId::new)?,
            session: launched.unwrap_or(session_id(self.fields.text("sid")?)),
            standing: (self.known.game)(&game),
            game,
            round,
            amount: self.amount(&transaction)?,
            closes_round: false,
            free_round: None,
            jackpot_contribution: None,
        })
    }

    /// One credit for each bet: its key is that of the bet. Which other bets of the game it settles as well, only the
    /// provider knows.
    fn credit(&self) -> Result<Win, ParseError> {
        let transaction = self.fields.object("transaction")?;
        let bet = transaction.id("refId", ExternalId::new)?;
        let (game, round) = self.game()?;
        Ok(Win {
            transaction: bet.clone(),
            standing: (self.known.game)(&game),
            game,
            round,
            amount: self.amount(&transaction)?,
            bet: Some(bet),
            kind: WinKind::Ordinary,
            closes_round: false,
        })
    }

    fn cancel(&self) -> Result<Rollback, ParseError> {
        let transaction = self.fields.object("transaction")?;
        let bet = transaction.id("refId", ExternalId::new)?;
        let game = self.fields.optional_object("game")?;
        let round = match game {
            Some(game) => game.optional_id("id", RoundId::new)?,
            None => None,
        };
        Ok(Rollback {
            transaction: bet.clone(),
            target: bet,
            round,
            units: Some(self.amount(&transaction)?.units),
        })
    }

    /// Whatever its type is: it is paid, in a round of its own, so that it settles no bet.
    fn promo(&self) -> Result<Win, ParseError> {
        let promo = self.fields.object("promoTransaction")?;
        let kind = match promo.text("type")? {
            "FreeRoundPlayableSpent" => WinKind::Free,
            "JackpotWin" => WinKind::Jackpot,
            "RtrMonetaryReward" => WinKind::Tournament,
            _ => WinKind::Promo,
        };
        let game = match self.fields.optional_object("game")? {
            // Of no consequence for what is paid: it may be told in part.
            Some(game) => self.game_of(&game).ok(),
            None => None,
        };
        let none = || GameId::new(NO_GAME);
        let game = game.map_or_else(none, Ok);
        let game = game.map_err(|error| self.fields.wrong("game", error))?;
        Ok(Win {
            transaction: promo.id("id", ExternalId::new)?,
            standing: (self.known.game)(&game),
            game,
            round: promo.id("id", RoundId::new)?,
            amount: self.amount(&promo)?,
            bet: None,
            kind,
            closes_round: true,
        })
    }

    fn close(&self) -> Result<CloseRound, ParseError> {
        let (game, round) = self.game()?;
        Ok(CloseRound { game, round })
    }
}
