//! The audit trail: one event per change, written in the change's own transaction.

use tollgate_core::id::EventId;
use tollgate_core::{AccountId, ProjectId, Timestamp};

use super::engine::{Row, Sql, Tx, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    INSERT_EVENT = Sql::both(
        "INSERT INTO audit_events (id, account_id, project_id, at, actor, action, target, details, address)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    EVENTS = Sql::both(
        "SELECT id, account_id, project_id, at, actor, action, target, details, address
         FROM audit_events WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    // Names are looked up for what is shown, not for what is passed over.
    TRAIL = Sql::both(
        "SELECT events.id, events.account_id, events.project_id, events.at, events.actor, events.action, events.target,
         events.details, events.address, COALESCE(actors.email, doers.display_name),
         COALESCE(keys.display_name, projects.display_name, accounts.display_name, people.email)
         FROM (SELECT id, account_id, project_id, at, actor, action, target, details, address
             FROM audit_events
             WHERE account_id = $1 AND id < $2 AND id >= $3 AND action LIKE $4 AND actor LIKE $5
             ORDER BY id DESC LIMIT $6) AS events
         LEFT JOIN users AS actors ON events.actor LIKE 'user:%' AND actors.id = substr(events.actor, 6)
         LEFT JOIN access_keys AS doers ON events.actor LIKE 'key:%' AND doers.id = substr(events.actor, 5)
         LEFT JOIN access_keys AS keys ON keys.id = events.target
         LEFT JOIN projects ON projects.id = events.target
         LEFT JOIN accounts ON accounts.id = events.target
         LEFT JOIN users AS people ON people.id = events.target
         ORDER BY events.id DESC");
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

/// An event, with the names of who did it and of what was changed, where they are known.
#[derive(Debug, Clone)]
pub struct TrailEntry {
    /// What happened.
    pub event: Event,
    /// The e-mail address of a person, or the display name of an access key.
    pub actor_name: Option<String>,
    /// The name that the target has now.
    pub target_name: Option<String>,
}

/// Which events of an account are wanted. The patterns are those of SQL's `LIKE`, made of words of ours.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) account: AccountId,
    /// An event's id, or text after all ids.
    pub(crate) before: &'a str,
    /// Where an id begins that is not older than this.
    pub(crate) from: &'a str,
    pub(crate) actions: &'a str,
    pub(crate) actors: &'a str,
    pub(crate) limit: i64,
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
        rows.iter().map(read_event).collect()
    }

    /// The events that are wanted, newest first.
    pub(crate) async fn trail(&self, wanted: &Wanted<'_>) -> Result<Vec<TrailEntry>, StoreError> {
        let Wanted { account, before, from, actions, actors, limit } = *wanted;
        let rows = self.engine.rows(TRAIL, args![account, before, from, actions, actors, limit]).await?;
        let entry = |row| {
            let (actor_name, target_name) = (Row::maybe_text(row, 9)?, Row::maybe_text(row, 10)?);
            Ok(TrailEntry { event: read_event(row)?, actor_name, target_name })
        };
        rows.iter().map(entry).collect()
    }
}

/// Reads an event from the first nine columns.
fn read_event(row: &Row) -> Result<Event, StoreError> {
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
}
