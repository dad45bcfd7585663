//! The directory: credentials and what stands above them, in memory, read through, bounded.
//!
//! A change is committed first, then [`Directory::changed`] counts an epoch up and evicts. A read that began in an older
//! epoch may answer but not fill the directory, so that it cannot put an old state back.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use tollgate_core::credential::{Above, AccountEntry, Inactive, KeyEntry, PlanEntry, ProjectEntry};
use tollgate_core::master::MasterKeys;
use tollgate_core::{AccountId, CredentialId, KeyId, PlanId, ProjectId, Timestamp};

use crate::store::{Store, StoreError};

/// How many unknown ids are remembered. They have a place of their own, so that guesses evict no known credential.
const UNKNOWN_ENTRIES: usize = 100_000;

/// What a change concerned.
#[derive(Debug, Clone, Copy)]
pub(super) enum Changed {
    Key(KeyId),
    Plan(PlanId),
    Project(ProjectId),
    Account(AccountId),
}

/// Whose credential it is: what a call and a denial are attributed to.
#[derive(Debug, Clone, Copy)]
pub struct Whose {
    /// Who pays.
    pub account: AccountId,
    /// What it is counted on: the credential's project, or a subproject that the path names.
    pub project: ProjectId,
    /// The access key or the service plan.
    pub credential: CredentialId,
}

/// A key with everything above it, as it was when it was looked up.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) key: Arc<KeyEntry>,
    pub(super) above: Above,
}

impl Known {
    pub(super) fn live(&self, now: Timestamp) -> Result<(), Inactive> {
        self.key.live(&self.above, now)
    }

    pub(super) fn whose(&self) -> Whose {
        whose(&self.above, CredentialId::Key(self.key.id))
    }
}

/// A service plan with everything above it, as it was when it was looked up.
#[derive(Debug, Clone)]
pub(super) struct KnownPlan {
    pub(super) plan: Arc<PlanEntry>,
    pub(super) above: Above,
}

impl KnownPlan {
    pub(super) fn whose(&self) -> Whose {
        whose(&self.above, CredentialId::Plan(self.plan.id))
    }
}

fn whose(above: &Above, credential: CredentialId) -> Whose {
    Whose { account: above.account.id, project: above.project.id, credential }
}

pub(super) struct Directory {
    epoch: AtomicU64,
    /// Held while an entry is filled in or evicted, never across an await, and not at all on a hit.
    filling: Mutex<()>,
    keys: Family<KeyId, Arc<KeyEntry>>,
    plans: Family<PlanId, Arc<PlanEntry>>,
    projects: Family<ProjectId, ProjectEntry>,
    accounts: Family<AccountId, AccountEntry>,
}

struct Family<I, E> {
    known: Cache<I, E>,
    unknown: Cache<I, ()>,
}

impl<I: Hash + Eq + Copy, E: Clone> Family<I, E> {
    fn new(entries: usize) -> Self {
        Self { known: Cache::new(entries), unknown: Cache::new(UNKNOWN_ENTRIES.min(entries)) }
    }

    fn forget(&self, id: I) {
        self.known.remove(&id);
        self.unknown.remove(&id);
    }
}

impl Directory {
    pub(super) fn new(entries: usize) -> Self {
        Self {
            epoch: AtomicU64::new(0),
            filling: Mutex::new(()),
            keys: Family::new(entries),
            plans: Family::new(entries),
            projects: Family::new(entries),
            accounts: Family::new(entries),
        }
    }

    /// Puts a committed change in force: whoever looks from now on reads anew.
    pub(super) fn changed(&self, what: Changed) {
        let _filling = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        match what {
            Changed::Key(id) => self.keys.forget(id),
            Changed::Plan(id) => self.plans.forget(id),
            Changed::Project(id) => self.projects.forget(id),
            Changed::Account(id) => self.accounts.forget(id),
        }
    }

