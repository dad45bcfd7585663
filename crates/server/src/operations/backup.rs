//! Backup and restore of the SQLite file. A backup is taken beside a server that serves, or without one; a restore wants the data
//! directory for itself.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tollgate_core::master::MasterKeys;
use tollgate_core::{Random, Timestamp};

use super::master;
use super::start::{self, StartError};
use crate::config::Config;
use crate::store::backup::{copy, inspect};
use crate::store::journal_file::{path_beside, sync_directory, with_suffix};
use crate::store::{Location, Store, StoreError};

pub use crate::store::backup::Contents;

/// A backup that was written, or restored.
#[derive(Debug)]
pub struct Backup {
    /// Its size in bytes.
    pub bytes: u64,
    /// What is in it.
    pub contents: Contents,
}

/// A restore that was done.
#[derive(Debug)]
pub struct Restored {
    /// What is in the data directory now.
    pub backup: Backup,
    /// Where the data is kept that was there before.
    pub put_aside: Option<PathBuf>,
}

/// Why there is no backup, or nothing was restored. Each is one sentence that says what to do; what was there is there still.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data is in PostgreSQL.
    #[error("the data is in PostgreSQL, which has its own tools: use {0} with the URL in database.url")]
    Postgres(&'static str),
    /// There is no database.
    #[error("there is no database {}: give the configuration or the data directory of the server", .0.display())]
    NoData(PathBuf),
    /// The file exists.
    #[error("{} exists: give another name, or --force to replace it", .0.display())]
    Exists(PathBuf),
    /// There is data where the backup would go.
    #[error("{} exists: with --force it is put aside, and the backup takes its place", .0.display())]
    HasData(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The database cannot be copied.
    #[error("{} cannot be copied: {cause}", path.display())]
    Copy {
        /// Which one.
        path: PathBuf,
        /// What the database said.
        cause: StoreError,
    },
    /// The file is no database of Tollgate, or not a whole one.
    #[error("{} is no whole database of Tollgate: {cause}", path.display())]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        cause: StoreError,
    },
    /// The master key has to be there before the data.
    #[error(
        "the master key of the backup is missing: put it into {}, or set master_key_file; without it the backup cannot be used",
        .0.display()
    )]
    NoMasterKey(PathBuf),
    /// A server could not start on it, or one is running.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Writes a backup to `file`, and reads all of it again. `replace` lets it take the place of a file of that name.
