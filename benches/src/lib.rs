//! What the runner and the limit server share.

use clap::ValueEnum;

/// The algorithms that sign tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    #[value(name = "eddsa")]
    EdDsa,
    /// RSA-2048, PKCS #1 v1.5, SHA-256.
    Rs256,
}

impl Algorithm {
    /// Its name in JOSE and in Tollgate's configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// Its name on a command line.
    #[must_use]
    pub fn option(self) -> &'static str {
        match self {
            Self::Es256 => "es256",
            Self::EdDsa => "eddsa",
            Self::Rs256 => "rs256",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_what_the_command_line_takes() {
        for algorithm in Algorithm::value_variants() {
            assert_eq!(Algorithm::from_str(algorithm.option(), false), Ok(*algorithm));
        }
    }
}
