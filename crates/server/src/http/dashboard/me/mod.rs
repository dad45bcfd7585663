//! What belongs to the person: password, second factor, sessions, personal tokens, accounts.

pub(crate) mod factor;
pub(crate) mod overview;
pub(crate) mod password;
pub(crate) mod sessions;
pub(crate) mod tokens;
