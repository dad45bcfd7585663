//! A Tollgate of one test: its own data directory and database, a clock that is moved by hand, and the whole router.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};
use tempfile::TempDir;
use tollgate_core::clock::ManualClock;
use tollgate_core::random::SystemRandom;
use tollgate_core::{Clock as _, Timestamp};
use tollgate_server::config::Config;
use tollgate_server::http::{Numbers, Site, Web, site};
use tollgate_server::operations::{App, StartError};

use crate::ask::{Answer, Ask};
use crate::postgres;

/// The products of every test: each shape of errors, with and without scope, counted and not.
const PRODUCTS: &str = r#"
public_url = "https://tollgate.example"

[[product]]
name = "demo"
routes = ["/v1/projects/{project_id}/**"]
accepts = ["token", "basic"]
scope = "demo"

[[product]]
name = "sms"
routes = ["/xms/v1/{service_plan_id}/**"]
accepts = ["token", "api-token"]
unit = "message parts"
scope = "sms"
errors = "xms"

[[product]]
name = "maps"
routes = ["/maps/**"]
accepts = ["token", "basic"]
errors = "oauth"

[[product]]
name = "status"
routes = ["/status"]
count = false
"#;

/// 2026-09-21T14:13:20Z
const START: i64 = 1_790_000_000;

/// Runs each behaviour on a new SQLite file and in a new PostgreSQL schema.
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn behaviour($world: World) $body

            #[tokio::test]
            async fn sqlite() {
                behaviour($crate::world::World::on_sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                behaviour($crate::world::World::on_postgres().await).await;
            }
        }
    )*};
}

pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: Config,
    site: Site,
    directory: TempDir,
}

/// An access key of a test, with all that leads to it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) account: String,
    pub(crate) project: String,
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A service plan of a test.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// `/v1/projects/{project}/servicePlans/{plan}`
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) token_id: String,
    pub(crate) token: String,
}

impl Plan {
    /// A path of SMS with this plan in it.
    pub(crate) fn batches(&self) -> String {
        format!("/xms/v1/{}/batches", self.id)
    }
}

impl Key {
    /// `/v1/projects/{project}/accessKeys/{key}`
    pub(crate) fn path(&self) -> String {
        format!("/v1/projects/{}/accessKeys/{}", self.project, self.id)
    }
}

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        Self::new(None).await
    }

    pub(crate) async fn on_postgres() -> Self {
        Self::new(Some(postgres::schema().await)).await
    }

    pub(crate) async fn new(url: Option<String>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config::parse("test.toml".as_ref(), PRODUCTS).expect("the products of the tests");
        config.data_dir = directory.path().join("data");
        config.database.url = url;
        config.master_key_file = Some(master_key_file(&directory, "master.key", 0x5a));
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(START)));
        Self::start(config, clock, directory).await
    }

    async fn start(config: Config, clock: Arc<ManualClock>, directory: TempDir) -> Self {
        let app = open(&config, &clock).await.expect("a new data directory opens");
        let site = site(Web { app: Arc::clone(&app), numbers: Arc::new(Numbers::default()) });
        Self { app, clock, config, site, directory }
    }

    /// Stops it as SIGTERM does, lets `change` have the configuration, and starts it again on the same data.
    pub(crate) async fn reopen(self, change: impl FnOnce(&mut Config)) -> Self {
        let Self { app, clock, mut config, site, directory } = self;
        app.close().await;
        drop((app, site));
        change(&mut config);
        Self::start(config, clock, directory).await
    }

    /// Stops it, lets `change` have the configuration, and says why it does not start again.
    pub(crate) async fn refused(self, change: impl FnOnce(&mut Config)) -> (String, Stopped) {
        let Self { app, clock, mut config, site, directory } = self;
        app.close().await;
        drop((app, site));
        let kept = config.clone();
        change(&mut config);
        let error = open(&config, &clock).await.err().expect("it must not start");
        (error.to_string(), Stopped { config: kept, clock, directory })
    }

    /// A file with a master key, all of whose bytes are the same.
    pub(crate) fn master_key(&self, byte: u8) -> std::path::PathBuf {
        master_key_file(&self.directory, &format!("{byte}.key"), byte)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock on.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance_seconds(seconds);
    }

    /// The instant so many seconds from now, in RFC 3339.
    pub(crate) fn instant(&self, seconds: i64) -> String {
        self.now().plus_seconds(seconds).to_string()
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(&self.site, method, path)
    }

    /// The operator's GET, which must succeed.
    pub(crate) async fn read(&self, path: &str) -> Value {
        self.ask("GET", path).operator().send().await.is(200).json()
    }

    /// The operator's POST, which must succeed.
    pub(crate) async fn make(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path).operator().json(body).send().await.is(200).json()
    }

    /// The id of a new account. Like all that is made here, it is a second younger than what was made before, so that
    /// lists have one order.
    pub(crate) async fn new_account(&self) -> String {
        self.pass(1);
        id(&self.make("/v1/accounts", &json!({ "displayName": "An account" })).await, "accountId")
    }

    pub(crate) async fn new_project(&self, account: &str) -> String {
        self.pass(1);
        let path = format!("/v1/accounts/{account}/projects");
        id(&self.make(&path, &json!({ "displayName": "A project" })).await, "projectId")
    }

    pub(crate) async fn new_subproject(&self, project: &str) -> String {
        self.pass(1);
        let path = format!("/v1/projects/{project}/subprojects");
        id(&self.make(&path, &json!({ "displayName": "A subproject" })).await, "subprojectId")
    }

    /// A key made by the operator.
    pub(crate) async fn new_key(&self, project: &str, body: &Value) -> Key {
        self.pass(1);
        let made = self.make(&format!("/v1/projects/{project}/accessKeys"), body).await;
        let secret = id(&made, "secret");
        Key { account: String::new(), project: project.to_owned(), id: id(&made["accessKey"], "accessKeyId"), secret }
    }

    /// A new account with one project and one key, which holds these scopes.
    /// A service plan of this project, with its first API token.
    pub(crate) async fn new_plan(&self, project: &str, name: &str) -> Plan {
        self.pass(1);
        let path = format!("/v1/projects/{project}/servicePlans");
        let made = self.make(&path, &json!({ "displayName": name })).await;
        Plan {
            path: format!("{path}/{}", id(&made["servicePlan"], "servicePlanId")),
            id: id(&made["servicePlan"], "servicePlanId"),
            token_id: id(&made["apiToken"], "apiTokenId"),
            token: id(&made, "secret"),
        }
    }

    /// An account with a project, and in it a key with these scopes.
    pub(crate) async fn customer(&self, scopes: &[&str]) -> Key {
        let account = self.new_account().await;
        let project = self.new_project(&account).await;
        let key = self.new_key(&project, &json!({ "displayName": "main", "scopes": scopes })).await;
        Key { account, ..key }
    }

    /// The answer of the token endpoint to a key's Basic.
    pub(crate) async fn ask_token(&self, key: &Key, parameters: &str) -> Answer {
        let form = format!("grant_type=client_credentials{parameters}");
        self.ask("POST", "/oauth2/token").basic(&key.id, &key.secret).form(&form).send().await
    }

    /// A token with all scopes of its key.
    pub(crate) async fn token(&self, key: &Key) -> String {
        id(&self.ask_token(key, "").await.is(200).json(), "access_token")
    }

    /// The operator's PATCH of a key, which must succeed.
    pub(crate) async fn change_key(&self, key: &Key, body: &Value) -> Value {
        self.ask("PATCH", &key.path()).operator().json(body).send().await.is(200).json()
    }

    /// The operator's POST to a verb of a key, which must succeed.
    pub(crate) async fn key_verb(&self, key: &Key, verb: &str, body: &Value) -> Value {
        self.make(&format!("{}/{verb}", key.path()), body).await
    }

    /// What the forward-auth door says to a call, by default a GET.
    pub(crate) fn gate(&self, target: &str) -> Ask {
        self.ask("GET", "/gate").header("x-forwarded-method", "GET").header("x-forwarded-uri", target)
    }

    /// A call to the demo product in the key's own project.
    pub(crate) fn call(&self, key: &Key) -> Ask {
        self.gate(&format!("/v1/projects/{}/things", key.project))
    }

    /// The operator's view of an account's usage.
    pub(crate) async fn usage(&self, account: &str, group_by: &str) -> Value {
        self.read(&format!("/v1/accounts/{account}/usage?groupBy={group_by}")).await
    }

    /// Runs SQL beside the server, on a connection of its own.
    pub(crate) async fn execute(&self, sql: &str) {
        self.config_database().execute(sql).await;
    }

    /// The first column of what a query answers, as text.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        self.config_database().texts(sql).await
    }

    pub(crate) fn config_database(&self) -> Database<'_> {
        Database(&self.config)
    }
}

