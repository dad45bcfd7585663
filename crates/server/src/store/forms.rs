//! Forms that work once: what a form made stands under its id, written in the transaction that made it.

use tollgate_core::Timestamp;

use super::audit::Event;
use super::engine::{Sql, Tx, Writer, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    USE_FORM = Sql::both(
        "INSERT INTO used_forms (id, target, used_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING");
    FORM_TARGET = Sql::both("SELECT target FROM used_forms WHERE id = $1");
    FORGET_FORMS = Sql::both("DELETE FROM used_forms WHERE used_at <= $1");
}

impl Store {
    /// What a form has made, if it was sent before.
    pub(crate) async fn form_target(&self, form: &str) -> Result<Option<String>, StoreError> {
        self.engine.row(FORM_TARGET, args![form]).await?.map(|row| row.text(0)).transpose()
    }

    pub(crate) async fn forget_forms(&self, used_before: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(FORGET_FORMS, args![used_before]).await?;
        tx.commit().await
    }
}

impl Tx<'_> {
    /// # Errors
    /// [`StoreError::FormUsed`] when the form has made something before.
    pub(super) async fn use_form(&mut self, form: &str, event: &Event) -> Result<(), StoreError> {
        let taken = self.execute(USE_FORM, args![form, &*event.target, event.at]).await? == 0;
        if taken { Err(StoreError::FormUsed) } else { Ok(()) }
    }
}
