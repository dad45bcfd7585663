//! The ledger's journal where the database is a file: a file too, beside it, which is emptied when all batches in it are folded. It
//! stays open, so that calls are counted when there is no descriptor left. To store a batch takes one write, where a transaction of
//! SQLite takes two changes of threads and a dozen calls of the system.
//!
//! A record is its length and its CRC-32, each 32 bits, little-endian, and as many bytes of text: writer, sequence, rows. What was
//! not written to its end is no record, and nothing is behind it. A record is never changed: a later one without rows cancels those
//! of its sequence.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StoreError;

/// The rows of a batch that counts nothing.
pub(super) const NO_ROWS: &str = "[]";
/// Length and checksum.
const HEAD: usize = 8;

/// The file, whether it is there or not.
#[derive(Debug)]
pub(crate) struct JournalFile {
    path: PathBuf,
    /// Whether a batch is stored only when it is on the disk.
    is_synced: bool,
    /// None at first and after an error: then the file is looked at anew.
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Where the next record goes.
    end: u64,
    /// The last sequence of each writer that has batches here which are not known to be folded.
    last: HashMap<String, i64>,
}

/// A batch that stands in the file, and was not cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) writer: String,
    pub(super) sequence: i64,
    /// As JSON.
    pub(super) rows: String,
}

impl JournalFile {
    /// The journal beside a database.
    pub(super) fn beside(database: &Path, is_synced: bool) -> Arc<Self> {
        Arc::new(Self { path: path_beside(database), is_synced, open: Mutex::default() })
    }

    /// Stores a batch under its sequence. After an error it is unknown whether it stands there.
    pub(super) async fn store(self: &Arc<Self>, writer: &str, sequence: i64, rows: &str) -> Result<(), StoreError> {
        let written = if self.is_synced {
            // The disk takes its time: nobody else is to wait for it.
            let (this, writer, rows) = (Arc::clone(self), writer.to_owned(), rows.to_owned());
            let written = tokio::task::spawn_blocking(move || this.append(&writer, sequence, &rows));
            match tokio::time::timeout(super::engine::PATIENCE, written).await {
                Ok(written) => written.unwrap_or_else(|_| Err(io::Error::other("the writer failed"))),
                Err(_) => Err(ErrorKind::TimedOut.into()),
            }
        } else {
            self.append(writer, sequence, rows)
        };
        written.map_err(|cause| self.unavailable(&cause))
    }

    /// The batches of a writer behind a sequence, in order.
    pub(super) fn waiting(&self, writer: &str, after: i64) -> Result<Vec<Waiting>, StoreError> {
        let _alone = self.open();
        let mut waiting = read(&self.path).map_err(|cause| self.unavailable(&cause))?;
        waiting.retain(|batch| batch.writer == writer && batch.sequence > after);
        Ok(waiting)
    }

    /// Those who have batches here, with the last sequence of each.
    pub(super) fn writers(&self) -> Result<HashMap<String, i64>, StoreError> {
        let _alone = self.open();
        let waiting = read(&self.path).map_err(|cause| self.unavailable(&cause))?;
        Ok(last_sequences(waiting))
    }

    /// Opens the file, or makes one.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        let mut open = self.open();
        *open = Some(Open::at(&self.path, self.is_synced).map_err(|cause| self.unavailable(&cause))?);
        Ok(())
    }

    /// The batches of a writer are folded up to this sequence. The file is emptied when nothing waits in it any more; when it cannot
    /// be, its batches are known to be folded all the same.
    pub(super) fn folded(&self, writer: &str, through: i64) {
        let mut open = self.open();
        let Some(known) = &mut *open else { return };
        known.last.retain(|whose, last| whose != writer || *last > through);
        if known.last.is_empty() && known.end > 0 && known.file.set_len(0).is_ok() {
            known.end = 0;
        }
    }

    /// Gives a file with batches of a stranger another name, which no other file has, and says which.
    pub(super) fn put_aside(&self, stranger: &str) -> Result<PathBuf, StoreError> {
        let mut open = self.open();
        *open = None;
        let aside = with_suffix(&self.path, &format!("-of-{stranger}"));
        fs::rename(&self.path, &aside).map_err(|cause| self.unavailable(&cause))?;
        Ok(aside)
    }

    fn append(&self, writer: &str, sequence: i64, rows: &str) -> io::Result<()> {
        let mut open = self.open();
        // What is written into a file that was taken away would be gone with the process.
        let mut known = match open.take() {
            Some(known) if known.end > 0 || known.is_at(&self.path) => known,
            _ => Open::at(&self.path, self.is_synced)?,
        };
        let record = record(writer, sequence, rows);
        known.file.write_all_at(&record, known.end)?;
        if self.is_synced {
            known.file.sync_data()?;
        }
        known.end += record.len() as u64;
        match known.last.get_mut(writer) {
            Some(last) => *last = sequence.max(*last),
            None if rows == NO_ROWS => {}
            None => drop(known.last.insert(writer.to_owned(), sequence)),
        }
        *open = Some(known);
        Ok(())
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, cause: &io::Error) -> StoreError {
        StoreError::Unavailable(format!("{}: {cause}", self.path.display()))
    }
}

