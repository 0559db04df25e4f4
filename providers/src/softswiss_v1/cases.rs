//! The cases that only version 1 has.

use pitboss_wallet::{Kind, WinKind};

use crate::simulate::{Case, Move, Script, Step, Verdict};

pub(super) fn all(s: &Script) -> Vec<Case> {
    vec![
        actions(s),
        rollbacks(s),
        wins_taken_back(s),
        late(s),
        free_spins(s),
        jackpots(s),
        closing(s),
        strange_ids(s),
        amounts(s),
        other_data(s),
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
        round: s.id(name),
        stake: s.cents(stake),
        won: s.cents(won),
    }
}

fn actions(s: &Script) -> Case {
    let half = Move::Bet {
        id: s.id("f-b"),
        round: s.id("f"),
        amount: s.cents(500),
        closes: false,
        free_round: None,
    };
    Case {
        name: "several actions in one call, all or nothing",
        steps: vec![
            s.well(s.own("two and two", "a", 1_000), 11_000),
            s.well(s.own("two and two", "a", 1_000), 11_000),
            // A win never pays for a bet of its call, before it or after.
            s.told(s.own("win, then bet", "b", 11_001), code("100"), 11_000),
            s.well(s.own("win, then bet", "c", 11_000), 11_000),
            // One that is not known spoils all.
            s.told(s.own("bet, then steal", "d", 100), code("400"), 11_000),
            s.told(s.own("bet twice", "e", 100), code("400"), 11_000),
            // An action that came before does not come again with another beside it.
            s.well(half, 10_500),
            s.told(both(s, "f", 500, 200), code("155"), 10_500),
        ],
    }
}

fn rollbacks(s: &Script) -> Case {
    let back = s.own("roll both back", "a", 1_000);
    Case {
        name: "rollback lists, and a second rollback of the same",
        steps: vec![
            s.well(both(s, "a", 1_000, 2_500), 11_500),
            s.well(back.clone(), 10_000),
            s.well(back, 10_000),
            s.well(s.rollback("again", "a-b", Kind::Bet, 1_000), 10_000),
            // The stored answer, and no money.
            s.well(both(s, "a", 1_000, 2_500), 10_000),
            s.told(s.own("empty rollback", "z", 0), code("400"), 10_000),
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
        name: "actions whose rollback came first are answered without effect",
        steps: vec![
            s.well(nothing.clone(), 10_000),
            s.well(nothing, 10_000),
            s.well(both(s, "a", 1_000, 5_000), 10_000),
            s.well(both(s, "a", 1_000, 5_000), 10_000),
            s.well(s.rollback("r", "w", Kind::Win, 500), 10_000),
            s.well(s.win("w", "none", 500), 10_000),
            s.well(s.win("w", "none", 500), 10_000),
            // The bet went back, the win is new: neither counts.
            s.well(s.rollback("q", "c-b", Kind::Bet, 100), 10_000),
            s.told(both(s, "c", 100, 900), code("400"), 10_000),
        ],
    }
}

fn free_spins(s: &Script) -> Case {
    Case {
        name: "free spins: the total, once, whoever is logged out",
        steps: vec![
            s.well(s.own("free spins active", "a", 300), 10_000),
            s.well(s.own("free spins played", "a", 700), 10_700),
            s.well(s.own("free spins played", "a", 700), 10_700),
            s.told(s.own("free spins played", "a", 800), code("155"), 10_700),
            s.well(s.own("free spins expired", "b", 0), 10_700),
            Step::EndSession,
            Step::Block,
            s.well(s.own("free spins expired", "c", 50), 10_750),
            s.told(s.own("free spins of nobody", "d", 50), code("400"), 10_750),
            Step::Unblock,
        ],
    }
}

fn jackpots(s: &Script) -> Case {
    let jackpot = Move::Win {
        id: s.id("jackpot"),
        bet: None,
        round: s.id("jackpot-round"),
        amount: s.cents(100_000),
        kind: WinKind::Jackpot,
        closes: true,
    };
    Case {
        name: "a jackpot is a part of its amount",
        steps: vec![
            s.well(s.own("bet with contribution", "b", 1_000), 9_000),
            s.well(jackpot.clone(), 109_000),
            s.well(jackpot, 109_000),
        ],
    }
}

fn closing(s: &Script) -> Case {
    let close = Move::Close {
        round: s.id("round"),
    };
    Case {
        name: "a round that is finished without an action",
        steps: vec![
            s.well(close.clone(), 10_000),
            s.well(s.bet("b", 1_000), 9_000),
            s.well(close.clone(), 9_000),
            s.well(close, 9_000),
            s.told(s.bet("late", 100), code("400"), 9_000),
            s.well(s.win("w", "b", 200), 9_200),
        ],
    }
}

fn strange_ids(s: &Script) -> Case {
    // 255 characters of every width, and what a parser may stumble over.
    let id = |name: &str| {
        let id = s.id(&format!("{name} '\";--%00\\u0000<é>\u{1F3B2}\n"));
        let missing = 255 - id.chars().count();
        format!("{id}{}", "\u{fc}".repeat(missing))
    };
    let bet = Move::Bet {
        id: id("b"),
        round: id("r"),
        amount: s.cents(1_000),
        closes: false,
        free_round: None,
    };
    let back = Move::Rollback {
        id: id("r"),
        target: id("b"),
        kind: Kind::Bet,
        amount: s.cents(1_000),
        round: id("r"),
    };
    Case {
        name: "ids of any characters, 255 of them",
        steps: vec![
            s.well(bet.clone(), 9_000),
            s.well(bet, 9_000),
            s.well(back, 10_000),
            s.told(s.own("id too long", "l", 100), code("400"), 10_000),
        ],
    }
}

fn amounts(s: &Script) -> Case {
    let mut steps = vec![
        // A feature that is paid for: a record that moves nothing.
        s.well(s.bet("zero", 0), 10_000),
        s.well(s.win("nothing", "zero", 0), 10_000),
    ];
    for wrong in WRONG_AMOUNTS {
        steps.push(s.told(s.own(wrong, "w", 100), code("400"), 10_000));
    }
    Case {
        name: "amounts of nothing, and what is no amount",
        steps,
    }
}

/// What stands where an amount should.
const WRONG_AMOUNTS: [&str; 9] = [
    "amount -1",
    "amount 1.5",
    "amount 1.0",
    "amount 1e2",
    "amount \"100\"",
    "amount 99999999999999999999",
    "amount 9223372036854775807",
    "amount null",
    "amount true",
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
