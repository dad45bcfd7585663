//! Form bodies (`application/x-www-form-urlencoded`) by the rules of RFC 6749 §3.2.

use std::borrow::Cow;

/// More fields than this are refused.
pub const MAX_FIELDS: usize = 100;

/// Why a form was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadForm {
    /// A parameter came more than once (RFC 6749 §3.2).
    #[error("A parameter is repeated")]
    Repeated,
    /// More than [`MAX_FIELDS`] parameters.
    #[error("Too many parameters")]
    TooMany,
}

/// The parameters of a form: each at most once; without a value counts as absent.
#[derive(Debug)]
pub struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// Decodes a form.
    ///
    /// # Errors
    /// See [`BadForm`].
    pub fn parse(body: &'a [u8]) -> Result<Self, BadForm> {
        match plain(body) {
            Some(text) => Self::of(text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (name.into(), value.into())
            })),
            None => Self::of(form_urlencoded::parse(body)),
        }
    }

    fn of(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Result<Self, BadForm> {
        let mut fields: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::with_capacity(4);
        for (name, value) in pairs {
            if fields.len() == MAX_FIELDS {
                return Err(BadForm::TooMany);
            }
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(BadForm::Repeated);
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// The same form, without the body that it was read from.
    pub fn into_owned(self) -> Form<'static> {
        let owned = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        Form(self.0.into_iter().map(|(name, value)| (owned(name), owned(value))).collect())
    }

    /// Names and values in the order in which they came, the empty ones too.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The value of a parameter; `None` when it is absent or empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value)
    }
}

/// The text of a form in which nothing is escaped, such as one with a token: the library takes some twenty instructions for each
/// byte.
fn plain(body: &[u8]) -> Option<&str> {
    if is_escaped(body) { None } else { std::str::from_utf8(body).ok() }
}

/// Whether some byte stands for another one.
pub(crate) fn is_escaped(text: &[u8]) -> bool {
    memchr::memchr2(b'%', b'+', text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_parameters_are_refused_and_empty_ones_are_absent() {
        let form = Form::parse(b"grant_type=client_credentials&scope=&x=%2B+y").expect("a form");
        assert_eq!(form.value("grant_type"), Some("client_credentials"));
        assert_eq!(form.value("scope"), None);
        assert_eq!(form.value("x"), Some("+ y"));
        assert_eq!(Form::parse(b"a=1&a=1").err(), Some(BadForm::Repeated));
        assert_eq!(Form::parse(b"a=&%61=1").err(), Some(BadForm::Repeated));
        assert_eq!(Form::parse("&".repeat(200).as_bytes()).map(|form| form.0.len()).ok(), Some(0));
        let many: String = (0..101).map(|at| format!("f{at}=1&")).collect();
        assert_eq!(Form::parse(many.as_bytes()).err(), Some(BadForm::TooMany));
    }
}
