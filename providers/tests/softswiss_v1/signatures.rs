//! The header.

use pitboss_providers::{Dialect, Secret, SignatureError, softswiss_v1::SoftswissV1};

use super::{account, request};

/// Worked out with `printf '%s' "$body" | openssl dgst -sha256 -hmac "$secret"`, and again with Python's `hmac`.
const SIGNATURES: &str = include_str!("../vectors/softswiss-signatures.csv");

fn verify(
    headers: &[(&str, &str)],
    body: &[u8],
    secrets: &[&str],
) -> Result<usize, SignatureError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let headers = headers.iter().map(owned).collect();
    let mut account = account(&[]);
    account.secrets = secrets
        .iter()
        .map(|secret| Secret::new(secret.as_bytes()))
        .collect();
    SoftswissV1.verify(&account, &request("play", &headers, body))
}

#[test]
fn the_signatures_that_were_worked_out_elsewhere_are_good_and_no_others() {
    let mut rows = 0;
    for row in SIGNATURES.lines().skip(1) {
        let mut parts = row.splitn(3, ';');
        let mut part = || parts.next().unwrap();
        let (secret, signature, body) = (part(), part(), part());
        let sent = [("x-request-sign", signature)];
        assert_eq!(verify(&sent, body.as_bytes(), &[secret]), Ok(0), "{row}");
        let other = format!("{body} ");
        let mismatch = Err(SignatureError::Mismatch);
        assert_eq!(verify(&sent, other.as_bytes(), &[secret]), mismatch);
        assert_eq!(verify(&sent, body.as_bytes(), &["another"]), mismatch);
        assert_eq!(verify(&sent, body.as_bytes(), &[]), mismatch);
        assert_eq!(verify(&sent, body.as_bytes(), &["another", secret]), Ok(1));
        let loud = signature.to_uppercase();
        let told = verify(&[("X-REQUEST-SIGN", &loud)], body.as_bytes(), &[secret]);
        assert!(matches!(told, Err(SignatureError::Form { .. })), "{told:?}");
        let twice = [sent[0], sent[0]];
        let told = verify(&twice, body.as_bytes(), &[secret]);
        assert!(matches!(told, Err(SignatureError::Missing { .. })));
        rows += 1;
    }
    assert!(rows >= 5);
}

#[test]
fn a_key_that_everybody_knows_signs_nothing() {
    // printf '%s' '{}' | openssl dgst -sha256 -hmac ''
    let signature = "22f8eea909400af98adf3681a9f31923ef6b7fcba4abb553d92823a3e9d5c25e";
    assert_eq!(
        verify(&[("X-REQUEST-SIGN", signature)], b"{}", &[""]),
        Err(SignatureError::Mismatch)
    );
    assert!(verify(&[], b"{}", &["secret"]).is_err());
}
