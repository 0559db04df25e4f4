//! From a body to a [`Call`].

use pitboss_wallet::{
    Action, Bet, BetWin, CloseRound, Currency, ExternalId, GameId, PlayCommand, PlayerId, Rollback,
    RoundId, Win, WinKind,
};

use crate::{
    Account, Ask, Call, Known, ParseError, RawRequest,
    fields::Fields,
    json::{self, quoted},
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
    read(&Fields::of(&object), account, known).map(Call::from)
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
        session: fields.session("session")?,
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
    play(fields, account, PlayCommand::Bet(bet))
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
        kind: win_kind(fields)?,
        closes_round: fields.flag("round_closed")?,
    };
    play(fields, account, PlayCommand::Win(win))
}

fn bet_win(fields: &Fields<'_>, account: &Account, known: &Known<'_>) -> Result<Ask, ParseError> {
    let currency = fields.currency()?;
    let game = fields.id("game", GameId::new)?;
    let batch = BetWin {
        session: fields.session("session")?,
        standing: (known.game)(&game),
        game,
        round: fields.id("round", RoundId::new)?,
        currency,
        actions: actions(fields, currency)?,
        closes_round: fields.flag("round_closed")?,
    };
    play(fields, account, PlayCommand::BetWin(batch))
}

fn rollback(fields: &Fields<'_>, account: &Account, _: &Known<'_>) -> Result<Ask, ParseError> {
    let rollback = Rollback {
        transaction: fields.id("transaction_id", ExternalId::new)?,
        target: fields.id("target_transaction_id", ExternalId::new)?,
        round: fields.optional_id("round", RoundId::new)?,
        // The whole target goes back, always.
        units: None,
    };
    play(fields, account, PlayCommand::Rollback(rollback))
}

fn close_round(fields: &Fields<'_>, account: &Account, _: &Known<'_>) -> Result<Ask, ParseError> {
    let close = CloseRound {
        game: fields.id("game", GameId::new)?,
        round: fields.id("round", RoundId::new)?,
    };
    play(fields, account, PlayCommand::CloseRound(close))
}

fn win_kind(fields: &Fields<'_>) -> Result<WinKind, ParseError> {
    let Some(text) = fields.optional_text("kind")? else {
        return Ok(WinKind::default());
    };
    WIN_KINDS
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, kind)| *kind)
        .ok_or_else(|| fields.wrong("kind", format_args!("{} is no kind of win", quoted(text))))
}

fn actions(fields: &Fields<'_>, currency: Currency) -> Result<Vec<Action>, ParseError> {
    let list = fields.objects("actions", MAX_ACTIONS)?;
    list.iter().map(|one| action(one, currency)).collect()
}

fn action(fields: &Fields<'_>, currency: Currency) -> Result<Action, ParseError> {
    let kind = fields.text("type")?;
    let transaction = fields.id("transaction_id", ExternalId::new)?;
    let units = fields.amount("amount", currency)?.units;
    match kind {
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

fn play(fields: &Fields<'_>, account: &Account, command: PlayCommand) -> Result<Ask, ParseError> {
    Ok(Ask::Play {
        player: fields.id("player", PlayerId::new)?,
        play: account.play(command),
    })
}
