//! From the JSON documents of `queries/load_player.sql` and `queries/find_facts.sql` to the wallet's types.

use std::fmt::Display;

use pitboss_wallet::{
    Currency, ExternalId, Fingerprint, Funding, GameId, Kind, PlayerId, ProviderId, Receipt,
    Refusal, Round, RoundEntry, RoundId, RoundKey, RoundState, Session, SessionEnd, SessionId,
    SessionKind, StoredTransaction, Timestamp, TransactionId, TransactionKey, TransactionState,
    Wallet,
};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::StoreError;

/// Reads a JSON document that a query has built.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(StoreError::corrupt)
}

/// The value with a stored name, such as a kind or a state.
pub(crate) fn named<T>(
    what: &str,
    name: &str,
    from_name: impl FnOnce(&str) -> Option<T>,
) -> Result<T, StoreError> {
    from_name(name).ok_or_else(|| StoreError::Corrupt(format!("unknown {what} {name:?}")))
}

/// An identifier that was checked before it was stored.
pub(crate) fn id<T, E: Display>(checked: Result<T, E>) -> Result<T, StoreError> {
    checked.map_err(StoreError::corrupt)
}

/// The scope of a round id as stored: '' where the ids are the provider's own.
pub(crate) fn scope(text: &str) -> Result<Option<GameId>, StoreError> {
    match text {
        "" => Ok(None),
        game => id(GameId::new(game)).map(Some),
    }
}

#[derive(Deserialize)]
pub(crate) struct BalanceDocument {
    currency: Currency,
    account: String,
    units: i64,
}

#[derive(Deserialize)]
pub(crate) struct HeldDocument {
    currency: Currency,
    units: i64,
}

/// Wallets of a player, from the rows of his accounts.
pub(crate) fn wallets(
    balances: &[BalanceDocument],
    held: &[HeldDocument],
) -> Result<Vec<Wallet>, StoreError> {
    let mut wallets: Vec<Wallet> = Vec::new();
    for row in balances {
        let known = wallets.iter().position(|w| w.currency == row.currency);
        let index = known.unwrap_or_else(|| {
            wallets.push(Wallet {
                held: held
                    .iter()
                    .find(|held| held.currency == row.currency)
                    .map_or(0, |held| held.units),
                ..Wallet::new(row.currency)
            });
            wallets.len() - 1
        });
        let wallet = &mut wallets[index];
        let Some(group) = AccountGroup::of(&row.account) else {
            let detail = format!("{:?} is not an account of a player", row.account);
            return Err(StoreError::Corrupt(detail));
        };
        let sum = match group {
            AccountGroup::Cash => &mut wallet.cash,
            AccountGroup::Bonus => &mut wallet.bonus,
            AccountGroup::Winnings => &mut wallet.winnings,
            AccountGroup::WithdrawalHold => {
                wallet.has_holds = true;
                &mut wallet.withdrawal_hold
            }
            AccountGroup::FeeHold => &mut wallet.fee_hold,
            AccountGroup::InTransit => &mut wallet.in_transit,
            AccountGroup::Receivable => {
                wallet.has_receivable = true;
                &mut wallet.receivable
            }
        };
        // Each bonus grant has accounts of its own.
        *sum = sum.checked_add(row.units).ok_or_else(|| {
            StoreError::Corrupt(format!("the sum with {:?} is too large", row.account))
        })?;
    }
    Ok(wallets)
}

/// What kinds of money a player has, by the names of his accounts in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountGroup {
    Cash,
    Bonus,
    Winnings,
    WithdrawalHold,
    FeeHold,
    InTransit,
    Receivable,
}

