//! A running `tollgate dev` in a directory of its own, and commands beside it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running server. It ends with this value.
pub(crate) struct Dev {
    child: Child,
    /// Kept open: the server has more to say.
    _said: BufReader<ChildStdout>,
    directory: tempfile::TempDir,
    sample: String,
    settings: Vec<(String, String)>,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Dev {
    /// Starts a server, and waits until it has said where it is.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut child = tollgate(directory.path())
            .args(["dev", "--listen", "127.0.0.1:0", "--env", "env"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let mut said = BufReader::new(child.stdout.take().expect("a pipe"));
        let place =
            said.by_ref().lines().map(|line| line.expect("text")).find(|line| line.starts_with("Tollgate runs at"));
        let place = place.expect("the address");
        let sample = place.rsplit("http://").next().expect("the sample API's address").trim_end_matches('.').to_owned();
        let env = std::fs::read_to_string(directory.path().join("env")).expect("the settings");
        Self { child, _said: said, directory, sample, settings: settings(&env) }
    }

    /// One of the settings that `dev` wrote.
    pub(crate) fn setting(&self, name: &str) -> &str {
        self.settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).expect(name)
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a command beside the data, with the settings that `dev` wrote.
    pub(crate) fn run(&self, line: &str) -> Done {
        self.run_with(line, &[], "")
    }

    /// The same with other settings, and with a text on standard input.
    pub(crate) fn run_with(&self, line: &str, settings: &[(&str, &str)], input: &str) -> Done {
        let mut command = tollgate(self.path());
        command.args(line.split(' ')).envs(self.settings.iter().cloned()).envs(settings.iter().copied());
        finish(command, input)
    }

    /// Status line and body of a call to the sample API.
    pub(crate) fn call(&self, token: &str) -> String {
        let mut stream = TcpStream::connect(&self.sample).expect("the sample API");
        let (project, sample) = (self.setting("TOLLGATE_PROJECT_ID"), &self.sample);
        let request = format!(
            "GET /v1/projects/{project}/activeNumbers HTTP/1.1\r\nhost: {sample}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command where no server is.
pub(crate) fn alone(line: &str) -> Done {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = tollgate(directory.path());
    command.args(line.split(' '));
    finish(command, "")
}

/// Runs a command in a directory, which is its home too, with these settings and a text on standard input.
pub(crate) fn beside(directory: &Path, line: &str, settings: &[(&str, &str)], input: &str) -> Done {
    let mut command = tollgate(directory);
    command.args(line.split(' ')).envs(settings.iter().copied());
    finish(command, input)
}

/// The lines of an `.env` file.
pub(crate) fn settings(env: &str) -> Vec<(String, String)> {
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    env.lines().filter_map(pair).collect()
}

/// The program, without the settings of whoever runs the tests.
fn tollgate(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.current_dir(directory).env_clear().env("HOME", directory);
    command
}

fn finish(mut command: Command, input: &str) -> Done {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    // A command that reads nothing may have ended before it is given anything.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("ended");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Done { code: output.status.code().expect("no signal"), out: text(output.stdout), err: text(output.stderr) }
}
