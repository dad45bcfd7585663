//! What keeps the server from starting: one sentence that says what to do, exit code 1, nothing changed.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::deadline::until;
use crate::server::{House, program};

/// Every file below a directory: its mode and its bytes. `None` when there is no directory.
fn snapshot(directory: &Path) -> Option<BTreeMap<PathBuf, (u32, Vec<u8>)>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory).ok()? {
        let path = entry.expect("an entry").path();
        let facts = std::fs::symlink_metadata(&path).expect("facts");
        let bytes = if facts.is_file() { std::fs::read(&path).expect("a file") } else { Vec::new() };
        files.insert(path, (facts.permissions().mode(), bytes));
    }
    Some(files)
}

/// Runs the program until it gives up, and returns the one sentence that it says.
#[track_caller]
pub(crate) fn sentence(mut command: Command) -> String {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let pid = child.id();
    let ended = until("it gives up", 20, || child.try_wait().expect("own child"));
    let output = child.wait_with_output().expect("its output");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(said.lines().count(), 1, "process {pid} said:\n{said}");
    assert_eq!(ended.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let line = said.strip_prefix("tollgate: ").unwrap_or_else(|| panic!("it does not name the program: {said}"));
    line.trim_end().to_owned()
}

#[track_caller]
fn refused(house: &House, words: &[&str]) -> String {
    let mut command = program();
    command.arg("serve").arg("--config").arg(house.config());
    let before = snapshot(&house.data());
    let sentence = sentence(command);
    for word in words {
        assert!(sentence.contains(word), "{word} is not in: {sentence}");
    }
    let after = snapshot(&house.data());
    let names =
        |files: &Option<BTreeMap<PathBuf, _>>| files.as_ref().map(|files| files.keys().cloned().collect::<Vec<_>>());
    assert_eq!(names(&before), names(&after), "files came or went: {sentence}");
    assert!(before == after, "a file changed: {sentence}");
    sentence
}

/// A data directory that was used and closed in good order.
fn used() -> House {
    let mut house = House::new("");
    house.start().stop();
    house
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let mut house = House::new("");
    std::fs::write(house.path().join("file"), "").expect("a file");
    for place in [house.path().join("file/data"), PathBuf::from("/proc/tollgate-data"), house.path().join("file")] {
        house.move_data(place.clone());
        refused(&house, &[&place.display().to_string(), "data_dir"]);
    }
}

#[test]
fn a_data_directory_without_write_permission_is_named() {
    let house = used();
    for (directory, lock) in [(0o500, 0o600), (0o700, 0o400)] {
        let set = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("own file");
        set(&house.data().join("lock"), lock);
        std::fs::write(house.path().join("probe"), "").expect("a file");
        set(&house.path().join("probe"), 0o400);
        let permissions_bind = std::fs::OpenOptions::new().write(true).open(house.path().join("probe")).is_err();
        set(&house.data(), directory);
        if permissions_bind {
            refused(&house, &["data_dir"]);
        }
        set(&house.data(), 0o700);
        set(&house.path().join("probe"), 0o600);
    }
}

#[test]
fn a_port_that_is_taken_is_named_and_no_directory_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    for field in ["listen", "admin_listen"] {
        let house = House::new(&format!("{field} = '{address}'\n"));
        refused(&house, &[&address, field]);
        assert!(!house.data().exists());
    }
}

#[test]
fn a_second_server_on_one_data_directory_is_refused() {
    let mut house = House::new("");
    let server = house.start();
    let data = house.data();
    refused(&house, &[&data.display().to_string(), "in use", "another data_dir"]);
    assert_eq!(server.get("/readyz").status, 200);
    crate::world::World::new(server.operator());
}

