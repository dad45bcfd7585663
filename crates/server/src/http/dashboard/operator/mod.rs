//! The pages of the platform's operator. To everybody else there is nothing at their paths.

pub(crate) mod account;
pub(crate) mod accounts;
pub(crate) mod new;
pub(crate) mod node;
pub(crate) mod products;
pub(crate) mod signing_keys;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::failure::Failure;
use super::who::{Me, OperatorPerson, parameter};
use crate::http::Web;
use crate::operations::{Account, ManageError};

/// An account in the path, whoever it belongs to.
pub(crate) struct AnyAccount {
    pub(crate) me: Me,
    pub(crate) account: Account,
}

impl AnyAccount {
    /// The path of the account's page.
    pub(crate) fn page(&self) -> String {
        format!("{}/operator/accounts/{}", self.me.base(), self.account.id)
    }
}

impl FromRequestParts<Web> for AnyAccount {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let OperatorPerson(me) = OperatorPerson::from_request_parts(parts, web).await?;
        let id = parameter(parts, "account").await.parse();
        let id = id.map_err(|_| ManageError::NotFound("account"))?;
        Ok(Self { account: web.app.account(id).await?, me })
    }
}
