//! The ledger's journal: batches that are stored, and not yet folded into the counters.
//!
//! To store a batch costs one small write however many keys it counts; what the counters cost is shared by all batches that are
//! folded together. On PostgreSQL a batch is a row; beside an SQLite database stands a file (see `journal_file`), and the table
//! holds what a backup found in it.

use std::borrow::Cow;

use tollgate_core::Timestamp;

use super::engine::{Sql, Writer, statements};
use super::journal_file::{JournalFile, NO_ROWS};
use super::ledger::CountRow;
use super::value::args;
use super::{Store, StoreError};

/// Batches that are read at once when they are folded from what is stored.
const BATCHES_AT_ONCE: i64 = 1_000;
/// Counts that are folded at once from what is stored: so many that the database has them within its time, also when it is slow.
const COUNTS_AT_ONCE: usize = 2_000;

statements! {
    INSERT_WRITER = Sql::both("INSERT INTO ledger_writers (writer, sequence, started_at) VALUES ($1, 0, $2)");
    STORE = Sql::both(
        "INSERT INTO usage_journal (writer, sequence, batch) VALUES ($1, $2, $3) ON CONFLICT (writer, sequence) DO NOTHING");
    CANCEL = Sql::both(
        "INSERT INTO usage_journal (writer, sequence, batch) VALUES ($1, $2, '[]')
         ON CONFLICT (writer, sequence) DO UPDATE SET batch = excluded.batch");
    WRITERS = Sql::both("SELECT DISTINCT writer FROM usage_journal WHERE batch <> '[]'");
    FOLDED = Sql::both("SELECT sequence FROM ledger_writers WHERE writer = $1");
    UNFOLDED = Sql::both(
        "SELECT sequence, batch FROM usage_journal WHERE writer = $1 AND sequence > $2 AND batch <> '[]' ORDER BY sequence LIMIT $3");
}

/// Stored batches of one writer that are not in the counters.
#[derive(Debug)]
pub(crate) struct Unfolded {
    /// The last sequence that is in the counters.
    pub(crate) after: i64,
    /// The last sequence that is in `counts`; the same as `after` where there are none.
    pub(crate) through: i64,
    pub(crate) counts: Vec<CountRow<'static>>,
}

impl Unfolded {
    /// Adds a batch, unless there are enough: then it and those after it come next time.
    fn add(&mut self, sequence: i64, rows: &str) -> Result<(), StoreError> {
        if self.counts.len() < COUNTS_AT_ONCE {
            self.counts.extend(parsed(rows)?);
            self.through = sequence;
        }
        Ok(())
    }
}

impl Store {
    /// Makes a writer known, before its first batch.
    pub(crate) async fn insert_writer(&self, writer: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Ledger).await?;
        tx.execute(INSERT_WRITER, args![writer, now]).await?;
        tx.commit().await
    }

    /// Makes the journal ready for what this process will store, and for what is folded of others.
    pub(crate) fn prepare_journal(&self) -> Result<(), StoreError> {
        self.journal.as_ref().map_or(Ok(()), |file| file.prepare())
    }

    /// Stores a batch under its sequence. After an error it may be sent again: it is stored once.
    pub(crate) async fn store_batch(
        &self,
        writer: &str,
        sequence: i64,
        counts: &[CountRow<'_>],
    ) -> Result<(), StoreError> {
        let rows = super::ledger::json(counts);
        match &self.journal {
            Some(file) => file.store(writer, sequence, &rows).await,
            None => self.engine.batch(STORE, args![writer, sequence, rows]).await.map(|_| ()),
        }
    }

    /// Sees to it that the batch of this sequence counts nothing: neither if it was stored, nor if a transaction that is
    /// still under way somewhere stores it later. May be asked again after an error.
    pub(crate) async fn cancel_batch(&self, writer: &str, sequence: i64) -> Result<(), StoreError> {
        match &self.journal {
            Some(file) => file.store(writer, sequence, NO_ROWS).await,
            None => self.engine.batch(CANCEL, args![writer, sequence]).await.map(|_| ()),
        }
    }

    /// Those who stored batches that are not in the counters.
    pub(crate) async fn writers_of_journal(&self) -> Result<Vec<String>, StoreError> {
        let in_table = self.engine.rows(WRITERS, &[]).await?;
        let mut writers = in_table.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        if let Some(file) = &self.journal {
            writers.extend(self.writers_of(file).await?);
        }
        Ok(writers)
    }

    async fn writers_of(&self, file: &JournalFile) -> Result<Vec<String>, StoreError> {
        let mut writers = Vec::new();
        for (writer, last) in file.writers()? {
            let Some(row) = self.engine.row(FOLDED, args![&*writer]).await? else {
                let aside = file.put_aside(&writer)?.display().to_string();
                tracing::error!(
                    aside,
                    "the file beside the database holds calls of another one, and is put aside: to have them counted, stop the \
                     server, put it beside its own database as tollgate.db-calls, and start one on that"
                );
                return Ok(Vec::new());
            };
            let folded = row.int(0)?;
            if last > folded {
                writers.push(writer);
            } else {
                // The process ended between the fold and the emptying of the file.
                file.folded(&writer, folded);
            }
        }
        Ok(writers)
    }

    /// The first stored batches of a writer that are not in the counters.
    pub(crate) async fn unfolded(&self, writer: &str) -> Result<Unfolded, StoreError> {
        let folded = self.engine.row(FOLDED, args![writer]).await?;
        let after = folded.ok_or(StoreError::Corrupt("the ledger's writer is gone"))?.int(0)?;
        let mut unfolded = Unfolded { after, through: after, counts: Vec::new() };
        let in_file = self.journal.as_ref().map(|file| file.waiting(writer, after)).transpose()?.unwrap_or_default();
        for batch in in_file {
            unfolded.add(batch.sequence, &batch.rows)?;
        }
        for row in self.engine.rows(UNFOLDED, args![writer, after, BATCHES_AT_ONCE]).await? {
            unfolded.add(row.int(0)?, &row.text(1)?)?;
        }
        Ok(unfolded)
    }
}

/// A count as it is stored: account, hour, project, credential, product, calls, denied, month.
type Stored = (String, i64, String, String, String, i64, i64, i64);

fn parsed(batch: &str) -> Result<Vec<CountRow<'static>>, StoreError> {
    const BROKEN: StoreError = StoreError::Corrupt("a batch of the ledger");
    let rows: Vec<Stored> = serde_json::from_str(batch).map_err(|_| BROKEN)?;
    let row = |(account, hour, project, credential, product, calls, denied, _): Stored| {
        let whose = (
            account.parse().map_err(|_| BROKEN)?,
            project.parse().map_err(|_| BROKEN)?,
            credential.parse().map_err(|_| BROKEN)?,
        );
        Ok(CountRow::new(whose, Cow::Owned(product), hour, (calls, denied)))
    };
    rows.into_iter().map(row).collect()
}
