//! Identifiers: UUIDs of version 7 in lower case with hyphens, each kind a type of its own, never used again.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::random::Random;

/// The text was not a UUID in its usual form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID such as 01995a31-0000-7000-8000-000000000000")]
pub struct BadId;

/// Room for the text of any id.
pub type Buffer = [u8; uuid::fmt::Urn::LENGTH];

/// An empty one.
pub fn buffer() -> Buffer {
    Uuid::encode_buffer()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh identifier that sorts by `now`.
            pub fn new(now: Timestamp, random: &dyn Random) -> Self {
                let mut tail = [0_u8; 10];
                random.fill(&mut tail);
                Self(uuid_v7(now, &tail))
            }

            /// The text, without an allocation.
            pub fn encode(self, buffer: &mut Buffer) -> &str {
                self.0.hyphenated().encode_lower(buffer)
            }

            /// The sixteen bytes as a number.
            pub fn as_u128(self) -> u128 {
                self.0.as_u128()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.encode(&mut buffer()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, out)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                hyphenated(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }
    };
}

id!(
    /// A customer organisation, which pays.
    AccountId
);
id!(
    /// A workspace of an account, or a subproject below one.
    ProjectId
);
id!(
    /// The public half of an access key: OAuth's `client_id`.
    KeyId
);
id!(
    /// A person who signs in.
    UserId
);
id!(
    /// One sign-in of a person in one browser.
    SessionId
);
id!(
    /// A link that works once: set-up, invitation, reset, sign-in.
    LinkId
);
id!(
    /// A person's own token for the management API.
    PersonalTokenId
);
id!(
    /// A form that works once: what it makes is made once, however often it is sent.
    FormId
);
id!(
    /// One request, as in the `request-id` header and the log.
    RequestId
);
id!(
    /// One stored secret of a key, or one API token of a service plan. Last use is known per secret.
    SecretId
);
id!(
    /// One entry of the audit trail.
    EventId
);

/// A service plan: 32 lower-case hex digits, a UUID of version 7 without hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanId(Uuid);

/// The text was not a SERVICE PLAN ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SERVICE PLAN ID of 32 lower-case hex digits")]
pub struct BadPlanId;

impl PlanId {
    /// A fresh identifier that sorts by `now`.
    pub fn new(now: Timestamp, random: &dyn Random) -> Self {
        let mut tail = [0_u8; 10];
        random.fill(&mut tail);
        Self(uuid_v7(now, &tail))
    }

    /// The text, without an allocation.
    pub fn encode(self, buffer: &mut Buffer) -> &str {
        self.0.simple().encode_lower(buffer)
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.encode(&mut buffer()))
    }
}

impl fmt::Debug for PlanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for PlanId {
    type Err = BadPlanId;
    fn from_str(text: &str) -> Result<Self, BadPlanId> {
        let is_plain = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let id = if is_plain { Uuid::try_parse(text).ok() } else { None };
        id.map(Self).ok_or(BadPlanId)
    }
}

impl Serialize for PlanId {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

/// What a call is attributed to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CredentialId {
    /// An access key, by its KEY ID.
    Key(KeyId),
    /// A service plan, by its SERVICE PLAN ID.
    Plan(PlanId),
}

impl CredentialId {
    /// The text, without an allocation.
    pub fn encode(self, buffer: &mut Buffer) -> &str {
        match self {
            Self::Key(id) => id.encode(buffer),
            Self::Plan(id) => id.encode(buffer),
        }
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.encode(&mut buffer()))
    }
}

impl Serialize for CredentialId {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl FromStr for CredentialId {
    type Err = BadId;
    /// Tells the two apart by their form: a KEY ID has hyphens.
    fn from_str(text: &str) -> Result<Self, BadId> {
        text.parse().map(Self::Plan).or_else(|_| text.parse().map(Self::Key))
    }
}

impl RequestId {
    /// An id that sorts by `now` and is unique while `tail` is. It is no secret, so that a counter behind a random start
    /// serves as well as random bytes, which cost half a microsecond.
    pub fn with_tail(now: Timestamp, tail: u64) -> Self {
        let mut bytes = [0_u8; 10];
        bytes[2..].copy_from_slice(&tail.to_be_bytes());
        Self(uuid_v7(now, &bytes))
    }
}

/// Only the hyphenated form of 36 characters, in either case: one thing has one spelling.
fn hyphenated(text: &str) -> Result<Uuid, BadId> {
    if text.len() != 36 {
        return Err(BadId);
    }
    Uuid::try_parse(text).map_err(|_| BadId)
}

fn uuid_v7(now: Timestamp, tail: &[u8; 10]) -> Uuid {
    let millis = u64::try_from(now.0.div_euclid(1_000)).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, tail).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn an_id_is_a_version_7_uuid_that_reads_back() {
        let id = KeyId::new(Timestamp(1_700_000_000_000_000), &SystemRandom::default());
        let text = id.to_string();
        assert_eq!(text.as_bytes()[14], b'7');
        assert_eq!(text.parse::<KeyId>(), Ok(id));
        assert!(text.starts_with("018bcfe5-6800-7"));
    }

    #[test]
    fn a_service_plan_id_has_one_spelling_and_is_no_key_id() {
        let id = PlanId::new(Timestamp(1_700_000_000_000_000), &SystemRandom::default());
        let text = id.to_string();
        assert_eq!((text.len(), text.parse::<PlanId>()), (32, Ok(id)));
        assert_eq!(text.parse::<CredentialId>(), Ok(CredentialId::Plan(id)));
        assert_eq!((CredentialId::Plan(id).to_string(), format!("{id:?}")), (text.clone(), text.clone()));
        assert!(text.parse::<KeyId>().is_err());
        let key = KeyId::new(Timestamp(0), &SystemRandom::default());
        assert_eq!(key.to_string().parse::<CredentialId>(), Ok(CredentialId::Key(key)));
        assert_eq!(CredentialId::Key(key).to_string(), key.to_string());
        for wrong in [text.to_uppercase(), format!("{text}0"), text[1..].to_owned(), key.to_string(), String::new()] {
            assert_eq!(wrong.parse::<PlanId>(), Err(BadPlanId), "{wrong}");
        }
    }

    #[test]
    fn other_spellings_of_a_uuid_are_not_ids() {
        for text in [
            "",
            "018bcfe568007000800000000000000a",
            "{018bcfe5-6800-7000-8000-00000000000a}",
            "x18bcfe5-6800-7000-8000-00000000000a",
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(BadId));
        }
    }
}
