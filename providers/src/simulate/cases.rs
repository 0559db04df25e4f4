//! The cases that every dialect has to pass. What they end in differs: [`Simulator::expect`] says how.

use pitboss_wallet::{Kind, WinKind};

use super::{Case, Expect, Move, Place, Script, Simulator, Step, Turn, Verdict};

/// Every case for a dialect: those of all, as far as it has them, and its own. `next` gives each a script.
#[must_use]
pub fn cases(simulator: &dyn Simulator, mut next: impl FnMut() -> Script) -> Vec<Case> {
    let mut all = Vec::new();
    for (name, steps) in COMMON {
        let script = next();
        if let Ok(steps) = steps(&script, simulator) {
            all.push(Case { name, steps });
        }
    }
    // Each of its own with a script of its own, too: ids may be unique in the whole account.
    for place in 0..simulator.cases(&next()).len() {
        all.extend(simulator.cases(&next()).into_iter().nth(place));
    }
    all
}

/// The cases of all that a dialect does not have, and why.
#[must_use]
pub fn left_out(simulator: &dyn Simulator, script: &Script) -> Vec<(&'static str, &'static str)> {
    let left = COMMON
        .iter()
        .filter_map(|(name, steps)| Some((*name, steps(script, simulator).err()?)));
    left.collect()
}

/// Or why the dialect has no such thing.
type Steps = fn(&Script, &dyn Simulator) -> Result<Vec<Step>, &'static str>;

fn verdict(simulator: &dyn Simulator, turn: Turn) -> Result<Verdict, &'static str> {
    match simulator.expect(turn) {
        Expect::Told(verdict) => Ok(verdict),
        Expect::Not(why) => Err(why),
    }
}

