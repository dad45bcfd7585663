//! Display names: any Unicode but control characters and direction tricks, normalised to NFC, blanks around removed.

use unicode_normalization::UnicodeNormalization as _;

/// Why a display name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing but blanks.
    #[error("must not be empty")]
    Empty,
    /// More characters than the limit.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A control character, a line break, or a character that turns the direction of the text.
    #[error("must not hold control characters")]
    Control,
}

/// A display name as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Checks and normalises a name of at most `limit` characters (Unicode scalar values after normalisation).
    ///
    /// # Errors
    /// See [`BadName`].
    pub fn parse(text: &str, limit: usize) -> Result<Self, BadName> {
        let name: String = text.trim().nfc().collect();
        if name.is_empty() {
            return Err(BadName::Empty);
        }
        if name.chars().any(is_refused) {
            return Err(BadName::Control);
        }
        if name.chars().count() > limit {
            return Err(BadName::TooLong(limit));
        }
        Ok(Self(name))
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character has no place in a name: control characters, line breaks, and what turns the direction of the text.
pub fn is_refused(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_one_name_are_one_name() {
        let composed = DisplayName::parse("caf\u{e9}", 64).expect("a name");
        let combining = DisplayName::parse(" cafe\u{301} ", 64).expect("a name");
        assert_eq!(composed, combining);
        assert_eq!(composed.as_str().chars().count(), 4);
    }

    #[test]
    fn names_with_control_characters_are_refused_and_other_unicode_is_kept() {
        assert_eq!(DisplayName::parse("a\u{7}b", 64), Err(BadName::Control));
        assert_eq!(DisplayName::parse("a\u{202e}b", 64), Err(BadName::Control));
        assert_eq!(DisplayName::parse("a\nb", 64), Err(BadName::Control));
        assert_eq!(DisplayName::parse(" \t", 64), Err(BadName::Empty));
        assert_eq!(DisplayName::parse("abc", 2), Err(BadName::TooLong(2)));
        assert!(DisplayName::parse("äöü", 3).is_ok(), "characters are counted, not bytes");
        assert!(DisplayName::parse("鍵 🔑 'x' <b>", 64).is_ok());
    }
}
