//! The keys and fingerprints of a command: what makes it a repeat of an earlier one (T1, T2).

use super::draft::REVERSIBLE;
use crate::{
    Action, Adjust, Command, DepositStep, ExternalId, Fact, Fingerprint, GameId, Kind, Money,
    Origin, PaymentId, Play, PlayCommand, ProviderId, Rollback, RollbackAmount, RoundId, RoundKey,
    RoundScope, TransactionKey, TransactionScope,
};

/// The name under which deposits are filed: they belong to no game provider.
const CASHIER: &str = "cashier";
/// The name under which what a payment provider brings is filed.
const PAYMENT_PROVIDER: &str = "payment_provider";
/// The name under which adjustments are filed.
const BACK_OFFICE: &str = "back_office";

/// A key that a command claims, with what it would store there.
pub(super) struct OwnKey {
    pub key: TransactionKey,
    pub fingerprint: Fingerprint,
}

pub(super) fn round_key(origin: &Origin, game: &GameId, round: &RoundId) -> RoundKey {
    let game = match origin.policy.round_scope {
        RoundScope::Provider => None,
        RoundScope::Game => Some(game.clone()),
    };
    RoundKey {
        provider: origin.provider.clone(),
        game,
        round: round.clone(),
    }
}

pub(super) fn key(origin: &Origin, kind: Kind, external_id: &ExternalId) -> TransactionKey {
    TransactionKey {
        scope: origin.policy.transaction_scope,
        provider: origin.provider.clone(),
        kind,
        external_id: external_id.clone(),
    }
}

/// A close has no id of its own: the round names it.
pub(super) fn close_key(origin: &Origin, game: &GameId, round: &RoundId) -> TransactionKey {
    let external_id = match origin.policy.round_scope {
        RoundScope::Provider => ExternalId::from(round),
        // The hash keeps game and round apart whatever characters they have, and within the length.
        RoundScope::Game => Fingerprint::of(&[game.as_str(), round.as_str()]).into(),
    };
    TransactionKey {
        scope: TransactionScope::Player,
        provider: origin.provider.clone(),
        kind: Kind::CloseRound,
        external_id,
    }
}

/// What the operator's own id of a payment names; unique among all players.
pub(super) fn cashier_key(
    kind: Kind,
    reference: &ExternalId,
) -> Result<TransactionKey, crate::IdError> {
    Ok(TransactionKey {
        scope: TransactionScope::Provider,
        provider: ProviderId::new(CASHIER)?,
        kind,
        external_id: reference.clone(),
    })
}

/// What a payment provider's own id names: it brings money once, whichever deposit it is told of.
pub(super) fn provider_payment_key(
    reference: &ExternalId,
) -> Result<TransactionKey, crate::IdError> {
    Ok(TransactionKey {
        scope: TransactionScope::Provider,
        provider: ProviderId::new(PAYMENT_PROVIDER)?,
        kind: Kind::Deposit,
        external_id: reference.clone(),
    })
}

/// What a payment does once.
pub(super) fn payment_key(kind: Kind, id: PaymentId) -> Result<TransactionKey, crate::IdError> {
    Ok(TransactionKey {
        scope: TransactionScope::Player,
        provider: ProviderId::new(CASHIER)?,
        kind,
        external_id: ExternalId::new(id.to_string())?,
    })
}

pub(super) fn payment_fingerprint(kind: Kind, amount: Money, other: &str) -> Fingerprint {
    Fingerprint::of(&[
        kind.as_str(),
        amount.currency.code(),
        &amount.units.to_string(),
        other,
    ])
}

/// The two things that one reference of a deposit may have been used for.
pub(super) fn deposit_keys(reference: &ExternalId) -> Result<[TransactionKey; 2], crate::IdError> {
    Ok([
        cashier_key(Kind::Deposit, reference)?,
        cashier_key(Kind::DepositRequest, reference)?,
    ])
}

pub(super) fn deposit_fingerprint(amount: Money) -> Fingerprint {
    Fingerprint::of(&["deposit", amount.currency.code(), &amount.units.to_string()])
}

