//! The master key and what is derived from it (HKDF-SHA-256, RFC 5869): the pepper of secret hashes, the key that
//! encrypts signing keys at rest, the key of page tokens, and a public fingerprint.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::id::UserId;
use crate::random::Random;
use crate::recovery::RecoveryCode;
use crate::secret::Secret;

/// HMAC-SHA-256 of a secret under the pepper: what the database holds instead of the secret.
///
/// A keyed hash is enough: the secret is 256 random bits, not a password.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The stored form.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the stored form; `None` unless it has 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretHash(…)")
    }
}

/// What was encrypted under another master key, was changed, or belongs to another row.
#[derive(Debug, thiserror::Error)]
#[error("cannot be decrypted with this master key")]
pub struct CannotDecrypt;

/// Everything that one 32-byte master key gives. The key itself is forgotten once this is made.
pub struct MasterKey {
    fingerprint: String,
    pepper: hmac::Key,
    pages: hmac::Key,
    wrapping: RandomizedNonceKey,
}

impl MasterKey {
    /// Derives all keys from the 32 bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tollgate/1").extract(bytes);
        let fingerprint = derive(&prk, b"fingerprint")[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            fingerprint,
            pepper: hmac::Key::new(hmac::HMAC_SHA256, derive(&prk, b"secret pepper").as_ref()),
            pages: hmac::Key::new(hmac::HMAC_SHA256, derive(&prk, b"page tokens").as_ref()),
            wrapping: RandomizedNonceKey::new(&AES_256_GCM, derive(&prk, b"signing keys").as_ref())
                .expect("AES-256 takes 32 bytes"),
        }
    }

    /// Fresh bytes for a new installation.
    pub fn generate(random: &dyn Random) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        random.fill(bytes.as_mut());
        bytes
    }

    /// Sixteen hex digits that name this key without revealing it: the pepper's version, and the database's check value.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The keyed hash of a secret.
    pub fn hash(&self, secret: &Secret) -> SecretHash {
        let tag = hmac::sign(&self.pepper, secret.expose().as_bytes());
        SecretHash::from_bytes(tag.as_ref()).expect("SHA-256 has 32 bytes")
    }

    /// The keyed hash of a person's recovery code. No secret is spelt like this, so that the two never meet.
    pub fn hash_recovery(&self, user: UserId, code: &RecoveryCode) -> SecretHash {
        let text = Zeroizing::new(format!("recovery {user} {}", code.expose()));
        let tag = hmac::sign(&self.pepper, text.as_bytes());
        SecretHash::from_bytes(tag.as_ref()).expect("SHA-256 has 32 bytes")
    }

    /// Authenticates the text of a page token: 16 bytes.
    pub fn page_tag(&self, text: &[u8]) -> [u8; 16] {
        let tag = hmac::sign(&self.pages, text);
        tag.as_ref()[..16].try_into().expect("a tag has 32 bytes")
    }

    /// Encrypts with AES-256-GCM under a random nonce; `row` is bound to the result. Layout: nonce (12), text, tag (16).
    pub fn seal(&self, row: &str, plain: &[u8]) -> Vec<u8> {
        let mut text = plain.to_vec();
        let nonce = self
            .wrapping
            .seal_in_place_append_tag(Aad::from(row.as_bytes()), &mut text)
            .expect("a signing key is far below the limit of AES-GCM");
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend_from_slice(&text);
        sealed
    }

    /// Decrypts what [`seal`](Self::seal) made for the same row.
    ///
    /// # Errors
    /// Another master key, another row, or changed bytes.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CannotDecrypt> {
        let (nonce, text) = sealed.split_first_chunk::<12>().ok_or(CannotDecrypt)?;
        let mut text = Zeroizing::new(text.to_vec());
        let plain = self
            .wrapping
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(row.as_bytes()), &mut text)
            .map_err(|_| CannotDecrypt)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MasterKey({})", self.fingerprint)
    }
}

impl MasterKey {
    /// [`seal`](Self::seal) as text that can stand in a form.
    pub fn seal_text(&self, row: &str, plain: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.seal(row, plain))
    }

    /// Reads what [`seal_text`](Self::seal_text) made for the same row.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_text(&self, row: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, CannotDecrypt> {
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| CannotDecrypt)?;
        self.open(row, &sealed)
    }
}

fn derive(prk: &hkdf::Prk, label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0_u8; 32]);
    prk.expand(&[label], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut()))
        .expect("HKDF-SHA-256 gives up to 8,160 bytes");
    key
}

/// The present master key and older ones that are still accepted for reading.
#[derive(Debug)]
pub struct MasterKeys {
    present: MasterKey,
    older: Vec<MasterKey>,
}

