//! Listening: the public and the admin listener, the operator's Unix socket, and the way they end.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;

use crate::config::{Config, Http};
use crate::http::{Answers, Origin, Web};
use crate::room::{Place, Room};
use crate::untaken::{Answer, Untaken};
use crate::write_limit::WriteLimit;

/// The largest header that is read, and the most HTTP/2 streams of one connection.
const HEADER_BYTES: usize = 64 * 1024;
const STREAMS: u32 = 256;
/// What every HTTP/2 connection begins with (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How often a connection that stopped within its first word is looked at.
const PEEK_PERIOD: Duration = Duration::from_millis(20);
/// How long to wait when the system has no file descriptor for a new connection.
const NO_DESCRIPTOR_WAIT: Duration = Duration::from_millis(50);
/// How long a connection without a request stays open after the end was rung: what its client sends meanwhile is answered.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// How many connections that the system has taken already are served when listening ends, and how long the next may take to show.
const LAST_ACCEPTED: usize = 1024;
const LAST_ACCEPT_WAIT: Duration = Duration::from_millis(1);

/// Why the server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An address cannot be had.
    #[error("{address} cannot be listened on ({cause}): stop what uses it, or set another {field}")]
    Address {
        /// Which address.
        address: SocketAddr,
        /// Which field of the configuration.
        field: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// The operator's socket cannot be made.
    #[error("the operator's socket {} cannot be made ({cause}): give a data_dir whose path is short and writable", path.display())]
    Socket {
        /// Which path.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// Takes an address. Done before anything is changed on disk.
///
/// # Errors
/// [`ListenError::Address`].
pub async fn bind(address: SocketAddr, field: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|cause| ListenError::Address { address, field, cause })
}

/// The path of the operator's socket.
pub fn socket_path(config: &Config) -> PathBuf {
    config.data_dir.join("tollgate.sock")
}

/// Makes the operator's socket, mode 0600. One that a killed server left behind is replaced; the lock on the data
/// directory shows that nobody uses it.
///
/// # Errors
/// [`ListenError::Socket`].
pub fn bind_socket(path: &Path) -> Result<UnixListener, ListenError> {
    let failed = |cause| ListenError::Socket { path: path.to_owned(), cause };
    // Renamed into place once only its owner may use it.
    let unready = path.with_extension("new");
    let _ = std::fs::remove_file(&unready);
    let listener = UnixListener::bind(&unready).map_err(failed)?;
    std::fs::set_permissions(&unready, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    std::fs::rename(&unready, path).map_err(failed)?;
    Ok(listener)
}

enum Door {
    Public(TcpListener),
    Operator(UnixListener),
}

enum Accepted {
    Public(TcpStream, IpAddr),
    Operator(UnixStream),
}

impl Door {
    async fn accept(&self, room: &mut Room) -> io::Result<(Accepted, Place)> {
        let place = room.take().await;
        let accepted = match self {
            Self::Public(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Accepted::Public(stream, peer.ip())
            }
            Self::Operator(listener) => Accepted::Operator(listener.accept().await?.0),
        };
        Ok((accepted, place))
    }
}

/// How far the server is on the way to its end. Every connection holds a receiver: when none is left, all have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    /// Answers of HTTP/1 end their connections, so that clients go elsewhere before they must.
    Leaving,
    /// Nothing new is taken.
    Stopped,
}

/// Everything that listens, and the bell that ends it.
pub struct Server {
    http: Http,
    stage: watch::Sender<Stage>,
    tasks: tokio::task::JoinSet<()>,
}

impl Server {
    /// A server that listens nowhere yet.
    pub fn new(http: &Http) -> Self {
        Self { http: http.clone(), stage: watch::channel(Stage::Serving).0, tasks: tokio::task::JoinSet::new() }
    }

    /// Lets `site` answer everybody on a TCP listener, as many at once as the system has descriptors for.
    pub fn listen(&mut self, listener: TcpListener, site: impl Answers) {
        self.run(Door::Public(listener), Room::of_descriptors(), site);
    }

    /// Lets `site` answer on a TCP listener that few can reach. There is room for them when there is none for others.
    pub fn listen_admin(&mut self, listener: TcpListener, site: impl Answers) {
        self.run(Door::Public(listener), Room::endless(), site);
    }

    /// Lets `site` answer on the operator's socket.
    pub fn listen_operator(&mut self, listener: UnixListener, site: impl Answers) {
        self.run(Door::Operator(listener), Room::endless(), site);
    }

    fn run(&mut self, door: Door, mut room: Room, site: impl Answers) {
        let builder = self.builder();
        let patience = Patience {
            header: Duration::from_secs(self.http.header_seconds),
            write: Duration::from_secs(self.http.write_seconds),
        };
        let with = Handling { builder, site, patience, stage: self.stage.subscribe() };
        let mut stage = self.stage.subscribe();
        self.tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = door.accept(&mut room) => accepted,
                    () = stopped(&mut stage) => break,
                };
                match accepted {
                    Ok((accepted, place)) => with.clone().begin(accepted, place),
                    Err(cause) => {
                        tracing::warn!(error = %cause, "accept");
                        tokio::time::sleep(NO_DESCRIPTOR_WAIT).await;
                    }
                }
            }
            // The system would reset those that it has taken.
            for _ in 0..LAST_ACCEPTED {
                let accepted = tokio::time::timeout(LAST_ACCEPT_WAIT, door.accept(&mut room)).await;
                let Ok(Ok((accepted, place))) = accepted else { return };
                with.clone().begin(accepted, place);
            }
        });
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // A client that says it sends no more still waits for its answer (RFC 9112 §9.6), and its call may be counted.
            .half_close(true)
            .header_read_timeout(Duration::from_secs(self.http.header_seconds))
            .max_buf_size(HEADER_BYTES);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
            .keep_alive_interval(Duration::from_secs(self.http.write_seconds))
            .keep_alive_timeout(Duration::from_secs(self.http.write_seconds));
        builder
    }

    /// Says "not ready" for the configured wait, stops accepting, and lets requests under way finish.
    pub async fn drain(mut self, web: &Web) {
        web.numbers.start_draining();
        self.stage.send_replace(Stage::Leaving);
        tokio::time::sleep(Duration::from_secs(self.http.drain_wait_seconds)).await;
        self.stage.send_replace(Stage::Stopped);
        while self.tasks.join_next().await.is_some() {}
        let patience = Duration::from_secs(self.http.drain_seconds);
        if tokio::time::timeout(patience, self.stage.closed()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
    }
}

