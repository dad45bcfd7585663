//! What is mailed in the background: a bounded queue, worked off one errand at a time.

use std::net::IpAddr;
use std::sync::Weak;
use std::time::{Duration, SystemTime};

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::sync::mpsc;
use tollgate_core::Timestamp;

use super::letters::Letter;
use crate::config::{Config, ConfigError, smtp_url};
use crate::operations::{Actor, App, Doing};

/// How many errands wait at most. More are dropped: whoever waits for the mail asks again.
const WAITING: usize = 1_000;
/// How long the mail server may take for one letter.
const PATIENCE: Duration = Duration::from_secs(30);

/// One thing to do in the background.
pub(super) enum Errand {
    /// Deliver this.
    Letter(Letter),
    /// Mail a reset link to this address, if somebody has it.
    Reset {
        /// As [`super::email`] made it.
        email: String,
        /// Who asked for it.
        address: Option<IpAddr>,
    },
}

/// Where errands are handed in.
pub(crate) struct Post {
    /// None without a mail server.
    errands: Option<mpsc::Sender<Errand>>,
}

/// Who does them.
pub(crate) struct Postman {
    errands: mpsc::Receiver<Errand>,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
}

impl Post {
    /// The post of a configuration; `url` is the mail server's, wherever it stood.
    ///
    /// # Errors
    /// A malformed URL or sender.
    pub(crate) fn open(config: &Config, url: Option<&str>) -> Result<(Self, Option<Postman>), ConfigError> {
        let Some(url) = url else { return Ok((Self { errands: None }, None)) };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&smtp_url(url)?);
        // The library's words may quote the URL.
        let mut builder = builder.map_err(|_| ConfigError::smtp("is no URL of a mail server"))?.timeout(Some(PATIENCE));
        if let Some(host) =
            config.public_url.parse::<http::Uri>().ok().and_then(|url| url.host().map(ToOwned::to_owned))
        {
            builder = builder.hello_name(ClientId::Domain(host));
        }
        let (errands, waiting) = mpsc::channel(WAITING);
        let postman = Postman { errands: waiting, transport: builder.build(), sender: config.mail.sender()? };
        Ok((Self { errands: Some(errands) }, Some(postman)))
    }

    /// Whether mail goes out at all.
    pub(super) fn delivers(&self) -> bool {
        self.errands.is_some()
    }

    /// Never waits. `false` when the errand will not be done.
    pub(super) fn send(&self, errand: Errand) -> bool {
        let Some(errands) = &self.errands else { return false };
        let taken = errands.try_send(errand).is_ok();
        if !taken {
            tracing::warn!("too much mail is waiting: a message was dropped");
        }
        taken
    }
}

impl Postman {
    /// Runs until the app is gone. A failure is logged, without an address or a link.
    pub(crate) async fn run(mut self, app: Weak<App>) {
        while let Some(errand) = self.errands.recv().await {
            let Some(app) = app.upgrade() else { return };
            let letter = match errand {
                Errand::Letter(letter) => Some(letter),
                Errand::Reset { email, address } => app.reset_letter(&email, address).await,
            };
            if let Some(letter) = letter {
                self.deliver(&letter, &app).await;
            }
        }
    }

    async fn deliver(&self, letter: &Letter, app: &App) {
        let Some(message) = self.message(letter, app) else {
            tracing::error!("mail was not sent: a name or an address does not fit a message");
            return;
        };
        match tokio::time::timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => {}
            // What the mail server says may hold the address: its code says enough.
            Ok(Err(error)) => match error.status() {
                Some(code) => tracing::error!(smtp.code = %code, "mail was refused by the mail server"),
                None => tracing::error!(error = %error, "mail was not sent"),
            },
            Err(_) => tracing::error!("mail was not sent: the mail server took too long"),
        }
    }

    fn message(&self, letter: &Letter, app: &App) -> Option<Message> {
        let id = format!("<{}@{}>", app.new_request(), self.sender.email.domain());
        let message = Message::builder()
            .from(self.sender.clone())
            .to(Mailbox::new(None, letter.to.parse().ok()?))
            .subject(&*letter.subject)
            .date(system_time(app.now()))
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN);
        message.body(String::clone(&letter.text)).ok()
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.0).unwrap_or(0))
}

impl App {
    /// Whether mail goes out; without it, links are shown to be copied.
    pub fn sends_mail(&self) -> bool {
        self.post.delivers()
    }

    async fn reset_letter(&self, email: &str, address: Option<IpAddr>) -> Option<Letter> {
        let doing = Doing { address, ..Doing::by(&Actor::Nobody) };
        match self.mail_reset(&doing, email).await {
            Ok(made) => made.map(|made| Letter::reset(&made)),
            Err(cause) => {
                tracing::error!(error = %cause, "a reset link was not made");
                None
            }
        }
    }
}
