//! A Tollgate of our own: its configuration, its data directory, and two keys in it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tollgate_bench::Algorithm;

use crate::http::{self, Request};
use crate::process::Process;
use crate::subject::{Access, Subject, forwarded};

/// Below it lies what is decided like `/v1/projects` and not counted.
pub(crate) const UNCOUNTED: &str = "/uncounted";
/// The most access keys that a project may have.
const KEY_LIMIT: u32 = 100_000;

/// How a Tollgate differs from the one with the defaults.
#[derive(Clone, Copy)]
pub(crate) struct Settings<'a> {
    /// How the report calls it, and without spaces its files.
    pub(crate) name: &'static str,
    pub(crate) durability: &'static str,
    pub(crate) algorithm: Algorithm,
    /// URL of a PostgreSQL database.
    pub(crate) postgres: Option<&'a str>,
}

/// A running Tollgate.
pub(crate) struct Tollgate {
    pub(crate) subject: Subject,
    pub(crate) access: Access,
    /// A key of another project, which may manage its keys, and introspect the account's tokens.
    pub(crate) manager: Access,
    /// Its SQLite file.
    pub(crate) database: PathBuf,
    pub(crate) account: String,
    /// Resident memory when it had just become ready.
    pub(crate) idle_kib: u64,
    /// A service plan and its API token.
    plan: (String, String),
    operator: Operator,
    files: Files,
}

/// The operator's door: a Unix socket in the data directory.
struct Operator {
    socket: PathBuf,
}

struct Files {
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self { name: "tollgate (process)", durability: "process", algorithm: Algorithm::Es256, postgres: None }
    }
}

impl Files {
    fn serve(&self) -> anyhow::Result<Process> {
        let arguments = ["serve".as_ref(), "--config".as_ref(), self.config.as_os_str()];
        Process::start(&self.program, &arguments, &self.log)
    }
}

impl Tollgate {
    /// Starts Tollgate on an empty data directory in `work`, makes an account, projects and keys, and tries the gate.
    pub(crate) fn start(program: &Path, work: &Path, settings: Settings<'_>) -> anyhow::Result<Self> {
        let stem = settings.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let data = work.join(&stem);
        fs::create_dir(&data).with_context(|| format!("cannot make {}", data.display()))?;
        let master = work.join(format!("{stem}.master"));
        fs::write(&master, "0123456789abcdef".repeat(4))?;
        let [address, admin] = free_addresses()?;
        let config = work.join(format!("{stem}.toml"));
        fs::write(&config, configuration(&address, &admin, &data, &master, settings))
            .with_context(|| format!("cannot write {}", config.display()))?;

        let files = Files { program: program.to_owned(), config, log: work.join(format!("{stem}.log")) };
        let mut process = files.serve()?;
        process.wait_for(settings.name, || is_ready(&address).then_some(()))?;
        let idle_kib = process.resident_kib()?;
        let subject = Subject { name: settings.name, address, process };
        let operator = Operator { socket: data.join("tollgate.sock") };
        let (account, access, plan) = operator.prepare()?;
        let access = access.with_token(&subject)?;
        let manager = operator.access(&account, &["demo", "introspect", "keys:manage"])?;
        let database = data.join("tollgate.db");
        let tollgate = Self { subject, access, manager, database, account, idle_kib, plan, operator, files };
        let counted = [tollgate.access.gate(), tollgate.access.gate_basic()];
        for request in counted.iter().chain([&tollgate.access.gate_below(UNCOUNTED), &tollgate.gate_api_token()]) {
            tollgate.access.try_gate(&tollgate.subject, request)?;
        }
        tollgate.require_count(3)?;
        Ok(tollgate)
    }

    /// A call with the service plan's API token, on a path of the same length as the others.
    pub(crate) fn gate_api_token(&self) -> Request {
        let (plan, token) = &self.plan;
        forwarded(format!("Bearer {token}"), format!("/sms/v1/plans/{plan}/hello"))
    }

    /// Fails if fewer calls were counted than were let through: then it was not the promise that was measured.
    pub(crate) fn require_count(&self, let_through: u64) -> anyhow::Result<()> {
        let usage = self.operator.send(&Request::get(format!("/v1/accounts/{}/usage", self.account)))?;
        let counted = sum_of_calls(&usage).with_context(|| format!("no calls in {usage}"))?;
        let name = self.subject.name;
        ensure!(counted >= let_through, "{name} let {let_through} calls through and counted {counted}");
        Ok(())
    }

    /// Kills it and starts it again on the same data. `probe` is asked until it says that the server is ready.
    pub(crate) fn restart(&mut self, mut probe: impl FnMut(&str) -> bool) -> anyhow::Result<()> {
        self.subject.process.end();
        let mut process = self.files.serve()?;
        process.wait_for(self.subject.name, || probe(&self.subject.address).then_some(()))?;
        self.subject.process = process;
        Ok(())
    }
}

/// Whether a server says at `address` that it is ready.
pub(crate) fn is_ready(address: &str) -> bool {
    TcpStream::connect(address).is_ok_and(|stream| http::call(stream, &Request::get("/readyz")).is_ok())
}

