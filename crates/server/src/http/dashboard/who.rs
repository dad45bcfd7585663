//! Who asks for a page, and what it may: each type is an authorization that a handler must hold.

use std::collections::HashMap;
use std::marker::PhantomData;

use axum::extract::{FromRequestParts, OriginalUri, Path, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use tollgate_core::Right;

use super::failure::Failure;
use super::look::{self, Look};
use crate::http::extract::client_of;
use crate::http::oauth::metadata::issuer_path;
use crate::http::rights::Needs;
use crate::http::{Origin, Web};
use crate::operations::{Account, Doing, ManageError, Project, SignedIn};

/// Reads the session, and replaces its cookie when that is due. Passwords do not go over plain HTTP but on loopback.
pub(crate) async fn read_session(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let Some(origin) = request.extensions().get::<Origin>().copied() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    if !is_safe(&web, origin) {
        let message =
            "The dashboard is served over https only: set public_url to https://…, and put a proxy with TLS before it";
        return Failure::Refused(StatusCode::FORBIDDEN, message.to_owned()).into_response();
    }
    let mut renewed = None;
    if let Some(cookie) = look::session(&web.app, request.headers()) {
        let client = client_of(&web, origin, request.headers());
        match web.app.signed_in(cookie, client).await {
            Ok(Some((signed_in, cookie))) => {
                renewed = cookie;
                request.extensions_mut().insert(signed_in);
            }
            Ok(None) => {}
            Err(error) => return Failure::from(error).into_response(),
        }
    }
    let mut response = next.run(request).await;
    // What the handler has set is newer.
    if let Some(cookie) = renewed
        && !look::sets_session(&web.app, response.headers())
    {
        look::put_session(&web.app, response.headers_mut(), &cookie);
    }
    response
}

fn is_safe(web: &Web, origin: Origin) -> bool {
    let is_https = web.app.issuer().as_str().starts_with("https://");
    is_https || matches!(origin, Origin::Public(peer) if peer.to_canonical().is_loopback())
}

/// Whoever asks, signed in or not.
pub(crate) struct Visitor {
    pub(crate) signed_in: Option<SignedIn>,
    pub(crate) base: String,
    pub(crate) look: Look,
    pub(crate) origin: Origin,
    pub(crate) headers: HeaderMap,
    pub(crate) query: HashMap<String, String>,
}

impl Visitor {
    /// From where it comes, by what.
    pub(crate) fn client<'a>(&'a self, web: &Web) -> crate::operations::Client<'a> {
        client_of(web, self.origin, &self.headers)
    }

    /// A parameter of the URL; empty when it is absent.
    pub(crate) fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// Where to go on after signing in: a path of our own, or nothing.
    pub(crate) fn next(&self) -> &str {
        own_path(self.query("next"))
    }
}

/// A path of our own, or nothing: never another host, however it is spelt.
pub(crate) fn own_path(text: &str) -> &str {
    let is_own = text.starts_with('/')
        && !text.starts_with("//")
        && !text.contains(|letter: char| letter == '\\' || letter.is_control());
    if is_own { text } else { "" }
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let signed_in = parts.extensions.get::<SignedIn>().cloned().filter(|one| !one.session.pending);
        let query = parts.uri.query().unwrap_or_default();
        let origin = parts.extensions.get::<Origin>().copied();
        Ok(Self {
            signed_in,
            base: issuer_path(&web.app),
            look: Look::of(&parts.headers),
            origin: origin.ok_or_else(|| Failure::Refused(StatusCode::SERVICE_UNAVAILABLE, String::new()))?,
            headers: parts.headers.clone(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().take(50).collect(),
        })
    }
}

/// Somebody who is signed in.
pub(crate) struct Me {
    pub(crate) signed_in: SignedIn,
    pub(crate) visitor: Visitor,
    /// The path and query of this request, to come back to.
    here: String,
}

impl Me {
    pub(crate) fn base(&self) -> &str {
        &self.visitor.base
    }

    /// What this person does, asked for by this form.
    pub(crate) fn doing<'a>(&'a self, form: Option<&'a str>) -> Doing<'a> {
        self.signed_in.doing(form)
    }

