//! Rights as types: a handler names the one that it needs, and its extractor asks for it.

use tollgate_core::Right;

/// A right that a handler needs.
pub(crate) trait Needs: Send + Sync + 'static {
    /// Which one.
    const RIGHT: Right;
}

macro_rules! rights {
    ($($name:ident),*) => {$(
        #[doc = concat!("[`Right::", stringify!($name), "`]")]
        pub(crate) struct $name;

        impl Needs for $name {
            const RIGHT: Right = Right::$name;
        }
    )*};
}
rights!(
    SeeProjects,
    ManageProjects,
    SeeKeys,
    ManageKeys,
    SeeUsage,
    SeeMembers,
    ManageMembers,
    SeeAudit,
    SeeDenials,
    ManageAccount
);
