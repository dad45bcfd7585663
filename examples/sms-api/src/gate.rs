//! Asking the gate: may this call in, and who pays for it?

use std::net::IpAddr;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, DATE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Request, StatusCode, Uri};

use crate::answer::{Problem, Shape};
use crate::link::Link;

/// Who calls, as the gate's identity headers say. The client's own headers of these names are never looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Who pays.
    pub(crate) account: String,
    /// What the call is counted on.
    pub(crate) project: String,
    /// The KEY ID or the SERVICE PLAN ID.
    pub(crate) credential: String,
    /// Whether a service plan's API token came.
    is_plan: bool,
    /// The gate's id of this call, which `tollgate check` explains.
    pub(crate) request: String,
}

impl Caller {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        Some(Self {
            account: text("tollgate-account")?,
            project: text("tollgate-project")?,
            credential: text("tollgate-credential")?,
            is_plan: text("tollgate-credential-kind")? == "api-token",
            request: text("tollgate-request-id")?,
        })
    }

    #[cfg(test)]
    pub(crate) fn test(account: &str, project: &str) -> Self {
        let [account, project] = [account, project].map(str::to_owned);
        Self { account, project, credential: "key".to_owned(), is_plan: false, request: "request".to_owned() }
    }

    /// Under which id batches are kept: the service plan of an API token, the project of an access key.
    pub(crate) fn owner(&self) -> &str {
        if self.is_plan { &self.credential } else { &self.project }
    }
}

/// What the gate is told about a call.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) client: Option<IpAddr>,
}

/// Lets the call in, or says what its client is answered: the gate's own denial, unchanged, or 503 when there is no answer
/// that can be understood.
pub(crate) async fn admit(link: &Link, call: &Call<'_>) -> Result<Caller, Box<Response>> {
    let shape = Shape::of(call.uri.path());
    let outage = |why: &str| {
        tracing::warn!(why, "the gate");
        Err(Box::new(Problem::outage().render(shape)))
    };
    let Ok(question) = question(link, call) else { return outage("the call cannot be described") };
    let answer = match link.send(question).await {
        Ok(answer) => answer,
        Err(error) => return outage(&error.to_string()),
    };
    if answer.status() == StatusCode::OK {
        return Caller::of(answer.headers()).map_or_else(|| outage("identity headers are missing"), Ok);
    }
    if answer.status().is_client_error() || answer.status().is_server_error() {
        return Err(Box::new(unchanged(answer)));
    }
    outage("a status that is neither 200 nor a denial")
}

fn question(link: &Link, call: &Call<'_>) -> http::Result<Request<Bytes>> {
    let target = call.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::get(link.uri("/gate"))
        .header("x-forwarded-method", call.method)
        .header("x-forwarded-proto", "http")
        .header("x-forwarded-uri", target);
    if let Some(client) = call.client {
        request = request.header("x-forwarded-for", client.to_string());
    }
    if let Some(host) = call.headers.get(HOST) {
        request = request.header("x-forwarded-host", host);
    }
    // All of them: two credentials are the gate's affair, too.
    for credential in call.headers.get_all(AUTHORIZATION) {
        request = request.header(AUTHORIZATION, credential);
    }
    request.body(Bytes::new())
}

fn unchanged(denial: http::Response<Bytes>) -> Response {
    let mut response = denial.map(Body::from);
    // These belong to a connection; ours writes its own.
    for own in [CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING] {
        response.headers_mut().remove(own);
    }
    response
}
