//! Start: data directory, lock, master key, store, signing keys, ledger. Nothing is changed before all checks have passed.

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwap;
use quick_cache::sync::Cache;
use tollgate_core::keyset::{KeySet, KeyTimes};
use tollgate_core::master::MasterKeys;
use tollgate_core::random::random_u128;
use tollgate_core::token::Issuer;
use tollgate_core::{Clock, Random, Timestamp};

use super::directory::Directory;
use super::ledger::Ledger;
use super::ledger_commit::Committer;
use super::limits::Limits;
use super::people::{Delays, Passwords, Post};
use super::revocations::{REMEMBERED_SECONDS, Revocations};
use super::{App, REMEMBERED_TOKENS, master, signing};
use crate::config::{Config, ConfigError, Durability};
use crate::store::{Location, OpenError, Store};

/// Why the server did not start. Each is one sentence that says what to do; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file or directory cannot be written.
    #[error("{} cannot be written ({cause}): give a writable data_dir", path.display())]
    Unwritable {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Another server uses the data directory.
    #[error("{} is in use by another tollgate: stop that one, or give another data_dir", .0.display())]
    Locked(PathBuf),
    /// PostgreSQL without a master key.
    #[error("with PostgreSQL the master key must be given: set master_key_file to a file with 64 hex digits")]
    MasterKeyMissing,
    /// The master key's file cannot be read.
    #[error("the master key in {} cannot be read ({cause}): set master_key_file to a readable file", path.display())]
    MasterKeyUnreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The master key's file holds something else.
    #[error("{} is no master key: it must hold 64 hex digits", .0.display())]
    MasterKeyMalformed(PathBuf),
    /// A file with a URL cannot be read.
    #[error("{} cannot be read ({cause}): set {field} to a readable file", path.display())]
    UrlFile {
        /// Which file.
        path: PathBuf,
        /// Which field of the configuration names it.
        field: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The database was refused.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A signing key cannot be decrypted.
    #[error("signing key {0} cannot be decrypted: list the master key it was made under in older_master_key_files")]
    SigningKey(String),
}

impl App {
    /// Opens everything and starts the ledger. The background work goes on until [`App::close`].
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(config: Config, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Arc<Self>, StartError> {
        let products = config.products()?;
        let given = master::given(&config)?;
        let location = location(&config)?;
        let (post, postman) = Post::open(&config, smtp_url(&config)?.as_deref())?;
        make_directory(&config.data_dir)?;
        let lock = lock(&config.data_dir)?;
        let master = given.or_own(&config.data_dir, &*random)?;
        if let Location::Sqlite { file, .. } = &location {
            open_private(file)?;
        }
        let store = Store::open(&location).await?;
        let now = clock.now();
        let read = match Kept::read(&store, &master, now).await {
            Ok(read) => read,
            Err(error) => {
                store.close().await;
                return Err(error);
            }
        };
        let committer = Committer::start(&store, products.clone(), now, &*random).await.map_err(OpenError::from)?;
        let app = Arc::new(Self {
            issuer: Issuer::new(&config.public_url),
            audience: config.platform_audience().into(),
            times: KeyTimes {
                token_seconds: config.tokens.lifetime_seconds,
                jwks_max_age_seconds: config.tokens.jwks_max_age_seconds,
                leeway_seconds: config.tokens.leeway_seconds,
            },
            algorithm: config.tokens.algorithm,
            introspects_all: config.introspection.all_accounts.iter().filter_map(|id| id.parse().ok()).collect(),
            reports_all: config.metering.all_accounts.iter().filter_map(|id| id.parse().ok()).collect(),
            #[expect(clippy::disallowed_methods, reason = "aws-lc's signing calls ask for its own generator by type")]
            signing_random: aws_lc_rs::rand::SystemRandom::new(),
            directory: Directory::new(config.limits.directory_entries),
            signing: ArcSwap::from_pointee(read.signing),
            verified: Cache::new(REMEMBERED_TOKENS),
            revocations: Revocations::new(read.revoked),
            limits: Limits::new(&config.limits),
            delays: Delays::default(),
            passwords: Passwords::default(),
            post,
            ledger: Ledger::default(),
            next_request: AtomicU64::new(random_u128(&*random) as u64),
            changing_keys: tokio::sync::Mutex::default(),
            products,
            clock,
            random,
            master,
            store,
            config,
            _lock: lock,
        });
        app.maintain().await.map_err(OpenError::from)?;
        tokio::spawn(committer.run(Arc::clone(&app)));
        if let Some(postman) = postman {
            tokio::spawn(postman.run(Arc::downgrade(&app)));
        }
        tokio::spawn(super::upkeep::run(Arc::downgrade(&app)));
        Ok(app)
    }
}

/// What is kept of an earlier run, read before anything is written.
pub(super) struct Kept {
    signing: KeySet,
    revoked: Vec<(u128, Timestamp)>,
}

impl Kept {
    pub(super) async fn read(store: &Store, master: &MasterKeys, now: Timestamp) -> Result<Self, StartError> {
        store.check_master(master.present().fingerprint(), |known| master.by_fingerprint(known).is_some()).await?;
        let signing = signing::load(store, master).await?;
        let revoked = store.revoked_tokens(now.plus_seconds(-REMEMBERED_SECONDS)).await.map_err(OpenError::from)?;
        Ok(Self { signing, revoked })
    }
}

pub(super) fn location(config: &Config) -> Result<Location, StartError> {
    let url = given_or_read(config.database.url.as_ref(), config.database.url_file.as_ref(), "database.url_file")?;
    let sqlite = || Location::Sqlite {
        file: config.data_dir.join("tollgate.db"),
        synced_ledger: config.metering.durability == Durability::Disk,
    };
    Ok(url.map_or_else(sqlite, |url| Location::Postgres { url }))
}

/// The mail server's URL, wherever it stands.
fn smtp_url(config: &Config) -> Result<Option<String>, StartError> {
    given_or_read(config.mail.smtp_url.as_ref(), config.mail.smtp_url_file.as_ref(), "mail.smtp_url_file")
}

/// A value of the configuration, or the one line of the file that holds it.
fn given_or_read(
    given: Option<&String>,
    file: Option<&PathBuf>,
    field: &'static str,
) -> Result<Option<String>, StartError> {
    let (None, Some(path)) = (given, file) else { return Ok(given.cloned()) };
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|cause| StartError::UrlFile { path: path.clone(), field, cause })?;
    Ok(Some(text.trim().to_owned()))
}

pub(super) fn make_directory(path: &Path) -> Result<(), StartError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|cause| StartError::Unwritable { path: path.to_owned(), cause })
}

/// The lock on the data directory. It is given back by hand: a child process that is just being started holds a copy of the
/// open file for a moment, and closing ours would leave the lock with it.
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // The end of the process gives it back as well.
        let _ = self.0.unlock();
    }
}

/// Takes the operating system's lock on the data directory. It ends with the process, however that ends.
pub(super) fn lock(directory: &Path) -> Result<Lock, StartError> {
    let file = open_private(&directory.join("lock"))?;
    file.try_lock().map_err(|_| StartError::Locked(directory.to_owned()))?;
    Ok(Lock(file))
}

/// Opens a file that nobody else may read, and makes it if there is none. SQLite gives its log the mode of its file.
fn open_private(path: &Path) -> Result<File, StartError> {
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map_err(|cause| StartError::Unwritable { path: path.to_owned(), cause })
}
