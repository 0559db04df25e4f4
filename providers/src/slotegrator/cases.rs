//! The simulated provider's own cases: what the GIS documents say beyond what all dialects have.

use pitboss_wallet::{Kind, WinKind};

use crate::simulate::{Case, Move, Script, Step, Verdict};

const INTERNAL: Verdict = Verdict::Code("INTERNAL_ERROR");
const POOR: Verdict = Verdict::Code("INSUFFICIENT_FUNDS");

pub(super) fn all(s: &Script) -> Vec<Case> {
    let case = |name, steps| Case { name, steps };
    vec![
        case("free spins", free_spins(s)),
        case("prizes and jackpots, after the session", prizes(s)),
        case("tips, and types that nobody knows", tips(s)),
        case("a rollback of a whole round", whole_round(s)),
        case("a rollback of a round that never came", unknown_round(s)),
        case("a rollback of a win that is spent", spent(s)),
        case("rollbacks that are none", no_rollbacks(s)),
        case("what is in no round", roundless(s)),
        case(
            "a bet asked again when the player can bet no more",
            asked_again(s),
        ),
        case("amounts of nothing, and amounts that are none", amounts(s)),
        case("ids of any characters", ids(s)),
        case("signatures that are wrong in each way", signatures(s)),
    ]
}

fn won(s: &Script, name: &str, round: &str, kind: WinKind, cents: i64) -> Move {
    Move::Win {
        id: s.id(name),
        bet: None,
        round: s.id(round),
        amount: s.cents(cents),
        kind,
        closes: false,
    }
}

fn free_spins(s: &Script) -> Vec<Step> {
    let free = |name: &str| Move::Bet {
        id: s.id(name),
        round: s.id("round"),
        amount: s.cents(500),
        closes: false,
        free_round: Some("gift".to_owned()),
    };
    let win = won(s, "free-win", "round", WinKind::Free, 700);
    vec![
        s.well(s.bet("all", 10_000), 0),
        // Its amount is for information, so that nobody is too poor for it.
        s.well(free("free"), 0),
        s.well(free("free"), 0),
        s.well(win.clone(), 700),
        s.well(win, 700),
        s.well(s.rollback("r", "free-2", Kind::Bet, 500), 700),
        s.told(free("free-2"), INTERNAL, 700),
    ]
}

fn prizes(s: &Script) -> Vec<Step> {
    let prize = won(s, "prize", "prize-round", WinKind::Promo, 1_000);
    let jackpot = won(s, "jackpot", "jackpot-round", WinKind::Jackpot, 100_000);
    vec![
        Step::EndSession,
        s.well(prize.clone(), 11_000),
        s.well(jackpot, 111_000),
        s.well(prize, 111_000),
        s.told(
            won(s, "prize", "prize-round", WinKind::Promo, 1_001),
            INTERNAL,
            111_000,
        ),
        s.well(Move::Balance, 111_000),
    ]
}

fn tips(s: &Script) -> Vec<Step> {
    vec![
        s.well(s.own("a tip", "tip", 300), 9_700),
        s.well(s.own("a tip", "tip", 300), 9_700),
        s.told(s.own("a tip", "rich", 9_701), POOR, 9_700),
        s.told(
            s.own("a bet of a type that nobody knows", "gift", 100),
            INTERNAL,
            9_700,
        ),
        s.well(s.rollback("r", "tip", Kind::Bet, 300), 10_000),
    ]
}

fn whole_round(s: &Script) -> Vec<Step> {
    let back = s.own("a rollback of bet and win", "r", 0);
    vec![
        s.well(s.bet("b", 1_000), 9_000),
        s.well(s.win("w", "b", 2_500), 11_500),
        s.well(back.clone(), 10_000),
        s.well(back, 10_000),
        // Another call for the same finds nothing left.
        s.well(s.rollback("again", "w", Kind::Win, 2_500), 10_000),
        s.well(s.rollback("refund", "b", Kind::Bet, 1_000), 10_000),
        s.told(s.win("late", "b", 100), INTERNAL, 10_000),
        s.well(s.bet("b", 1_000), 10_000),
    ]
}