const COMMON: &[(&str, Steps)] = &[
    ("a bet and its win", |s, _| {
        Ok(vec![
            s.well(Move::Balance, 10_000),
            s.well(s.bet("b", 1_000), 9_000),
            s.well(s.win("w", "b", 2_550), 11_550),
            s.well(Move::Balance, 11_550),
        ])
    }),
    ("a loss is a win of 0", |s, _| {
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.well(s.win("w", "b", 0), 9_000),
        ])
    }),
    ("a bet of 0", |s, _| {
        Ok(vec![
            s.well(s.bet("b", 0), 10_000),
            s.well(s.win("w", "b", 500), 10_500),
        ])
    }),
    ("ids of 255 characters, of all kinds", |s, _| {
        let long = |name: &str| format!("{:~<255}", format!("{} &=%+/?#[]\\\"'<>", s.id(name)));
        let (bet, win, round) = (long("b"), long("w"), long("r"));
        Ok(vec![
            s.well(
                Move::Bet {
                    id: bet.clone(),
                    round: round.clone(),
                    amount: s.cents(1_000),
                    closes: false,
                    free_round: None,
                },
                9_000,
            ),
            s.well(
                Move::Win {
                    id: win,
                    bet: Some(bet),
                    round,
                    amount: s.cents(500),
                    kind: WinKind::Ordinary,
                    closes: false,
                },
                9_500,
            ),
        ])
    }),
    ("a bet repeated", |s, sim| {
        let again = verdict(sim, Turn::RepeatedBet)?;
        let bet = s.bet("b", 1_000);
        Ok(vec![
            s.well(bet.clone(), 9_000),
            s.told(bet.clone(), again, 9_000),
            s.well(s.win("w", "b", 100), 9_100),
            s.told(bet, again, 9_100),
        ])
    }),
    ("a win repeated", |s, sim| {
        let again = verdict(sim, Turn::RepeatedWin)?;
        let win = s.win("w", "b", 500);
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.well(win.clone(), 9_500),
            s.told(win, again, 9_500),
        ])
    }),
    ("eight equal bets at once", |s, _| {
        Ok(vec![Step::AtOnce {
            made: s.bet("b", 1_000),
            times: 8,
            cash: s.cents(9_000),
        }])
    }),
    ("eight equal wins at once", |s, _| {
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            Step::AtOnce {
                made: s.win("w", "b", 700),
                times: 8,
                cash: s.cents(9_700),
            },
        ])
    }),
    ("a known bet with another amount", |s, sim| {
        let other = verdict(sim, Turn::OtherBet)?;
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.told(s.bet("b", 2_000), other, 9_000),
        ])
    }),
    ("a known win with another amount", |s, sim| {
        let other = verdict(sim, Turn::OtherWin)?;
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.well(s.win("w", "b", 500), 9_500),
            s.told(s.win("w", "b", 600), other, 9_500),
        ])
    }),
    ("more than there is", |s, sim| {
        let poor = verdict(sim, Turn::Poor)?;
        Ok(vec![
            s.told(s.bet("b", 10_001), poor, 10_000),
            s.well(s.bet("all", 10_000), 0),
            s.told(s.bet("more", 1), poor, 0),
            s.well(s.win("w", "all", 300), 300),
        ])
    }),
    ("a bet taken back, twice", |s, sim| {
        let again = verdict(sim, Turn::RepeatedRollback)?;
        let back = s.rollback("r", "b", Kind::Bet, 1_000);
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.well(back.clone(), 10_000),
            s.told(back, again, 10_000),
        ])
    }),
    ("a rollback of nothing, and its late bet", |s, sim| {
        let unknown = verdict(sim, Turn::RollbackOfUnknown)?;
        let late = verdict(sim, Turn::LateBet)?;
        let back = s.rollback("r", "b", Kind::Bet, 1_000);
        Ok(vec![
            s.told(back.clone(), unknown, 10_000),
            s.told(s.bet("b", 1_000), late, 10_000),
            s.told(back, unknown, 10_000),
            s.told(s.bet("b", 1_000), late, 10_000),
        ])
    }),
    ("a rollback of a bet that has a win", |s, sim| {
        let settled = verdict(sim, Turn::RollbackOfSettled)?;
        let cash = if settled == Verdict::Ok {
            10_500
        } else {
            9_500
        };
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.well(s.win("w", "b", 500), 9_500),
            s.told(s.rollback("r", "b", Kind::Bet, 1_000), settled, cash),
        ])
    }),
    ("a win of a bet that was taken back", |s, sim| {
        let after = verdict(sim, Turn::WinAfterRollback)?;
        let cash = if after == Verdict::Ok {
            None
        } else {
            Some(10_000)
        };
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.well(s.rollback("r", "b", Kind::Bet, 1_000), 10_000),
            // Where it is answered as a success, it still moves nothing.
            s.told(s.win("w", "b", 500), after, cash.unwrap_or(10_000)),
        ])
    }),
    ("a win without a bet", |s, sim| {
        let alone = verdict(sim, Turn::WinWithoutBet)?;
        let cash = if alone == Verdict::Ok { 10_500 } else { 10_000 };
        Ok(vec![s.told(s.win("w", "none", 500), alone, cash)])
    }),
    ("a bet in a round that is closed", |s, sim| {
        let closed = verdict(sim, Turn::BetAfterClose)?;
        let mut last = s.win("w", "b", 500);
        if let Move::Win { closes, .. } = &mut last {
            *closes = true;
        }
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.well(last, 9_500),
            s.told(s.bet("late", 100), closed, 9_500),
        ])
    }),
    ("many bets and wins in one round", |s, _| {
        let mut steps = Vec::new();
        let mut cash = 10_000;
        for index in 0..5 {
            cash -= 100;
            steps.push(s.well(s.bet(&format!("b{index}"), 100), cash));
        }
        for index in 0..5 {
            cash += 50;
            let (win, bet) = (format!("w{index}"), format!("b{index}"));
            steps.push(s.well(s.win(&win, &bet, 50), cash));
        }
        Ok(steps)
    }),
    ("a session that is over", |s, sim| {
        let ended = verdict(sim, Turn::BetInEndedSession)?;
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            s.well(s.bet("taken", 500), 8_500),
            Step::EndSession,
            s.told(s.bet("new", 100), ended, 8_500),
            // What is owed to the player is paid. The win comes last: in dialects where it names no bet it settles both.
            s.well(s.rollback("r", "taken", Kind::Bet, 500), 9_000),
            s.well(s.win("w", "b", 2_000), 11_000),
        ])
    }),
    ("a player who is blocked", |s, sim| {
        let blocked = verdict(sim, Turn::BetOfBlocked)?;
        Ok(vec![
            s.well(s.bet("b", 1_000), 9_000),
            Step::Block,
            s.told(s.bet("new", 100), blocked, 9_000),
            s.well(s.win("w", "b", 2_000), 11_000),
            Step::Unblock,
        ])
    }),
    (
        "a bet repeated when the money, the right to bet and the session are gone",
        |s, sim| {
            let again = verdict(sim, Turn::RepeatedBet)?;
            let all = s.bet("all", 10_000);
            Ok(vec![
                s.well(all.clone(), 0),
                s.told(all.clone(), again, 0),
                Step::Block,
                s.told(all.clone(), again, 0),
                Step::Unblock,
                Step::EndSession,
                s.told(all, again, 0),
            ])
        },
    ),
    ("a very large win", |s, _| {
        Ok(vec![
            s.well(s.bet("b", 100), 9_900),
            s.well(s.win("w", "b", 6_372_709_234), 6_372_719_134),
        ])
    }),
    ("another player, game, session and currency", |s, sim| {
        let mut steps = Vec::new();
        for (place, turn) in [
            (Place::Player, Turn::BetOfUnknownPlayer),
            (Place::Game, Turn::BetInUnknownGame),
            (Place::Session, Turn::BetInNoSession),
            (Place::Currency, Turn::BetInOtherCurrency),
        ] {
            if let Ok(expect) = verdict(sim, turn) {
                let made = s.bet(&format!("{place:?}"), 100);
                steps.push(Step::Elsewhere {
                    made,
                    place,
                    expect,
                });
            }
        }
        steps.push(s.well(Move::Balance, 10_000));
        Ok(steps)
    }),
    ("a forged signature", |s, sim| {
        let expect = verdict(sim, Turn::BadSignature)?;
        Ok(vec![
            Step::Forged {
                made: s.bet("b", 1_000),
                expect,
            },
            Step::Forged {
                made: s.win("w", "b", 1_000),
                expect,
            },
            s.well(Move::Balance, 10_000),
        ])
    }),
    ("bodies that are none", |s, sim| {
        let expect = verdict(sim, Turn::Malformed)?;
        let bodies: [&[u8]; 4] = [b"", b"null", b"\xff\xfe", b"[[[["];
        let mut steps: Vec<Step> = bodies
            .iter()
            .map(|body| Step::Garbled {
                made: s.bet("b", 1_000),
                body: body.to_vec(),
                expect,
            })
            .collect();
        steps.push(s.well(Move::Balance, 10_000));
        Ok(steps)
    }),
    ("an action that there is not", |s, sim| {
        let expect = verdict(sim, Turn::UnknownAction)?;
        Ok(vec![Step::Astray {
            made: s.bet("b", 1_000),
            expect,
        }])
    }),
    ("bet and win in one call", |s, sim| {
        let poor = verdict(sim, Turn::Poor)?;
        let both = |name: &str, stake, won| Move::BetWin {
            bet: s.id(&format!("{name}-b")),
            win: s.id(&format!("{name}-w")),
            round: s.id(name),
            stake: s.cents(stake),
            won: s.cents(won),
        };
        let again = verdict(sim, Turn::RepeatedBet)?;
        Ok(vec![
            s.well(both("one", 1_000, 2_500), 11_500),
            s.told(both("one", 1_000, 2_500), again, 11_500),
            // What it wins does not pay for it (T9).
            s.told(both("two", 11_501, 50_000), poor, 11_500),
        ])
    }),
];
