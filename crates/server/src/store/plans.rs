//! Service plans and their API tokens, as rows.

use tollgate_core::credential::{PlanEntry, StoredSecret};
use tollgate_core::id::SecretId;
use tollgate_core::master::MasterKeys;
use tollgate_core::{AccountId, PlanId, ProjectId, Timestamp};

use super::audit::Event;
use super::engine::{Row, Sql, Tx, Writer, statements};
use super::keys::{NewSecret, read_secret};
use super::value::args;
use super::{Store, StoreError};

statements! {
    // Holds the project's row, so that two creates come one after the other.
    HOLD_PROJECT = Sql::both("UPDATE projects SET live_keys = live_keys WHERE id = $1 AND archived_at IS NULL");
    COUNT_PLANS = Sql::both("SELECT COUNT(*) FROM service_plans WHERE project_id = $1 AND deleted_at IS NULL");
    PLAN_BY_NAME = Sql::both(
        "SELECT id FROM service_plans WHERE project_id = $1 AND display_name = $2 AND deleted_at IS NULL");
    INSERT_PLAN = Sql::both(
        "INSERT INTO service_plans (id, project_id, display_name, created_by, created_at, updated_at, deleted_at)
         VALUES ($1, $2, $3, $4, $5, $5, NULL)");
    PLAN = Sql::both(
        "SELECT id, project_id, display_name, created_by, created_at, updated_at FROM service_plans
         WHERE id = $1 AND deleted_at IS NULL");
    PLANS = Sql::both(
        "SELECT id, project_id, display_name, created_by, created_at, updated_at FROM service_plans
         WHERE project_id = $1 AND id > $2 AND deleted_at IS NULL ORDER BY id LIMIT $3");
    RENAME_PLAN = Sql::both(
        "UPDATE service_plans SET display_name = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL");
    DELETE_PLAN = Sql::both(
        "UPDATE service_plans SET deleted_at = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL");
    PLANS_OF_PROJECTS = Sql::both(
        "SELECT project_id, COUNT(*) FROM service_plans
         WHERE project_id IN (SELECT id FROM projects WHERE account_id = $1 AND id >= $2 AND id <= $3)
         AND deleted_at IS NULL GROUP BY project_id");
    // Holds the plan's row, so that two new tokens come one after the other.
    TOUCH_PLAN = Sql::both("UPDATE service_plans SET updated_at = $2 WHERE id = $1 AND deleted_at IS NULL");
    INSERT_TOKEN = Sql::both(
        "INSERT INTO api_tokens (id, plan_id, hash, master, hint, created_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, NULL)");
    FORGET_ENDED = Sql::both("DELETE FROM api_tokens WHERE plan_id = $1 AND ends_at IS NOT NULL AND ends_at <= $2");
    COUNT_TOKENS = Sql::both("SELECT COUNT(*) FROM api_tokens WHERE plan_id = $1");
    END_TOKENS = Sql::both("UPDATE api_tokens SET ends_at = $2 WHERE plan_id = $1 AND ends_at IS NULL");
    FORGET_TOKEN = Sql::both("DELETE FROM api_tokens WHERE plan_id = $1 AND id = $2");
    FORGET_TOKENS = Sql::both("DELETE FROM api_tokens WHERE plan_id = $1");
    TOKENS = Sql::both(
        "SELECT api_tokens.id, api_tokens.plan_id, api_tokens.hint, api_tokens.created_at, api_tokens.ends_at,
         credential_activity.used_at, credential_activity.address, credential_activity.agent
         FROM api_tokens JOIN service_plans ON service_plans.id = api_tokens.plan_id
         LEFT JOIN credential_activity ON credential_activity.id = api_tokens.id
         WHERE service_plans.project_id = $1 AND service_plans.id >= $2 AND service_plans.id <= $3
         AND (api_tokens.ends_at IS NULL OR api_tokens.ends_at > $4) ORDER BY api_tokens.id");
    ENTRY = Sql::both(
        "SELECT service_plans.project_id, api_tokens.id, api_tokens.hash, api_tokens.master, api_tokens.ends_at
         FROM service_plans LEFT JOIN api_tokens ON api_tokens.plan_id = service_plans.id
         WHERE service_plans.id = $1 AND service_plans.deleted_at IS NULL");
}

/// How many service plans a project may have.
pub(crate) const PLANS_PER_PROJECT: i64 = 100;

/// A service plan as it is stored, without its API tokens.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The SERVICE PLAN ID.
    pub id: PlanId,
    /// The project that it belongs to.
    pub project: ProjectId,
    /// Unique among the live plans of the project, 1 to 64 characters.
    pub display_name: String,
    /// Who made it, as in the audit trail.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it or its tokens were last changed.
    pub updated_at: Timestamp,
}

/// What lists may show of an API token.
#[derive(Debug, Clone)]
pub struct TokenFacts {
    /// Whose token.
    pub plan: PlanId,
    /// Which token.
    pub id: SecretId,
    /// Its first characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
    /// From where it was last used.
    pub address: String,
    /// By what, as the client named itself.
    pub agent: String,
}

/// What became of a new service plan.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InsertedPlan {
    Done,
    Archived,
    LimitReached,
    NameTaken(PlanId),
}

/// What became of a new API token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InsertedToken {
    Done,
    NoPlan,
    TwoTokensLive,
}

impl Store {
    /// Writes plan, first token and event, in one transaction.
    pub(crate) async fn insert_plan(
        &self,
        plan: &Plan,
        token: &NewSecret,
        event: &Event,
    ) -> Result<InsertedPlan, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(HOLD_PROJECT, args![plan.project]).await? == 0 {
            return Ok(InsertedPlan::Archived);
        }
        if let Some(row) = tx.row(PLAN_BY_NAME, args![plan.project, &*plan.display_name]).await? {
            return Ok(InsertedPlan::NameTaken(row.parsed(0)?));
        }
        if tx.row(COUNT_PLANS, args![plan.project]).await?.map_or(Ok(0), |row| row.int(0))? >= PLANS_PER_PROJECT {
            return Ok(InsertedPlan::LimitReached);
        }
        let values = args![plan.id, plan.project, &*plan.display_name, &*plan.created_by, plan.created_at];
        tx.execute(INSERT_PLAN, values).await?;
        tx.insert_api_token(plan.id, token, plan.created_at).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| InsertedPlan::Done)
    }

    pub(crate) async fn plan(&self, id: PlanId) -> Result<Option<Plan>, StoreError> {
        self.engine.row(PLAN, args![id]).await?.as_ref().map(read_plan).transpose()
    }

    pub(crate) async fn plan_by_name(&self, project: ProjectId, name: &str) -> Result<Option<PlanId>, StoreError> {
        let row = self.engine.row(PLAN_BY_NAME, args![project, name]).await?;
        row.map(|row| row.parsed(0)).transpose()
    }

    /// A project's live plans after an id, oldest first.
    pub(crate) async fn plans(&self, project: ProjectId, after: &str, limit: i64) -> Result<Vec<Plan>, StoreError> {
        self.engine.rows(PLANS, args![project, after, limit]).await?.iter().map(read_plan).collect()
    }

    /// How many live plans each of an account's projects from `first` to `last` has, if any.
    pub(crate) async fn plans_of_projects(
        &self,
        account: AccountId,
        (first, last): (ProjectId, ProjectId),
    ) -> Result<Vec<(ProjectId, i64)>, StoreError> {
        let rows = self.engine.rows(PLANS_OF_PROJECTS, args![account, first, last]).await?;
        rows.iter().map(|row| Ok((row.parsed(0)?, row.int(1)?))).collect()
    }

    /// The live API tokens of a project's plans from `first` to `last`, oldest first, with their last uses.
    pub(crate) async fn api_tokens(
        &self,
        project: ProjectId,
        (first, last): (PlanId, PlanId),
        now: Timestamp,
    ) -> Result<Vec<TokenFacts>, StoreError> {
        let rows = self.engine.rows(TOKENS, args![project, first, last, now]).await?;
        rows.iter().map(read_facts).collect()
    }

    /// Renames a plan; `false` when it does not exist.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another live plan of the project has the name.
    pub(crate) async fn rename_plan(
        &self,
        id: PlanId,
        name: &str,
        now: Timestamp,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(RENAME_PLAN, args![id, name, now]).await? == 0 {
            return Ok(false);
        }
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// Deletes a plan: its row stays for the bill, its hashes go. `false` when it does not exist.
    pub(crate) async fn delete_plan(&self, id: PlanId, now: Timestamp, event: &Event) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(DELETE_PLAN, args![id, now]).await? == 0 {
            return Ok(false);
        }
        tx.execute(FORGET_TOKENS, args![id]).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// Gives a plan a second API token, unless it has two live ones. With `old_ends_at`, the old one ends then.
    pub(crate) async fn insert_api_token(
        &self,
        plan: PlanId,
        token: &NewSecret,
        old_ends_at: Option<Timestamp>,
        now: Timestamp,
        event: &Event,
    ) -> Result<InsertedToken, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(TOUCH_PLAN, args![plan, now]).await? == 0 {
            return Ok(InsertedToken::NoPlan);
        }
        if let Some(end) = old_ends_at {
            tx.execute(END_TOKENS, args![plan, end]).await?;
        }
        tx.execute(FORGET_ENDED, args![plan, now]).await?;
        if tx.row(COUNT_TOKENS, args![plan]).await?.map_or(Ok(0), |row| row.int(0))? > 1 {
            return Ok(InsertedToken::TwoTokensLive);
        }
        tx.insert_api_token(plan, token, now).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| InsertedToken::Done)
    }

    /// Ends an API token now: its hash goes. `false` when the plan has no such token.
    pub(crate) async fn delete_api_token(
        &self,
        plan: PlanId,
        token: SecretId,
        now: Timestamp,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(TOUCH_PLAN, args![plan, now]).await? == 0
            || tx.execute(FORGET_TOKEN, args![plan, token]).await? == 0
        {
            return Ok(false);
        }
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// The directory's view of a service plan: everything that a decision needs, in one read.
    pub(crate) async fn plan_entry(&self, id: PlanId, master: &MasterKeys) -> Result<Option<PlanEntry>, StoreError> {
        let rows = self.engine.rows(ENTRY, args![id]).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let mut tokens: Vec<StoredSecret> = Vec::with_capacity(rows.len());
        for row in &rows {
            // A plan without tokens is one row without a token.
            if row.maybe_text(1)?.is_some() {
                tokens.push(read_secret(row, 1, master)?);
            }
        }
        Ok(Some(PlanEntry { id, project: first.parsed(0)?, tokens: tokens.into() }))
    }
}

impl Tx<'_> {
    async fn insert_api_token(&mut self, plan: PlanId, token: &NewSecret, now: Timestamp) -> Result<(), StoreError> {
        let hash: &[u8] = token.hash.as_bytes();
        let values = args![token.id, plan, hash, &*token.master, &*token.hint, now];
        self.execute(INSERT_TOKEN, values).await.map(|_| ())
    }
}

fn read_plan(row: &Row) -> Result<Plan, StoreError> {
    Ok(Plan {
        id: row.parsed(0)?,
        project: row.parsed(1)?,
        display_name: row.text(2)?,
        created_by: row.text(3)?,
        created_at: row.time(4)?,
        updated_at: row.time(5)?,
    })
}

fn read_facts(row: &Row) -> Result<TokenFacts, StoreError> {
    Ok(TokenFacts {
        id: row.parsed(0)?,
        plan: row.parsed(1)?,
        hint: row.text(2)?,
        created_at: row.time(3)?,
        ends_at: row.maybe_time(4)?,
        used_at: row.maybe_time(5)?,
        address: row.maybe_text(6)?.unwrap_or_default(),
        agent: row.maybe_text(7)?.unwrap_or_default(),
    })
}
