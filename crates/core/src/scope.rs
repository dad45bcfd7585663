//! Scopes (RFC 6749 §3.3): a set of words, kept sorted, compared and printed as one space-separated text.

use std::fmt;

use serde::{Serialize, Serializer};

/// The scope that lets a key manage the access keys and subprojects of its project.
pub const KEYS_MANAGE: &str = "keys:manage";
/// The scope that lets a key introspect tokens of its own account.
pub const INTROSPECT: &str = "introspect";
/// The scope that lets a key report units of its own account.
pub const USAGE_REPORT: &str = "usage:report";

/// A sorted set of scope tokens without repetition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scopes(Box<str>);

/// The text was not a list of scope tokens: `%x21 / %x23-5B / %x5D-7E`, separated by single spaces.
#[derive(Debug, thiserror::Error)]
#[error("a scope holds printable ASCII without quotes, backslashes and blanks")]
pub struct BadScope;

impl Scopes {
    /// Parses a list of scope tokens. Blanks around and between are folded; an empty text is the empty set.
    ///
    /// # Errors
    /// A character outside RFC 6749 §3.3.
    pub fn parse(text: &str) -> Result<Self, BadScope> {
        Self::from_words(text.split(' ').filter(|word| !word.is_empty()))
    }

    /// Makes a set of these words.
    ///
    /// # Errors
    /// An empty word, or a character outside RFC 6749 §3.3.
    pub fn from_words<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, BadScope> {
        let mut words: Vec<&str> = words.collect();
        if !words.iter().all(|word| is_scope_token(word)) {
            return Err(BadScope);
        }
        words.sort_unstable();
        words.dedup();
        Ok(Self(words.join(" ").into_boxed_str()))
    }

    /// The words, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|word| !word.is_empty())
    }

    /// Whether the set holds this word.
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|mine| mine == word)
    }

    /// Whether all words of this set are in `other` too.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|word| other.contains(word))
    }

    /// The space-separated text, as in the `scope` claim and parameter.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_scope_token(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

impl fmt::Display for Scopes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// As a list of words, which is how the management API shows scopes.
impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_a_set() {
        let set = Scopes::parse(" sms  keys:manage sms ").expect("words");
        assert_eq!(set.as_str(), "keys:manage sms");
        assert!(set.contains("sms") && !set.contains("sm"));
        assert!(Scopes::parse("sms").expect("word").is_subset(&set));
        assert!(!Scopes::parse("sms voice").expect("words").is_subset(&set));
        assert!(Scopes::default().is_subset(&set));
    }

    #[test]
    fn quotes_and_control_characters_are_no_scope() {
        for text in ["a\"b", "a\\b", "a\tb", "ä"] {
            assert!(Scopes::parse(text).is_err());
        }
    }
}
