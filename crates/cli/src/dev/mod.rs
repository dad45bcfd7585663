//! `tollgate dev`: everything in one directory, a first account with all kinds of credentials, and a sample API behind the gate.

mod sample;
mod welcome;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tollgate_core::clock::SystemClock;
use tollgate_core::random::SystemRandom;
use tollgate_server::config::{Accepts, Config, Errors, Product};
use tollgate_server::http::Origin;
use tollgate_server::operations::App;
use tollgate_server::serve::{bind, next_port};
use tollgate_sms_api::{Api, Reporter};

use crate::serve::{Running, run_async};

/// Arguments of `tollgate dev`.
#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// Address and port of the server; the sample API takes the next port, the admin listener the one after
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = "./tollgate-data")]
    data: PathBuf,
    /// Write addresses, ids and secrets to this file, mode 0600, once everything answers
    #[arg(long, value_name = "FILE")]
    env: Option<PathBuf>,
}

/// Where the two listen.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    tollgate: SocketAddr,
    sample: SocketAddr,
}

/// Runs the server and the sample API until they are told to stop.
pub(crate) fn run(args: DevArgs) -> anyhow::Result<()> {
    anyhow::ensure!(args.listen.ip().is_loopback(), "dev listens on loopback only: give --listen 127.0.0.1:PORT");
    run_async(async move {
        let public = bind(args.listen, "--listen").await?;
        let sample_listener = bind(next_port(args.listen, 1), "--listen").await?;
        let addresses = Addresses { tollgate: public.local_addr()?, sample: sample_listener.local_addr()? };
        let mut config = config(&args, addresses.tollgate);
        let (sample, reporter) = prepare(&config, &args).await?;
        config.metering.all_accounts = vec![reporter.key_id.clone()];
        let mut running = Running::start_on(config, public).await?;
        let api =
            Api::new(addresses.tollgate, Some(reporter), Arc::new(SystemClock), Arc::new(SystemRandom::default()));
        running.server.listen(sample_listener, tollgate_sms_api::router(api).layer(from_fn(name_peer)));
        if let Some(path) = &args.env {
            welcome::write_env(path, addresses, &sample)?;
        }
        welcome::print(&args, addresses, &sample)?;
        running.until_stopped().await
    })
}

/// Makes the sample before anything is served: the configuration names the sample API's key.
async fn prepare(config: &Config, args: &DevArgs) -> anyhow::Result<(sample::Sample, Reporter)> {
    let app = App::open(config.clone(), Arc::new(SystemClock), Arc::new(SystemRandom::default())).await?;
    let made = sample::make(&app, &args.data).await;
    app.close().await;
    made
}

/// Tells the sample API the peer's address, in the way that it expects.
async fn name_peer(mut request: Request, next: Next) -> Response {
    if let Some(&Origin::Public(address)) = request.extensions().get::<Origin>() {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 0)));
    }
    next.run(request).await
}

fn config(args: &DevArgs, address: SocketAddr) -> Config {
    let product = |name: &str, route: &str, accepts: &[Accepts], errors| Product {
        name: name.to_owned(),
        audience: None,
        hosts: Vec::new(),
        routes: vec![route.to_owned()],
        accepts: accepts.to_vec(),
        scope: Some(name.to_owned()),
        errors,
        count: true,
        unit: None,
    };
    let keys = [Accepts::Token, Accepts::Basic];
    let all = [Accepts::Token, Accepts::Basic, Accepts::ApiToken];
    let sms = product("sms", "/xms/v1/{service_plan_id}/**", &all, Errors::Xms);
    let mut config = Config {
        public_url: format!("http://{address}"),
        listen: address,
        admin_listen: next_port(args.listen, 2),
        data_dir: args.data.clone(),
        product: vec![
            product("numbers", "/v1/projects/{project_id}/**", &keys, Errors::Google),
            Product { unit: Some("message parts".to_owned()), ..sms },
        ],
        ..Config::default()
    };
    // Nobody balances a laptop: stop at once.
    config.http.drain_wait_seconds = 0;
    config
}