/// An approval is of one player: its id needs no wider scope.
pub(super) fn adjustment_key(adjust: &Adjust) -> Result<TransactionKey, crate::IdError> {
    Ok(TransactionKey {
        scope: TransactionScope::Player,
        provider: ProviderId::new(BACK_OFFICE)?,
        kind: Kind::Adjustment,
        external_id: adjust.reference.clone(),
    })
}

pub(super) fn adjustment_fingerprint(adjust: &Adjust) -> Fingerprint {
    Fingerprint::of(&[
        Kind::Adjustment.as_str(),
        adjust.direction.as_str(),
        adjust.amount.currency.code(),
        &adjust.amount.units.to_string(),
        adjust.category.as_str(),
        &adjust.reason,
        if adjust.allow_debt { "debt" } else { "" },
    ])
}

pub(super) fn movement_fingerprint(
    kind: Kind,
    amount: Money,
    game: &GameId,
    round: &RoundId,
    target: Option<&ExternalId>,
) -> Fingerprint {
    Fingerprint::of(&[
        kind.as_str(),
        amount.currency.code(),
        &amount.units.to_string(),
        game.as_str(),
        round.as_str(),
        target.map_or("", ExternalId::as_str),
    ])
}

/// The amount of a rollback is meaningful where the account's policy gives it a meaning.
pub(super) fn rollback_fingerprint(origin: &Origin, rollback: &Rollback) -> Fingerprint {
    let units = match origin.policy.rollback_amount {
        RollbackAmount::Ignore => None,
        RollbackAmount::MustEqual | RollbackAmount::Partial => rollback.units,
    };
    let units = units.map_or_else(String::new, |units| units.to_string());
    Fingerprint::of(&[Kind::Rollback.as_str(), rollback.target.as_str(), &units])
}

pub(super) fn round_fingerprint(kind: Kind, game: &GameId, round: &RoundId) -> Fingerprint {
    Fingerprint::of(&[kind.as_str(), game.as_str(), round.as_str()])
}

/// The round names its close, whatever game the request tells.
pub(super) fn close_fingerprint(round: &RoundId) -> Fingerprint {
    Fingerprint::of(&[Kind::CloseRound.as_str(), round.as_str()])
}

/// The keys that a provider's request claims, in the order of its actions.
pub(super) fn own(play: &Play) -> Vec<OwnKey> {
    let origin = &play.origin;
    match &play.command {
        PlayCommand::Bet(bet) => vec![OwnKey {
            key: key(origin, Kind::Bet, &bet.transaction),
            fingerprint: movement_fingerprint(Kind::Bet, bet.amount, &bet.game, &bet.round, None),
        }],
        PlayCommand::Win(win) => vec![OwnKey {
            key: key(origin, Kind::Win, &win.transaction),
            fingerprint: movement_fingerprint(
                Kind::Win,
                win.amount,
                &win.game,
                &win.round,
                win.bet.as_ref(),
            ),
        }],
        PlayCommand::BetWin(batch) => batch
            .actions
            .iter()
            .map(|action| {
                let (kind, transaction, units) = match action {
                    Action::Bet { transaction, units } => (Kind::Bet, transaction, *units),
                    Action::Win {
                        transaction, units, ..
                    } => (Kind::Win, transaction, *units),
                };
                let amount = Money::new(units, batch.currency);
                OwnKey {
                    key: key(origin, kind, transaction),
                    fingerprint: movement_fingerprint(
                        kind,
                        amount,
                        &batch.game,
                        &batch.round,
                        None,
                    ),
                }
            })
            .collect(),
        PlayCommand::Rollback(rollback) => vec![own_rollback(origin, rollback)],
        PlayCommand::Rollbacks(list) => {
            let each = list.iter();
            each.map(|rollback| own_rollback(origin, rollback))
                .collect()
        }
        PlayCommand::CloseRound(close) => vec![OwnKey {
            key: close_key(origin, &close.game, &close.round),
            fingerprint: close_fingerprint(&close.round),
        }],
        PlayCommand::VoidRound(void) => vec![OwnKey {
            key: key(origin, Kind::VoidRound, &void.transaction),
            fingerprint: round_fingerprint(Kind::VoidRound, &void.game, &void.round),
        }],
    }
}

