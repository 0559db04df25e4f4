//! The signature: base64 of RSA PKCS#1 v1.5 with SHA-256 over the exact bytes of the body.
//!
//! It is checked on the thread that has read the request, never on a player's: with this library it costs less than many
//! a query (docs/performance.md), and to hand it to another thread would cost as much again.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use rsa::{
    RsaPublicKey, pkcs1::DecodeRsaPublicKey, pkcs8::DecodePublicKey, traits::PublicKeyParts,
};

use super::HEADER;
use crate::{Account, RawRequest, Secret, SignatureError};

/// A key that was read. There is no other way to verify: no request pays for the reading.
type Key = RsaPublicKeyComponents<Vec<u8>>;

const FORM: &str = "base64 of an RSA signature";
const NAME: &str = "of the signature";

/// Shorter keys can be broken.
const MIN_BITS: usize = 2048;
/// Longer ones only cost time.
const MAX_BITS: usize = 8192;

/// Reads the provider's public key.
pub(super) fn read(bytes: Vec<u8>) -> Result<Secret, String> {
    let form = || "must be an RSA public key in PEM".to_owned();
    let text = str::from_utf8(&bytes).map_err(|_| form())?.trim();
    let key = RsaPublicKey::from_public_key_pem(text)
        .or_else(|_| RsaPublicKey::from_pkcs1_pem(text))
        .map_err(|_| form())?;
    let bits = key.size() * 8;
    if !(MIN_BITS..=MAX_BITS).contains(&bits) {
        return Err(format!(
            "must have {MIN_BITS} to {MAX_BITS} bits, and has {bits}"
        ));
    }
    let key = Key {
        n: key.n().to_bytes_be(),
        e: key.e().to_bytes_be(),
    };
    Ok(Secret::with(bytes, key))
}

pub(super) fn verify(account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
    let header = request.headers.get(account.settings.get(&HEADER));
    let header = header.ok_or(SignatureError::Missing { header: NAME })?;
    let wrong = SignatureError::Form {
        header: NAME,
        form: FORM,
    };
    let signature = STANDARD.decode(header.trim()).map_err(|_| wrong)?;
    // Public keys: nothing secret is compared here.
    let mut keys = account.secrets.iter().map(Secret::read::<Key>);
    let fits = |key: &Key| {
        let checked = key.verify(&RSA_PKCS1_2048_8192_SHA256, request.body, &signature);
        checked.is_ok()
    };
    keys.position(|key| key.is_some_and(fits))
        .ok_or(SignatureError::Mismatch)
}
