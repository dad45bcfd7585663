//! SMS service plans and their API tokens: create, list, rename, delete; a second token for rotation, revocation.

use std::collections::HashMap;

use serde_json::json;
use tollgate_core::id::SecretId;
use tollgate_core::secret::SecretKind;
use tollgate_core::{AccountId, CredentialId, PlanId, ProjectId, Secret};

use super::App;
use super::directory::Changed;
use super::manage::{Doing, ManageError, Page, display_name};
use crate::store::StoreError;
use crate::store::plans::{InsertedPlan, InsertedToken, PLANS_PER_PROJECT, Plan, TokenFacts};
use crate::store::projects::Project;

/// The longest that an old API token stays beside a new one: 30 days.
const LONGEST_OVERLAP: i64 = 30 * 86_400;

/// A service plan with what may be shown of its API tokens.
#[derive(Debug, Clone)]
pub struct PlanView {
    /// The plan.
    pub plan: Plan,
    /// Its live API tokens, oldest first.
    pub tokens: Vec<TokenFacts>,
}

/// A new API token and its secret, which is never seen again.
#[derive(Debug)]
pub struct NewToken {
    /// The plan with its new token.
    pub view: PlanView,
    /// Which of its tokens is the new one.
    pub id: SecretId,
    /// The API token.
    pub secret: Secret,
}

impl App {
    /// Creates a service plan with its first API token.
    ///
    /// # Errors
    /// A bad or taken name, the limit, an archived project, or an outage.
    pub async fn create_plan(&self, doing: &Doing<'_>, project: &Project, name: &str) -> Result<NewToken, ManageError> {
        let now = self.now();
        let plan = Plan {
            id: PlanId::new(now, &*self.random),
            project: project.id,
            display_name: display_name(name, 64)?,
            created_by: doing.actor.to_string(),
            created_at: now,
            updated_at: now,
        };
        let (secret, stored) = self.new_secret(SecretKind::ApiToken);
        let details = json!({ "displayName": plan.display_name, "apiTokenId": stored.id });
        let event = doing.event(self, Some(project.account), Some(project.id), "servicePlan.create", plan.id, &details);
        match self.store.insert_plan(&plan, &stored, &event).await {
            Ok(InsertedPlan::Done) => {}
            Ok(InsertedPlan::Archived) => {
                return Err(ManageError::Precondition("The project is archived".to_owned()));
            }
            Ok(InsertedPlan::LimitReached) => {
                let message = format!("Limit of {PLANS_PER_PROJECT} service plans reached");
                return Err(ManageError::Precondition(message));
            }
            Ok(InsertedPlan::NameTaken(existing)) => {
                return Err(ManageError::NameTaken(CredentialId::Plan(existing)));
            }
            // A rename to this name, which does not wait for creates, was committed in between.
            Err(StoreError::Taken) => return Err(self.plan_name_taken(project.id, &plan.display_name).await?),
            Err(error) => return Err(error.into()),
        }
        self.directory.changed(Changed::Plan(plan.id));
        Ok(NewToken { view: self.plan_view(plan).await?, id: stored.id, secret })
    }

    /// A service plan of a project.
    ///
    /// # Errors
    /// The project has no such plan, or an outage.
    pub async fn plan(&self, project: ProjectId, id: PlanId) -> Result<PlanView, ManageError> {
        let plan = self.stored_plan(project, id).await?;
        self.plan_view(plan).await
    }

    /// The service plans of a project, oldest first.
    ///
    /// # Errors
    /// A bad page, or an outage.
    pub async fn plans(&self, project: ProjectId, page: &Page) -> Result<(Vec<PlanView>, String), ManageError> {
        let list = format!("servicePlans/{project}");
        let limit = page.limit()?;
        let after = page.cursor(self, &list, "")?;
        let entries = self.store.plans(project, &after, limit + 1).await?;
        let (plans, next) = Page::cut(self, &list, limit, entries, |plan| plan.id.to_string());
        Ok((self.plan_views(project, plans).await?, next))
    }

    /// How many service plans each of an account's projects from `first` to `last` has, if any.
    ///
    /// # Errors
    /// An outage.
    pub async fn plans_of_projects(
        &self,
        account: AccountId,
        first: ProjectId,
        last: ProjectId,
    ) -> Result<HashMap<ProjectId, i64>, ManageError> {
        Ok(self.store.plans_of_projects(account, (first, last)).await?.into_iter().collect())
    }

