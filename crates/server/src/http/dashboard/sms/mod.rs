//! SMS: service plans with their SERVICE PLAN ID and API tokens, which are shown once.

pub(crate) mod change;
pub(crate) mod list;
pub(crate) mod new;
mod reveal;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::failure::Failure;
use super::frame::{Frame, Here};
use super::who::{InProject, parameter};
use crate::config::{Accepts, Config};
use crate::http::Web;
use crate::http::rights::Needs;
use crate::operations::{ManageError, PlanView};

/// A service plan in the path, in a project where the person has the right that is named.
pub(crate) struct InPlan<R> {
    pub(crate) at: InProject<R>,
    pub(crate) view: PlanView,
}

impl<R: Needs> FromRequestParts<Web> for InPlan<R> {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let at = InProject::from_request_parts(parts, web).await?;
        let id = parameter(parts, "plan").await.parse();
        let id = id.map_err(|_| ManageError::NotFound("service plan"))?;
        let view = web.app.plan(at.project.id, id).await?;
        Ok(Self { at, view })
    }
}

impl<R> InPlan<R> {
    /// The path below which the pages of this plan lie.
    fn page(&self) -> String {
        format!("{}/{}", list_of(&self.at), self.view.plan.id)
    }
}

/// The list of a project's service plans.
fn list_of<R>(at: &InProject<R>) -> String {
    format!("{}/projects/{}/sms", at.me.base(), at.project.id)
}

async fn frame<R>(web: &Web, at: &InProject<R>) -> Result<Frame, Failure> {
    Frame::in_project(web, &at.me, &at.account, &at.project, Here::ProjectSms).await
}

/// Whether this platform has an API for service plans.
pub(crate) fn is_offered(config: &Config) -> bool {
    config.product.iter().any(|product| product.accepts.contains(&Accepts::ApiToken))
}

/// Where API tokens are taken: the routes with a place for a service plan, with this text in that place. `$API_URL` stands for
/// a host that the platform did not configure.
fn endpoints(config: &Config, plan: &str) -> Vec<String> {
    let products = config.product.iter().filter(|product| product.accepts.contains(&Accepts::ApiToken));
    let routes = products.flat_map(|product| {
        let host = product.hosts.first().map_or("$API_URL".to_owned(), |host| format!("https://{host}"));
        product.routes.iter().map(move |route| format!("{host}{route}"))
    });
    let filled = routes.map(|route| {
        let whole = route.replace("{service_plan_id}", plan);
        whole.strip_suffix("**").map_or(whole.clone(), ToOwned::to_owned)
    });
    filled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_the_routes_that_take_api_tokens() {
        let config = Config::parse(
            "t.toml".as_ref(),
            "[[product]]\nname='sms'\naccepts=['api-token']\nhosts=['sms.example.com']\nroutes=['/xms/v1/{service_plan_id}/**']\n\
             [[product]]\nname='demo'\nroutes=['/v1/**']",
        );
        let config = config.expect("two products");
        assert!(is_offered(&config));
        assert_eq!(endpoints(&config, "ID"), ["https://sms.example.com/xms/v1/ID/"]);
        assert!(!is_offered(&Config::default()));
    }
}
