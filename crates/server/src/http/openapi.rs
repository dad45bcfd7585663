//! The OpenAPI 3.1 document of the management API.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::api;
use super::openapi_common::Common;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Tollgate management API", description = "Accounts, members, projects, access keys, service plans and usage.", license(name = "Apache-2.0 OR MIT")),
    paths(
        api::accounts::list, api::accounts::create, api::accounts::show, api::accounts::update, api::accounts::suspend,
        api::accounts::resume, api::projects::list, api::projects::create, api::projects::show, api::projects::update,
        api::projects::archive, api::subprojects::list, api::subprojects::create, api::subprojects::show,
        api::subprojects::update, api::subprojects::delete, api::keys::list, api::keys::create, api::keys::show,
        api::keys::update, api::keys::delete, api::keys::disable, api::keys::enable, api::rotation::rotate,
        api::rotation::end_overlap, api::rotation::revoke_tokens, api::plans::list, api::plans::create, api::plans::show,
        api::plans::update, api::plans::delete, api::plans::list_tokens, api::plans::create_token,
        api::plans::revoke_token, api::usage::show, api::usage_events::report, api::audit::list, api::denials::show,
        api::members::list, api::members::invite, api::members::update, api::members::remove, api::people::me,
        api::people::set_up, api::people::reset,
        api::signing::list, api::signing::rotate,
    ),
    components(schemas(api::views::ErrorEnvelope, api::views::ErrorStatus)),
    modifiers(&Security, &Common),
    security(("bearer" = []), ("basic" = [])),
)]
struct Document;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = |scheme| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
        components.add_security_scheme("bearer", scheme(HttpAuthScheme::Bearer));
        components.add_security_scheme("basic", scheme(HttpAuthScheme::Basic));
    }
}

/// The document as it is committed: indented JSON with a line feed at its end.
pub fn document() -> String {
    let text = Document::openapi().to_pretty_json();
    text.map(|text| text + "\n").expect("the document is JSON")
}

pub(super) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json")], document()).into_response()
}
