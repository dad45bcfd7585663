//! Denials, found again by their request id.

use super::engine::{Sql, statements};
use super::ledger::DenialRow;
use super::value::args;
use super::{Store, StoreError};

statements! {
    DENIAL = Sql::both(
        "SELECT request_id, account_id, project_id, credential_id, product, at, method, path, address, reason, message
         FROM denials WHERE request_id = $1");
}

impl Store {
    pub(crate) async fn denial(&self, request: &str) -> Result<Option<DenialRow>, StoreError> {
        let Some(row) = self.engine.row(DENIAL, args![request]).await? else { return Ok(None) };
        Ok(Some(DenialRow {
            request: row.text(0)?,
            account: row.text(1)?,
            project: row.text(2)?,
            credential: row.text(3)?,
            product: row.text(4)?,
            at: row.time(5)?,
            method: row.text(6)?,
            path: row.text(7)?,
            address: row.text(8)?,
            reason: row.text(9)?,
            message: row.text(10)?,
        }))
    }
}