impl Operator {
    /// An account, a key of a project of it, and a service plan in the same project.
    fn prepare(&self) -> anyhow::Result<(String, Access, (String, String))> {
        let named = json!({"displayName": "bench", "keyLimit": KEY_LIMIT});
        let account = text(&self.post("/v1/accounts", &named)?, "/accountId")?;
        let access = self.access(&account, &["demo"])?;
        let path = format!("/v1/projects/{}/servicePlans", access.project);
        let made = self.post(&path, &json!({"displayName": "bench"}))?;
        let plan = (text(&made, "/servicePlan/servicePlanId")?, text(&made, "/secret")?);
        Ok((account, access, plan))
    }

    /// A new project with a key.
    fn access(&self, account: &str, scopes: &[&str]) -> anyhow::Result<Access> {
        let made = self.post(&format!("/v1/accounts/{account}/projects"), &json!({"displayName": scopes.join(" ")}))?;
        let project = text(&made, "/projectId")?;
        let wanted = json!({"displayName": "bench", "scopes": scopes});
        let made = self.post(&format!("/v1/projects/{project}/accessKeys"), &wanted)?;
        let (key, secret) = (text(&made, "/accessKey/accessKeyId")?, text(&made, "/secret")?);
        Ok(Access { project, key, secret, token: String::new() })
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(&Request::post_json(path, body))
    }

    fn send(&self, request: &Request) -> anyhow::Result<Value> {
        let stream = UnixStream::connect(&self.socket)
            .with_context(|| format!("cannot reach the operator's socket {}", self.socket.display()))?;
        http::call(stream, request)?.json()
    }
}

/// The configuration of a server without limits on how often one may call: they would end the run.
fn configuration(address: &str, admin: &str, data: &Path, master: &Path, settings: Settings<'_>) -> String {
    let (durability, algorithm) = (settings.durability, settings.algorithm.name());
    let database = settings.postgres.map(|url| format!("[database]\nurl = {url:?}")).unwrap_or_default();
    format!(
        r#"public_url = "http://{address}"
listen = "{address}"
admin_listen = "{admin}"
data_dir = {data:?}
master_key_file = {master:?}

{database}

[tokens]
algorithm = "{algorithm}"

[limits]
token_per_second = 0
basic_per_second = 0
directory_entries = 1100000

[metering]
durability = "{durability}"

[log]
level = "info"

[[product]]
name = "demo"
audience = "http://{address}/demo"
routes = ["/v1/projects/{{project_id}}/**"]
accepts = ["token", "basic"]
scope = "demo"
errors = "google"
count = true

[[product]]
name = "uncounted"
routes = ["{UNCOUNTED}/{{project_id}}/**"]
accepts = ["token", "basic"]
scope = "demo"
errors = "google"
count = false

[[product]]
name = "sms"
routes = ["/sms/v1/plans/{{service_plan_id}}/**"]
accepts = ["api-token"]
"#
    )
}

/// Two addresses that nobody listens on. Both are held until both are known, so that they differ.
pub(crate) fn free_addresses() -> anyhow::Result<[String; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    let [public, admin] = &listeners;
    Ok([public.local_addr()?.to_string(), admin.local_addr()?.to_string()])
}

/// A port that is free like the two behind it: `tollgate dev` takes all three.
pub(crate) fn free_port_for_three() -> anyhow::Result<u16> {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let behind = [1, 2].map(|more| TcpListener::bind(("127.0.0.1", port.saturating_add(more))));
        if behind.iter().all(Result::is_ok) {
            return Ok(port);
        }
    }
    anyhow::bail!("no three ports in a row are free")
}

/// The calls of all rows, whatever they are grouped by.
fn sum_of_calls(usage: &Value) -> Option<u64> {
    let rows = usage.as_object()?.values().find_map(Value::as_array)?;
    rows.iter().map(|row| row["calls"].as_u64()).sum()
}

fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("no {pointer} in the answer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_free_addresses_differ() {
        let [public, admin] = free_addresses().expect("loopback has free ports");
        assert_ne!(public, admin);
    }

    #[test]
    fn the_configuration_says_what_was_asked_for_and_keeps_the_placeholder() {
        let settings = Settings {
            durability: "disk",
            algorithm: Algorithm::EdDsa,
            postgres: Some("postgres:///x"),
            ..Settings::default()
        };
        let text = configuration("127.0.0.1:1", "127.0.0.1:2", Path::new("data"), Path::new("data.master"), settings);
        assert!(text.contains("durability = \"disk\""));
        assert!(text.contains("algorithm = \"EdDSA\""));
        assert!(text.contains("data_dir = \"data\""));
        assert!(text.contains("[database]\nurl = \"postgres:///x\""));
        assert!(text.contains("/v1/projects/{project_id}/**"));
    }

    #[test]
    fn the_calls_of_all_rows_are_summed_and_a_row_without_them_is_no_zero() {
        let usage = json!({"usage": [{"group": "a", "calls": 2, "denied": 1}, {"group": "b", "calls": 3}], "next": ""});
        assert_eq!(sum_of_calls(&usage), Some(5));
        assert_eq!(sum_of_calls(&json!({"usage": [{"group": "a"}]})), None);
    }

    #[test]
    fn a_missing_field_is_named_without_the_answer_that_may_hold_a_secret() {
        let error = text(&json!({"secret": "tgs_1"}), "/accessKey/accessKeyId").expect_err("no such field");
        assert_eq!(error.to_string(), "no /accessKey/accessKeyId in the answer");
    }
}
