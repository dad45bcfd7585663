//! `/v1/accounts`: the operator's, and each member's own.

use axum::Json as Answer;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::{Human, InAccount, Operator, PathAccount};
use super::page::Query;
use super::views::{AccountList, AccountView};
use crate::http::Web;
use crate::http::answer::Unstored;
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::rights::{ManageAccount, SeeProjects};
use crate::operations::{AccountChange, ManageError};

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    display_name: String,
    /// How many access keys each of its projects may have.
    #[schema(minimum = 1, maximum = 100_000)]
    key_limit: Option<i64>,
    /// Who is invited to own it.
    owner_email: Option<String>,
}

/// What to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountUpdate {
    #[schema(min_length = 1, max_length = 255)]
    display_name: Option<String>,
    /// The operator's to set.
    #[schema(minimum = 1, maximum = 100_000)]
    key_limit: Option<i64>,
}

#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", params(("pageSize" = Option<i64>, Query), ("pageToken" = Option<String>, Query)),
    responses((status = 200, body = AccountList)))]
pub(crate) async fn list(State(web): State<Web>, human: Human, query: Query) -> Result<Answer<AccountList>, Problem> {
    let page = query.page()?;
    let (accounts, next_page_token) = match &human.person {
        None => web.app.accounts(&page).await?,
        Some(person) => web.app.accounts_of(person, &page).await?,
    };
    Ok(Answer(AccountList { accounts: accounts.into_iter().map(Into::into).collect(), next_page_token }))
}

#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 200, body = AccountView)))]
pub(crate) async fn create(
    State(web): State<Web>,
    operator: Operator,
    Json(new): Json<NewAccount>,
) -> Result<Unstored<AccountView>, Problem> {
    let doing = operator.doing();
    let Some(email) = &new.owner_email else {
        return Ok(Unstored(web.app.create_account(&doing, &new.display_name, new.key_limit).await?.into()));
    };
    let (account, link) = web.app.create_account_for(&doing, &new.display_name, new.key_limit, email).await?;
    let mut view = AccountView::from(account);
    view.invitation_url = Some(link.url);
    Ok(Unstored(view))
}

#[utoipa::path(get, path = "/v1/accounts/{account}", tag = "accounts", params(("account" = String, Path)),
    responses((status = 200, body = AccountView)))]
pub(crate) async fn show(found: InAccount<SeeProjects>) -> Answer<AccountView> {
    Answer(found.account.into())
}

#[utoipa::path(patch, path = "/v1/accounts/{account}", tag = "accounts", params(("account" = String, Path)), request_body = AccountUpdate,
    responses((status = 200, body = AccountView)))]
pub(crate) async fn update(
    State(web): State<Web>,
    managed: InAccount<ManageAccount>,
    Json(update): Json<AccountUpdate>,
) -> Result<Answer<AccountView>, Problem> {
    if update.key_limit.is_some() && !managed.human.is_operator() {
        return Err(ManageError::Forbidden("Only the operator changes keyLimit").into());
    }
    let change = AccountChange { display_name: update.display_name, key_limit: update.key_limit, suspended: None };
    Ok(Answer(web.app.change_account(&managed.doing(), managed.account.id, change).await?.into()))
}

#[utoipa::path(post, path = "/v1/accounts/{account}/suspend", tag = "accounts", params(("account" = String, Path)),
    responses((status = 200, body = AccountView)))]
pub(crate) async fn suspend(
    State(web): State<Web>,
    operator: Operator,
    account: PathAccount,
) -> Result<Answer<AccountView>, Problem> {
    suspended(&web, &operator, &account, true).await
}

#[utoipa::path(post, path = "/v1/accounts/{account}/resume", tag = "accounts", params(("account" = String, Path)),
    responses((status = 200, body = AccountView)))]
pub(crate) async fn resume(
    State(web): State<Web>,
    operator: Operator,
    account: PathAccount,
) -> Result<Answer<AccountView>, Problem> {
    suspended(&web, &operator, &account, false).await
}

async fn suspended(
    web: &Web,
    operator: &Operator,
    account: &PathAccount,
    suspended: bool,
) -> Result<Answer<AccountView>, Problem> {
    let change = AccountChange { suspended: Some(suspended), ..AccountChange::default() };
    Ok(Answer(web.app.change_account(&operator.doing(), account.0, change).await?.into()))
}
