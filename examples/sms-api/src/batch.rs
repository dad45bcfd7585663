//! A batch: one text to many numbers, checked at the door, and where its messages are at a given time.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tollgate_core::Timestamp;

use crate::answer::Problem;
use crate::parts::Parts;

/// The most numbers of one batch, and the most characters of its text.
const RECIPIENTS: usize = 1_000;
const CHARACTERS: usize = 2_000;
/// How long the simulated network takes.
const DELIVERY_SECONDS: i64 = 2;
/// How long the network would try, when the batch does not say.
const EXPIRY_SECONDS: i64 = 3 * 24 * 3_600;

/// What a client sends, and gets back. Optional fields are kept as they are.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Message {
    pub(crate) to: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    pub(crate) body: String,
    #[serde(rename = "type", default = "mt_text")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery_report: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    send_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expire_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feedback_enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flash_message: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_number_of_message_parts: Option<u32>,
    #[serde(default, skip_serializing)]
    parameters: Option<Value>,
    #[serde(default, skip_serializing)]
    truncate_concat: Option<bool>,
}

fn mt_text() -> String {
    "mt_text".to_owned()
}

impl Message {
    /// Reads a body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Problem> {
        let mut message: Self = serde_json::from_slice(body).map_err(|error| {
            if error.is_data() {
                Problem::bad_format(format!("The body cannot be read: {error}"))
            } else {
                Problem::not_json(format!("The body is not JSON: {error}"))
            }
        })?;
        message.check()?;
        for number in &mut message.to {
            *number = number.trim_start_matches('+').to_owned();
        }
        message.from = message.from.map(|from| from.trim_start_matches('+').to_owned());
        Ok(message)
    }

    fn check(&self) -> Result<(), Problem> {
        if self.kind != "mt_text" {
            return Err(Problem::constraint("type must be mt_text: this sample sends text only"));
        }
        if self.parameters.as_ref().is_some_and(|parameters| *parameters != json!({}))
            || self.truncate_concat == Some(true)
        {
            return Err(Problem::constraint("parameters and truncate_concat are not part of this sample"));
        }
        if self.to.is_empty() || self.to.len() > RECIPIENTS {
            return Err(Problem::constraint(format!("to must hold 1 to {RECIPIENTS} numbers")));
        }
        if let Some(wrong) = self.to.iter().position(|number| !is_number(number)) {
            return Err(Problem::bad_format(format!("to[{wrong}] is not a number such as +12025550134")));
        }
        if self.from.as_ref().is_some_and(|from| from.is_empty() || from.len() > 16 || from.contains(char::is_control))
        {
            return Err(Problem::constraint("from must be a number or a name of at most 16 bytes"));
        }
        if self.body.is_empty() || self.body.chars().count() > CHARACTERS {
            return Err(Problem::constraint(format!("body must hold 1 to {CHARACTERS} characters")));
        }
        let parts = Parts::of(&self.body).count;
        if self.max_number_of_message_parts.is_some_and(|most| parts > most) {
            return Err(Problem::constraint(format!(
                "body takes {parts} parts, more than max_number_of_message_parts"
            )));
        }
        Ok(())
    }

    /// Message parts over all recipients: what the account pays for.
    pub(crate) fn units(&self) -> u64 {
        u64::from(Parts::of(&self.body).count) * self.to.len() as u64
    }

    /// When it leaves, when it is given up.
    fn schedule(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
        let send = instant("send_at", self.send_at.as_deref())?.map_or(now, |at| at.max(now));
        let expire = instant("expire_at", self.expire_at.as_deref())?;
        let expire = expire.unwrap_or_else(|| send.plus_seconds(EXPIRY_SECONDS));
        if expire <= send {
            return Err(Problem::constraint("expire_at must be after send_at and after now"));
        }
        Ok((send, expire))
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// An instant of a field or of a query.
pub(crate) fn instant(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let wrong = |_| Problem::bad_format(format!("{name} is not an instant such as 2026-11-23T17:31:02Z"));
    text.map(|text| Timestamp::parse(text).map_err(wrong)).transpose()
}

/// Where the messages of a batch are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Queued,
    Dispatched,
    Delivered,
    Cancelled,
}

impl Delivery {
    /// The SMS API's code and word.
    fn code(self) -> (u16, &'static str) {
        match self {
            Self::Queued => (400, "Queued"),
            Self::Dispatched => (401, "Dispatched"),
            Self::Delivered => (0, "Delivered"),
            Self::Cancelled => (407, "Cancelled"),
        }
    }
}

/// A batch that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) message: Message,
    pub(crate) created: Timestamp,
    modified: Timestamp,
    sends: Timestamp,
    canceled: Option<Timestamp>,
}

impl Batch {
    /// Takes a message.
    pub(crate) fn new(id: String, owner: String, message: Message, now: Timestamp) -> Result<Self, Problem> {
        let (sends, _) = message.schedule(now)?;
        Ok(Self { id, owner, message, created: now, modified: now, sends, canceled: None })
    }

    /// Cancels what has not left yet. Another time it changes nothing.
    pub(crate) fn cancel(&mut self, now: Timestamp) {
        if self.canceled.is_none() {
            self.canceled = Some(now);
            self.modified = now;
        }
    }

    /// Where its messages are. Time alone moves them.
    pub(crate) fn delivery(&self, now: Timestamp) -> Delivery {
        if self.canceled.is_some_and(|at| at < self.sends) {
            Delivery::Cancelled
        } else if now < self.sends {
            Delivery::Queued
        } else if now < self.sends.plus_seconds(DELIVERY_SECONDS) {
            Delivery::Dispatched
        } else {
            Delivery::Delivered
        }
    }

    /// The batch as its client sees it.
    pub(crate) fn view(&self) -> Value {
        let mut view = json!(self.message);
        view["id"] = json!(self.id);
        view["created_at"] = json!(self.created.to_string());
        view["modified_at"] = json!(self.modified.to_string());
        view["canceled"] = json!(self.canceled.is_some());
        view
    }

    /// The delivery report: all of a batch's messages fare alike here.
    pub(crate) fn report(&self, now: Timestamp) -> Value {
        let (code, status) = self.delivery(now).code();
        let count = self.message.to.len();
        json!({
            "type": "delivery_report_sms",
            "batch_id": self.id,
            "total_message_count": count,
            "statuses": [{ "code": code, "status": status, "count": count, "recipients": self.message.to }],
        })
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let numbers: usize = self.message.to.iter().map(|number| number.len() + 24).sum();
        self.message.body.len() + numbers + 1_024
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
