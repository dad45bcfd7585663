//! `tollgate signing-key`: the keys that sign access tokens.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{self, Column};
use crate::session::Session;

const COLUMNS: [Column; 6] = [
    Column::new("Key", "kid"),
    Column::new("Algorithm", "algorithm"),
    Column::new("State", "state"),
    Column::new("Published", "publishTime"),
    Column::new("Signs from", "activeTime"),
    Column::new("Signs until", "retireTime"),
];

/// What to do with signing keys.
#[derive(Debug, Subcommand)]
pub(crate) enum SigningKeyVerb {
    /// List the signing keys.
    List,
    /// Let the next key take over, as soon as verifiers can know it. Tokens that are out stay valid.
    Rotate,
}

impl SigningKeyVerb {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut answer = match self {
            Self::List => session.client.get("/v1/signingKeys", &[]).await?,
            Self::Rotate => session.client.post("/v1/signingKeys/rotate", &json!({})).await?,
        };
        let Value::Array(keys) = answer["signingKeys"].take() else {
            return Err(Failure::error("the server's answer has no list signingKeys"));
        };
        output::list(session.format(), "signingKeys", &keys, &COLUMNS, "No signing keys.")
    }
}
