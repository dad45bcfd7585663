//! The keys that sign access tokens.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::question::{Question, incomplete};
use crate::http::dashboard::who::{Me, OperatorPerson};
use crate::http::dashboard::words::Moment;
use crate::operations::{ManageError, SigningFacts};
use tollgate_core::keyset::KeyState;

struct Line {
    kid: String,
    algorithm: String,
    state: &'static str,
    kind: &'static str,
    published: Moment,
    /// Absent while no rotation is under way.
    signs_from: Option<Moment>,
    retired: Option<Moment>,
}

#[derive(Template)]
#[template(path = "operator-signing-keys.html")]
struct KeysPage {
    frame: Frame,
    lines: Vec<Line>,
    days: i64,
    max_age: i64,
}

pub(crate) async fn list(State(web): State<Web>, OperatorPerson(me): OperatorPerson) -> Result<Response, Failure> {
    let page = KeysPage {
        frame: Frame::personal(&web, &me, Here::OperatorSigningKeys).await?,
        lines: web.app.signing_keys().into_iter().rev().map(line).collect(),
        days: web.app.config.tokens.rotation_days,
        max_age: web.app.key_times().jwks_max_age_seconds,
    };
    Ok(Page(page).into_response())
}

fn line(key: SigningFacts) -> Line {
    let (state, kind) = match key.state {
        KeyState::Next => ("Next", "warn"),
        KeyState::Active => ("Active", "ok"),
        KeyState::Retired => ("Retired", "off"),
        KeyState::Removed => ("Removed", "off"),
    };
    Line {
        kid: key.kid,
        algorithm: key.algorithm,
        state,
        kind,
        published: key.lifetime.published_at.into(),
        signs_from: (key.lifetime.active_from.0 < i64::MAX).then(|| key.lifetime.active_from.into()),
        retired: key.lifetime.retired_at.map(Into::into),
    }
}

pub(crate) async fn ask_rotate(
    State(web): State<Web>,
    OperatorPerson(me): OperatorPerson,
) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    Ok(question(&web, &me, FormErrors::default()).await?.page())
}

pub(crate) async fn rotate(
    State(web): State<Web>,
    OperatorPerson(me): OperatorPerson,
    fields: Fields,
) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    let Some(form) = me.form(fields.text("form")) else {
        return Ok(question(&web, &me, incomplete()).await?.page());
    };
    match web.app.rotate_signing_key(&me.doing(Some(&form))).await {
        // Sent twice, they rotate once.
        Ok(_) | Err(ManageError::FormUsed) => {
            Ok(Redirect::to(&format!("{}/operator/signing-keys?done=rotated", me.base())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn question<'a>(web: &Web, me: &Me, errors: FormErrors) -> Result<Question<'a>, Failure> {
    let seconds = web.app.key_times().jwks_max_age_seconds;
    let list = format!("{}/operator/signing-keys", me.base());
    Ok(Question {
        frame: Frame::personal(web, me, Here::OperatorSigningKeys).await?,
        title: "Rotate the signing keys",
        subject: "".into(),
        consequence: format!(
            "The next key signs as soon as every verifier can know it: once it has been published for {seconds} seconds. \
             Tokens that are out stay valid until their end, and another next key is published."
        ),
        here: format!("{list}/rotate"),
        above: (list, "Signing keys"),
        form: web.app.new_form(),
        button: "Rotate",
        danger: false,
        errors,
    })
}
