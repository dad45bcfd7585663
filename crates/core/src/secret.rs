//! Secrets: 256 random bits in a form that people can copy and scanners can find.
//!
//! `<prefix>_` + 43 base62 digits + 6 base62 digits, the CRC-32 of all that stands before. The check digits refuse a
//! typo without a look-up; they protect nothing else.

use std::fmt;

use zeroize::Zeroizing;

use crate::random::Random;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_DIGITS: usize = 43;
const CHECK_DIGITS: usize = 6;

/// What a secret opens, by its prefix. The prefix is the brand (`tg` unless the operator sets another) and one letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// `…s_`: the KEY SECRET of an access key.
    Key,
    /// `…t_`: the API token of a service plan.
    ApiToken,
    /// `…p_`: a person's own token.
    Personal,
    /// `…c_`: the cookie of a session.
    Session,
    /// `…l_`: a link that works once.
    Link,
}

impl SecretKind {
    fn letter(self) -> char {
        match self {
            Self::Key => 's',
            Self::ApiToken => 't',
            Self::Personal => 'p',
            Self::Session => 'c',
            Self::Link => 'l',
        }
    }
}

/// A secret in the clear. Deaf to `Debug`, without `Display`, `Serialize` or `PartialEq`; wiped when dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Makes a fresh secret.
    pub fn generate(brand: &str, kind: SecretKind, random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        random.fill(bytes.as_mut());
        let mut text = Zeroizing::new(String::with_capacity(brand.len() + 2 + RANDOM_DIGITS + CHECK_DIGITS));
        text.push_str(brand);
        text.push(kind.letter());
        text.push('_');
        push_base62(&mut text, &bytes);
        let check = check_digits(text.as_bytes());
        text.extend(check.iter().map(|&digit| char::from(digit)));
        Self(text)
    }

    /// Reads a secret as a client sent it. `None` when its form or its check digits are wrong; whoever sent it
    /// must get the same answer as for a secret that fits no key.
    pub fn parse(brand: &str, kind: SecretKind, text: &str) -> Option<Self> {
        let rest = text.strip_prefix(brand)?.strip_prefix(kind.letter())?.strip_prefix('_')?;
        let digits = rest.as_bytes();
        if digits.len() != RANDOM_DIGITS + CHECK_DIGITS || !digits.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let (body, check) = text.as_bytes().split_at(text.len() - CHECK_DIGITS);
        (check_digits(body) == check).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret itself: the one way out. Search for this word to find every place that a secret can leave by.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What lists may show: the prefix and the first four digits (24 of 256 bits).
    pub fn hint(&self) -> String {
        let start = self.0.find('_').map_or(0, |at| at + 1);
        format!("{}…", &self.0[..start + 4])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

/// Whether a bearer value looks like one of our opaque secrets, and of which kind. For denials that say what came.
pub fn kind_of(brand: &str, text: &str) -> Option<SecretKind> {
    let rest = text.strip_prefix(brand)?;
    [SecretKind::Key, SecretKind::ApiToken, SecretKind::Personal, SecretKind::Session, SecretKind::Link]
        .into_iter()
        .find(|kind| rest.strip_prefix(kind.letter()).is_some_and(|rest| rest.starts_with('_')))
}

/// 43 base62 digits of a 256-bit number, most significant first.
fn push_base62(text: &mut String, bytes: &[u8; 32]) {
    let mut number = Zeroizing::new(*bytes);
    let mut digits = Zeroizing::new([0_u8; RANDOM_DIGITS]);
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in number.iter_mut() {
            let value = remainder * 256 + u32::from(*byte);
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        *digit = DIGITS[remainder as usize];
    }
    text.extend(digits.iter().map(|&digit| char::from(digit)));
}

fn check_digits(body: &[u8]) -> [u8; CHECK_DIGITS] {
    let mut sum = crc32fast::hash(body);
    let mut digits = [0_u8; CHECK_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(sum % 62) as usize];
        sum /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    struct Fixed([u8; 32]);
    impl Random for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.copy_from_slice(&self.0[..buffer.len()]);
        }
    }

    /// The 256-bit number that base62 digits stand for.
    fn number(digits: &str) -> [u8; 32] {
        let mut number = [0_u8; 32];
        for digit in digits.bytes() {
            let mut carry = DIGITS.iter().position(|known| *known == digit).expect("a digit");
            for byte in number.iter_mut().rev() {
                carry += usize::from(*byte) * 62;
                *byte = (carry % 256) as u8;
                carry /= 256;
            }
            assert_eq!(carry, 0, "it has 256 bits");
        }
        number
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, rng_seed: RngSeed::Fixed(5), ..ProptestConfig::default() })]

        #[test]
        fn any_secret_reads_back_and_any_change_of_a_character_is_refused(bytes: [u8; 32], at in 0_usize..5) {
            let kinds = [SecretKind::Key, SecretKind::ApiToken, SecretKind::Personal, SecretKind::Session, SecretKind::Link];
            let kind = kinds[at];
            let secret = Secret::generate("tg", kind, &Fixed(bytes));
            let text = secret.expose().to_owned();
            prop_assert_eq!(text.len(), 53);
            prop_assert_eq!(kind_of("tg", &text), Some(kind));
            prop_assert_eq!(number(&text[4..47]), bytes, "no random bit is lost");
            for other in kinds {
                let read = Secret::parse("tg", other, &text).map(|read| read.expose().to_owned());
                prop_assert_eq!(read.as_ref(), (other == kind).then_some(&text));
            }
            for at in 0..text.len() {
                for letter in ' '..='~' {
                    let other = format!("{}{letter}{}", &text[..at], &text[at + 1..]);
                    prop_assert_eq!(Secret::parse("tg", kind, &other).is_some(), other == text, "{}", other);
                }
            }
        }
    }

    #[test]
    fn cut_extended_and_padded_secrets_are_wrong() {
        let secret = Secret::generate("tg", SecretKind::Key, &SystemRandom::default());
        let text = secret.expose();
        for wrong in
            [&text[..52], &format!("{text}0"), &format!("{text}\0"), &format!(" {text}"), &text.replace("tgs", "tgt")]
        {
            assert!(Secret::parse("tg", SecretKind::Key, wrong).is_none());
        }
        assert_eq!(kind_of("tg", text), Some(SecretKind::Key));
        assert_eq!(kind_of("tg", "eyJh"), None);
    }

    #[test]
    fn right_check_digits_do_not_excuse_a_wrong_form() {
        for (digits, is_good) in [
            ("A".repeat(43), true),
            ("A".repeat(42), false),
            ("A".repeat(44), false),
            (format!("{}-", "A".repeat(42)), false),
            (String::new(), false),
        ] {
            let mut text = format!("tgs_{digits}");
            let check = check_digits(text.as_bytes());
            text.extend(check.map(char::from));
            assert_eq!(Secret::parse("tg", SecretKind::Key, &text).is_some(), is_good, "{text}");
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::generate("tg", SecretKind::Personal, &SystemRandom::default());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.hint().chars().count(), 9);
    }

    #[test]
    fn the_highest_number_has_43_digits() {
        let secret = Secret::generate("tg", SecretKind::ApiToken, &Fixed([0xff; 32]));
        assert!(secret.expose().starts_with("tgt_"));
        assert!(secret.expose()[4..].starts_with(|digit: char| digit != '0'));
    }
}
