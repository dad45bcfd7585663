//! The log on standard error: written in blocks by a thread of its own, so that a request never waits for it. Warnings and
//! errors are written at once; other lines within a tenth of a second.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Log, LogFormat};
use crate::log_text::Text;

const FLUSH_PERIOD: Duration = Duration::from_millis(100);
const BLOCK: usize = 64 * 1024;

/// The lines that are not written yet. Kept until the program ends, and flushed then.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Writes what is left.
    pub fn flush(&self) {
        let block = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !block.is_empty() {
            // There is nobody to tell when standard error is gone.
            let _ = io::stderr().write_all(&block);
        }
    }

    fn append(&self, line: &[u8]) -> usize {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend_from_slice(line);
        waiting.len()
    }
}

/// Starts the log. Tollgate's own lines come from `level` on, those of libraries from warn on: they could name headers.
pub fn start(log: &Log) -> Lines {
    let lines = Lines::default();
    let filter = EnvFilter::new(format!("warn,tollgate={}", log.level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines.clone()).with_ansi(false);
    match log.format {
        LogFormat::Text => builder.event_format(Text).init(),
        LogFormat::Json => builder.json().flatten_event(true).with_target(false).init(),
    }
    let flushed = lines.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(FLUSH_PERIOD);
            flushed.flush();
        }
    });
    lines
}

/// One event's writer.
pub struct LineWriter {
    lines: Lines,
    urgent: bool,
}

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lines.append(line) >= BLOCK || self.urgent {
            self.lines.flush();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = LineWriter;

    fn make_writer(&'a self) -> LineWriter {
        LineWriter { lines: self.clone(), urgent: false }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> LineWriter {
        LineWriter { lines: self.clone(), urgent: *event.level() <= Level::WARN }
    }
}
