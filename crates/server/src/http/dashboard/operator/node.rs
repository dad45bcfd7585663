//! The server that answers: what it is, and what it has done since it started.

use std::sync::atomic::Ordering;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::config::Durability;
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::OperatorPerson;
use crate::http::dashboard::words::{Moment, grouped};
use crate::http::request::{CLASSES, GROUPS};

#[derive(Template)]
#[template(path = "operator-node.html")]
struct NodePage<'a> {
    frame: Frame,
    release: &'static str,
    url: &'a str,
    engine: &'static str,
    durability: &'static str,
    ready: (&'static str, &'static str),
    now: Moment,
    ledger: [(&'static str, String); 4],
    classes: [&'static str; CLASSES.len()],
    requests: Vec<(&'static str, Vec<String>)>,
}

pub(crate) async fn show(State(web): State<Web>, OperatorPerson(me): OperatorPerson) -> Result<Response, Failure> {
    let database = &web.app.config.database;
    let on_postgres = database.url.is_some() || database.url_file.is_some();
    let ready = match (web.numbers.draining.load(Ordering::SeqCst), web.app.is_ready().await) {
        (true, _) => ("Stopping", "warn"),
        (false, true) => ("Ready", "ok"),
        (false, false) => ("The store does not answer", "bad"),
    };
    let numbers = web.app.ledger_numbers();
    let count = |number: u64| grouped(i64::try_from(number).unwrap_or(i64::MAX));
    let requests = GROUPS.iter().zip(&web.numbers.requests);
    let page = NodePage {
        frame: Frame::personal(&web, &me, Here::OperatorNode).await?,
        release: env!("CARGO_PKG_VERSION"),
        url: web.app.issuer().as_str(),
        engine: if on_postgres { "PostgreSQL" } else { "SQLite" },
        durability: match web.app.config.metering.durability {
            _ if on_postgres => "a counted call survives a power cut (PostgreSQL syncs each commit)",
            Durability::Process => "process: a counted call survives kill -9, not a power cut",
            Durability::Disk => "disk: a counted call survives a power cut",
        },
        ready,
        now: web.app.now().into(),
        ledger: [
            ("Batches committed", count(numbers.batches)),
            ("Calls committed", count(numbers.calls)),
            ("Batches given up; their calls were refused", count(numbers.refused_batches)),
            ("Denials and last uses that were not kept", count(numbers.dropped)),
        ],
        classes: CLASSES,
        requests: requests
            .map(|(group, classes)| (*group, classes.iter().map(|one| count(one.load(Ordering::Relaxed))).collect()))
            .collect(),
    };
    Ok(Page(page).into_response())
}
