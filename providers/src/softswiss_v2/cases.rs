//! The cases that only version 2 has.

use pitboss_wallet::Kind;

use crate::simulate::{Case, Move, Script, Step, Verdict};

pub(super) fn all(s: &Script) -> Vec<Case> {
    vec![
        transactions(s),
        rollbacks(s),
        wins_taken_back(s),
        late(s),
        finishing(s),
        amounts(s),
        other_data(s),
        wire(s),
        signatures(s),
    ]
}

fn code(code: &'static str) -> Verdict {
    Verdict::Code(code)
}

fn both(s: &Script, name: &str, stake: i64, won: i64) -> Move {
    Move::BetWin {
        bet: s.id(&format!("{name}-b")),
        win: s.id(&format!("{name}-w")),
        round: s.id("round"),
        stake: s.cents(stake),
        won: s.cents(won),
    }
}

fn transactions(s: &Script) -> Case {
    Case {
        name: "several transactions in one call, all or nothing",
        steps: vec![
            // A win never pays for a bet of its call, before it or after.
            s.told(s.own("win, then bet", "a", 10_001), code("100"), 10_000),
            s.well(s.own("win, then bet", "b", 10_000), 10_000),
            // The first would do, the second is too much: the balance is that of before both.
            s.told(s.own("two and one", "c", 5_001), code("100"), 10_000),
            s.told(s.own("bet, then steal", "d", 100), code("400"), 10_000),
            s.told(s.own("nothing", "e", 100), code("400"), 10_000),
            // A transaction that came before does not come again with another beside it.
            s.well(s.bet("f-b", 500), 9_500),
            s.told(both(s, "f", 500, 200), code("155"), 9_500),
            // This one is the last of its round.
            s.well(s.own("two and one", "g", 1_000), 8_500),
            s.well(s.own("two and one", "g", 1_000), 8_500),
            s.told(s.bet("h", 100), code("400"), 8_500),
        ],
    }
}

fn rollbacks(s: &Script) -> Case {
    let back = s.own("roll both back", "a", 1_000);
    Case {
        name: "rollback lists, a second rollback, and a repeat of what went back",
        steps: vec![
            s.well(both(s, "a", 1_000, 2_500), 11_500),
            s.well(back.clone(), 10_000),
            s.well(back.clone(), 10_000),
            s.well(s.bet("b", 700), 9_300),
            s.well(s.rollback("r", "b", Kind::Bet, 700), 10_000),
            s.well(s.rollback("r-again", "b", Kind::Bet, 700), 10_000),
            // The stored answers, with the balances of then, and no money.
            s.well(both(s, "a", 1_000, 2_500), 10_000),
            s.well(s.bet("b", 700), 10_000),
            Step::EndSession,
            s.well(back, 10_000),
            s.told(s.own("bet as rollback", "z", 100), code("400"), 10_000),
        ],
    }
}

fn wins_taken_back(s: &Script) -> Case {
    Case {
        name: "a win that is taken back when it is spent",
        steps: vec![
            s.well(s.bet("b", 10_000), 0),
            s.well(s.win("w", "b", 3_000), 3_000),
            s.well(s.bet("c", 2_500), 500),
            s.well(s.rollback("r", "w", Kind::Win, 3_000), 0),
            s.well(s.rollback("r", "w", Kind::Win, 3_000), 0),
        ],
    }
}

fn late(s: &Script) -> Case {
    let nothing = s.own("roll nothing back", "a", 1_000);
    Case {
        name: "transactions whose rollback came first are refused for ever",
        steps: vec![
            s.well(nothing.clone(), 10_000),
            s.well(nothing, 10_000),
            s.told(both(s, "a", 1_000, 5_000), code("409"), 10_000),
            s.told(both(s, "a", 1_000, 5_000), code("409"), 10_000),
            s.well(s.rollback("r", "w", Kind::Win, 500), 10_000),
            s.told(s.win("w", "none", 500), code("409"), 10_000),
            // The bet went back, the win is new: neither counts.
            s.well(s.rollback("q", "c-b", Kind::Bet, 100), 10_000),
            s.told(both(s, "c", 100, 900), code("409"), 10_000),
        ],
    }
}

fn finishing(s: &Script) -> Case {
    let finish = Move::Close {
        round: s.id("round"),
    };
    Case {
        name: "a round that is finished, known or not, twice",
        steps: vec![
            s.well(finish.clone(), 10_000),
            s.well(s.bet("b", 1_000), 9_000),
            s.well(finish.clone(), 9_000),
            s.well(finish.clone(), 9_000),
            s.told(s.bet("late", 100), code("400"), 9_000),
            s.well(s.win("w", "b", 200), 9_200),
            // It always tells the balance of now.
            s.well(finish, 9_200),
        ],
    }
}

fn amounts(s: &Script) -> Case {
    let mut steps = vec![s.well(s.own("amount 1.0000000000000000", "a", 100), 9_900)];
    for wrong in WRONG_AMOUNTS {
        steps.push(s.told(s.own(wrong, wrong, 100), code("400"), 9_900));
    }
    Case {
        name: "amounts with many digits, and what is no amount",
        steps,
    }
}

/// What stands where an amount should. The last ones: 17 decimals, 41 characters, finer than the ledger, too large.
const WRONG_AMOUNTS: [&str; 18] = [
    "amount in a number",
    "amount 0",
    "amount 0.00",
    "amount -1",
    "amount +1",
    "amount 1e2",
    "amount 1.",
    "amount .5",
    "amount 1,5",
    "amount 1 ",
    "amount 0x1",
    "amount NaN",
    "amount Infinity",
    "amount \u{661}",
    "amount 1.00000000000000000",
    "amount 00000000000000000000000000000000000000001",
    "amount 0.0000000001",
    "amount 99999999999999999999",
];

fn other_data(s: &Script) -> Case {
    let elsewhere = Move::Bet {
        id: s.id("b"),
        round: s.id("another-round"),
        amount: s.cents(1_000),
        closes: false,
        free_round: None,
    };
    Case {
        name: "a known id in another round, and a rollback of another target",
        steps: vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.told(elsewhere, code("155"), 9_000),
            s.well(s.bet("c", 1_000), 8_000),
            s.well(s.rollback("r", "b", Kind::Bet, 1_000), 9_000),
            s.told(s.rollback("r", "c", Kind::Bet, 1_000), code("155"), 9_000),
        ],
    }
}

fn wire(s: &Script) -> Case {
    Case {
        name: "bytes that no library writes, a path with a prefix, a currency in small letters",
        steps: vec![
            s.well(s.own("oddly written", "a", 100), 9_900),
            s.well(s.own("under a prefix", "b", 100), 9_800),
            s.told(s.own("currency eur", "c", 100), code("400"), 9_800),
        ],
    }
}

fn signatures(s: &Script) -> Case {
    let wrong = [
        "unsigned",
        "shouted",
        "signed short",
        "signed keyless",
        "signed otherwise",
    ];
    let each = wrong.map(|how| s.told(s.own(how, how, 100), code("403"), 10_000));
    Case {
        name: "signatures that are none",
        steps: each.into(),
    }
}