fn own_rollback(origin: &Origin, rollback: &Rollback) -> OwnKey {
    OwnKey {
        key: key(origin, Kind::Rollback, &rollback.transaction),
        fingerprint: rollback_fingerprint(origin, rollback),
    }
}

impl Command {
    /// Every fact that deciding this command may turn on, as far as the command itself tells. To be asked
    /// for in one go once the ledger must be asked at all.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        match self {
            Self::Deposit(deposit) => transactions(deposit_keys(&deposit.reference)),
            Self::InitiateDeposit(initiate) => transactions(deposit_keys(&initiate.reference)),
            Self::MoveDeposit(id, step) => {
                let mut facts = vec![Fact::Payment(*id)];
                if let DepositStep::Complete {
                    provider_reference, ..
                } = step
                {
                    facts.extend(transactions(
                        provider_payment_key(provider_reference).map(|key| [key]),
                    ));
                }
                facts
            }
            Self::RequestWithdrawal(request) => {
                transactions(cashier_key(Kind::Withdrawal, &request.reference).map(|key| [key]))
            }
            Self::MoveWithdrawal(id, _) => vec![Fact::Payment(*id)],
            Self::Launch(launch) => launch
                .login
                .map(Fact::Session)
                .into_iter()
                .chain([Fact::Sessions])
                .collect(),
            Self::OpenSession(_) | Self::EndSessions(_) | Self::ExpireSessions => {
                vec![Fact::Sessions]
            }
            Self::SetStatus(set) if !set.status.may_enter() => vec![Fact::Sessions],
            Self::Adjust(adjust) => adjustment_key(adjust)
                .map(Fact::Transaction)
                .into_iter()
                .collect(),
            Self::OpenAccount(_) | Self::Register(_) | Self::SetStatus(_) | Self::Balance(_) => {
                Vec::new()
            }
            Self::Authenticate(authenticate) => vec![Fact::Session(authenticate.session)],
            Self::EndSession(session) => vec![Fact::Session(*session), Fact::Sessions],
            Self::KeepAlive(session) => vec![Fact::Session(*session)],
            Self::Play(play) => play_facts(play),
        }
    }
}

fn transactions<const N: usize>(keys: Result<[TransactionKey; N], crate::IdError>) -> Vec<Fact> {
    let keys = keys.into_iter().flatten();
    keys.map(Fact::Transaction).collect()
}

/// What a rollback may mean: a bet and a win may share one id (T1).
fn targets(origin: &Origin, rollback: &Rollback) -> [Fact; 2] {
    REVERSIBLE.map(|kind| Fact::Transaction(key(origin, kind, &rollback.target)))
}

/// Every fact that deciding a provider's request may turn on.
pub(super) fn play_facts(play: &Play) -> Vec<Fact> {
    let origin = &play.origin;
    let mut facts: Vec<Fact> = own(play)
        .into_iter()
        .map(|own| Fact::Transaction(own.key))
        .collect();
    let round = |game, round| Fact::Round(round_key(origin, game, round));
    match &play.command {
        PlayCommand::Bet(bet) => {
            facts.push(round(&bet.game, &bet.round));
            facts.push(Fact::Session(bet.session));
        }
        PlayCommand::Win(win) => {
            facts.push(round(&win.game, &win.round));
            facts.extend(
                win.bet
                    .as_ref()
                    .map(|bet| Fact::Transaction(key(origin, Kind::Bet, bet))),
            );
        }
        PlayCommand::BetWin(batch) => {
            facts.push(round(&batch.game, &batch.round));
            facts.push(Fact::Session(batch.session));
        }
        PlayCommand::Rollback(rollback) => facts.extend(targets(origin, rollback)),
        PlayCommand::Rollbacks(list) => {
            facts.extend(list.iter().flat_map(|one| targets(origin, one)));
        }
        PlayCommand::CloseRound(close) => facts.push(round(&close.game, &close.round)),
        PlayCommand::VoidRound(void) => facts.push(round(&void.game, &void.round)),
    }
    facts
}
