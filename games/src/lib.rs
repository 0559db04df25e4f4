//! The in-house test games, as the catalogue lists them.
//!
//! What lives here: each game's identity, limits and return to player. What must not: I/O, clocks,
//! randomness of its own, wallets. The games are for trying a platform out, not for the public.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::fmt;

use pitboss_wallet::{GameId, IdError};
use serde::{Serialize, Serializer};

/// What kind of game it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Dice,
    Table,
    Crash,
    Slot,
}

/// A ratio of two whole numbers. Prints as `36/37`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    pub numerator: u32,
    pub denominator: u32,
}

impl Fraction {
    const fn new(numerator: u32, denominator: u32) -> Self {
        Self {
            numerator,
            denominator,
        }
    }

    /// In percent, as decimal text, rounded down to six decimals: never more than the game returns.
    #[must_use]
    pub fn percent(self) -> String {
        let millionths =
            u64::from(self.numerator) * 100_000_000 / u64::from(self.denominator.max(1));
        let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// Whether this is at most `other`; both denominators are above 0.
    #[must_use]
    pub fn is_at_most(self, other: Self) -> bool {
        let cross = |a: Self, b: Self| u64::from(a.numerator) * u64::from(b.denominator);
        cross(self, other) <= cross(other, self)
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// Return to player: the share of all stakes that comes back as wins in the long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rtp {
    /// The same for every bet.
    Exact(Fraction),
    /// Exact for each bet, which the player chooses; these are the lowest and the highest.
    Between(Fraction, Fraction),
    /// Rounded down: under the best strategy, of the first stake of a round.
    Best(Fraction),
}

impl Rtp {
    /// The least that a bet returns when it is played as well as can be.
    #[must_use]
    pub const fn lowest(self) -> Fraction {
        match self {
            Self::Exact(rtp) | Self::Between(rtp, _) | Self::Best(rtp) => rtp,
        }
    }

    /// The most that a bet returns.
    #[must_use]
    pub const fn highest(self) -> Fraction {
        match self {
            Self::Exact(rtp) | Self::Between(_, rtp) | Self::Best(rtp) => rtp,
        }
    }
}

/// `36/37`, or `1237379/1250000..99/100`, or `~98913/100000`.
impl fmt::Display for Rtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(rtp) => write!(f, "{rtp}"),
            Self::Between(low, high) => write!(f, "{low}..{high}"),
            Self::Best(rtp) => write!(f, "~{rtp}"),
        }
    }
}

/// As the text of [`Display`](fmt::Display): a fraction has no exact JSON number.
impl Serialize for Rtp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One entry of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CatalogueGame {
    /// Also the game's id in callbacks.
    pub id: &'static str,
    pub name: &'static str,
    pub category: Category,
    pub rtp: Rtp,
    /// Decimal text in major units of the player's currency, as is `max_bet`.
    pub min_bet: &'static str,
    pub max_bet: &'static str,
}

impl CatalogueGame {
    /// The id as the wallet knows it.
    ///
    /// # Errors
    /// None for the games of [`catalogue()`]; the type asks.
    pub fn game_id(&self) -> Result<GameId, IdError> {
        GameId::new(self.id)
    }
}

const CATALOGUE: &[CatalogueGame] = &[
    CatalogueGame {
        id: "dice",
        name: "Dice",
        category: Category::Dice,
        // A win pays 0.99 x 10 000 / target, cut after four decimals; the cut costs target 9724 the most.
        rtp: Rtp::Between(Fraction::new(1_237_379, 1_250_000), Fraction::new(99, 100)),
        min_bet: "0.10",
        max_bet: "1000.00",
    },
    CatalogueGame {
        id: "roulette",
        name: "European Roulette",
        category: Category::Table,
        rtp: Rtp::Exact(Fraction::new(36, 37)),
        min_bet: "0.10",
        max_bet: "1000.00",
    },
    CatalogueGame {
        id: "crash",
        name: "Crash",
        category: Category::Crash,
        // For every target from 1.01 on; a cash-out at 1.00 would return everything, so there is none.
        rtp: Rtp::Exact(Fraction::new(99, 100)),
        min_bet: "0.10",
        max_bet: "500.00",
    },
    CatalogueGame {
        id: "slot",
        name: "Five Lines",
        category: Category::Slot,
        rtp: Rtp::Exact(Fraction::new(24, 25)),
        min_bet: "0.05",
        max_bet: "100.00",
    },
    CatalogueGame {
        id: "blackjack",
        name: "Blackjack",
        category: Category::Table,
        rtp: Rtp::Best(Fraction::new(98_913, 100_000)),
        min_bet: "1.00",
        max_bet: "500.00",
    },
];

