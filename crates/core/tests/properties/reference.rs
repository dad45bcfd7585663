//! Naive readings, straight from the RFCs and the documentation, slow and without a line of the product's: what they and the
//! product do not agree about is a finding.

/// Strict base64 (RFC 4648 §4): padded, one spelling.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut bits = Vec::new();
    for byte in &text[..text.len() - padding] {
        let value = ALPHABET.iter().position(|letter| letter == byte)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let whole = bits.len() / 8 * 8;
    if bits[whole..].contains(&1) {
        return None;
    }
    Some(bits[..whole].chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | *bit as u8)).collect())
}

/// The value of an escape `%XX` at the start.
fn escape(text: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(text.get(1..3)?).ok()?;
    let is_hex = text[0] == b'%' && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hex { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// Decodes escapes, and `+` where `plus` says so. `None` for a malformed escape, unless `lenient` leaves it as it is.
pub fn percent_decode(text: &[u8], plus: bool, lenient: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match (text[at], escape(&text[at..])) {
            (b'+', _) if plus => out.push(b' '),
            (b'%', Some(value)) => {
                out.push(value);
                at += 2;
            }
            (b'%', None) if !lenient => return None,
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    Some(out)
}

/// What stands after `Basic ` (RFC 7617), both halves form-decoded (RFC 6749 §2.3.1).
pub fn basic(encoded: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8(base64(encoded)?).ok()?;
    let colon = text.bytes().position(|byte| byte == b':')?;
    let half = |half: &str| String::from_utf8(percent_decode(half.as_bytes(), true, false)?).ok();
    Some((half(&text[..colon])?, half(&text[colon + 1..])?))
}

/// The scheme in lower case and the rest of an `Authorization` value.
pub fn scheme(value: &str) -> (String, &str) {
    let end = value.find(' ').unwrap_or(value.len());
    (value[..end].to_ascii_lowercase(), value[end..].trim_start_matches(' '))
}

/// The parameters of a form, in their order and with repetitions (WHATWG URL §5.1).
pub fn form(body: &[u8]) -> Vec<(String, String)> {
    let text = |part: &[u8]| {
        let bytes = percent_decode(part, true, true).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = body.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.iter().position(|&byte| byte == b'=') {
            Some(at) => (text(&pair[..at]), text(&pair[at + 1..])),
            None => (text(pair), String::new()),
        })
        .collect()
}

/// A segment of a route template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text that must stand there.
    Literal(String),
    /// A placeholder, by its name.
    Named(String),
    /// `**`
    Tail,
}

/// The segments of a template, if it is one.
pub fn template(text: &str) -> Option<Vec<Segment>> {
    let is_plain = |byte: u8| (0x21..0x7f).contains(&byte) && !b"\\;#?%".contains(&byte);
    if !text.starts_with('/') || !text.bytes().all(is_plain) {
        return None;
    }
    let mut parts = segments(text);
    if parts.iter().any(|part| ["", ".", ".."].contains(part)) {
        return None;
    }
    let tail = parts.pop_if(|last| *last == "**").map(|_| Segment::Tail);
    let mut read = parts.into_iter().map(segment).collect::<Option<Vec<_>>>()?;
    read.extend(tail);
    let ids = read.iter().filter(|part| matches!(part, Segment::Named(name) if is_id(name))).count();
    (ids <= 1).then_some(read)
}

fn segment(text: &str) -> Option<Segment> {
    if !text.contains(['{', '}', '*']) {
        return Some(Segment::Literal(text.to_owned()));
    }
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    is_name.then(|| Segment::Named(name.to_owned()))
}

fn is_id(name: &str) -> bool {
    name == "project_id" || name == "service_plan_id"
}

/// The segments of a path without query: a slash at the end adds none.
pub fn segments(path: &str) -> Vec<&str> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if inner.is_empty() && path.len() <= 1 { Vec::new() } else { inner.split('/').collect() }
}

/// Project and service plan in the path, if the template matches it.
pub fn matches<'a>(template: &[Segment], path: &[&'a str]) -> Option<[Option<&'a str>; 2]> {
    match (template.first(), path.first()) {
        (Some(Segment::Tail), _) | (None, None) => Some([None; 2]),
        (None, Some(_)) | (Some(_), None) => None,
        (Some(Segment::Literal(text)), Some(part)) if text != part => None,
        (Some(segment), Some(part)) => {
            let mut found = matches(&template[1..], &path[1..])?;
            match segment {
                Segment::Named(name) if name == "project_id" => found[0] = Some(*part),
                Segment::Named(name) if name == "service_plan_id" => found[1] = Some(*part),
                _ => {}
            }
            Some(found)
        }
    }
}

/// How literal a template is, at each segment: the least one wins. `**` matches at the end what the end itself does, and less
/// literally.
pub fn rank(template: &[Segment]) -> Vec<u8> {
    let ranks = template.iter().map(|segment| match segment {
        Segment::Literal(_) => 0,
        Segment::Named(_) => 1,
        Segment::Tail => 3,
    });
    let end = if template.last() == Some(&Segment::Tail) { None } else { Some(2) };
    ranks.chain(end).collect()
}

/// Whether two templates match the same paths.
pub fn same_paths(one: &[Segment], other: &[Segment]) -> bool {
    let same = |(mine, theirs): (&Segment, &Segment)| match (mine, theirs) {
        (Segment::Named(_), Segment::Named(_)) => true,
        _ => mine == theirs,
    };
    one.len() == other.len() && one.iter().zip(other).all(same)
}
