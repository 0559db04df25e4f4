//! The cases that only this provider has.

use crate::simulate::{Case, Move, Script, Step, Verdict};

pub(super) const EXISTS: Verdict = Verdict::Code("BET_ALREADY_EXIST");
pub(super) const SETTLED: Verdict = Verdict::Code("BET_ALREADY_SETTLED");
pub(super) const NO_BET: Verdict = Verdict::Code("BET_DOES_NOT_EXIST");
pub(super) const FINAL: Verdict = Verdict::Code("FINAL_ERROR_ACTION_FAILED");
pub(super) const PARAMETER: Verdict = Verdict::Code("INVALID_PARAMETER");
pub(super) const NO_SID: Verdict = Verdict::Code("INVALID_SID");
pub(super) const NO_TOKEN: Verdict = Verdict::Code("INVALID_TOKEN_ID");

/// Every type of payout that is documented, and one that is not yet.
const PROMOTIONS: [&str; 8] = [
    "FreeRoundPlayableSpent",
    "RtrMonetaryReward",
    "JackpotWin",
    "RewardGamePlayableSpent",
    "RewardGameWinCapReached",
    "RewardGameMinBetLimitReached",
    "FromGame",
    "SomethingOfNextYear",
];

pub(super) fn all(s: &Script) -> Vec<Case> {
    vec![
        entering(s),
        calls(s),
        settlement(s),
        hundred(s),
        promotions(s),
        tokens(s),
        amounts(s),
        closing(s),
    ]
}

/// The sid of the launch is good for one `check`, which answers the one to play with.
fn entering(s: &Script) -> Case {
    let own = |what, name: &str| s.own(what, name, 100);
    Case {
        name: "the sid changes at check",
        steps: vec![
            s.told(own("debit with the old sid", "old"), NO_SID, 10_000),
            s.told(own("check with the old sid", ""), NO_SID, 10_000),
            s.well(own("check", ""), 10_000),
            s.well(own("check on a phone", ""), 10_000),
            s.well(own("sid", ""), 10_000),
            s.told(own("check of another player", ""), PARAMETER, 10_000),
            s.well(own("debit", "new"), 9_900),
            Step::EndSession,
            s.told(own("check", ""), NO_SID, 9_900),
            s.told(own("debit", "ended"), NO_SID, 9_900),
            s.told(own("debit", "new"), EXISTS, 9_900),
            s.well(own("balance in the lobby", ""), 9_900),
        ],
    }
}

/// A bet is known by its refId, whatever the id of the call is.
fn calls(s: &Script) -> Case {
    let again = |what, name: &str, cents| s.own(what, name, cents);
    Case {
        name: "calls with other ids for the same bet",
        steps: vec![
            s.well(again("debit", "b", 1_000), 9_000),
            s.told(again("debit by another call", "b", 1_000), EXISTS, 9_000),
            s.told(again("debit by another call", "b", 900), PARAMETER, 9_000),
            s.well(again("credit", "b", 500), 9_500),
            s.told(again("credit by another call", "b", 500), SETTLED, 9_500),
            s.told(again("credit by another call", "b", 600), PARAMETER, 9_500),
            s.told(again("cancel", "b", 1_000), SETTLED, 9_500),
            s.well(again("debit", "c", 1_000), 8_500),
            s.well(again("cancel", "c", 1_000), 9_500),
            s.told(again("cancel", "c", 1_000), SETTLED, 9_500),
            s.told(again("credit", "c", 500), SETTLED, 9_500),
        ],
    }
}

/// One credit for all debits, one for each, or something between: two games at one table, at the same time.
fn settlement(s: &Script) -> Case {
    let other = |made: Move| match made {
        Move::Own {
            name, id, amount, ..
        } => Move::Own {
            name,
            id,
            round: s.id("other-round"),
            amount,
        },
        made => made,
    };
    let debit = |name: &str| s.own("debit", name, 100);
    Case {
        name: "gamewise and mixed settlement, two games at a table",
        steps: vec![
            s.well(debit("a"), 9_900),
            s.well(other(debit("x")), 9_800),
            s.well(debit("b"), 9_700),
            s.well(debit("c"), 9_600),
            s.well(other(debit("y")), 9_500),
            // One credit for a, b and c.
            s.well(s.own("credit", "a", 750), 10_250),
            s.well(other(s.own("credit", "x", 0)), 10_250),
            s.well(other(s.own("credit", "y", 300)), 10_550),
            s.told(s.own("cancel", "a", 100), SETTLED, 10_550),
        ],
    }
}

fn hundred(s: &Script) -> Case {
    let mut steps = Vec::new();
    let mut cash = 10_000;
    for index in 0..101 {
        cash -= 10;
        steps.push(s.well(s.bet(&format!("b{index}"), 10), cash));
    }
    for index in 0..101 {
        cash += 7;
        let (win, bet) = (format!("w{index}"), format!("b{index}"));
        steps.push(s.well(s.win(&win, &bet, 7), cash));
    }
    Case {
        name: "101 debits and 101 credits in one game",
        steps,
    }
}

/// Paid without a bet, without a session, whatever the type is, once.
fn promotions(s: &Script) -> Case {
    let mut steps = vec![s.well(s.bet("b", 1_000), 9_000), Step::EndSession];
    let mut cash = 9_000;
    for name in PROMOTIONS {
        cash += 250;
        steps.push(s.well(s.own(name, name, 250), cash));
        steps.push(s.well(s.own(name, name, 250), cash));
        steps.push(s.told(s.own(name, name, 300), PARAMETER, cash));
    }
    let first = s.own("promotion without a game", "lobby", 100);
    steps.push(s.well(first, cash + 100));
    // It settled no bet.
    steps.push(s.well(s.own("cancel", "b", 1_000), cash + 1_100));
    Case {
        name: "promotions of every type, after the session",
        steps,
    }
}

fn tokens(s: &Script) -> Case {
    let debit = |what| s.told(s.own(what, "b", 100), NO_TOKEN, 10_000);
    Case {
        name: "no token, and two",
        steps: vec![
            debit("debit without a token"),
            debit("debit with two tokens"),
            s.told(s.own("debit by GET", "b", 100), PARAMETER, 10_000),
        ],
    }
}

fn amounts(s: &Script) -> Case {
    let wrong = |what| s.told(s.own(what, "wrong", 100), PARAMETER, 8_900);
    Case {
        name: "amounts of every form",
        steps: vec![
            s.well(s.bet("zero", 0), 10_000),
            s.well(s.own("debit with six digits", "six", 1_000), 9_000),
            s.well(s.own("debit with many zeros", "zeros", 100), 8_900),
            wrong("debit of a negative amount"),
            wrong("debit with an exponent"),
            wrong("debit of a text"),
            wrong("debit of too many digits"),
            wrong("debit of nothing"),
            s.told(s.own("credit", "unknown", 6_372_709_234), NO_BET, 8_900),
        ],
    }
}

fn closing(s: &Script) -> Case {
    let round = s.id("round");
    Case {
        name: "a game that is closed",
        steps: vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.well(s.bet("c", 1_000), 8_000),
            s.well(
                Move::Close {
                    round: round.clone(),
                },
                8_000,
            ),
            s.well(Move::Close { round }, 8_000),
            s.told(s.bet("late", 100), FINAL, 8_000),
            s.well(s.win("w", "b", 2_500), 10_500),
            s.well(s.own("cancel", "c", 1_000), 11_500),
            s.told(
                Move::Close {
                    round: s.id("none"),
                },
                NO_BET,
                11_500,
            ),
        ],
    }
}