impl MasterKeys {
    /// `present` makes all new hashes and seals; `older` only read.
    pub fn new(present: MasterKey, older: Vec<MasterKey>) -> Self {
        Self { present, older }
    }

    /// The key for everything new.
    pub fn present(&self) -> &MasterKey {
        &self.present
    }

    /// All keys, the present one first: what was hashed under an older one is still found.
    pub fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.present).chain(&self.older)
    }

    /// The key with this fingerprint, if it is one of ours.
    pub fn by_fingerprint(&self, fingerprint: &str) -> Option<&MasterKey> {
        self.all().find(|key| key.fingerprint == fingerprint)
    }

    /// The place of a key in the list: 0 is the present one. Entries remember this instead of the text.
    pub fn index(&self, fingerprint: &str) -> Option<u8> {
        let at = self.all().position(|key| key.fingerprint == fingerprint)?;
        u8::try_from(at).ok()
    }

    /// The key at a place that [`index`](Self::index) gave.
    pub fn at(&self, index: u8) -> &MasterKey {
        if index == 0 { &self.present } else { &self.older[usize::from(index) - 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use crate::secret::SecretKind;

    #[test]
    fn a_sealed_row_opens_only_with_its_key_and_its_name() {
        let key = MasterKey::new(&[7; 32]);
        let sealed = key.seal("kid-1", b"private");
        assert_eq!(key.open("kid-1", &sealed).expect("same row").as_slice(), b"private");
        assert!(key.open("kid-2", &sealed).is_err());
        assert!(MasterKey::new(&[8; 32]).open("kid-1", &sealed).is_err());
        assert!(key.open("kid-1", &sealed[..10]).is_err());
        let mut changed = sealed;
        changed[14] ^= 1;
        assert!(key.open("kid-1", &changed).is_err());
    }

    #[test]
    fn the_hash_of_a_secret_depends_on_the_master_key() {
        let secret = Secret::generate("tg", SecretKind::Key, &SystemRandom::default());
        let (one, two) = (MasterKey::new(&[1; 32]), MasterKey::new(&[2; 32]));
        assert!(one.hash(&secret).matches(&one.hash(&secret)));
        assert!(!one.hash(&secret).matches(&two.hash(&secret)));
        assert_ne!(one.hash(&secret).as_bytes(), two.hash(&secret).as_bytes());
        let stored = SecretHash::from_bytes(one.hash(&secret).as_bytes()).expect("32 bytes");
        assert!(stored.matches(&one.hash(&secret)));
        assert_ne!(one.fingerprint(), two.fingerprint());
        assert_eq!(format!("{one:?}"), format!("MasterKey({})", one.fingerprint()), "and nothing else of the key");
        assert_eq!(format!("{:?}", one.hash(&secret)), "SecretHash(…)");
    }

    #[test]
    fn a_sealed_text_opens_only_with_its_name_and_a_code_belongs_to_its_person() {
        let key = MasterKey::new(&[7; 32]);
        let text = key.seal_text("a", b"private");
        assert_eq!(key.open_text("a", &text).expect("same row").as_slice(), b"private");
        assert!(key.open_text("b", &text).is_err());
        assert!(key.open_text("a", "%").is_err());
        let random = crate::random::SystemRandom::default();
        let [one, two] = [1, 2].map(|second| UserId::new(crate::Timestamp::from_seconds(second), &random));
        let code = RecoveryCode::generate(&random);
        assert!(key.hash_recovery(one, &code).matches(&key.hash_recovery(one, &code)));
        assert!(!key.hash_recovery(one, &code).matches(&key.hash_recovery(two, &code)));
    }

    #[test]
    fn no_two_installations_have_one_master_key() {
        let random = SystemRandom::default();
        let [one, two] = [MasterKey::generate(&random), MasterKey::generate(&random)];
        assert_ne!(one, two);
        assert_ne!(one[..16], one[16..]);
    }

    #[test]
    fn older_keys_are_found_by_their_fingerprint() {
        let present = MasterKey::new(&[1; 32]).fingerprint().to_owned();
        let keys = MasterKeys::new(MasterKey::new(&[1; 32]), vec![MasterKey::new(&[2; 32])]);
        assert_eq!((keys.index(&present), keys.index("0000")), (Some(0), None));
        assert_eq!(keys.by_fingerprint(&present).map(MasterKey::fingerprint), Some(&*present));
        let old = MasterKey::new(&[2; 32]);
        assert_eq!(keys.index(old.fingerprint()), Some(1));
        assert_eq!(keys.at(1).fingerprint(), old.fingerprint());
        assert!(keys.by_fingerprint("0000").is_none());
    }
}
