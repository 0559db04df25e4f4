//! The settings of deposits and withdrawals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::range::Check;

/// `config.toml` says what each setting means.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    pub deposit_expire_h: i64,
    pub withdrawal_expire_h: i64,
    pub withdrawal_fee: BTreeMap<String, String>,
    pub no_approver_below: BTreeMap<String, String>,
    pub two_approvers_from: BTreeMap<String, String>,
    pub review_from: BTreeMap<String, String>,
    pub player_may_cancel: bool,
    pub adjuster_days: i64,
    pub sweep_ms: u64,
    pub sweep_batch_max: u32,
}

impl Payments {
    pub(super) fn check(&self, check: &mut Check) {
        let hours = [
            ("payments.deposit_expire_h", self.deposit_expire_h, 1),
            ("payments.withdrawal_expire_h", self.withdrawal_expire_h, 0),
        ];
        for (key, value, least) in hours {
            check.range(key, value, least, 24 * 365);
        }
        for (key, amounts) in [
            ("payments.withdrawal_fee", &self.withdrawal_fee),
            ("payments.no_approver_below", &self.no_approver_below),
            ("payments.two_approvers_from", &self.two_approvers_from),
            ("payments.review_from", &self.review_from),
        ] {
            check.amounts(key, amounts);
        }
        check.range("payments.adjuster_days", self.adjuster_days, 0, 3650);
        check.range("payments.sweep_ms", self.sweep_ms, 100, 600_000);
        check.range("payments.sweep_batch_max", self.sweep_batch_max, 1, 10_000);
    }
}