#[test]
fn a_schema_from_the_future_is_refused() {
    let house = used();
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n\
                  c.execute(\"INSERT INTO _sqlx_migrations SELECT 9999, 'later', installed_on, success, checksum, 0 FROM _sqlx_migrations LIMIT 1\")\n\
                  c.commit()\nc.close()";
    let done = Command::new("python3").args(["-c", script]).arg(house.data().join("tollgate.db")).status();
    assert!(done.expect("python3").success());
    refused(&house, &["schema 9999", "newer program"]);
}

#[test]
fn a_wrong_master_key_is_refused() {
    let mut house = used();
    let other = house.path().join("other.key");
    std::fs::write(&other, "ab".repeat(32)).expect("a file");
    house.set(&format!("master_key_file = '{}'\n", other.display()));
    refused(&house, &["another master key", "master_key_file"]);
    house.set("");
    house.start().stop();
}

#[test]
fn a_malformed_or_missing_master_key_is_refused() {
    for house in [used(), House::new("")] {
        let mut house = house;
        let file = house.path().join("given.key");
        house.set(&format!("master_key_file = '{}'\n", file.display()));
        refused(&house, &["given.key", "master_key_file"]);
        for text in ["", "0123", &"zz".repeat(32), &"ab".repeat(33)] {
            std::fs::write(&file, text).expect("a file");
            let sentence = refused(&house, &["given.key", "64 hex digits"]);
            assert!(text.is_empty() || !sentence.contains(text));
        }
    }
}

#[test]
fn postgresql_without_a_master_key_is_refused() {
    let mut house = House::new("");
    for field in ["url = 'postgres://tollgate:a-password@127.0.0.1:1/tollgate'", "url_file = 'nowhere'"] {
        house.set(&format!("[database]\n{field}\n"));
        let sentence = refused(&house, &["PostgreSQL"]);
        assert!(!sentence.contains("a-password"), "{sentence}");
    }
}

#[test]
fn a_postgresql_that_does_not_answer_is_named_without_its_password() {
    let mut house = House::new("");
    let key = house.path().join("given.key");
    std::fs::write(&key, "ab".repeat(32)).expect("a file");
    for url in ["postgres://tollgate:a-password@127.0.0.1:1/tollgate", "postgres//tollgate:a-password@nonsense"] {
        house.set(&format!("master_key_file = '{}'\n[database]\nurl = '{url}'\n", key.display()));
        let mut command = program();
        command.arg("serve").arg("--config").arg(house.config());
        let sentence = sentence(command);
        assert!(sentence.contains("database") && !sentence.contains("a-password"), "{sentence}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let house = used();
    std::fs::write(
        house.data().join("tollgate.db"),
        "this is something else, and long enough to be looked at\n".repeat(50),
    )
    .expect("a file");
    refused(&house, &["database"]);
}

#[test]
fn an_unknown_field_is_refused_with_its_line_and_the_nearest_name() {
    let house = House::new("\n[tokens]\nlifetime_second = 600\n");
    refused(&house, &["line 6", "lifetime_second", "did you mean lifetime_seconds?"]);
}

#[test]
fn a_value_that_is_out_of_range_or_of_the_wrong_type_is_refused() {
    let mut house = House::new("[tokens]\nlifetime_seconds = 60\n");
    refused(&house, &["tokens.lifetime_seconds", "61"]);
    house.set("[tokens]\nlifetime_seconds = 'an hour'\n");
    refused(&house, &["tollgate.toml", "line 5"]);
}

/// The line that is wrong may hold a password: it is not quoted.
#[test]
fn a_file_that_is_not_toml_is_refused_without_quoting_it() {
    let house = House::new("[database]\nurl = 'postgres://tollgate:a-password@db/tollgate\n");
    let sentence = refused(&house, &["tollgate.toml", "line 5"]);
    assert!(!sentence.contains("a-password"), "{sentence}");
}

#[test]
fn a_missing_configuration_is_named() {
    let house = House::new("");
    std::fs::remove_file(house.config()).expect("own file");
    refused(&house, &["tollgate.toml", "--config"]);
}
