//! The sample API as a program, beside a Tollgate of your own.

use std::env;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::serve;
use tokio::net::TcpListener;
use tollgate_core::Secret;
use tollgate_core::clock::SystemClock;
use tollgate_core::random::SystemRandom;
use tollgate_core::secret::SecretKind;
use tollgate_sms_api::{Api, Reporter, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let setting = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let address = |name: &str, otherwise: &str| {
        let text = setting(name).unwrap_or_else(|| otherwise.to_owned());
        text.parse::<SocketAddr>().with_context(|| format!("{name} must be an address such as {otherwise}"))
    };
    let tollgate = address("TOLLGATE_ADDRESS", "127.0.0.1:8080")?;
    let listen = address("LISTEN", "127.0.0.1:8081")?;
    let reporter = match (setting("TOLLGATE_KEY_ID"), setting("TOLLGATE_KEY_SECRET")) {
        (Some(key_id), Some(secret)) => {
            let brand = setting("TOLLGATE_BRAND").unwrap_or_else(|| "tg".to_owned());
            let key_secret = Secret::parse(&brand, SecretKind::Key, &secret);
            Some(Reporter { key_id, key_secret: key_secret.context("TOLLGATE_KEY_SECRET is not a KEY SECRET")? })
        }
        (None, None) => None,
        _ => anyhow::bail!("give both TOLLGATE_KEY_ID and TOLLGATE_KEY_SECRET, or neither: then no parts are counted"),
    };
    let api = Api::new(tollgate, reporter, Arc::new(SystemClock), Arc::new(SystemRandom::default()));
    let listener = TcpListener::bind(listen).await.with_context(|| format!("{listen} cannot be listened on"))?;
    tracing::info!(%listen, %tollgate, "serving");
    let service = router(api).into_make_service_with_connect_info::<SocketAddr>();
    serve(listener, service).with_graceful_shutdown(stopped()).await?;
    Ok(())
}

async fn stopped() {
    // Where signals cannot be watched, the process ends by them.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
