//! What is mailed in the background: a bounded queue, worked off one errand at a time.

use std::net::IpAddr;
use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use crate::operations::{Actor, App, Doing};

/// How many errands wait at most. More are dropped: whoever waits for the mail asks again.
const WAITING: usize = 1_000;

/// One thing to do in the background.
pub(super) enum Errand {
    /// Mail a reset link to this address, if somebody has it.
    Reset {
        /// As [`super::email`] made it.
        email: String,
        /// Who asked for it.
        address: Option<IpAddr>,
    },
}

/// Where errands are handed in.
pub(crate) struct Post(mpsc::Sender<Errand>);

/// Who does them.
pub(crate) struct Postman(mpsc::Receiver<Errand>);

impl Post {
    pub(crate) fn open() -> (Self, Postman) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), Postman(receiver))
    }

    /// Never waits.
    pub(super) fn send(&self, errand: Errand) {
        if self.0.try_send(errand).is_err() {
            tracing::warn!("too much mail is waiting: a message was dropped");
        }
    }
}

impl Postman {
    /// Runs until the app is gone. A failure is logged, without an address or a link.
    pub(crate) async fn run(mut self, app: Weak<App>) {
        while let Some(errand) = self.0.recv().await {
            let Some(app) = app.upgrade() else { return };
            app.run_errand(errand).await;
        }
    }
}

impl App {
    async fn run_errand(self: &Arc<Self>, errand: Errand) {
        match errand {
            Errand::Reset { email, address } => {
                let doing = Doing { address, ..Doing::by(&Actor::Nobody) };
                if let Err(cause) = self.mail_reset(&doing, &email).await {
                    tracing::error!(error = %cause, "a reset link was not made");
                }
            }
        }
    }
}
