//! Load at a fixed rate: requests are due at fixed moments, whether the server is ready for them or not, and waiting counts from
//! the moment at which a request was due. A load that asks only when it was answered would not see what it did not ask for.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::Request;
use crate::once::now;
use crate::process::LOAD_CORE;

/// Microseconds from the moment at which a request was due to the last byte of its answer.
pub(crate) struct Waits {
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// Loads `address` from a process of its own on the core of the load.
pub(crate) fn run(
    address: &str,
    request: &Request,
    rate: u32,
    connections: u32,
    seconds: u32,
) -> anyhow::Result<Waits> {
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    let output = Command::new("taskset")
        .args(["-c", LOAD_CORE])
        .arg(own)
        .args(["--open-loop", address, &request.kept_wire()])
        .args([rate, connections, seconds].map(|number| number.to_string()))
        .output()
        .context("cannot start the load")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut values = printed.split_ascii_whitespace().map(str::parse);
    let mut next = || anyhow::Ok(values.next().context("the load printed nothing")??);
    Ok(Waits { p50_us: next()?, p99_us: next()? })
}

/// The process of the load: prints the median and the 99th percentile of the waits. `arguments` are those of [`run`], in words.
pub(crate) fn main(arguments: &[String]) -> anyhow::Result<()> {
    let [address, request, rate, connections, seconds] = arguments else { anyhow::bail!("five words are wanted") };
    let (rate, connections, seconds): (u32, u32, u32) = (rate.parse()?, connections.parse()?, seconds.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut waits = runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        let start = now() + Duration::from_millis(100);
        for place in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let every = Duration::from_secs_f64(f64::from(connections) / f64::from(rate));
            let first = start + Duration::from_secs_f64(f64::from(place) / f64::from(rate));
            let end = start + Duration::from_secs(u64::from(seconds));
            tasks.spawn(one(stream, request.clone().into_bytes(), first, every, end));
        }
        let mut waits = Vec::new();
        while let Some(done) = tasks.join_next().await {
            waits.extend(done??);
        }
        anyhow::Ok(waits)
    })?;
    waits.sort_unstable();
    let at = |percent: usize| waits.get(waits.len() * percent / 100).map_or(0, Duration::as_micros);
    println!("{} {}", at(50), at(99));
    Ok(())
}

async fn one(
    mut stream: TcpStream,
    request: Vec<u8>,
    mut due: std::time::Instant,
    every: Duration,
    end: std::time::Instant,
) -> anyhow::Result<Vec<Duration>> {
    let (mut waits, mut buffer) = (Vec::new(), Vec::new());
    while due < end {
        tokio::time::sleep_until(due.into()).await;
        stream.write_all(&request).await?;
        buffer.clear();
        while !is_whole(&buffer)? {
            ensure!(stream.read_buf(&mut buffer).await? > 0, "the server closed the connection");
        }
        waits.push(now().duration_since(due));
        due += every;
    }
    Ok(waits)
}

/// Whether an answer has come to its end. Only 200 is an answer.
fn is_whole(answer: &[u8]) -> anyhow::Result<bool> {
    const BLANK_LINE: &[u8] = b"\r\n\r\n";
    let Some(end) = answer.windows(BLANK_LINE.len()).position(|window| window == BLANK_LINE) else { return Ok(false) };
    let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
    ensure!(head.starts_with("http/1.1 200"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.context("the answer does not say its length")?.parse()?;
    Ok(answer.len() >= end + BLANK_LINE.len() + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_with_its_length_and_only_200_is_one() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        assert!(is_whole(answer).expect("200"));
        assert!(!is_whole(&answer[..answer.len() - 1]).expect("200"));
        assert!(!is_whole(b"HTTP/1.1 2").expect("nothing yet"));
        assert!(is_whole(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n").is_err());
    }
}
