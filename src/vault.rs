//! Seals what must be usable again, and so cannot be hashed: callback secrets, and stored answers that
//! carry a token. ChaCha20-Poly1305 under the master key, with a random nonce in front.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretString};

use crate::seams::random_bytes;

const NONCE_BYTES: usize = 12;

/// Why something could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the master key is not 64 hexadecimal digits")]
    Key,
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] std::io::Error),
    #[error("it cannot be sealed")]
    Seal,
    #[error("it was sealed under another master key, for another place, or is damaged")]
    Open,
}

/// Seals and opens under one master key.
#[derive(Clone)]
pub struct Vault {
    cipher: ChaCha20Poly1305,
}

impl Vault {
    /// # Errors
    /// [`VaultError::Key`]
    pub fn new(master_key: &SecretString) -> Result<Self, VaultError> {
        let key = hex::decode(master_key.expose_secret()).map_err(|_| VaultError::Key)?;
        let cipher = ChaCha20Poly1305::new_from_slice(&key).map_err(|_| VaultError::Key)?;
        Ok(Self { cipher })
    }

    /// Seals `plain` for one `place` (such as `provider/demo`): it opens nowhere else.
    ///
    /// # Errors
    /// [`VaultError::Random`]
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE_BYTES] = random_bytes()?;
        let payload = Payload {
            msg: plain,
            aad: place.as_bytes(),
        };
        let sealed = self
            .cipher
            .encrypt(Nonce::from_slice(&nonce), payload)
            .map_err(|_| VaultError::Seal)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`VaultError::Open`]
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (nonce, message) = sealed
            .split_at_checked(NONCE_BYTES)
            .ok_or(VaultError::Open)?;
        let payload = Payload {
            msg: message,
            aad: place.as_bytes(),
        };
        self.cipher
            .decrypt(Nonce::from_slice(nonce), payload)
            .map_err(|_| VaultError::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault::new(&hex::encode([byte; 32]).into()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_in_its_own_place_under_its_own_key_alone() {
        let sealed = vault(1).seal("provider/demo", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(vault(1).open("provider/demo", &sealed).unwrap(), b"secret");
        assert!(vault(1).open("provider/other", &sealed).is_err());
        assert!(vault(2).open("provider/demo", &sealed).is_err());
        let mut damaged = sealed.clone();
        damaged[15] ^= 1;
        assert!(vault(1).open("provider/demo", &damaged).is_err());
        assert!(vault(1).open("provider/demo", &sealed[..5]).is_err());
    }

    #[test]
    fn a_bad_master_key_is_refused() {
        assert!(Vault::new(&"00".to_owned().into()).is_err());
        assert!(Vault::new(&"zz".repeat(32).into()).is_err());
    }
}
