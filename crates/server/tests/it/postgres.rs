//! A PostgreSQL server of our own: one per test process, a new schema or database for each test.
//!
//! It listens on a Unix socket in a temporary directory alone, so that it meets no other server of the machine. It ends with
//! the test process, also when that is killed. `TOLLGATE_TEST_FSYNC=on` makes it as durable as a real one; by default it is
//! quick, since nothing here cuts the power.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

const SCRIPT: &str = include_str!("postgres.sh");

/// Where Debian keeps the servers, one directory per version.
const DEBIAN: &str = "/usr/lib/postgresql";

const MISSING: &str = "these tests need the PostgreSQL server programs (initdb, pg_ctl, psql), 15 or newer: \
     install them with `apt-get install postgresql`, or put their directory into PATH";

static SHARED: LazyLock<Result<Server, String>> = LazyLock::new(Server::start);

/// The URL of a new, empty schema on the server of this process: for one App as good as a database, and made in a
/// hundredth of the time.
///
/// # Panics
/// If there is no PostgreSQL, or it does not start: half of the contract is never skipped.
pub(crate) async fn schema() -> String {
    match &*SHARED {
        Ok(server) => server.schema().await,
        Err(problem) => panic!("{problem}"),
    }
}

/// A server that runs until it is dropped, or until this process ends.
pub(crate) struct Server {
    programs: PathBuf,
    directory: PathBuf,
    databases: AtomicU32,
    script: Child,
}

impl Server {
    /// Takes about a second.
    pub(crate) fn start() -> Result<Self, String> {
        let programs = programs().ok_or(MISSING)?;
        let fsync = env::var("TOLLGATE_TEST_FSYNC").unwrap_or_else(|_| "off".to_owned());
        // A process group of its own: Ctrl-C in a terminal must not end the script before it has cleaned up.
        let mut script = Command::new("sh")
            .args(["-c", SCRIPT, "postgres.sh"])
            .arg(&programs)
            .arg(fsync)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh cannot be started: {error}"))?;
        let directory = ready(&mut script)?;
        Ok(Self { programs, directory, databases: AtomicU32::new(0), script })
    }

    /// The URL of a new, empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres:///{name}?host={}&user=postgres", self.directory.display())
    }

    /// The URL of a new, empty schema. Made without another process, since each test waits for it.
    pub(crate) async fn schema(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let url = format!("postgres:///postgres?host={}&user=postgres", self.directory.display());
        let mut connection = PgConnection::connect(&url).await.expect("the server answers");
        let made = connection.execute(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).await;
        made.expect("the name is new");
        format!("{url}&options[search_path]={name}")
    }

    /// What one SQL statement answers, a row per line.
    fn psql(&self, database: &str, sql: &str) -> String {
        let answer = Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--username=postgres"])
            .arg("--host")
            .arg(&self.directory)
            .args(["--dbname", database, "--command", sql])
            .output()
            .expect("psql stands beside initdb");
        let problem = String::from_utf8_lossy(&answer.stderr);
        assert!(answer.status.success(), "psql: {sql}: {problem}");
        String::from_utf8_lossy(&answer.stdout).trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        // An error would mean that it has ended already.
        self.script.wait().ok();
    }
}

/// Waits for the script's word that the server answers: the directory of its socket.
fn ready(script: &mut Child) -> Result<PathBuf, String> {
    let mut words = BufReader::new(script.stdout.take().expect("stdout is a pipe"));
    let mut said = String::new();
    words.read_line(&mut said).map_err(|error| error.to_string())?;
    if let Some(directory) = said.strip_prefix("ready ") {
        return Ok(PathBuf::from(directory.trim_end()));
    }
    words.read_to_string(&mut said).map_err(|error| error.to_string())?;
    Err(said)
}

/// The directory of the newest PostgreSQL here that has a server.
fn programs() -> Option<PathBuf> {
    let mut debian: Vec<_> = fs::read_dir(DEBIAN).into_iter().flatten().flatten().collect();
    debian.sort_by_key(|version| version.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    let debian = debian.into_iter().rev().map(|version| version.path().join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    debian.chain(env::split_paths(&path).filter_map(|directory| behind_links(&directory))).find(|it| is_complete(it))
}

/// Where the `initdb` of a directory really lies: `/usr/local/bin` may hold only a link to it.
fn behind_links(directory: &Path) -> Option<PathBuf> {
    let initdb = fs::canonicalize(directory.join("initdb")).ok()?;
    initdb.parent().map(Path::to_owned)
}

fn is_complete(directory: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|program| directory.join(program).is_file())
}

#[test]
fn each_database_is_new_and_empty() {
    let server = Server::start().expect("PostgreSQL starts");
    let first = server.database();
    server.psql("test_0", "CREATE TABLE t (n BIGINT)");
    let second = server.database();

    assert_ne!(first, second);
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(server.psql("test_0", tables), "1");
    assert_eq!(server.psql("test_1", tables), "0");
    assert_eq!(server.psql("test_1", "SHOW max_connections"), "200");

    let directory = server.directory.clone();
    assert!(directory.exists());
    drop(server);
    assert!(!directory.exists(), "the server leaves nothing behind");
}