/// All test games.
#[must_use]
pub const fn catalogue() -> &'static [CatalogueGame] {
    CATALOGUE
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::{Currency, Money};

    use super::*;

    fn game(id: &str) -> &'static CatalogueGame {
        catalogue().iter().find(|game| game.id == id).unwrap()
    }

    #[test]
    fn a_return_in_percent_is_never_more_than_the_fraction() {
        let percent = |id: &str| game(id).rtp.lowest().percent();
        let all = ["dice", "roulette", "crash", "slot", "blackjack"].map(percent);
        assert_eq!(all, ["98.99032", "97.297297", "99", "96", "98.913"]);
        assert_eq!(Fraction::new(1, 1).percent(), "100");
    }

    #[test]
    fn every_return_to_player_is_between_three_quarters_and_one() {
        let (floor, all) = (Fraction::new(3, 4), Fraction::new(1, 1));
        for game in catalogue() {
            let (low, high) = (game.rtp.lowest(), game.rtp.highest());
            assert!(low.denominator > 0 && high.denominator > 0);
            assert!(floor.is_at_most(low), "{}", game.id);
            assert!(low.is_at_most(high), "{}", game.id);
            assert!(high.is_at_most(all) && high != all, "{}", game.id);
        }
    }

    #[test]
    fn ids_are_valid_and_unique_and_limits_are_amounts() {
        let ids: std::collections::HashSet<_> = catalogue()
            .iter()
            .map(|game| game.game_id().unwrap())
            .collect();
        assert_eq!(ids.len(), catalogue().len());
        for currency in Currency::all() {
            for game in catalogue() {
                let units = |text| Money::parse(text, currency).unwrap().units;
                assert!(0 < units(game.min_bet) && units(game.min_bet) <= units(game.max_bet));
            }
        }
    }

    #[test]
    fn an_entry_is_printed_with_its_return_to_player_as_text() {
        let json = serde_json::to_value(game("roulette")).unwrap();
        assert_eq!(json["rtp"], "36/37");
        assert_eq!(json["category"], "table");
        assert_eq!(game("dice").rtp.to_string(), "1237379/1250000..99/100");
        assert_eq!(game("blackjack").rtp.to_string(), "~98913/100000");
    }

    #[test]
    fn the_range_of_dice_is_that_of_all_targets() {
        // Of 10 000 rolls `target` win, each `floor(99_000_000 / target)` ten-thousandths of the stake.
        let returned = (1..=9_800).map(|target: u32| target * (99_000_000 / target));
        let of_all = |returned| Fraction::new(returned, 100_000_000);
        let same = |a: Fraction, b: Fraction| a.is_at_most(b) && b.is_at_most(a);
        let rtp = game("dice").rtp;
        assert!(same(rtp.lowest(), of_all(returned.clone().min().unwrap())));
        assert!(same(rtp.highest(), of_all(returned.max().unwrap())));
    }

    #[test]
    fn the_slot_returns_its_fraction_over_all_stops() {
        let reels = [
            b"CHCLBCOLCHBLCOSLCBLO",
            b"CLHCOLBCLCOBLCHLSCOL",
            b"LCOBLCHLCOLBCLCHOSCL",
        ];
        let pay = |symbol| match symbol {
            b'C' => 10,
            b'L' => 12,
            b'O' => 20,
            b'B' => 60,
            b'H' => 200,
            b'S' => 500,
            other => panic!("{other}"),
        };
        let lines = [[0, 0, 0], [1, 1, 1], [2, 2, 2], [0, 1, 2], [2, 1, 0]];
        let mut won = 0;
        for stops in 0..8_000 {
            let stop = [stops / 400, stops / 20 % 20, stops % 20];
            for line in lines {
                let [a, b, c] = [0, 1, 2].map(|reel| reels[reel][(stop[reel] + line[reel]) % 20]);
                if a == b && b == c {
                    won += pay(a);
                }
            }
        }
        let all = Fraction::new(won, 8_000 * 5);
        let declared = game("slot").rtp.lowest();
        assert!(all.is_at_most(declared) && declared.is_at_most(all));
    }
}
