//! `Pitboss-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>...]`
//!
//! hex = HMAC-SHA256(secret, "{t}\n{path}\n{raw body}"). The path is signed so that a good request cannot be
//! sent to another action, provider or environment; the time, so that it cannot be kept for later.

use hmac::{
    Hmac, Mac,
    digest::{Key, KeyInit},
};
use pitboss_wallet::Timestamp;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::{Account, RawRequest, SignatureError};

/// The name of the header.
pub const HEADER: &str = "Pitboss-Signature";

/// How far the signed time may be from now, in either direction.
pub const TOLERANCE_S: u64 = 300;

/// Signatures in one header: the old and the new secret of a rotation, and room to spare.
const MAX_SIGNATURES: usize = 8;

const FORM: &str = "t=<unix seconds>,v1=<64 hexadecimal digits>, with at most 8 v1";

type HmacSha256 = Hmac<Sha256>;
type Tag = [u8; 32];

/// The header's value for a request, as a client sends it. `t` is now, in Unix seconds.
#[must_use]
pub fn sign(secret: &[u8], t: i64, path: &str, body: &[u8]) -> String {
    let t = t.to_string();
    let tag = tag(secret, &t, path, body);
    format!("t={t},v1={}", hex::encode(tag))
}

fn tag(secret: &[u8], t: &str, path: &str, body: &[u8]) -> Tag {
    let mut mac = keyed(secret);
    for part in [t.as_bytes(), b"\n", path.as_bytes(), b"\n", body] {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC keys are brought to one block as RFC 2104 says: longer ones are hashed, all are filled with zeros.
/// Done here because the library's own constructor for any length has an error that never happens.
fn keyed(secret: &[u8]) -> HmacSha256 {
    let mut block = Key::<HmacSha256>::default();
    if secret.len() > block.len() {
        let digest = Sha256::digest(secret);
        block[..digest.len()].copy_from_slice(&digest);
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    <HmacSha256 as KeyInit>::new(&block)
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
    // Every pair is compared, so that the time taken does not tell which one fits.
    let mut fitting = account.secrets.len();
    for (place, secret) in account.secrets.iter().enumerate().rev() {
        let secret = secret.expose();
        if secret.is_empty() {
            // A key that everybody knows signs nothing.
            continue;
        }
        let expected = tag(secret, signed.t, request.path, request.body);
        let mut fits = Choice::from(0);
        for given in &signed.tags {
            fits |= expected.ct_eq(given);
        }
        if fits.into() {
            fitting = place;
        }
    }
    if fitting < account.secrets.len() {
        Ok(fitting)
    } else {
        Err(SignatureError::Mismatch)
    }
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

    fn plain(secret: &[u8], message: &[u8]) -> String {
        let mut mac = keyed(secret);
        mac.update(message);
        hex::encode(mac.finalize().into_bytes())
    }

    #[test]
    fn the_hmac_is_that_of_rfc_4231() {
        assert_eq!(
            plain(&[0x0b; 20], b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            plain(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            plain(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            ),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_key_of_any_length_signs_as_the_library_does() {
        for length in [0, 1, 31, 32, 63, 64, 65, 200] {
            let secret = vec![7; length];
            let mut mac = <HmacSha256 as Mac>::new_from_slice(&secret).unwrap();
            mac.update(b"message");
            let expected = hex::encode(mac.finalize().into_bytes());
            assert_eq!(plain(&secret, b"message"), expected, "{length}");
        }
    }

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
