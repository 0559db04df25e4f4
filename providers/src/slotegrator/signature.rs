//! The signature: `X-Sign` is the HMAC-SHA1, in hexadecimal, of all fields of the form and the other three headers, sorted
//! by name and written anew as PHP's `http_build_query` does.

use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::CLOCK;
use crate::{Account, RawRequest, SignatureError, form::Form};

const SIGN: &str = "X-Sign";
const TIMESTAMP: &str = "X-Timestamp";
/// Signed together with the form.
const SIGNED: [&str; 3] = ["X-Merchant-Id", "X-Nonce", TIMESTAMP];

const FORM: &str = "40 hexadecimal digits";
const SECONDS: &str = "Unix seconds";

/// How far a clock may be off, where the account asks for it.
const SKEW_S: u64 = 300;

pub(super) fn verify(account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
    let header = |header| {
        let value = request.headers.get(header);
        value.ok_or(SignatureError::Missing { header })
    };
    let sign = header(SIGN)?.as_bytes();
    if sign.len() != 40 {
        return Err(SignatureError::Form {
            header: SIGN,
            form: FORM,
        });
    }
    let mut signed = Vec::with_capacity(SIGNED.len());
    for name in SIGNED {
        signed.push((name, header(name)?));
    }
    let form = Form::read(request.body).map_err(|_| SignatureError::Mismatch)?;
    let text = text(&form, &signed);
    let place =
        account.fitting_secret(|secret| mac(secret, text.as_bytes()).as_bytes().ct_eq(sign))?;
    if account.settings.get(&CLOCK) == "five_minutes" {
        check_age(header(TIMESTAMP)?, request)?;
    }
    Ok(place)
}

fn check_age(sent: &str, request: &RawRequest<'_>) -> Result<(), SignatureError> {
    let sent: i64 = sent.parse().map_err(|_| SignatureError::Form {
        header: TIMESTAMP,
        form: SECONDS,
    })?;
    let now = request.now.as_micros().div_euclid(1_000_000);
    let skew_s = now.abs_diff(sent);
    if skew_s > SKEW_S {
        return Err(SignatureError::Stale {
            skew_s,
            limit_s: SKEW_S,
        });
    }
    Ok(())
}

/// What is signed. Of a nested field (`list[0][id]`) only the outermost name is sorted: the rest stays as it came.
fn text(form: &Form<'_>, headers: &[(&str, &str)]) -> String {
    let fields = form.pairs.iter().map(|pair| (&*pair.key, &*pair.value));
    let mut pairs: Vec<(&str, &str)> = headers.iter().copied().chain(fields).collect();
    pairs.sort_by_key(|(name, _)| name.split('[').next());
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        encode(name, &mut text);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

/// As PHP's `urlencode`.
fn encode(from: &str, text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    for byte in from.bytes() {
        match byte {
            b' ' => text.push('+'),
            b'-' | b'_' | b'.' => text.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            _ => text.extend(['%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
}

/// Empty for no key, which the library has none of.
fn mac(secret: &[u8], text: &[u8]) -> String {
    Hmac::<Sha1>::new_from_slice(secret).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(text);
            hex::encode(mac.finalize().into_bytes())
        },
    )
}