    /// A key with its project, the project above it and its account; `None` when there is no such key.
    pub(super) async fn key(&self, id: KeyId, store: &Store, master: &MasterKeys) -> Result<Option<Known>, StoreError> {
        let Some(key) = self.entry(&self.keys, id, || store.key_entry(id, master)).await? else { return Ok(None) };
        let above = self.above(key.project, store).await?;
        Ok(Some(Known { key, above }))
    }

    /// The same of a service plan.
    pub(super) async fn plan(
        &self,
        id: PlanId,
        store: &Store,
        master: &MasterKeys,
    ) -> Result<Option<KnownPlan>, StoreError> {
        let Some(plan) = self.entry(&self.plans, id, || store.plan_entry(id, master)).await? else { return Ok(None) };
        let above = self.above(plan.project, store).await?;
        Ok(Some(KnownPlan { plan, above }))
    }

    async fn above(&self, project: ProjectId, store: &Store) -> Result<Above, StoreError> {
        let project =
            self.project(project, store).await?.ok_or(StoreError::Corrupt("a credential without its project"))?;
        let parent = match project.parent {
            Some(id) => self.project(id, store).await?,
            None => None,
        };
        let account = self.entry(&self.accounts, project.account, || store.account_entry(project.account)).await?;
        let account = account.ok_or(StoreError::Corrupt("a project without its account"))?;
        Ok(Above { project, parent, account })
    }

    pub(super) async fn project(&self, id: ProjectId, store: &Store) -> Result<Option<ProjectEntry>, StoreError> {
        self.entry(&self.projects, id, || store.project_entry(id)).await
    }

    async fn entry<I, E, R, F>(
        &self,
        family: &Family<I, E>,
        id: I,
        read: impl FnOnce() -> F,
    ) -> Result<Option<E>, StoreError>
    where
        I: Hash + Eq + Copy,
        E: Clone + From<R>,
        F: Future<Output = Result<Option<R>, StoreError>>,
    {
        if let Some(entry) = family.known.get(&id) {
            return Ok(Some(entry));
        }
        if family.unknown.get(&id).is_some() {
            return Ok(None);
        }
        let epoch = self.epoch.load(Ordering::SeqCst);
        // Apart, because it is rare: what the database needs would have to be moved about for every call that finds its entry here.
        let entry = Box::pin(read()).await?.map(E::from);
        let _filling = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        if self.epoch.load(Ordering::SeqCst) == epoch {
            match &entry {
                Some(entry) => family.known.insert(id, entry.clone()),
                None => family.unknown.insert(id, ()),
            }
        }
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_core::Timestamp;
    use tollgate_core::random::SystemRandom;

    fn account(suspended: bool) -> AccountEntry {
        AccountEntry { id: AccountId::new(Timestamp(0), &SystemRandom::default()), suspended }
    }

    #[tokio::test]
    async fn a_read_that_began_before_a_change_does_not_put_the_old_state_back() {
        let directory = Directory::new(10);
        let old = account(false);
        let new = AccountEntry { suspended: true, ..old };
        let read = directory
            .entry(&directory.accounts, old.id, || async {
                directory.changed(Changed::Account(old.id));
                Ok(Some(old))
            })
            .await;
        assert_eq!(read.expect("a read"), Some(old), "the read itself may answer");
        let read = directory.entry(&directory.accounts, old.id, || async { Ok(Some(new)) }).await;
        assert_eq!(read.expect("a read"), Some(new), "but the next one looks again");
    }

    #[tokio::test]
    async fn a_negative_entry_ends_when_the_thing_is_made() {
        let directory = Directory::new(10);
        let made = account(false);
        let read = || directory.entry(&directory.accounts, made.id, || async { Ok(None::<AccountEntry>) });
        assert_eq!(read().await.expect("a read"), None);
        directory.changed(Changed::Account(made.id));
        let read = directory.entry(&directory.accounts, made.id, || async { Ok(Some(made)) }).await;
        assert_eq!(read.expect("a read"), Some(made));
    }
}
