//! Recovery codes: what lets a person in whose second factor is lost. Each works once.

use std::fmt;

use zeroize::Zeroizing;

use crate::random::Random;

/// Letters that nobody takes for one another (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 16;
const GROUP: usize = 4;

/// Eighty random bits in four groups of four letters. Deaf to `Debug`; wiped when dropped.
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// Makes a fresh code.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0_u8; LENGTH]);
        random.fill(bytes.as_mut());
        let mut text = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / GROUP));
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(LETTERS[usize::from(byte % 32)]));
        }
        Self(text)
    }

    /// Reads a code as a person typed it: case, blanks and hyphens do not matter, nor does `o` for `0`, `i` or `l` for `1`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut plain = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / GROUP));
        let mut length = 0;
        for letter in text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-') {
            let letter = match letter.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            };
            if length == LENGTH || !LETTERS.iter().any(|&known| char::from(known) == letter) {
                return None;
            }
            if length > 0 && length % GROUP == 0 {
                plain.push('-');
            }
            plain.push(letter);
            length += 1;
        }
        (length == LENGTH).then_some(Self(plain))
    }

    /// The code itself, in groups.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn every_letter_of_a_code_comes_from_a_byte_of_its_own() {
        struct Fixed;
        impl Random for Fixed {
            fn fill(&self, buffer: &mut [u8]) {
                buffer.iter_mut().zip(0..).for_each(|(byte, at)| *byte = 17 * at);
            }
        }
        assert_eq!(RecoveryCode::generate(&Fixed).expose(), "0h2k-4n6q-8sav-cxez");
    }

    #[test]
    fn a_code_is_read_however_a_person_types_it() {
        let code = RecoveryCode::generate(&SystemRandom::default());
        let text = code.expose();
        assert_eq!(text.len(), 19);
        for typed in
            [text.to_owned(), text.to_uppercase(), text.replace('-', ""), format!(" {} ", text.replace('-', " "))]
        {
            assert_eq!(RecoveryCode::parse(&typed).expect("the same code").expose(), text);
        }
        assert_eq!(RecoveryCode::parse("oilO-0000-0000-0000").expect("read").expose(), "0110-0000-0000-0000");
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }

    #[test]
    fn cut_extended_and_foreign_texts_are_no_codes() {
        for text in
            ["", "123456", "0000-0000-0000-000", "0000-0000-0000-00000", "u000-0000-0000-0000", "0000-0000-0000-000\0"]
        {
            assert!(RecoveryCode::parse(text).is_none(), "{text:?}");
        }
    }
}