fn unknown_round(s: &Script) -> Vec<Step> {
    let back = s.own("a rollback of bet and win", "r", 0);
    vec![
        s.well(back.clone(), 10_000),
        s.told(s.bet("b", 1_000), INTERNAL, 10_000),
        s.told(s.win("w", "b", 1_000), INTERNAL, 10_000),
        s.well(back, 10_000),
        s.well(s.bet("other", 1_000), 9_000),
    ]
}

fn spent(s: &Script) -> Vec<Step> {
    let back = s.own("a rollback of bet and win", "r", 0);
    vec![
        s.well(s.bet("b", 100), 9_900),
        s.well(s.win("w", "b", 5_000), 14_900),
        s.well(
            Move::Bet {
                id: s.id("spends"),
                round: s.id("another"),
                amount: s.cents(14_900),
                closes: true,
                free_round: None,
            },
            0,
        ),
        // The win is owed, the bet is given back.
        s.well(back.clone(), 100),
        s.well(back, 100),
    ]
}

fn no_rollbacks(s: &Script) -> Vec<Step> {
    let mut steps = vec![
        s.well(s.bet("b", 1_000), 9_000),
        s.well(s.win("w", "b", 500), 9_500),
    ];
    for wrong in [
        "a rollback of nothing",
        "a rollback of what is no bet",
        "a rollback of one bet twice",
    ] {
        steps.push(s.told(s.own(wrong, "r", 0), INTERNAL, 9_500));
    }
    steps.push(s.well(s.own("a rollback of bet and win", "r", 0), 10_000));
    steps
}

fn roundless(s: &Script) -> Vec<Step> {
    vec![
        s.well(s.own("a bet without a round", "b", 1_000), 9_000),
        s.well(s.own("a win without a round", "w", 700), 9_700),
        s.well(s.own("a bet without a round", "b", 1_000), 9_700),
        s.well(s.own("a win without a round", "w", 700), 9_700),
        s.well(s.rollback("r", "b", Kind::Bet, 1_000), 10_700),
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
    ]
}

fn amounts(s: &Script) -> Vec<Step> {
    let mut steps = vec![
        s.well(s.bet("nothing", 0), 10_000),
        s.well(s.bet("nothing", 0), 10_000),
        s.well(s.own("a bet of the amount 0.5000", "half", 50), 9_950),
        s.well(s.own("a bet of the amount 1", "one", 100), 9_850),
    ];
    for wrong in [
        "a bet of the amount -1",
        "a bet of the amount +1",
        "a bet of the amount 1e2",
        "a bet of the amount 1,000.00",
        "a bet of the amount NaN",
        "a bet of the amount ",
        "a bet of the amount 0.00000000000001",
        "a bet of the amount 99999999999999999999",
        "a bet with two amounts",
        "a bet by GET",
        "a bet to another path",
    ] {
        steps.push(s.told(s.own(wrong, "wrong", 100), INTERNAL, 9_850));
    }
    steps.push(s.well(s.bet("wrong", 100), 9_750));
    steps
}

fn ids(s: &Script) -> Vec<Step> {
    let name = "ünïcødé 🎲 &amount=1&=%2B+;'\"<\\\t[0][id]*~";
    vec![
        s.well(s.bet(name, 100), 9_900),
        s.well(s.bet(name, 100), 9_900),
        s.well(s.rollback("r", name, Kind::Bet, 100), 10_000),
    ]
}

fn signatures(s: &Script) -> Vec<Step> {
    let mut steps = Vec::new();
    for wrong in [
        "a bet without X-Sign",
        "a bet without X-Nonce",
        "a bet without X-Merchant-Id",
        "a bet without X-Timestamp",
        "a bet with another nonce",
        "a bet with two signatures",
        "a bet with a field that is not signed",
    ] {
        steps.push(s.told(s.own(wrong, "forged", 100), INTERNAL, 10_000));
    }
    steps.push(s.well(s.own("a bet in good order", "forged", 100), 9_900));
    steps
}
