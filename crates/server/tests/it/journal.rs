//! The ledger's journal as a test sees and breaks it: a table on PostgreSQL, a file beside the database of SQLite.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tollgate_server::operations::back_up;

use crate::world::{Database, World};

impl World {
    fn is_on_sqlite(&self) -> bool {
        self.config.database.url.is_none()
    }

    fn journal_file(&self) -> PathBuf {
        self.config.data_dir.join("tollgate.db-calls")
    }

    /// From now on no call can be counted. Whatever was counted is in the counters.
    pub(crate) async fn break_journal(&self) {
        let account = self.new_account().await;
        self.usage(&account, "key").await;
        if self.is_on_sqlite() {
            fs::remove_file(self.journal_file()).expect("an empty file");
            fs::create_dir(self.journal_file()).expect("a directory where the file would be");
        } else {
            self.execute("ALTER TABLE usage_journal RENAME TO elsewhere").await;
        }
    }

    pub(crate) async fn mend_journal(&self) {
        if self.is_on_sqlite() {
            fs::remove_dir(self.journal_file()).expect("an empty directory");
        } else {
            self.execute("ALTER TABLE elsewhere RENAME TO usage_journal").await;
        }
    }

    /// Calls in the journal and in the counters, at one instant.
    pub(crate) async fn stored_calls(&self) -> i64 {
        let both = "SELECT batch FROM usage_journal UNION ALL SELECT CAST(SUM(calls) AS TEXT) FROM usage_hourly HAVING COUNT(*) > 0";
        let calls = |text: String| match serde_json::from_str(&text).expect("JSON") {
            Value::Array(rows) => rows.iter().map(|row| row[5].as_i64().expect("calls")).sum(),
            sum => sum.as_i64().expect("calls"),
        };
        if !self.is_on_sqlite() {
            return self.texts(both).await.into_iter().map(calls).sum::<i64>();
        }
        let mut config = self.config.clone();
        config.data_dir = self.config.data_dir.with_file_name("copied");
        fs::create_dir_all(&config.data_dir).expect("a directory");
        back_up(&self.config, &config.data_dir.join("tollgate.db"), true).await.expect("a copy");
        Database(&config).texts(both).await.into_iter().map(calls).sum::<i64>()
    }
}
