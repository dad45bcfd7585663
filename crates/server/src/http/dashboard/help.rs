//! Help, for everybody: signed in, with links to one's own pages; or not.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tollgate_core::Right;

use super::failure::Failure;
use super::frame::{Frame, Here};
use super::page::{Bare, Page};
use super::who::{Me, Visitor};
use crate::http::Web;

/// What both pages say.
struct Facts<'a> {
    /// The token endpoint's address.
    url: &'a str,
    /// The operator's lines; empty when there are none.
    contact: Vec<&'a str>,
    /// Each product with what it takes.
    takes: Vec<(&'a str, &'static str)>,
    /// The first own account's pages of keys and of denials; empty where there is none, or no right.
    keys: String,
    requests: String,
}

#[derive(Template)]
#[template(path = "help.html")]
struct HelpInside<'a> {
    frame: Frame,
    facts: Facts<'a>,
}

#[derive(Template)]
#[template(path = "help-outside.html")]
struct HelpOutside<'a> {
    frame: Bare<'a>,
    facts: Facts<'a>,
}

pub(crate) async fn show(
    State(web): State<Web>,
    me: Result<Me, Failure>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let mut facts = Facts {
        url: web.app.issuer().as_str(),
        contact: web.app.config.dashboard.contact.lines().collect(),
        takes: web.app.products.iter().map(|product| (&*product.name, product.accepted_words())).collect(),
        keys: String::new(),
        requests: String::new(),
    };
    // Nobody has to sign in to read how that is done.
    let Ok(me) = me else {
        return Ok(Page(HelpOutside { frame: Bare::new(&visitor.base, &visitor.look), facts }).into_response());
    };
    if let Some(seat) = me.signed_in.person.seats.first() {
        let page = |right, name| {
            let may = me.signed_in.person.may(&seat.account, right);
            if may { format!("{}/accounts/{}/{name}", me.base(), seat.account.id) } else { String::new() }
        };
        facts.keys = page(Right::SeeKeys, "keys");
        facts.requests = page(Right::SeeDenials, "requests");
    }
    Ok(Page(HelpInside { frame: Frame::personal(&web, &me, Here::Elsewhere).await?, facts }).into_response())
}
