//! A disk without space: changes and calls are refused. A database that another program holds: changes are. Tokens go on, nothing
//! that was acknowledged is lost, and all is well again without a restart.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::deadline::{now, until};
use crate::server::{House, PROGRAM, Server};
use crate::wire::{Request, once};
use crate::world::{Key, World};

const LIMITS: &str = "[limits]\ntoken_per_second = 0\nbasic_per_second = 0\nkeys_per_project = 1000\n";

/// A server with two keys and some counted calls, before the disaster.
struct Scene {
    server: Server,
    world: World,
    key: Key,
    other: Key,
    token: String,
    admitted: i64,
    made: usize,
}

impl Scene {
    fn new(server: Server) -> Self {
        let world = World::new(server.operator());
        let (key, other) = (world.key("caller"), world.key("other"));
        let token = key.token(&server.public());
        let mut scene = Self { server, world, key, other, token, admitted: 0, made: 0 };
        for _ in 0..10 {
            assert_eq!(scene.call(), 200);
        }
        scene
    }

    /// A call; it is either counted, or refused as our own outage.
    fn call(&mut self) -> u16 {
        let answer = once(&self.server.public(), &self.world.gate().bearer(&self.token));
        match answer.status {
            200 => self.admitted += 1,
            503 => assert!(answer.header("retry-after").is_some(), "{}", answer.head),
            other => panic!("{other}: {}", answer.body),
        }
        answer.status
    }

    /// A new key; made, or refused as our own outage.
    fn create(&mut self) -> u16 {
        let answer = self.world.create(&format!("key {}", self.made));
        match answer.status {
            200 => self.made += 1,
            503 => assert!(answer.header("retry-after").is_some() && answer.text("/error/status") == "UNAVAILABLE"),
            other => panic!("{other}: {}", answer.body),
        }
        answer.status
    }

    fn refuses_what_it_cannot_store(&mut self) {
        until("calls are refused", 20, || (self.call() == 503).then_some(()));
        let began = now();
        assert_eq!(self.call(), 503);
        assert!(began.elapsed().as_secs() < 5, "it took {:?}", began.elapsed());
        self.refuses_changes();
        assert_eq!(self.server.get("/readyz").status, 503);
    }

    fn refuses_changes(&mut self) {
        until("changes are refused", 20, || (self.create() == 503).then_some(()));
        let other = format!("{}/{}", self.world.keys(), self.other.id);
        for request in [
            Request::new("DELETE", &other),
            Request::post(format!("{other}/rotateSecret")).json(json!({ "overlapSeconds": 0 })),
            Request::post(format!("{other}/disable")),
            Request::new("PATCH", &other).json(json!({ "displayName": "renamed" })),
            Request::post("/v1/accounts").json(json!({ "displayName": "No room" })),
        ] {
            let answer = once(&self.server.operator(), &request);
            assert_eq!(
                (answer.status, answer.header("retry-after").is_some()),
                (503, true),
                "{}: {}",
                request.line(),
                answer.body
            );
        }
        let revoke =
            Request::post("/oauth2/revoke").basic(&self.key.id, &self.key.secret).form(format!("token={}", self.token));
        let answer = once(&self.server.public(), &revoke);
        assert_eq!(
            (answer.status, answer.header("retry-after").is_some()),
            (503, true),
            "a revocation: {}",
            answer.body
        );
        assert_eq!(self.server.get("/livez").status, 200);
    }

    fn serves_known_keys(&self) {
        for key in [&self.key, &self.other] {
            let token = key.token(&self.server.public());
            let ask = Request::post("/oauth2/introspect").basic(&key.id, &key.secret).form(format!("token={token}"));
            assert!(once(&self.server.public(), &ask).expect(200).json()["active"].as_bool().expect("a flag"));
        }
        once(&self.server.public(), &Request::get("/.well-known/jwks.json")).expect(200);
    }

    /// Nothing was lost, what was refused did not happen, and everything goes on.
    fn is_well_again(&mut self) {
        until("calls are counted again", 5, || (self.call() == 200).then_some(()));
        until("changes are made again", 5, || (self.create() == 200).then_some(()));
        until("the server is ready again", 5, || (self.server.get("/readyz").status == 200).then_some(()));
        self.keeps_what_it_acknowledged();
    }

    fn keeps_what_it_acknowledged(&self) {
        let list = once(&self.world.operator, &Request::get(format!("{}?pageSize=1000", self.world.keys())))
            .expect(200)
            .json();
        let list = list["accessKeys"].as_array().expect("keys");
        assert_eq!(list.len(), self.made + 2, "the keys that were made");
        let other = list.iter().find(|key| key["accessKeyId"] == *self.other.id).expect("the other key");
        assert_eq!((&other["displayName"], &other["disabled"]), (&json!("other"), &json!(false)));
        self.other.token(&self.server.public());
        assert_eq!(self.world.calls(), self.admitted, "each admitted call is counted once");
    }
}

