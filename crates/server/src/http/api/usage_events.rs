//! `/v1/usage/events`: units other than calls, as CloudEvents 1.0 in JSON, one or a batch.

use axum::Json as Answer;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use tollgate_core::Timestamp;
use tollgate_core::gate::ErrorShape;
use utoipa::ToSchema;

use crate::http::extract::{authorization, client_of, invalid, parse_body, read_body};
use crate::http::problem::Problem;
use crate::http::{Origin, Web, error};
use crate::operations::{ManageError, Reporter, UnitsEvent};

/// One event, as `application/cloudevents+json`.
const ONE: &str = "application/cloudevents+json";
/// A batch: a JSON array of events.
const BATCH: &str = "application/cloudevents-batch+json";
/// The only type of event.
const TYPE: &str = "tollgate.units";

/// A CloudEvent (CloudEvents 1.0, JSON format). Other attributes are ignored.
#[derive(Deserialize, ToSchema)]
pub(crate) struct UsageEvent {
    /// `1.0`
    #[schema(pattern = r"^1\.0$")]
    specversion: String,
    /// Unique for its source; sent again within 35 days, it counts once.
    #[schema(min_length = 1, max_length = 255)]
    id: String,
    /// The API that reports, for example `/sms`.
    #[schema(min_length = 1, max_length = 255)]
    source: String,
    /// `tollgate.units`
    #[serde(rename = "type")]
    #[schema(pattern = r"^tollgate\.units$")]
    kind: String,
    /// RFC 3339; absent means now. At most 34 days ago.
    time: Option<String>,
    data: UsageData,
}

/// What is counted: the first three as the gate's identity headers said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageData {
    account: String,
    project: String,
    /// KEY ID or SERVICE PLAN ID.
    credential: String,
    product: String,
    /// 1 to 1000000000.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

/// What became of the events.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsageCounted {
    /// Count from now on.
    counted: usize,
    /// Had been counted before, or stood in the batch twice.
    duplicates: usize,
}

/// An access key that may report units.
pub(crate) struct Reporting(Reporter);

impl FromRequestParts<Web> for Reporting {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let Some(&origin) = parts.extensions.get::<Origin>() else { return Err(error::outage(ErrorShape::Google)) };
        if matches!(origin, Origin::Operator) {
            return Err(
                ManageError::Forbidden("Units are reported by an access key with the scope usage:report").into()
            );
        }
        let client = client_of(web, origin, &parts.headers);
        match web.app.reporter(authorization(&parts.headers), client).await {
            Ok(Ok(reporter)) => Ok(Self(reporter)),
            Ok(Err(denial)) => Err(error::denied(&denial, ErrorShape::Google)),
            Err(cause) => Err(ManageError::Unavailable(cause).into()),
        }
    }
}

/// The events of a request, in either form.
pub(crate) struct Events(Vec<UsageEvent>);

impl FromRequest<Web> for Events {
    type Rejection = Problem;
    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if (kind != ONE && kind != BATCH) || parts.headers.contains_key(CONTENT_ENCODING) {
            let message = format!("Send {ONE} or {BATCH} without Content-Encoding");
            return Err(error::bad_request(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message, ErrorShape::Google));
        }
        let body = read_body(body, web, ErrorShape::Google).await?;
        if kind == ONE { Ok(Self(vec![parse_body(&body)?])) } else { parse_body(&body).map(Self) }
    }
}

#[utoipa::path(post, path = "/v1/usage/events", tag = "usage", request_body(content((UsageEvent = "application/cloudevents+json"), (Vec<UsageEvent> = "application/cloudevents-batch+json"))),
    responses((status = 200, body = UsageCounted)))]
pub(crate) async fn report(
    State(web): State<Web>,
    reporting: Reporting,
    events: Events,
) -> Result<Answer<UsageCounted>, Problem> {
    let events = events.0.into_iter().enumerate().map(|(index, event)| event.meant(index)).collect::<Result<_, _>>()?;
    let done = web.app.count_units(reporting.0, events).await?;
    Ok(Answer(UsageCounted { counted: done.counted, duplicates: done.duplicates }))
}

impl UsageEvent {
    fn meant(self, index: usize) -> Result<UnitsEvent, Problem> {
        let wrong = |message: &str| invalid("events", &format!("event {index}: {message}"));
        if self.specversion != "1.0" {
            return Err(wrong("specversion must be 1.0"));
        }
        if self.kind != TYPE {
            return Err(wrong("type must be tollgate.units"));
        }
        let time = self.time.as_deref().map(Timestamp::parse).transpose();
        let time = time.map_err(|_| wrong("time must be an RFC 3339 instant such as 2026-11-23T17:31:02Z"))?;
        let UsageData { account, project, credential, product, quantity } = self.data;
        Ok(UnitsEvent { source: self.source, id: self.id, time, account, project, credential, product, quantity })
    }
}
