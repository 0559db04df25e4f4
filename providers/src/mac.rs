//! HMAC-SHA256 (RFC 2104), for the dialects that sign with it.

use hmac::{
    Hmac, Mac,
    digest::{Key, KeyInit},
};
use sha2::{Digest, Sha256};

pub(crate) type Tag = [u8; 32];

type HmacSha256 = Hmac<Sha256>;

/// The tag of all parts, one after the other.
pub(crate) fn tag(secret: &[u8], parts: &[&[u8]]) -> Tag {
    let mut mac = keyed(secret);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC keys are brought to one block as RFC 2104 says: longer ones are hashed, all are filled with zeros.
/// Done here because the library's own constructor for any length has an error that never happens.
fn keyed(secret: &[u8]) -> HmacSha256 {
    let mut block = Key::<HmacSha256>::default();
    if secret.len() > block.len() {
        let digest = Sha256::digest(secret);
        block[..digest.len()].copy_from_slice(&digest);
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    <HmacSha256 as KeyInit>::new(&block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(secret: &[u8], message: &[u8]) -> String {
        hex::encode(tag(secret, &[message]))
    }

    #[test]
    fn the_hmac_is_that_of_rfc_4231() {
        assert_eq!(
            plain(&[0x0b; 20], b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            plain(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            plain(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            ),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_key_of_any_length_signs_as_the_library_does() {
        for length in [0, 1, 31, 32, 63, 64, 65, 200] {
            let secret = vec![7; length];
            let mut mac = <HmacSha256 as Mac>::new_from_slice(&secret).unwrap();
            mac.update(b"message");
            let expected = hex::encode(mac.finalize().into_bytes());
            assert_eq!(plain(&secret, b"message"), expected, "{length}");
        }
    }
}
