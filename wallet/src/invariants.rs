//! The numbered invariants that a single decision must keep, as checks.
//!
//! The same numbers are used by the tests, by `pitboss audit` on a database, and by the load driver.

use std::collections::HashMap;

use crate::{Account, Decision};

/// A breach, by its number in `docs/rules.md`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{invariant}: {detail}")]
pub struct Breach {
    pub invariant: &'static str,
    pub detail: String,
}

fn breach(invariant: &'static str, detail: String) -> Result<(), Breach> {
    Err(Breach { invariant, detail })
}

/// Checks INV-1 and INV-3 on what a decision would post.
///
/// # Errors
/// The first [`Breach`].
pub fn check_decision(decision: &Decision) -> Result<(), Breach> {
    for transaction in &decision.transactions {
        let mut sums: HashMap<_, i128> = HashMap::new();
        for posting in &transaction.postings {
            *sums.entry(posting.amount.currency).or_default() += i128::from(posting.amount.units);
            let below_zero = posting.balance_after.is_some_and(|after| after < 0);
            if below_zero && posting.account != Account::Receivable {
                return breach(
                    "INV-3",
                    format!("{} below zero in {}", posting.account, transaction.id),
                );
            }
            if posting.account == Account::Receivable && transaction.key.kind == crate::Kind::Bet {
                return breach(
                    "INV-3",
                    format!("bet {} touches RECEIVABLE", transaction.id),
                );
            }
        }
        if let Some((currency, sum)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
            return breach(
                "INV-1",
                format!("{} sums to {sum} {currency}", transaction.id),
            );
        }
    }
    Ok(())
}
