//! Personal tokens: a person's own way to the management API and the command line. They may what the person may, at the
//! moment of each call.

use serde_json::json;
use tollgate_core::Secret;
use tollgate_core::id::PersonalTokenId;
use tollgate_core::secret::SecretKind;

use super::{DAY, Person, SignedIn};
use crate::operations::manage::display_name;
use crate::operations::{App, ManageError};
use crate::store::StoreError;
use crate::store::personal_tokens::PersonalToken;

/// How many live ones a person may have.
const MOST: i64 = 20;
const MOST_DAYS: i64 = 365;
const USUAL_DAYS: i64 = 90;
/// How often the last use is written, in seconds.
const USED_PERIOD: i64 = 300;
/// For how long an ended token stays in the list, in days.
pub(super) const SHOWN_DAYS: i64 = 30;

impl App {
    /// Makes a personal token of 1 to 365 days, by default 90. A form makes one, however often it is sent.
    ///
    /// # Errors
    /// A bad name or lifetime, too many tokens ([`ManageError::Precondition`]), a form that was sent before, or an outage.
    pub async fn create_personal_token(
        &self,
        signed_in: &SignedIn,
        form: Option<&str>,
        name: &str,
        days: Option<i64>,
    ) -> Result<(PersonalToken, Secret), ManageError> {
        let days = days.unwrap_or(USUAL_DAYS);
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(ManageError::invalid("days", "must be 1 to 365"));
        }
        let now = self.now();
        let secret = Secret::generate(&self.config.brand, SecretKind::Personal, &*self.random);
        let token = PersonalToken {
            id: PersonalTokenId::new(now, &*self.random),
            user: signed_in.person.user.id,
            display_name: display_name(name, 64)?,
            hint: secret.hint(),
            created_at: now,
            ends_at: now.plus_seconds(days * DAY),
            used_at: None,
        };
        let details =
            json!({ "displayName": token.display_name, "hint": token.hint, "endTime": token.ends_at.to_string() });
        let event = signed_in.doing(form).event(self, None, None, "personalToken.create", token.id, &details);
        let hash = self.master.present().hash(&secret);
        if self.store.insert_personal_token(&token, hash.as_bytes(), MOST, &event).await? {
            return Ok((token, secret));
        }
        Err(ManageError::Precondition(format!("You have {MOST} personal tokens, which is the most: delete one first")))
    }

    /// The person's tokens, oldest first, also those that ended within a month.
    ///
    /// # Errors
    /// An outage.
    pub async fn personal_tokens(&self, signed_in: &SignedIn) -> Result<Vec<PersonalToken>, ManageError> {
        Ok(self.store.personal_tokens(signed_in.person.user.id).await?)
    }

    /// Deletes one of the person's tokens. It is dead at the next call.
    ///
    /// # Errors
    /// There is none such, or an outage.
    pub async fn delete_personal_token(
        &self,
        signed_in: &SignedIn,
        form: Option<&str>,
        id: PersonalTokenId,
    ) -> Result<(), ManageError> {
        let event = signed_in.doing(form).event(self, None, None, "personalToken.delete", id, &json!({}));
        let deleted = self.store.delete_personal_token(signed_in.person.user.id, id, &event).await?;
        if deleted { Ok(()) } else { Err(ManageError::NotFound("personal token")) }
    }

    /// Whose token this is; `None` when it is nobody's or has ended.
    ///
    /// # Errors
    /// An outage.
    pub async fn person_of_token(&self, text: &str) -> Result<Option<Person>, StoreError> {
        let Some(secret) = Secret::parse(&self.config.brand, SecretKind::Personal, text) else { return Ok(None) };
        let now = self.now();
        for master in self.master.all() {
            let Some((token, user)) = self.store.personal_token(master.hash(&secret).as_bytes(), now).await? else {
                continue;
            };
            if token.used_at.is_none_or(|used| used.plus_seconds(USED_PERIOD) <= now) {
                // What is only remembered must not refuse a request.
                if let Err(cause) = self.store.use_personal_token(token.id, now).await {
                    tracing::warn!(error = %cause, "a personal token's last use was not kept");
                }
            }
            return self.person(user).await.map(Some);
        }
        Ok(None)
    }
}
