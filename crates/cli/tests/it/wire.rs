//! An HTTP/1.1 client that shows every byte, over TCP and over the operator's Unix socket.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const PATIENCE: Duration = Duration::from_secs(10);

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) enum To {
    Tcp(SocketAddr),
    Operator(PathBuf),
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection that is kept open.
pub(crate) struct Connection(BufReader<Stream>);

impl Connection {
    pub(crate) fn open(to: &To) -> io::Result<Self> {
        let stream = match to {
            To::Tcp(address) => {
                let stream = TcpStream::connect_timeout(address, PATIENCE)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Stream::Tcp(stream)
            }
            To::Operator(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Stream::Unix(stream)
            }
        };
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Sends a request and reads its answer.
    pub(crate) fn send(&mut self, request: &Request) -> io::Result<Answer> {
        self.write(&request.bytes())?;
        self.answer()
    }

    /// Reads one answer whole.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut answer = Answer::parse(head)?;
        if answer.header("transfer-encoding").is_some() {
            return Err(io::Error::other("an answer of unknown length"));
        }
        let length = answer.header("content-length").map_or(0, |text| text.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        answer.body = String::from_utf8(body).map_err(io::Error::other)?;
        Ok(answer)
    }

    /// Everything up to the end of the connection. A reset ends it too.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let mut block = [0; 4096];
        while let Ok(read @ 1..) = self.0.read(&mut block) {
            rest.extend_from_slice(&block[..read]);
        }
        String::from_utf8_lossy(&rest).into_owned()
    }
}

/// A request, with the headers that it needs added when it is written.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: &'static str,
    target: String,
    headers: String,
    body: String,
}

impl Request {
    pub(crate) fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: String::new(), body: String::new() }
    }

    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: impl Into<String>) -> Self {
        Self::new("POST", target)
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        write!(self.headers, "{name}: {}\r\n", value.as_ref()).expect("a String takes everything");
        self
    }

    pub(crate) fn basic(self, id: &str, secret: &str) -> Self {
        self.header("authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: impl ToString) -> Self {
        self.body("application/json", body)
    }

    pub(crate) fn form(self, body: impl ToString) -> Self {
        self.body("application/x-www-form-urlencoded", body)
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers hand over what they just made: a text or JSON")]
    pub(crate) fn body(self, kind: &str, body: impl ToString) -> Self {
        let mut with = self.header("content-type", kind);
        with.body = body.to_string();
        with
    }

    /// Method and target, for messages.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { method, target, headers, body } = self;
        let length = body.len();
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}")
            .into_bytes()
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers as they came.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn parse(head: String) -> io::Result<Self> {
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no status: {head}")))?;
        Ok(Self { status, head, body: String::new() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The answer, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}{}", self.head, self.body);
        self
    }

    /// A text in the JSON body.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> String {
        let json = self.json();
        let text = json.pointer(pointer).and_then(serde_json::Value::as_str);
        text.unwrap_or_else(|| panic!("no {pointer} in {}", self.body)).to_owned()
    }
}

/// Sends one request on a connection of its own.
pub(crate) fn once(to: &To, request: &Request) -> Answer {
    let answer = Connection::open(to).and_then(|mut connection| connection.send(request));
    answer.unwrap_or_else(|error| panic!("{}: {error}", request.line()))
}

pub(crate) fn operator(data: &Path) -> To {
    To::Operator(data.join("tollgate.sock"))
}
