//! One request, and the one answer that is right: pure.

use pitboss_wallet::{Currency, Money};
use serde::Deserialize;
use uuid::Uuid;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    Bet,
    Win,
    BetWin,
    Rollback,
    CloseRound,
    /// Over REST, by the operator.
    Deposit,
}

impl Action {
    pub const CALLBACKS: [Self; 5] = [
        Self::Bet,
        Self::Win,
        Self::BetWin,
        Self::Rollback,
        Self::CloseRound,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Bet => "bet",
            Self::Win => "win",
            Self::BetWin => "bet_win",
            Self::Rollback => "rollback",
            Self::CloseRound => "close_round",
            Self::Deposit => "deposit",
        }
    }
}

/// A request, and what must come of it.
#[derive(Debug, Clone)]
pub struct Step {
    pub action: Action,
    pub body: String,
    pub expect: Expect,
    /// Sent twice at the same time.
    pub twin: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    Done(Done),
    Refused { status: u16, code: &'static str },
}

/// A success, with all that it must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The row of the player's ledger that the answer names, by its place in `Player::rows`.
    pub row: usize,
    /// The id that it echoes.
    pub id: String,
    /// Cash right after it, in ledger units; `None` for a rollback that found nothing.
    pub cash: Option<i64>,
    /// It was acknowledged before: only a repeat's answer is right.
    pub known: bool,
}

/// What one answer means.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As expected; of a success our id, and whether it is the answer to a repeat.
    Right(Option<(Uuid, bool)>),
    Again(String),
    Wrong(String),
}

#[derive(Deserialize)]
struct Success {
    transaction_id: String,
    /// Callbacks echo the provider's id, deposits their reference.
    #[serde(alias = "reference")]
    provider_transaction_id: String,
    replayed: bool,
    balance: Option<Balance>,
}

#[derive(Deserialize)]
struct Balance {
    cash: String,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

/// Judges a whole answer. `sent_before`: an earlier try or a twin may have been carried out.
/// `clocks_differ`: a signature may be refused for its time.
pub fn judge(
    step: &Step,
    status: u16,
    body: &[u8],
    sent_before: bool,
    clocks_differ: bool,
) -> Verdict {
    let shown = || format!("{status} {}", String::from_utf8_lossy(body));
    if matches!(status, 408 | 429 | 500..=599) {
        return Verdict::Again(format!("{status} {}", code(body)));
    }
    if clocks_differ && status == 401 && code(body) == "bad_signature" {
        return Verdict::Again("401 bad_signature".to_owned());
    }
    match &step.expect {
        Expect::Refused {
            status: expected,
            code: expected_code,
        } => match status == *expected && code(body) == *expected_code {
            true => Verdict::Right(None),
            false => Verdict::Wrong(format!(
                "{expected} {expected_code} was due, came {}",
                shown()
            )),
        },
        Expect::Done(done) => {
            if !matches!(status, 200 | 201) {
                return Verdict::Wrong(format!("a success was due, came {}", shown()));
            }
            match check(done, body, sent_before, step.action == Action::Deposit) {
                Ok(right) => Verdict::Right(Some(right)),
                Err(wrong) => Verdict::Wrong(format!("{wrong}: {}", shown())),
            }
        }
    }
}

/// `kept_whole`: the very first answer may come again, for its Idempotency-Key.
fn check(
    done: &Done,
    body: &[u8],
    sent_before: bool,
    kept_whole: bool,
) -> Result<(Uuid, bool), String> {
    let success: Success = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if success.provider_transaction_id != done.id {
        return Err(format!("the answer to another request than {}", done.id));
    }
    let cash = done.cash.map(cash_text);
    let told = success.balance.map(|balance| balance.cash);
    if told != cash {
        return Err(format!("cash should be {cash:?}"));
    }
    if success.replayed && !sent_before && !done.known {
        return Err("a new id answered as a repeat".to_owned());
    }
    if !success.replayed && done.known && !kept_whole {
        return Err("a repeat answered as new".to_owned());
    }
    let id = success.transaction_id.strip_prefix("tx_");
    let id = id.and_then(|id| Uuid::try_parse(id).ok());
    let id = id.ok_or("no transaction id")?;
    Ok((id, success.replayed))
}

fn code(body: &[u8]) -> String {
    serde_json::from_slice::<Problem>(body)
        .map_or_else(|_| "(no code)".to_owned(), |problem| problem.code)
}

/// As the API prints an amount of EUR.
pub fn cash_text(units: i64) -> String {
    Currency::from_code("EUR").map_or_else(String::new, |eur| Money::new(units, eur).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bet(known: bool) -> Step {
        let done = Done {
            row: 0,
            id: "x1".into(),
            cash: Some(1_500_000),
            known,
        };
        Step {
            action: Action::Bet,
            body: String::new(),
            expect: Expect::Done(done),
            twin: false,
        }
    }

    fn answer(id: &str, cash: &str, replayed: bool) -> String {
        format!(
            r#"{{"status":"ok","transaction_id":"tx_0192f3a0c0de70008000000000000001",
            "provider_transaction_id":"{id}","replayed":{replayed},"balance":{{"cash":"{cash}"}}}}"#
        )
    }

