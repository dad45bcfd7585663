//! The HTTP doors. The whole route table stands here.

mod answer;
mod api;
mod csv;
mod dashboard;
mod error;
mod extract;
mod gate;
mod health;
mod oauth;
mod openapi;
mod openapi_common;
mod origin;
mod problem;
mod request;
mod rights;
mod site;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, delete, get, patch, post};

use crate::grpc;
use crate::operations::App;

pub use openapi::document as openapi;
pub use origin::Origin;
pub use request::Numbers;
pub use site::{Answers, Site};

pub(crate) use error::outage;
pub(crate) use extract::Id;
pub(crate) use gate::{IDENTITY, admit};
pub(crate) use health::is_ready;
pub(crate) use problem::Problem;
pub(crate) use request::Reason;

use request::around;

/// The largest body that is read: 64 KiB.
const BODY_LIMIT: usize = 64 * 1024;

/// What handlers reach.
#[derive(Clone)]
pub struct Web {
    /// The product.
    pub app: Arc<App>,
    /// What the metrics count.
    pub numbers: Arc<Numbers>,
}

/// All routes, and the gate's doors before them.
///
/// Where the public URL has a path they stand below it and at the root: some proxies cut the path off, others do not.
pub fn site(web: Web) -> Site {
    let path = oauth::metadata::issuer_path(&web.app);
    let inserted = format!("/.well-known/oauth-authorization-server{path}");
    let everything = || routes().merge(dashboard::surrounded(pages(), &web));
    let mut all = everything().route(&inserted, get(oauth::metadata::metadata));
    if !path.is_empty() {
        all = all.nest(&path, everything());
    }
    let router = all
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(error::not_found)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(web.clone(), around))
        .with_state(web.clone());
    Site::new(web, router)
}

fn routes() -> Router<Web> {
    Router::new()
        .route("/oauth2/token", post(oauth::token::token))
        .route("/oauth2/revoke", post(oauth::revoke::revoke))
        .route("/oauth2/introspect", post(oauth::introspect::introspect))
        .route("/.well-known/openid-configuration", get(oauth::metadata::metadata))
        .route("/.well-known/jwks.json", get(oauth::metadata::jwks))
        .route("/gate/envoy", any(gate::envoy))
        .route("/gate/envoy/", any(gate::envoy))
        .route("/gate/envoy/{*path}", any(gate::envoy))
        .route("/envoy.service.auth.v3.Authorization/Check", post(grpc::check))
        .route("/grpc.health.v1.Health/Check", post(grpc::health))
        .route("/v1/accounts", get(api::accounts::list).post(api::accounts::create))
        .route("/v1/accounts/{account}", get(api::accounts::show).patch(api::accounts::update))
        .route("/v1/accounts/{account}/suspend", post(api::accounts::suspend))
        .route("/v1/accounts/{account}/resume", post(api::accounts::resume))
        .route("/v1/accounts/{account}/projects", get(api::projects::list).post(api::projects::create))
        .route("/v1/accounts/{account}/usage", get(api::usage::show))
        .route("/v1/accounts/{account}/auditEvents", get(api::audit::list))
        .route("/v1/accounts/{account}/members", get(api::members::list).post(api::members::invite))
        .route("/v1/accounts/{account}/members/{user}", patch(api::members::update).delete(api::members::remove))
        .route("/v1/projects/{project}", get(api::projects::show).patch(api::projects::update))
        .route("/v1/projects/{project}/archive", post(api::projects::archive))
        .route("/v1/projects/{project}/subprojects", get(api::subprojects::list).post(api::subprojects::create))
        .route(
            "/v1/subprojects/{subproject}",
            get(api::subprojects::show).patch(api::subprojects::update).delete(api::subprojects::delete),
        )
        .route("/v1/projects/{project}/accessKeys", get(api::keys::list).post(api::keys::create))
        .route(
            "/v1/projects/{project}/accessKeys/{key}",
            get(api::keys::show).patch(api::keys::update).delete(api::keys::delete),
        )
        .route("/v1/projects/{project}/accessKeys/{key}/rotateSecret", post(api::rotation::rotate))
        .route("/v1/projects/{project}/accessKeys/{key}/endOverlap", post(api::rotation::end_overlap))
        .route("/v1/projects/{project}/accessKeys/{key}/revokeTokens", post(api::rotation::revoke_tokens))
        .route("/v1/projects/{project}/accessKeys/{key}/disable", post(api::keys::disable))
        .route("/v1/projects/{project}/accessKeys/{key}/enable", post(api::keys::enable))
        .route("/v1/projects/{project}/servicePlans", get(api::plans::list).post(api::plans::create))
        .route(
            "/v1/projects/{project}/servicePlans/{plan}",
            get(api::plans::show).patch(api::plans::update).delete(api::plans::delete),
        )
        .route(
            "/v1/projects/{project}/servicePlans/{plan}/apiTokens",
            get(api::plans::list_tokens).post(api::plans::create_token),
        )
        .route("/v1/projects/{project}/servicePlans/{plan}/apiTokens/{token}", delete(api::plans::revoke_token))
        .route("/v1/usage/events", post(api::usage_events::report))
        .route("/v1/denials/{request}", get(api::denials::show))
        .route("/v1/me", get(api::people::me))
        .route("/v1/setupLinks", post(api::people::set_up))
        .route("/v1/resetLinks", post(api::people::reset))
        .route("/v1/signingKeys", get(api::signing::list))
        .route("/v1/signingKeys/rotate", post(api::signing::rotate))
        .route("/openapi.json", get(openapi::show))
        .route("/static/{file}", get(dashboard::statics::show))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
}

