//! The audit trail: one event per change, written in the change's own transaction.

use tollgate_core::id::EventId;
use tollgate_core::{AccountId, ProjectId, Timestamp};

use super::engine::{Sql, Tx, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    INSERT_EVENT = Sql::both(
        "INSERT INTO audit_events (id, account_id, project_id, at, actor, action, target, details, address)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    EVENTS = Sql::both(
        "SELECT id, account_id, project_id, at, actor, action, target, details, address
         FROM audit_events WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
}

/// One change: who did what to what, and when.
#[derive(Debug, Clone)]
pub struct Event {
    /// Sorts by time.
    pub id: EventId,
    /// Whose trail it belongs to; none for what concerns the whole installation.
    pub account: Option<AccountId>,
    /// The project, where there is one.
    pub project: Option<ProjectId>,
    /// When.
    pub at: Timestamp,
    /// `operator`, `user:ID` or `key:KEY ID`.
    pub actor: String,
    /// `accessKey.create` and the like.
    pub action: String,
    /// The id of what was changed.
    pub target: String,
    /// A JSON object with what else is worth knowing; never a secret.
    pub details: String,
    /// From which address; empty for the operator at the socket and for what the server does by itself.
    pub address: String,
    /// The form that asked for it, which works once.
    pub(crate) form: Option<String>,
}

impl Tx<'_> {
    pub(super) async fn write_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let account = event.account.map(|id| id.to_string());
        let project = event.project.map(|id| id.to_string());
        let values = args![
            event.id,
            account,
            project,
            event.at,
            &*event.actor,
            &*event.action,
            &*event.target,
            &*event.details,
            &*event.address
        ];
        self.execute(INSERT_EVENT, values).await?;
        if let Some(form) = &event.form {
            self.use_form(form, event).await?;
        }
        Ok(())
    }
}

impl Store {
    /// An account's events before `before` (an event's id, or text after all ids), newest first.
    pub(crate) async fn events(&self, account: AccountId, before: &str, limit: i64) -> Result<Vec<Event>, StoreError> {
        let rows = self.engine.rows(EVENTS, args![account, before, limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(Event {
                    id: row.parsed(0)?,
                    account: row.maybe_parsed(1)?,
                    project: row.maybe_parsed(2)?,
                    at: row.time(3)?,
                    actor: row.text(4)?,
                    action: row.text(5)?,
                    target: row.text(6)?,
                    details: row.text(7)?,
                    address: row.text(8)?,
                    form: None,
                })
            })
            .collect()
    }
}
