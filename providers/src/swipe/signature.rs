//! `X-REQUEST-SIGN`: hex of HMAC-SHA256 over the body as it was sent; of a GET, which has none, over its query as a
//! canonical JSON object (RFC 8785) whose values are all texts.

use std::borrow::Cow;

use subtle::ConstantTimeEq;

use crate::{Account, RawRequest, SignatureError, form::Form, mac};

/// The name of the header.
pub(super) const HEADER: &str = "X-REQUEST-SIGN";

const FORM: &str = "64 hexadecimal digits, over a query without a field that is there twice";

pub(super) fn verify(account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
    let header = request
        .headers
        .get(HEADER)
        .ok_or(SignatureError::Missing { header: HEADER })?;
    let wrong = SignatureError::Form {
        header: HEADER,
        form: FORM,
    };
    let mut given = [0; 32];
    hex::decode_to_slice(header.trim(), &mut given).map_err(|_| wrong)?;
    let signed = if request.method == "GET" {
        Cow::Owned(canonical(request.query).ok_or(wrong)?.into_bytes())
    } else {
        Cow::Borrowed(request.body)
    };
    account.fitting_secret(|secret| mac::tag(secret, &[&signed]).ct_eq(&given))
}

/// The query as canonical JSON. `None`: a field is there twice, and who signed what is not for us to choose.
fn canonical(query: &str) -> Option<String> {
    let form = Form::read(query.as_bytes()).ok()?;
    let mut pairs: Vec<_> = form
        .pairs
        .iter()
        .map(|pair| (&*pair.key, &*pair.value))
        .collect();
    // RFC 8785 sorts by UTF-16 code units.
    pairs.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    if pairs.windows(2).any(|two| two[0].0 == two[1].0) {
        return None;
    }
    let mut text = String::from("{");
    for (place, (name, value)) in pairs.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        // The library escapes texts as the RFC does.
        text.push_str(&serde_json::to_string(name).ok()?);
        text.push(':');
        text.push_str(&serde_json::to_string(value).ok()?);
    }
    text.push('}');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_sorted_and_escaped_as_rfc_8785_says() {
        let json = |query: &str| canonical(query).unwrap();
        assert_eq!(json(""), "{}");
        assert_eq!(json("b=2&a=1"), r#"{"a":"1","b":"2"}"#);
        assert_eq!(json("empty=&none"), r#"{"empty":"","none":""}"#);
        assert_eq!(json("m=hello+world%21"), r#"{"m":"hello world!"}"#);
        assert_eq!(
            json("x=%3C%26%3E%22%5C%2F%0A%0D%09%08%0C%01%1f%7f%C3%BC"),
            "{\"x\":\"<&>\\\"\\\\/\\n\\r\\t\\b\\f\\u0001\\u001f\u{7f}ü\"}"
        );
        // U+1F3B2 is written with surrogates, which come before U+FB33, but not in UTF-8.
        assert_eq!(
            json("%EF%AC%B3=1&%F0%9F%8E%B2=2"),
            "{\"\u{1f3b2}\":\"2\",\"\u{fb33}\":\"1\"}"
        );
        assert_eq!(canonical("a=1&b=2&%61=1"), None);
    }
}
