//! What a browser keeps: the session's cookie, the device's cookie, and how pages shall look.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::operations::{App, Cookie};

/// A person chose it on the page *Theme*; kept in cookies, since it belongs to the browser.
#[derive(Debug, Clone, Default)]
pub(crate) struct Look {
    /// `light`, `dark`, or empty for what the system says.
    pub(crate) theme: &'static str,
    /// Whether times are shown in local time, where there is a script to do so.
    pub(crate) local_times: bool,
}

impl Look {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let theme = match cookie(headers, "tollgate-theme") {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "",
        };
        Self { theme, local_times: cookie(headers, "tollgate-times") == Some("local") }
    }
}

/// With https the prefix binds the cookie to this host, and the browser sends it on no other way.
fn prefix(app: &App) -> &'static str {
    if app.issuer().as_str().starts_with("https://") { "__Host-" } else { "" }
}

fn name(app: &App, what: &str) -> String {
    format!("{}tollgate{what}", prefix(app))
}

/// The value of the session's cookie.
pub(crate) fn session<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie(headers, &name(app, ""))
}

/// The value of the device's cookie.
pub(crate) fn device<'a>(app: &App, headers: &'a HeaderMap) -> &'a str {
    cookie(headers, &name(app, "-device")).unwrap_or("")
}

/// Sets the session's cookie.
pub(crate) fn put_session(app: &App, headers: &mut HeaderMap, cookie: &Cookie) {
    put(app, headers, "", cookie.secret.expose(), cookie.max_age);
}

/// Whether an answer sets the session's cookie.
pub(crate) fn sets_session(app: &App, headers: &HeaderMap) -> bool {
    let start = format!("{}=", name(app, ""));
    headers.get_all(http::header::SET_COOKIE).iter().any(|value| value.as_bytes().starts_with(start.as_bytes()))
}

/// Sets the device's cookie, for a year.
pub(crate) fn put_device(app: &App, headers: &mut HeaderMap, device: &str) {
    put(app, headers, "-device", device, 365 * 86_400);
}

/// Takes the session's cookie away.
pub(crate) fn drop_session(app: &App, headers: &mut HeaderMap) {
    put(app, headers, "", "", 0);
}

fn put(app: &App, headers: &mut HeaderMap, what: &str, value: &str, max_age: i64) {
    let secure = if prefix(app).is_empty() { "" } else { "; Secure" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}", name(app, what));
    let mut value = HeaderValue::try_from(text).expect("secrets and seals are visible ASCII");
    value.set_sensitive(true);
    headers.append(http::header::SET_COOKIE, value);
}

/// A cookie that says how pages shall look. It is no secret.
pub(crate) fn put_choice(app: &App, headers: &mut HeaderMap, what: &str, value: &str) {
    let secure = if prefix(app).is_empty() { "" } else { "; Secure" };
    let text = format!("tollgate-{what}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000{secure}");
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.append(http::header::SET_COOKIE, value);
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';')).find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}
