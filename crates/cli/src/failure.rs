//! How a command fails: an exit code that scripts can tell apart, and a sentence for people.

use std::fmt;
use std::io;

use reqwest::StatusCode;
use serde_json::Value;

use crate::output::text;

/// The exit codes, apart from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Anything that the others do not name.
    Error = 1,
    /// The command line was wrong, or a question could not be asked.
    Usage = 2,
    /// No key pair, or one that the server does not accept.
    NotSignedIn = 3,
    /// What the command names does not exist.
    NotFound = 4,
    /// It exists already, or its state does not allow this.
    Conflict = 5,
    /// The key may not do this.
    Forbidden = 6,
    /// Too many requests.
    RateLimited = 7,
    /// Nothing answers, or what answers cannot serve.
    NoAnswer = 8,
    /// The command asked whether something holds, and it does not.
    CheckFailed = 9,
}

impl Exit {
    /// The exit code for an answer's HTTP status and its google.rpc status. A proxy's 502 and 504 mean that Tollgate
    /// itself did not answer.
    pub(crate) fn of(status: StatusCode, rpc: &str) -> Self {
        match (status.as_u16(), rpc) {
            (400, "FAILED_PRECONDITION") | (409, _) => Self::Conflict,
            (401, _) => Self::NotSignedIn,
            (403, _) => Self::Forbidden,
            (404, _) => Self::NotFound,
            (429, _) => Self::RateLimited,
            (502..=504, _) => Self::NoAnswer,
            _ => Self::Error,
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self::new(Exit::Error, message)
    }

    /// A file or stream that could not be read or written.
    pub(crate) fn file(name: impl fmt::Display, cause: &io::Error) -> Self {
        Self::error(format!("{name}: {cause}"))
    }

    /// What an answer other than 2xx means: the server's message, when to try again, and the request id, under which
    /// the operator finds the cause.
    pub(crate) fn of_answer(
        status: StatusCode,
        retry_after: Option<&str>,
        request_id: Option<&str>,
        body: &str,
    ) -> Self {
        let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let error = &body["error"];
        let texts = [&error["message"], &body["error_description"], error];
        let mut message = match texts.into_iter().find_map(Value::as_str) {
            Some(text) => text::clean(text.trim_end_matches('.')).into_owned(),
            None => format!("the server answered {status} in a form that Tollgate does not use"),
        };
        if let Some(key) = existing_key(&error["details"]) {
            message.push_str(&format!(": KEY ID {key}"));
        }
        if let Some(seconds) = retry_after {
            message.push_str(&format!("; try again in {seconds} s"));
        }
        if let Some(id) = request_id {
            message.push_str(&format!(" (request id {id})"));
        }
        let rpc = error["status"].as_str().unwrap_or_default();
        Self::new(Exit::of(status, rpc), message)
    }
}

/// The key that has the display name already, so that whoever lost the answer to its creation can rotate it.
fn existing_key(details: &Value) -> Option<&str> {
    let resource = details.as_array()?.iter().find(|detail| detail["resourceType"] == "accessKey")?;
    resource["resourceName"].as_str()
}

/// An error with all its causes, in one sentence.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::error(format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(status: u16, rpc: &str) -> u8 {
        Exit::of(StatusCode::from_u16(status).expect("a status"), rpc) as u8
    }

    #[test]
    fn each_kind_of_answer_has_its_exit_code() {
        assert_eq!(exit(400, "INVALID_ARGUMENT"), 1);
        assert_eq!(exit(400, "FAILED_PRECONDITION"), 5);
        assert_eq!(exit(401, "UNAUTHENTICATED"), 3);
        assert_eq!(exit(403, "PERMISSION_DENIED"), 6);
        assert_eq!(exit(404, "NOT_FOUND"), 4);
        assert_eq!(exit(409, "ALREADY_EXISTS"), 5);
        assert_eq!(exit(429, "RESOURCE_EXHAUSTED"), 7);
        assert_eq!(exit(500, "INTERNAL"), 1);
        assert_eq!(exit(503, "UNAVAILABLE"), 8);
        assert_eq!(exit(302, ""), 1);
    }

    #[test]
    fn the_message_of_each_protocol_is_found() {
        let message = |body| Failure::of_answer(StatusCode::BAD_REQUEST, None, Some("r1"), body).message;
        assert_eq!(
            message(
                r#"{"error":{"code":400,"message":"Limit of 10 Access Keys reached","status":"FAILED_PRECONDITION"}}"#
            ),
            "Limit of 10 Access Keys reached (request id r1)"
        );
        assert_eq!(
            message(r#"{"error":"invalid_scope","error_description":"no such scope"}"#),
            "no such scope (request id r1)"
        );
        assert_eq!(message(r#"{"error":"invalid_scope"}"#), "invalid_scope (request id r1)");
        assert_eq!(message("{\"error\":\"a\\n\\u001bb\"}"), "a\\u{a}\\u{1b}b (request id r1)");
        assert!(message("<html>").contains("in a form that Tollgate does not use"));
    }

    #[test]
    fn a_taken_name_names_the_key_that_has_it() {
        let body = r#"{"error":{"message":"Taken.","status":"ALREADY_EXISTS","details":[{"resourceType":"accessKey","resourceName":"k1"}]}}"#;
        let failure = Failure::of_answer(StatusCode::CONFLICT, Some("3"), None, body);
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Conflict, "Taken: KEY ID k1; try again in 3 s"));
    }

    #[test]
    fn an_error_shows_all_its_causes() {
        let error = anyhow::anyhow!("port taken").context("cannot listen");
        assert_eq!(Failure::from(error).message, "cannot listen: port taken");
    }
}