///
/// # Errors
/// See [`BackupError`]; there is no new file then.
pub async fn back_up(config: &Config, file: &Path, replace: bool) -> Result<Backup, BackupError> {
    let database = database(config, "pg_dump --format=custom")?;
    if !database.exists() {
        return Err(BackupError::NoData(database));
    }
    if file.exists() && !replace {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let unfinished = beside(file, "unfinished");
    let written = write(&database, &unfinished).await.and_then(|backup| {
        put(&unfinished, file)?;
        Ok(backup)
    });
    if written.is_err() {
        // It may not have come to be; the error that counts is the one before.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

async fn write(database: &Path, unfinished: &Path) -> Result<Backup, BackupError> {
    let made = make_private(unfinished)?;
    let failed = |cause| BackupError::Copy { path: database.to_owned(), cause };
    copy(database, unfinished).await.map_err(failed)?;
    made.sync_all().map_err(at(unfinished))?;
    examined(unfinished).await
}

/// Puts the backup in `file` in the place of the data. `replace` says that there may be data, which is put aside.
///
/// # Errors
/// See [`BackupError`]; the data is what it was then.
pub async fn restore(
    config: &Config,
    file: &Path,
    replace: bool,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Restored, BackupError> {
    let database = database(config, "pg_restore")?;
    let given = master::given(config)?;
    let own_key = config.data_dir.join("master.key");
    if !given.is_present() && !own_key.exists() {
        return Err(BackupError::NoMasterKey(own_key));
    }
    if !file.exists() {
        return Err(BackupError::File { path: file.to_owned(), cause: io::ErrorKind::NotFound.into() });
    }
    start::make_directory(&config.data_dir)?;
    let _lock = start::lock(&config.data_dir)?;
    if database.exists() && !replace {
        return Err(BackupError::HasData(database));
    }
    let backup = examined(file).await?;
    let staged = beside(&database, "restoring");
    forget(&staged)?;
    let usable = stage(file, &staged, &given.or_own(&config.data_dir, random)?, now).await;
    let put = usable.and_then(|()| {
        let put_aside = put_aside(&database, now)?;
        put(&staged, &database)?;
        Ok(Restored { backup, put_aside })
    });
    if put.is_err() {
        // It may not have come to be; the error that counts is the one before.
        let _ = forget(&staged);
    }
    put
}

/// Copies a backup to where a server can open it, and opens it as a server does: schema, master key, signing keys.
async fn stage(file: &Path, staged: &Path, keys: &MasterKeys, now: Timestamp) -> Result<(), BackupError> {
    let mut copied = make_private(staged)?;
    let mut source = File::open(file).map_err(at(file))?;
    io::copy(&mut source, &mut copied).and_then(|_| copied.sync_all()).map_err(at(staged))?;
    let location = Location::Sqlite { file: staged.to_owned(), synced_ledger: true };
    let store = Store::open(&location).await.map_err(StartError::from)?;
    let usable = start::Kept::read(&store, keys, now).await;
    store.close().await;
    usable.map(|_| ()).map_err(BackupError::from)
}

/// The SQLite file of a configuration.
fn database(config: &Config, instead: &'static str) -> Result<PathBuf, BackupError> {
    match start::location(config)? {
        Location::Sqlite { file, .. } => Ok(file),
        Location::Postgres { .. } => Err(BackupError::Postgres(instead)),
    }
}

async fn examined(file: &Path) -> Result<Backup, BackupError> {
    let bytes = fs::metadata(file).map_err(at(file))?.len();
    let damaged = |cause| BackupError::Damaged { path: file.to_owned(), cause };
    let contents = inspect(file).await.map_err(damaged)?;
    Ok(Backup { bytes, contents })
}

/// Puts the present data into a directory of its own, under its own names, so that it can be looked at or put back. The log goes
/// first: a log must never lie beside a file that it does not belong to.
fn put_aside(database: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    if !database.exists() {
        return Ok(None);
    }
    let directory = database.with_file_name(format!("before-restore-{}", now.seconds()));
    fs::DirBuilder::new().mode(0o700).create(&directory).map_err(at(&directory))?;
    for file in with_logs(database) {
        let name = file.file_name().unwrap_or_default();
        if file.exists() {
            fs::rename(&file, directory.join(name)).map_err(at(&file))?;
        }
    }
    sync_directory(&directory.join("x")).map_err(at(&directory))?;
    Ok(Some(directory))
}

/// Removes what an earlier attempt may have left.
fn forget(file: &Path) -> Result<(), BackupError> {
    for file in with_logs(file) {
        if file.exists() {
            fs::remove_file(&file).map_err(at(&file))?;
        }
    }
    Ok(())
}

/// An SQLite file with what may stand beside it: its own two, and the journal of calls. Those first.
fn with_logs(file: &Path) -> [PathBuf; 4] {
    [with_suffix(file, "-wal"), with_suffix(file, "-shm"), path_beside(file), file.to_owned()]
}

/// A name beside `file`: what stands under it is not whole yet.
fn beside(file: &Path, word: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(word);
    file.with_file_name(name)
}

/// An empty file that nobody else may read, in the place of one that an attempt before may have left.
fn make_private(path: &Path) -> Result<File, BackupError> {
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    opened.map_err(at(path))
}

/// Gives a whole file its name, and makes the name survive a loss of power.
fn put(whole: &Path, name: &Path) -> Result<(), BackupError> {
    fs::rename(whole, name).map_err(at(name))?;
    sync_directory(name).map_err(at(name))
}

fn at(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |cause| BackupError::File { path: path.clone(), cause }
}