/// The server under a shell that ignores SIGXFSZ: a write beyond the limit fails, as on a full disk.
fn with_file_limit(house: &mut House) -> Server {
    let mut shell = Command::new("sh");
    shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    shell.arg("-c").arg("trap '' XFSZ; exec \"$0\" serve --config \"$1\"").arg(PROGRAM).arg(house.config());
    house.start_with(shell)
}

fn limit_files(server: &Server, soft: &str) {
    let status = Command::new("prlimit")
        .arg(format!("--pid={}", server.pid()))
        .arg(format!("--fsize={soft}:unlimited"))
        .status();
    assert!(status.expect("prlimit, which Debian's util-linux has").success());
}

#[test]
fn a_disk_that_takes_no_byte_refuses_changes_and_calls_until_it_does() {
    let mut house = House::new(LIMITS);
    let mut scene = Scene::new(with_file_limit(&mut house));
    limit_files(&scene.server, "1");
    scene.refuses_what_it_cannot_store();
    scene.serves_known_keys();
    limit_files(&scene.server, "unlimited");
    scene.is_well_again();
    let Scene { server, .. } = scene;
    server.stop();
}

/// What fails now and then is worse than what fails at once: each commit may or may not have taken place.
#[test]
fn a_disk_that_fills_in_the_middle_of_writes_counts_each_admitted_call_once() {
    let mut house = House::new(LIMITS);
    let mut scene = Scene::new(with_file_limit(&mut house));
    let log = house.data().join("tollgate.db-wal");
    for extra in [1_000, 5_000, 9_000, 20_000] {
        let length = std::fs::metadata(&log).expect("the write-ahead log").len();
        limit_files(&scene.server, &(length + extra).to_string());
        until("the limit is reached", 20, || (scene.create() == 503 || scene.call() == 503).then_some(()));
        for _ in 0..5 {
            scene.call();
            scene.create();
        }
        limit_files(&scene.server, "unlimited");
        scene.is_well_again();
    }
    let Scene { server, world, key, other, token, admitted, made } = scene;
    server.kill();
    let server = with_file_limit(&mut house);
    Scene { server, world, key, other, token, admitted, made }.keeps_what_it_acknowledged();
}

/// A file system of 4 MiB.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` when this user may not mount; root must be able to.
    fn mount(place: PathBuf) -> Option<Self> {
        let id = Command::new("id").arg("-u").output().expect("id");
        if id.stdout != b"0\n" {
            eprintln!(
                "not checked: a full file system needs root to mount one; the file size limit was checked instead"
            );
            return None;
        }
        std::fs::create_dir(&place).expect("a directory");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs"]).arg(&place).status();
        assert!(
            mounted.expect("mount").success(),
            "root must be able to mount a tmpfs for this test: give the container CAP_SYS_ADMIN"
        );
        Some(Self(place))
    }

    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = std::fs::File::create(&ballast).expect("a file");
        while file.write(&[0; 4096]).is_ok() {}
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that a failed test left may still use it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_file_system_refuses_changes_and_calls_until_there_is_space() {
    let mut house = House::new(LIMITS);
    let Some(disk) = SmallDisk::mount(house.path().join("disk")) else { return };
    house.move_data(disk.0.join("data"));
    let mut scene = Scene::new(house.start());
    let ballast = disk.fill();
    scene.refuses_what_it_cannot_store();
    scene.serves_known_keys();
    std::fs::remove_file(ballast).expect("space again");
    scene.is_well_again();
    let Scene { server, .. } = scene;
    server.stop();
}

/// Another program that holds the database's write lock until it is told to end.
fn hold(database: &Path) -> Child {
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\nc.execute('BEGIN IMMEDIATE')\n\
                  print('held', flush=True)\nsys.stdin.read()";
    let mut holder = Command::new("python3")
        .args(["-c", script])
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut line = String::new();
    BufReader::new(holder.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert_eq!(line, "held\n");
    holder
}

#[test]
fn a_database_that_cannot_be_written_refuses_changes_and_no_call_until_it_can() {
    let mut house = House::new(LIMITS);
    let mut scene = Scene::new(house.start());
    let mut holder = hold(&house.data().join("tollgate.db"));
    let began = now();
    assert_eq!(scene.create(), 503);
    assert!(began.elapsed().as_millis() < 2_500, "a change waited {:?}", began.elapsed());
    scene.refuses_changes();
    for _ in 0..5 {
        assert_eq!(scene.call(), 200, "calls are counted beside the database");
    }
    scene.serves_known_keys();
    drop(holder.stdin.take());
    holder.wait().expect("own child");
    scene.is_well_again();
}
