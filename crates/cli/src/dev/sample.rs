//! What a first start makes, and a later one finds again: an account with a project, its key, a subproject and a service plan;
//! and the key of the sample API in an account of its own. Secrets cannot be shown again, so each start makes new ones.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tollgate_core::scope::USAGE_REPORT;
use tollgate_core::{KeyId, PlanId, ProjectId, Secret};
use tollgate_server::operations::{Actor, App, Doing, KeyRequest, ManageError, Project, RotateRequest};
use tollgate_sms_api::Reporter;

/// What a later start must find again. No secret is in it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Remembered {
    project: String,
    key: String,
    subproject: String,
    plan: String,
    reporter_project: String,
    reporter_key: String,
}

/// The account of whoever tries Tollgate.
pub(super) struct Sample {
    pub(super) project: Project,
    pub(super) key: KeyId,
    pub(super) secret: Secret,
    pub(super) subproject: ProjectId,
    pub(super) plan: PlanId,
    pub(super) api_token: Secret,
    /// A link that signs in as the owner of the account, once.
    pub(super) sign_in: String,
}

/// A key, its project, and the secret that was just made.
struct Keyed {
    project: Project,
    key: KeyId,
    secret: Secret,
}

/// Makes or finds everything.
pub(super) async fn make(app: &App, data: &Path) -> anyhow::Result<(Sample, Reporter)> {
    let file = data.join("dev.json");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let remembered: Remembered = serde_json::from_str(&text).unwrap_or_default();
    let doing = Doing::by(&Actor::Operator);

    let customer = match rotated(app, &doing, &remembered.project, &remembered.key).await? {
        Some(customer) => customer,
        None => keyed(app, &doing, ["Demo account", "demo", "demo-key"], &app.scopes()).await?,
    };
    let reporter = match rotated(app, &doing, &remembered.reporter_project, &remembered.reporter_key).await? {
        Some(reporter) => reporter,
        None => keyed(app, &doing, ["Platform", "sample-api", "sample-api"], &[USAGE_REPORT]).await?,
    };
    let subproject = subproject(app, &doing, &customer.project, &remembered.subproject).await?;
    let (plan, api_token) = plan(app, &doing, &customer.project, &remembered.plan).await?;

    let remembered = Remembered {
        project: customer.project.id.to_string(),
        key: customer.key.to_string(),
        subproject: subproject.to_string(),
        plan: plan.to_string(),
        reporter_project: reporter.project.id.to_string(),
        reporter_key: reporter.key.to_string(),
    };
    std::fs::write(&file, serde_json::to_string(&remembered)?)
        .with_context(|| format!("{} cannot be written", file.display()))?;
    let sign_in = sign_in_link(app, &doing, &customer.project).await?;
    let Keyed { project, key, secret } = customer;
    let reporter = Reporter { key_id: reporter.key.to_string(), key_secret: reporter.secret };
    Ok((Sample { project, key, secret, subproject, plan, api_token, sign_in }, reporter))
}

/// A new account with a project and a key.
async fn keyed(app: &App, doing: &Doing<'_>, names: [&str; 3], scopes: &[&str]) -> anyhow::Result<Keyed> {
    let [account, project, key] = names;
    let account = app.create_account(doing, account, None).await?;
    let project = app.create_project(doing, account.id, project).await?;
    let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    let request = KeyRequest { display_name: key.to_owned(), scopes: Some(scopes), ..KeyRequest::default() };
    let (view, secret) = app.create_key(doing, &project, request).await?;
    Ok(Keyed { project, key: view.key.id, secret })
}

/// The key of an earlier start with another secret. `None` when it or its project is gone, or its file says nonsense: then a
/// new one is made.
async fn rotated(app: &App, doing: &Doing<'_>, project: &str, key: &str) -> anyhow::Result<Option<Keyed>> {
    let (Ok(project), Ok(key)) = (project.parse::<ProjectId>(), key.parse::<KeyId>()) else {
        return Ok(None);
    };
    let Some(project) = found(app.project(project).await)?.filter(|project| project.archived_at.is_none()) else {
        return Ok(None);
    };
    let request = RotateRequest { overlap_seconds: 0, revoke_tokens: false };
    if found(app.end_overlap(doing, &project, key).await)?.is_none() {
        return Ok(None);
    }
    let rotation = found(app.rotate_secret(doing, &project, key, request).await)?;
    Ok(rotation.map(|(_, secret)| Keyed { project, key, secret }))
}

/// The subproject of an earlier start, or a new one.
async fn subproject(app: &App, doing: &Doing<'_>, above: &Project, known: &str) -> anyhow::Result<ProjectId> {
    if let Ok(id) = known.parse::<ProjectId>()
        && let Some(found) = found(app.subproject(id).await)?
        && found.parent == Some(above.id)
        && found.archived_at.is_none()
    {
        return Ok(id);
    }
    Ok(app.create_subproject(doing, above.id, "demo-customer", BTreeMap::new()).await?.id)
}

/// The service plan of an earlier start, or a new one, with an API token that replaces all others.
async fn plan(app: &App, doing: &Doing<'_>, project: &Project, known: &str) -> anyhow::Result<(PlanId, Secret)> {
    if let Ok(id) = known.parse::<PlanId>()
        && let Some(view) = found(app.plan(project.id, id).await)?
    {
        for token in view.tokens {
            app.revoke_api_token(doing, project, id, token.id).await?;
        }
        return Ok((id, app.create_api_token(doing, project, id, None).await?.secret));
    }
    let made = app.create_plan(doing, project, "demo-plan").await?;
    Ok((made.view.plan.id, made.secret))
}

async fn sign_in_link(app: &App, doing: &Doing<'_>, project: &Project) -> anyhow::Result<String> {
    let account = app.account(project.account).await?;
    let owner = app.sample_owner(doing, "owner@example.com", &account).await?;
    Ok(app.sign_in_link(doing, &owner).await?.url)
}

/// What is not there is no error here.
fn found<T>(outcome: Result<T, ManageError>) -> anyhow::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(ManageError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
