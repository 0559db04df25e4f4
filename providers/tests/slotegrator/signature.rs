//! The signature.

use pitboss_providers::{Dialect, RawRequest, SignatureError, slotegrator::Slotegrator};
use pitboss_wallet::Timestamp;

use super::{NOW_S, account, raw_request};

/// Made by Python's `hmac`, over fields encoded by `urllib.parse.quote_plus` (and `~` as `%7E`, as PHP does). The first one
/// again, from a shell:
/// `printf '%s' 'X-Merchant-Id=ff8a...&X-Nonce=e115...&X-Timestamp=1471857411&action=bet&...&type=bet' | openssl dgst -sha1 -hmac secret`
const SIGNATURES: &str = include_str!("../vectors/slotegrator-signatures.csv");

const MERCHANT: &str = "ff8afd1a2c4f0d1dbe3ffa5ee1d6b2a1";
const NONCE: &str = "e115cf0e5c9d8a0e9d2d5c8d4ba1c2ff";

type Sent = Vec<(&'static str, String)>;

fn headers(sign: &str) -> Sent {
    vec![
        ("x-merchant-id", MERCHANT.to_owned()),
        ("X-TIMESTAMP", NOW_S.to_string()),
        ("X-Nonce", NONCE.to_owned()),
        ("X-Sign", sign.to_owned()),
    ]
}

fn verify(headers: &Sent, body: &str, keys: &[&str]) -> Result<usize, SignatureError> {
    let raw = RawRequest {
        headers,
        ..raw_request(body.as_bytes())
    };
    Slotegrator.verify(&account(&[], keys), &raw)
}

/// Key, signature, body.
fn vectors() -> Vec<[&'static str; 3]> {
    let rows = SIGNATURES.lines().skip(1).map(|row| {
        let (_, row) = row.split_once(';').unwrap();
        let (key, row) = row.split_once(';').unwrap();
        let (sign, body) = row.split_once(';').unwrap();
        [key, sign, body]
    });
    rows.collect()
}

#[test]
fn signatures_made_elsewhere_are_good_and_no_others() {
    assert_eq!(vectors().len(), 5);
    for [key, sign, body] in vectors() {
        let good = headers(sign);
        assert_eq!(verify(&good, body, &[key]), Ok(0), "{body}");
        assert_eq!(verify(&good, body, &["new", key]), Ok(1), "{body}");
        for keys in [&["other"][..], &[]] {
            assert_eq!(verify(&good, body, keys), Err(SignatureError::Mismatch));
        }
        for other in [
            format!("{body}&x=1"),
            format!("{body}&X-Nonce={NONCE}"),
            format!("{body}&action=bet"),
            "\u{fffd}".to_owned(),
        ] {
            assert_eq!(
                verify(&good, &other, &[key]),
                Err(SignatureError::Mismatch),
                "{other}"
            );
        }
        for place in 0..good.len() {
            let (name, value) = &good[place];
            let mut missing = good.clone();
            missing.remove(place);
            assert!(
                matches!(
                    verify(&missing, body, &[key]),
                    Err(SignatureError::Missing { .. })
                ),
                "{name}"
            );
            let mut twice = good.clone();
            twice.push(good[place].clone());
            assert!(verify(&twice, body, &[key]).is_err(), "{name}");
            let mut changed = good.clone();
            changed[place].1 = format!("{}!", &value[..value.len() - 1]);
            assert_eq!(
                verify(&changed, body, &[key]),
                Err(SignatureError::Mismatch),
                "{name}"
            );
        }
        for form in [
            sign.to_uppercase(),
            String::new(),
            format!("{sign}0"),
            sign[1..].to_owned(),
        ] {
            assert!(verify(&headers(&form), body, &[key]).is_err(), "{form}");
        }
    }
    // Bytes that are no UTF-8 are not what was signed.
    let [key, sign, _] = vectors()[4];
    let raw = RawRequest {
        headers: &headers(sign),
        ..raw_request(b"\xff")
    };
    assert_eq!(
        Slotegrator.verify(&account(&[], &[key]), &raw),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn a_request_may_be_old_unless_the_account_says_otherwise() {
    let [key, sign, body] = vectors()[0];
    let headers = headers(sign);
    let at = |choices: &[(&str, &str)], seconds: i64| {
        let raw = RawRequest {
            headers: &headers,
            now: Timestamp::from_micros((NOW_S + seconds) * 1_000_000),
            ..raw_request(body.as_bytes())
        };
        Slotegrator.verify(&account(choices, &[key]), &raw)
    };
    assert_eq!(at(&[], 1_000_000), Ok(0));
    let strict = [("clock", "five_minutes")];
    assert_eq!((at(&strict, 300), at(&strict, -300)), (Ok(0), Ok(0)));
    for late in [301, -301] {
        let stale = SignatureError::Stale {
            skew_s: 301,
            limit_s: 300,
        };
        assert_eq!(at(&strict, late), Err(stale));
    }
}
