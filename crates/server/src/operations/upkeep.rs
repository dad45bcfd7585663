//! What is done once a minute: rotation of signing keys on schedule, and forgetting what is over.

use std::sync::Weak;
use std::time::Duration;

use super::App;

const PERIOD: Duration = Duration::from_secs(60);

/// Runs until the app is gone. A failure is logged and tried again a minute later.
pub(super) async fn run(app: Weak<App>) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let Some(app) = app.upgrade() else { return };
        if let Err(cause) = app.maintain().await {
            tracing::warn!(error = %cause, "upkeep");
        }
    }
}
