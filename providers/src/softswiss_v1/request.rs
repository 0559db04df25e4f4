//! From a body to a [`Call`].

use pitboss_wallet::{
    Action, Bet, BetWin, CloseRound, Currency, ExternalId, GameId, GameStanding, Money,
    PlayCommand, PlayerId, Rollback, RoundId, Win, WinKind,
};

use super::{JACKPOT_WIN, SEPARATE, session, subunits};
use crate::{
    Account, Ask, Call, Known, Lookup, ParseError, RawRequest, amount,
    fields::Fields,
    json::{self, Value, quoted},
};

/// The greatest number of actions in one request.
const MAX_ACTIONS: usize = 100;

/// The game of a total of free spins: the request names none, and a free win asks for none.
const FREE_SPINS: &str = "freespins";

/// What a path asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Play,
    Rollback,
    FreeSpins,
}

fn verb(request: &RawRequest<'_>) -> Result<Verb, ParseError> {
    let verb = match request.action {
        "play" => Verb::Play,
        "rollback" => Verb::Rollback,
        "freespins" => Verb::FreeSpins,
        _ => return Err(ParseError::UnknownAction),
    };
    if request.method != "POST" {
        return Err(ParseError::Method { allowed: "POST" });
    }
    Ok(verb)
}

/// A session is asked for only when an action is a bet.
pub(super) fn lookup(
    account: &Account,
    request: &RawRequest<'_>,
) -> Result<Option<Lookup>, ParseError> {
    if verb(request)? != Verb::Play {
        return Ok(None);
    }
    let object = json::object(request.body)?;
    let fields = Fields::of(&object);
    let is_bet = |action: &Fields<'_>| action.text("action") == Ok("bet");
    if !actions(&fields)?.iter().any(is_bet) {
        return Ok(None);
    }
    let player = fields.id("user_id", PlayerId::new)?;
    session::lookup(account, &fields, player, fields.currency()?)
}

pub(super) fn parse(
    account: &Account,
    request: &RawRequest<'_>,
    known: &Known<'_>,
) -> Result<Call, ParseError> {
    let verb = verb(request)?;
    let object = json::object(request.body)?;
    let fields = Fields::of(&object);
    match verb {
        Verb::Play => play(account, &fields, known),
        Verb::Rollback => rollback(account, &fields),
        Verb::FreeSpins => free_spins(account, &fields),
    }
}

/// The list may be missing, or empty: then there is nothing to play.
fn actions<'a>(fields: &Fields<'a>) -> Result<Vec<Fields<'a>>, ParseError> {
    match fields.value("actions") {
        None => Ok(Vec::new()),
        Some(Value::List(list)) if list.is_empty() => Ok(Vec::new()),
        Some(_) => fields.objects("actions", MAX_ACTIONS),
    }
}

fn play(account: &Account, fields: &Fields<'_>, known: &Known<'_>) -> Result<Call, ParseError> {
    let player = fields.id("user_id", PlayerId::new)?;
    let currency = fields.currency()?;
    let digits = subunits::needed(account, currency)?;
    let actions = actions(fields)?;
    let closes_round = fields.flag("finished")?;
    if actions.is_empty() {
        let round = fields.optional_id("game_id", RoundId::new)?;
        return Ok(match round.filter(|_| closes_round) {
            // Nothing more comes in this round: open bets are lost.
            Some(round) => {
                let game = fields.id("game", GameId::new)?;
                let close = CloseRound { game, round };
                Call::play(
                    account,
                    player,
                    Some(currency),
                    PlayCommand::CloseRound(close),
                )
            }
            None => Ask::Balance { player, currency }.into(),
        });
    }
    let game = fields.id("game", GameId::new)?;
    let batch = BetWin {
        session: session::of(account, fields, known)?,
        standing: (known.game)(&game),
        game,
        round: fields.id("game_id", RoundId::new)?,
        currency,
        actions: actions
            .iter()
            .map(|one| action(account, one, currency, digits))
            .collect::<Result<_, _>>()?,
        closes_round,
    };
    let command = bet_or_batch(batch, |units| {
        contribution(&actions[0], currency, digits, units)
    });
    Ok(Call::play(account, player, Some(currency), command))
}

/// One bet is no batch: by policy its refusal uses its id up, and that of a batch never does. A win alone is one: in a batch
/// a win whose rollback came first is a success without effect, as a bet is. `contribution` is told the stake.
pub(crate) fn bet_or_batch(
    batch: BetWin,
    contribution: impl FnOnce(i64) -> Option<i64>,
) -> PlayCommand {
    match batch.actions.as_slice() {
        [Action::Bet { transaction, units }] => PlayCommand::Bet(Bet {
            transaction: transaction.clone(),
            amount: Money::new(*units, batch.currency),
            jackpot_contribution: contribution(*units),
            session: batch.session,
            standing: batch.standing,
            game: batch.game,
            round: batch.round,
            closes_round: batch.closes_round,
            free_round: None,
        }),
        _ => PlayCommand::BetWin(batch),
    }
}

