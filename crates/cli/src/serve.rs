//! `tollgate serve`: the server, until SIGTERM or SIGINT.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tollgate_core::clock::SystemClock;
use tollgate_core::random::SystemRandom;
use tollgate_server::config::Config;
use tollgate_server::http::{Numbers, Web, admin_router, site};
use tollgate_server::logging;
use tollgate_server::operations::{Actor, App, Doing};
use tollgate_server::serve::{Server, bind, bind_socket, socket_path};

/// Arguments of `tollgate serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Runs the server until it is told to stop.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    run_async(async move {
        let running = Running::start(config).await?;
        tracing::info!(listen = %running.public, admin = %running.admin, "serving");
        running.until_stopped().await
    })
}

/// Runs a future on a runtime with a thread per core. Where there is but one, nothing has to be made fit for sharing.
pub(crate) fn run_async(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut builder = match std::thread::available_parallelism().map_or(1, usize::from) {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.enable_all().build();
    runtime.context("the runtime cannot be started")?.block_on(work)
}

/// A server that listens.
pub(crate) struct Running {
    /// What it serves.
    pub(crate) web: Web,
    /// The public listener's address.
    pub(crate) public: std::net::SocketAddr,
    /// The admin listener's address.
    pub(crate) admin: std::net::SocketAddr,
    /// The listeners; more can be added.
    pub(crate) server: Server,
    lines: logging::Lines,
    stop: Stop,
}

/// SIGTERM and SIGINT. They are watched before anything listens: whoever sees the server answer may tell it to stop.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn watch() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("SIGTERM cannot be watched")?,
            interrupt: signal(SignalKind::interrupt()).context("SIGINT cannot be watched")?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// All that a server needs before it listens.
struct Opened {
    config: Config,
    app: Arc<App>,
    public: TcpListener,
    admin: TcpListener,
    lines: logging::Lines,
    stop: Stop,
}

impl Opened {
    async fn open(config: Config, public: TcpListener) -> anyhow::Result<Self> {
        let stop = Stop::watch()?;
        let admin = bind(config.admin_listen, "admin_listen").await?;
        let lines = logging::start(&config.log);
        let app = App::open(config.clone(), Arc::new(SystemClock), Arc::new(SystemRandom::default())).await?;
        Ok(Self { config, app, public, admin, lines, stop })
    }

    /// Prints the link to the set-up page, as long as nobody can sign in.
    async fn invite_first_user(&self) -> anyhow::Result<()> {
        if self.app.has_users().await? {
            return Ok(());
        }
        let made = self.app.setup_link(&Doing::by(&Actor::Operator)).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "Set up the dashboard within a day, with this link: {}", made.url)?;
        Ok(out.flush()?)
    }

    fn listen(self) -> anyhow::Result<Running> {
        let operator = bind_socket(&socket_path(&self.config))?;
        let web = Web { app: self.app, numbers: Arc::new(Numbers::default()) };
        let mut server = Server::new(&self.config.http);
        let (public, admin) = (self.public.local_addr()?, self.admin.local_addr()?);
        server.listen(self.public, site(web.clone()));
        server.listen_admin(self.admin, admin_router(web.clone()));
        server.listen_operator(operator, site(web.clone()));
        Ok(Running { web, public, admin, server, lines: self.lines, stop: self.stop })
    }
}

impl Running {
    /// Takes the addresses, then opens the data, then serves.
    pub(crate) async fn start(config: Config) -> anyhow::Result<Self> {
        let public = bind(config.listen, "listen").await?;
        let opened = Opened::open(config, public).await?;
        // Before anything listens: it ends the link before it, which may be one that the operator has just asked for.
        opened.invite_first_user().await?;
        opened.listen()
    }

    /// The same on a public listener that was taken before, for a server that has its users.
    pub(crate) async fn start_on(config: Config, public: TcpListener) -> anyhow::Result<Self> {
        Opened::open(config, public).await?.listen()
    }

    /// Waits for SIGTERM or SIGINT, drains, and writes what is left.
    pub(crate) async fn until_stopped(mut self) -> anyhow::Result<()> {
        self.stop.wait().await;
        tracing::info!("draining");
        self.server.drain(&self.web).await;
        let socket = socket_path(&self.web.app.config);
        self.web.app.close().await;
        // It is gone with the server; a left one would be replaced at the next start.
        let _ = std::fs::remove_file(socket);
        tracing::info!("stopped");
        self.lines.flush();
        Ok(())
    }
}
