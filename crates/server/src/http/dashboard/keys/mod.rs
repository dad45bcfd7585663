//! Access keys: the list, a new one, its secret that is shown once, and what can be done with it.

pub(crate) mod list;
pub(crate) mod new;
mod reveal;
