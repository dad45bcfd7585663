//! The load: requests, repeated by wrk over kept connections.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::http::Request;
use crate::process::LOAD_CORE;

/// How the line begins that our script prints at the end.
const MARK: &str = "figures:";
/// What stands in a body for a name that never comes twice.
pub(crate) const NAME: &str = "@NAME@";

/// Prints what wrk counted in full, without the rounding of its own summary.
const DONE: &str = r#"
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    "figures: requests=%d duration_us=%d bytes=%d p50_us=%d p99_us=%d refused=%d socket_errors=%d\n",
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
"#;

/// Basic of keys whose ids end with a number, in hexadecimal. `PREFIX` and `SUFFIX` are base64 of what stands before and behind
/// the last six digits. The step has no divisor in common with any count of keys here, so that all have their turn.
const KEYS: &str = r#"
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local three = {}
for number = 0, 4095 do
  local a, b, c = string.format("%03x", number):byte(1, 3)
  local bits, text = a * 65536 + b * 256 + c, ""
  for _ = 1, 4 do
    local digit = bits % 64
    text, bits = alphabet:sub(digit + 1, digit + 1) .. text, (bits - digit) / 64
  end
  three[number] = text
end
local number = 0
request = function()
  number = (number + 611953) % COUNT
  local low = number % 4096
  wrk.headers["authorization"] = "Basic PREFIX" .. three[(number - low) / 4096] .. three[low] .. "SUFFIX"
  return wrk.format()
end
"#;

/// A token of each line of a file, each once.
const LINES: &str = r#"
local lines = io.lines(FILE)
local spent = false
request = function()
  local line = not spent and lines() or nil
  spent = line == nil
  wrk.headers["authorization"] = "Bearer " .. (line or "spent")
  return wrk.format()
end
"#;

/// Keeps each token that is issued.
const COLLECT: &str = r#"
local out = io.open(FILE, "w")
response = function(status, headers, body)
  out:write(body:match('"access_token":"([^"]+)"'), "\n")
end
"#;

/// What differs from one request to the next.
pub(crate) enum Variation {
    /// Nothing.
    Same,
    /// KEY ID and KEY SECRET: so many ids, which differ in their last twelve digits, with one secret.
    Keys { id: String, secret: String, count: u32 },
    /// The token: one that was issued just before the turn and has never been shown.
    FreshTokens { issued_by: Request },
    /// The name in the body.
    Names,
}

/// What one server is asked, again and again.
pub(crate) struct Load {
    pub(crate) request: Request,
    pub(crate) variation: Variation,
    /// Every answer has to be a refusal, rather than none.
    pub(crate) refused: bool,
}

/// What wrk counted in one run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) requests: u64,
    pub(crate) duration_us: u64,
    /// Received, headers included.
    pub(crate) bytes: u64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

/// Where and how long wrk works.
pub(crate) struct Runner<'a> {
    pub(crate) address: &'a str,
    /// Directory for its scripts.
    pub(crate) work: &'a Path,
    pub(crate) connections: u32,
}

impl Load {
    /// The same request every time, and every answer a good one.
    pub(crate) fn of(request: Request) -> Self {
        Self { request, variation: Variation::Same, refused: false }
    }
}

impl Runner<'_> {
    /// Loads the server for some seconds. Any answer that is not as it should be, and any connection that broke, makes this one
    /// fail: a figure with errors is not a figure.
    pub(crate) fn run(&self, load: &Load, seconds: u32) -> anyhow::Result<Figures> {
        let script = match &load.variation {
            Variation::Same => String::new(),
            Variation::Keys { id, secret, count } => keys(id, secret, *count),
            Variation::FreshTokens { .. } => LINES.replace("FILE", &quoted(&self.tokens())),
            Variation::Names => names(&load.request.body),
        };
        let figures = self.wrk(&load.request, &script, seconds)?;
        let expected = if load.refused { figures.requests } else { 0 };
        ensure!(figures.refused == expected, "{} of {} answers were errors", figures.refused, figures.requests);
        figures.checked()
    }

    /// Issues tokens for some seconds, for a load that shows each of them once.
    pub(crate) fn collect_tokens(&self, request: &Request, seconds: u32) -> anyhow::Result<Figures> {
        let figures = self.wrk(request, &COLLECT.replace("FILE", &quoted(&self.tokens())), seconds)?;
        ensure!(figures.refused == 0, "{} answers were errors", figures.refused);
        figures.checked()
    }

    fn tokens(&self) -> PathBuf {
        self.work.join("tokens")
    }

    fn wrk(&self, request: &Request, script: &str, seconds: u32) -> anyhow::Result<Counted> {
        let file = self.work.join("load.lua");
        fs::write(&file, lua(request) + script + DONE).with_context(|| format!("cannot write {}", file.display()))?;
        let output = Command::new("taskset")
            .args(["-c", LOAD_CORE, "wrk", "--threads", "1"])
            .args(["--connections", &self.connections.to_string(), "--duration", &format!("{seconds}s"), "--script"])
            .arg(file)
            .arg(format!("http://{}{}", self.address, request.path))
            .output()
            .context("cannot start wrk")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "wrk failed: {printed}{}", String::from_utf8_lossy(&output.stderr));
        parse(&printed)
    }
}

