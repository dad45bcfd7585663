//! Secrets in the client's hands: never an argument, never in a `Debug`, wiped when dropped.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::Failure;

/// More than any secret or token has; a larger file is not one.
const MOST_BYTES: u64 = 64 * 1024;

/// A secret in the clear.
pub(crate) struct Hidden(Zeroizing<String>);

/// KEY ID and KEY SECRET.
#[derive(Debug)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) secret: Hidden,
}

/// What a command signs in with.
#[derive(Debug)]
pub(crate) enum Credential {
    /// An access key.
    Key(KeyPair),
    /// A person's own token.
    Personal(Hidden),
}

impl Hidden {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The first line of a file, of standard input for `-`. `what` names the secret in messages.
    pub(crate) fn read(path: &Path, what: &str) -> Result<Self, Failure> {
        let mut text = Zeroizing::new(String::new());
        let is_stdin = path == Path::new("-");
        let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
        let read = if is_stdin {
            io::stdin().lock().take(MOST_BYTES).read_to_string(&mut text)
        } else {
            File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text))
        };
        read.map_err(|cause| Failure::file(&name, &cause))?;
        let line = text.trim();
        if line.is_empty() || line.contains(char::is_whitespace) {
            return Err(Failure::error(format!("{name}: expected the {what} alone on one line")));
        }
        Ok(Self::new(line.to_owned()))
    }

    /// The secret itself: the one way out.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Hidden(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_one_line_of_its_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("secret");
        std::fs::write(&file, "tgs_abc\r\n").expect("written");
        assert_eq!(Hidden::read(&file, "KEY SECRET").expect("read").expose(), "tgs_abc");
        for wrong in ["", "\n", "KEY=tgs_abc\nB=2\n"] {
            std::fs::write(&file, wrong).expect("written");
            assert!(Hidden::read(&file, "KEY SECRET").is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let pair = KeyPair { id: "k1".to_owned(), secret: Hidden::new("tgs_abc".to_owned()) };
        assert!(!format!("{pair:?}").contains("tgs_abc"));
    }
}