/// The dashboard's pages.
fn pages() -> Router<Web> {
    use dashboard::{account, audit, help, home, keys, project, projects, requests, setup, sign_in, usage};
    Router::new()
        .route("/", get(home::home))
        .route("/theme", get(home::theme).post(home::choose_theme))
        .route("/help", get(help::show))
        .route("/setup", get(setup::show).post(setup::set_up))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-in/link", get(sign_in::by_link))
        .route("/sign-out", get(sign_in::nothing_to_show).post(sign_in::sign_out))
        .route("/confirm", get(sign_in::show_confirm).post(sign_in::confirm))
        .route("/accounts/{account}/keys", get(keys::list::show))
        .route("/accounts/{account}/projects", get(projects::list))
        .route("/accounts/{account}/projects/new", get(projects::show_new).post(projects::create))
        .route("/accounts/{account}/usage", get(usage::page::of_account))
        .route("/accounts/{account}/usage.csv", get(usage::download::account_csv))
        .route("/accounts/{account}/usage.json", get(usage::download::account_json))
        .route("/accounts/{account}/usage/statement", get(usage::statement::show))
        .route("/projects/{project}/usage", get(usage::page::of_project))
        .route("/projects/{project}/usage.csv", get(usage::download::project_csv))
        .route("/projects/{project}/usage.json", get(usage::download::project_json))
        .route("/accounts/{account}/settings", get(account::settings).post(account::rename))
        .route("/projects/{project}", get(project::show))
        .route("/projects/{project}/settings", get(project::settings).post(project::rename))
        .route("/projects/{project}/archive", get(project::ask_archive).post(project::archive))
        .route("/accounts/{account}/audit", get(audit::list::show))
        .route("/accounts/{account}/audit.ndjson", get(audit::export::show))
        .route("/accounts/{account}/requests", get(requests::show))
        .route("/projects/{project}/keys/new", get(keys::new::show).post(keys::new::create))
        .nest("/projects/{project}/keys/{key}", key_pages())
        .nest("/projects/{project}/sms", sms_pages())
        .nest("/operator", operator_pages())
        .merge(people_pages())
        .nest("/me", my_pages())
}