    fn judged(step: &Step, status: u16, body: &str, sent_before: bool) -> Verdict {
        judge(step, status, body.as_bytes(), sent_before, false)
    }

    #[test]
    fn only_the_very_answer_is_right() {
        let right = judged(&bet(false), 200, &answer("x1", "1.50", false), false);
        assert!(
            matches!(right, Verdict::Right(Some((_, false)))),
            "{right:?}"
        );
        for (id, cash, replayed) in [
            ("x2", "1.50", false),
            ("x1", "1.49", false),
            ("x1", "1.50", true),
        ] {
            let wrong = judged(&bet(false), 200, &answer(id, cash, replayed), false);
            assert!(matches!(wrong, Verdict::Wrong(_)), "{id} {cash} {replayed}");
        }
        let refused = judged(&bet(false), 402, r#"{"code":"insufficient_funds"}"#, false);
        assert!(matches!(refused, Verdict::Wrong(_)));
    }

    #[test]
    fn what_was_sent_before_may_be_a_repeat_and_what_was_acknowledged_must_be() {
        for replayed in [true, false] {
            let verdict = judged(&bet(false), 200, &answer("x1", "1.50", replayed), true);
            assert!(matches!(verdict, Verdict::Right(Some((_, told))) if told == replayed));
        }
        let verdict = judged(&bet(true), 200, &answer("x1", "1.50", true), true);
        assert!(matches!(verdict, Verdict::Right(_)));
        let verdict = judged(&bet(true), 200, &answer("x1", "1.50", false), true);
        assert!(matches!(verdict, Verdict::Wrong(_)));
    }

    #[test]
    fn a_refusal_is_right_by_status_and_code() {
        let step = Step {
            expect: Expect::Refused {
                status: 409,
                code: "rolled_back",
            },
            ..bet(false)
        };
        let verdict = judged(&step, 409, r#"{"code":"rolled_back"}"#, false);
        assert_eq!(verdict, Verdict::Right(None));
        for (status, body) in [
            (409, r#"{"code":"round_closed"}"#.to_owned()),
            (200, answer("x1", "1.50", false)),
        ] {
            assert!(matches!(
                judged(&step, status, &body, false),
                Verdict::Wrong(_)
            ));
        }
    }

    #[test]
    fn busy_and_unknown_are_asked_again_and_a_late_signature_only_when_clocks_differ() {
        for status in [408, 429, 500, 503] {
            let verdict = judged(&bet(false), status, r#"{"code":"retry"}"#, false);
            assert!(matches!(verdict, Verdict::Again(_)));
        }
        let late = br#"{"code":"bad_signature"}"#;
        let verdict = |differ| judge(&bet(false), 401, late, false, differ);
        assert!(matches!(verdict(true), Verdict::Again(_)));
        assert!(matches!(verdict(false), Verdict::Wrong(_)));
    }
}