fn action(
    account: &Account,
    fields: &Fields<'_>,
    currency: Currency,
    digits: u32,
) -> Result<Action, ParseError> {
    let verb = fields.text("action")?;
    let transaction = fields.id("action_id", ExternalId::new)?;
    let units = units_of(fields, "amount", currency, digits)?;
    match verb {
        "bet" => Ok(Action::Bet { transaction, units }),
        "win" => {
            let jackpot = match fields.value("jackpot_win") {
                None => 0,
                Some(_) => units_of(fields, "jackpot_win", currency, digits)?,
            };
            let is_separate = account.settings.get(&JACKPOT_WIN) == SEPARATE;
            let paid = if is_separate {
                let sum = units.checked_add(jackpot);
                sum.ok_or_else(|| fields.wrong("jackpot_win", "is too large"))?
            } else {
                units
            };
            // A win that is in part of the game belongs to its round as any other.
            let is_jackpot = jackpot > 0 && jackpot == paid;
            Ok(Action::Win {
                transaction,
                units: paid,
                kind: if is_jackpot {
                    WinKind::Jackpot
                } else {
                    WinKind::Ordinary
                },
            })
        }
        // What an unknown verb does to money is not for us to guess.
        _ => Err(fields.wrong("action", "must be \"bet\" or \"win\"")),
    }
}

/// An integer of subunits, in ledger units.
fn units_of(
    fields: &Fields<'_>,
    name: &str,
    currency: Currency,
    digits: u32,
) -> Result<i64, ParseError> {
    let text = fields.number(name)?;
    amount::from_integer(text, digits, currency)
        .map(|money| money.units)
        .map_err(|error| fields.wrong(name, format!("{} {error}", quoted(text))))
}

/// For information: whatever it is, the bet is taken.
fn contribution(bet: &Fields<'_>, currency: Currency, digits: u32, most: i64) -> Option<i64> {
    let units = units_of(bet, "jackpot_contribution", currency, digits).ok()?;
    (units <= most).then_some(units)
}

fn rollback(account: &Account, fields: &Fields<'_>) -> Result<Call, ParseError> {
    let player = fields.id("user_id", PlayerId::new)?;
    let currency = fields.currency()?;
    subunits::needed(account, currency)?;
    let round = fields.optional_id("game_id", RoundId::new)?;
    let one = |action: &Fields<'_>| {
        if action.text("action")? != "rollback" {
            return Err(action.wrong("action", "must be \"rollback\""));
        }
        Ok(Rollback {
            transaction: action.id("action_id", ExternalId::new)?,
            target: action.id("original_action_id", ExternalId::new)?,
            round: round.clone(),
            // The named action goes back whole.
            units: None,
        })
    };
    let actions = fields.objects("actions", MAX_ACTIONS)?;
    let list = actions.iter().map(one).collect::<Result<_, _>>()?;
    let command = PlayCommand::Rollbacks(list);
    Ok(Call::play(account, player, Some(currency), command))
}

/// The total of a campaign, once: its wins did not come one by one.
fn free_spins(account: &Account, fields: &Fields<'_>) -> Result<Call, ParseError> {
    let issue = fields.text("issue_id")?;
    let transaction = fields.id("issue_id", ExternalId::new)?;
    let (player, currency) = holder(fields, issue)?;
    let digits = subunits::needed(account, currency)?;
    let status = fields.text("status")?;
    let units = units_of(fields, "total_amount", currency, digits)?;
    if status == "active" {
        // They are still being played: the total comes with another status.
        return Ok(Ask::Balance { player, currency }.into());
    }
    let game = GameId::new(FREE_SPINS).map_err(|error| fields.wrong("issue_id", error))?;
    let win = Win {
        transaction,
        standing: GameStanding::Unknown,
        game,
        round: fields.id("issue_id", RoundId::new)?,
        amount: Money::new(units, currency),
        bet: None,
        kind: WinKind::Free,
        closes_round: true,
    };
    let command = PlayCommand::Win(win);
    Ok(Call::play(account, player, Some(currency), command))
}

/// Whose free spins they are. The request says it in the id alone, which the operator made:
/// `<player>/<currency>/<anything>`.
fn holder(fields: &Fields<'_>, issue: &str) -> Result<(PlayerId, Currency), ParseError> {
    let form = || {
        let why = format!("{} must be <player>/<currency>/<anything>", quoted(issue));
        fields.wrong("issue_id", why)
    };
    let mut parts = issue.splitn(3, '/');
    let (Some(player), Some(code), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(form());
    };
    let player = PlayerId::new(player).map_err(|_| form())?;
    let currency = Currency::from_code(code).ok_or_else(|| {
        ParseError::UnknownCurrency(format!("issue_id: {} is not known here", quoted(code)))
    })?;
    Ok((player, currency))
}
