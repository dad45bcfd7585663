//! The load: one request, repeated by wrk over kept connections.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::http::Request;
use crate::process::LOAD_CORE;

/// How the line begins that our script prints at the end.
const MARK: &str = "figures:";

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

/// Loads `address` with `request` for some seconds. Any answer that is an error, and any connection that broke, makes
/// this one fail: a figure with errors is not a figure.
pub(crate) fn run(
    address: &str,
    request: &Request,
    script: &Path,
    connections: u32,
    seconds: u32,
) -> anyhow::Result<Figures> {
    fs::write(script, lua(request)).with_context(|| format!("cannot write {}", script.display()))?;
    let output = Command::new("taskset")
        .args(["-c", LOAD_CORE, "wrk", "--threads", "1"])
        .args(["--connections", &connections.to_string(), "--duration", &format!("{seconds}s"), "--script"])
        .arg(script)
        .arg(format!("http://{address}{}", request.path))
        .output()
        .context("cannot start wrk")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk failed: {printed}{}", String::from_utf8_lossy(&output.stderr));
    parse(&printed)
}

/// The request as a wrk script. wrk formats it once, so the script costs nothing per request.
fn lua(request: &Request) -> String {
    let mut script = format!("wrk.method = {:?}\n", request.method);
    for (name, value) in &request.headers {
        let _ = writeln!(script, "wrk.headers[{name:?}] = {value:?}");
    }
    if !request.body.is_empty() {
        let _ = writeln!(script, "wrk.body = {:?}", request.body);
    }
    script + DONE
}

/// Reads the line that our script printed.
fn parse(printed: &str) -> anyhow::Result<Figures> {
    let line = printed.lines().find_map(|line| line.strip_prefix(MARK));
    let line = line.with_context(|| format!("wrk printed no figures: {printed}"))?;
    let value = |name: &str| -> anyhow::Result<u64> {
        let mut pairs = line.split_ascii_whitespace().filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(known, _)| *known == name).with_context(|| format!("no {name} in {line}"))?;
        value.parse().with_context(|| format!("{name} is no number in {line}"))
    };
    let (refused, broken) = (value("refused")?, value("socket_errors")?);
    ensure!(refused == 0 && broken == 0, "{refused} answers were errors and {broken} connections broke:{line}");
    let figures = Figures {
        requests: value("requests")?,
        duration_us: value("duration_us")?,
        bytes: value("bytes")?,
        p50_us: value("p50_us")?,
        p99_us: value("p99_us")?,
    };
    ensure!(figures.requests > 0 && figures.duration_us > 0, "nothing was answered:{line}");
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(refused: u64, socket_errors: u64) -> String {
        format!(
            "Running 5s test @ http://127.0.0.1:1/gate\n  796447 requests in 6.01s, 296.22MB read\nfigures: \
             requests=796447 duration_us=6010000 bytes=310609 p50_us=441 p99_us=634 refused={refused} \
             socket_errors={socket_errors}\n"
        )
    }

    #[test]
    fn the_figures_are_read_from_the_line_of_our_script() {
        let figures = parse(&printed(0, 0)).expect("a line without errors");
        let expected = Figures { requests: 796_447, duration_us: 6_010_000, bytes: 310_609, p50_us: 441, p99_us: 634 };
        assert_eq!(figures, expected);
    }

    #[test]
    fn a_figure_with_errors_is_not_a_figure() {
        assert!(parse(&printed(1, 0)).is_err());
        assert!(parse(&printed(0, 1)).is_err());
    }

    #[test]
    fn a_run_that_printed_nothing_is_an_error() {
        assert!(parse("unable to connect to 127.0.0.1:1 Connection refused\n").is_err());
        assert!(parse("figures: requests=0 duration_us=1 refused=0 socket_errors=0\n").is_err());
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
}