    /// A form's id as it is kept: nobody can use up another's form.
    pub(crate) fn form(&self, id: &str) -> Option<String> {
        let id: tollgate_core::id::FormId = id.parse().ok()?;
        Some(format!("{}/{id}", self.signed_in.person.user.id))
    }

    /// Asks for the password again, unless it was given a short time ago.
    pub(crate) fn confirmed(&self, web: &Web) -> Result<(), Failure> {
        if web.app.is_confirmed(&self.signed_in) {
            return Ok(());
        }
        Err(Failure::Confirm { base: self.visitor.base.clone(), next: self.here.clone() })
    }
}

impl FromRequestParts<Web> for Me {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let mut visitor = Visitor::from_request_parts(parts, web).await?;
        // What was to be changed is not done now: the way back leads to the form.
        // Nested routes see a shorter path than the browser.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let here = match (&parts.method, uri.path_and_query()) {
            (&Method::GET, Some(path)) => path.as_str(),
            _ => uri.path(),
        };
        let here = format!("{}{}", visitor.base, here.strip_prefix(&*visitor.base).unwrap_or(here));
        match visitor.signed_in.take() {
            Some(signed_in) => Ok(Self { signed_in, visitor, here }),
            None => Err(Failure::SignIn { base: visitor.base, next: here }),
        }
    }
}

/// An account in the path where the person has the right that is named.
pub(crate) struct InAccount<R> {
    pub(crate) me: Me,
    pub(crate) account: Account,
    right: PhantomData<R>,
}

impl<R> InAccount<R> {
    /// Whether the person may do something else here: for buttons.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.me.signed_in.person.may(&self.account, right)
    }
}

impl<R: Needs> FromRequestParts<Web> for InAccount<R> {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let me = Me::from_request_parts(parts, web).await?;
        let id = parameter(parts, "account").await.parse();
        let id = id.map_err(|_| ManageError::NotFound("account"))?;
        let account = web.app.account_of(&me.signed_in.person, id).await?;
        allowed(&me, &account, R::RIGHT)?;
        Ok(Self { me, account, right: PhantomData })
    }
}

/// A project in the path, in an account where the person has the right that is named.
pub(crate) struct InProject<R> {
    pub(crate) me: Me,
    pub(crate) account: Account,
    pub(crate) project: Project,
    right: PhantomData<R>,
}

impl<R> InProject<R> {
    /// Whether the person may do something else here: for buttons.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.me.signed_in.person.may(&self.account, right)
    }
}

impl<R: Needs> FromRequestParts<Web> for InProject<R> {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let me = Me::from_request_parts(parts, web).await?;
        let id = parameter(parts, "project").await.parse();
        let id = id.map_err(|_| ManageError::NotFound("project"))?;
        let (account, project) = web.app.project_of(&me.signed_in.person, id).await?;
        allowed(&me, &account, R::RIGHT)?;
        Ok(Self { me, account, project, right: PhantomData })
    }
}

fn allowed(me: &Me, account: &Account, right: Right) -> Result<(), Failure> {
    let person = &me.signed_in.person;
    if person.may(account, right) {
        return Ok(());
    }
    if account.suspended_at.is_some() && person.role_in(account.id).is_some_and(|role| role.may(right)) {
        let message = "This account is suspended: nothing can be changed. Contact the operator of this platform";
        return Err(Failure::Refused(StatusCode::FORBIDDEN, message.to_owned()));
    }
    Err(Failure::Role(right))
}

/// The operator of the platform, as a person.
pub(crate) struct OperatorPerson(pub(crate) Me);

impl FromRequestParts<Web> for OperatorPerson {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let me = Me::from_request_parts(parts, web).await?;
        if me.signed_in.person.user.operator { Ok(Self(me)) } else { Err(ManageError::NotFound("page").into()) }
    }
}

/// A parameter of the path; empty when it is not text.
pub(crate) async fn parameter(parts: &mut Parts, name: &str) -> String {
    let all = Path::<HashMap<String, String>>::from_request_parts(parts, &()).await;
    all.ok().and_then(|Path(mut all)| all.remove(name)).unwrap_or_default()
}
