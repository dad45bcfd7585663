//! A log line as text: `2026-11-24T09:38:03.123456Z  INFO request http.status=200 http.route="/gate"`.
//!
//! There is one for every call at the gate. The library's own writer takes as long for it as the gate for its decision.

use std::cell::RefCell;
use std::fmt::{self, Debug, Write};

use tollgate_core::Timestamp;
use tollgate_core::clock::{Clock as _, SystemClock};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Time, level, message, fields.
pub(crate) struct Text;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        // Put together in one piece: each piece that goes to the writer takes a turn through it.
        let mut line = String::with_capacity(LINE);
        write_time(&mut line, SystemClock.now())?;
        line.push_str(level(*event.metadata().level()));
        let mut fields = Fields { line, result: Ok(()) };
        event.record(&mut fields);
        fields.result?;
        fields.line.push('\n');
        out.write_str(&fields.line)
    }
}

/// As long as the line of a request.
const LINE: usize = 256;

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => " ERROR",
        Level::WARN => "  WARN",
        Level::INFO => "  INFO",
        Level::DEBUG => " DEBUG",
        Level::TRACE => " TRACE",
    }
}

thread_local! {
    /// The second that was written last, and its text.
    static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// An instant to the microsecond. Nearly all lines are of the same second as the one before.
fn write_time(out: &mut String, now: Timestamp) -> fmt::Result {
    let (second, micros) = (now.0.div_euclid(1_000_000), now.0.rem_euclid(1_000_000));
    SECOND.with_borrow_mut(|(known, text)| {
        if *known != second {
            let whole = Timestamp(now.0 - micros).to_string();
            let Some(whole) = whole.strip_suffix("000Z") else { return out.write_str(&whole) };
            whole.clone_into(text);
            *known = second;
        }
        out.write_str(text)?;
        // Seven digits of which the first is left out, so that the others keep their zeros.
        out.write_str(&Number::from(1_000_000 + micros.unsigned_abs()).as_str()[1..])?;
        out.write_char('Z')
    })
}

/// A number in decimal digits.
struct Number {
    digits: [u8; 20],
    from: usize,
}

impl From<u64> for Number {
    fn from(mut value: u64) -> Self {
        let mut number = Self { digits: [b'0'; 20], from: 20 };
        loop {
            number.from -= 1;
            number.digits[number.from] = b'0' + u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
            if value == 0 {
                return number;
            }
        }
    }
}

impl Number {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[self.from..]).unwrap_or_default()
    }
}

struct Fields {
    line: String,
    result: fmt::Result,
}

impl Fields {
    /// Begins a field whose value comes next.
    fn begin(&mut self, field: &Field) {
        self.line.push(' ');
        if field.name() != "message" {
            self.line.push_str(field.name());
            self.line.push('=');
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.begin(field);
        if value.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
            self.line.push('"');
            self.line.push_str(value);
            self.line.push('"');
        } else {
            self.result = self.result.and(write!(Plain(&mut self.line), "{value:?}"));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.begin(field);
        self.line.push_str(Number::from(value).as_str());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.begin(field);
        self.result = self.result.and(write!(Plain(&mut self.line), "{value:?}"));
    }
}

/// Text in which no control character survives: what came from outside must not end a line or move a terminal's cursor.
struct Plain<'a>(&'a mut String);

impl Write for Plain<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            self.0.push_str(text);
            return Ok(());
        }
        for letter in text.chars() {
            match letter.is_control() {
                true => self.0.extend(letter.escape_default()),
                false => self.0.push(letter),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    fn time(micros: i64) -> String {
        let mut text = String::new();
        write_time(&mut text, Timestamp(micros)).expect("a string takes everything");
        text
    }

    #[test]
    fn instants_keep_their_zeros_and_follow_the_second() {
        assert_eq!(time(1_790_000_000_000_007), "2026-09-21T14:13:20.000007Z");
        assert_eq!(time(1_790_000_000_999_999), "2026-09-21T14:13:20.999999Z");
        assert_eq!(time(1_790_000_001_000_000), "2026-09-21T14:13:21.000000Z");
        assert_eq!(time(-1), "1969-12-31T23:59:59.999999Z");
        assert!(time(i64::MAX).ends_with("us"), "what no calendar knows is written as a number");
    }

    #[test]
    fn numbers_are_decimal() {
        for value in [0, 9, 10, 1_234_567_890, u64::MAX] {
            assert_eq!(Number::from(value).as_str(), value.to_string());
        }
    }

    /// What is logged meanwhile, without the time.
    fn logged(log: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl io::Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().expect("one thread").extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt().event_format(Text).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, log);
        let text = String::from_utf8(kept.0.lock().expect("one thread").clone()).expect("UTF-8");
        text.split_once('Z').expect("a time").1.to_owned()
    }

    #[test]
    fn a_line_has_level_message_and_fields_and_no_field_that_is_not_there() {
        let reason: Option<&str> = None;
        let line = logged(|| {
            tracing::info!(request.id = %"01a2", http.status = 200_u16, http.route = "/gate", reason, "request");
        });
        assert_eq!(line, "  INFO request request.id=01a2 http.status=200 http.route=\"/gate\"\n");
        assert_eq!(
            logged(|| tracing::warn!(n = -1, ok = true, e = ?Some("x"), "accept")),
            "  WARN accept n=-1 ok=true e=Some(\"x\")\n"
        );
    }

    #[test]
    fn nothing_from_outside_ends_a_line_or_reaches_the_terminal() {
        let line = logged(|| tracing::error!(a = "x\ny\"\\", b = %"x\ny\u{1b}[2J", "gone: {}", "\r\n"));
        assert_eq!(line, " ERROR gone: \\r\\n a=\"x\\ny\\\"\\\\\" b=x\\ny\\u{1b}[2J\n");
        assert_eq!(logged(|| tracing::info!(name = "ключ", "x")), "  INFO x name=\"ключ\"\n");
    }
}
