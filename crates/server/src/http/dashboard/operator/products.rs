//! The products of the configuration: read only, since the configuration file is where they are changed.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tollgate_core::gate::ErrorShape;

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::OperatorPerson;

struct Line<'a> {
    name: &'a str,
    audience: &'a str,
    hosts: &'a [String],
    routes: &'a [String],
    accepts: &'static str,
    scope: &'a str,
    errors: &'static str,
    counted: bool,
}

#[derive(Template)]
#[template(path = "operator-products.html")]
struct ProductsPage<'a> {
    frame: Frame,
    audience: &'a str,
    lines: Vec<Line<'a>>,
}

pub(crate) async fn show(State(web): State<Web>, OperatorPerson(me): OperatorPerson) -> Result<Response, Failure> {
    let written = web.app.config.product.iter();
    let lines = web.app.products.iter().zip(written).map(|(product, written)| Line {
        name: &product.name,
        audience: &product.audience,
        hosts: &written.hosts,
        routes: &written.routes,
        accepts: product.accepted_words(),
        scope: product.scope.as_deref().unwrap_or_default(),
        errors: match product.errors {
            ErrorShape::Google => "google",
            ErrorShape::Xms => "xms",
            ErrorShape::OAuth => "oauth",
        },
        counted: product.count,
    });
    let page = ProductsPage {
        frame: Frame::personal(&web, &me, Here::OperatorProducts).await?,
        audience: web.app.config.platform_audience(),
        lines: lines.collect(),
    };
    Ok(Page(page).into_response())
}