impl AccountGroup {
    /// `None`: an account of the house.
    pub fn of(account: &str) -> Option<Self> {
        match account {
            "CASH" => Some(Self::Cash),
            "RECEIVABLE" => Some(Self::Receivable),
            "WITHDRAWAL_HOLD" => Some(Self::WithdrawalHold),
            "W_FEE_HOLD" => Some(Self::FeeHold),
            "PSP_TRANSIT" => Some(Self::InTransit),
            of_grant if of_grant.starts_with("BONUS(") => Some(Self::Bonus),
            of_grant if of_grant.starts_with("WINNINGS(") => Some(Self::Winnings),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct RoundDocument {
    provider: ProviderId,
    scope_game: String,
    round: RoundId,
    game: GameId,
    currency: Currency,
    state: RoundState,
    opened_at: i64,
    closed_at: Option<i64>,
    entries: Vec<EntryDocument>,
}

#[derive(Deserialize)]
struct EntryDocument {
    transaction: Uuid,
    kind: Kind,
    external_id: ExternalId,
    units: i64,
    /// The receipt: a JSON text of its own.
    reply: String,
    names_bet: Option<ExternalId>,
    reversed_units: Option<i64>,
}

/// The part of a receipt that a round keeps.
#[derive(Deserialize)]
struct Funded {
    funding: Funding,
}

impl EntryDocument {
    fn into_entry(self) -> Result<RoundEntry, StoreError> {
        Ok(RoundEntry {
            transaction: TransactionId(self.transaction),
            kind: self.kind,
            external_id: self.external_id,
            units: self.units,
            funding: parse::<Funded>(&self.reply)?.funding,
            names_bet: self.names_bet,
            reversed_units: self.reversed_units,
        })
    }
}

impl RoundDocument {
    pub fn into_round(self) -> Result<Round, StoreError> {
        Ok(Round {
            key: RoundKey {
                provider: self.provider,
                game: scope(&self.scope_game)?,
                round: self.round,
            },
            game: self.game,
            currency: self.currency,
            state: self.state,
            opened_at: Timestamp::from_micros(self.opened_at),
            closed_at: self.closed_at.map(Timestamp::from_micros),
            entries: self
                .entries
                .into_iter()
                .map(EntryDocument::into_entry)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct SessionDocument {
    id: Uuid,
    kind: String,
    currency: Currency,
    provider: Option<ProviderId>,
    game: Option<GameId>,
    login: Option<Uuid>,
    idle_s: i64,
    absolute_until: i64,
    last_active_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
    end: Option<String>,
    token_expires_at: Option<i64>,
}

impl SessionDocument {
    pub fn into_session(self) -> Result<Session, StoreError> {
        Ok(Session {
            id: SessionId(self.id),
            kind: named("kind of session", &self.kind, SessionKind::from_name)?,
            currency: self.currency,
            provider: self.provider,
            game: self.game,
            login: self.login.map(SessionId),
            idle_s: self.idle_s,
            absolute_until: Timestamp::from_micros(self.absolute_until),
            last_active_at: Timestamp::from_micros(self.last_active_at),
            expires_at: Timestamp::from_micros(self.expires_at),
            ended_at: self.ended_at.map(Timestamp::from_micros),
            end: self
                .end
                .map(|end| named("end of a session", &end, SessionEnd::from_name))
                .transpose()?,
            token_expires_at: self.token_expires_at.map(Timestamp::from_micros),
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct TransactionDocument {
    player: PlayerId,
    state: TransactionState,
    fingerprint: String,
    round_scope: String,
    round: Option<RoundId>,
    /// Receipts and the refusal are JSON texts of their own, kept to the byte.
    reply: String,
    refusal: Option<String>,
    reversal: Option<String>,
}

impl TransactionDocument {
    /// `key` is the one that was asked for.
    pub fn into_stored(self, key: TransactionKey) -> Result<StoredTransaction, StoreError> {
        let round = match self.round {
            None => None,
            Some(round) => Some(RoundKey {
                provider: key.provider.clone(),
                game: scope(&self.round_scope)?,
                round,
            }),
        };
        Ok(StoredTransaction {
            player: self.player,
            state: self.state,
            fingerprint: fingerprint(&self.fingerprint)?,
            round,
            receipt: parse::<Receipt>(&self.reply)?,
            refusal: self.refusal.as_deref().map(parse::<Refusal>).transpose()?,
            reversal: self.reversal.as_deref().map(parse::<Receipt>).transpose()?,
            key,
        })
    }
}

fn fingerprint(hex: &str) -> Result<Fingerprint, StoreError> {
    let corrupt = || StoreError::Corrupt(format!("{hex:?} is not a fingerprint"));
    if hex.len() != 32 || !hex.is_ascii() {
        return Err(corrupt());
    }
    let mut bytes = [0; 16];
    for (byte, at) in bytes.iter_mut().zip((0..32).step_by(2)) {
        *byte = u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| corrupt())?;
    }
    Ok(Fingerprint(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balances(rows: &str) -> Result<Vec<Wallet>, StoreError> {
        let rows: Vec<BalanceDocument> = parse(rows).unwrap();
        wallets(&rows, &[])
    }

    #[test]
    fn each_kind_of_money_is_the_sum_of_its_accounts() {
        let wallets = balances(
            r#"[{"currency":"EUR","account":"CASH","units":7},
                {"currency":"EUR","account":"BONUS(g1)","units":20},
                {"currency":"EUR","account":"BONUS(g2)","units":3},
                {"currency":"EUR","account":"WINNINGS(g1)","units":40},
                {"currency":"EUR","account":"WITHDRAWAL_HOLD","units":500},
                {"currency":"EUR","account":"W_FEE_HOLD","units":60},
                {"currency":"EUR","account":"PSP_TRANSIT","units":700},
                {"currency":"EUR","account":"RECEIVABLE","units":-2},
                {"currency":"USD","account":"CASH","units":1}]"#,
        )
        .unwrap();
        let eur = wallets[0];
        let found = [
            eur.cash,
            eur.bonus,
            eur.winnings,
            eur.withdrawal_hold,
            eur.fee_hold,
            eur.in_transit,
            eur.receivable,
        ];
        assert_eq!(found, [7, 23, 40, 500, 60, 700, -2]);
        assert_eq!(eur.balance().total(), 70);
        assert_eq!((wallets[1].cash, wallets[1].bonus), (1, 0));
    }

    #[test]
    fn what_is_no_account_of_a_player_is_not_counted_as_one() {
        for name in ["HOUSE:acme", "ADJUSTMENTS", "BONUS", ""] {
            let rows = format!(r#"[{{"currency":"EUR","account":"{name}","units":1}}]"#);
            assert!(balances(&rows).is_err(), "{name}");
        }
    }
}
