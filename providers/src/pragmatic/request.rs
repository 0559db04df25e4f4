//! From a form to a [`Call`].

use pitboss_wallet::{
    Action, Bet, BetWin, CloseRound, Currency, ExternalId, GameId, Money, PlayCommand, PlayerId,
    Rollback, RoundId, SessionId, Win, WinKind,
};
use uuid::Uuid;

use super::{BONUS_WIN, ROUND_END};
use crate::{
    Account, Ask, Call, Known, Lookup, ParseError, RawRequest,
    form::{Form, wrong},
    json::quoted,
};

/// The game of what is won in none.
const PROMOTION: &str = "promotion";

/// Every field that is read here; all others are ignored.
pub(super) const FIELDS: &[&str] = &[
    "amount",
    "bonusCode",
    "currency",
    "gameId",
    "hash",
    "jackpotContribution",
    "promoWinAmount",
    "promoWinReference",
    "reference",
    "roundId",
    "token",
    "userId",
];

/// What a path asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Authenticate,
    Balance,
    Bet,
    Result,
    Refund,
    BonusWin,
    JackpotWin,
    PromoWin,
    Adjustment,
    EndRound,
}

impl Verb {
    pub(super) fn of(action: &str) -> Option<Self> {
        Some(match action {
            "authenticate.html" => Self::Authenticate,
            "balance.html" => Self::Balance,
            "bet.html" => Self::Bet,
            "result.html" => Self::Result,
            "refund.html" => Self::Refund,
            "bonusWin.html" => Self::BonusWin,
            "jackpotWin.html" => Self::JackpotWin,
            "promoWin.html" => Self::PromoWin,
            "adjustment.html" => Self::Adjustment,
            "endRound.html" => Self::EndRound,
            _ => return None,
        })
    }

    fn asked(request: &RawRequest<'_>) -> Result<Self, ParseError> {
        let verb = Self::of(request.action).ok_or(ParseError::UnknownAction)?;
        if request.method != "POST" {
            return Err(ParseError::Method { allowed: "POST" });
        }
        Ok(verb)
    }
}

/// The player, and the currency that the id carries. Without one it is no id that we gave.
fn user(form: &Form<'_>) -> Result<(PlayerId, Option<Currency>), ParseError> {
    let read = |text: &str| {
        let known = text.rsplit_once('-').and_then(|(player, code)| {
            let currency = Currency::from_code(code)?;
            Some((PlayerId::new(player).ok()?, Some(currency)))
        });
        known.map_or_else(|| Ok((PlayerId::new(text)?, None)), Ok)
    };
    form.id("userId", read)
}

/// A bet needs its session. A user id that is not one of ours may be that of nobody: that is another answer.
pub(super) fn lookup(request: &RawRequest<'_>) -> Result<Option<Lookup>, ParseError> {
    let verb = Verb::asked(request)?;
    if verb == Verb::Authenticate {
        return Ok(None);
    }
    let form = Form::read(request.body)?;
    let (player, currency) = user(&form)?;
    let Some(currency) = currency else {
        return Ok(Some(Lookup::Player(player)));
    };
    if verb != Verb::Bet {
        return Ok(None);
    }
    Ok(Some(match form.optional_text("token")? {
        Some(token) => Lookup::Token(token.to_owned()),
        None => Lookup::LiveSession { player, currency },
    }))
}

