//! Listening: the public and the admin listener, the operator's Unix socket, and the way they end.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tower::{Service, ServiceExt as _};

use crate::config::{Config, Http};
use crate::http::{Origin, Web};

/// The largest header that is read, and the most HTTP/2 streams of one connection.
const HEADER_BYTES: usize = 64 * 1024;
const STREAMS: u32 = 256;
/// What every HTTP/2 connection begins with (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How often a connection that stopped within its first word is looked at.
const PEEK_PERIOD: Duration = Duration::from_millis(20);
/// How long to wait when the system has no file descriptor for a new connection.
const NO_DESCRIPTOR_WAIT: Duration = Duration::from_millis(50);

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
    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Public(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Accepted::Public(stream, peer.ip()))
            }
            Self::Operator(listener) => Ok(Accepted::Operator(listener.accept().await?.0)),
        }
    }
}

/// What answers requests: the [`Site`](crate::http::Site), or a router.
pub trait Answers:
    Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// Everything that listens, and the bell that ends it.
pub struct Server {
    http: Http,
    graceful: Arc<Mutex<Option<GracefulShutdown>>>,
    stopped: watch::Sender<bool>,
    tasks: tokio::task::JoinSet<()>,
}

impl Server {
    /// A server that listens nowhere yet.
    pub fn new(http: &Http) -> Self {
        Self {
            http: http.clone(),
            graceful: Arc::new(Mutex::new(Some(GracefulShutdown::new()))),
            stopped: watch::channel(false).0,
            tasks: tokio::task::JoinSet::new(),
        }
    }

    /// Lets `site` answer on a TCP listener.
    pub fn listen(&mut self, listener: TcpListener, site: impl Answers) {
        self.run(Door::Public(listener), site);
    }

    /// Lets `site` answer on the operator's socket.
    pub fn listen_operator(&mut self, listener: UnixListener, site: impl Answers) {
        self.run(Door::Operator(listener), site);
    }

    fn run(&mut self, door: Door, site: impl Answers) {
        let builder = self.builder();
        let patience = Duration::from_secs(self.http.header_seconds);
        let graceful = Arc::clone(&self.graceful);
        let mut stop = self.stopped.subscribe();
        self.tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = door.accept() => accepted,
                    _ = stop.wait_for(|stopped| *stopped) => return,
                };
                let with = Handling { builder: builder.clone(), site: site.clone(), graceful: Arc::clone(&graceful) };
                match accepted {
                    Ok(Accepted::Public(stream, peer)) => {
                        tokio::spawn(with.public(stream, peer, patience));
                    }
                    Ok(Accepted::Operator(stream)) => {
                        tokio::spawn(with.connection(stream, Origin::Operator));
                    }
                    Err(cause) => {
                        tracing::warn!(error = %cause, "accept");
                        tokio::time::sleep(NO_DESCRIPTOR_WAIT).await;
                    }
                }
            }
        });
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(self.http.header_seconds))
            .max_buf_size(HEADER_BYTES);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
            .keep_alive_interval(Duration::from_secs(30));
        builder
    }

    /// Says "not ready" for the configured wait, stops accepting, and lets requests under way finish.
    pub async fn drain(mut self, web: &Web) {
        web.numbers.start_draining();
        tokio::time::sleep(Duration::from_secs(self.http.drain_wait_seconds)).await;
        self.stopped.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        let graceful = self.graceful.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(graceful) = graceful {
            let patience = Duration::from_secs(self.http.drain_seconds);
            if tokio::time::timeout(patience, graceful.shutdown()).await.is_err() {
                tracing::warn!("some connections did not end in time");
            }
        }
    }
}

/// What a connection is handled with.
struct Handling<S> {
    builder: Builder<TokioExecutor>,
    site: S,
    graceful: Arc<Mutex<Option<GracefulShutdown>>>,
}

impl<S: Answers> Handling<S> {
    async fn public(self, stream: TcpStream, peer: IpAddr, patience: Duration) {
        if let Ok(Ok(())) = tokio::time::timeout(patience, has_begun(&stream)).await {
            self.connection(stream, Origin::Public(peer)).await;
        }
    }

    async fn connection<I>(self, stream: I, origin: Origin)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { builder, site, graceful } = self;
        let watcher = graceful.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(GracefulShutdown::watcher);
        // A server that is ending begins no conversation.
        let Some(watcher) = watcher else { return };
        let service = tower::service_fn(move |mut request: Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(origin);
            site.clone().oneshot(request.map(Body::new))
        });
        let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        // What goes wrong on a connection is its client's affair.
        let _ = watcher.watch(served.into_owned()).await;
    }
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
