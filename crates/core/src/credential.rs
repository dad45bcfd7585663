//! What is known of a credential and of everything above it: the entries of the directory, and whether they are live.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::clock::{End, Timestamp};
use crate::id::{AccountId, KeyId, PlanId, ProjectId, SecretId};
use crate::master::{MasterKeys, SecretHash};
use crate::rate::Rate;
use crate::scope::Scopes;
use crate::secret::Secret;

/// One stored secret of a key, or one API token of a service plan.
#[derive(Debug, Clone, Copy)]
pub struct StoredSecret {
    /// Which secret it is; last use is known per secret.
    pub id: SecretId,
    /// Its keyed hash.
    pub hash: SecretHash,
    /// Which master key made the hash: an index into [`MasterKeys`].
    pub master: u8,
    /// When it ends; the deadline travels with the entry, so that no clock-driven eviction is needed.
    pub ends: End,
}

/// An access key as the directory holds it.
#[derive(Debug, Clone)]
pub struct KeyEntry {
    /// The KEY ID.
    pub id: KeyId,
    /// The project that the key belongs to.
    pub project: ProjectId,
    /// Counted up when all tokens of the key are revoked.
    pub generation: i64,
    /// Whether the key was disabled.
    pub disabled: bool,
    /// The key's own end.
    pub ends: End,
    /// What the key may.
    pub scopes: Scopes,
    /// From where it may be used; empty means from everywhere.
    pub addresses: Box<[IpNet]>,
    /// Its own limit of token requests, if it differs from the configured one.
    pub token_rate: Option<Rate>,
    /// One or two live secrets.
    pub secrets: Box<[StoredSecret]>,
}

impl KeyEntry {
    /// Whether the key may be used from this address. One that is not known is in no network.
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        self.addresses.is_empty() || address.is_some_and(|from| self.addresses.iter().any(|net| net.contains(&from)))
    }

    /// The live secret that was presented, if it is one of this key's. All are compared, whichever fits.
    pub fn secret(&self, presented: &Secret, master: &MasterKeys, now: Timestamp) -> Option<SecretId> {
        fitting(&self.secrets, presented, master, now)
    }
}

/// The live one of these that was presented. All are compared, whichever fits.
fn fitting(all: &[StoredSecret], presented: &Secret, master: &MasterKeys, now: Timestamp) -> Option<SecretId> {
    let mut found = None;
    for stored in all {
        let fits = master.at(stored.master).hash(presented).matches(&stored.hash);
        let live = !stored.ends.has_come(now);
        if fits && live {
            found = Some(stored.id);
        }
    }
    found
}

/// A service plan as the directory holds it.
#[derive(Debug, Clone)]
pub struct PlanEntry {
    /// The SERVICE PLAN ID.
    pub id: PlanId,
    /// The project that the plan belongs to.
    pub project: ProjectId,
    /// Its API tokens: none, one or two live ones.
    pub tokens: Box<[StoredSecret]>,
}

impl PlanEntry {
    /// The live API token that was presented, if it is one of this plan's. All are compared, whichever fits.
    pub fn token(&self, presented: &Secret, master: &MasterKeys, now: Timestamp) -> Option<SecretId> {
        fitting(&self.tokens, presented, master, now)
    }
}

/// A project or subproject as the directory holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectEntry {
    /// The project's own id.
    pub id: ProjectId,
    /// Who pays.
    pub account: AccountId,
    /// The project above, for a subproject.
    pub parent: Option<ProjectId>,
    /// Whether it was archived (a project) or deleted (a subproject).
    pub archived: bool,
}

/// An account as the directory holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountEntry {
    /// The account's own id.
    pub id: AccountId,
    /// Whether the operator suspended it.
    pub suspended: bool,
}

/// Why a credential that exists may not be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Inactive {
    /// The key was disabled.
    #[error("the access key is disabled")]
    KeyDisabled,
    /// The key's own end has come. The word "expired" would make old clients loop.
    #[error("the access key has reached its end date")]
    KeyEnded,
    /// The project or the one above it was archived.
    #[error("its project is archived")]
    ProjectArchived,
    /// The account was suspended.
    #[error("the account is suspended")]
    AccountSuspended,
}

/// What stands above a credential and can stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Above {
    /// The credential's project.
    pub project: ProjectEntry,
    /// The project above, when the credential belongs to a subproject.
    pub parent: Option<ProjectEntry>,
    /// The account.
    pub account: AccountEntry,
}

impl Above {
    /// Whether credentials of this project may be used now: deactivation cascades from account and project.
    ///
    /// # Errors
    /// The first thing that stops them, from the project upwards.
    pub fn live(&self) -> Result<(), Inactive> {
        if self.project.archived || self.parent.is_some_and(|parent| parent.archived) {
            return Err(Inactive::ProjectArchived);
        }
        if self.account.suspended {
            return Err(Inactive::AccountSuspended);
        }
        Ok(())
    }
}

impl KeyEntry {
    /// Whether the key may be used now, with what stands above it.
    ///
    /// # Errors
    /// The first thing that stops it, from the key upwards.
    pub fn live(&self, above: &Above, now: Timestamp) -> Result<(), Inactive> {
        if self.disabled {
            return Err(Inactive::KeyDisabled);
        }
        if self.ends.has_come(now) {
            return Err(Inactive::KeyEnded);
        }
        above.live()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::master::MasterKey;
    use crate::random::SystemRandom;
    use crate::secret::SecretKind;

    const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

    /// A new secret as it is stored under the master key at `master`.
    fn stored(keys: &MasterKeys, master: u8, ends_at: Option<Timestamp>) -> (Secret, StoredSecret) {
        let random = SystemRandom::default();
        let secret = Secret::generate("tg", SecretKind::Key, &random);
        let hash = keys.at(master).hash(&secret);
        (secret, StoredSecret { id: SecretId::new(NOW, &random), hash, master, ends: ends_at.into() })
    }

    /// A million of them are to be held in memory: with the two counts of a shared pointer a key fills a block of the
    /// allocator, and so does its secret.
    #[test]
    fn a_known_key_takes_two_full_blocks_of_memory() {
        let counts = 2 * size_of::<usize>();
        assert_eq!((size_of::<KeyEntry>() + counts, size_of::<StoredSecret>()), (128, 64));
    }

    #[test]
    fn each_live_secret_is_found_and_none_that_ended_or_is_anothers() {
        let keys = MasterKeys::new(MasterKey::new(&[1; 32]), vec![MasterKey::new(&[2; 32])]);
        let (old, old_stored) = stored(&keys, 1, Some(NOW));
        let (new, new_stored) = stored(&keys, 0, None);
        let (other, _) = stored(&keys, 0, None);
        let random = SystemRandom::default();
        let project = ProjectId::new(NOW, &random);
        let plan = PlanEntry { id: PlanId::new(NOW, &random), project, tokens: [old_stored, new_stored].into() };
        let key = KeyEntry {
            id: KeyId::new(NOW, &random),
            project,
            generation: 0,
            disabled: false,
            ends: End::NEVER,
            scopes: Scopes::default(),
            addresses: Box::default(),
            token_rate: None,
            secrets: [old_stored, new_stored].into(),
        };
        for (presented, at, expected) in [
            (&new, NOW, Some(new_stored.id)),
            (&old, Timestamp(NOW.0 - 1), Some(old_stored.id)),
            (&old, NOW, None),
            (&old, NOW.plus_seconds(1), None),
            (&other, NOW, None),
        ] {
            assert_eq!(key.secret(presented, &keys, at), expected);
            assert_eq!(plan.token(presented, &keys, at), expected);
        }
    }
}