pub(super) fn parse(
    account: &Account,
    request: &RawRequest<'_>,
    known: &Known<'_>,
) -> Result<Call, ParseError> {
    let verb = Verb::asked(request)?;
    let form = Form::read(request.body)?;
    if verb == Verb::Authenticate {
        let token = form.text("token")?.to_owned();
        return Ok(Ask::Authenticate { token }.into());
    }
    let (player, currency) = user(&form)?;
    let currency = currency.ok_or_else(|| {
        let why = "must be as authenticate told it: the player, a hyphen, and his currency";
        wrong("userId", why)
    })?;
    let body = Body {
        form: &form,
        account,
        known,
        currency,
    };
    let mut echo = None;
    let command = match verb {
        Verb::Authenticate | Verb::Balance => None,
        Verb::BonusWin if account.settings.get(&BONUS_WIN) == "summary" => {
            echo = Some(body.reference()?.as_str().to_owned());
            None
        }
        Verb::Bet => Some(PlayCommand::Bet(body.bet()?)),
        Verb::Result => Some(body.result()?),
        Verb::Refund => Some(PlayCommand::Rollback(body.refund()?)),
        Verb::BonusWin => Some(PlayCommand::Win(body.outside(WinKind::Free, currency)?)),
        Verb::JackpotWin => Some(PlayCommand::Win(body.jackpot()?)),
        Verb::PromoWin => {
            let paid_in = body.named_currency()?;
            Some(PlayCommand::Win(body.outside(WinKind::Promo, paid_in)?))
        }
        Verb::Adjustment => Some(PlayCommand::Win(body.adjustment()?)),
        Verb::EndRound => Some(PlayCommand::CloseRound(CloseRound {
            game: body.game()?,
            round: body.round()?,
        })),
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
    account: &'a Account,
    known: &'a Known<'a>,
    currency: Currency,
}

impl Body<'_> {
    fn reference(&self) -> Result<ExternalId, ParseError> {
        self.form.id("reference", ExternalId::new)
    }

    fn game(&self) -> Result<GameId, ParseError> {
        self.form.id("gameId", GameId::new)
    }

    fn round(&self) -> Result<RoundId, ParseError> {
        self.form.id("roundId", RoundId::new)
    }

    /// A promotion tells its currency.
    fn named_currency(&self) -> Result<Currency, ParseError> {
        let Some(code) = self.form.optional_text("currency")? else {
            return Ok(self.currency);
        };
        Currency::from_code(code).ok_or_else(|| {
            let detail = format!("currency: {} is not known here", quoted(code));
            ParseError::UnknownCurrency(detail)
        })
    }

    fn session(&self) -> SessionId {
        let found = self.known.found.as_ref();
        let session = found.and_then(|found| found.session);
        // One that nobody has: the stored transaction is looked for first (T3).
        session.unwrap_or(SessionId(Uuid::nil()))
    }

    fn bet(&self) -> Result<Bet, ParseError> {
        let game = self.game()?;
        let mut amount = self.form.amount("amount", self.currency)?;
        let free_round = self.form.optional_id("bonusCode", ExternalId::new)?;
        if free_round.is_some() {
            // Its amount is for information: nothing is taken.
            amount.units = 0;
        }
        // For information too, and may be finer than money is: no reason to refuse a bet.
        let part = self
            .form
            .optional_amount("jackpotContribution", self.currency);
        let part = part.ok().flatten().map(|part| part.units);
        Ok(Bet {
            transaction: self.reference()?,
            session: self.session(),
            standing: (self.known.game)(&game),
            game,
            round: self.round()?,
            amount,
            closes_round: false,
            free_round,
            jackpot_contribution: part.filter(|part| *part <= amount.units),
        })
    }

    /// A win of the round, which the bet must have opened before.
    fn win(&self, amount: Money) -> Result<Win, ParseError> {
        let game = self.game()?;
        Ok(Win {
            transaction: self.reference()?,
            standing: (self.known.game)(&game),
            game,
            round: self.round()?,
            amount,
            bet: None,
            kind: WinKind::Ordinary,
            closes_round: false,
        })
    }

    /// A result may bring what a promotion pays: both are one commit.
    fn result(&self) -> Result<PlayCommand, ParseError> {
        let settings = &self.account.settings;
        let mut win = self.win(self.form.amount("amount", self.currency)?)?;
        win.closes_round = settings.get(&ROUND_END) == "result";
        let is_free = self.form.optional_text("bonusCode")?.is_some();
        if is_free && settings.get(&BONUS_WIN) == "credit" {
            // The bonusWin at the end pays it.
            win.amount.units = 0;
        }
        let promotion = self.form.optional_amount("promoWinAmount", self.currency)?;
        let Some(promotion) = promotion.filter(|promotion| promotion.units > 0) else {
            return Ok(PlayCommand::Win(win));
        };
        let actions = vec![
            Action::Win {
                transaction: win.transaction,
                units: win.amount.units,
                kind: win.kind,
            },
            Action::Win {
                transaction: self.form.id("promoWinReference", ExternalId::new)?,
                units: promotion.units,
                kind: WinKind::Promo,
            },
        ];
        Ok(PlayCommand::BetWin(BetWin {
            // Wins alone ask for none.
            session: SessionId(Uuid::nil()),
            game: win.game,
            standing: win.standing,
            round: win.round,
            currency: self.currency,
            actions,
            closes_round: win.closes_round,
        }))
    }

    /// One that names its round belongs to the bet in it.
    fn jackpot(&self) -> Result<Win, ParseError> {
        if self.form.optional_text("roundId")?.is_none() {
            return self.outside(WinKind::Jackpot, self.currency);
        }
        self.win(self.form.amount("amount", self.currency)?)
    }

    /// What is won outside of any round has one of its own.
    fn outside(&self, kind: WinKind, currency: Currency) -> Result<Win, ParseError> {
        let game = self.form.optional_id("gameId", GameId::new)?;
        let game = game.map_or_else(|| GameId::new(PROMOTION), Ok);
        let game = game.map_err(|error| wrong("gameId", error))?;
        let transaction = self.reference()?;
        let round =
            RoundId::new(transaction.as_str()).map_err(|error| wrong("reference", error))?;
        Ok(Win {
            transaction,
            standing: (self.known.game)(&game),
            game,
            round,
            amount: self.form.amount("amount", currency)?,
            bet: None,
            kind,
            closes_round: true,
        })
    }

    fn adjustment(&self) -> Result<Win, ParseError> {
        let text = self.form.text("amount")?;
        let is_debit = text
            .strip_prefix('-')
            .is_some_and(|rest| rest.contains(|c: char| ('1'..='9').contains(&c)));
        if is_debit {
            let why = "an adjustment that takes money is not supported";
            return Err(wrong("amount", why));
        }
        self.win(self.form.amount("amount", self.currency)?)
    }

    /// The reference is that of the bet.
    fn refund(&self) -> Result<Rollback, ParseError> {
        let target = self.reference()?;
        let amount = self.form.optional_amount("amount", self.currency)?;
        Ok(Rollback {
            transaction: target.clone(),
            target,
            round: self.form.optional_id("roundId", RoundId::new)?,
            units: amount.map(|amount| amount.units),
        })
    }
}
