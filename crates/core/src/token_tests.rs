//! Tokens against a foreign implementation, and against the tricks of RFC 8725.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::random::SystemRandom;
use crate::signing::{Algorithm, Lifetime};

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

fn key(algorithm: Algorithm) -> Arc<SigningKey> {
    let bytes = SigningKey::generate(algorithm).expect("a key");
    let lifetime = Lifetime { published_at: NOW, active_from: NOW, retired_at: None };
    Arc::new(SigningKey::parse(algorithm, &bytes, lifetime).expect("the same key"))
}

fn token() -> Token {
    let random = SystemRandom::default();
    Token {
        key: KeyId::new(NOW, &random),
        project: ProjectId::new(NOW, &random),
        account: AccountId::new(NOW, &random),
        audience: "https://api.example.com/\"x".into(),
        scopes: Scopes::parse("demo sms").expect("scopes"),
        issued_at: NOW.seconds(),
        expires_at: NOW.seconds() + 3_600,
        id: 7,
        generation: 1,
    }
}

fn sign(token: &Token, key: &SigningKey, issuer: &Issuer) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test signs without the program's generator")]
    let random = aws_lc_rs::rand::SystemRandom::new();
    token.sign(issuer, key, &random).expect("a signature")
}

#[test]
fn a_token_reads_back_and_a_foreign_library_accepts_it() {
    let issuer = Issuer::new("https://auth.example.com");
    assert_eq!(issuer.as_str(), "https://auth.example.com");
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let (key, token) = (key(algorithm), token());
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        assert_eq!(format!("{key:?}"), format!("SigningKey({algorithm} {})", key.kid));
        let text = sign(&token, &key, &issuer);
        let (read, by) = Token::verify(&text, &issuer, &KeySet::new(vec![key.clone()])).expect("our own token");
        assert_eq!((&read, &by.kid), (&token, &key.kid));

        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_str(key.jwk()).expect("a JWK");
        let name = algorithm.to_string().parse().expect("the library knows the algorithm");
        let mut rules = jsonwebtoken::Validation::new(name);
        rules.set_audience(&[&*token.audience]);
        rules.set_issuer(&["https://auth.example.com"]);
        rules.validate_exp = false;
        let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a public key");
        let foreign = jsonwebtoken::decode::<serde_json::Value>(&text, &decoding, &rules).expect("accepted");
        assert_eq!(foreign.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(foreign.claims["sub"], token.key.to_string());
        assert_eq!(foreign.claims["jti"].as_str().map(str::len), Some(32));
        assert_eq!(foreign.claims["scope"], "demo sms");
    }
}

#[test]
fn an_algorithm_that_we_do_not_sign_with_is_none() {
    for text in ["", "none", "es256", "HS256", "ES384"] {
        assert!(text.parse::<Algorithm>().is_err(), "{text}");
    }
}

#[test]
fn a_token_has_one_spelling_and_one_signer() {
    let issuer = Issuer::new("https://auth.example.com");
    let key = key(Algorithm::Es256);
    let keys = KeySet::new(vec![key.clone()]);
    let text = sign(&token(), &key, &issuer);
    let (header, rest) = text.split_once('.').expect("three parts");
    let (payload, signature) = rest.split_once('.').expect("three parts");
    let none = URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"none"}"#);
    let spaced = URL_SAFE_NO_PAD.encode(format!(r#"{{"typ": "at+jwt","alg":"ES256","kid":"{}"}}"#, key.kid));
    for wrong in [
        String::new(),
        "a.b".to_owned(),
        format!("{text}="),
        format!("{text}\0"),
        format!(" {text}"),
        format!("{text}.x"),
        format!("{none}.{payload}."),
        format!("{spaced}.{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.{}", &signature[..signature.len() - 1]),
    ] {
        assert!(Token::verify(&wrong, &issuer, &keys).is_err(), "{wrong}");
    }
    let changed = URL_SAFE_NO_PAD.encode("{}");
    assert_eq!(Token::verify(&format!("{header}.{changed}.{signature}"), &issuer, &keys).err(), Some(BadToken::Forged));
    assert!(Token::verify(&text, &Issuer::new("https://other.example.com"), &keys).is_err());
    assert!(Token::verify(&text, &issuer, &KeySet::default()).is_err());
}

#[test]
fn a_token_is_over_after_its_leeway_and_not_before() {
    let token = token();
    let end = Timestamp::from_seconds(token.expires_at);
    assert!(!token.is_over(Timestamp(end.plus_seconds(5).0 - 1), 5));
    assert!(token.is_over(end.plus_seconds(5), 5));
    assert!(!Token { expires_at: i64::MAX, ..token }.is_over(end, 5), "the last instant there is does not overflow");
}
