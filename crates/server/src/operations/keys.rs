//! Access keys: create, list, change, delete.

use std::collections::HashMap;

use ipnet::IpNet;
use serde_json::json;
use tollgate_core::id::SecretId;
use tollgate_core::rate::Rate;
use tollgate_core::secret::SecretKind;
use tollgate_core::{CredentialId, KeyId, ProjectId, Scopes, Secret, Timestamp};

use super::App;
use super::directory::Changed;
use super::manage::{Actor, Doing, ManageError, Page, display_name};
use crate::store::StoreError;
use crate::store::activity::Activity;
use crate::store::keys::{Inserted, Key, NewSecret, SecretFacts};
use crate::store::projects::Project;

/// Networks from which a key may be used; empty means all.
pub type Addresses = Vec<IpNet>;

/// A new key.
#[derive(Debug, Default, Clone)]
pub struct KeyRequest {
    /// 1 to 64 characters, unique in the project.
    pub display_name: String,
    /// What it may; absent means every product's scope that the maker holds.
    pub scopes: Option<Vec<String>>,
    /// Its own end.
    pub expires_at: Option<Timestamp>,
    /// Networks from which it may be used.
    pub addresses: Addresses,
    /// Its own limit of token requests.
    pub token_rate: Option<Rate>,
}

/// What to change of a key; `None` leaves a field as it is.
#[derive(Debug, Default, Clone)]
pub struct KeyChange {
    /// A new name.
    pub display_name: Option<String>,
    /// New scopes, all of them.
    pub scopes: Option<Vec<String>>,
    /// A new end, or none.
    pub expires_at: Option<Option<Timestamp>>,
    /// New networks, all of them.
    pub addresses: Option<Addresses>,
    /// A new limit of its own, or none.
    pub token_rate: Option<Option<Rate>>,
    /// Disable or enable.
    pub disabled: Option<bool>,
}

/// A key with its secrets' facts and last uses.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// The key.
    pub key: Key,
    /// Its live secrets, oldest first.
    pub secrets: Vec<SecretFacts>,
    /// Its last uses, latest first.
    pub activity: Vec<Activity>,
}

impl App {
    /// Creates a key and returns it with its secret, which is never seen again.
    ///
    /// # Errors
    /// A bad value, a taken name, the limit, an archived project, or an outage.
    pub async fn create_key(
        &self,
        doing: &Doing<'_>,
        project: &Project,
        request: KeyRequest,
    ) -> Result<(KeyView, Secret), ManageError> {
        if project.archived_at.is_some() {
            return Err(ManageError::Precondition("The project is archived".to_owned()));
        }
        let now = self.now();
        let scopes = self.scopes_for(doing.actor, request.scopes.as_deref())?;
        let key = Key {
            id: KeyId::new(now, &*self.random),
            project: project.id,
            display_name: display_name(&request.display_name, 64)?,
            scopes,
            disabled_at: None,
            expires_at: self.checked_end(request.expires_at)?,
            addresses: request.addresses,
            token_rate: request.token_rate,
            created_by: doing.actor.to_string(),
            created_at: now,
            updated_at: now,
        };
        let (secret, stored) = self.new_secret(SecretKind::Key);
        let details = json!({ "displayName": key.display_name, "scopes": key.scopes });
        let event = doing.event(self, Some(project.account), Some(project.id), "accessKey.create", key.id, &details);
        match self.store.insert_key(&key, &stored, &event).await {
            Ok(Inserted::Done) => {}
            Ok(Inserted::NameTaken(existing)) => {
                return Err(ManageError::NameTaken(CredentialId::Key(existing)));
            }
            Ok(Inserted::LimitReached) => return Err(self.limit_reached(project).await?),
            // A rename to this name, which does not wait for creates, was committed in between.
            Err(StoreError::Taken) => return Err(self.name_taken(project.id, &key.display_name).await?),
            Err(error) => return Err(error.into()),
        }
        self.directory.changed(Changed::Key(key.id));
        let facts = SecretFacts { key: key.id, id: stored.id, hint: stored.hint, created_at: now, ends_at: None };
        Ok((KeyView { key, secrets: vec![facts], activity: Vec::new() }, secret))
    }

