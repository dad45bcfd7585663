//! `/v1/accounts`: the operator's.

use axum::Json as Answer;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::{OperatedAccount, Operator};
use super::page::Query;
use super::views::{AccountList, AccountView};
use crate::http::Web;
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::operations::{AccountChange, Doing};

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// 1 to 255 characters.
    display_name: String,
    /// How many access keys each of its projects may have.
    key_limit: Option<i64>,
}

/// What to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountUpdate {
    display_name: Option<String>,
    key_limit: Option<i64>,
}

#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", params(("pageSize" = Option<i64>, Query), ("pageToken" = Option<String>, Query)),
    responses((status = 200, body = AccountList), (status = "default", body = super::views::ErrorEnvelope)))]
pub(crate) async fn list(
    State(web): State<Web>,
    _operator: Operator,
    query: Query,
) -> Result<Answer<AccountList>, Problem> {
    let (accounts, next_page_token) = web.app.accounts(&query.page()?).await?;
    Ok(Answer(AccountList { accounts: accounts.into_iter().map(Into::into).collect(), next_page_token }))
}

#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 200, body = AccountView), (status = "default", body = super::views::ErrorEnvelope)))]
pub(crate) async fn create(
    State(web): State<Web>,
    _operator: Operator,
    Json(new): Json<NewAccount>,
) -> Result<Answer<AccountView>, Problem> {
    let doing = Doing::by(&Operator::ACTOR);
    Ok(Answer(web.app.create_account(&doing, &new.display_name, new.key_limit).await?.into()))
}

#[utoipa::path(get, path = "/v1/accounts/{account}", tag = "accounts", params(("account" = String, Path)),
    responses((status = 200, body = AccountView), (status = "default", body = super::views::ErrorEnvelope)))]
pub(crate) async fn show(State(web): State<Web>, account: OperatedAccount) -> Result<Answer<AccountView>, Problem> {
    Ok(Answer(web.app.account(account.0).await?.into()))
}

#[utoipa::path(patch, path = "/v1/accounts/{account}", tag = "accounts", params(("account" = String, Path)), request_body = AccountUpdate,
    responses((status = 200, body = AccountView), (status = "default", body = super::views::ErrorEnvelope)))]
pub(crate) async fn update(
    State(web): State<Web>,
    account: OperatedAccount,
    Json(update): Json<AccountUpdate>,
) -> Result<Answer<AccountView>, Problem> {
    let change = AccountChange { display_name: update.display_name, key_limit: update.key_limit, suspended: None };
    changed(&web, &account, change).await
}

#[utoipa::path(post, path = "/v1/accounts/{account}/suspend", tag = "accounts", params(("account" = String, Path)),
    responses((status = 200, body = AccountView), (status = "default", body = super::views::ErrorEnvelope)))]
pub(crate) async fn suspend(State(web): State<Web>, account: OperatedAccount) -> Result<Answer<AccountView>, Problem> {
    changed(&web, &account, AccountChange { suspended: Some(true), ..AccountChange::default() }).await
}

#[utoipa::path(post, path = "/v1/accounts/{account}/resume", tag = "accounts", params(("account" = String, Path)),
    responses((status = 200, body = AccountView), (status = "default", body = super::views::ErrorEnvelope)))]
pub(crate) async fn resume(State(web): State<Web>, account: OperatedAccount) -> Result<Answer<AccountView>, Problem> {
    changed(&web, &account, AccountChange { suspended: Some(false), ..AccountChange::default() }).await
}

async fn changed(web: &Web, account: &OperatedAccount, change: AccountChange) -> Result<Answer<AccountView>, Problem> {
    let doing = Doing::by(&Operator::ACTOR);
    Ok(Answer(web.app.change_account(&doing, account.0, change).await?.into()))
}
