//! What an answer means for a bet: pure.

use std::{io, time::Duration};

use serde::Deserialize;

use crate::http::Answer;

#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Done {
        /// The answer to a retry of a bet that was done before.
        replayed: bool,
    },
    /// Final: the server did not take the bet.
    Refused { code: String },
    /// To be sent again with the same id.
    Retry {
        reason: String,
        after: Option<Duration>,
    },
    /// An answer that cannot be right.
    Wrong { kind: &'static str },
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

impl Verdict {
    pub fn no_answer(error: &io::Error) -> Self {
        Self::Retry {
            reason: format!("no answer: {}", error.kind()),
            after: None,
        }
    }
}

/// `retried`: the bet was sent before, so the server may know it already.
pub fn judge(answer: &Answer<'_>, id: &[u8], retried: bool) -> Verdict {
    match answer.status {
        200 => judge_success(answer.body, id, retried),
        429 | 500..=599 => Verdict::Retry {
            reason: format!("{} {}", answer.status, code(answer.body)),
            after: answer
                .retry_after_s
                .map(|seconds| Duration::from_secs(seconds.into())),
        },
        status => Verdict::Refused {
            code: format!("{status} {}", code(answer.body)),
        },
    }
}

/// Looked for as bytes, not parsed: this is done for every bet, on the cores that the server needs. The
/// native protocol fixes these spellings, and nothing else in its answer can look like them.
fn judge_success(body: &[u8], id: &[u8], retried: bool) -> Verdict {
    if !contains(body, b"\"status\":\"ok\"") {
        return Verdict::Wrong {
            kind: "200 without status ok",
        };
    }
    // Between quotes, or bet 1 would pass for bet 12.
    let names_it = body
        .windows(id.len() + 2)
        .any(|part| part[0] == b'"' && part[id.len() + 1] == b'"' && &part[1..=id.len()] == id);
    if !names_it {
        return Verdict::Wrong {
            kind: "the answer to another bet",
        };
    }
    let replayed = contains(body, b"\"replayed\":true");
    if replayed && !retried {
        return Verdict::Wrong {
            kind: "a new id answered as a repeat",
        };
    }
    Verdict::Done { replayed }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The stable code of a problem document.
fn code(body: &[u8]) -> String {
    serde_json::from_slice::<Problem>(body)
        .map_or_else(|_| "(no code)".to_owned(), |problem| problem.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &str, retried: bool) -> Verdict {
        let answer = Answer {
            status,
            retry_after_s: Some(2),
            body: body.as_bytes(),
        };
        judge(&answer, b"lt-1-12", retried)
    }

    #[test]
    fn only_an_ok_that_names_the_bet_counts_as_done() {
        let ok = r#"{"status":"ok","provider_transaction_id":"lt-1-12","replayed":false}"#;
        assert_eq!(verdict(200, ok, false), Verdict::Done { replayed: false });
        for bad in [
            "",
            r#"{"status":"error","provider_transaction_id":"lt-1-12"}"#,
            r#"{"status":"ok","provider_transaction_id":"lt-1-1"}"#,
            r#"{"status":"ok","provider_transaction_id":"lt-1-123"}"#,
        ] {
            assert!(
                matches!(verdict(200, bad, false), Verdict::Wrong { .. }),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_repeat_is_right_after_a_retry_and_wrong_for_a_new_id() {
        let repeat = r#"{"status":"ok","provider_transaction_id":"lt-1-12","replayed":true}"#;
        assert_eq!(verdict(200, repeat, true), Verdict::Done { replayed: true });
        assert!(matches!(verdict(200, repeat, false), Verdict::Wrong { .. }));
    }

    #[test]
    fn busy_and_broken_are_retried_and_the_rest_is_final() {
        for status in [429, 500, 503] {
            let expected = Verdict::Retry {
                reason: format!("{status} retry"),
                after: Some(Duration::from_secs(2)),
            };
            assert_eq!(verdict(status, r#"{"code":"retry"}"#, false), expected);
        }
        for status in [400, 401, 402, 404, 409, 422] {
            let expected = Verdict::Refused {
                code: format!("{status} (no code)"),
            };
            assert_eq!(verdict(status, "oops", false), expected);
        }
    }
}
