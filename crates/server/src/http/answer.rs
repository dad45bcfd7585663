//! Answers that nobody may store.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;

/// JSON that nobody may store.
pub(crate) struct Unstored<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Unstored<T> {
    fn into_response(self) -> Response {
        ([(CACHE_CONTROL, "no-store")], axum::Json(self.0)).into_response()
    }
}

/// The same of JSON that was written by hand.
pub(crate) fn unstored(json: String) -> Response {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], json).into_response()
}
