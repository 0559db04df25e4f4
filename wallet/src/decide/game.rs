//! What a game allows: asked for launches and bets, never for wins (T8).

use crate::{
    Country, Currency, GameStanding, GameSwitch, GameTerms, Money, Refusal, RefusalCode,
    StakeLimits,
};

/// Whether a player of this country may play the game in this currency at all, and how far it is switched on.
pub(super) fn admit(
    standing: &GameStanding,
    country: Option<Country>,
    currency: Currency,
) -> Result<GameSwitch, Refusal> {
    let GameStanding::Known { switch, terms } = standing else {
        let detail = "the provider has no such game";
        return Err(Refusal::new(RefusalCode::UnknownGame, detail));
    };
    if *switch == GameSwitch::Disabled {
        let detail = "the game takes no bets";
        return Err(Refusal::new(RefusalCode::GameDisabled, detail));
    }
    if let Some(terms) = terms {
        check_country(terms, country)?;
        if !terms.offer(currency) {
            let detail = format!("the game is not offered in {currency}");
            return Err(Refusal::new(RefusalCode::CurrencyMismatch, detail));
        }
    }
    Ok(*switch)
}

fn check_country(terms: &GameTerms, country: Option<Country>) -> Result<(), Refusal> {
    if terms.countries.welcome(country) {
        return Ok(());
    }
    let detail = match country {
        Some(country) => format!("the game is not offered in {country}"),
        None => "the game is offered by country, and the player's is not known".to_owned(),
    };
    Err(Refusal::new(RefusalCode::CountryRefused, detail))
}

/// The game takes bets, but only in rounds that are open.
pub(super) fn finishing() -> Refusal {
    let detail = "the game takes bets only in rounds that are open already";
    Refusal::new(RefusalCode::GameDisabled, detail)
}

/// Whether one bet is within the game's limits.
pub(super) fn check_stake(standing: &GameStanding, stake: Money) -> Result<(), Refusal> {
    let GameStanding::Known { terms, .. } = standing else {
        return Ok(());
    };
    let limits = terms
        .as_deref()
        .and_then(|terms| terms.limits(stake.currency));
    let is_outside = |limits: &&StakeLimits| !limits.allow(stake.units);
    match limits.filter(is_outside) {
        None => Ok(()),
        Some(limits) => {
            let detail = format!("a bet on this game is {}", limits.range());
            Err(Refusal::new(RefusalCode::BetLimit, detail))
        }
    }
}
