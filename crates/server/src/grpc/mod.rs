//! gRPC doors, on the port of the others: Envoy's external authorization, and the standard health service.
//!
//! A denial is an answer; our own failure is a gRPC error, and never a denial.

mod messages;

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;
use tollgate_core::RequestId;
use tonic::server::{Grpc, UnaryService};
use tonic::{Code, Status};
use tonic_prost::ProstCodec;
use tower::service_fn;

use self::messages::{
    AttributeContext, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValueOption, HealthCheckRequest,
    HealthCheckResponse, HttpRequest, HttpResponse, HttpStatus, OVERWRITE_IF_EXISTS_OR_ADD, OkHttpResponse, RpcStatus,
};
use crate::http::{Id, Origin, Problem, Reason, Web, admit, is_ready};
use crate::operations::Refused;

/// The largest message that is read: a call's headers may have 64 KiB, and its path comes twice.
const MESSAGE_LIMIT: usize = 256 * 1024;
/// The services whose health may be asked for; none named stands for all.
const SERVICES: [&str; 2] = ["", "envoy.service.auth.v3.Authorization"];
/// `ServingStatus` of the health service.
const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

/// `envoy.service.auth.v3.Authorization/Check`
pub(crate) async fn check(State(web): State<Web>, origin: Origin, id: Id, request: Request) -> Response {
    let service = service_fn(|message: tonic::Request<CheckRequest>| decide(&web, origin, id, message.into_inner()));
    unary(&web, service, request).await
}

/// `grpc.health.v1.Health/Check`: the word of `/readyz`.
pub(crate) async fn health(State(web): State<Web>, request: Request) -> Response {
    let service = service_fn(async |message: tonic::Request<HealthCheckRequest>| {
        if !SERVICES.contains(&message.get_ref().service.as_str()) {
            return Err(Status::not_found("There is no such service here"));
        }
        let status = if is_ready(&web).await { SERVING } else { NOT_SERVING };
        Ok(tonic::Response::new(HealthCheckResponse { status }))
    });
    unary(&web, service, request).await
}

/// One message in, one message out.
async fn unary<S, I>(web: &Web, service: S, request: Request) -> Response
where
    I: Message + Default + 'static,
    S: UnaryService<I>,
    S::Response: Message + 'static,
{
    let mut grpc = Grpc::new(ProstCodec::<S::Response, I>::default()).max_decoding_message_size(MESSAGE_LIMIT);
    let patience = Duration::from_secs(web.app.config.http.request_seconds);
    match tokio::time::timeout(patience, grpc.unary(service, request)).await {
        Ok(response) => response.map(Body::new),
        Err(_) => Status::deadline_exceeded("The message did not come in time").into_http(),
    }
}

async fn decide(
    web: &Web,
    origin: Origin,
    id: Id,
    message: CheckRequest,
) -> Result<tonic::Response<CheckResponse>, Status> {
    let Some((call, headers)) = message.attributes.and_then(read) else {
        return Err(Status::invalid_argument("Envoy must send the attributes of an HTTP request"));
    };
    match admit(web, origin, id, &headers, (&call.method, &call.host, &call.path)).await {
        Ok(answer) => {
            let headers = answer.identity().iter().map(|(name, value)| overwriting(name, value)).collect();
            let allow = HttpResponse::Ok(OkHttpResponse { headers });
            let status = RpcStatus { code: Code::Ok.into(), message: String::new() };
            Ok(tonic::Response::new(CheckResponse { status: Some(status), http_response: Some(allow) }))
        }
        Err(refused @ Refused::Denied(..)) => {
            let problem = Problem::from(refused);
            let mut response = tonic::Response::new(denied(&problem, id.0));
            response.extensions_mut().insert(Reason(problem.reason));
            Ok(response)
        }
        Err(Refused::Unavailable(_)) => Err(Status::unavailable("Temporarily unavailable; try again")),
    }
}

/// The call, and its headers with the address that Envoy holds for its client's at the end of `X-Forwarded-For`.
fn read(attributes: AttributeContext) -> Option<(HttpRequest, HeaderMap)> {
    let call = attributes.request?.http?;
    let mut headers = HeaderMap::new();
    let mut put = |name: &str, value: &[u8]| {
        // What is no header, such as `:path`, is none of the gate's affair.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    };
    for (name, value) in &call.headers {
        put(name, value.as_bytes());
    }
    for header in call.header_map.iter().flat_map(|map| &map.headers) {
        let value = if header.raw_value.is_empty() { header.value.as_bytes() } else { &header.raw_value };
        put(&header.key, value);
    }
    let source = attributes.source.and_then(|peer| peer.address?.socket_address);
    if let Some(source) = source {
        put("x-forwarded-for", source.address.as_bytes());
    }
    Some((call, headers))
}

fn denied(problem: &Problem, request: RequestId) -> CheckResponse {
    let code = match problem.status.as_u16() {
        401 => Code::Unauthenticated,
        404 => Code::NotFound,
        429 => Code::ResourceExhausted,
        _ => Code::PermissionDenied,
    };
    let id = HeaderValue::try_from(request.to_string()).expect("a UUID is visible ASCII");
    let fixed = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("request-id"), id),
    ];
    let headers = fixed.iter().chain(&problem.headers).map(|(name, value)| overwriting(name, value));
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: problem.status.as_u16().into() }),
        headers: headers.collect(),
        body: problem.body(Some(request)),
    };
    let status = RpcStatus { code: code.into(), message: problem.reason.to_owned() };
    CheckResponse { status: Some(status), http_response: Some(HttpResponse::Denied(denied)) }
}

fn overwriting(name: &HeaderName, value: &HeaderValue) -> HeaderValueOption {
    // All of our own values are visible ASCII.
    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let header = messages::HeaderValue { key: name.to_string(), value, raw_value: Vec::new() };
    HeaderValueOption { header: Some(header), append_action: OVERWRITE_IF_EXISTS_OR_ADD, keep_empty_value: true }
}
