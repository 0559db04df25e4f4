//! Signing by the Standard Webhooks specification. Pure: bytes in, text out.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::seams::random_bytes;

/// What a secret begins with.
pub const SECRET_PREFIX: &str = "whsec_";

/// A new secret, as it is shown: the prefix and 32 random bytes in base64.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn new_secret() -> std::io::Result<String> {
    let bytes: [u8; 32] = random_bytes()?;
    Ok(format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)))
}

/// One signature, `v1,<base64>`; `None` when the secret is none.
#[must_use]
pub fn sign(secret: &str, id: &str, timestamp_s: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp_s}.").as_bytes());
    mac.update(body.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    Some(format!("v1,{signature}"))
}

/// The header `webhook-signature`: a signature under each valid secret, so that one can be rotated out.
#[must_use]
pub fn header<'a>(
    secrets: impl IntoIterator<Item = &'a str>,
    id: &str,
    timestamp_s: i64,
    body: &str,
) -> String {
    let signatures: Vec<String> = secrets
        .into_iter()
        .filter_map(|secret| sign(secret, id, timestamp_s, body))
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's reference libraries.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = sign(secret, id, 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(
            signature.unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn while_a_secret_is_rotated_both_sign() {
        let secrets = [new_secret().unwrap(), new_secret().unwrap()];
        let header = header(secrets.iter().map(String::as_str), "id", 1, "{}");
        let parts: Vec<&str> = header.split(' ').collect();
        for (secret, part) in secrets.iter().zip(&parts) {
            assert_eq!(sign(secret, "id", 1, "{}").as_deref(), Some(*part));
        }
        assert_eq!(parts.len(), 2);
        assert_ne!(parts[0], parts[1]);
        assert!(sign("secret", "id", 1, "").is_none());
    }
}
