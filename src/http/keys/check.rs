//! What a key may be made or changed to, and by whom.

use pitboss_schema::Rate as KeyRate;
use pitboss_wallet::Timestamp;

use super::{forbidden, view::Rate};
use crate::{
    access::{Grant, Networks, Scopes},
    http::{ApiError, auth::Operator, fields::malformed, moment::moment},
    world::World,
};

const NETWORKS_MAX: usize = 100;
const RATE_MAX: u32 = 1_000_000;
/// Persons through whose hands a secret may come.
const ISSUERS_MAX: usize = 32;

pub(super) fn check_scopes(scopes: &[String]) -> Result<Scopes, ApiError> {
    if scopes.is_empty() {
        return Err(malformed("scopes", "must name at least one"));
    }
    Scopes::parse(scopes).map_err(|error| malformed("scopes", error))
}

pub(super) fn check_addresses(addresses: &[String]) -> Result<Networks, ApiError> {
    let field = "allowed_addresses";
    if addresses.len() > NETWORKS_MAX {
        return Err(malformed(field, format!("at most {NETWORKS_MAX}")));
    }
    Networks::parse(addresses).map_err(|error| malformed(field, error))
}

pub(super) fn check_rate(rate: Rate) -> Result<KeyRate, ApiError> {
    let Rate { per_s, burst } = rate;
    if [per_s, burst].iter().any(|n| *n == 0 || *n > RATE_MAX) {
        let what = format!("per_s and burst must be from 1 to {RATE_MAX}");
        return Err(malformed("rate", what));
    }
    Ok(KeyRate { per_s, burst })
}

pub(super) fn check_expiry(world: &World, text: &str) -> Result<Timestamp, ApiError> {
    let at = moment("expires_at", text)?;
    if at <= world.clock.now() {
        return Err(malformed("expires_at", "must lie in the future"));
    }
    Ok(at)
}

/// Refuses what the asking key does not have itself.
pub(super) fn check_covered(operator: &Operator, grant: &Grant) -> Result<(), ApiError> {
    let covered = operator.key.grant.covers(grant);
    covered.map_err(|excess| forbidden(excess.to_string()))
}

/// Those through whose hands a secret comes that this operator is shown.
pub(super) fn issuers(operator: &Operator, before: &[String]) -> Result<Vec<String>, ApiError> {
    let mut issuers = before.to_vec();
    issuers.extend(operator.hands());
    issuers.sort_unstable();
    issuers.dedup();
    if issuers.len() > ISSUERS_MAX {
        let detail = format!(
            "the secret would have come through more than {ISSUERS_MAX} hands: make the key on the command line"
        );
        return Err(forbidden(detail));
    }
    Ok(issuers)
}
