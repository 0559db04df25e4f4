//! Takes what is secret out of a request before it is kept: tokens and keys of ours wherever they stand, and whatever
//! stands under a name that tells of a secret. Pure. What it is not sure of, it takes out.

use crate::{accounts::SECRET_PREFIX, tokens, webhooks};

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Of a callback secret or a webhook's, so that `cs_1` may be anybody's id.
const SECRET_CHARS_MIN: usize = 16;

/// Headers that are shown as they are. Of all others only the name is: another dialect may have its key in any of them.
const PLAIN_HEADERS: [&str; 13] = [
    "host",
    "user-agent",
    "accept",
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "x-forwarded-for",
    "forwarded",
    "via",
    "request-id",
    "x-request-id",
    "traceparent",
];

/// A header's value, as it may be seen. Of a signature the time is, because a wrong clock is a frequent fault.
pub fn header(name: &str, value: &str) -> String {
    if PLAIN_HEADERS.contains(&name) {
        return text(value);
    }
    if name.eq_ignore_ascii_case(pitboss_providers::native::HEADER) {
        let parts = value
            .split(',')
            .map(|part| match part.trim().split_once('=') {
                Some(("t", time)) if time.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!("t={time}")
                }
                Some(("v1", _)) => format!("v1={MASK}"),
                _ => MASK.to_owned(),
            });
        return parts.collect::<Vec<_>>().join(",");
    }
    MASK.to_owned()
}

/// A path, segment by segment.
pub fn path(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if has_token(&decoded(segment)) {
            MASK.to_owned()
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// A query, or the body of a form: `name=value&...`.
pub fn query(query: &str) -> String {
    let pairs = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if has_token(&decoded(name)) {
            MASK.to_owned()
        } else if !value.is_empty() && (is_secret(&decoded(name)) || has_token(&decoded(value))) {
            format!("{name}={MASK}")
        } else {
            pair.to_owned()
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// A text without any form.
pub fn text(text: &str) -> String {
    String::from_utf8_lossy(&body(text.as_bytes())).into_owned()
}

/// A body. It is read as JSON is, but need not be any: whatever is wrong with it stays to be seen.
pub fn body(bytes: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'"' {
            let quote = bytes[at..].iter().position(|byte| *byte == b'"');
            let end = quote.map_or(bytes.len(), |quote| at + quote);
            masked.extend(without_tokens(&bytes[at..end]));
            at = end;
            continue;
        }
        let end = string_end(bytes, at);
        let literal = &bytes[at..end];
        let colon = blanks_end(bytes, end);
        let is_name = bytes.get(colon) == Some(&b':');
        masked.extend(masked_literal(literal));
        at = end;
        if is_name && is_secret(&unescaped(literal)) {
            let value = blanks_end(bytes, colon + 1);
            masked.extend(&bytes[end..value]);
            at = value_end(bytes, value);
            if at > value {
                masked.extend(format!("\"{MASK}\"").as_bytes());
            }
        }
    }
    masked
}

/// A string of JSON. One that hides a token behind escapes goes as a whole.
fn masked_literal(literal: &[u8]) -> Vec<u8> {
    let masked = without_tokens(literal);
    if has_token(&unescaped(&masked)) {
        return format!("\"{MASK}\"").into_bytes();
    }
    masked
}

fn without_tokens(bytes: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match token_at(bytes, at) {
            Some(end) => {
                masked.extend(MASK.as_bytes());
                at = end;
            }
            None => {
                masked.push(bytes[at]);
                at += 1;
            }
        }
    }
    masked
}

/// Whether what stands under a name is a secret.
fn is_secret(name: &str) -> bool {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    let name: String = letters.flat_map(char::to_lowercase).collect();
    let exact = [
        "password",
        "passwd",
        "authorization",
        "signature",
        "sign",
        "hash",
        "hmac",
        "apikey",
        "authkey",
        "privatekey",
        "cookie",
    ];
    name.ends_with("token") || name.ends_with("secret") || exact.contains(&name.as_str())
}

fn has_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|at| token_at(bytes, at).is_some())
}

/// Where a token or secret of ours that begins here ends.
fn token_at(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let run = |prefix: &str, more: &[u8]| {
        let is_of_token = |byte: &&u8| {
            byte.is_ascii_alphanumeric() || b"_-".contains(byte) || more.contains(byte)
        };
        let tail = rest.strip_prefix(prefix.as_bytes())?;
        Some((prefix.len(), tail.iter().take_while(is_of_token).count()))
    };
    // Most bytes begin nothing.
    if !matches!(rest.first(), Some(b's' | b'p' | b'l' | b'c' | b'w')) {
        return None;
    }
    let token = tokens::prefixes()
        .find_map(|prefix| run(prefix, b""))
        .filter(|(_, length)| *length > 0);
    let secret = || {
        let long = |(_, length): &(usize, usize)| *length >= SECRET_CHARS_MIN;
        let callback = run(SECRET_PREFIX, b"").filter(long);
        callback.or_else(|| run(webhooks::SECRET_PREFIX, b"+/=").filter(long))
    };
    token
        .or_else(secret)
        .map(|(prefix, length)| at + prefix + length)
}

/// Behind the closing quote of the string that begins here; the end, when there is none.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut next = at + 1;
    while next < bytes.len() {
        match bytes[next] {
            b'\\' => next += 2,
            b'"' => return next + 1,
            _ => next += 1,
        }
    }
    bytes.len()
}

