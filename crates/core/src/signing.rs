//! Signing keys: ES256, EdDSA (Ed25519) and RS256, parsed once, with their times of life.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SecureRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;

/// A signature algorithm by its JOSE name (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, Default)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: the default.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA PKCS#1 v1.5 with SHA-256, 2,048 bits: for verifiers that know nothing else. Ten times dearer to sign.
    #[serde(rename = "RS256")]
    Rs256,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        })
    }
}

/// The key cannot be read or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unusable signing key")]
pub struct BadKey;

impl FromStr for Algorithm {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Self, BadKey> {
        [Self::Es256, Self::EdDsa, Self::Rs256]
            .into_iter()
            .find(|algorithm| algorithm.to_string() == text)
            .ok_or(BadKey)
    }
}

/// When a key is published, signs, and ends. All in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// From when the JWKS shows it.
    pub published_at: Timestamp,
    /// From when it signs, until another becomes active.
    pub active_from: Timestamp,
    /// From when its successor signs. `None` while there is no successor with a date.
    pub retired_at: Option<Timestamp>,
}

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// A key with which tokens are signed or verified.
pub struct SigningKey {
    /// The key's id: the first 16 bytes of its RFC 7638 thumbprint, base64url.
    pub kid: String,
    /// Its algorithm. Nothing else is accepted under this `kid`.
    pub algorithm: Algorithm,
    /// When it lives.
    pub lifetime: Lifetime,
    /// The base64url of the only header that its tokens have.
    pub(crate) header: String,
    jwk: String,
    pair: Pair,
    public: ParsedPublicKey,
}

impl SigningKey {
    /// Makes a key pair and returns it as PKCS#8, to be stored encrypted.
    ///
    /// # Errors
    /// The machine's generator failed.
    pub fn generate(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        let bytes = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1().map(|document| document.as_ref().to_vec())),
            Algorithm::EdDsa => {
                Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()))
            }
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|pair| pair.as_der().map(|document| document.as_ref().to_vec())),
        };
        bytes.map(Zeroizing::new).map_err(|_| BadKey)
    }

    /// Parses a stored pair.
    ///
    /// # Errors
    /// The bytes are not a PKCS#8 pair of this algorithm.
    pub fn parse(algorithm: Algorithm, pkcs8: &[u8], lifetime: Lifetime) -> Result<Self, BadKey> {
        let (pair, members, public) = match algorithm {
            Algorithm::Es256 => parse_es256(pkcs8)?,
            Algorithm::EdDsa => parse_eddsa(pkcs8)?,
            Algorithm::Rs256 => parse_rs256(pkcs8)?,
        };
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, members.as_bytes());
        let kid = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]);
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"typ":"at+jwt","alg":"{algorithm}","kid":"{kid}"}}"#));
        let jwk = format!(r#"{{"kid":"{kid}","use":"sig","alg":"{algorithm}",{}"#, &members[1..]);
        Ok(Self { kid, algorithm, lifetime, header, jwk, pair, public })
    }

    /// The public key as JSON (RFC 7517): no private member, `use` and `alg` given.
    pub fn jwk(&self) -> &str {
        &self.jwk
    }

    pub(crate) fn sign(&self, random: &dyn SecureRandom, message: &[u8]) -> Result<Vec<u8>, BadKey> {
        match &self.pair {
            Pair::Es256(pair) => {
                pair.sign(random, message).map(|signature| signature.as_ref().to_vec()).map_err(|_| BadKey)
            }
            Pair::EdDsa(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, random, message, &mut signature).map_err(|_| BadKey)?;
                Ok(signature)
            }
        }
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({} {})", self.algorithm, self.kid)
    }
}

/// The members of the JWK thumbprint in their fixed order (RFC 7638 §3.2), which serve the JWK as well.
type Parts = (Pair, String, ParsedPublicKey);

fn parse_es256(pkcs8: &[u8]) -> Result<Parts, BadKey> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| BadKey)?;
    let point = pair.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| BadKey)?;
    Ok((Pair::Es256(pair), members, public))
}

fn parse_eddsa(pkcs8: &[u8]) -> Result<Parts, BadKey> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| BadKey)?;
    let point = pair.public_key().as_ref();
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(point));
    let public = ParsedPublicKey::new(&ED25519, point).map_err(|_| BadKey)?;
    Ok((Pair::EdDsa(pair), members, public))
}

fn parse_rs256(pkcs8: &[u8]) -> Result<Parts, BadKey> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| BadKey)?;
    let key = pair.public_key();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (e, n) = (
        number(key.exponent().big_endian_without_leading_zero()),
        number(key.modulus().big_endian_without_leading_zero()),
    );
    let members = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref()).map_err(|_| BadKey)?;
    Ok((Pair::Rs256(pair), members, public))
}
