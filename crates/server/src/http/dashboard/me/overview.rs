//! Your settings, on one page.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::Me;
use crate::http::dashboard::words::{Moment, ago, until};
use crate::operations::{PersonalToken, Session};
use tollgate_core::Timestamp;

/// Sessions and accounts that are shown.
const SHOWN: usize = 50;

struct SessionLine {
    id: String,
    agent: String,
    address: String,
    began: Moment,
    seen: (Moment, String),
    here: bool,
}

struct TokenLine {
    id: String,
    name: String,
    hint: String,
    used: Option<(Moment, String)>,
    ends: (Moment, String),
    over: bool,
}

struct AccountLine {
    id: String,
    name: String,
    role: &'static str,
    meaning: &'static str,
}

#[derive(Template)]
#[template(path = "me.html")]
struct MePage<'a> {
    frame: Frame,
    email: &'a str,
    has_password: bool,
    has_factor: bool,
    codes_left: i64,
    sessions: Vec<SessionLine>,
    has_more_sessions: bool,
    tokens: Vec<TokenLine>,
    accounts: Vec<AccountLine>,
}

pub(crate) async fn show(State(web): State<Web>, me: Me) -> Result<Response, Failure> {
    let now = web.app.now();
    let user = &me.signed_in.person.user;
    let sessions = web.app.sessions(&me.signed_in).await?;
    let tokens = web.app.personal_tokens(&me.signed_in).await?;
    let codes_left = if user.has_factor { web.app.recovery_codes_left(&me.signed_in).await? } else { 0 };
    let here = me.signed_in.session.id;
    let seats = me.signed_in.person.seats.iter().take(SHOWN);
    let page = MePage {
        frame: Frame::personal(&web, &me, Here::Mine).await?,
        email: &user.email,
        has_password: user.has_password,
        has_factor: user.has_factor,
        codes_left,
        has_more_sessions: sessions.len() > SHOWN,
        sessions: sessions.iter().take(SHOWN).map(|one| session_line(one, one.id == here, now)).collect(),
        tokens: tokens.into_iter().map(|one| token_line(one, now)).collect(),
        accounts: seats
            .map(|seat| AccountLine {
                id: seat.account.id.to_string(),
                name: seat.account.display_name.clone(),
                role: seat.role.word(),
                meaning: seat.role.meaning(),
            })
            .collect(),
    };
    Ok(Page(page).into_response())
}

fn session_line(session: &Session, here: bool, now: Timestamp) -> SessionLine {
    SessionLine {
        id: session.id.to_string(),
        agent: session.agent.clone(),
        address: session.address.clone(),
        began: session.created_at.into(),
        seen: (session.seen_at.into(), ago(session.seen_at, now)),
        here,
    }
}

fn token_line(token: PersonalToken, now: Timestamp) -> TokenLine {
    let over = token.ends_at <= now;
    let ends = if over { "ended".to_owned() } else { until(token.ends_at, now) };
    TokenLine {
        id: token.id.to_string(),
        name: token.display_name,
        hint: token.hint,
        used: token.used_at.map(|at| (at.into(), ago(at, now))),
        ends: (token.ends_at.into(), ends),
        over,
    }
}
