//! The OAuth edge: RFC 6749, 7009, 7662, 8414 and 7517.

pub(crate) mod introspect;
pub(crate) mod metadata;
pub(crate) mod revoke;
pub(crate) mod token;
