//! The simulated provider's own cases: what Pragmatic Play's documents say beyond what all dialects have.

use pitboss_wallet::{Kind, WinKind};

use crate::simulate::{Case, Move, Script, Step, Verdict};

const RETRY: Verdict = Verdict::Code("100");
const FINAL: Verdict = Verdict::Code("120");
const PARAMETERS: Verdict = Verdict::Code("7");
const HASH: Verdict = Verdict::Code("5");

pub(super) fn all(s: &Script) -> Vec<Case> {
    let case = |name, steps| Case { name, steps };
    vec![
        case("a round that endRound ends", end_of_a_round(s)),
        case("free rounds, and their summary", free_rounds(s)),
        case("promotions, also in a result", promotions(s)),
        case("jackpots, in a round and outside", jackpots(s)),
        case("adjustments of a round", adjustments(s)),
        case(
            "a bet asked again when the player can bet no more",
            asked_again(s),
        ),
        case("amounts of nothing, and amounts that are none", amounts(s)),
        case("ids of any characters", ids(s)),
        case("hashes that are wrong in each way", hashes(s)),
    ]
}

fn won(s: &Script, name: &str, bet: Option<&str>, kind: WinKind, cents: i64) -> Move {
    Move::Win {
        id: s.id(name),
        bet: bet.map(|bet| s.id(bet)),
        round: s.id("round"),
        amount: s.cents(cents),
        kind,
        closes: false,
    }
}

fn end_of_a_round(s: &Script) -> Vec<Step> {
    let end = Move::Close {
        round: s.id("round"),
    };
    vec![
        // Nobody knows the round: its bet may still arrive.
        s.told(end.clone(), Verdict::Code("130"), 10_000),
        s.well(s.bet("b", 1_000), 9_000),
        s.well(s.bet("more", 500), 8_500),
        s.well(s.win("w", "b", 200), 8_700),
        s.well(s.bet("after-result", 100), 8_600),
        s.well(end.clone(), 8_600),
        s.well(end.clone(), 8_600),
        s.told(s.bet("after-end", 100), Verdict::Code("3"), 8_600),
        s.well(s.win("late", "b", 50), 8_650),
        s.well(s.bet("b", 1_000), 8_650),
        s.well(end, 8_650),
    ]
}

fn free_rounds(s: &Script) -> Vec<Step> {
    let free = Move::Bet {
        id: s.id("free"),
        round: s.id("round"),
        amount: s.cents(500),
        closes: false,
        free_round: Some("gift".to_owned()),
    };
    let result = won(s, "free-win", Some("free"), WinKind::Free, 700);
    let summary = s.own("a summary of free rounds", "summary", 700);
    vec![
        s.told(result.clone(), RETRY, 10_000),
        s.well(free.clone(), 10_000),
        s.well(result.clone(), 10_700),
        s.well(free, 10_700),
        s.well(result, 10_700),
        // What it sums up is paid.
        s.well(summary.clone(), 10_700),
        Step::EndSession,
        s.well(summary, 10_700),
    ]
}

fn promotions(s: &Script) -> Vec<Step> {
    let promo = won(s, "promo", None, WinKind::Promo, 1_000);
    let both = s.own("a result with a promotion", "both", 250);
    vec![
        s.well(s.bet("b", 1_000), 9_000),
        s.well(both.clone(), 9_500),
        s.well(both, 9_500),
        // The same promotion is not paid with another result, nor is that result without it.
        s.told(
            s.own("a result with a promotion", "again", 250),
            PARAMETERS,
            9_500,
        ),
        Step::EndSession,
        s.well(promo.clone(), 10_500),
        s.well(promo, 10_500),
        s.told(
            won(s, "promo", None, WinKind::Promo, 2_000),
            PARAMETERS,
            10_500,
        ),
        s.well(won(s, "drop", None, WinKind::Tournament, 1), 10_501),
    ]
}

fn jackpots(s: &Script) -> Vec<Step> {
    let jackpot = won(s, "jackpot", Some("b"), WinKind::Jackpot, 100_000);
    vec![
        s.told(jackpot.clone(), RETRY, 10_000),
        s.well(s.bet("b", 1_000), 9_000),
        s.well(s.win("w", "b", 0), 9_000),
        s.well(jackpot.clone(), 109_000),
        s.well(jackpot, 109_000),
        s.well(won(s, "outside", None, WinKind::Jackpot, 100), 109_100),
    ]
}

fn adjustments(s: &Script) -> Vec<Step> {
    let up = won(s, "up", Some("b"), WinKind::Correction, 300);
    vec![
        s.told(up.clone(), RETRY, 10_000),
        s.well(s.bet("b", 1_000), 9_000),
        s.well(up.clone(), 9_300),
        s.well(up, 9_300),
        s.told(
            s.own("an adjustment downwards", "down", 100),
            PARAMETERS,
            9_300,
        ),
    ]
}

fn asked_again(s: &Script) -> Vec<Step> {
    let all = s.bet("all", 10_000);
    vec![
        s.well(all.clone(), 0),
        s.well(all.clone(), 0),
        Step::Block,
        s.well(all.clone(), 0),
        Step::Unblock,
        Step::EndSession,
        s.well(all, 0),
        s.well(s.rollback("r", "all", Kind::Bet, 10_000), 10_000),
        s.told(s.win("w", "all", 1), FINAL, 10_000),
        s.told(
            s.own("a bet without a token", "tokenless", 100),
            Verdict::Code("4"),
            10_000,
        ),
    ]
}

fn amounts(s: &Script) -> Vec<Step> {
    let mut steps = vec![
        s.well(s.bet("nothing", 0), 10_000),
        s.well(s.bet("nothing", 0), 10_000),
        s.well(s.own("a bet without a token", "tokenless", 100), 9_900),
        s.well(s.win("none", "nothing", 0), 9_900),
        // After a result a refund is refused, also one of nothing.
        s.told(s.rollback("r", "nothing", Kind::Bet, 0), FINAL, 9_900),
    ];
    for wrong in [
        "a bet of -1.00",
        "a bet of +1.00",
        "a bet of 1e2",
        "a bet of 1,000.00",
        "a bet of 1.",
        "a bet of NaN",
        "a bet of ",
        "a bet of 0.00000000000001",
        "a bet of 99999999999999999999",
        "a bet with two amounts",
        "a bet by GET",
    ] {
        steps.push(s.told(s.own(wrong, "wrong", 100), PARAMETERS, 9_900));
    }
    steps.push(s.well(s.bet("wrong", 100), 9_800));
    steps
}

fn ids(s: &Script) -> Vec<Step> {
    let name = "ünïcødé 🎲 &x=1&=%2B+;'\"<\\\t";
    vec![
        s.well(s.bet(name, 100), 9_900),
        s.well(s.bet(name, 100), 9_900),
        s.well(s.rollback("r", name, Kind::Bet, 100), 10_000),
    ]
}

fn hashes(s: &Script) -> Vec<Step> {
    let mut steps = Vec::new();
    for wrong in [
        "a bet without a hash",
        "a bet with two hashes",
        "a bet with a short hash",
        "a bet with the hash of another secret",
        "a bet with the hash of other fields",
    ] {
        steps.push(s.told(s.own(wrong, "forged", 100), HASH, 10_000));
    }
    steps.push(s.well(s.own("a bet in good order", "forged", 100), 9_900));
    steps
}
