//! The way in: to the access keys, or to the sign-in page; and how pages shall look.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::Right;

use super::fields::Fields;
use super::look::put_choice;
use super::page::{Bare, Page};
use super::who::{Me, Visitor, own_path};
use crate::http::Web;

pub(crate) async fn home(me: Me) -> Redirect {
    let person = &me.signed_in.person;
    let base = me.base();
    Redirect::to(&match person.seats.first() {
        Some(seat) if person.may(&seat.account, Right::SeeKeys) => format!("{base}/accounts/{}/keys", seat.account.id),
        Some(seat) => format!("{base}/accounts/{}/usage", seat.account.id),
        None if person.user.operator => format!("{base}/operator/accounts"),
        None => format!("{base}/me"),
    })
}

#[derive(Template)]
#[template(path = "theme.html")]
struct ThemePage<'a> {
    frame: Bare<'a>,
    back: &'a str,
}

pub(crate) async fn theme(visitor: Visitor) -> Response {
    let referer = visitor.headers.get(http::header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or("");
    let path = referer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
    let back = own_path(path);
    Page(ThemePage { frame: Bare::new(&visitor.base, &visitor.look), back }).into_response()
}

pub(crate) async fn choose_theme(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Response {
    let theme = match fields.text("theme") {
        known @ ("light" | "dark") => known,
        _ => "system",
    };
    let times = if fields.text("times") == "local" { "local" } else { "utc" };
    let back = own_path(fields.text("back"));
    let to = if back.is_empty() { format!("{}/", visitor.base) } else { back.to_owned() };
    let mut response = Redirect::to(&to).into_response();
    put_choice(&web.app, response.headers_mut(), "theme", theme);
    put_choice(&web.app, response.headers_mut(), "times", times);
    response
}
