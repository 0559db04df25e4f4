//! The signature: `hash` in the form is the MD5, in hexadecimal, of all other fields, sorted, and the secret.
//!
//! Integrations differ in two points: whether values are hashed as they are sent or decoded, and whether empty fields
//! count. Each way is accepted, over what was received: new fields may come at any time.

use md5::{Digest, Md5};
use subtle::{Choice, ConstantTimeEq};

use super::request::FIELDS;
use crate::{
    Account, RawRequest, SignatureError,
    form::{Form, Pair},
};

const NAME: &str = "hash (a field of the form)";
const FORM: &str = "32 hexadecimal digits";

pub(super) fn verify(account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
    let missing = SignatureError::Missing { header: NAME };
    let form = Form::read(request.body).map_err(|_| missing)?;
    let hash = form.optional_text("hash").map_err(|_| missing)?;
    let hash = hash.ok_or(missing)?.as_bytes();
    if hash.len() != 32 {
        return Err(SignatureError::Form {
            header: NAME,
            form: FORM,
        });
    }
    let texts = texts(&form);
    account.fitting_secret(|secret| {
        // All are computed and compared whole, whichever fits.
        let of = |text: &String| made(text, secret).as_bytes().ct_eq(hash);
        texts
            .iter()
            .map(of)
            .fold(Choice::from(0), |any, one| any | one)
    })
}

/// What the hash may be over, without the secret. Most requests have one form only.
fn texts(form: &Form<'_>) -> Vec<String> {
    let mut pairs: Vec<&Pair<'_>> = form
        .pairs
        .iter()
        .filter(|pair| pair.key != "hash")
        .collect();
    pairs.sort_by(|a, b| a.key.cmp(&b.key));
    let joined = |is_decoded: bool, with_empty: bool| {
        let mut text = String::with_capacity(512);
        for pair in &pairs {
            if pair.value.is_empty() && !with_empty {
                continue;
            }
            let (key, value) = if is_decoded {
                (&*pair.key, &*pair.value)
            } else {
                (pair.raw_key, pair.raw_value)
            };
            if !text.is_empty() {
                text.push('&');
            }
            text.extend([key, "=", value]);
        }
        text
    };
    let is_encoded = pairs
        .iter()
        .any(|pair| pair.raw_key != pair.key || pair.raw_value != pair.value);
    let has_empty = pairs.iter().any(|pair| pair.value.is_empty());
    let decodes = is_encoded && !pairs.iter().any(|pair| hides_a_field(pair));
    let mut texts = vec![joined(false, false)];
    if has_empty {
        texts.push(joined(false, true));
    }
    if decodes {
        texts.push(joined(true, false));
        if has_empty {
            texts.push(joined(true, true));
        }
    }
    texts
}

/// Decoded and joined, two lists of fields can be one text. None of those that we read may vanish in another's value.
fn hides_a_field(pair: &Pair<'_>) -> bool {
    let names = |part: &str| {
        part.split_once('=')
            .is_some_and(|(name, _)| FIELDS.contains(&name))
    };
    pair.key.contains(['&', '=']) || pair.value.split('&').skip(1).any(names)
}

/// The hash that a provider puts into a form.
fn made(text: &str, secret: &[u8]) -> String {
    let mut hash = Md5::new();
    hash.update(text.as_bytes());
    hash.update(secret);
    hex::encode(hash.finalize())
}
