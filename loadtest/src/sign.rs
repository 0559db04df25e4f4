//! The native callback signature, as a provider makes it.
//!
//! An implementation of its own on purpose: it keys the hash once per run instead of once per request, and a
//! provider writes his own too. A test holds it against the server's (`pitboss_providers::native`).

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Signs for one account and one path.
#[derive(Clone)]
pub struct Signer {
    keyed: Hmac<Sha256>,
    path: String,
}

impl Signer {
    pub fn new(secret: &str, path: &str) -> Option<Self> {
        Some(Self {
            keyed: Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?,
            path: path.to_owned(),
        })
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Appends the value of `Pitboss-Signature`: `t=<unix seconds>,v1=<hex>`.
    pub fn append(&self, unix_s: u64, body: &[u8], out: &mut Vec<u8>) {
        let time = unix_s.to_string();
        let mut mac = self.keyed.clone();
        mac.update(time.as_bytes());
        mac.update(b"\n");
        mac.update(self.path.as_bytes());
        mac.update(b"\n");
        mac.update(body);
        out.extend_from_slice(b"t=");
        out.extend_from_slice(time.as_bytes());
        out.extend_from_slice(b",v1=");
        for byte in mac.finalize().into_bytes() {
            out.push(hex_digit(byte >> 4));
            out.push(hex_digit(byte & 15));
        }
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_time_path_and_body_as_documented() {
        let signer = Signer::new("secret", "/callbacks/sandbox/demo/bet").unwrap();
        let mut out = Vec::new();
        signer.append(1_700_000_000, b"{\"a\":1}", &mut out);
        // printf '1700000000\n/callbacks/sandbox/demo/bet\n{"a":1}' | openssl dgst -sha256 -hmac secret
        let expected =
            "t=1700000000,v1=98018eb5ed8199cafd07ff81e05854806d3874cd44ef7dbeaaa088defd1b2559";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_server_s_own_implementation_agrees() {
        let path = "/callbacks/sandbox/demo/bet";
        for secret in ["", "s", &"long".repeat(40)] {
            let mut out = Vec::new();
            Signer::new(secret, path)
                .unwrap()
                .append(1_234, b"body", &mut out);
            let theirs = pitboss_providers::native::sign(secret.as_bytes(), 1_234, path, b"body");
            assert_eq!(String::from_utf8(out).unwrap(), theirs);
        }
    }
}
