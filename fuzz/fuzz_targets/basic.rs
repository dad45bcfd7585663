//! The `Authorization: Basic` header: read as a naive reader reads it, and by `client` as by `basic`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_core::form::Form;
use tollgate_core::oauth::{OAuthError, basic, client, scheme};
use tollgate_fuzz::reference;

fuzz_target!(|value: &str| {
    let (name, rest) = scheme(value);
    assert_eq!((name.to_ascii_lowercase(), rest), reference::scheme(value));
    let expected = reference::basic(rest.as_bytes());
    let read = basic(rest).ok().map(|found| (found.id, found.secret.to_string()));
    assert_eq!(read, expected);

    let form = |body: &'static [u8]| Form::parse(body).expect("a form");
    let alone = client(Some(value), &form(b""));
    if name.eq_ignore_ascii_case("basic") && expected.is_some() {
        assert_eq!(alone.ok().map(|found| (found.id, found.secret.to_string())), expected);
        let two_ways = client(Some(value), &form(b"client_secret=x")).err();
        assert!(matches!(two_ways, Some(OAuthError::InvalidRequest(_))));
    } else {
        assert_eq!(alone.err(), Some(OAuthError::InvalidClient));
    }
});
