//! Bound values of statements, the same for both engines.

use std::borrow::Cow;

use tollgate_core::Timestamp;

/// One bound value.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Int(Option<i64>),
    Text(Option<Cow<'a, str>>),
    Blob(Option<&'a [u8]>),
}

/// Builds the list of bound values: `args![key.id, name, now]`.
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::store::value::Value::from($value)),*] };
}
pub(crate) use args;

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}
impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}
impl From<Timestamp> for Value<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Int(Some(at.0))
    }
}
impl From<Option<Timestamp>> for Value<'_> {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Int(at.map(|at| at.0))
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}
impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}
impl From<Option<String>> for Value<'_> {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(Cow::Owned))
    }
}
impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(bytes: Option<&'a [u8]>) -> Self {
        Self::Blob(bytes)
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Blob(Some(bytes))
    }
}

/// Implements `From<id>` for identifiers.
macro_rules! id_values {
    ($($id:ty),*) => {$(
        impl From<$id> for Value<'_> {
            fn from(id: $id) -> Self {
                Self::Text(Some(Cow::Owned(id.to_string())))
            }
        }
    )*};
}
id_values!(
    tollgate_core::AccountId,
    tollgate_core::ProjectId,
    tollgate_core::KeyId,
    tollgate_core::PlanId,
    tollgate_core::RequestId,
    tollgate_core::UserId,
    tollgate_core::id::FormId,
    tollgate_core::id::LinkId,
    tollgate_core::id::PersonalTokenId,
    tollgate_core::id::SessionId,
    tollgate_core::id::SecretId,
    tollgate_core::id::EventId
);
