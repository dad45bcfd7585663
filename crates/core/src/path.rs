//! The path of a call, judged once. Spellings that two programs could read in two ways are refused, not repaired.

/// A path that has one reading only: absolute, without query, dot segments, empty segments or escaped delimiters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallPath<'a>(&'a str);

/// The path could be read in more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the path is ambiguous: dot segments, empty segments, backslashes, semicolons and escaped delimiters are refused"
)]
pub struct AmbiguousPath;

impl<'a> CallPath<'a> {
    /// Judges a request target (RFC 9112 §3.2.1, origin-form); a query is cut off.
    ///
    /// # Errors
    /// `//`, `.` and `..` segments, `\`, `;`, `#`, control characters, raw non-ASCII, malformed escapes, and escapes
    /// of what needs none or of a delimiter (`%2e`, `%2f`, `%41`).
    pub fn parse(target: &'a str) -> Result<Self, AmbiguousPath> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let inner = path.strip_prefix('/').ok_or(AmbiguousPath)?.as_bytes();
        // One pass: a path is judged for every call.
        let (mut at, mut segment) = (0, 0);
        while let Some(&byte) = inner.get(at) {
            at += match byte {
                b'/' if is_a_name(&inner[segment..at]) => {
                    segment = at + 1;
                    1
                }
                b'%' => match escaped(&inner[at..]) {
                    Some(value) if escape_is_needed(value, &inner[at + 3..]) => 3,
                    _ => return Err(AmbiguousPath),
                },
                b'/' | b'\\' | b';' | b'#' | 0..=0x20 | 0x7f.. => return Err(AmbiguousPath),
                _ => 1,
            };
        }
        // A slash at the end stands for itself.
        if segment == inner.len() || is_a_name(&inner[segment..]) { Ok(Self(path)) } else { Err(AmbiguousPath) }
    }

    /// The path as it came, without the query.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Its segments. A slash at the end adds none.
    pub fn segments(self) -> impl Iterator<Item = &'a str> {
        // Byte by byte: the library's search is made for longer texts.
        let mut rest = Some(&self.0[1..]);
        let next = move || {
            let text = rest?;
            let end = text.bytes().position(|byte| byte == b'/').unwrap_or(text.len());
            rest = text.get(end + 1..);
            Some(&text[..end])
        };
        std::iter::from_fn(next).filter(|segment| !segment.is_empty())
    }
}

/// Neither nothing nor a step of a path.
fn is_a_name(segment: &[u8]) -> bool {
    !matches!(segment, b"" | b"." | b"..")
}

/// The byte that an escape at the start of `bytes` stands for.
pub(crate) fn escaped(bytes: &[u8]) -> Option<u8> {
    let high = char::from(*bytes.get(1)?).to_digit(16)?;
    let low = char::from(*bytes.get(2)?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

/// Unreserved characters and delimiters of a path have one spelling: the plain one, or none at all. An escaped percent
/// sign is refused where a second decoding would find another escape.
fn escape_is_needed(value: u8, rest: &[u8]) -> bool {
    match value {
        0..=0x1f | 0x7f | b'/' | b'\\' | b';' | b'.' | b'-' | b'_' | b'~' => false,
        b'%' => !(rest.len() >= 2 && rest[0].is_ascii_hexdigit() && rest[1].is_ascii_hexdigit()),
        _ => !value.is_ascii_alphanumeric(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass_and_lose_their_query() {
        for (target, path) in [
            ("/", "/"),
            ("/v1/projects/x/availableNumbers:rentAny?a=//b", "/v1/projects/x/availableNumbers:rentAny"),
            ("/a/", "/a/"),
            ("/a/100%25", "/a/100%25"),
            ("/a/%C3%A9%20b", "/a/%C3%A9%20b"),
        ] {
            assert_eq!(CallPath::parse(target).map(CallPath::as_str), Ok(path));
        }
        let path = CallPath::parse("/a/b/").expect("plain");
        assert_eq!(path.segments().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(CallPath::parse("/").expect("plain").segments().count(), 0);
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        for target in [
            "",
            "v1",
            "http://h/v1",
            "//",
            "/a//b",
            "/a/./b",
            "/a/..",
            "/a\\b",
            "/a;x=1",
            "/a%2fb",
            "/a%2Eb",
            "/%2e%2e/b",
            "/%41",
            "/a%5cb",
            "/a%00",
            "/a%",
            "/a%g0",
            "/a%252fb",
            "/a#b",
            "/a b",
            "/é",
            "/a%3bb",
            "/ab%20;",
        ] {
            assert_eq!(CallPath::parse(target), Err(AmbiguousPath), "{target}");
        }
    }
}
