//! A Tollgate of our own: its configuration, its data directory, and one key in it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tollgate_bench::Algorithm;

use crate::http::{self, Request};
use crate::process::Process;
use crate::subject::{Access, Case, DISK, PROCESS, Subject};

/// What must have happened to a count before its call is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Committed: survives the end of the process.
    Process,
    /// On the disk: survives the loss of power.
    Disk,
}

/// A running Tollgate.
pub(crate) struct Tollgate {
    pub(crate) subject: Subject,
    durability: Durability,
    operator: Operator,
    account: String,
}

/// The operator's door: a Unix socket in the data directory.
struct Operator {
    socket: PathBuf,
}

impl Durability {
    /// Both, the default first.
    pub(crate) const ALL: [Self; 2] = [Self::Process, Self::Disk];

    fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Disk => "disk",
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Self::Process => PROCESS,
            Self::Disk => DISK,
        }
    }
}

impl Tollgate {
    /// Starts Tollgate on an empty data directory in `work`, and makes an account, a project and a key.
    pub(crate) fn start(
        program: &Path,
        work: &Path,
        durability: Durability,
        algorithm: Algorithm,
    ) -> anyhow::Result<Self> {
        let data = work.join(durability.word());
        fs::create_dir(&data).with_context(|| format!("cannot make {}", data.display()))?;
        let [address, admin] = free_addresses()?;
        let config = work.join(format!("{}.toml", durability.word()));
        fs::write(&config, configuration(&address, &admin, &data, durability, algorithm))
            .with_context(|| format!("cannot write {}", config.display()))?;

        let log = work.join(format!("tollgate-{}.log", durability.word()));
        let arguments = ["serve".as_ref(), "--config".as_ref(), config.as_os_str()];
        let mut process = Process::start(program, &arguments, &log)?;
        process.wait_for(durability.subject(), || {
            http::call(TcpStream::connect(&address).ok()?, &Request::get("/readyz")).ok()
        })?;

        let operator = Operator { socket: data.join("tollgate.sock") };
        let (account, access) = operator.prepare(address)?;
        let subject = Subject::tried(durability.subject(), process, access, None)?;
        let tollgate = Self { subject, durability, operator, account };
        tollgate.require_count(3)?;
        Ok(tollgate)
    }

    /// Whether it takes a turn in `case`: how the ledger is kept makes no difference to a token.
    pub(crate) fn plays(&self, case: Case) -> bool {
        case.is_gate() || self.durability == Durability::Process
    }

    /// Fails if fewer calls were counted than were let through: then it was not the promise that was measured.
    pub(crate) fn require_count(&self, let_through: u64) -> anyhow::Result<()> {
        let counted = self.operator.calls(&self.account)?;
        let name = self.subject.name;
        ensure!(counted >= let_through, "{name} let {let_through} calls through and counted {counted}");
        Ok(())
    }
}

impl Operator {
    /// An account with a project with a key and a service plan.
    fn prepare(&self, address: String) -> anyhow::Result<(String, Access)> {
        let named = json!({"displayName": "bench"});
        let account = text(&self.post("/v1/accounts", &named)?, "/accountId")?;
        let project = text(&self.post(&format!("/v1/accounts/{account}/projects"), &named)?, "/projectId")?;
        let wanted = json!({"displayName": "bench", "scopes": ["demo"]});
        let made = self.post(&format!("/v1/projects/{project}/accessKeys"), &wanted)?;
        let key = text(&made, "/accessKey/accessKeyId")?;
        let secret = text(&made, "/secret")?;
        let made = self.post(&format!("/v1/projects/{project}/servicePlans"), &named)?;
        let plan = Some((text(&made, "/servicePlan/servicePlanId")?, text(&made, "/secret")?));
        Ok((account, Access { address, project, key, secret, plan }))
    }

    /// How many calls are on the bill of `account`.
    fn calls(&self, account: &str) -> anyhow::Result<u64> {
        let usage = self.send(&Request::get(format!("/v1/accounts/{account}/usage")))?;
        sum_of_calls(&usage).with_context(|| format!("no calls in {usage}"))
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
fn configuration(address: &str, admin: &str, data: &Path, durability: Durability, algorithm: Algorithm) -> String {
    let (durability, algorithm) = (durability.word(), algorithm.name());
    format!(
        r#"public_url = "http://{address}"
listen = "{address}"
admin_listen = "{admin}"
data_dir = {data:?}

[tokens]
algorithm = "{algorithm}"

[limits]
token_per_second = 0
basic_per_second = 0

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
name = "sms"
routes = ["/sms/v1/plans/{{service_plan_id}}/**"]
accepts = ["api-token"]
"#
    )
}

/// Two addresses that nobody listens on. Both are held until both are known, so that they differ.
fn free_addresses() -> anyhow::Result<[String; 2]> {
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
    fn the_configuration_says_durability_and_keeps_the_placeholder() {
        let text = configuration("127.0.0.1:1", "127.0.0.1:2", Path::new("data"), Durability::Disk, Algorithm::EdDsa);
        assert!(text.contains("durability = \"disk\""));
        assert!(text.contains("algorithm = \"EdDSA\""));
        assert!(text.contains("data_dir = \"data\""));
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
