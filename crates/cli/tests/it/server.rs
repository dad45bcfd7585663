//! A `tollgate serve` of its own for each test: a directory, a configuration, a process.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::deadline::{now, until};
use crate::wire::{Answer, Request, To, once, operator};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tollgate");
const PRODUCTS: &str = "
[[product]]
name = 'demo'
routes = ['/v1/projects/{project_id}/**']
accepts = ['token', 'basic']
scope = 'demo'

[[product]]
name = 'sms'
routes = ['/xms/v1/{service_plan_id}/**']
accepts = ['api-token']
errors = 'xms'
";

/// The program, without what the environment could tell it.
pub(crate) fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// A directory with a configuration, and the data below it.
pub(crate) struct House {
    directory: tempfile::TempDir,
    data: PathBuf,
    settings: String,
    starts: u32,
}

impl House {
    /// `settings` is TOML: top-level fields first, then tables.
    pub(crate) fn new(settings: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let house = Self { directory, data, settings: settings.to_owned(), starts: 0 };
        house.configure();
        house
    }

    /// The data is elsewhere from now on.
    pub(crate) fn move_data(&mut self, data: PathBuf) {
        self.data = data;
        self.configure();
    }

    /// Other settings from now on.
    pub(crate) fn set(&mut self, settings: &str) {
        settings.clone_into(&mut self.settings);
        self.configure();
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path().join("tollgate.toml")
    }

    fn configure(&self) {
        let mut text = format!("data_dir = '{}'\n", self.data.display());
        for field in ["listen", "admin_listen"] {
            if !self.settings.lines().any(|line| line.starts_with(&format!("{field} = "))) {
                text += &format!("{field} = '127.0.0.1:0'\n");
            }
        }
        std::fs::write(self.config(), format!("{text}{}\n{PRODUCTS}", self.settings)).expect("the configuration");
    }

    pub(crate) fn start(&mut self) -> Server {
        let mut command = program();
        command.arg("serve").arg("--config").arg(self.config());
        self.start_with(command)
    }

    /// Starts the server by another command, which must become the server.
    pub(crate) fn start_with(&mut self, mut command: Command) -> Server {
        self.starts += 1;
        let log = self.path().join(format!("log-{}", self.starts));
        let file = File::create(&log).expect("a log");
        let printed = File::create(self.path().join(format!("out-{}", self.starts))).expect("a file");
        let child = command.stdin(Stdio::null()).stdout(printed).stderr(file).spawn().expect("the server starts");
        Server::ready(child, log, self.data())
    }

    /// What the last server has printed on standard output.
    pub(crate) fn printed(&self) -> String {
        std::fs::read_to_string(self.path().join(format!("out-{}", self.starts))).expect("what it printed")
    }

    /// What all servers have logged.
    pub(crate) fn logs(&self) -> String {
        let logs = (1..=self.starts).map(|start| self.path().join(format!("log-{start}")));
        logs.map(|log| std::fs::read_to_string(log).expect("a log in UTF-8")).collect()
    }
}

/// A server that is ready. It is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    data: PathBuf,
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Server {
    fn ready(mut child: Child, log: PathBuf, data: PathBuf) -> Self {
        let (public, admin) = until("the server says where it serves", 15, || {
            let text = std::fs::read_to_string(&log).expect("the log");
            if let Some(status) = child.try_wait().expect("a child") {
                panic!("the server ended with {status}:\n{text}");
            }
            let line = text.lines().find(|line| line.contains("serving"))?;
            Some((address(line, "listen")?, address(line, "admin")?))
        });
        let server = Self { child, log, data, public, admin };
        until("the server is ready", 10, || (server.get("/readyz").status == 200).then_some(()));
        server
    }

    pub(crate) fn public(&self) -> To {
        To::Tcp(self.public)
    }

    pub(crate) fn operator(&self) -> To {
        operator(&self.data)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        once(&self.public(), &Request::get(path))
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log")
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("own child");
        let status = self.child.wait().expect("own child");
        assert_eq!(status.signal(), Some(9), "it was still running");
    }

    /// SIGTERM.
    pub(crate) fn terminate(self) -> Stopping {
        signal("TERM", self.pid());
        Stopping { server: self, since: now() }
    }

    /// SIGTERM, and waits for an orderly end.
    pub(crate) fn stop(self) {
        let (status, _) = self.terminate().wait();
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that was told to stop.
pub(crate) struct Stopping {
    pub(crate) server: Server,
    since: Instant,
}

impl Stopping {
    /// The exit status, and how long the end took.
    pub(crate) fn wait(mut self) -> (ExitStatus, Duration) {
        let status = until("the server ends", 20, || self.server.child.try_wait().expect("own child"));
        (status, self.since.elapsed())
    }
}

/// Sends a signal to a child of ours.
pub(crate) fn signal(name: &str, pid: u32) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {pid}")).status().expect("sh");
    assert!(sent.success());
}

/// An address after a name, in a line of either format.
fn address(line: &str, name: &str) -> Option<SocketAddr> {
    let places = [format!(" {name}="), format!("\"{name}\":\"")];
    let rest = places.iter().find_map(|place| line.split_once(place.as_str())).map(|(_, rest)| rest)?;
    rest.split([' ', '"', ',', '}', '\n']).next()?.parse().ok()
}
