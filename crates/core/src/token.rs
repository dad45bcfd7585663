//! Access tokens: JWTs by the profile of RFC 9068, signed and verified by hand with keys that are parsed once.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::rand::SecureRandom;
use base64::Engine as _;
use base64::engine::Simd;
use base64::engine::general_purpose::NO_PAD;
use serde::Deserialize;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::{AccountId, KeyId, ProjectId, buffer};
use crate::keyset::KeySet;
use crate::scope::Scopes;
use crate::signing::{BadKey, SigningKey};

/// Base64url, many bytes at a time where the machine can.
static BASE64URL: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// `sub` and `client_id`.
    pub key: KeyId,
    /// `project_id`: the key's own project.
    pub project: ProjectId,
    /// `account_id`: who paid when the token was made.
    pub account: AccountId,
    /// `aud`: the platform's audience or one product's.
    pub audience: Arc<str>,
    /// `scope`.
    pub scopes: Scopes,
    /// `iat`, in seconds since 1970.
    pub issued_at: i64,
    /// `exp`, in seconds since 1970.
    pub expires_at: i64,
    /// `jti`, 128 random bits, on the wire as 32 hex digits.
    pub id: u128,
    /// `key_generation`: a token of an older generation than its key's is revoked.
    pub generation: i64,
}

/// Why a token was refused before anything about its key was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// Not three segments of strict base64url with a header of ours.
    #[error("not a token of this issuer")]
    Foreign,
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Forged,
}

/// The issuer's name, checked and escaped once.
#[derive(Debug, Clone)]
pub struct Issuer {
    plain: String,
    json: String,
}

impl Issuer {
    /// An issuer by its URL, used character for character (RFC 8414 §3.3).
    pub fn new(url: &str) -> Self {
        Self { plain: url.to_owned(), json: serde_json::Value::from(url).to_string() }
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.plain
    }
}

impl Token {
    /// Signs the token.
    ///
    /// # Errors
    /// The signature failed, which only a broken key can cause.
    pub fn sign(&self, issuer: &Issuer, key: &SigningKey, random: &dyn SecureRandom) -> Result<String, BadKey> {
        let claims = format!(r#"{{{},"key_generation":{}}}"#, self.members(issuer), self.generation);
        let mut text = String::with_capacity(key.header.len() + claims.len() * 4 / 3 + 350);
        text.push_str(&key.header);
        text.push('.');
        BASE64URL.encode_string(claims, &mut text);
        let signature = key.sign(random, text.as_bytes())?;
        text.push('.');
        BASE64URL.encode_string(signature, &mut text);
        Ok(text)
    }

    /// What the token (RFC 9068 §2.2) and its introspection (RFC 7662 §2.2) say, as members of a JSON object without its braces.
    /// By hand: ids and scopes (RFC 6749 §3.3) hold nothing that JSON escapes.
    pub fn members(&self, issuer: &Issuer) -> String {
        let audience = serde_json::Value::from(&*self.audience).to_string();
        let [mut key, mut project, mut account, mut jti] = [buffer(); 4];
        let key = self.key.encode(&mut key);
        [
            r#""iss":"#,
            &issuer.json,
            r#","sub":""#,
            key,
            r#"","client_id":""#,
            key,
            r#"","aud":"#,
            &audience,
            r#","iat":"#,
            &self.issued_at.to_string(),
            r#","exp":"#,
            &self.expires_at.to_string(),
            r#","jti":""#,
            Uuid::from_u128(self.id).simple().encode_lower(&mut jti),
            r#"","scope":""#,
            self.scopes.as_str(),
            r#"","project_id":""#,
            self.project.encode(&mut project),
            r#"","account_id":""#,
            self.account.encode(&mut account),
            r#"""#,
        ]
        .concat()
    }

    /// Checks form, header, signature and issuer. Time, revocation and the state of the key are the caller's to judge.
    ///
    /// # Errors
    /// See [`BadToken`].
    pub fn verify(text: &str, issuer: &Issuer, keys: &KeySet) -> Result<(Self, Arc<SigningKey>), BadToken> {
        let (signed, signature) = text.rsplit_once('.').ok_or(BadToken::Foreign)?;
        let (header, payload) = signed.split_once('.').ok_or(BadToken::Foreign)?;
        let key = keys.by_header(header).ok_or(BadToken::Foreign)?;
        let signature = BASE64URL.decode(signature).map_err(|_| BadToken::Foreign)?;
        let payload = BASE64URL.decode(payload).map_err(|_| BadToken::Foreign)?;
        if !key.verify(signed.as_bytes(), &signature) {
            return Err(BadToken::Forged);
        }
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| BadToken::Foreign)?;
        if claims.iss != issuer.plain {
            return Err(BadToken::Foreign);
        }
        let token = claims.into_token().ok_or(BadToken::Foreign)?;
        Ok((token, Arc::clone(key)))
    }

    /// The instant at which no clock holds it for live any more, when clocks differ by `leeway_seconds` at most.
    pub fn ends_at(&self, leeway_seconds: i64) -> Timestamp {
        Timestamp::from_seconds(self.expires_at).plus_seconds(leeway_seconds)
    }

    /// Whether the token's time is over, with `leeway_seconds` for clocks that differ.
    pub fn is_over(&self, now: Timestamp, leeway_seconds: i64) -> bool {
        now >= self.ends_at(leeway_seconds)
    }
}

#[derive(Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    iss: std::borrow::Cow<'a, str>,
    client_id: &'a str,
    #[serde(borrow)]
    aud: std::borrow::Cow<'a, str>,
    iat: i64,
    exp: i64,
    jti: &'a str,
    #[serde(borrow)]
    scope: std::borrow::Cow<'a, str>,
    project_id: &'a str,
    account_id: &'a str,
    key_generation: i64,
}

impl Claims<'_> {
    fn into_token(self) -> Option<Token> {
        Some(Token {
            key: self.client_id.parse().ok()?,
            project: self.project_id.parse().ok()?,
            account: self.account_id.parse().ok()?,
            audience: self.aud.into(),
            scopes: Scopes::parse(&self.scope).ok()?,
            issued_at: self.iat,
            expires_at: self.exp,
            id: u128::from_str_radix(self.jti, 16).ok()?,
            generation: self.key_generation,
        })
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
