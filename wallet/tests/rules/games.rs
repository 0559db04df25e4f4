//! What a game allows: switches, limits on one bet, currencies and countries. Wins are never asked (T8).

use std::sync::Arc;

use pitboss_wallet::{
    Action, Bet, BetWin, Command, Countries, Country, GameStanding, GameSwitch, GameTerms, Launch,
    PlayerStatus, RefusalCode, StakeLimits,
};

use crate::harness::*;

fn on(standing: GameStanding, bet: Bet) -> Bet {
    Bet { standing, ..bet }
}

fn offered(terms: GameTerms) -> GameStanding {
    GameStanding::Known {
        switch: GameSwitch::Enabled,
        terms: Some(Arc::new(terms)),
    }
}

fn country(code: &str) -> Country {
    Country::from_code(code).unwrap()
}

fn denied(code: &str) -> Countries {
    Countries {
        allow: vec![],
        deny: vec![country(code)],
    }
}

fn limited(min: Option<i64>, max: Option<i64>) -> GameStanding {
    let currency = eur();
    offered(GameTerms {
        limits: vec![StakeLimits { currency, min, max }],
        ..GameTerms::default()
    })
}

#[test]
fn a_game_that_finishes_takes_bets_in_open_rounds_alone() {
    let mut table = Table::with_cash(100);
    table.applied(bet("b1", "r", 10));
    let finishing = |id: &str, round: &str| on(GameStanding::FINISHING, bet(id, round, 10));
    table.applied(finishing("b2", "r"));
    table.refused(RefusalCode::GameDisabled, finishing("b3", "other"));
    let batch = |id: &str, round: &str| BetWin {
        standing: GameStanding::FINISHING,
        ..batch(round, vec![a_bet(id, 10)])
    };
    table.accepted(batch("b4", "r"));
    table.refused(RefusalCode::GameDisabled, batch("b5", "other"));
    table.applied(close("r"));
    table.refused(RefusalCode::RoundClosed, finishing("b6", "r"));
    assert_eq!(table.cash(), 70);
}

/// Memory is bounded: a round that it does not know may be open all the same.
#[test]
fn a_game_that_finishes_asks_the_ledger_for_a_round_that_memory_does_not_know() {
    let mut table = Table::with_cash(100);
    table.applied(bet("b1", "r", 10));
    table.restart();
    table.node.state.rounds.clear();
    table.applied(on(GameStanding::FINISHING, bet("b2", "r", 10)));
    table.restart();
    table.node.state.rounds.clear();
    table.accepted(BetWin {
        standing: GameStanding::FINISHING,
        ..batch("r", vec![a_bet("b3", 10)])
    });
    assert_eq!(table.cash(), 70);
}

#[test]
fn a_game_that_is_disabled_takes_no_bet_in_an_open_round_but_pays_and_closes_it() {
    let mut table = Table::with_cash(100);
    table.applied(bet("b1", "r", 10));
    table.refused(
        RefusalCode::GameDisabled,
        on(GameStanding::DISABLED, bet("b2", "r", 10)),
    );
    let mut paid = win("w", "r", 30);
    paid.standing = GameStanding::DISABLED;
    table.applied(paid);
    table.applied(close("r"));
    assert_eq!(table.cash(), 120);
}

#[test]
fn neither_a_disabled_nor_a_finishing_game_is_launched() {
    let mut table = Table::new();
    for standing in [GameStanding::DISABLED, GameStanding::FINISHING] {
        let launch = Command::Launch(Launch {
            standing,
            ..launch(5)
        });
        table.refused_command(RefusalCode::GameDisabled, &launch);
    }
}

#[test]
fn of_two_switches_the_stricter_counts() {
    let all = [
        GameSwitch::Enabled,
        GameSwitch::Finishing,
        GameSwitch::Disabled,
    ];
    for game in all {
        for other in all {
            let GameStanding::Known { switch, .. } = (match game {
                GameSwitch::Enabled => GameStanding::ENABLED,
                GameSwitch::Finishing => GameStanding::FINISHING,
                GameSwitch::Disabled => GameStanding::DISABLED,
            })
            .at_most(other) else {
                panic!("the game is known");
            };
            assert_eq!(switch, if game > other { game } else { other });
        }
    }
    assert_eq!(
        GameStanding::Unknown.at_most(GameSwitch::Disabled),
        GameStanding::Unknown
    );
}

#[test]
fn a_bet_outside_the_games_limits_is_told_the_range() {
    let mut table = Table::with_cash(1_000_000_000);
    let standing = limited(Some(100_000), Some(5_000_000));
    let try_at = |id: &str, units| on(standing.clone(), bet(id, "r", units));
    for outside in [1, 99_999, 5_000_001] {
        let refusal = table.refused(RefusalCode::BetLimit, try_at("b", outside));
        assert_eq!(
            refusal.detail,
            "a bet on this game is from 0.10 to 5.00 EUR"
        );
    }
    table.applied(try_at("b1", 100_000));
    table.applied(try_at("b2", 5_000_000));
    let only_max = on(limited(None, Some(9)), bet("b3", "r", 10));
    let refusal = table.refused(RefusalCode::BetLimit, only_max);
    assert!(refusal.detail.ends_with("at most 0.000009 EUR"));
    let only_min = on(limited(Some(11), None), bet("b3", "r", 10));
    let refusal = table.refused(RefusalCode::BetLimit, only_min);
    assert!(refusal.detail.ends_with("at least 0.000011 EUR"));
}

