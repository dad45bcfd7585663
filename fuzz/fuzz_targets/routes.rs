//! Route templates and paths: the last line is a request target, the lines before it are templates.
//!
//! Parsing and matching equal a naive reference; a path that is taken has one reading only; and the order of templates is an
//! order, the first match in it the most literal one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_core::path::CallPath;
use tollgate_core::route::Template;
use tollgate_fuzz::reference::{self, Segment};

/// All pairs of them are compared.
const MOST_TEMPLATES: usize = 8;

fuzz_target!(|input: &str| {
    let (templates, target) = input.rsplit_once('\n').unwrap_or(("", input));
    let mut all: Vec<(Template, Vec<Segment>)> = Vec::new();
    for text in templates.split('\n').take(MOST_TEMPLATES) {
        let (parsed, expected) = (Template::parse(text), reference::template(text));
        assert_eq!(parsed.is_ok(), expected.is_some(), "{text} {parsed:?}");
        all.extend(parsed.ok().zip(expected));
    }
    ordered(&mut all);
    let Ok(path) = CallPath::parse(target) else { return };
    has_one_reading(target, path);
    let segments = reference::segments(path.as_str());
    let mut found = Vec::new();
    for (template, expected) in &all {
        let captured = template.matches(path).map(|captured| [captured.project, captured.service_plan]);
        assert_eq!(captured, reference::matches(expected, &segments));
        found.extend(captured.map(|_| reference::rank(expected)));
    }
    assert_eq!(found.first(), found.iter().min(), "the first that matches is the most literal");
});

/// Sorts by precedence, and checks that it is an order whose equals match the same paths.
fn ordered(all: &mut [(Template, Vec<Segment>)]) {
    all.sort_by(|one, other| one.0.precedence(&other.0));
    for (at, (one, mine)) in all.iter().enumerate() {
        assert_eq!(one.takes_plan(), mine.contains(&Segment::Named("service_plan_id".to_owned())));
        for (other, theirs) in &all[at..] {
            let order = one.precedence(other);
            assert!(order.is_le() && order == other.precedence(one).reverse());
            assert_eq!(order.is_eq(), reference::same_paths(mine, theirs), "{mine:?} {theirs:?}");
        }
    }
}

/// Whoever decodes the path, once or twice, before or after splitting it, finds the same segments.
fn has_one_reading(target: &str, path: CallPath<'_>) {
    assert_eq!(Some(path.as_str()), target.split('?').next());
    assert_eq!(CallPath::parse(path.as_str()), Ok(path));
    let raw = reference::segments(path.as_str());
    assert_eq!(path.segments().collect::<Vec<_>>(), raw);
    for segment in raw {
        let decoded = reference::percent_decode(segment.as_bytes(), false, false).expect("well-formed escapes");
        assert!(![&b""[..], b".", b".."].contains(&&*decoded));
        assert!(!decoded.iter().any(|byte| b"/\\;\x7f".contains(byte) || *byte < 0x20));
        let twice = reference::percent_decode(&decoded, false, true).expect("lenient");
        assert_eq!(twice, decoded, "a second decoding finds nothing");
    }
}
