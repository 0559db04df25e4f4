//! The hash.

use pitboss_providers::{Dialect, SignatureError, pragmatic::Pragmatic};

use super::{account, raw_request};

/// Made by Python's `hashlib`: `md5(text + secret)`, `text` being the sorted fields in the way that the case names.
/// The first one again, from a shell:
/// `printf '%s' 'amount=10.0&gameId=vs20bl&...&userId=421-EURtestKey' | md5sum`
const HASHES: &str = include_str!("../vectors/pragmatic-hashes.csv");

fn verify(body: &str, secrets: &[&str]) -> Result<usize, SignatureError> {
    Pragmatic.verify(
        &account(&[], secrets),
        &raw_request("bet.html", body.as_bytes()),
    )
}

fn vectors() -> Vec<(&'static str, &'static str)> {
    let rows = HASHES.lines().skip(1).map(|row| {
        let (_, row) = row.split_once(';').unwrap();
        row.split_once(';').unwrap()
    });
    rows.collect()
}

#[test]
fn hashes_made_elsewhere_are_good_and_no_others() {
    assert_eq!(vectors().len(), 7);
    for (secret, body) in vectors() {
        assert_eq!(verify(body, &[secret]), Ok(0), "{body}");
        assert_eq!(verify(body, &["new", secret]), Ok(1), "{body}");
        assert_eq!(verify(body, &["other"]), Err(SignatureError::Mismatch));
        assert_eq!(verify(body, &[]), Err(SignatureError::Mismatch));
        for other in [
            body.replacen("userId=421", "userId=422", 1),
            format!("x=1&{body}"),
            format!("{body}&x=1"),
            body.replacen("421-EUR", "421-EUr", 1),
        ] {
            assert_eq!(
                verify(&other, &[secret]),
                Err(SignatureError::Mismatch),
                "{other}"
            );
        }
        // An empty field is the same as none.
        assert!(verify(&body.replace("&hash", "&hash=&hash"), &[secret]).is_err());
        let (fields, hash) = body.rsplit_once("&hash=").unwrap();
        for other in [
            fields.to_owned(),
            format!("{body}&hash={hash}"),
            format!("{fields}&hash="),
            format!("{fields}&hash={}", &hash[1..]),
            format!("{fields}&hash={}0", &hash[..31]),
            format!("{fields}&hash={}", hash.to_uppercase()),
            format!("{fields}&Hash={hash}"),
            "\u{fffd}".to_owned(),
            String::new(),
        ] {
            assert!(verify(&other, &[secret]).is_err(), "{other}");
        }
        assert_eq!(verify(&format!("hash={hash}&{fields}"), &[secret]), Ok(0));
    }
}

/// Signed as `a=1&amount=5.00`, decoded and joined: no field may be hidden in another, or come out of it.
#[test]
fn a_field_cannot_be_moved_into_the_value_of_another() {
    // printf '%s' 'a=1&amount=5.00&b=xs' | md5sum
    let hash = "8b3f47976bb18e40995c215e8192b94d";
    let good = format!("a=1&amount=5.00&b=x&hash={hash}");
    assert_eq!(verify(&good, &["s"]), Ok(0));
    let moved = format!("a=1%26amount%3D5.00&b=x&hash={hash}");
    assert_eq!(verify(&moved, &["s"]), Err(SignatureError::Mismatch));
    let moved = format!("a%3D1%26amount=5.00&b=x&hash={hash}");
    assert_eq!(verify(&moved, &["s"]), Err(SignatureError::Mismatch));
}
