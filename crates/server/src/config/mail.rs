//! Where mail goes out.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use http::Uri;
use lettre::message::Mailbox;
use schemars::JsonSchema;
use serde::Deserialize;

use super::ConfigError;

/// Mail that the server sends: invitations, and links to a new password. Without it, links are shown to be copied.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// The mail server: smtps://user:password@host, or smtp://…?tls=required, tls=opportunistic or, on loopback only, tls=none.
    pub smtp_url: Option<String>,
    /// A file that holds the URL of the mail server, so that its password need not stand here.
    #[schemars(with = "Option<String>")]
    pub smtp_url_file: Option<PathBuf>,
    /// Who the mail is from, for example Tollgate <tollgate@example.com>.
    pub from: Option<String>,
}

/// The URL holds a password.
impl fmt::Debug for Mail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.smtp_url.as_ref().map(|_| "…");
        out.debug_struct("Mail")
            .field("smtp_url", &url)
            .field("smtp_url_file", &self.smtp_url_file)
            .field("from", &self.from)
            .finish()
    }
}

impl Mail {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.smtp_url.is_some() && self.smtp_url_file.is_some() {
            return Err(ConfigError::invalid("mail", "give smtp_url or smtp_url_file, not both"));
        }
        if let Some(url) = &self.smtp_url {
            smtp_url(url)?;
        }
        if self.smtp_url.is_some() || self.smtp_url_file.is_some() {
            self.sender()?;
        }
        Ok(())
    }

    /// Who the mail is from.
    pub(crate) fn sender(&self) -> Result<Mailbox, ConfigError> {
        let sender = self.from.as_deref().and_then(|from| from.parse().ok());
        sender
            .ok_or_else(|| ConfigError::invalid("mail.from", "give an address such as Tollgate <tollgate@example.com>"))
    }
}

/// The URL as the mail library reads it. It is never quoted: it holds a password.
pub(crate) fn smtp_url(text: &str) -> Result<String, ConfigError> {
    let bad = |message: &str| ConfigError::invalid("mail.smtp_url", message);
    let url: Uri = text.parse().map_err(|_| bad("is no URL; give smtps://user:password@host"))?;
    let host = url.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("names no host"))?;
    match (url.scheme_str(), url.query()) {
        (Some("smtps"), None) | (Some("smtp"), Some("tls=required" | "tls=opportunistic")) => Ok(text.to_owned()),
        (Some("smtp"), Some("tls=none")) if is_loopback(host) => Ok(text.replacen("?tls=none", "", 1)),
        (Some("smtp"), Some("tls=none")) => Err(bad("tls=none is for a mail server on loopback; use tls=required")),
        (Some("smtp"), _) => Err(bad("say ?tls=required, tls=opportunistic or, on loopback, tls=none")),
        (Some("smtps"), Some(_)) => Err(bad("smtps:// takes no parameters")),
        _ => Err(bad("begins with smtps:// or smtp://")),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_goes_in_the_clear_on_loopback_only() {
        assert_eq!(smtp_url("smtp://127.0.0.1:2525?tls=none").expect("loopback"), "smtp://127.0.0.1:2525");
        assert_eq!(smtp_url("smtp://u:p@[::1]/?tls=none").expect("loopback"), "smtp://u:p@[::1]/");
        for good in
            ["smtps://u:p%40@mail.example.com", "smtp://h:587?tls=required", "smtp://localhost?tls=opportunistic"]
        {
            assert_eq!(smtp_url(good).expect("good"), good);
        }
        for bad in [
            "smtp://mail.example.com?tls=none",
            "smtp://mail.example.com",
            "smtp://127.0.0.1",
            "http://x",
            "mail",
            "",
            "smtps://h?tls=none",
            "smtp://h?tls=maybe",
            "smtp://localhost.example.com?tls=none",
            "smtp://u:hunter2@h?tls=none",
        ] {
            let error = smtp_url(bad).expect_err(bad).to_string();
            assert!(error.starts_with("mail.smtp_url: ") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn who_sends_must_be_said_and_a_password_does_not_show() {
        let mail = Mail { smtp_url: Some("smtps://u:hunter2@h".to_owned()), ..Mail::default() };
        assert!(mail.check().expect_err("no sender").to_string().starts_with("mail.from"));
        assert!(Mail { from: Some("Tollgate <t@example.com>".to_owned()), ..mail.clone() }.check().is_ok());
        assert!(Mail { from: Some("nobody".to_owned()), ..mail.clone() }.check().is_err());
        assert!(Mail { smtp_url_file: Some("x".into()), ..mail.clone() }.check().is_err());
        assert!(!format!("{mail:?}").contains("hunter2"));
        assert!(Mail::default().check().is_ok());
    }
}
