//! `tollgate dev`: one command, one directory, and lines to paste.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::deadline::until;
use crate::leak_watch::Watch;
use crate::permissions::mode;
use crate::server::{program, signal};
use crate::start_errors::sentence;
use crate::wire::{Request, To, once, operator};
use crate::world::Key;

/// A running `tollgate dev` and what it printed. It is killed when it is dropped.
struct Dev {
    child: Child,
    out: PathBuf,
    log: PathBuf,
    data: PathBuf,
    said: String,
}

impl Dev {
    fn start(directory: &Path, name: &str) -> Self {
        let (out, log) = (directory.join(format!("{name}.out")), directory.join(format!("{name}.log")));
        let file = |path| File::create(path).expect("a file");
        let mut command = program();
        command.args(["dev", "--listen", "127.0.0.1:0", "--env", "dev.env"]).current_dir(directory);
        let child = command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&log)).spawn().expect("dev starts");
        let mut dev = Self { child, out, log, data: directory.join("tollgate-data"), said: String::new() };
        dev.said = until("dev says what to do", 20, || {
            let said = std::fs::read_to_string(&dev.out).expect("UTF-8");
            let ended = dev.child.try_wait().expect("own child");
            assert!(ended.is_none(), "dev ended: {}", std::fs::read_to_string(&dev.log).expect("UTF-8"));
            said.contains("usage show").then_some(said)
        });
        dev
    }

    fn field(&self, name: &str) -> String {
        let line = self.said.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next())
            .unwrap_or_else(|| panic!("no {name} in {}", self.said))
            .to_owned()
    }

    fn key(&self) -> Key {
        Key { id: self.field("KEY ID"), secret: self.field("KEY SECRET") }
    }

    fn public(&self) -> To {
        let address = self.said.split("runs at http://").nth(1).expect("an address");
        To::Tcp(address.split([',', ' ', '\n']).next().expect("an address").parse().expect("an address"))
    }

    /// What stands on the account: calls and message parts.
    fn counted(&self) -> [i64; 2] {
        let target = format!("/v1/accounts/{}/usage?groupBy=key", self.field("Account ID"));
        let usage = once(&operator(&self.data), &Request::get(target)).expect(200).json();
        ["totalCalls", "totalUnits"].map(|total| usage[total].as_i64().expect("a number"))
    }

    /// The settings for scripts.
    fn setting(&self, name: &str) -> String {
        let env = std::fs::read_to_string(self.data.with_file_name("dev.env")).expect("the file");
        let line = env.lines().find_map(|line| line.strip_prefix(&format!("TOLLGATE_{name}=")));
        line.unwrap_or_else(|| panic!("no {name}")).to_owned()
    }

    /// The sample API.
    fn sample(&self) -> To {
        To::Tcp(self.setting("SAMPLE_URL").trim_start_matches("http://").parse().expect("an address"))
    }

    /// Sends a message to one number with an API token of the service plan.
    fn text(&self, api_token: &str) -> Request {
        let target = format!("/xms/v1/{}/batches", self.setting("SERVICE_PLAN_ID"));
        Request::post(target).bearer(api_token).json(json!({ "to": ["+12025550134"], "body": "Hello" }))
    }

    fn stop(mut self) -> String {
        signal("INT", self.child.id());
        let status = until("dev ends", 10, || self.child.try_wait().expect("own child"));
        assert_eq!(status.code(), Some(0));
        std::fs::read_to_string(&self.log).expect("UTF-8")
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs lines in a shell beside the data, with the program in the path.
fn paste(directory: &Path, lines: &str) -> String {
    let beside = Path::new(crate::server::PROGRAM).parent().expect("a directory").display().to_string();
    let path = format!("{beside}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.env_clear().env("PATH", path).env("HOME", directory).arg("-e").arg("-c").arg(lines).current_dir(directory);
    let done = shell.output().expect("sh");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{lines}\n{said}");
    said
}

#[test]
fn the_lines_that_dev_prints_send_a_message_and_show_that_it_was_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let dev = Dev::start(directory.path(), "first");
    assert_eq!(dev.counted(), [0, 0]);
    let is_command =
        |line: &&str| line.starts_with("TOKEN=") || line.starts_with("curl ") || line.contains(" usage show ");
    let lines: Vec<&str> = dev.said.lines().filter(is_command).collect();
    assert!(lines.len() >= 3, "{}", dev.said);
    let said = paste(directory.path(), &lines.join("\n"));
    assert!(said.contains(&dev.key().id), "{said}");
    assert!(said.contains("\"to\":[\"12025550134\"]"), "{said}");
    assert_eq!(dev.counted(), [1, 1]);
    dev.stop();
}

#[test]
fn the_file_for_scripts_says_the_same_and_only_its_owner_may_read_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let dev = Dev::start(directory.path(), "first");
    let env = directory.path().join("dev.env");
    assert_eq!(mode(&env), 0o600);
    assert_eq!(mode(&dev.data), 0o700);
    let text = std::fs::read_to_string(&env).expect("the file");
    let Key { id, secret } = dev.key();
    let To::Tcp(address) = dev.public() else { unreachable!("dev listens on TCP") };
    let (account, project) = (dev.field("Account ID"), dev.field("Project ID"));
    let (plan, token) = (dev.field("SERVICE PLAN ID"), dev.field("API token"));
    let (subproject, To::Tcp(sample)) = (dev.setting("SUBPROJECT_ID"), dev.sample()) else { unreachable!("it is TCP") };
    assert_eq!(
        text,
        format!(
            "TOLLGATE_URL=http://{address}\nTOLLGATE_ACCOUNT_ID={account}\nTOLLGATE_PROJECT_ID={project}\n\
             TOLLGATE_KEY_ID={id}\nTOLLGATE_KEY_SECRET={secret}\nTOLLGATE_SUBPROJECT_ID={subproject}\n\
             TOLLGATE_SERVICE_PLAN_ID={plan}\nTOLLGATE_API_TOKEN={token}\nTOLLGATE_SAMPLE_URL=http://{sample}\n"
        )
    );
    let said = paste(
        directory.path(),
        ". ./dev.env; curl -s -u $TOLLGATE_KEY_ID:$TOLLGATE_KEY_SECRET -d grant_type=client_credentials $TOLLGATE_URL/oauth2/token",
    );
    assert!(said.contains("access_token"), "{said}");
    dev.stop();
}

