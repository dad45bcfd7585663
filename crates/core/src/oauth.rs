//! The OAuth wire: how a client presents its KEY ID and KEY SECRET, and what it is told when that fails.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::Simd;
use base64::engine::general_purpose::PAD;
use zeroize::Zeroizing;

use crate::form::{Form, is_escaped};
use crate::path::escaped;

/// Base64, many bytes at a time where the machine can.
static BASE64: LazyLock<Simd> = LazyLock::new(|| Simd::standard(PAD));

/// A KEY ID and KEY SECRET as they were presented: not yet known to fit anything.
pub struct Presented {
    /// What stands in the place of the KEY ID.
    pub id: String,
    /// What stands in the place of the KEY SECRET.
    pub secret: Zeroizing<String>,
}

/// The answers of RFC 6749 §5.2, RFC 8707 §2 and our own outage, in words that never echo the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// A parameter is missing, repeated, or contradicts another.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client did not authenticate: unknown key, wrong secret, or a key that may not be used now.
    #[error("The KEY ID or the KEY SECRET is wrong, or the access key is not active")]
    InvalidClient,
    /// A grant other than `client_credentials`.
    #[error("Only grant_type=client_credentials is supported")]
    UnsupportedGrantType,
    /// A scope that the key does not hold.
    #[error("The access key does not hold every scope that was asked for")]
    InvalidScope,
    /// A `resource` that no product has.
    #[error("The resource is not the audience of a product")]
    InvalidTarget,
    /// The key may not introspect.
    #[error("The access key does not hold the scope introspect")]
    InsufficientScope,
    /// Too many requests, or too many wrong guesses. Seconds to wait.
    #[error("Too many requests for this access key; wait as Retry-After says")]
    TooMany(u32),
    /// Our own outage.
    #[error("Temporarily unavailable; try again")]
    Unavailable,
}

impl OAuthError {
    /// The `error` member.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InsufficientScope => "insufficient_scope",
            Self::TooMany(_) => "slow_down",
            Self::Unavailable => "temporarily_unavailable",
        }
    }
}

/// A `Basic` header that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed Basic credentials")]
pub struct BadBasic;

/// Splits an `Authorization` value into its scheme and the rest. The scheme's case does not matter (RFC 9110 §11.1).
pub fn scheme(value: &str) -> (&str, &str) {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    (scheme, rest.trim_start_matches(' '))
}

/// Reads what stands after `Basic` (RFC 7617), and form-decodes both halves (RFC 6749 §2.3.1).
///
/// # Errors
/// Bad base64, no colon, or text that is not UTF-8.
pub fn basic(encoded: &str) -> Result<Presented, BadBasic> {
    let bytes = Zeroizing::new(BASE64.decode(encoded).map_err(|_| BadBasic)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| BadBasic)?;
    let (id, secret) = text.split_once(':').ok_or(BadBasic)?;
    let id = form_decode(id).ok_or(BadBasic)?;
    let secret = Zeroizing::new(form_decode(secret).ok_or(BadBasic)?);
    Ok(Presented { id, secret })
}

/// The client of a form request, authenticated in exactly one way (RFC 6749 §2.3).
///
/// # Errors
/// `invalid_request` for two ways at once, `invalid_client` for none or a malformed header.
pub fn client(authorization: Option<&str>, form: &Form<'_>) -> Result<Presented, OAuthError> {
    let body_id = form.value("client_id");
    let body_secret = form.value("client_secret");
    let Some(authorization) = authorization else {
        let (Some(id), Some(secret)) = (body_id, body_secret) else {
            return Err(OAuthError::InvalidClient);
        };
        return Ok(Presented { id: id.to_owned(), secret: Zeroizing::new(secret.to_owned()) });
    };
    let (scheme, encoded) = scheme(authorization);
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(OAuthError::InvalidClient);
    }
    let presented = basic(encoded).map_err(|_| OAuthError::InvalidClient)?;
    if body_secret.is_some() {
        return Err(OAuthError::InvalidRequest("Use one way of client authentication, not two"));
    }
    if body_id.is_some_and(|id| id != presented.id) {
        return Err(OAuthError::InvalidRequest("The client_id differs from the Basic credentials"));
    }
    Ok(presented)
}

fn form_decode(text: &str) -> Option<String> {
    if !is_escaped(text.as_bytes()) {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let whole = &text.as_bytes()[text.len() - tail.len() - 1..];
                bytes.push(escaped(whole)?);
                rest = &tail[2..];
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn encode(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn basic_halves_are_form_decoded_in_upper_and_lower_hex() {
        let read = basic(&encode("018b%2D%2d1:tgs%5Fab%5f")).expect("Basic");
        assert_eq!((read.id.as_str(), read.secret.as_str()), ("018b--1", "tgs_ab_"));
        let plain = basic(&encode("a:b:c")).expect("Basic");
        assert_eq!(plain.secret.as_str(), "b:c");
    }

    #[test]
    fn malformed_basic_is_refused() {
        for text in ["", "!!!", &encode("no colon"), &encode("a%2:b"), &encode("a:%zz")] {
            assert!(basic(text).is_err(), "{text}");
        }
        assert!(basic(&STANDARD.encode([0xff, b':', b'a'])).is_err());
    }

    #[test]
    fn a_client_authenticates_in_exactly_one_way() {
        let form = |body: &'static str| Form::parse(body.as_bytes()).expect("a form");
        let header = format!("bAsIc  {}", encode("k:s"));
        assert_eq!(client(Some(&header), &form("client_id=k")).map(|found| found.id), Ok("k".to_owned()));
        assert_eq!(client(None, &form("client_id=k&client_secret=s")).map(|found| found.id), Ok("k".to_owned()));
        let two = client(Some(&header), &form("client_id=k&client_secret=s")).map(|found| found.id);
        assert!(matches!(two, Err(OAuthError::InvalidRequest(_))));
        let other = client(Some(&header), &form("client_id=x")).map(|found| found.id);
        assert!(matches!(other, Err(OAuthError::InvalidRequest(_))));
        for none in
            [client(None, &form("client_id=k")), client(Some("Bearer x"), &form("")), client(Some("Basic"), &form(""))]
        {
            assert_eq!(none.map(|found| found.id), Err(OAuthError::InvalidClient));
        }
    }

    #[test]
    fn errors_have_the_codes_of_their_rfcs_and_keep_to_the_alphabet_of_rfc_6749() {
        for (error, code) in [
            (OAuthError::InvalidRequest("No"), "invalid_request"),
            (OAuthError::InvalidClient, "invalid_client"),
            (OAuthError::UnsupportedGrantType, "unsupported_grant_type"),
            (OAuthError::InvalidScope, "invalid_scope"),
            (OAuthError::InvalidTarget, "invalid_target"),
            (OAuthError::InsufficientScope, "insufficient_scope"),
            (OAuthError::TooMany(1), "slow_down"),
            (OAuthError::Unavailable, "temporarily_unavailable"),
        ] {
            assert_eq!(error.code(), code);
            let text = error.to_string();
            assert!(text.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{text}");
            assert!(!text.contains("expired"));
        }
    }
}
