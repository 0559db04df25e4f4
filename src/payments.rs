//! The terms of withdrawals, who may not approve them, and the end of what nobody decided in time.
//!
//! What lives here: settings and look-ups around payments. What must not: what follows from what, which the wallet
//! decides.

use std::collections::BTreeMap;

use pitboss_providers::Code;
use pitboss_schema::StoreError;
use pitboss_wallet::{
    Command, DepositStep, Money, PaymentKind, PlayerId, ReviewReason, Timestamp, WithdrawalStep,
    WithdrawalTerms,
};

use crate::{
    config::{Payments, threshold},
    http::{ApiError, Operator},
    world::World,
};

/// The configured amount of a currency.
fn amount_for(amounts: &BTreeMap<String, String>, like: Money) -> Option<i64> {
    // Checked when the configuration was read.
    let mut amounts = amounts
        .iter()
        .filter_map(|(code, amount)| threshold(code, amount).ok());
    let amount = amounts.find(|amount| amount.currency == like.currency);
    amount.map(|amount| amount.units)
}

/// What is in force for a withdrawal of this amount.
#[must_use]
pub fn terms(settings: &Payments, amount: Money, now: Timestamp) -> WithdrawalTerms {
    let limit = |amounts| amount_for(amounts, amount);
    let is_small = limit(&settings.no_approver_below).is_some_and(|below| amount.units < below);
    let is_large = limit(&settings.two_approvers_from).is_some_and(|from| amount.units >= from);
    let is_looked_at = limit(&settings.review_from).is_some_and(|from| amount.units >= from);
    let expire_h = settings.withdrawal_expire_h;
    WithdrawalTerms {
        fee_units: limit(&settings.withdrawal_fee).unwrap_or(0),
        approvers: match (is_large, is_small) {
            (true, _) => 2,
            (false, true) => 0,
            (false, false) => 1,
        },
        review: if is_looked_at {
            vec![ReviewReason::LargeAmount]
        } else {
            Vec::new()
        },
        may_cancel: settings.player_may_cancel,
        expires_at: (expire_h > 0).then(|| now.plus_seconds(3600 * expire_h)),
    }
}

/// Whoever adjusted a player's money does not approve that it leaves.
///
/// # Errors
/// He did, or the database did not answer.
pub async fn check_is_no_adjuster(operator: &Operator, player: &PlayerId) -> Result<(), ApiError> {
    let world = &operator.world;
    let days = world.config.payments.adjuster_days;
    let since = world.clock.now().plus_seconds(-86_400 * days);
    let found = world
        .store
        .has_adjusted(player, since, &operator.hands())
        .await;
    if found.map_err(ApiError::unavailable)? {
        let detail = "whoever adjusted the player's money does not approve his withdrawals";
        return Err(ApiError::new(Code::SamePerson, detail));
    }
    Ok(())
}

/// Lets what is overdue expire.
///
/// # Errors
/// The database did not answer.
pub async fn sweep(world: &World) -> Result<(), StoreError> {
    let limit = world.config.payments.sweep_batch_max;
    for row in world.store.due_payments(world.clock.now(), limit).await? {
        let id = row.payment.id();
        let kind = row.payment.kind();
        let command = match kind {
            PaymentKind::Deposit => Command::MoveDeposit(id, DepositStep::Expire),
            PaymentKind::Withdrawal => {
                Command::MoveWithdrawal(id, Box::new(WithdrawalStep::Expire))
            }
        };
        match world.registry.execute(&row.player, command).await {
            Ok(Ok(_)) => {
                metrics::counter!("pitboss_payments_expired_total", "kind" => kind.as_str())
                    .increment(1);
            }
            // Somebody was faster.
            Ok(Err(refusal)) => {
                tracing::debug!(payment = %id, code = refusal.code.as_str(), "a payment did not expire");
            }
            Err(error) => tracing::warn!(payment = %id, %error, "a payment did not expire"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::Currency;

    use super::*;

    fn amounts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pair = |(code, amount): &(&str, &str)| ((*code).to_owned(), (*amount).to_owned());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn terms_are_those_of_the_amount_in_its_currency() {
        let settings = Payments {
            deposit_expire_h: 1,
            withdrawal_expire_h: 2,
            withdrawal_fee: amounts(&[("EUR", "1")]),
            no_approver_below: amounts(&[("eur", "10")]),
            two_approvers_from: amounts(&[("EUR", "1000")]),
            review_from: amounts(&[("EUR", "500")]),
            player_may_cancel: true,
            adjuster_days: 1,
            sweep_ms: 100,
            sweep_batch_max: 1,
        };
        let of = |amount: &str, code: &str| {
            let currency = Currency::from_code(code).unwrap();
            let amount = Money::parse(amount, currency).unwrap();
            terms(&settings, amount, Timestamp::from_micros(0))
        };
        let told = |terms: &WithdrawalTerms| (terms.approvers, terms.review.len());
        assert_eq!(told(&of("9.99", "EUR")), (0, 0));
        assert_eq!(told(&of("10", "EUR")), (1, 0));
        assert_eq!(told(&of("500", "EUR")), (1, 1));
        assert_eq!(told(&of("999.99", "EUR")), (1, 1));
        assert_eq!(told(&of("1000", "EUR")), (2, 1));
        // Another currency always needs one.
        assert_eq!(told(&of("1", "USD")), (1, 0));
        assert_eq!(of("1", "USD").fee_units, 0);
        assert_eq!(of("1", "EUR").fee_units, 1_000_000);
        assert_eq!(
            of("1", "EUR").expires_at,
            Some(Timestamp::from_micros(7_200_000_000))
        );
    }
}
