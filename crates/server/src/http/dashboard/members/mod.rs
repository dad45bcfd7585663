//! Members of an account: who they are, and how they come, change and go.

pub(crate) mod change;
pub(crate) mod invite;
pub(crate) mod leave;
pub(crate) mod list;