/// Figures that nobody has looked at yet.
#[derive(Debug)]
struct Counted {
    figures: Figures,
    requests: u64,
    refused: u64,
    broken: u64,
}

impl Counted {
    fn checked(self) -> anyhow::Result<Figures> {
        ensure!(self.broken == 0, "{} connections broke", self.broken);
        ensure!(self.figures.requests > 0 && self.figures.duration_us > 0, "nothing was answered");
        Ok(self.figures)
    }
}

/// The request as a wrk script. Where nothing varies, wrk formats it once, so that the script costs nothing per request.
fn lua(request: &Request) -> String {
    let mut script = format!("wrk.method = {:?}\n", request.method);
    for (name, value) in &request.headers {
        let _ = writeln!(script, "wrk.headers[{name:?}] = {value:?}");
    }
    if !request.body.is_empty() {
        let _ = writeln!(script, "wrk.body = {:?}", request.body);
    }
    script
}

fn keys(id: &str, secret: &str, count: u32) -> String {
    // Thirty characters before the number make forty of base64, without a rest; so do the six of the number.
    let (prefix, suffix) = (BASE64_STANDARD.encode(&id[..30]), BASE64_STANDARD.encode(format!(":{secret}")));
    KEYS.replace("COUNT", &count.to_string()).replace("PREFIX", &prefix).replace("SUFFIX", &suffix)
}

fn names(body: &str) -> String {
    let (before, after) = body.split_once(NAME).unwrap_or((body, ""));
    format!(
        "local started, number = os.time(), 0
request = function()
  number = number + 1
  wrk.body = {before:?} .. started .. \"-\" .. number .. {after:?}
  return wrk.format()
end
"
    )
}

fn quoted(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}

/// Reads the line that our script printed.
fn parse(printed: &str) -> anyhow::Result<Counted> {
    let line = printed.lines().find_map(|line| line.strip_prefix(MARK));
    let line = line.with_context(|| format!("wrk printed no figures: {printed}"))?;
    let value = |name: &str| -> anyhow::Result<u64> {
        let mut pairs = line.split_ascii_whitespace().filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(known, _)| *known == name).with_context(|| format!("no {name} in {line}"))?;
        value.parse().with_context(|| format!("{name} is no number in {line}"))
    };
    let figures = Figures {
        requests: value("requests")?,
        duration_us: value("duration_us")?,
        bytes: value("bytes")?,
        p50_us: value("p50_us")?,
        p99_us: value("p99_us")?,
    };
    Ok(Counted { requests: figures.requests, refused: value("refused")?, broken: value("socket_errors")?, figures })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(requests: u64, socket_errors: u64) -> String {
        format!(
            "Running 5s test @ http://127.0.0.1:1/gate\n  796447 requests in 6.01s, 296.22MB read\nfigures: \
             requests={requests} duration_us=6010000 bytes=310609 p50_us=441 p99_us=634 refused=2 \
             socket_errors={socket_errors}\n"
        )
    }

    #[test]
    fn the_figures_are_read_from_the_line_of_our_script() {
        let counted = parse(&printed(796_447, 0)).expect("a line");
        assert_eq!(counted.refused, 2);
        let expected = Figures { requests: 796_447, duration_us: 6_010_000, bytes: 310_609, p50_us: 441, p99_us: 634 };
        assert_eq!(counted.checked().expect("nothing broke"), expected);
    }

    #[test]
    fn broken_connections_and_no_answers_are_no_figures() {
        assert!(parse(&printed(7, 1)).expect("a line").checked().is_err());
        assert!(parse(&printed(0, 0)).expect("a line").checked().is_err());
        assert!(parse("unable to connect to 127.0.0.1:1 Connection refused\n").is_err());
    }

    #[test]
    fn a_script_holds_method_headers_and_body() {
        let request = Request {
            method: "POST",
            path: "/oauth2/token".to_owned(),
            headers: vec![("authorization", "Basic YTpi".to_owned())],
            body: "grant_type=client_credentials".to_owned(),
        };
        let script = lua(&request);
        assert!(script.contains(r#"wrk.method = "POST""#));
        assert!(script.contains(r#"wrk.headers["authorization"] = "Basic YTpi""#));
        assert!(script.contains(r#"wrk.body = "grant_type=client_credentials""#));
    }

    #[test]
    fn the_parts_of_a_pair_make_up_its_base64() {
        let (id, secret) = ("01890a5d-ac96-774b-bcce-b302000abcde", "tgs_0");
        let script = keys(id, secret, 10);
        let pair = BASE64_STANDARD.encode(format!("{id}:{secret}"));
        assert!(script.contains(&format!("Basic {}\"", &pair[..40])), "{script}");
        assert!(script.contains(&format!("\"{}\"", &pair[48..])), "{script}");
    }

    #[test]
    fn each_body_has_a_name_of_its_own() {
        let script = names(r#"{"displayName":"@NAME@"}"#);
        assert!(script.contains(r#""{\"displayName\":\"" .. started .. "-" .. number .. "\"}""#), "{script}");
    }
}
