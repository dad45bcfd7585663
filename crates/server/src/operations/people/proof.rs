//! What a signed-in person must prove before something that matters: the password, or a code of the second factor.

use super::sign_in::Wait;
use crate::operations::ManageError;
use crate::store::StoreError;

/// Why something that must be proven was not done.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The password or the code is wrong, or the code was used before.
    #[error("{0}")]
    Wrong(&'static str),
    /// Too many tries.
    #[error("Too many tries. Try again in {0}")]
    Wait(Wait),
    /// The rest of it cannot be done, or not now.
    #[error(transparent)]
    Refused(#[from] ManageError),
}

impl ProofError {
    /// Another request of the same browser has renewed the session in between.
    pub(super) fn overtaken() -> Self {
        Self::Refused(ManageError::Precondition("Another request came in between; try again".to_owned()))
    }
}

impl From<StoreError> for ProofError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}
