//! Rotation of a key's secret: the KEY ID stays, two secrets live side by side for the overlap, never more.

use serde_json::json;
use tollgate_core::secret::SecretKind;
use tollgate_core::{KeyId, Secret};

use super::App;
use super::directory::Changed;
use super::keys::KeyView;
use super::manage::{Doing, ManageError};
use crate::store::lifecycle::{Rotated, Rotation};
use crate::store::projects::Project;

/// The longest overlap: 30 days.
const LONGEST_OVERLAP: i64 = 30 * 86_400;

/// How to rotate.
#[derive(Debug, Clone, Copy)]
pub struct RotateRequest {
    /// For how many seconds the old secret stays valid: 0 to 30 days.
    pub overlap_seconds: i64,
    /// Whether all tokens of the key are revoked.
    pub revoke_tokens: bool,
}

impl App {
    /// Gives a key a new secret and returns it, which is never seen again.
    ///
    /// # Errors
    /// The project has no such key, the overlap is out of range, two secrets live already, or an outage.
    pub async fn rotate_secret(
        &self,
        doing: &Doing<'_>,
        project: &Project,
        id: KeyId,
        request: RotateRequest,
    ) -> Result<(KeyView, Secret), ManageError> {
        if !(0..=LONGEST_OVERLAP).contains(&request.overlap_seconds) {
            return Err(ManageError::invalid("overlapSeconds", format!("must be 0 to {LONGEST_OVERLAP}")));
        }
        let key = self.stored_key(project.id, id).await?;
        if !doing.actor.holds(&key.scopes) {
            return Err(ManageError::Forbidden("A key gets no secret of a key that holds more than itself"));
        }
        let (secret, stored) = self.new_secret(SecretKind::Key);
        let now = self.now();
        let rotation = Rotation {
            key: id,
            secret: &stored,
            old_ends_at: now.plus_seconds(request.overlap_seconds),
            revoke_tokens: request.revoke_tokens,
            now,
        };
        let details = json!({ "overlapSeconds": request.overlap_seconds, "revokeTokens": request.revoke_tokens });
        let event = doing.event(self, Some(project.account), Some(project.id), "accessKey.rotateSecret", id, &details);
        match self.store.rotate_secret(&rotation, &event).await? {
            Rotated::Done => {}
            Rotated::NoKey => return Err(ManageError::NotFound("access key")),
            Rotated::TwoSecretsLive => {
                let message = "Two secrets are live already; end the overlap first";
                return Err(ManageError::Precondition(message.to_owned()));
            }
        }
        self.directory.changed(Changed::Key(id));
        Ok((self.key(project.id, id).await?, secret))
    }

    /// Ends the old secret of a rotation at once.
    ///
    /// # Errors
    /// The project has no such key, or an outage.
    pub async fn end_overlap(&self, doing: &Doing<'_>, project: &Project, id: KeyId) -> Result<KeyView, ManageError> {
        self.stored_key(project.id, id).await?;
        let event = doing.event(self, Some(project.account), Some(project.id), "accessKey.endOverlap", id, &json!({}));
        if !self.store.end_overlap(id, self.now(), &event).await? {
            return Err(ManageError::NotFound("access key"));
        }
        self.directory.changed(Changed::Key(id));
        self.key(project.id, id).await
    }

    /// Revokes all tokens of a key. Its secrets go on.
    ///
    /// # Errors
    /// The project has no such key, or an outage.
    pub async fn revoke_key_tokens(
        &self,
        doing: &Doing<'_>,
        project: &Project,
        id: KeyId,
    ) -> Result<KeyView, ManageError> {
        self.stored_key(project.id, id).await?;
        let event =
            doing.event(self, Some(project.account), Some(project.id), "accessKey.revokeTokens", id, &json!({}));
        if !self.store.revoke_key_tokens(id, self.now(), &event).await? {
            return Err(ManageError::NotFound("access key"));
        }
        self.directory.changed(Changed::Key(id));
        self.key(project.id, id).await
    }
}