#[test]
fn every_bet_of_a_batch_is_within_the_games_limits_and_its_wins_are_not_asked() {
    let mut table = Table::with_cash(1_000);
    let with = |actions: Vec<Action>| BetWin {
        standing: limited(Some(10), Some(20)),
        ..batch("r", actions)
    };
    let wrong = with(vec![a_bet("b1", 10), a_win("w1", 500), a_bet("b2", 21)]);
    table.refused(RefusalCode::BetLimit, wrong);
    table.accepted(with(vec![
        a_bet("b1", 10),
        a_win("w1", 500),
        a_bet("b2", 20),
    ]));
}

#[test]
fn a_bet_that_costs_nothing_has_no_minimum() {
    let mut table = Table::with_cash(100);
    let free = Bet {
        free_round: Some(ext("free-1")),
        ..on(limited(Some(10), None), bet("b", "r", 0))
    };
    table.applied(free);
}

#[test]
fn a_limit_holds_in_its_own_currency_alone() {
    let usd = currency("USD");
    let standing = offered(GameTerms {
        limits: vec![StakeLimits {
            currency: usd,
            min: Some(50),
            max: None,
        }],
        ..GameTerms::default()
    });
    let mut table = Table::with_cash(100);
    table.applied(on(standing, bet("b", "r", 1)));
}

#[test]
fn a_game_takes_bets_and_launches_only_in_its_currencies() {
    let mut table = Table::with_cash(100);
    let of = |code: &str| {
        offered(GameTerms {
            currencies: vec![currency(code)],
            ..GameTerms::default()
        })
    };
    table.refused(
        RefusalCode::CurrencyMismatch,
        on(of("USD"), bet("b", "r", 1)),
    );
    let launch = |standing| {
        Command::Launch(Launch {
            standing,
            ..launch(5)
        })
    };
    table.refused_command(RefusalCode::CurrencyMismatch, &launch(of("USD")));
    table.applied(on(of("EUR"), bet("b", "r", 1)));
    table.done(&launch(of("EUR")));
}

#[test]
fn a_game_is_offered_in_the_countries_that_it_allows_and_does_not_deny() {
    let terms = |allow: &[&str], deny: &[&str]| Countries {
        allow: allow.iter().map(|code| country(code)).collect(),
        deny: deny.iter().map(|code| country(code)).collect(),
    };
    let (se, us) = (Some(country("SE")), Some(country("US")));
    assert!(terms(&[], &[]).welcome(se) && terms(&[], &[]).welcome(None));
    assert!(terms(&["SE"], &[]).welcome(se) && !terms(&["SE"], &[]).welcome(us));
    assert!(terms(&[], &["US"]).welcome(se) && !terms(&[], &["US"]).welcome(us));
    assert!(!terms(&["SE"], &["SE"]).welcome(se), "a denial wins");
    assert!(!terms(&["SE"], &[]).welcome(None) && !terms(&[], &["US"]).welcome(None));
}

#[test]
fn a_bet_and_a_launch_from_a_country_without_the_game_are_refused_and_a_win_is_paid() {
    let mut table = Table::with_cash(100);
    table.applied(bet("b", "r", 10));
    let standing = offered(GameTerms {
        countries: denied("US"),
        ..GameTerms::default()
    });
    let launch = Command::Launch(Launch {
        standing: standing.clone(),
        ..launch(5)
    });
    for home in [Some("US"), None] {
        table.node.state.country = home.map(country);
        let another = on(standing.clone(), bet("b2", "r", 10));
        table.refused(RefusalCode::CountryRefused, another);
        table.refused_command(RefusalCode::CountryRefused, &launch);
    }
    let mut paid = win("w", "r", 30);
    paid.standing = standing.clone();
    table.applied(paid);
    table.node.state.country = Some(country("SE"));
    table.applied(on(standing, bet("b2", "r", 10)));
    table.done(&launch);
}

/// T3: what was accepted is answered, whatever the game has become since.
#[test]
fn a_repeat_is_answered_before_the_game_is_asked() {
    let mut table = Table::with_cash(100);
    table.applied(bet("b", "r", 10));
    for standing in [
        GameStanding::DISABLED,
        GameStanding::Unknown,
        limited(Some(50), None),
    ] {
        table.replayed(on(standing, bet("b", "r", 10)));
    }
}

/// Session, player, game, its country and currency, its limits, the round, the balance.
#[test]
fn what_a_game_refuses_is_told_in_an_order() {
    let mut table = Table::with_cash(5);
    let standing = |terms: &GameTerms, switch| GameStanding::Known {
        switch,
        terms: Some(Arc::new(terms.clone())),
    };
    let mut terms = GameTerms {
        currencies: vec![currency("USD")],
        limits: vec![StakeLimits {
            currency: eur(),
            min: Some(20),
            max: None,
        }],
        countries: denied("US"),
    };
    let ask = |terms: &GameTerms, switch| on(standing(terms, switch), bet("b", "r", 10));
    table.done(&status(PlayerStatus::BetsBlocked));
    table.refused(
        RefusalCode::PlayerBlocked,
        ask(&terms, GameSwitch::Disabled),
    );
    table.done(&status(PlayerStatus::Active));
    table.refused(RefusalCode::GameDisabled, ask(&terms, GameSwitch::Disabled));
    table.refused(
        RefusalCode::CountryRefused,
        ask(&terms, GameSwitch::Finishing),
    );
    terms.countries = Countries::default();
    table.refused(
        RefusalCode::CurrencyMismatch,
        ask(&terms, GameSwitch::Finishing),
    );
    terms.currencies.clear();
    table.refused(RefusalCode::BetLimit, ask(&terms, GameSwitch::Finishing));
    terms.limits.clear();
    table.refused(
        RefusalCode::GameDisabled,
        ask(&terms, GameSwitch::Finishing),
    );
    table.refused(
        RefusalCode::InsufficientFunds,
        ask(&terms, GameSwitch::Enabled),
    );
}