    /// Renames a service plan.
    ///
    /// # Errors
    /// The project has no such plan, a bad or taken name, or an outage.
    pub async fn rename_plan(
        &self,
        doing: &Doing<'_>,
        project: &Project,
        id: PlanId,
        name: &str,
    ) -> Result<PlanView, ManageError> {
        self.stored_plan(project.id, id).await?;
        let name = display_name(name, 64)?;
        let details = json!({ "displayName": name });
        let event = doing.event(self, Some(project.account), Some(project.id), "servicePlan.update", id, &details);
        match self.store.rename_plan(id, &name, self.now(), &event).await {
            Ok(true) => self.plan(project.id, id).await,
            Ok(false) => Err(ManageError::NotFound("service plan")),
            Err(StoreError::Taken) => Err(self.plan_name_taken(project.id, &name).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a service plan. Its API tokens are refused from the next call on.
    ///
    /// # Errors
    /// The project has no such plan, or an outage.
    pub async fn delete_plan(&self, doing: &Doing<'_>, project: &Project, id: PlanId) -> Result<(), ManageError> {
        let plan = self.stored_plan(project.id, id).await?;
        let details = json!({ "displayName": plan.display_name });
        let event = doing.event(self, Some(project.account), Some(project.id), "servicePlan.delete", id, &details);
        if !self.store.delete_plan(id, self.now(), &event).await? {
            return Err(ManageError::NotFound("service plan"));
        }
        self.directory.changed(Changed::Plan(id));
        Ok(())
    }

    /// Gives a service plan another API token. With `overlap_seconds`, 0 to 30 days, the old one ends after so long; without,
    /// it goes on until it is revoked.
    ///
    /// # Errors
    /// The project has no such plan, the overlap is out of range, two tokens live already, or an outage.
    pub async fn create_api_token(
        &self,
        doing: &Doing<'_>,
        project: &Project,
        id: PlanId,
        overlap_seconds: Option<i64>,
    ) -> Result<NewToken, ManageError> {
        if overlap_seconds.is_some_and(|seconds| !(0..=LONGEST_OVERLAP).contains(&seconds)) {
            return Err(ManageError::invalid("overlapSeconds", format!("must be 0 to {LONGEST_OVERLAP}")));
        }
        self.stored_plan(project.id, id).await?;
        let now = self.now();
        let (secret, stored) = self.new_secret(SecretKind::ApiToken);
        let details = json!({ "apiTokenId": stored.id, "overlapSeconds": overlap_seconds });
        let event = doing.event(self, Some(project.account), Some(project.id), "apiToken.create", id, &details);
        let old_ends_at = overlap_seconds.map(|seconds| now.plus_seconds(seconds));
        match self.store.insert_api_token(id, &stored, old_ends_at, now, &event).await? {
            InsertedToken::Done => {}
            InsertedToken::NoPlan => return Err(ManageError::NotFound("service plan")),
            InsertedToken::TwoTokensLive => {
                let message = "Two API tokens are live already; revoke one first";
                return Err(ManageError::Precondition(message.to_owned()));
            }
        }
        self.directory.changed(Changed::Plan(id));
        Ok(NewToken { view: self.plan(project.id, id).await?, id: stored.id, secret })
    }

    /// Revokes an API token: it is refused from the next call on.
    ///
    /// # Errors
    /// The project has no such plan, the plan has no such token, or an outage.
    pub async fn revoke_api_token(
        &self,
        doing: &Doing<'_>,
        project: &Project,
        id: PlanId,
        token: SecretId,
    ) -> Result<PlanView, ManageError> {
        self.stored_plan(project.id, id).await?;
        let details = json!({ "apiTokenId": token });
        let event = doing.event(self, Some(project.account), Some(project.id), "apiToken.revoke", id, &details);
        if !self.store.delete_api_token(id, token, self.now(), &event).await? {
            return Err(ManageError::NotFound("API token"));
        }
        self.directory.changed(Changed::Plan(id));
        self.plan(project.id, id).await
    }

    async fn stored_plan(&self, project: ProjectId, id: PlanId) -> Result<Plan, ManageError> {
        let plan = self.store.plan(id).await?;
        plan.filter(|plan| plan.project == project).ok_or(ManageError::NotFound("service plan"))
    }

    async fn plan_view(&self, plan: Plan) -> Result<PlanView, ManageError> {
        let views = self.plan_views(plan.project, vec![plan]).await?;
        views.into_iter().next().ok_or(ManageError::NotFound("service plan"))
    }

    /// Adds their API tokens to plans of one project that are sorted by id, in one read for all of them.
    async fn plan_views(&self, project: ProjectId, plans: Vec<Plan>) -> Result<Vec<PlanView>, ManageError> {
        let (Some(first), Some(last)) = (plans.first(), plans.last()) else { return Ok(Vec::new()) };
        let mut tokens: HashMap<PlanId, Vec<TokenFacts>> = HashMap::new();
        for facts in self.store.api_tokens(project, (first.id, last.id), self.now()).await? {
            tokens.entry(facts.plan).or_default().push(facts);
        }
        let views =
            plans.into_iter().map(|plan| PlanView { tokens: tokens.remove(&plan.id).unwrap_or_default(), plan });
        Ok(views.collect())
    }

    async fn plan_name_taken(&self, project: ProjectId, name: &str) -> Result<ManageError, ManageError> {
        let existing = self.store.plan_by_name(project, name).await?;
        Ok(existing.map_or_else(
            || ManageError::Precondition("The display name was taken a moment ago; try again".to_owned()),
            |id| ManageError::NameTaken(CredentialId::Plan(id)),
        ))
    }
}
