//! Rounds: closing, and the events that tell of what happens in them.

use serde::Serialize;

use super::{
    Stop,
    bet::Stake,
    draft::{Draft, Lookup, Movement},
    keys,
    stored::settled,
};
use crate::{
    BalanceView, CloseRound, Currency, EventType, ExternalId, Fact, GameId, Kind, Money, Origin,
    ProviderId, Receipt, Refusal, RefusalCode, Reply, Round, RoundId, RoundKey, RoundState,
    RoundView, TransactionId, Win, WinKind,
};

pub(super) fn decide_close(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    close_round: &CloseRound,
) -> Result<Reply, Stop> {
    let key = keys::round_key(origin, &close_round.game, &close_round.round);
    let mut round = existing(draft, key)?;
    let mut movement = Movement::record(
        keys::close_key(origin, &close_round.game, &close_round.round),
        keys::close_fingerprint(&close_round.round),
    );
    movement.amount = Some(Money::new(0, round.currency));
    movement.game = Some(round.game.clone());
    movement.round = Some(round.key.clone());
    let receipt = draft.record(movement);
    if round.state.is_open() {
        close(draft, &mut round);
        draft.put_round(round)?;
    }
    Ok(settled(draft, vec![receipt], false))
}

/// A round that must be there: asked for when memory does not know it.
pub(super) fn existing(draft: &Draft<'_, '_>, key: RoundKey) -> Result<Round, Stop> {
    match draft.round(&key) {
        Lookup::Found(round) => Ok(round),
        Lookup::Unknown => Err(Stop::Need(vec![Fact::Round(key)])),
        Lookup::Absent => {
            let detail = "the player has no such round";
            Err(Stop::refuse(RefusalCode::UnknownBet, detail))
        }
    }
}

/// Closes an open round and tells so. The caller puts it back.
pub(super) fn close(draft: &mut Draft<'_, '_>, round: &mut Round) {
    round.state = RoundState::Closed;
    round.closed_at = Some(draft.now());
    draft.event(EventType::RoundClosed, None, &RoundView::from(&*round));
}

pub(super) fn check_currency(round: &Round, currency: Currency) -> Result<(), Refusal> {
    if round.currency == currency {
        return Ok(());
    }
    let detail = format!("the round is in {}", round.currency);
    Err(Refusal::new(RefusalCode::CurrencyMismatch, detail))
}

/// Tells of a round that begins now.
pub(super) fn announce(draft: &mut Draft<'_, '_>, round: &Round) {
    draft.event(EventType::RoundOpened, None, &RoundView::from(round));
}

#[derive(Serialize)]
struct FundingView {
    cash: Money,
    bonus: Money,
}

/// A movement in a round: the data of the wallet events of play.
#[derive(Serialize)]
struct MovementView<'a> {
    provider: &'a ProviderId,
    provider_transaction_id: &'a ExternalId,
    game: &'a GameId,
    round: &'a RoundId,
    amount: Money,
    currency: Currency,
    funding: FundingView,
    balance: Option<BalanceView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<WinKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bet_transaction_id: Option<&'a ExternalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free_round: Option<&'a ExternalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jackpot_contribution: Option<Money>,
    /// What a rollback takes back, by its id here and there.
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses: Option<TransactionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_transaction_id: Option<&'a ExternalId>,
    /// The round was closed before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    late: bool,
}

impl<'a> MovementView<'a> {
    fn of(round: &'a Round, receipt: &'a Receipt) -> Self {
        let money = |units| Money::new(units, round.currency);
        Self {
            provider: &round.key.provider,
            provider_transaction_id: &receipt.external_id,
            game: &round.game,
            round: &round.key.round,
            amount: money(receipt.units),
            currency: round.currency,
            funding: FundingView {
                cash: money(receipt.funding.cash),
                bonus: money(receipt.funding.bonus),
            },
            balance: receipt.balance.map(BalanceView::from),
            kind: None,
            bet_transaction_id: None,
            free_round: None,
            jackpot_contribution: None,
            reverses: None,
            target_transaction_id: None,
            late: !round.state.is_open(),
        }
    }
}

pub(super) fn announce_bet(
    draft: &mut Draft<'_, '_>,
    round: &Round,
    receipt: &Receipt,
    stake: &Stake<'_>,
) {
    let mut view = MovementView::of(round, receipt);
    view.game = stake.game;
    view.free_round = stake.free_round;
    view.jackpot_contribution = stake
        .jackpot_contribution
        .map(|units| Money::new(units, round.currency));
    draft.event(EventType::BetDebited, Some(receipt.transaction), &view);
}

pub(super) fn announce_win(draft: &mut Draft<'_, '_>, round: &Round, receipt: &Receipt, win: &Win) {
    let mut view = MovementView::of(round, receipt);
    view.game = &win.game;
    view.kind = Some(win.kind);
    view.bet_transaction_id = win.bet.as_ref();
    draft.event(EventType::WinCredited, Some(receipt.transaction), &view);
}

/// What a correction takes back.
pub(super) struct Reversed<'a> {
    pub kind: Kind,
    pub transaction: TransactionId,
    pub external_id: &'a ExternalId,
}

pub(super) fn announce_reversal(
    draft: &mut Draft<'_, '_>,
    round: &Round,
    receipt: &Receipt,
    reversed: &Reversed<'_>,
) {
    let mut view = MovementView::of(round, receipt);
    view.reverses = Some(reversed.transaction);
    view.target_transaction_id = Some(reversed.external_id);
    let kind = match reversed.kind {
        Kind::Bet => EventType::BetRolledBack,
        _ => EventType::WinRolledBack,
    };
    draft.event(kind, Some(receipt.transaction), &view);
}

pub(super) fn announce_void(
    draft: &mut Draft<'_, '_>,
    round: &Round,
    receipt: &Receipt,
    reason: &str,
) {
    #[derive(Serialize)]
    struct Voided<'a> {
        #[serde(flatten)]
        round: RoundView,
        reason: &'a str,
        balance: Option<BalanceView>,
    }
    let balance = receipt.balance.map(BalanceView::from);
    let voided = Voided {
        round: RoundView::from(round),
        reason,
        balance,
    };
    draft.event(EventType::RoundVoided, Some(receipt.transaction), &voided);
}

/// Tells that a correction left the player owing `units` more; silent when it did not.
pub(super) fn announce_debt(draft: &mut Draft<'_, '_>, receipt: &Receipt, units: i64) {
    #[derive(Serialize)]
    struct Debt {
        currency: Currency,
        amount: Money,
        owed: Money,
        balance: BalanceView,
    }
    let Some(currency) = receipt.currency.filter(|_| units > 0) else {
        return;
    };
    let Ok(wallet) = draft.wallet(currency) else {
        return;
    };
    let debt = Debt {
        currency,
        amount: Money::new(units, currency),
        owed: Money::new(wallet.receivable.saturating_neg(), currency),
        balance: wallet.balance().into(),
    };
    draft.event(EventType::NegativeBalance, Some(receipt.transaction), &debt);
}
