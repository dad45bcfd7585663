//! Switching the second factor on: a secret that waits in the page, sealed, until a code shows that an app has taken it.

use form_urlencoded::byte_serialize;
use qrcode::{Color, EcLevel, QrCode};
use tollgate_core::{Timestamp, UserId};
use totp_rs::Secret;
use zeroize::Zeroizing;

use super::SignedIn;
use super::factor::{EXISTS, SECRET_BYTES};
use crate::operations::{App, ManageError};
use crate::store::users::User;

/// How long a page with a new secret may be confirmed, in seconds.
const LIFETIME: i64 = 900;
/// Light modules around a QR code (ISO/IEC 18004 §5.3.8).
const QUIET: usize = 4;

/// A secret that was just made, for an authenticator app. It is shown once and not stored yet.
pub struct Enrolment {
    /// The secret in base 32, to be typed.
    pub secret: Zeroizing<String>,
    /// `otpauth://totp/…`
    pub uri: Zeroizing<String>,
    /// The URI as a QR code.
    pub qr: QrPath,
    /// For a hidden field of the form that confirms it.
    pub sealed: String,
}

/// A QR code as the path of an SVG image, dark on light.
pub struct QrPath {
    /// Width and height, with the quiet zone.
    pub size: usize,
    /// The `d` attribute.
    pub path: Zeroizing<String>,
}

impl App {
    /// Makes a secret for an authenticator app. Nothing is stored until a code confirms it.
    ///
    /// # Errors
    /// The factor is on already.
    pub fn start_factor(&self, signed_in: &SignedIn) -> Result<Enrolment, ManageError> {
        let user = &signed_in.person.user;
        if user.has_factor {
            return Err(ManageError::Exists(EXISTS.to_owned()));
        }
        let mut secret = Zeroizing::new([0_u8; SECRET_BYTES]);
        self.random.fill(secret.as_mut());
        self.enrolment(user, &secret)
    }

    /// The page again, with the secret that an app may have taken already: after a code that was wrong.
    ///
    /// # Errors
    /// The factor is on already, or the page was open too long ([`ManageError::Precondition`]).
    pub fn resume_factor(&self, signed_in: &SignedIn, sealed: &str) -> Result<Enrolment, ManageError> {
        let user = &signed_in.person.user;
        if user.has_factor {
            return Err(ManageError::Exists(EXISTS.to_owned()));
        }
        let secret = self.enrolled(user.id, sealed).ok_or_else(too_old)?;
        Ok(Enrolment { sealed: sealed.to_owned(), ..self.enrolment(user, &secret)? })
    }

    fn enrolment(&self, user: &User, secret: &Zeroizing<[u8; SECRET_BYTES]>) -> Result<Enrolment, ManageError> {
        let text = Zeroizing::new(Secret::from(**secret).to_base32());
        let uri = Zeroizing::new(self.otpauth(&user.email, &text));
        let qr = qr_path(&uri).ok_or_else(|| ManageError::invalid("email", "is too long for a QR code"))?;
        let ends_at = self.now().plus_seconds(LIFETIME);
        let mut plain = Zeroizing::new(ends_at.0.to_be_bytes().to_vec());
        plain.extend_from_slice(secret.as_slice());
        let sealed = self.master.present().seal_text(&row(user.id), &plain);
        Ok(Enrolment { secret: text, uri, qr, sealed })
    }

    /// The secret that [`start_factor`](Self::start_factor) sealed for this person a short time ago.
    pub(super) fn enrolled(&self, user: UserId, sealed: &str) -> Option<Zeroizing<[u8; SECRET_BYTES]>> {
        let plain = self.master.present().open_text(&row(user), sealed).ok()?;
        let (ends_at, secret) = plain.split_first_chunk::<8>()?;
        let is_live = self.now() < Timestamp(i64::from_be_bytes(*ends_at));
        is_live.then(|| secret.try_into().ok().map(Zeroizing::new)).flatten()
    }

    /// What authenticator apps read. The issuer is named by its host, so that two installations stay apart in the app.
    fn otpauth(&self, email: &str, secret: &str) -> String {
        let (_, rest) = self.config.public_url.split_once("://").unwrap_or_default();
        let host: String =
            rest.chars().take_while(|letter| letter.is_alphanumeric() || ".-".contains(*letter)).collect();
        let issuer = escaped(format!("Tollgate {host}").trim());
        let email = escaped(email);
        format!("otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
    }
}

pub(super) fn too_old() -> ManageError {
    ManageError::Precondition("This page was open too long: start again with a new QR code".to_owned())
}

fn row(user: UserId) -> String {
    format!("users/{user}/enrolment")
}

/// Percent-encoded; a blank as `%20`, because apps do not read `+`.
fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn qr_path(text: &str) -> Option<QrPath> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let colors = code.into_colors();
    let mut path = Zeroizing::new(String::with_capacity(colors.len() * 4));
    for (y, line) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in line.chunk_by(PartialEq::eq) {
            if run.first() == Some(&Color::Dark) {
                let length = run.len();
                path.push_str(&format!("M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET));
            }
            x += run.len();
        }
    }
    Some(QrPath { size: width + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_path_draws_the_finder_in_the_corner() {
        let qr = qr_path("otpauth://totp/x?secret=ABC").expect("short enough");
        assert!(qr.path.starts_with("M4 4h7v1h-7z"), "{}", *qr.path);
        assert!(qr.size >= 29 + 8 - 4, "{}", qr.size);
        assert!(qr_path(&"x".repeat(5_000)).is_none());
    }

    #[test]
    fn blanks_and_signs_of_an_address_are_escaped() {
        assert_eq!(escaped("Tollgate a+b@x.y"), "Tollgate%20a%2Bb%40x.y");
    }
}
