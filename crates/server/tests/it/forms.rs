//! What tests read from a page's form.

use crate::ask::Answer;

impl Answer {
    /// The value of a hidden field, which the page must have.
    #[track_caller]
    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&start).unwrap_or_else(|| panic!("{name} in {}", self.text));
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// The page again, if all of these stand on it.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.text.contains(part), "{part} in {}", self.text);
        }
        self
    }
}
