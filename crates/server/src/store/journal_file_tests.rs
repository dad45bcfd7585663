use super::*;

fn journal(is_synced: bool) -> (Arc<JournalFile>, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    (JournalFile::beside(&directory.path().join("x.db"), is_synced), directory)
}

fn is_empty(journal: &JournalFile) -> bool {
    fs::metadata(&journal.path).expect("a file").len() == 0
}

fn waiting(writer: &str, sequence: i64, rows: &str) -> Waiting {
    Waiting { writer: writer.to_owned(), sequence, rows: rows.to_owned() }
}

#[tokio::test]
async fn batches_are_there_for_whoever_opens_the_file_next_until_they_are_folded() {
    for is_synced in [false, true] {
        let (journal, directory) = journal(is_synced);
        assert_eq!(journal.writers().expect("no file"), HashMap::new());
        for sequence in 1..=3 {
            journal.store("a", sequence, &format!("[{sequence}]")).await.expect("a file");
        }
        let next = JournalFile::beside(&directory.path().join("x.db"), is_synced);
        next.store("b", 1, "[9]").await.expect("the same file");
        assert_eq!(next.writers().expect("a file"), [("a".to_owned(), 3), ("b".to_owned(), 1)].into());
        assert_eq!(next.waiting("a", 1).expect("a file"), [waiting("a", 2, "[2]"), waiting("a", 3, "[3]")]);
        next.folded("a", 3);
        assert!(!is_empty(&next), "another's batch waits");
        next.folded("b", 0);
        assert!(!is_empty(&next), "it waits still");
        next.folded("b", 1);
        assert!(is_empty(&next));
        next.store("b", 2, "[10]").await.expect("the same file");
        assert_eq!(next.waiting("b", 0).expect("a file"), [waiting("b", 2, "[10]")]);
    }
}

#[tokio::test]
async fn the_first_batch_of_a_sequence_counts_and_a_cancelled_one_never() {
    let (journal, _directory) = journal(false);
    for (sequence, rows) in [(1, "[1]"), (1, "[2]"), (2, "[3]"), (2, NO_ROWS), (3, NO_ROWS), (3, "[4]"), (4, "[5]")] {
        journal.store("a", sequence, rows).await.expect("a file");
    }
    assert_eq!(journal.waiting("a", 0).expect("a file"), [waiting("a", 1, "[1]"), waiting("a", 4, "[5]")]);
}

#[tokio::test]
async fn what_is_not_whole_is_no_record_and_is_written_over() {
    let (journal, directory) = journal(false);
    journal.store("a", 1, "[1]").await.expect("a file");
    let whole = fs::read(&journal.path).expect("a file");
    journal.store("a", 2, "[2]").await.expect("a file");
    let both = fs::read(&journal.path).expect("a file");
    for length in whole.len()..both.len() {
        fs::write(&journal.path, &both[..length]).expect("a file");
        assert_eq!(read(&journal.path).expect("a file"), [waiting("a", 1, "[1]")], "{length} bytes");
        let next = JournalFile::beside(&directory.path().join("x.db"), false);
        next.store("b", 1, "[3]").await.expect("a file");
        assert_eq!(read(&next.path).expect("a file"), [waiting("a", 1, "[1]"), waiting("b", 1, "[3]")]);
    }
    for place in 0..both.len() {
        let mut broken = both.clone();
        broken[place] ^= 1;
        fs::write(&journal.path, &broken).expect("a file");
        let left = read(&journal.path).expect("a file");
        assert_eq!(left.len(), usize::from(place >= whole.len()), "byte {place}");
    }
    fs::write(&journal.path, [&whole[..], &[0; 4_096]].concat()).expect("a file");
    assert_eq!(read(&journal.path).expect("a file").len(), 1, "a hole is no record");
}

#[tokio::test]
async fn after_an_error_the_file_is_looked_at_anew() {
    let (journal, directory) = journal(false);
    fs::create_dir(&journal.path).expect("a directory in its place");
    let error = journal.store("a", 1, "[1]").await.expect_err("no file can be made");
    assert!(error.to_string().contains("x.db-calls"), "{error}");
    fs::remove_dir(&journal.path).expect("it is empty");
    journal.store("a", 1, "[1]").await.expect("a file");
    assert_eq!(directory.path().read_dir().expect("a directory").count(), 1);
}

#[tokio::test]
async fn a_writer_whose_batches_are_all_cancelled_keeps_the_file_from_nobody() {
    let (journal, directory) = journal(false);
    journal.store("a", 1, "[1]").await.expect("a file");
    journal.store("a", 1, NO_ROWS).await.expect("a file");
    let next = JournalFile::beside(&directory.path().join("x.db"), false);
    next.store("b", 1, NO_ROWS).await.expect("a file");
    next.store("c", 1, "[1]").await.expect("a file");
    next.folded("c", 1);
    assert!(is_empty(&next));
}

#[tokio::test]
async fn the_calls_of_another_database_are_put_aside_and_not_counted() {
    let (store, directory) = crate::store::tests::on_sqlite().await;
    let file = directory.path().join("tollgate.db-calls");
    fs::write(&file, record("stranger", 1, "[1]")).expect("a file");
    assert_eq!(store.writers_of_journal().await.expect("the store answers"), Vec::<String>::new());
    let aside = directory.path().join("tollgate.db-calls-of-stranger");
    assert_eq!((file.exists(), read(&aside).expect("a file").len()), (false, 1));
}

#[tokio::test]
async fn a_file_that_was_taken_away_is_made_anew() {
    let (journal, _directory) = journal(false);
    journal.store("a", 1, "[1]").await.expect("a file");
    journal.folded("a", 1);
    fs::remove_file(&journal.path).expect("a file");
    journal.store("a", 2, "[2]").await.expect("a new file");
    assert_eq!(read(&journal.path).expect("a file"), [waiting("a", 2, "[2]")]);
}