    /// A key of a project.
    ///
    /// # Errors
    /// The project has no such key, or an outage.
    pub async fn key(&self, project: ProjectId, id: KeyId) -> Result<KeyView, ManageError> {
        let key = self.stored_key(project, id).await?;
        self.view(key).await
    }

    /// The keys of a project, oldest first.
    ///
    /// # Errors
    /// A bad page, or an outage.
    pub async fn keys(&self, project: ProjectId, page: &Page) -> Result<(Vec<KeyView>, String), ManageError> {
        let list = format!("accessKeys/{project}");
        let limit = page.limit()?;
        let after = page.cursor(self, &list, "")?;
        let entries = self.store.keys(project, &after, limit + 1).await?;
        let (keys, next) = Page::cut(self, &list, limit, entries, |key| key.id.to_string());
        Ok((self.views(project, keys).await?, next))
    }

    /// Changes a key. What it may and whether it may is in force at the next request.
    ///
    /// # Errors
    /// The project has no such key, a bad value, a taken name, or an outage.
    pub async fn change_key(
        &self,
        doing: &Doing<'_>,
        project: &Project,
        id: KeyId,
        change: KeyChange,
    ) -> Result<KeyView, ManageError> {
        let action = match change.disabled {
            Some(true) => "accessKey.disable",
            Some(false) => "accessKey.enable",
            None => "accessKey.update",
        };
        // Again when somebody else changed the key in between: no change undoes another.
        loop {
            let mut key = self.stored_key(project.id, id).await?;
            let seen = key.updated_at;
            self.applied(doing.actor, &mut key, &change)?;
            key.updated_at = self.now().after(seen);
            let details = json!({ "displayName": key.display_name, "scopes": key.scopes });
            let event = doing.event(self, Some(project.account), Some(project.id), action, id, &details);
            match self.store.set_key(&key, seen, &event).await {
                Ok(true) => {
                    self.directory.changed(Changed::Key(id));
                    return self.view(key).await;
                }
                Ok(false) => {}
                Err(StoreError::Taken) => return Err(self.name_taken(project.id, &key.display_name).await?),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn applied(&self, actor: &Actor, key: &mut Key, change: &KeyChange) -> Result<(), ManageError> {
        if let Some(disabled) = change.disabled {
            key.disabled_at = disabled.then(|| key.disabled_at.unwrap_or(self.now()));
        }
        if let Some(name) = &change.display_name {
            key.display_name = display_name(name, 64)?;
        }
        if let Some(words) = &change.scopes {
            key.scopes = self.scopes_for(actor, Some(words))?;
        }
        if let Some(end) = change.expires_at {
            key.expires_at = self.checked_end(end)?;
        }
        if let Some(addresses) = &change.addresses {
            key.addresses.clone_from(addresses);
        }
        if let Some(rate) = change.token_rate {
            key.token_rate = rate;
        }
        Ok(())
    }

    /// Deletes a key. Its tokens and secrets are refused from the next request on.
    ///
    /// # Errors
    /// The project has no such key, or an outage.
    pub async fn delete_key(&self, doing: &Doing<'_>, project: &Project, id: KeyId) -> Result<(), ManageError> {
        let key = self.stored_key(project.id, id).await?;
        let details = json!({ "displayName": key.display_name });
        let event = doing.event(self, Some(project.account), Some(project.id), "accessKey.delete", id, &details);
        if !self.store.delete_key(id, project.id, self.now(), &event).await? {
            return Err(ManageError::NotFound("access key"));
        }
        self.directory.changed(Changed::Key(id));
        Ok(())
    }

    pub(super) async fn stored_key(&self, project: ProjectId, id: KeyId) -> Result<Key, ManageError> {
        let key = self.store.key(id).await?;
        key.filter(|key| key.project == project).ok_or(ManageError::NotFound("access key"))
    }

    async fn view(&self, key: Key) -> Result<KeyView, ManageError> {
        let views = self.views(key.project, vec![key]).await?;
        views.into_iter().next().ok_or(ManageError::NotFound("access key"))
    }

    /// Adds secrets and last uses to keys of one project that are sorted by id, in two reads for all of them.
    async fn views(&self, project: ProjectId, keys: Vec<Key>) -> Result<Vec<KeyView>, ManageError> {
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return Ok(Vec::new()) };
        let range = (first.id, last.id);
        let mut secrets: HashMap<KeyId, Vec<SecretFacts>> = HashMap::new();
        for facts in self.store.secrets(project, range, self.now()).await? {
            secrets.entry(facts.key).or_default().push(facts);
        }
        let mut activity: HashMap<KeyId, Vec<Activity>> = HashMap::new();
        for used in self.store.activity(project, range).await? {
            activity.entry(used.key).or_default().push(used);
        }
        let views = keys.into_iter().map(|key| KeyView {
            secrets: secrets.remove(&key.id).unwrap_or_default(),
            activity: activity.remove(&key.id).unwrap_or_default(),
            key,
        });
        Ok(views.collect())
    }

    pub(super) fn new_secret(&self, kind: SecretKind) -> (Secret, NewSecret) {
        let secret = Secret::generate(&self.config.brand, kind, &*self.random);
        let master = self.master.present();
        let stored = NewSecret {
            id: SecretId::new(self.now(), &*self.random),
            hash: master.hash(&secret),
            master: master.fingerprint().to_owned(),
            hint: secret.hint(),
        };
        (secret, stored)
    }

    /// The scopes of a new key. A key never makes a key that holds more than itself.
    fn scopes_for(&self, actor: &Actor, asked: Option<&[String]>) -> Result<Scopes, ManageError> {
        let holds = |word: &str| match actor {
            Actor::Operator | Actor::Person(_) => true,
            Actor::Key { scopes, .. } => scopes.contains(word),
            Actor::Nobody => false,
        };
        let bad = |message: String| ManageError::invalid("scopes", message);
        let Some(asked) = asked else {
            let all = self.products.iter().filter_map(|product| product.scope.as_deref()).filter(|word| holds(word));
            return Scopes::from_words(all).map_err(|error| bad(error.to_string()));
        };
        let scopes = Scopes::from_words(asked.iter().map(String::as_str)).map_err(|error| bad(error.to_string()))?;
        let known = self.scopes();
        if !scopes.iter().all(|word| known.contains(&word)) {
            return Err(bad(format!("one of them does not exist; choose of {}", known.join(", "))));
        }
        if actor.holds(&scopes) {
            Ok(scopes)
        } else {
            Err(ManageError::Forbidden("A key cannot give scopes that it does not hold"))
        }
    }

    fn checked_end(&self, end: Option<Timestamp>) -> Result<Option<Timestamp>, ManageError> {
        if end.is_some_and(|end| end <= self.now()) {
            return Err(ManageError::invalid("expireTime", "must be in the future"));
        }
        Ok(end)
    }

    async fn limit_reached(&self, project: &Project) -> Result<ManageError, ManageError> {
        if self.project(project.id).await?.archived_at.is_some() {
            return Ok(ManageError::Precondition("The project is archived".to_owned()));
        }
        let limit = self.account(project.account).await?.key_limit;
        Ok(ManageError::Precondition(format!("Limit of {limit} Access Keys reached")))
    }

    async fn name_taken(&self, project: ProjectId, name: &str) -> Result<ManageError, ManageError> {
        let existing = self.store.key_by_name(project, name).await?;
        Ok(existing.map_or_else(
            || ManageError::Precondition("The display name was taken a moment ago; try again".to_owned()),
            |id| ManageError::NameTaken(CredentialId::Key(id)),
        ))
    }
}
