//! One kept-alive connection to Tollgate: HTTP/2, so that calls do not wait for one another.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// How long an answer may take. Who waits for it is a client of ours, who waits for us.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often an idle connection is asked whether its other end is still there.
const PING: Duration = Duration::from_secs(15);
/// The most bytes of an answer that are read.
const ANSWER_BYTES: usize = 64 * 1024;

type Sender = http2::SendRequest<Full<Bytes>>;

/// The connection, made when it is first needed and again after it broke.
#[derive(Debug)]
pub(crate) struct Link {
    address: SocketAddr,
    sender: Mutex<Option<Sender>>,
}

impl Link {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, sender: Mutex::new(None) }
    }

    /// The absolute address of a path, as a request of HTTP/2 has it.
    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends one request. It is not sent again when the answer is lost: what it asked for may have been done.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
        let exchange = async {
            let mut sender = self.ready().await?;
            let answer = sender.send_request(request.map(Full::new)).await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES).collect().await.map_err(anyhow::Error::from_boxed)?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(PATIENCE, exchange).await.context("no answer in time")?
    }

    /// The connection, once it takes a request. One that has ended in the meantime is replaced here, before anything is sent.
    async fn ready(&self) -> anyhow::Result<Sender> {
        let mut kept = self.sender.lock().await;
        if let Some(sender) = &mut *kept
            && sender.ready().await.is_ok()
        {
            return Ok(sender.clone());
        }
        *kept = None;
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .handshake(TokioIo::new(stream))
            .await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to Tollgate ended");
            }
        });
        sender.ready().await?;
        *kept = Some(sender.clone());
        Ok(sender)
    }
}
