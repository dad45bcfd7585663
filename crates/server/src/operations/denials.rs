//! Denials: counted, never billed, and explained under their request id.

use super::App;
use super::directory::Whose;
use super::gate::Call;
use super::ledger::Counter;
use super::manage::ManageError;
use crate::store::ledger::DenialRow;
use tollgate_core::gate::Denial;
use tollgate_core::{AccountId, RequestId};

/// Characters that are kept of a denied call's path and method.
const KEPT: usize = 300;

impl App {
    pub(super) fn record_denial(&self, call: &Call<'_>, product: Option<u16>, whose: Option<Whose>, denial: &Denial) {
        let counter = product.zip(whose).map(|(product, whose)| Counter::new(whose, product));
        let path = call.target.split_once('?').map_or(call.target, |(path, _)| path);
        let kept = |text: &str| text.chars().filter(|letter| !letter.is_control()).take(KEPT).collect::<String>();
        let row = DenialRow {
            request: call.request.to_string(),
            account: whose.map(|whose| whose.account.to_string()).unwrap_or_default(),
            project: whose.map(|whose| whose.project.to_string()).unwrap_or_default(),
            credential: whose.map(|whose| whose.credential.to_string()).unwrap_or_default(),
            product: product.map(|product| self.products.at(product).name.to_string()).unwrap_or_default(),
            at: self.now(),
            method: kept(call.method),
            path: kept(path),
            address: call.client.address.map(|address| address.to_string()).unwrap_or_default(),
            reason: denial.code().to_owned(),
            message: denial.message(),
        };
        self.ledger.deny(counter, row);
    }

    /// Why a request was denied, if it is remembered.
    ///
    /// # Errors
    /// No denial is remembered under this id, or an outage.
    pub async fn denial(&self, request: &str) -> Result<DenialRow, ManageError> {
        self.ledger.flush().await?;
        self.store.denial(request).await?.ok_or(ManageError::NotFound("denial"))
    }
    /// Why a request of this account was denied; of any account or none when it is asked `everywhere`.
    ///
    /// # Errors
    /// As for [`App::denial`]; one that belongs elsewhere is the same as none.
    pub async fn denial_in(
        &self,
        account: AccountId,
        request: RequestId,
        everywhere: bool,
    ) -> Result<DenialRow, ManageError> {
        let row = self.denial(&request.to_string()).await?;
        if everywhere || row.account == account.to_string() { Ok(row) } else { Err(ManageError::NotFound("denial")) }
    }
}
