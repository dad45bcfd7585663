//! Access tokens. By its first byte an input is:
//!
//! * `e`: edits of a genuine token, of three algorithms in turn, as pairs of place and byte. Accepted only if nothing changed.
//! * `c`: claims under a genuine signature. What is accepted says what a JSON library reads in it, and is accepted again when
//!   it is signed anew.
//! * anything else: a text, which is never accepted.
#![no_main]

use std::sync::{Arc, LazyLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tollgate_core::keyset::KeySet;
use tollgate_core::signing::{Algorithm, Lifetime, SigningKey};
use tollgate_core::token::{Issuer, Token};
use tollgate_core::{AccountId, KeyId, ProjectId, Scopes, Timestamp};

const ISSUER: &str = "https://auth.example.com";
const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

struct Subject {
    issuer: Issuer,
    keys: KeySet,
    genuine: Vec<String>,
    /// The pair of the EdDSA key once more, to sign with what no token says.
    pair: Ed25519KeyPair,
}

static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
    let issuer = Issuer::new(ISSUER);
    let lifetime = Lifetime { published_at: NOW, active_from: NOW, retired_at: None };
    let mut pair = None;
    let all = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256].map(|algorithm| {
        let bytes = SigningKey::generate(algorithm).expect("a key");
        pair = pair.take().or_else(|| Ed25519KeyPair::from_pkcs8(&bytes).ok());
        Arc::new(SigningKey::parse(algorithm, &bytes, lifetime).expect("the same key"))
    });
    let id = "018bcfe5-6800-7000-8000-00000000000a";
    let token = Token {
        key: id.parse::<KeyId>().expect("an id"),
        project: id.parse::<ProjectId>().expect("an id"),
        account: id.parse::<AccountId>().expect("an id"),
        audience: "https://api.example.com".into(),
        scopes: Scopes::parse("demo sms").expect("scopes"),
        issued_at: NOW.seconds(),
        expires_at: NOW.seconds() + 3_600,
        id: 7,
        generation: 1,
    };
    let genuine = all.iter().map(|key| token.sign(&issuer, key, &SystemRandom::new()).expect("a signature")).collect();
    Subject { issuer, genuine, keys: KeySet::new(all.to_vec()), pair: pair.expect("one of them is Ed25519") }
});

fuzz_target!(|input: &[u8]| {
    let subject = &*SUBJECT;
    match input.split_first() {
        Some((b'e', edits)) => edited(subject, edits),
        Some((b'c', claims)) => signed(subject, claims),
        _ => {
            let text = String::from_utf8_lossy(input);
            assert!(Token::verify(&text, &subject.issuer, &subject.keys).is_err());
        }
    }
});

fn edited(subject: &Subject, edits: &[u8]) {
    for genuine in &subject.genuine {
        let mut bytes = genuine.clone().into_bytes();
        for edit in edits.chunks_exact(3) {
            let place = usize::from(u16::from_be_bytes([edit[0], edit[1]]));
            match (place & 0x8000 != 0, bytes.len()) {
                // An insertion, so that lengths and separators move.
                (true, length) => bytes.insert((place & 0x7fff) % (length + 1), edit[2]),
                (false, 0) => {}
                (false, length) => bytes[place % length] = edit[2],
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let outcome = Token::verify(&text, &subject.issuer, &subject.keys);
        assert_eq!(outcome.is_ok(), text == **genuine, "{text}");
    }
}

fn signed(subject: &Subject, claims: &[u8]) {
    let header = subject.genuine[1].split('.').next().expect("a header");
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(subject.pair.sign(message.as_bytes()));
    let text = format!("{message}.{signature}");
    let Ok((token, key)) = Token::verify(&text, &subject.issuer, &subject.keys) else { return };
    assert_eq!(key.algorithm, Algorithm::EdDsa);

    // What a reader skips, it does not look into: a member that we do not have may hold a text that is none.
    if let Ok(value) = serde_json::from_slice(claims) {
        says(&token, &value);
    }

    // No instant of a token that is accepted may overflow what judges it.
    token.is_over(NOW, 60);
    let again = token.sign(&subject.issuer, &key, &SystemRandom::new()).expect("a signature");
    let (read, _) = Token::verify(&again, &subject.issuer, &subject.keys).expect("our own token");
    assert_eq!(read, token);
}

fn says(token: &Token, value: &Value) {
    assert_eq!(value["iss"], ISSUER);
    assert_eq!(value["aud"], *token.audience);
    assert_eq!((&value["iat"], &value["exp"]), (&token.issued_at.into(), &token.expires_at.into()));
    assert_eq!(value["key_generation"], token.generation);
    let ids = [token.key.to_string(), token.project.to_string(), token.account.to_string()];
    for (name, id) in ["client_id", "project_id", "account_id"].iter().zip(&ids) {
        assert!(value[name].as_str().is_some_and(|text| text.eq_ignore_ascii_case(id)));
    }
    let scopes: Vec<&str> =
        value["scope"].as_str().expect("scopes").split(' ').filter(|word| !word.is_empty()).collect();
    assert!(scopes.iter().all(|word| token.scopes.contains(word)));
    assert!(token.scopes.iter().all(|word| scopes.contains(&word)));
}
