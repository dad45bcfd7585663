//! The client commands as their users have them: what they print, where, and with which exit code. Each runs in a process
//! of its own beside a `tollgate dev` of its own.

mod dev;
mod people;
mod plans;

use std::os::unix::fs::PermissionsExt as _;

use dev::{Dev, alone, settings};

#[test]
fn a_new_secret_is_printed_once_and_works() {
    let dev = Dev::start();
    let created = dev.run("key create worker -o env");
    assert_eq!(created.code, 0, "{created:?}");
    let new = settings(&created.out);
    let find = |name: &str| new.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).expect(name);
    let (id, secret) = (find("TOLLGATE_KEY_ID"), find("TOLLGATE_KEY_SECRET"));
    assert_eq!(created.out.matches(secret).count(), 1);
    assert!(!created.err.contains(secret) && created.err.contains("cannot be shown again"));
    for later in ["key list -o json", &format!("key get {id} -o json"), "audit export", "key list -o csv"] {
        assert!(!dev.run(later).out.contains(secret), "{later}");
    }
    let pair = [("TOLLGATE_KEY_ID", id), ("TOLLGATE_KEY_SECRET", secret)];
    assert_eq!(dev.run_with("token get", &pair, "").code, 0);
}

#[test]
fn a_secret_file_holds_the_secret_and_the_output_does_not() {
    let dev = Dev::start();
    let created = dev.run("key create worker --secret-file secret -o json");
    assert_eq!(created.code, 0, "{created:?}");
    let file = dev.path().join("secret");
    let secret = std::fs::read_to_string(&file).expect("written");
    assert_eq!(std::fs::metadata(&file).expect("metadata").permissions().mode() & 0o777, 0o600);
    assert!(!created.out.contains(secret.trim()) && !created.err.contains(secret.trim()));
    let key: serde_json::Value = serde_json::from_str(&created.out).expect("JSON");
    let id = key["accessKey"]["accessKeyId"].as_str().expect("a KEY ID");
    assert_eq!(dev.run(&format!("token get --key-id {id} --key-secret-file secret")).code, 0);
    assert_eq!(dev.run("key create other --secret-file secret").code, 1);
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), secret);
    assert!(!dev.run("key list").out.contains("other"), "a key without a place for its secret");
}

#[test]
fn without_a_terminal_nothing_is_lost_unless_yes_is_said() {
    let dev = Dev::start();
    let (id, project) = (dev.setting("TOLLGATE_KEY_ID"), dev.setting("TOLLGATE_PROJECT_ID"));
    let account = dev.setting("TOLLGATE_ACCOUNT_ID");
    let verbs = [
        format!("key rotate {id} --overlap 0"),
        format!("account suspend {account}"),
        format!("key delete {id}"),
        format!("project archive {project}"),
    ];
    for verb in &verbs {
        let refused = dev.run_with(verb, &[], "y\n");
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{verb}");
        assert!(refused.err.contains("--yes"));
    }
    assert_eq!(dev.run("token get").code, 0, "the key works as before");
    for verb in &verbs {
        assert_eq!(dev.run(&format!("{verb} --yes")).code, 0, "{verb}");
    }
    assert_eq!(dev.run("token get").code, 3);
}

#[test]
fn each_failure_has_its_exit_code_and_says_nothing_on_standard_output() {
    let dev = Dev::start();
    let over_http = format!("--server {}", dev.setting("TOLLGATE_URL"));
    let wrong = [("TOLLGATE_KEY_SECRET", "tgs_wrong")];
    let stranger = "01995a31-0000-7000-8000-000000000000";
    let cases = [
        (1, dev.run("key create x --expires 2020-01-01")),
        (2, dev.run("key list -o env")),
        (2, dev.run("key get not-an-id")),
        (3, dev.run_with(&format!("{over_http} key list"), &wrong, "")),
        (4, dev.run(&format!("key get {stranger}"))),
        (4, dev.run(&format!("check {stranger}"))),
        (5, dev.run("key create demo-key")),
        (6, dev.run(&format!("{over_http} account list"))),
        (8, alone("account list")),
        (8, alone("--server http://127.0.0.1:1 health")),
        (9, dev.run_with("token inspect", &[], "eyJ.x.y\n")),
    ];
    for (code, done) in cases {
        assert_eq!((done.code, done.out.as_str()), (code, ""), "{done:?}");
        assert!(!done.err.is_empty());
    }
}

#[test]
fn a_call_is_counted_and_a_denied_one_explained() {
    let dev = Dev::start();
    assert_eq!(dev.run("health").code, 0);
    let token = dev.run("token get").out.trim().to_owned();
    assert!(dev.call(&token).starts_with("HTTP/1.1 200"));
    let usage = dev.run("usage export --by key");
    let line = format!("{},,demo-key,1,0,0\r\n", dev.setting("TOLLGATE_KEY_ID"));
    assert!(usage.out.ends_with(&line), "{usage:?}");

    assert_eq!(dev.run_with("token revoke", &[], &token).code, 0);
    let denied = dev.call(&token);
    let request = denied.lines().find_map(|line| line.strip_prefix("request-id: ")).expect("a request id");
    let explained = dev.run(&format!("check {}", request.trim()));
    assert!(explained.out.contains("was denied: The access token was revoked."), "{explained:?}");
    assert_eq!(dev.run_with("token inspect", &[("TOLLGATE_TOKEN", &token)], "").code, 9);
}

#[test]
fn what_needs_no_server_asks_none() {
    for line in ["completion bash", "config template", "config reference", "help-markdown", "--version"] {
        let done = alone(line);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{line}");
        assert!(!done.out.is_empty());
    }
    let refused = alone("config check missing.toml");
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert_eq!(refused.err.lines().count(), 1);
}
