//! Access keys and their secrets, as rows.

use tollgate_core::credential::{KeyEntry, StoredSecret};
use tollgate_core::id::SecretId;
use tollgate_core::master::{MasterKeys, SecretHash};
use tollgate_core::rate::Rate;
use tollgate_core::{KeyId, ProjectId, Scopes, Timestamp};

use super::audit::Event;
use super::engine::{Row, Sql, Tx, Writer, statements};
use super::value::{Value, args};
use super::{Store, StoreError};

statements! {
    TAKE_PLACE = Sql::both(
        "UPDATE projects SET live_keys = live_keys + 1 WHERE id = $1 AND archived_at IS NULL
         AND live_keys < (SELECT key_limit FROM accounts WHERE accounts.id = projects.account_id)");
    KEY_BY_NAME = Sql::both(
        "SELECT id FROM access_keys WHERE project_id = $1 AND display_name = $2 AND deleted_at IS NULL");
    INSERT_KEY = Sql::both(
        "INSERT INTO access_keys (id, project_id, display_name, scopes, generation, disabled_at, expires_at, addresses,
         token_burst, token_per_second, created_by, created_at, updated_at, deleted_at)
         VALUES ($1, $2, $3, $4, 0, NULL, $5, $6, $7, $8, $9, $10, $10, NULL)");
    INSERT_SECRET = Sql::both(
        "INSERT INTO key_secrets (id, key_id, hash, master, hint, created_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, NULL)");
    KEY = Sql::both(
        "SELECT id, project_id, display_name, scopes, disabled_at, expires_at, addresses, token_burst,
         token_per_second, created_by, created_at, updated_at FROM access_keys WHERE id = $1 AND deleted_at IS NULL");
    KEYS = Sql::both(
        "SELECT id, project_id, display_name, scopes, disabled_at, expires_at, addresses, token_burst,
         token_per_second, created_by, created_at, updated_at FROM access_keys
         WHERE project_id = $1 AND id > $2 AND deleted_at IS NULL ORDER BY id LIMIT $3");
    SECRETS = Sql::both(
        "SELECT key_secrets.id, key_secrets.hint, key_secrets.created_at, key_secrets.ends_at, key_secrets.key_id
         FROM key_secrets JOIN access_keys ON access_keys.id = key_secrets.key_id
         WHERE access_keys.project_id = $1 AND access_keys.id >= $2 AND access_keys.id <= $3
         AND (key_secrets.ends_at IS NULL OR key_secrets.ends_at > $4) ORDER BY key_secrets.id");
    SET_KEY = Sql::both(
        "UPDATE access_keys SET display_name = $2, scopes = $3, disabled_at = $4, expires_at = $5, addresses = $6,
         token_burst = $7, token_per_second = $8, updated_at = $9
         WHERE id = $1 AND updated_at = $10 AND deleted_at IS NULL");
    ENTRY = Sql::both(
        "SELECT access_keys.project_id, access_keys.generation, access_keys.disabled_at, access_keys.expires_at,
         access_keys.scopes, access_keys.addresses, access_keys.token_burst, access_keys.token_per_second,
         key_secrets.id, key_secrets.hash, key_secrets.master, key_secrets.ends_at
         FROM access_keys JOIN key_secrets ON key_secrets.key_id = access_keys.id
         WHERE access_keys.id = $1 AND access_keys.deleted_at IS NULL");
}

/// An access key as it is stored, without its secrets.
#[derive(Debug, Clone)]
pub struct Key {
    /// The KEY ID.
    pub id: KeyId,
    /// The project that it belongs to.
    pub project: ProjectId,
    /// Unique among the live keys of the project, 1 to 64 characters.
    pub display_name: String,
    /// What it may.
    pub scopes: Scopes,
    /// Since when it is disabled.
    pub disabled_at: Option<Timestamp>,
    /// Its own end.
    pub expires_at: Option<Timestamp>,
    /// Networks from which it may be used; empty means all.
    pub addresses: Vec<ipnet::IpNet>,
    /// Its own limit of token requests.
    pub token_rate: Option<Rate>,
    /// Who made it, as in the audit trail.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A secret as it is stored: a keyed hash and what lists may show.
#[derive(Debug)]
pub(crate) struct NewSecret {
    pub(crate) id: SecretId,
    pub(crate) hash: SecretHash,
    pub(crate) master: String,
    pub(crate) hint: String,
}

/// What lists may show of a secret.
#[derive(Debug, Clone)]
pub struct SecretFacts {
    /// Whose secret.
    pub key: KeyId,
    /// Which secret.
    pub id: SecretId,
    /// Its first characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
}

/// What became of a new key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    Done,
    LimitReached,
    NameTaken(KeyId),
}

impl Store {
    /// Takes up a place under the project's limit, and writes key, secret and event, in one transaction.
    pub(crate) async fn insert_key(
        &self,
        key: &Key,
        secret: &NewSecret,
        event: &Event,
    ) -> Result<Inserted, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        // This update also holds the project's row, so that two creates of one name come one after the other.
        let has_place = tx.execute(TAKE_PLACE, args![key.project]).await? == 1;
        if let Some(row) = tx.row(KEY_BY_NAME, args![key.project, &*key.display_name]).await? {
            return Ok(Inserted::NameTaken(row.parsed(0)?));
        }
        if !has_place {
            return Ok(Inserted::LimitReached);
        }
        let [burst, per_second] = rate_values(key.token_rate);
        let values = args![
            key.id,
            key.project,
            &*key.display_name,
            key.scopes.as_str(),
            key.expires_at,
            addresses_text(&key.addresses),
            burst,
            per_second,
            &*key.created_by,
            key.created_at,
        ];
        tx.execute(INSERT_KEY, values).await?;
        tx.insert_secret(key.id, secret, key.created_at).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| Inserted::Done)
    }

    pub(crate) async fn key(&self, id: KeyId) -> Result<Option<Key>, StoreError> {
        self.engine.row(KEY, args![id]).await?.as_ref().map(read_key).transpose()
    }

    pub(crate) async fn key_by_name(&self, project: ProjectId, name: &str) -> Result<Option<KeyId>, StoreError> {
        let row = self.engine.row(KEY_BY_NAME, args![project, name]).await?;
        row.map(|row| row.parsed(0)).transpose()
    }

    /// A project's live keys after an id, oldest first.
    pub(crate) async fn keys(&self, project: ProjectId, after: &str, limit: i64) -> Result<Vec<Key>, StoreError> {
        self.engine.rows(KEYS, args![project, after, limit]).await?.iter().map(read_key).collect()
    }

    /// The live secrets of a project's keys from `first` to `last`, oldest first.
    pub(crate) async fn secrets(
        &self,
        project: ProjectId,
        (first, last): (KeyId, KeyId),
        now: Timestamp,
    ) -> Result<Vec<SecretFacts>, StoreError> {
        let rows = self.engine.rows(SECRETS, args![project, first, last, now]).await?;
        rows.iter()
            .map(|row| {
                Ok(SecretFacts {
                    key: row.parsed(4)?,
                    id: row.parsed(0)?,
                    hint: row.text(1)?,
                    created_at: row.time(2)?,
                    ends_at: row.maybe_time(3)?,
                })
            })
            .collect()
    }

    /// Stores a changed key; `false` when it does not exist, or was changed since `seen`: then it must be read again.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another live key of the project has the name.
    pub(crate) async fn set_key(&self, key: &Key, seen: Timestamp, event: &Event) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        let [burst, per_second] = rate_values(key.token_rate);
        let values = args![
            key.id,
            &*key.display_name,
            key.scopes.as_str(),
            key.disabled_at,
            key.expires_at,
            addresses_text(&key.addresses),
            burst,
            per_second,
            key.updated_at,
            seen,
        ];
        if tx.execute(SET_KEY, values).await? == 0 {
            return Ok(false);
        }
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// The directory's view of a key: everything that a decision needs, in one read.
    pub(crate) async fn key_entry(&self, id: KeyId, master: &MasterKeys) -> Result<Option<KeyEntry>, StoreError> {
        let rows = self.engine.rows(ENTRY, args![id]).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let secrets = rows.iter().map(|row| read_secret(row, 8, master)).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(KeyEntry {
            id,
            project: first.parsed(0)?,
            generation: first.int(1)?,
            disabled: first.maybe_int(2)?.is_some(),
            ends: first.maybe_time(3)?.into(),
            scopes: read_scopes(first, 4)?,
            addresses: read_addresses(first, 5)?.into(),
            token_rate: read_rate(first, 6)?,
            secrets: secrets.into(),
        }))
    }
}

impl Tx<'_> {
    pub(super) async fn insert_secret(
        &mut self,
        key: KeyId,
        secret: &NewSecret,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let hash: &[u8] = secret.hash.as_bytes();
        let values = args![secret.id, key, hash, &*secret.master, &*secret.hint, now];
        self.execute(INSERT_SECRET, values).await.map(|_| ())
    }
}

fn rate_values(rate: Option<Rate>) -> [Value<'static>; 2] {
    [rate.map(|rate| i64::from(rate.burst)).into(), rate.map(|rate| i64::from(rate.per_second)).into()]
}

fn addresses_text(addresses: &[ipnet::IpNet]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn read_key(row: &Row) -> Result<Key, StoreError> {
    Ok(Key {
        id: row.parsed(0)?,
        project: row.parsed(1)?,
        display_name: row.text(2)?,
        scopes: read_scopes(row, 3)?,
        disabled_at: row.maybe_time(4)?,
        expires_at: row.maybe_time(5)?,
        addresses: read_addresses(row, 6)?,
        token_rate: read_rate(row, 7)?,
        created_by: row.text(9)?,
        created_at: row.time(10)?,
        updated_at: row.time(11)?,
    })
}

fn read_scopes(row: &Row, column: usize) -> Result<Scopes, StoreError> {
    Scopes::parse(&row.text(column)?).map_err(|_| StoreError::Corrupt("scopes have the wrong form"))
}

fn read_addresses(row: &Row, column: usize) -> Result<Vec<ipnet::IpNet>, StoreError> {
    let text = row.text(column)?;
    let parsed: Result<Vec<_>, _> = text.split_whitespace().map(str::parse).collect();
    parsed.map_err(|_| StoreError::Corrupt("addresses have the wrong form"))
}

fn read_rate(row: &Row, column: usize) -> Result<Option<Rate>, StoreError> {
    let number = |column| -> Result<Option<u32>, StoreError> {
        let value = row.maybe_int(column)?;
        value.map(|value| u32::try_from(value).map_err(|_| StoreError::Corrupt("a rate is out of range"))).transpose()
    };
    Ok(number(column)?.zip(number(column + 1)?).map(|(burst, per_second)| Rate { burst, per_second }))
}

/// Id, hash, master key and end of a stored secret, from this column on.
pub(super) fn read_secret(row: &Row, column: usize, master: &MasterKeys) -> Result<StoredSecret, StoreError> {
    let hash = row.blob(column + 1)?;
    Ok(StoredSecret {
        id: row.parsed(column)?,
        hash: SecretHash::from_bytes(&hash).ok_or(StoreError::Corrupt("a hash has the wrong length"))?,
        master: master
            .index(&row.text(column + 2)?)
            .ok_or(StoreError::Corrupt("a secret was hashed under a master key that is not given"))?,
        ends: row.maybe_time(column + 3)?.into(),
    })
}
