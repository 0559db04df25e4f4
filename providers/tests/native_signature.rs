//! Who may speak: every wrong signature of the native protocol.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{NOW_S, PATH, SECRET, account, request, verify};
use pitboss_providers::{
    Dialect, RawRequest, SignatureError,
    native::{self, Native},
};
use pitboss_wallet::{Environment, ProviderId};

#[test]
fn a_good_signature_is_accepted_up_to_300_seconds_from_now() {
    for skew in [-300, -1, 0, 1, 300] {
        let header = native::sign(SECRET, NOW_S + skew, PATH, b"{}");
        assert_eq!(verify(&header, PATH, b"{}", &[SECRET]), Ok(0), "{skew}");
    }
    for skew in [-301, 301] {
        let header = native::sign(SECRET, NOW_S + skew, PATH, b"{}");
        let stale = SignatureError::Stale {
            skew_s: 301,
            limit_s: 300,
        };
        assert_eq!(verify(&header, PATH, b"{}", &[SECRET]), Err(stale));
    }
    for t in [0, i64::MAX] {
        let header = native::sign(SECRET, t, PATH, b"{}");
        let refused = verify(&header, PATH, b"{}", &[SECRET]);
        assert!(matches!(refused, Err(SignatureError::Stale { .. })), "{t}");
    }
}

#[test]
fn a_signature_over_anything_else_is_refused() {
    let header = native::sign(SECRET, NOW_S, PATH, b"{}");
    let mismatch = Err(SignatureError::Mismatch);
    assert_eq!(verify(&header, PATH, b"{} ", &[SECRET]), mismatch);
    assert_eq!(verify(&header, PATH, b"", &[SECRET]), mismatch);
    let other_path = "/callbacks/live/demo/bet";
    assert_eq!(verify(&header, other_path, b"{}", &[SECRET]), mismatch);
    assert_eq!(verify(&header, PATH, b"{}", &[b"another"]), mismatch);
    assert_eq!(verify(&header, PATH, b"{}", &[]), mismatch);
    let later = header.replace(&NOW_S.to_string(), &(NOW_S + 1).to_string());
    assert_eq!(verify(&later, PATH, b"{}", &[SECRET]), mismatch);
    // The digits of t are signed as they are written.
    let padded = header.replace("t=", "t=0");
    assert_eq!(verify(&padded, PATH, b"{}", &[SECRET]), mismatch);
}

#[test]
fn an_empty_secret_signs_nothing() {
    let header = native::sign(b"", NOW_S, PATH, b"{}");
    let refused = verify(&header, PATH, b"{}", &[b""]);
    assert_eq!(refused, Err(SignatureError::Mismatch));
}

#[test]
fn any_signature_may_fit_any_valid_secret() {
    let [old, new]: [&[u8]; 2] = [b"old", b"new"];
    let v1 = |secret: &[u8]| {
        let header = native::sign(secret, NOW_S, PATH, b"{}");
        header.split_once(",").unwrap().1.to_owned()
    };
    let both = format!("t={NOW_S},{},{}", v1(old), v1(new));
    // The first that fits is told.
    for (secrets, place) in [
        (&[old][..], 0),
        (&[new], 0),
        (&[old, new], 0),
        (&[b"x", new], 1),
    ] {
        assert_eq!(verify(&both, PATH, b"{}", secrets), Ok(place));
    }
    let only_old = format!("t={NOW_S},{}", v1(old));
    assert_eq!(verify(&only_old, PATH, b"{}", &[new, old]), Ok(1));
    assert!(verify(&only_old, PATH, b"{}", &[new]).is_err());
}

#[test]
fn a_header_that_is_missing_doubled_or_of_another_form_is_told_apart() {
    let missing = SignatureError::Missing {
        header: native::HEADER,
    };
    let unsigned = request("bet", b"{}");
    assert_eq!(Native.verify(&account(), &unsigned), Err(missing));
    let good = native::sign(SECRET, NOW_S, PATH, b"{}");
    let headers = [
        ("Pitboss-Signature", good.as_str()),
        ("Pitboss-Signature", good.as_str()),
    ];
    let doubled = RawRequest {
        headers: &headers,
        ..unsigned
    };
    assert_eq!(Native.verify(&account(), &doubled), Err(missing));
    let form = verify("v1", PATH, b"{}", &[SECRET]);
    assert!(matches!(form, Err(SignatureError::Form { .. })));
}

#[test]
fn the_path_helper_is_the_path_of_the_protocol() {
    let provider = ProviderId::new("demo").unwrap();
    assert_eq!(native::path(Environment::Sandbox, &provider, "bet"), PATH);
}
