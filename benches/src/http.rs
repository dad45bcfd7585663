//! One HTTP/1.1 call at a time: enough to prepare a server and to try what will be measured.

use std::fmt::Write as _;
use std::io::{Read, Write};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// A request: sent once by [`call`], or many times by the load that is made of it.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A GET without headers.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: String::new() }
    }

    /// A POST of JSON.
    pub(crate) fn post_json(path: impl Into<String>, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { method: "POST", path: path.into(), headers, body: body.to_string() }
    }

    /// As it is sent by a client that ends the connection after it.
    fn wire(&self) -> String {
        self.wire_with("connection: close\r\n")
    }

    /// As it is sent by a client that goes on.
    pub(crate) fn kept_wire(&self) -> String {
        self.wire_with("")
    }

    fn wire_with(&self, first: &str) -> String {
        let mut text = format!("{} {} HTTP/1.1\r\nhost: 127.0.0.1\r\n{first}", self.method, self.path);
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "content-length: {}\r\n\r\n{}", self.body.len(), self.body);
        text
    }
}

impl Answer {
    /// The value of the header `name`, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Bytes of the body.
    pub(crate) fn length(&self) -> usize {
        self.body.len()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }
}

/// Sends `request` and insists on 200.
pub(crate) fn call(stream: impl Read + Write, request: &Request) -> anyhow::Result<Answer> {
    let answer = exchange(stream, request)?;
    if answer.status != 200 {
        let Request { method, path, .. } = request;
        bail!("{method} {path} was answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
    Ok(answer)
}

/// Sends `request` and takes any answer.
pub(crate) fn exchange(mut stream: impl Read + Write, request: &Request) -> anyhow::Result<Answer> {
    let what = || format!("{} {}", request.method, request.path);
    stream.write_all(request.wire().as_bytes()).with_context(what)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).with_context(what)?;
    parse(&bytes).with_context(what)
}

/// Takes an answer apart whose end is the end of the connection.
fn parse(bytes: &[u8]) -> anyhow::Result<Answer> {
    const BLANK_LINE: &[u8] = b"\r\n\r\n";
    let end = bytes.windows(BLANK_LINE.len()).position(|window| window == BLANK_LINE);
    let end = end.context("the answer has no end of its headers")?;
    let head = std::str::from_utf8(&bytes[..end]).context("the headers are not text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.context("the answer has no status")?;
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let answer = Answer { status, headers, body: bytes[end + BLANK_LINE.len()..].to_vec() };
    ensure!(answer.header("transfer-encoding").is_none(), "the answer comes in chunks, which this client cannot read");
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor};

    use super::*;

    /// Answers whatever is written to it.
    struct Canned(Cursor<&'static [u8]>);

    impl Read for Canned {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Canned {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_answer_has_status_headers_and_body() {
        let answer = parse(b"HTTP/1.1 200 OK\r\nTollgate-Project: p1\r\ncontent-length: 7\r\n\r\n{\"a\":1}");
        let answer = answer.expect("a well-formed answer");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("tollgate-project"), Some("p1"));
        assert_eq!(answer.header("tollgate-account"), None);
        assert_eq!(answer.json().expect("JSON")["a"], 1);
    }

    #[test]
    fn half_an_answer_and_a_chunked_one_are_refused() {
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-le").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n").is_err());
    }

    #[test]
    fn anything_but_200_is_an_error_that_shows_the_body() {
        let canned = Canned(Cursor::new(b"HTTP/1.1 404 Not Found\r\n\r\nno such route"));
        let error = call(canned, &Request::get("/nowhere")).expect_err("404 is no success");
        assert!(error.to_string().contains("GET /nowhere was answered 404: no such route"), "{error}");
    }

    #[test]
    fn a_request_carries_its_headers_and_the_length_of_its_body() {
        let request = Request::post_json("/v1/accounts", &serde_json::json!({"displayName": "bench"}));
        let wire = request.wire();
        assert!(wire.starts_with("POST /v1/accounts HTTP/1.1\r\n"));
        assert!(wire.contains("\r\ncontent-type: application/json\r\n"));
        assert!(wire.ends_with("content-length: 23\r\n\r\n{\"displayName\":\"bench\"}"));
    }
}
