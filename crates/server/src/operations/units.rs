//! Units other than calls, such as message parts: the API behind reports them as events, each of which counts once.

use std::collections::HashMap;

use tollgate_core::gate::Denial;
use tollgate_core::scope::USAGE_REPORT;
use tollgate_core::{AccountId, CredentialId, KeyId, ProjectId, Timestamp};

use super::manage::ManageError;
use super::{App, Authorization, Client};
use crate::store::StoreError;
use crate::store::units::UnitsRow;

/// For how long an event is known by its source and id: 35 days. Sent again within that time, it counts once.
pub(super) const REMEMBERED_SECONDS: i64 = 35 * 86_400;
/// The oldest event that is counted. A day less than ids are remembered, so that nothing counts twice.
const OLDEST_SECONDS: i64 = 34 * 86_400;
/// How far an event may lie in the future: clocks differ.
pub(super) const AHEAD_SECONDS: i64 = 300;
/// Events of one request.
const MOST_EVENTS: usize = 1_000;
/// Characters of a source and of an id.
const LONGEST_NAME: usize = 255;
/// The largest quantity of one event.
const MOST_UNITS: i64 = 1_000_000_000;

/// Who reports units.
#[derive(Debug, Clone, Copy)]
pub struct Reporter {
    /// The account of the reporting key.
    account: AccountId,
    /// Whether it may bill all accounts.
    for_all: bool,
}

/// An event as it came.
#[derive(Debug, Clone)]
pub struct UnitsEvent {
    /// Where it comes from; with `id` it names the event.
    pub source: String,
    /// Unique for its source.
    pub id: String,
    /// When; absent means now.
    pub time: Option<Timestamp>,
    /// The account that pays, as the gate told it.
    pub account: String,
    /// The project, as the gate told it.
    pub project: String,
    /// The credential, as the gate told it.
    pub credential: String,
    /// The product.
    pub product: String,
    /// How many units.
    pub quantity: i64,
}

/// What became of a request's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Events that count from now on.
    pub counted: usize,
    /// Events that had been counted before, or stood in the request twice.
    pub duplicates: usize,
}

impl App {
    /// Who reports units: an access key with the scope `usage:report`, or one that may bill all accounts.
    ///
    /// # Errors
    /// Our own outage; the inner error is the caller's fault.
    pub async fn reporter(
        &self,
        authorization: Authorization<'_>,
        client: Client<'_>,
    ) -> Result<Result<Reporter, Denial>, StoreError> {
        // A person holds no scopes.
        if let Some(person) = self.person_caller(authorization).await? {
            return Ok(person.and_then(|_| Err(Denial::WrongScope(USAGE_REPORT.into()))));
        }
        Ok(self.key_caller(authorization, client).await?.and_then(|(known, scopes)| {
            let for_all = self.reports_all.contains(&known.key.id);
            if for_all || scopes.contains(USAGE_REPORT) {
                Ok(Reporter { account: known.above.account.id, for_all })
            } else {
                Err(Denial::WrongScope(USAGE_REPORT.into()))
            }
        }))
    }

    /// Counts units. All of the events or, when one of them is wrong, none.
    ///
    /// # Errors
    /// Which event is wrong and how, or an outage.
    pub async fn count_units(&self, reporter: Reporter, events: Vec<UnitsEvent>) -> Result<Counted, ManageError> {
        if events.is_empty() || events.len() > MOST_EVENTS {
            return Err(ManageError::invalid("events", format!("must be 1 to {MOST_EVENTS}")));
        }
        let now = self.now();
        let all = events.len();
        let mut owners = HashMap::new();
        let mut rows = Vec::with_capacity(all);
        for (index, event) in events.into_iter().enumerate() {
            let at = |message: String| ManageError::invalid("events", format!("event {index}: {message}"));
            let row = self.units_row(event, now).map_err(at)?;
            let belongs = self.belongs(&mut owners, row.account, row.project, row.credential).await?;
            if !belongs || !(reporter.for_all || row.account == reporter.account) {
                let message =
                    "account, project and credential must be those of one call of an account that this key may bill";
                return Err(at(message.to_owned()));
            }
            rows.push(row);
        }
        let counted = self.store.count_units(reporter.account, &rows, now).await?;
        Ok(Counted { counted, duplicates: all - counted })
    }

    /// What can be said of an event by itself.
    fn units_row(&self, event: UnitsEvent, now: Timestamp) -> Result<UnitsRow, String> {
        let name = |field: &str, text: String| {
            let is_good = (1..=LONGEST_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            let message = || format!("{field} must be 1 to {LONGEST_NAME} characters without control characters");
            if is_good { Ok(text) } else { Err(message()) }
        };
        let product = self.products.iter().find(|product| *product.name == *event.product);
        if product.is_none_or(|product| product.unit.is_none()) {
            let names = self.products.iter().filter(|product| product.unit.is_some()).map(|product| &*product.name);
            let known = names.collect::<Vec<_>>().join(", ");
            return Err(format!("data.product must be a product that counts units: {known}"));
        }
        if !(1..=MOST_UNITS).contains(&event.quantity) {
            return Err(format!("data.quantity must be 1 to {MOST_UNITS}"));
        }
        let at = event.time.unwrap_or(now);
        if at < now.plus_seconds(-OLDEST_SECONDS) || at > now.plus_seconds(AHEAD_SECONDS) {
            return Err("time must be within the last 34 days".to_owned());
        }
        Ok(UnitsRow {
            source: name("source", event.source)?,
            id: name("id", event.id)?,
            account: event.account.parse().map_err(|_| "data.account is not a UUID")?,
            project: event.project.parse().map_err(|_| "data.project is not a UUID")?,
            credential: event.credential.parse().map_err(|_| "data.credential is no KEY ID and no SERVICE PLAN ID")?,
            product: event.product,
            at,
            quantity: event.quantity,
        })
    }

    /// Whether a call of this credential is counted on this project of this account. Deleted ones too: the call was before.
    async fn belongs(
        &self,
        owners: &mut HashMap<CredentialId, Option<ProjectId>>,
        account: AccountId,
        project: ProjectId,
        credential: CredentialId,
    ) -> Result<bool, StoreError> {
        let Some(entry) = self.directory.project(project, &self.store).await? else { return Ok(false) };
        let own = match owners.get(&credential) {
            Some(known) => *known,
            None => {
                let found = match credential {
                    CredentialId::Key(id) => self.project_of_key(id).await?,
                    CredentialId::Plan(id) => self.store.project_of_plan(id).await?,
                };
                owners.insert(credential, found);
                found
            }
        };
        let is_counted_there = own == Some(project) || (own.is_some() && own == entry.parent);
        Ok(entry.account == account && is_counted_there)
    }

    async fn project_of_key(&self, id: KeyId) -> Result<Option<ProjectId>, StoreError> {
        match self.directory.key(id, &self.store, &self.master).await? {
            Some(known) => Ok(Some(known.key.project)),
            None => self.store.project_of_key(id).await,
        }
    }
}
