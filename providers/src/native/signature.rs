//! `Pitboss-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>...]`
//!
//! hex = HMAC-SHA256(secret, "{t}\n{path}\n{raw body}"). The path is signed so that a good request cannot be
//! sent to another action, provider or environment; the time, so that it cannot be kept for later.

use pitboss_wallet::Timestamp;
use subtle::{Choice, ConstantTimeEq};

use crate::{
    Account, RawRequest, SignatureError,
    mac::{self, Tag},
};

/// The name of the header.
pub const HEADER: &str = "Pitboss-Signature";

/// How far the signed time may be from now, in either direction.
pub const TOLERANCE_S: u64 = 300;

/// Signatures in one header: the old and the new secret of a rotation, and room to spare.
const MAX_SIGNATURES: usize = 8;

const FORM: &str = "t=<unix seconds>,v1=<64 hexadecimal digits>, with at most 8 v1";

/// The header's value for a request, as a client sends it. `t` is now, in Unix seconds.
#[must_use]
pub fn sign(secret: &[u8], t: i64, path: &str, body: &[u8]) -> String {
    let t = t.to_string();
    let tag = tag(secret, &t, path, body);
    format!("t={t},v1={}", hex::encode(tag))
}

fn tag(secret: &[u8], t: &str, path: &str, body: &[u8]) -> Tag {
    mac::tag(secret, &[t.as_bytes(), b"\n", path.as_bytes(), b"\n", body])
}

pub(super) fn verify(account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
    let header = request
        .headers
        .get(HEADER)
        .ok_or(SignatureError::Missing { header: HEADER })?;
    let signed = read(header).ok_or(SignatureError::Form {
        header: HEADER,
        form: FORM,
    })?;
    let skew_s = skew_s(signed.at_s, request.now);
    if skew_s > TOLERANCE_S {
        return Err(SignatureError::Stale {
            skew_s,
            limit_s: TOLERANCE_S,
        });
    }
    account.fitting_secret(|secret| {
        // Every pair is compared, so that the time taken does not tell which one fits.
        let expected = tag(secret, signed.t, request.path, request.body);
        let pairs = signed.tags.iter().map(|given| expected.ct_eq(given));
        pairs.fold(Choice::from(0), |any, one| any | one)
    })
}

fn skew_s(at_s: i64, now: Timestamp) -> u64 {
    now.as_micros().div_euclid(1_000_000).abs_diff(at_s)
}

/// A header that has the right form.
struct Signed<'a> {
    /// As written, because these digits were signed.
    t: &'a str,
    at_s: i64,
    tags: Vec<Tag>,
}

fn read(header: &str) -> Option<Signed<'_>> {
    let mut time = None;
    let mut tags = Vec::new();
    for part in header.split(',') {
        let (name, value) = part.trim().split_once('=')?;
        match name {
            "t" => {
                let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
                let at_s: i64 = value.parse().ok().filter(|_| is_plain)?;
                if time.replace((value, at_s)).is_some() {
                    return None;
                }
            }
            "v1" => {
                let mut tag = Tag::default();
                hex::decode_to_slice(value, &mut tag).ok()?;
                if tags.len() == MAX_SIGNATURES {
                    return None;
                }
                tags.push(tag);
            }
            // Room for later schemes: who knows only v1 reads past them.
            _ => {}
        }
    }
    let (t, at_s) = time?;
    (!tags.is_empty()).then_some(Signed { t, at_s, tags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_only_in_its_one_form() {
        let tag = "ab".repeat(32);
        for good in [
            format!("t=1,v1={tag}"),
            format!("v1={tag},t=1"),
            format!("t=1, v1={tag}"),
            format!("t=1,v1={}", tag.to_uppercase()),
            format!("t=1,v0=old,v2=,v1={tag}"),
            format!("t=1{}", format!(",v1={tag}").repeat(8)),
        ] {
            assert!(read(&good).is_some(), "{good}");
        }
        for bad in [
            String::new(),
            "t=1".to_owned(),
            format!("v1={tag}"),
            format!("t=,v1={tag}"),
            format!("t=+1,v1={tag}"),
            format!("t=-1,v1={tag}"),
            format!("t=1.5,v1={tag}"),
            format!("t=9223372036854775808,v1={tag}"),
            format!("t=1,t=1,v1={tag}"),
            format!("t=1,v1={}", &tag[2..]),
            format!("t=1,v1={tag}ab"),
            format!("t=1,v1={}", "zz".repeat(32)),
            format!("t=1,v1={tag},"),
            format!("t=1{}", format!(",v1={tag}").repeat(9)),
            format!("t=1;v1={tag}"),
        ] {
            assert!(read(&bad).is_none(), "{bad}");
        }
    }
}