/// A Tollgate that was stopped: its data is still there.
pub(crate) struct Stopped {
    config: Config,
    clock: Arc<ManualClock>,
    directory: TempDir,
}

impl Stopped {
    pub(crate) fn database(&self) -> Database<'_> {
        Database(&self.config)
    }

    /// Starts it with the configuration that it had before.
    pub(crate) async fn start(self) -> World {
        World::start(self.config, self.clock, self.directory).await
    }
}

/// A way to the database that does not lead through the server.
pub(crate) struct Database<'a>(pub(crate) &'a Config);

impl Database<'_> {
    pub(crate) async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.0.database.url {
            Some(url) => PgConnection::connect(url).await.expect("PostgreSQL answers").execute(sql).await.map(|_| ()),
            None => self.sqlite().await.execute(sql).await.map(|_| ()),
        }
        .expect("the statement of the test");
    }

    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.0.database.url {
            Some(url) => {
                let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
                let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("the query of the test");
                rows.iter().map(|row| row.get(0)).collect()
            }
            None => {
                let rows = sqlx::query(sql).fetch_all(&mut self.sqlite().await).await.expect("the query of the test");
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Holds SQLite's lock for writing.
    pub(crate) async fn locked(&self) -> Lock {
        let mut connection = self.sqlite().await;
        connection.execute("BEGIN IMMEDIATE").await.expect("nobody else writes now");
        Lock(connection)
    }

    async fn sqlite(&self) -> SqliteConnection {
        let url = format!("sqlite://{}", self.0.data_dir.join("tollgate.db").display());
        SqliteConnection::connect(&url).await.expect("the file of the server")
    }
}

/// Nobody else can write while it is held.
pub(crate) struct Lock(SqliteConnection);

impl Lock {
    pub(crate) async fn release(&mut self) {
        self.0.execute("ROLLBACK").await.expect("the lock was held");
    }
}

/// Opens an App; a second one on the same directory as well.
pub(crate) async fn open(config: &Config, clock: &Arc<ManualClock>) -> Result<Arc<App>, StartError> {
    App::open(config.clone(), Arc::clone(clock) as _, Arc::new(SystemRandom::default())).await
}

/// A text in an answer, which must be there.
#[track_caller]
pub(crate) fn id(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

fn master_key_file(directory: &TempDir, name: &str, byte: u8) -> std::path::PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, format!("{byte:02x}").repeat(32)).expect("the temporary directory is writable");
    path
}
