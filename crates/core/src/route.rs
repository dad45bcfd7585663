//! Route templates of products, and which one a path belongs to.
//!
//! `/v1/projects/{project_id}/**`: literal segments, `{project_id}`, `{service_plan_id}`, any other `{name}` for one
//! segment, and `**` at the end for any number of segments, none included. The most literal template wins.

use std::cmp::Ordering;

use crate::path::CallPath;

/// One template, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(Box<str>),
    Project,
    ServicePlan,
    Any,
    Tail,
}

/// What the placeholders of a template held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Captured<'a> {
    /// The segment at `{project_id}`.
    pub project: Option<&'a str>,
    /// The segment at `{service_plan_id}`.
    pub service_plan: Option<&'a str>,
}

/// Why a template was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// The template is not a plain absolute path.
    #[error("a route starts with / and has no empty segments, queries or escapes")]
    NotAPath,
    /// A placeholder that shares its segment with text, or has no name.
    #[error("a placeholder is a whole segment such as {{project_id}}")]
    Placeholder,
    /// `**` before the end.
    #[error("** may stand only at the end of a route")]
    Tail,
    /// `{project_id}` or `{service_plan_id}` twice.
    #[error("a route names a project or a service plan once")]
    Twice,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// See [`BadTemplate`].
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        let path = CallPath::parse(text).map_err(|_| BadTemplate::NotAPath)?;
        if text.contains('?') || text.contains('%') {
            return Err(BadTemplate::NotAPath);
        }
        let segments = path.segments().map(parse_segment).collect::<Result<Vec<_>, _>>()?;
        if segments.iter().rev().skip(1).any(|segment| *segment == Segment::Tail) {
            return Err(BadTemplate::Tail);
        }
        let named = segments.iter().filter(|segment| matches!(segment, Segment::Project | Segment::ServicePlan));
        if named.count() > 1 {
            return Err(BadTemplate::Twice);
        }
        Ok(Self(segments))
    }

    /// Whether the path belongs to this template, and what its placeholders held.
    pub fn matches<'a>(&self, path: CallPath<'a>) -> Option<Captured<'a>> {
        let mut captured = Captured::default();
        let mut rest = path.segments();
        for segment in &self.0 {
            if *segment == Segment::Tail {
                return Some(captured);
            }
            let text = rest.next()?;
            match segment {
                Segment::Literal(literal) if **literal == *text => {}
                Segment::Project => captured.project = Some(text),
                Segment::ServicePlan => captured.service_plan = Some(text),
                Segment::Any => {}
                Segment::Literal(_) | Segment::Tail => return None,
            }
        }
        rest.next().is_none().then_some(captured)
    }

    /// Whether it has a place for a SERVICE PLAN ID.
    pub fn takes_plan(&self) -> bool {
        self.0.contains(&Segment::ServicePlan)
    }

    /// Orders templates so that the first that matches is the most literal one. Two templates that match exactly the
    /// same paths are equal.
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.ranks().cmp(other.ranks())
    }

    /// The end of a path is more literal than the `**` that matches it too.
    fn ranks(&self) -> impl Iterator<Item = (u8, &str)> {
        let end = (self.0.last() != Some(&Segment::Tail)).then_some((2, ""));
        self.0.iter().map(Segment::rank).chain(end)
    }
}

impl Segment {
    fn rank(&self) -> (u8, &str) {
        match self {
            Self::Literal(text) => (0, text),
            Self::Project | Self::ServicePlan | Self::Any => (1, ""),
            Self::Tail => (3, ""),
        }
    }
}

fn parse_segment(text: &str) -> Result<Segment, BadTemplate> {
    match text {
        "**" => Ok(Segment::Tail),
        "{project_id}" => Ok(Segment::Project),
        "{service_plan_id}" => Ok(Segment::ServicePlan),
        _ if !text.contains(['{', '}', '*']) => Ok(Segment::Literal(text.into())),
        _ => {
            let name =
                text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or(BadTemplate::Placeholder)?;
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if is_name { Ok(Segment::Any) } else { Err(BadTemplate::Placeholder) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).expect("a template")
    }

    #[test]
    fn a_template_matches_whole_segments() {
        let demo = template("/v1/projects/{project_id}/**");
        let path = |text| CallPath::parse(text).expect("plain");
        assert_eq!(demo.matches(path("/v1/projects/p1/a/b")).and_then(|found| found.project), Some("p1"));
        assert!(demo.matches(path("/v1/projects/p1")).is_some());
        assert!(demo.matches(path("/v1/projects")).is_none());
        assert!(demo.matches(path("/v1/projectsx/p1")).is_none());
        let exact = template("/xms/v1/{service_plan_id}/batches/{id}");
        assert!(exact.matches(path("/xms/v1/s/batches/1/2")).is_none());
        assert_eq!(exact.matches(path("/xms/v1/s/batches/1")).and_then(|found| found.service_plan), Some("s"));
    }

    #[test]
    fn the_most_literal_template_comes_first() {
        let mut all = [
            "/v1/**",
            "/v1/projects/{project_id}/**",
            "/v1/projects/{project_id}/sms",
            "/v1/projects/mine",
            "/v1/projects/{project_id}",
        ]
        .map(template);
        all.sort_by(Template::precedence);
        let expected = [
            "/v1/projects/mine",
            "/v1/projects/{project_id}/sms",
            "/v1/projects/{project_id}",
            "/v1/projects/{project_id}/**",
            "/v1/**",
        ]
        .map(template);
        assert_eq!(all, expected);
        assert_eq!(template("/a/{x}").precedence(&template("/a/{project_id}")), Ordering::Equal);
    }

    #[test]
    fn malformed_templates_say_why() {
        for (text, error) in [
            ("v1", BadTemplate::NotAPath),
            ("/a//b", BadTemplate::NotAPath),
            ("/a?b", BadTemplate::NotAPath),
            ("/a/{b", BadTemplate::Placeholder),
            ("/a/{id}:send", BadTemplate::Placeholder),
            ("/a/*", BadTemplate::Placeholder),
            ("/a/**/b", BadTemplate::Tail),
            ("/{project_id}/{service_plan_id}", BadTemplate::Twice),
        ] {
            assert_eq!(Template::parse(text), Err(error), "{text}");
        }
    }
}