/// Behind the value that begins here: a string, a list or an object to its end, anything else to the next sign that
/// ends a value.
fn value_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut next = at;
    while next < bytes.len() {
        match bytes[next] {
            b'"' => {
                next = string_end(bytes, next);
                if depth == 0 {
                    return next;
                }
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth <= 1 => return if depth == 1 { next + 1 } else { next },
            b']' | b'}' => depth -= 1,
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return next,
            _ => {}
        }
        next += 1;
    }
    bytes.len()
}

fn blanks_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take_while(|byte| b" \t\r\n".contains(byte))
        .count()
}

/// What a string of JSON says; one that is none, as it is written.
fn unescaped(literal: &[u8]) -> String {
    serde_json::from_slice(literal)
        .unwrap_or_else(|_| String::from_utf8_lossy(literal).into_owned())
}

/// Percent-encoding undone.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        plain.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RANDOM: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

    fn masked(text: &str) -> String {
        String::from_utf8(body(text.as_bytes())).unwrap()
    }

    #[test]
    fn what_is_no_secret_stays_to_the_byte() {
        for plain in [
            r#"{"transaction_id":"b-1","player":"alice","amount":"2.50","round":"cs_1","session":"ses_0192"}"#,
            "{\"a\" : [1,2, {\"b\":\"\\u00e9\\\\\"}]",
            "",
            "not JSON at all",
            r#""unclosed \""#,
            "{'single':'quotes'}",
            "\u{1F3B2}{\"x\":\"\u{1F3B2}\"}",
        ] {
            assert_eq!(masked(plain), plain);
        }
        assert_eq!(body(b"\xff\x00\""), b"\xff\x00\"");
    }

    #[test]
    fn tokens_go_wherever_they_stand() {
        for prefix in tokens::prefixes().chain(["cs_", "whsec_"]) {
            let token = format!("{prefix}{RANDOM}");
            for around in [
                "{}",
                "{\"x\":\"{}\"}",
                "[\"a {} b\"]",
                "x={}&y",
                "\"{}",
                "{\"{}\":1}",
            ] {
                let shown = masked(&around.replacen("{}", &token, 1));
                assert_eq!(shown, around.replacen("{}", MASK, 1));
            }
            let escaped = format!(
                "{{\"x\":\"\\u{:04x}{}\"}}",
                u32::from(token.as_bytes()[0]),
                &token[1..]
            );
            assert_eq!(masked(&escaped), r#"{"x":"***"}"#);
        }
    }

    #[test]
    fn what_stands_under_a_name_of_a_secret_goes() {
        for (given, shown) in [
            (
                r#"{"token":"plain","player":"alice"}"#,
                r#"{"token":"***","player":"alice"}"#,
            ),
            ("{ \"token\" :\n \"a\\\"b\" }", "{ \"token\" :\n \"***\" }"),
            (r#"{"authToken":12,"x":1}"#, r#"{"authToken":"***","x":1}"#),
            (
                r#"{"launch_token":["a",{"b":"]"}],"x":1}"#,
                r#"{"launch_token":"***","x":1}"#,
            ),
            (r#"{"tok\u0065n":"plain"}"#, r#"{"tok\u0065n":"***"}"#),
            (r#"{"Password":"unclosed"#, r#"{"Password":"***""#),
            (r#"{"hash":null}"#, r#"{"hash":"***"}"#),
            (r#"{"token":}"#, r#"{"token":}"#),
            (r#"{"token":"#, r#"{"token":"#),
            (r#"{"tokens":1,"x":"token"}"#, r#"{"tokens":1,"x":"token"}"#),
        ] {
            assert_eq!(masked(given), shown);
        }
    }

    #[test]
    fn a_signature_shows_its_time_and_other_headers_their_name() {
        let signature = format!("t=1760000000,v1={},v0=x, v1=y", "ab".repeat(32));
        assert_eq!(
            header("pitboss-signature", &signature),
            "t=1760000000,v1=***,***,v1=***"
        );
        assert_eq!(header("pitboss-signature", "secret"), "***");
        assert_eq!(header("pitboss-signature", "t=x"), "***");
        assert_eq!(header("authorization", "Bearer x"), "***");
        assert_eq!(header("x-api-key", "x"), "***");
        assert_eq!(header("user-agent", "games/1.0"), "games/1.0");
        assert_eq!(header("host", &format!("lt_live_{RANDOM}")), "***");
    }

    #[test]
    fn paths_and_queries_are_masked_part_by_part() {
        let token = format!("lt_test_{RANDOM}");
        assert_eq!(
            path("/callbacks/sandbox/demo/bet"),
            "/callbacks/sandbox/demo/bet"
        );
        assert_eq!(path(&format!("/a/{token}/b")), "/a/***/b");
        assert_eq!(path(&format!("/a/%6Ct_test_{RANDOM}")), "/a/***");
        assert_eq!(query("a=1&hash=x&token=&b"), "a=1&hash=***&token=&b");
        assert_eq!(
            query(&format!("a=lt%5Ftest_{RANDOM}&sign=%20")),
            "a=***&sign=***"
        );
        assert_eq!(query(&token), "***");
    }

    proptest! {
        #[test]
        fn no_token_survives_and_nothing_fails(
            before in prop::collection::vec(any::<u8>(), 0..40),
            after in "[^A-Za-z0-9_-]{0,20}",
        ) {
            let mut bytes = before;
            bytes.extend(format!("pst_live_{RANDOM}{after}").as_bytes());
            let shown = body(&bytes);
            let survives = shown.windows(RANDOM.len()).any(|part| part == RANDOM.as_bytes());
            prop_assert!(!survives, "{}", shown.escape_ascii());
        }
    }
}
