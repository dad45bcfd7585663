//! The audit log of an account: read page by page, filtered, or as a whole for a program.

pub(crate) mod export;
pub(crate) mod list;
mod question;
mod words;
