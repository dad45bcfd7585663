//! What is refused at start, and that nothing was changed then.

use serde_json::json;

use crate::world::{World, open};

/// All that a start could change: the schema's version, the check value, the signing keys and the ledger's writers.
const STATE: &str = "SELECT CAST(MAX(version) AS TEXT) FROM _sqlx_migrations
    UNION ALL SELECT name || value FROM meta
    UNION ALL SELECT kid || CAST(active_from AS TEXT) FROM signing_keys
    UNION ALL SELECT CAST(COUNT(*) AS TEXT) FROM ledger_writers
    UNION ALL SELECT CAST(COUNT(*) AS TEXT) FROM audit_events ORDER BY 1";

on_both_engines! {
    async fn a_schema_from_the_future_is_refused_and_unchanged(world: World) {
        let key = world.customer(&["demo"]).await;
        let future = if world.config.database.url.is_some() {
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
             VALUES (9999, 'future', now(), true, '\\x00', 0)"
        } else {
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
             VALUES (9999, 'future', CURRENT_TIMESTAMP, true, x'00', 0)"
        };
        world.execute(future).await;
        let before = world.texts(STATE).await;
        let (error, stopped) = world.refused(|_| {}).await;
        assert!(error.starts_with("the database has schema 9999, this program knows up to "), "{error}");
        assert_eq!(error.lines().count(), 1);
        assert_eq!(stopped.database().texts(STATE).await, before);
        stopped.database().execute("DELETE FROM _sqlx_migrations WHERE version = 9999").await;
        let world = stopped.start().await;
        world.ask_token(&key, "").await.is(200);
    }

    async fn a_wrong_master_key_is_refused_and_nothing_is_changed(world: World) {
        let key = world.customer(&["demo"]).await;
        let before = world.texts(STATE).await;
        let wrong = world.master_key(0x11);
        let (error, stopped) = world.refused(|config| config.master_key_file = Some(wrong)).await;
        assert!(error.contains("another master key") && error.contains("older_master_key_files"), "{error}");
        assert_eq!(stopped.database().texts(STATE).await, before);
        let world = stopped.start().await;
        world.ask_token(&key, "").await.is(200);
    }

    async fn an_older_master_key_still_reads_what_was_made_under_it(world: World) {
        let key = world.customer(&["keys:manage", "demo"]).await;
        let token = world.token(&key).await;
        let new = world.master_key(0x11);
        let world = world
            .reopen(|config| {
                config.older_master_key_files.extend(config.master_key_file.replace(new));
            })
            .await;
        world.ask_token(&key, "").await.is(200);
        world.call(&key).bearer(&token).send().await.is(200);
        let fresh = world.new_key(&key.project, &json!({ "displayName": "fresh", "scopes": ["demo"] })).await;
        world.make("/v1/signingKeys/rotate", &json!({})).await;
        let world = world.reopen(|_| {}).await;
        for key in [&key, &fresh] {
            world.ask_token(key, "").await.is(200);
        }
        let masters = world.texts("SELECT DISTINCT master FROM key_secrets").await;
        assert_eq!(masters.len(), 2, "new secrets are hashed under the new key");
    }

    async fn a_second_server_on_the_same_data_directory_is_refused(world: World) {
        let key = world.customer(&["demo"]).await;
        let writers = "SELECT CAST(COUNT(*) AS TEXT) FROM ledger_writers";
        let before = world.texts(writers).await;
        let error = open(&world.config, &world.clock).await.err().expect("one is enough");
        assert!(error.to_string().contains("is in use by another tollgate"), "{error}");
        assert_eq!(world.texts(writers).await, before);
        world.ask_token(&key, "").await.is(200);
    }

    async fn a_master_key_file_that_holds_something_else_is_refused(world: World) {
        let broken = world.master_key(0x22);
        std::fs::write(&broken, "not hex").expect("the temporary directory is writable");
        let missing = broken.with_extension("missing");
        let (error, stopped) = world.refused(|config| config.master_key_file = Some(broken)).await;
        assert!(error.ends_with("is no master key: it must hold 64 hex digits"), "{error}");
        let world = stopped.start().await;
        let (error, _) = world.refused(|config| config.master_key_file = Some(missing)).await;
        assert!(error.contains("cannot be read"), "{error}");
    }
}

#[tokio::test]
async fn postgres_wants_a_master_key_that_is_given() {
    let (error, _) = World::on_postgres().await.refused(|config| config.master_key_file = None).await;
    assert!(error.starts_with("with PostgreSQL the master key must be given"), "{error}");
}

#[tokio::test]
async fn sqlite_makes_a_master_key_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let world = World::on_sqlite().await;
    let mut config = world.config.clone();
    config.data_dir = directory.path().join("made");
    config.master_key_file = None;
    let app = open(&config, &world.clock).await.expect("it opens");
    let mode = |name: &str| {
        let data = std::fs::metadata(config.data_dir.join(name)).expect("it is there");
        data.permissions().mode() & 0o777
    };
    assert_eq!((mode("."), mode("master.key")), (0o700, 0o600));
    app.close().await;
    drop(app);
    open(&config, &world.clock).await.expect("it opens again with the key that it made");
}
