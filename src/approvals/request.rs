//! What can be asked for: how it is kept, and the command that carries it out.

use pitboss_providers::Code;
use pitboss_schema::ApprovalKind;
use pitboss_wallet::{
    Adjust, AdjustmentCategory, Command, Currency, Direction, ExternalId, GameId, MakerChecker,
    Money, Origin, Play, PlayCommand, ProviderId, RoundId, VoidRound,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{config::Approvals, http::ApiError, world::World};

/// What one person asks for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "ApprovalRequest")]
pub enum Request {
    Adjustment(Adjustment),
    VoidRound(VoidedRound),
}

/// Money to be given or taken by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Adjustment {
    pub direction: Direction,
    /// Major units as decimal text, above 0.
    pub amount: String,
    pub currency: Currency,
    pub category: AdjustmentCategory,
    pub reason: String,
    /// A debit may take more than there is: the rest is owed.
    pub allow_debt: bool,
}

/// A round to be taken back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct VoidedRound {
    pub provider: ProviderId,
    pub game: GameId,
    pub round: RoundId,
    pub reason: String,
}

impl Adjustment {
    pub fn money(&self) -> Result<Money, ApiError> {
        let amount = Money::parse(&self.amount, self.currency);
        let amount = amount.ok().filter(|amount| amount.units > 0);
        amount.ok_or_else(|| {
            let digits = self.currency.ledger_digits();
            let detail = format!(
                "amount: must be a plain decimal number above 0, with {digits} decimal digits at most"
            );
            ApiError::new(Code::Malformed, detail)
        })
    }
}

impl Request {
    pub const fn kind(&self) -> ApprovalKind {
        match self {
            Self::Adjustment(_) => ApprovalKind::Adjustment,
            Self::VoidRound(_) => ApprovalKind::VoidRound,
        }
    }

    /// Below the operator's threshold of the currency. Never what may leave a debt.
    pub fn one_person_is_enough(&self, settings: &Approvals) -> bool {
        let Self::Adjustment(adjustment) = self else {
            return false;
        };
        let currency = adjustment.currency;
        let mut thresholds = settings.adjustments_below.iter();
        let below = thresholds.find(|(code, _)| code.eq_ignore_ascii_case(currency.code()));
        let below = below.and_then(|(_, below)| Money::parse(below, currency).ok());
        let units = adjustment.money().map(|money| money.units);
        match (below, units) {
            (Some(below), Ok(units)) => !adjustment.allow_debt && units < below.units,
            _ => false,
        }
    }

    /// The command that carries it out, under this id.
    pub async fn command(
        self,
        world: &World,
        id: &str,
        by: MakerChecker,
    ) -> Result<Command, ApiError> {
        let reference = ExternalId::new(id).map_err(ApiError::internal)?;
        match self {
            Self::Adjustment(adjustment) => Ok(Command::Adjust(Adjust {
                reference,
                direction: adjustment.direction,
                amount: adjustment.money()?,
                category: adjustment.category,
                reason: adjustment.reason,
                allow_debt: adjustment.allow_debt,
                by,
            })),
            Self::VoidRound(void) => {
                // From the database: the catalogue has the enabled accounts alone.
                let account = world.store.provider(&void.provider).await;
                let account = account.map_err(ApiError::unavailable)?;
                let account =
                    account.ok_or_else(|| ApiError::internal("a provider account is gone"))?;
                Ok(Command::Play(Play {
                    origin: Origin {
                        provider: void.provider,
                        policy: std::sync::Arc::new(account.policy),
                    },
                    command: PlayCommand::VoidRound(VoidRound {
                        transaction: reference,
                        game: void.game,
                        round: void.round,
                        reason: void.reason,
                        by: Some(by),
                    }),
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn adjustment(amount: &str, currency: &str, allow_debt: bool) -> Request {
        Request::Adjustment(Adjustment {
            direction: Direction::Debit,
            amount: amount.to_owned(),
            currency: Currency::from_code(currency).unwrap(),
            category: AdjustmentCategory::Correction,
            reason: "paid twice".to_owned(),
            allow_debt,
        })
    }

    #[test]
    fn one_person_is_enough_below_the_threshold_of_the_currency_alone() {
        let settings = |below: &[(&str, &str)]| Approvals {
            expire_h: 1,
            adjustments_below: below
                .iter()
                .map(|(code, amount)| ((*code).to_owned(), (*amount).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            sweep_ms: 1000,
            sweep_batch_max: 1,
            finish_after_s: 1,
        };
        let ten = settings(&[("EUR", "10")]);
        assert!(adjustment("9.999999", "EUR", false).one_person_is_enough(&ten));
        for (amount, currency, debt) in [
            ("10", "EUR", false),
            ("1", "USD", false),
            ("1", "EUR", true),
        ] {
            let request = adjustment(amount, currency, debt);
            assert!(!request.one_person_is_enough(&ten), "{request:?}");
            assert!(!request.one_person_is_enough(&settings(&[])));
        }
        let void = Request::VoidRound(VoidedRound {
            provider: ProviderId::new("acme").unwrap(),
            game: GameId::new("dice").unwrap(),
            round: RoundId::new("r").unwrap(),
            reason: "broken".to_owned(),
        });
        assert!(!void.one_person_is_enough(&ten));
    }
}
