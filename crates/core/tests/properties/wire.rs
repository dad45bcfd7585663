//! Routes, paths, forms and Basic, against naive readings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::string::string_regex;
use tollgate_core::form::{Form, MAX_FIELDS};
use tollgate_core::oauth::{basic, scheme};
use tollgate_core::path::CallPath;
use tollgate_core::route::Template;

use crate::reference;

/// Few words, so that templates and paths meet; slashes at the end and what is no template among them.
const SEGMENT: &str = "(a|b|\\{x\\}|\\{x_1\\}|\\{x-1\\}|\\{\\}|\\{project_id\\}|\\{service_plan_id\\}|\\*\\*|\\{|\\.|)";
const PLAIN: &str = "(a|b|c|a%20b|\\.\\.|)";

fn path(segment: &str) -> impl Strategy<Value = String> {
    string_regex(&format!("(/{segment}){{0,4}}/?")).expect("a pattern")
}

proptest! {
    #![proptest_config(crate::cases(1_000))]

    #[test]
    fn templates_are_parsed_matched_and_ordered_as_a_naive_reader_does(
        texts in prop::collection::vec(path(SEGMENT), 1..6),
        paths in prop::collection::vec(path(PLAIN), 1..6),
    ) {
        let mut all = Vec::new();
        for text in &texts {
            let (parsed, expected) = (Template::parse(text), reference::template(text));
            prop_assert_eq!(parsed.is_ok(), expected.is_some(), "{} {:?}", text, parsed);
            all.extend(parsed.ok().zip(expected));
        }
        all.sort_by(|one, other| one.0.precedence(&other.0));
        for (one, mine) in &all {
            let plan = reference::Segment::Named("service_plan_id".to_owned());
            prop_assert_eq!(one.takes_plan(), mine.contains(&plan));
            for (other, theirs) in &all {
                let order = one.precedence(other);
                prop_assert_eq!(order.is_eq(), reference::same_paths(mine, theirs), "{:?} {:?}", mine, theirs);
                prop_assert_eq!(order, other.precedence(one).reverse());
            }
        }
        for path in paths.iter().filter_map(|path| CallPath::parse(path).ok()) {
            let segments = reference::segments(path.as_str());
            prop_assert_eq!(path.segments().collect::<Vec<_>>(), segments.clone());
            let mut found = Vec::new();
            for (template, expected) in &all {
                let captured = template.matches(path).map(|captured| [captured.project, captured.service_plan]);
                prop_assert_eq!(captured, reference::matches(expected, &segments), "{:?} {:?}", expected, path);
                found.extend(captured.map(|_| reference::rank(expected)));
            }
            prop_assert_eq!(found.first(), found.iter().min(), "the first that matches is the most literal");
        }
    }

    #[test]
    fn forms_are_read_as_a_naive_reader_does_and_hold_no_parameter_twice(
        pairs in prop::collection::vec("[ab%+&=]{0,3}|%6[12]=|%ff", 0..6),
        many in 0..MAX_FIELDS + 2,
    ) {
        let mut body = pairs.join("&");
        if many > MAX_FIELDS - 4 {
            body.extend((0..many).map(|at| format!("&f{at}")));
        }
        let expected = reference::form(body.as_bytes());
        let mut names: Vec<&String> = expected.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        let is_good = names.len() == expected.len() && expected.len() <= MAX_FIELDS;
        let read = Form::parse(body.as_bytes()).map(Form::into_owned).ok();
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let read = read.map(|form| form.iter().map(owned).collect::<Vec<_>>());
        prop_assert_eq!(read, is_good.then_some(expected), "{}", body);
    }

    #[test]
    fn basic_is_read_as_a_naive_reader_does(text in "[a:%+2Dfé]{0,8}", cut in 0..3_usize, name in "[Bb]asic|Bearer|", gap in " {0,2}") {
        let encoded = STANDARD.encode(&text);
        let encoded = &encoded[..encoded.len().saturating_sub(cut)];
        let value = format!("{name}{gap}{encoded}");
        let (came, rest) = scheme(&value);
        prop_assert_eq!((came.to_ascii_lowercase(), rest), reference::scheme(&value));
        let read = basic(encoded).ok().map(|found| (found.id, found.secret.to_string()));
        prop_assert_eq!(read, reference::basic(encoded.as_bytes()), "{} {}", text, encoded);
    }

    /// So long that it is decoded many bytes at a time.
    #[test]
    fn a_long_basic_is_read_as_a_naive_reader_does(text in "[a-z]{1,60}:[ -~]{40,100}", at in 0..200_usize, byte in "[A-Za-z0-9+/=_%é -]") {
        let mut encoded = STANDARD.encode(&text);
        let read = |encoded: &str| basic(encoded).ok().map(|found| (found.id, found.secret.to_string()));
        prop_assert_eq!(read(&encoded), reference::basic(encoded.as_bytes()), "{}", encoded);
        let at = at % encoded.len();
        encoded.replace_range(at..=at, &byte);
        prop_assert_eq!(read(&encoded), reference::basic(encoded.as_bytes()), "{}", encoded);
    }
}
