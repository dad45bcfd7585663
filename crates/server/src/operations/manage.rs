//! What all management operations share: who acts, what went wrong, and pages.

use std::net::IpAddr;

use tollgate_core::id::EventId;
use tollgate_core::name::DisplayName;
use tollgate_core::{AccountId, CredentialId, KeyId, ProjectId, Scopes, UserId, page};

use super::App;
use crate::store::StoreError;
use crate::store::audit::Event;

/// Who makes a change.
#[derive(Debug, Clone)]
pub enum Actor {
    /// The operator, over the Unix socket.
    Operator,
    /// An access key with the scope `keys:manage`, and what it holds.
    Key {
        /// The KEY ID.
        id: KeyId,
        /// What it holds.
        scopes: Scopes,
    },
    /// A person who is signed in, or its personal token.
    Person(UserId),
    /// The server by itself, and what nobody was signed in for yet.
    Nobody,
}

impl Actor {
    /// Whether the actor may do all that these scopes allow.
    pub(super) fn holds(&self, asked: &Scopes) -> bool {
        match self {
            Self::Operator | Self::Person(_) => true,
            Self::Key { scopes, .. } => asked.is_subset(scopes),
            Self::Nobody => false,
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Operator => out.write_str("operator"),
            Self::Key { id, .. } => write!(out, "key:{id}"),
            Self::Person(id) => write!(out, "user:{id}"),
            Self::Nobody => out.write_str("tollgate"),
        }
    }
}

/// Why a management operation did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// A field of the request is wrong.
    #[error("{field}: {message}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// There is no such thing, or not within reach.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A live key or service plan of the project has this display name.
    #[error("{} with this display name exists", thing(*.0))]
    NameTaken(CredentialId),
    /// There is such a thing already.
    #[error("{0}")]
    Exists(String),
    /// The form that asks for this has made it before.
    #[error("This form was sent before: what it asked for is done")]
    FormUsed,
    /// The state of things does not allow it.
    #[error("{0}")]
    Precondition(String),
    /// The store did not answer.
    #[error("Temporarily unavailable; try again")]
    Unavailable(#[source] StoreError),
}

fn thing(credential: CredentialId) -> &'static str {
    match credential {
        CredentialId::Key(_) => "An access key",
        CredentialId::Plan(_) => "A service plan",
    }
}

impl ManageError {
    pub(super) fn invalid(field: &'static str, message: impl std::fmt::Display) -> Self {
        Self::Invalid { field, message: message.to_string() }
    }
}

impl From<StoreError> for ManageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::FormUsed => Self::FormUsed,
            error => Self::Unavailable(error),
        }
    }
}

/// What is done, as the audit trail names it.
#[derive(Debug, Clone)]
pub struct Doing<'a> {
    /// Who does it.
    pub actor: &'a Actor,
    /// From which address, where there is one.
    pub address: Option<IpAddr>,
    /// The form that asks for it: what a form makes is made once.
    pub form: Option<&'a str>,
}

impl<'a> Doing<'a> {
    /// Something that is asked for by no form and from no address.
    pub fn by(actor: &'a Actor) -> Self {
        Self { actor, address: None, form: None }
    }
}

impl Doing<'_> {
    pub(super) fn event(
        &self,
        app: &App,
        account: Option<AccountId>,
        project: Option<ProjectId>,
        action: &str,
        target: impl std::fmt::Display,
        details: &serde_json::Value,
    ) -> Event {
        let at = app.now();
        Event {
            id: EventId::new(at, &*app.random),
            account,
            project,
            at,
            actor: self.actor.to_string(),
            action: action.to_owned(),
            target: target.to_string(),
            details: details.to_string(),
            address: self.address.map(|address| address.to_string()).unwrap_or_default(),
            form: self.form.map(ToOwned::to_owned),
        }
    }
}

/// How much of a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// `pageSize` as it came: 0 or absent means 100, 1,000 is the most.
    pub size: Option<i64>,
    /// `pageToken` as it came.
    pub token: String,
}

impl Page {
    /// How many entries.
    pub(super) fn limit(&self) -> Result<i64, ManageError> {
        match self.size {
            None | Some(0) => Ok(100),
            Some(size @ 1..=1_000) => Ok(size),
            Some(_) => Err(ManageError::invalid("pageSize", "must be 1 to 1000")),
        }
    }

    /// Where the list goes on: after this id, or `start`.
    pub(super) fn cursor(&self, app: &App, list: &str, start: &str) -> Result<String, ManageError> {
        if self.token.is_empty() {
            return Ok(start.to_owned());
        }
        page::open(app.master.present(), list, &self.token).map_err(|error| ManageError::invalid("pageToken", error))
    }

    /// Cuts a list that was read with one entry more than wanted, and makes the token for what follows.
    pub(super) fn cut<T>(
        app: &App,
        list: &str,
        limit: i64,
        mut entries: Vec<T>,
        id: impl Fn(&T) -> String,
    ) -> (Vec<T>, String) {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if entries.len() <= limit {
            return (entries, String::new());
        }
        entries.truncate(limit);
        let token = entries.last().map(|last| page::seal(app.master.present(), list, &id(last)));
        (entries, token.unwrap_or_default())
    }
}

pub(super) fn display_name(text: &str, limit: usize) -> Result<String, ManageError> {
    let name = DisplayName::parse(text, limit).map_err(|error| ManageError::invalid("displayName", error))?;
    Ok(name.as_str().to_owned())
}
