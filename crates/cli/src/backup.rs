//! `tollgate backup` and `tollgate restore`: the SQLite database as one file.

use std::path::PathBuf;

use tollgate_core::Timestamp;
use tollgate_core::clock::{Clock as _, SystemClock};
use tollgate_core::random::SystemRandom;
use tollgate_server::config::Config;
use tollgate_server::operations::{Backup, BackupError, Contents, back_up, restore};

use crate::args::Global;
use crate::failure::{Exit, Failure};
use crate::output::{note, print};
use crate::serve::run_async;

/// Whose data it is.
#[derive(Debug, clap::Args)]
struct Whose {
    /// The server's configuration file; without it, the data directory of --data [default: ./tollgate-data].
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
}

/// Arguments of `tollgate backup`.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// The file to write.
    #[arg(value_name = "BACKUP")]
    file: PathBuf,
    #[command(flatten)]
    whose: Whose,
    /// Replace a file of that name.
    #[arg(long)]
    force: bool,
}

/// Arguments of `tollgate restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "BACKUP")]
    file: PathBuf,
    #[command(flatten)]
    whose: Whose,
    /// Put the data that is there aside, into a directory beside it.
    #[arg(long)]
    force: bool,
}

impl Whose {
    fn config(&self, global: &Global) -> Result<Config, Failure> {
        match &self.config {
            Some(file) => Ok(Config::load(file).map_err(anyhow::Error::from)?),
            None => {
                let own = Config::default();
                Ok(Config { data_dir: global.data.clone().unwrap_or(own.data_dir.clone()), ..own })
            }
        }
    }
}

impl BackupArgs {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let config = self.whose.config(global)?;
        let backup = wait(async { back_up(&config, &self.file, self.force).await })?;
        print(&format!("{}: {}\n", self.file.display(), described(&backup)))?;
        let key = config.master_key_file.clone().unwrap_or_else(|| config.data_dir.join("master.key"));
        note(&format!(
            "The master key is not in it, and without it the backup cannot be used: keep a copy of {} in another place.",
            key.display()
        ));
        Ok(())
    }
}

impl RestoreArgs {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let config = self.whose.config(global)?;
        let random = SystemRandom::default();
        let restored = wait(async { restore(&config, &self.file, self.force, SystemClock.now(), &random).await })?;
        print(&format!("{} has it: {}\n", config.data_dir.display(), described(&restored.backup)))?;
        if let Some(directory) = restored.put_aside {
            note(&format!("What was there before is in {}.", directory.display()));
        }
        note(
            "What was changed after the backup is undone: keys that were deleted, disabled or rotated since work as they did then. \
             To end all access tokens, rotate the signing keys.",
        );
        Ok(())
    }
}

fn wait<T>(work: impl Future<Output = Result<T, BackupError>>) -> Result<T, Failure> {
    let mut done = None;
    run_async(async {
        done = Some(work.await);
        Ok(())
    })?;
    let done = done.ok_or_else(|| Failure::error("nothing was done"))?;
    done.map_err(|error| {
        let exit = match &error {
            BackupError::Exists(_) | BackupError::HasData(_) => Exit::Conflict,
            BackupError::NoData(_) => Exit::NotFound,
            _ => Exit::Error,
        };
        Failure::new(exit, error.to_string())
    })
}

/// Size and contents in words, so that one sees whether it is the right one.
fn described(backup: &Backup) -> String {
    let Contents { accounts, keys, last_hour, .. } = &backup.contents;
    let plural = |count: i64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let calls = match last_hour {
        Some(hour) => format!("calls counted up to the hour of {}", whole(*hour)),
        None => "no calls counted yet".to_owned(),
    };
    format!(
        "{} kB, {}, {}, {calls}; all of it was read and is whole",
        backup.bytes.div_ceil(1_000),
        plural(*accounts, "account"),
        plural(*keys, "access key"),
    )
}

fn whole(hour: Timestamp) -> String {
    crate::output::text::whole_seconds(&hour.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_described_so_that_one_sees_whether_it_is_the_right_one() {
        let contents = |keys, last_hour| Contents { schema: 7, accounts: 1, keys, last_hour };
        let described = |contents| described(&Backup { bytes: 212_992, contents });
        let hour = Timestamp::from_seconds(1_790_000_000).hour();
        assert_eq!(
            described(contents(12, Some(hour))),
            "213 kB, 1 account, 12 access keys, calls counted up to the hour of 2026-09-21T14:00:00Z; all of it was read and is whole"
        );
        assert!(described(contents(0, None)).contains("1 account, 0 access keys, no calls counted yet"));
    }
}
