//! `X-REQUEST-SIGN`: the HMAC-SHA256 of the exact bytes of the body, in lowercase hexadecimal digits. Version 2 signs
//! the same way.

use subtle::ConstantTimeEq;

use crate::{
    Account, RawRequest, SignatureError,
    mac::{self, Tag},
};

/// The name of the header.
pub(crate) const HEADER: &str = "X-REQUEST-SIGN";

const FORM: &str = "64 lowercase hexadecimal digits";

/// The header's value for a body.
pub(crate) fn sign(secret: &[u8], body: &[u8]) -> String {
    hex::encode(mac::tag(secret, &[body]))
}

pub(crate) fn verify(account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
    let header = request.headers.get(HEADER);
    let header = header.ok_or(SignatureError::Missing { header: HEADER })?;
    let given = read(header).ok_or(SignatureError::Form {
        header: HEADER,
        form: FORM,
    })?;
    account.fitting_secret(|secret| mac::tag(secret, &[request.body]).ct_eq(&given))
}

fn read(header: &str) -> Option<Tag> {
    if header.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut tag = Tag::default();
    hex::decode_to_slice(header, &mut tag).ok()?;
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hmac_is_that_of_rfc_4231() {
        assert_eq!(
            sign(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            sign(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            ),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn the_header_is_read_only_in_its_one_form() {
        let good = "0a".repeat(32);
        assert_eq!(read(&good), Some([10; 32]));
        for bad in [
            String::new(),
            good.to_uppercase(),
            format!(" {good}"),
            format!("{good}0a"),
            good[2..].to_owned(),
            "zz".repeat(32),
            "\u{e9}".repeat(32),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }
}
