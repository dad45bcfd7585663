//! Backup and restore: what was there at the backup is there after the restore, and nothing is lost when it does not work.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use tollgate_core::random::SystemRandom;
use tollgate_server::config::Config;
use tollgate_server::operations::{BackupError, Restored, back_up, restore};

use crate::world::World;

fn file(world: &World, name: &str) -> PathBuf {
    world.config.data_dir.with_file_name(name)
}

async fn restored(world: &World, config: &Config, from: &Path, replace: bool) -> Result<Restored, BackupError> {
    restore(config, from, replace, world.now(), &SystemRandom::default()).await
}

/// A configuration whose data is in another directory.
fn elsewhere(world: &World) -> Config {
    let mut config = world.config.clone();
    config.data_dir = file(world, "elsewhere");
    config
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_there_at_the_backup_is_there_after_the_restore_and_what_came_later_is_not() {
    let world = World::on_sqlite().await;
    let key = world.customer(&["demo"]).await;
    world.call(&key).bearer(&world.token(&key).await).send().await.is(200);
    let backup = file(&world, "backup.db");
    let made = back_up(&world.config, &backup, false).await.expect("beside the server");
    assert_eq!((made.contents.accounts, made.contents.keys), (1, 1));
    assert_eq!(fs::metadata(&backup).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(made.bytes, fs::metadata(&backup).expect("a file").len());

    let later = world.new_key(&key.project, &json!({ "displayName": "later", "scopes": ["demo"] })).await;
    world.call(&key).bearer(&world.token(&key).await).send().await.is(200);
    let error = restored(&world, &world.config, &backup, true).await.expect_err("the server runs");
    assert!(error.to_string().contains("in use by another tollgate"), "{error}");

    let config = elsewhere(&world);
    let done = restored(&world, &config, &backup, false).await.expect("an empty directory");
    assert_eq!((done.backup.contents, done.put_aside), (made.contents, None));
    assert_eq!(names(&config.data_dir), ["lock", "tollgate.db"]);
    let world = world.reopen(|known| *known = config).await;
    world.ask_token(&key, "").await.is(200);
    world.ask_token(&later, "").await.is(401);
    assert_eq!(
        world.usage(&key.account, "key").await["totalCalls"],
        1,
        "the call before the backup, though it was in the journal still"
    );
}

#[tokio::test]
async fn data_that_is_there_is_replaced_only_on_demand_and_is_kept() {
    let world = World::on_sqlite().await;
    let key = world.customer(&["demo"]).await;
    let backup = file(&world, "backup.db");
    back_up(&world.config, &backup, false).await.expect("a backup");
    let later = world.new_key(&key.project, &json!({ "displayName": "later", "scopes": ["demo"] })).await;
    let before = names(&world.config.data_dir);
    let config = world.config.clone();
    let (_, stopped) = world.refused(|config| config.data_dir = "/proc/tollgate".into()).await;
    let now = tollgate_core::Timestamp::from_seconds(1_790_000_000);
    let random = SystemRandom::default();
    let error = restore(&config, &backup, false, now, &random).await.expect_err("there is data");
    assert!(matches!(error, BackupError::HasData(_)), "{error}");
    let done = restore(&config, &backup, true, now, &random).await.expect("put aside");
    let aside = done.put_aside.expect("it was there");
    assert_eq!(names(&aside), ["tollgate.db", "tollgate.db-calls"]);
    assert!(before.contains(&"tollgate.db".to_owned()));
    let world = stopped.start().await;
    world.ask_token(&later, "").await.is(401);
    let config = Config { data_dir: aside, ..world.config.clone() };
    let world = world.reopen(|known| *known = config).await;
    world.ask_token(&later, "").await.is(200);
}

#[tokio::test]
async fn a_file_that_is_there_is_replaced_only_on_demand() {
    let world = World::on_sqlite().await;
    let backup = file(&world, "backup.db");
    fs::write(&backup, "something").expect("a file");
    let error = back_up(&world.config, &backup, false).await.expect_err("it exists");
    assert!(error.to_string().contains("--force"), "{error}");
    assert_eq!(fs::read(&backup).expect("a file"), b"something");
    back_up(&world.config, &backup, true).await.expect("on demand");
    back_up(&world.config, &backup, true).await.expect("and again, over what was left of an attempt");
}

#[tokio::test]
async fn a_backup_that_does_not_come_about_leaves_nothing() {
    let world = World::on_sqlite().await;
    let nowhere = file(&world, "missing").join("backup.db");
    let error = back_up(&world.config, &nowhere, false).await.expect_err("no such directory");
    assert!(error.to_string().contains("backup.db.unfinished"), "{error}");
    let empty = elsewhere(&world);
    let backup = file(&world, "backup.db");
    let error = back_up(&empty, &backup, false).await.expect_err("no data");
    assert!(matches!(error, BackupError::NoData(_)), "{error}");
    fs::create_dir(&empty.data_dir).expect("a directory");
    fs::write(empty.data_dir.join("tollgate.db"), "no database at all, but long enough").expect("a file");
    let error = back_up(&empty, &backup, false).await.expect_err("no database");
    assert!(matches!(error, BackupError::Copy { .. }), "{error}");
    assert!(!backup.exists() && !file(&world, "backup.db.unfinished").exists());
}

#[tokio::test]
async fn what_is_damaged_from_the_future_or_under_another_master_key_is_not_restored() {
    let world = World::on_sqlite().await;
    world.customer(&["demo"]).await;
    let backup = file(&world, "backup.db");
    back_up(&world.config, &backup, false).await.expect("a backup");
    let config = elsewhere(&world);

    let whole = fs::read(&backup).expect("a file");
    let damaged = file(&world, "damaged.db");
    fs::write(&damaged, &whole[..whole.len() / 2]).expect("half of it");
    let error = restored(&world, &config, &damaged, false).await.expect_err("half of it");
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    fs::write(&damaged, "").expect("nothing");
    let error = restored(&world, &config, &damaged, false).await.expect_err("nothing");
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    let error = restored(&world, &config, &file(&world, "missing.db"), false).await.expect_err("nothing");
    assert!(error.to_string().contains("missing.db"), "{error}");

    let wrong = Config { master_key_file: Some(world.master_key(0x11)), ..config.clone() };
    let error = restored(&world, &wrong, &backup, false).await.expect_err("another master key");
    assert!(error.to_string().contains("another master key"), "{error}");
    let none = Config { master_key_file: None, ..config.clone() };
    let error = restored(&world, &none, &backup, false).await.expect_err("no master key");
    assert!(error.to_string().contains("the master key of the backup is missing"), "{error}");

    world
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
             VALUES (9999, 'future', CURRENT_TIMESTAMP, true, x'00', 0)",
        )
        .await;
    back_up(&world.config, &backup, true).await.expect("a backup");
    let error = restored(&world, &config, &backup, false).await.expect_err("from the future");
    assert!(error.to_string().contains("run the newer program"), "{error}");
    assert!(!config.data_dir.join("tollgate.db").exists());
}

#[tokio::test]
async fn postgresql_has_its_own_tools() {
    let world = World::on_sqlite().await;
    let mut config = world.config.clone();
    config.database.url = Some("postgres:///somewhere".to_owned());
    let error = back_up(&config, &file(&world, "x"), false).await.expect_err("PostgreSQL");
    assert!(error.to_string().contains("pg_dump"), "{error}");
    let error = restored(&world, &config, &file(&world, "x"), false).await.expect_err("PostgreSQL");
    assert!(error.to_string().contains("pg_restore"), "{error}");
}