impl Open {
    /// Opens the file that is there, or makes one.
    fn at(path: &Path, is_synced: bool) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if is_synced {
            sync_directory(path)?;
        }
        let (waiting, end) = standing(&fs::read(path)?);
        Ok(Self { file, end, last: last_sequences(waiting) })
    }

    fn is_at(&self, path: &Path) -> bool {
        let place = |metadata: io::Result<fs::Metadata>| metadata.map(|found| (found.dev(), found.ino())).ok();
        let own = place(self.file.metadata());
        own.is_some() && own == place(fs::metadata(path))
    }
}

/// Where the journal of this database is.
pub(crate) fn path_beside(database: &Path) -> PathBuf {
    with_suffix(database, "-calls")
}

/// Makes the name of a file survive a loss of power.
pub(crate) fn sync_directory(file: &Path) -> io::Result<()> {
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// The file whose name has so much more at its end.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// What waits in a file, by writer and sequence. A file that is not there is empty.
pub(super) fn read(path: &Path) -> io::Result<Vec<Waiting>> {
    match fs::read(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map(|bytes| standing(&bytes).0),
    }
}

fn last_sequences(waiting: Vec<Waiting>) -> HashMap<String, i64> {
    // In order: the last of each stays.
    waiting.into_iter().map(|batch| (batch.writer, batch.sequence)).collect()
}

/// What waits in these bytes, by writer and sequence, and where the last whole record ends. Of two batches under one sequence the
/// first counts.
fn standing(bytes: &[u8]) -> (Vec<Waiting>, u64) {
    let mut standing = BTreeMap::new();
    let mut records = Records(bytes);
    for batch in records.by_ref() {
        let place = (batch.writer, batch.sequence);
        if batch.rows == NO_ROWS {
            standing.insert(place, None);
        } else {
            standing.entry(place).or_insert(Some(batch.rows));
        }
    }
    let waiting = |((writer, sequence), rows): ((String, i64), Option<String>)| {
        rows.map(|rows| Waiting { writer, sequence, rows })
    };
    (standing.into_iter().filter_map(waiting).collect(), (bytes.len() - records.0.len()) as u64)
}

fn record(writer: &str, sequence: i64, rows: &str) -> Vec<u8> {
    let mut record = vec![0; HEAD];
    record.extend_from_slice(format!("{writer} {sequence} {rows}").as_bytes());
    let length = u32::try_from(record.len() - HEAD).expect("a batch is far below 4 GiB");
    let sum = crc32fast::hash(&record[HEAD..]);
    record[..4].copy_from_slice(&length.to_le_bytes());
    record[4..HEAD].copy_from_slice(&sum.to_le_bytes());
    record
}

/// The records at the start of some bytes; what is left is behind the last whole one.
struct Records<'a>(&'a [u8]);

impl Iterator for Records<'_> {
    type Item = Waiting;

    fn next(&mut self) -> Option<Waiting> {
        let (length, behind) = self.0.split_first_chunk::<4>()?;
        let (sum, behind) = behind.split_first_chunk::<4>()?;
        let (text, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        if crc32fast::hash(text) != u32::from_le_bytes(*sum) {
            return None;
        }
        // An empty one, of which a hole in a file is full, has no words.
        let mut words = std::str::from_utf8(text).ok()?.splitn(3, ' ');
        let (writer, sequence, rows) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
        self.0 = behind;
        Some(Waiting { writer: writer.to_owned(), sequence, rows: rows.to_owned() })
    }
}

#[cfg(test)]
#[path = "journal_file_tests.rs"]
mod tests;
