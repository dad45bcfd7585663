//! `/livez`, `/readyz` on the public listener, `/metrics` on the admin listener.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;

use super::Web;
use super::request::{CLASSES, GROUPS};

pub(super) async fn live() -> Response {
    ([(CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

/// Whether calls are decided and counted here, and will be for a while.
pub(crate) async fn is_ready(web: &Web) -> bool {
    !web.numbers.draining.load(Ordering::SeqCst) && web.app.is_ready().await
}

pub(super) async fn ready(State(web): State<Web>) -> Response {
    let draining = web.numbers.draining.load(Ordering::SeqCst);
    let (status, word) = match (draining, web.app.is_ready().await) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "store unavailable"),
        (false, true) => (StatusCode::OK, "ready"),
    };
    let body = json!({ "status": word }).to_string();
    (status, [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], body).into_response()
}

/// Prometheus text format 0.0.4.
pub(super) async fn metrics(State(web): State<Web>) -> Response {
    let mut text =
        String::from("# HELP tollgate_requests_total Requests answered.\n# TYPE tollgate_requests_total counter\n");
    for (group, classes) in GROUPS.iter().zip(&web.numbers.requests) {
        for (class, count) in CLASSES.iter().zip(classes) {
            let count = count.load(Ordering::Relaxed);
            writeln!(text, "tollgate_requests_total{{group=\"{group}\",class=\"{class}\"}} {count}")
                .expect("a String takes everything");
        }
    }
    let ledger = web.app.ledger_numbers();
    let counters = [
        ("tollgate_ledger_batches_total", "Batches committed.", ledger.batches),
        ("tollgate_ledger_calls_total", "Calls committed.", ledger.calls),
        (
            "tollgate_ledger_refused_batches_total",
            "Batches given up; their calls were refused.",
            ledger.refused_batches,
        ),
        ("tollgate_ledger_dropped_total", "Denials and last uses that were not kept.", ledger.dropped),
    ];
    for (name, help, value) in counters {
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}")
            .expect("a String takes everything");
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