async fn stopped(stage: &mut watch::Receiver<Stage>) {
    let _ = stage.wait_for(|stage| *stage == Stage::Stopped).await;
}

/// How long a client may take for a header, and may take nothing of what it is sent.
#[derive(Clone, Copy)]
struct Patience {
    header: Duration,
    write: Duration,
}

/// What a connection is handled with.
#[derive(Clone)]
struct Handling<S> {
    builder: Builder<TokioExecutor>,
    site: S,
    patience: Patience,
    stage: watch::Receiver<Stage>,
}

impl<S: Answers> Handling<S> {
    fn begin(self, accepted: Accepted, place: Place) {
        tokio::spawn(async move {
            match accepted {
                Accepted::Public(stream, peer) => self.public(stream, peer).await,
                Accepted::Operator(stream) => self.connection(stream, Origin::Operator).await,
            }
            drop(place);
        });
    }

    async fn public(mut self, stream: TcpStream, peer: IpAddr) {
        let has_begun = tokio::select! {
            begun = tokio::time::timeout(self.patience.header, has_begun(&stream)) => matches!(begun, Ok(Ok(()))),
            () = no_more_words(&mut self.stage) => false,
        };
        if has_begun {
            self.connection(stream, Origin::Public(peer)).await;
        }
    }

    async fn connection<I>(self, stream: I, origin: Origin)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { builder, site, patience, mut stage } = self;
        let (asked, untaken) = (stage.clone(), Arc::new(Untaken::default()));
        let counted = Arc::clone(&untaken);
        let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
            let is_http2 = request.version() == Version::HTTP_2;
            // HTTP/2 has frames for this, and forbids the header.
            let is_last = !is_http2 && *asked.borrow() != Stage::Serving;
            let untaken = is_http2.then(|| Arc::clone(&counted));
            let answer = site.clone().answer(origin, request.map(Body::new));
            async move {
                let mut answer = answer.await;
                if is_last {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer.map(|body| Answer::new(body, untaken)))
            }
        });
        let stream = TokioIo::new(WriteLimit::new(stream, patience.write));
        let mut served = pin!(builder.serve_connection(stream, service));
        // What goes wrong on a connection is its client's affair.
        tokio::select! {
            biased;
            _ = served.as_mut() => return,
            () = untaken.stuck(patience.write) => return,
            () = no_more_words(&mut stage) => {}
        }
        served.as_mut().graceful_shutdown();
        let _ = served.await;
    }
}

/// Waits until the server has stopped and what was sent before has had time to arrive.
async fn no_more_words(stage: &mut watch::Receiver<Stage>) {
    stopped(stage).await;
    tokio::time::sleep(LAST_WORDS).await;
}

/// Waits until the client has said enough to tell HTTP/1 from HTTP/2: the library's own limit of time begins after that.
async fn has_begun(stream: &TcpStream) -> io::Result<()> {
    let mut bytes = [0; HTTP2_PREFACE.len()];
    loop {
        let length = stream.peek(&mut bytes).await?;
        let may_be_http2 = HTTP2_PREFACE.starts_with(&bytes[..length]);
        if length == 0 || length == bytes.len() || !may_be_http2 {
            return Ok(());
        }
        // What was peeked is there still, and would be reported as readable at once.
        tokio::time::sleep(PEEK_PERIOD).await;
    }
}

/// The loopback address with a port of the system's choice or the one after `address`.
pub fn next_port(address: SocketAddr, steps: u16) -> SocketAddr {
    let port = if address.port() == 0 { 0 } else { address.port().saturating_add(steps) };
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}
