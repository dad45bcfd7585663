//! Access tokens by hand: claims as text, a key parsed once, one signature.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tollgate_bench::Algorithm;

use crate::limit::{AccessKey, uuid};

/// How long a token lives.
pub(crate) const LIFETIME_SECONDS: u64 = 3600;

/// A signing key and what every token of it begins with.
pub(crate) struct Issuer {
    /// The JOSE header in base64url and the dot after it.
    head: String,
    url: String,
    signer: Signer,
    public: ParsedPublicKey,
    random: SystemRandom,
}

enum Signer {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

impl Issuer {
    /// An issuer at `url` with a fresh key.
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures what real randomness costs")]
    pub(crate) fn new(url: &str, algorithm: Algorithm) -> anyhow::Result<Self> {
        let signer = Signer::generate(algorithm)?;
        let public = signer.public()?;
        let header = format!(r#"{{"typ":"at+jwt","alg":"{}","kid":"{}"}}"#, algorithm.name(), uuid());
        let head = BASE64_URL_SAFE_NO_PAD.encode(header) + ".";
        Ok(Self { head, url: url.to_owned(), signer, public, random: SystemRandom::new() })
    }

    /// A token of `key` with the claims of Tollgate's; none only if the signature fails.
    pub(crate) fn token(&self, key: &AccessKey, now: u64) -> Option<String> {
        let claims = format!(
            concat!(
                r#"{{"iss":"{iss}","sub":"{id}","client_id":"{id}","aud":"{iss}","iat":{iat},"exp":{exp},"#,
                r#""jti":"{jti}","scope":"{scope}","project_id":"{project}","account_id":"{account}","#,
                r#""key_generation":1}}"#,
            ),
            iss = self.url,
            id = key.id,
            iat = now,
            exp = now + LIFETIME_SECONDS,
            jti = uuid(),
            scope = key.scope,
            project = key.project,
            account = key.account,
        );
        let mut token = String::with_capacity(1024);
        token.push_str(&self.head);
        BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        self.signer.sign(&self.random, &mut token)?;
        Some(token)
    }
}

impl Issuer {
    /// The key of a token of this issuer that has not ended: signature and claims are looked at, nothing else.
    pub(crate) fn verified_key(&self, token: &str, now: u64) -> Option<String> {
        let (message, signature) = token.rsplit_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.public.verify_sig(message.as_bytes(), &signature).ok()?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(message.split_once('.')?.1).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        (now < claims.exp).then_some(claims.sub)
    }
}

/// What is looked at in a token.
#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
}

impl Signer {
    fn public(&self) -> anyhow::Result<ParsedPublicKey> {
        let key = match self {
            Self::Es256(key) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref()),
            Self::EdDsa(key) => ParsedPublicKey::new(&ED25519, key.public_key().as_ref()),
            Self::Rs256(key) => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref()),
        };
        key.map_err(|_| anyhow::anyhow!("the public key cannot be read"))
    }

    fn generate(algorithm: Algorithm) -> anyhow::Result<Self> {
        Ok(match algorithm {
            Algorithm::Es256 => Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            Algorithm::EdDsa => Self::EdDsa(Ed25519KeyPair::generate()?),
            Algorithm::Rs256 => Self::Rs256(Box::new(RsaKeyPair::generate(KeySize::Rsa2048)?)),
        })
    }

    /// Appends a dot and the signature of what `token` holds.
    fn sign(&self, random: &SystemRandom, token: &mut String) -> Option<()> {
        match self {
            Self::Es256(key) => append(token, key.sign(random, token.as_bytes()).ok()?.as_ref()),
            Self::EdDsa(key) => append(token, key.sign(token.as_bytes()).as_ref()),
            Self::Rs256(key) => {
                let mut signature = [0; 256];
                key.sign(&RSA_PKCS1_SHA256, random, token.as_bytes(), &mut signature).ok()?;
                append(token, &signature);
            }
        }
        Some(())
    }
}

fn append(token: &mut String, signature: &[u8]) {
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature, token);
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::limit::Limit;

    #[test]
    fn every_algorithm_signs_what_its_public_key_verifies() {
        for algorithm in Algorithm::value_variants() {
            let (limit, seed) = Limit::seeded("http://127.0.0.1:1", *algorithm).expect("keys can be made");
            let key = limit.issuer.verified_key(&seed.token, 1);
            assert_eq!(key, Some(seed.key), "{algorithm:?}");
        }
    }

    #[test]
    fn the_claims_are_those_of_the_key() {
        let (_, seed) = Limit::seeded("http://127.0.0.1:1", Algorithm::Es256).expect("keys can be made");
        let claims = seed.token.split('.').nth(1).expect("three parts");
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64url");
        let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(claims["sub"], seed.key);
        assert_eq!(claims["project_id"], seed.project);
        assert_eq!(claims["exp"].as_u64(), claims["iat"].as_u64().map(|iat| iat + LIFETIME_SECONDS));
    }
}