fn my_pages() -> Router<Web> {
    use dashboard::me::{factor, overview, password, sessions, tokens};
    Router::new()
        .route("/", get(overview::show))
        .route("/password", get(password::show).post(password::change))
        .route("/factor/on", get(factor::show_on).post(factor::switch_on))
        .route("/factor/off", get(factor::show_off).post(factor::switch_off))
        .route("/factor/codes", get(factor::show_codes).post(factor::new_codes))
        .route("/sessions/end-others", get(sessions::ask_end_others).post(sessions::end_others))
        .route("/sessions/{session}/end", get(sessions::ask_end).post(sessions::end))
        .route("/tokens/new", get(tokens::show).post(tokens::create))
        .route("/tokens/{token}/delete", get(tokens::ask_delete).post(tokens::delete))
}

fn people_pages() -> Router<Web> {
    use dashboard::members::{change, invite, leave, list};
    use dashboard::{invitation, reset, sign_in_code};
    Router::new()
        .route("/sign-in/code", get(sign_in_code::show).post(sign_in_code::finish))
        .route("/reset", get(reset::show).post(reset::ask))
        .route("/reset/new", get(reset::show_new).post(reset::set))
        .route("/invitation", get(invitation::show).post(invitation::accept))
        .route("/accounts/{account}/leave", get(leave::ask).post(leave::leave))
        .route("/accounts/{account}/members", get(list::show))
        .route("/accounts/{account}/members/invite", get(invite::show).post(invite::invite))
        .route("/accounts/{account}/members/{user}/role", get(change::show_role).post(change::set_role))
        .route("/accounts/{account}/members/{user}/remove", get(change::ask_remove).post(change::remove))
        .route(
            "/accounts/{account}/members/invitations/{link}/withdraw",
            get(invite::ask_withdraw).post(invite::withdraw),
        )
}

fn operator_pages() -> Router<Web> {
    use dashboard::operator::{account, accounts, new, node, products, signing_keys};
    Router::new()
        .route("/accounts", get(accounts::list))
        .route("/accounts/new", get(new::show).post(new::create))
        .route("/accounts/{account}", get(account::show))
        .route("/accounts/{account}/suspend", get(account::ask_suspend).post(account::suspend))
        .route("/accounts/{account}/resume", get(account::ask_resume).post(account::resume))
        .route("/accounts/{account}/limit", get(account::ask_limit).post(account::set_limit))
        .route("/accounts/{account}/members/{user}/reset", get(account::ask_reset).post(account::reset))
        .route("/signing-keys", get(signing_keys::list))
        .route("/signing-keys/rotate", get(signing_keys::ask_rotate).post(signing_keys::rotate))
        .route("/products", get(products::show))
        .route("/node", get(node::show))
}

/// The pages of one access key.
fn key_pages() -> Router<Web> {
    use dashboard::keys::{actions, delete, details, rotate};
    Router::new()
        .route("/", get(details::show))
        .route("/first-use", get(details::first_use))
        .route("/rename", get(actions::show_rename).post(actions::rename))
        .route("/rotate", get(rotate::show).post(rotate::rotate))
        .route("/end-overlap", get(actions::ask_end_overlap).post(actions::end_overlap))
        .route("/revoke-tokens", get(actions::ask_revoke_tokens).post(actions::revoke_tokens))
        .route("/disable", get(actions::ask_disable).post(actions::disable))
        .route("/enable", get(actions::ask_enable).post(actions::enable))
        .route("/delete", get(delete::show).post(delete::delete))
}

/// The service plans of one project.
fn sms_pages() -> Router<Web> {
    use dashboard::sms::{change, list, new};
    Router::new()
        .route("/", get(list::show))
        .route("/new", get(new::show).post(new::create))
        .route("/{plan}/rename", get(change::show_rename).post(change::rename))
        .route("/{plan}/delete", get(change::ask_delete).post(change::delete))
        .route("/{plan}/tokens/new", get(new::show_token).post(new::create_token))
        .route("/{plan}/tokens/{token}/revoke", get(change::ask_revoke).post(change::revoke))
}

/// The admin listener's routes.
pub fn admin_router(web: Web) -> Router {
    Router::new().route("/metrics", get(health::metrics)).with_state(web)
}