#[test]
fn a_second_start_keeps_the_key_id_and_rotates_the_secret() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut watch = Watch::default();
    let first = Dev::start(directory.path(), "first");
    let (old, project) = (first.key(), first.field("Project ID"));
    watch.other_key("first secret", &old);
    watch.text("first API token", &first.setting("API_TOKEN"), false);
    watch.master_key(&first.data);
    old.token(&first.public());
    watch.search_files(&first.data);
    let data = first.data.clone();
    let mut logs = first.stop();
    watch.search_files(&data);

    let second = Dev::start(directory.path(), "second");
    let new = second.key();
    assert_eq!((&new.id, second.field("Project ID")), (&old.id, project));
    assert_ne!(new.secret, old.secret);
    watch.search("what the second start says", second.said.as_bytes());
    watch.other_key("second secret", &new);
    once(&second.public(), &old.token_request()).expect(401);
    new.token(&second.public());
    for target in [
        format!("/v1/projects/{}/accessKeys", second.field("Project ID")),
        format!("/v1/accounts/{}/auditEvents", second.field("Account ID")),
    ] {
        watch.send(&operator(&data), &Request::get(target)).expect(200);
    }
    watch.search_files(&data);
    logs += &second.stop();
    watch.search_files(&data);
    watch.search("the log", logs.as_bytes());
    watch.search_answers();
}

#[test]
fn a_second_start_keeps_the_service_plan_and_replaces_its_api_token() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = Dev::start(directory.path(), "first");
    let ids = |dev: &Dev| [dev.setting("SERVICE_PLAN_ID"), dev.setting("SUBPROJECT_ID")];
    let (known, old) = (ids(&first), first.setting("API_TOKEN"));
    once(&first.sample(), &first.text(&old)).expect(201);
    first.stop();

    let second = Dev::start(directory.path(), "second");
    assert_eq!(ids(&second), known);
    once(&second.sample(), &second.text(&old)).expect(401);
    once(&second.sample(), &second.text(&second.setting("API_TOKEN"))).expect(201);
    assert_eq!(second.counted(), [2, 2]);
    second.stop();
}

#[test]
fn messages_of_any_account_are_paid_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let dev = Dev::start(directory.path(), "first");
    let make =
        |target: &str, body| once(&operator(&dev.data), &Request::post(target.to_owned()).json(body)).expect(200);
    let account = make("/v1/accounts", json!({ "displayName": "Another" })).text("/accountId");
    let projects = format!("/v1/accounts/{account}/projects");
    let project = make(&projects, json!({ "displayName": "another" })).text("/projectId");
    let made = make(&format!("/v1/projects/{project}/servicePlans"), json!({ "displayName": "another" }));
    let target = format!("/xms/v1/{}/batches", made.text("/servicePlan/servicePlanId"));
    let two = json!({ "to": ["+12025550134", "+12025550135"], "body": "Hello" });
    once(&dev.sample(), &Request::post(target).bearer(&made.text("/secret")).json(two)).expect(201);
    let usage = Request::get(format!("/v1/accounts/{account}/usage"));
    assert_eq!(once(&operator(&dev.data), &usage).expect(200).json()["totalUnits"], 2);
    assert_eq!(dev.counted(), [0, 0]);
    dev.stop();
}

#[test]
fn a_start_after_the_key_was_deleted_makes_another() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = Dev::start(directory.path(), "first");
    let old = first.key();
    let target = format!("/v1/projects/{}/accessKeys/{}", first.field("Project ID"), old.id);
    once(&operator(&first.data), &Request::new("DELETE", target)).expect(200);
    first.stop();
    let second = Dev::start(directory.path(), "second");
    assert_ne!(second.key().id, old.id);
    second.key().token(&second.public());
    once(&second.public(), &old.token_request()).expect(401);
    second.stop();
}

#[test]
fn a_start_after_a_kill_works_like_any_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut first = Dev::start(directory.path(), "first");
    let old = first.key();
    first.child.kill().expect("own child");
    first.child.wait().expect("own child");
    let second = Dev::start(directory.path(), "second");
    assert_eq!(second.key().id, old.id);
    second.key().token(&second.public());
    second.stop();
}

#[test]
fn a_port_that_is_taken_is_one_sentence() {
    let directory = tempfile::tempdir().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut command = program();
    command.args(["dev", "--listen", &address]).current_dir(directory.path());
    let sentence = sentence(command);
    assert!(sentence.contains(&address) && sentence.contains("--listen"), "{sentence}");
    assert!(!directory.path().join("tollgate-data").exists());
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = program();
    command.args(["dev", "--listen", "0.0.0.0:0"]).current_dir(directory.path());
    assert!(sentence(command).contains("loopback"));
    assert!(!directory.path().join("tollgate-data").exists());
}
