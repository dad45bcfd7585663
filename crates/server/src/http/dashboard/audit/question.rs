//! What is asked of the audit log: filters in the URL, so that a filtered view can be kept and handed on.

use tollgate_core::Timestamp;

use super::words::GROUPS;
use crate::http::dashboard::fields::FormErrors;
use crate::http::dashboard::who::Visitor;
use crate::operations::{TrailActor, TrailFilter};

const DAY: i64 = 86_400;
/// Longer than any e-mail address.
const LONGEST: usize = 300;

/// The filters as they were typed.
#[derive(Debug, Default)]
pub(crate) struct Question {
    pub(crate) group: String,
    pub(crate) actor: String,
    pub(crate) who: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Question {
    pub(crate) fn of(visitor: &Visitor) -> Self {
        let text = |name| visitor.query(name).trim().chars().take(LONGEST).collect::<String>();
        Self { group: text("group"), actor: text("actor"), who: text("who"), from: text("from"), to: text("to") }
    }

    /// The filter, or what is wrong with it.
    pub(crate) fn filter(&self) -> Result<TrailFilter, FormErrors> {
        let group = if self.group.is_empty() {
            ""
        } else {
            let known = GROUPS.iter().find(|(code, _)| *code == self.group);
            known.map(|(code, _)| *code).ok_or_else(|| FormErrors::one("group", "must be one of the choices"))?
        };
        let actor = match &*self.actor {
            _ if !self.who.is_empty() => TrailActor::Named(self.who.clone()),
            "" => TrailActor::Anybody,
            "people" => TrailActor::People,
            "keys" => TrailActor::Keys,
            "operator" => TrailActor::Operator,
            "server" => TrailActor::Server,
            _ => return Err(FormErrors::one("actor", "must be one of the choices")),
        };
        let from = day(&self.from, "from")?;
        let until = day(&self.to, "to")?.map(|first| first.plus_seconds(DAY));
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            return Err(FormErrors::one("to", "must not be before the first day"));
        }
        Ok(TrailFilter { group, actor, from, until })
    }

    /// The query of a URL that asks the same.
    pub(crate) fn query(&self) -> String {
        let fields = [
            ("group", &self.group),
            ("actor", &self.actor),
            ("who", &self.who),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields.into_iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }

    /// Whether anything is left out.
    pub(crate) fn is_narrow(&self) -> bool {
        !self.query().is_empty()
    }
}

fn day(text: &str, field: &'static str) -> Result<Option<Timestamp>, FormErrors> {
    if text.is_empty() {
        return Ok(None);
    }
    let start = Timestamp::parse(&format!("{text}T00:00:00Z"));
    start.map(Some).map_err(|_| FormErrors::one(field, "must be a day such as 2027-01-31"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_holds_its_last_day_and_does_not_end_before_it_begins() {
        let asked = |from: &str, to: &str| Question { from: from.to_owned(), to: to.to_owned(), ..Question::default() };
        let filter = asked("2026-11-23", "2026-11-23").filter().expect("one day");
        assert_eq!(filter.until.zip(filter.from).map(|(until, from)| until.seconds() - from.seconds()), Some(DAY));
        assert!(asked("2026-11-23", "2026-11-22").filter().is_err());
        assert!(asked("23.11.2026", "").filter().is_err());
    }

    #[test]
    fn a_filter_in_a_url_keeps_its_letters_apart() {
        let question = Question { who: "a+b&c@example.com".to_owned(), ..Question::default() };
        assert_eq!(question.query(), "who=a%2Bb%26c%40example.com");
        assert!(!Question::default().is_narrow());
    }
}
