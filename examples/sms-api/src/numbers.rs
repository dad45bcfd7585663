//! The numbers surface: the one number that every project rents.

use axum::extract::Query;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use http::Uri;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Problem, Shape};
use crate::gate::Caller;

/// From the numbers that are kept free for fiction.
const NUMBER: &str = "+12025550134";

#[derive(Debug, Deserialize)]
struct ListQuery {
    #[serde(rename = "regionCode")]
    region: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// `GET /v1/projects/{project}/activeNumbers`
pub(crate) async fn active(Extension(caller): Extension<Caller>, uri: Uri) -> Response {
    let Ok(Query(query)) = Query::<ListQuery>::try_from_uri(&uri) else {
        return Problem::bad_format("The query cannot be read").render(Shape::Google);
    };
    let fits = query.region.is_none_or(|region| region == "US") && query.kind.is_none_or(|kind| kind == "LOCAL");
    let numbers: Vec<Value> = fits.then(|| number(&caller)).into_iter().collect();
    let total = numbers.len();
    Json(json!({ "activeNumbers": numbers, "nextPageToken": "", "totalSize": total })).into_response()
}

fn number(caller: &Caller) -> Value {
    json!({
        "phoneNumber": NUMBER,
        "projectId": caller.project,
        "displayName": "Sample number",
        "regionCode": "US",
        "type": "LOCAL",
        "capability": ["SMS"],
    })
}
