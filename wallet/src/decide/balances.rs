//! The balances of a wallet, account by account.

use crate::{Account, BalanceChange, Refusal, RefusalCode, Wallet};

/// Adds to a balance, and tells what it is then.
pub(super) fn add(balance: &mut i64, units: i64) -> Result<i64, Refusal> {
    let sum = balance.checked_add(units).ok_or_else(|| {
        let detail = "the amount is too large for the account";
        Refusal::new(RefusalCode::Malformed, detail)
    })?;
    *balance = sum;
    Ok(sum)
}

/// The accounts that a decision leaves with another balance.
pub(super) fn balance_changes(
    before: Option<&Wallet>,
    wallet: &mut Wallet,
    changes: &mut Vec<BalanceChange>,
) {
    let currency = wallet.currency;
    if before.is_none_or(|before| before.cash != wallet.cash) {
        let is_new = before.is_none();
        changes.push(BalanceChange {
            currency,
            account: Account::Cash,
            units: wallet.cash,
            is_new,
        });
    }
    if before.map_or(0, |before| before.receivable) != wallet.receivable {
        let is_new = !wallet.has_receivable;
        wallet.has_receivable = true;
        let units = wallet.receivable;
        changes.push(BalanceChange {
            currency,
            account: Account::Receivable,
            units,
            is_new,
        });
    }
    hold_changes(before, wallet, changes);
}

/// The accounts of withdrawals: all three get their rows with the first hold.
fn hold_changes(before: Option<&Wallet>, wallet: &mut Wallet, changes: &mut Vec<BalanceChange>) {
    let is_new = !wallet.has_holds;
    let mut moved = Vec::new();
    for (account, units, was) in [
        (
            Account::WithdrawalHold,
            wallet.withdrawal_hold,
            before.map_or(0, |before| before.withdrawal_hold),
        ),
        (
            Account::WithdrawalFeeHold,
            wallet.fee_hold,
            before.map_or(0, |before| before.fee_hold),
        ),
        (
            Account::PspTransit,
            wallet.in_transit,
            before.map_or(0, |before| before.in_transit),
        ),
    ] {
        moved.push((units != was, account, units));
    }
    if !moved.iter().any(|(is_moved, ..)| *is_moved) {
        return;
    }
    wallet.has_holds = true;
    for (_, account, units) in moved.into_iter().filter(|of| is_new || of.0) {
        changes.push(BalanceChange {
            currency: wallet.currency,
            account,
            units,
            is_new,
        });
    }
}
