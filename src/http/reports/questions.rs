//! What may be asked of each report.

use pitboss_providers::Code;
use pitboss_schema::reports::{By, Period};
use pitboss_wallet::{Currency, GameId, Kind, ProviderId, TransactionState};
use schemars::JsonSchema;
use serde::Deserialize;
use time::UtcOffset;

use crate::{
    http::{
        ApiError,
        csv::Format,
        moment::{in_order, moment_or_day, offset},
    },
    world::World,
};

const DAY_S: i64 = 86_400;

/// The query of a report over a period.
macro_rules! over_a_period {
    ($name:ident, $currency:ty { $($(#[$doc:meta])+ $field:ident: $type:ty),* $(,)? }) => {
        #[derive(Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// From this day or time on: `2026-01-31`, or RFC 3339.
            from: String,
            /// Up to before this day or time.
            to: String,
            /// How far the clocks that days go by are from UTC: `02:00`, `-05:00`; without it they go by UTC.
            offset: Option<String>,
            provider: Option<ProviderId>,
            game: Option<GameId>,
            /// Of the amounts.
            pub currency: $currency,
            /// `true`: with the play of test players.
            test_players: Option<bool>,
            /// `json` or `csv`; without it by `Accept`.
            pub format: Option<Format>,
            $($(#[$doc])+ pub $field: $type,)*
        }

        impl $name {
            /// # Errors
            /// There is no such time, or it is no period, or too long.
            pub fn period(&self, world: &World) -> Result<(Period, UtcOffset), ApiError> {
                let offset = offset_of(self.offset.as_deref())?;
                let from = moment_or_day("from", &self.from, offset)?;
                let to = moment_or_day("to", &self.to, offset)?;
                in_order(Some(from), Some(to))?;
                let days_max = world.config.reports.period_days_max;
                if to > from.plus_seconds(days_max * DAY_S) {
                    let detail = format!("to: must be at most {days_max} days after from");
                    return Err(ApiError::new(Code::Malformed, detail));
                }
                let period = Period {
                    from,
                    to,
                    test_players: self.test_players.unwrap_or(false),
                    provider: self.provider.clone(),
                    game: self.game.clone(),
                    currency: self.currency.into(),
                };
                Ok((period, offset))
            }
        }
    };
}

over_a_period!(RevenueQuestion, Option<Currency> {
    /// What to tell apart, with commas between: `provider`, `game`, `day`. Currencies always are.
    by: Option<String>,
});
over_a_period!(PlayersQuestion, Option<Currency> {});
over_a_period!(TransactionsQuestion, Option<Currency> {
    /// Of this player.
    player: Option<String>,
    /// Of this kind.
    kind: Option<Kind>,
    /// Of this state.
    state: Option<TransactionState>,
});
over_a_period!(
    LargeWinsQuestion,
    Currency {
        /// From this amount on, in major units.
        min_amount: String,
    }
);

impl RevenueQuestion {
    /// # Errors
    /// There is nothing of this name to tell apart.
    pub fn by(&self, offset: UtcOffset) -> Result<By, ApiError> {
        let mut by = By {
            offset_min: i32::from(offset.whole_minutes()),
            ..By::default()
        };
        for name in self.by.iter().flat_map(|names| names.split(',')) {
            match name {
                "provider" => by.provider = true,
                "game" => by.game = true,
                "day" => by.day = true,
                "currency" => {}
                _ => {
                    let detail =
                        "by: must be of provider, game, currency and day, with commas between";
                    return Err(ApiError::new(Code::Malformed, detail));
                }
            }
        }
        Ok(by)
    }
}

fn offset_of(text: Option<&str>) -> Result<UtcOffset, ApiError> {
    let Some(text) = text else {
        return Ok(UtcOffset::UTC);
    };
    offset(text).ok_or_else(|| {
        let detail = "offset: must be hours and minutes such as 02:00 or -05:00, at most 14:59";
        ApiError::new(Code::Malformed, detail)
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiabilityQuestion {
    /// At this earlier moment: RFC 3339. Without it: now.
    pub at: Option<String>,
    /// `true`: with what test players have.
    pub test_players: Option<bool>,
    /// `json` or `csv`; without it by `Accept`.
    pub format: Option<Format>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenRoundsQuestion {
    pub provider: Option<ProviderId>,
    pub currency: Option<Currency>,
    /// `true`: with the rounds of test players.
    pub test_players: Option<bool>,
    /// `json` or `csv`; without it by `Accept`.
    pub format: Option<Format>,
}
