//! Showing a new KEY SECRET: once, on standard output or in a file that only its owner reads.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::args::Format;
use crate::failure::Failure;
use crate::hidden::Hidden;
use crate::output::{Column, csv, env, json, note, print_once, table, text};

const COLUMNS: [Column; 6] = [
    Column::new("Project ID", "projectId"),
    Column::new("KEY ID", "accessKeyId"),
    Column::new("KEY SECRET", "secret").or("in the file"),
    Column::new("Display name", "displayName"),
    Column::new("Scopes", "scopes").or("none"),
    Column::new("Expires", "expireTime").or("never"),
];

/// A new file for a secret, empty until there is one.
#[derive(Debug)]
pub(super) struct SecretFile {
    path: PathBuf,
    file: File,
}

impl SecretFile {
    /// Makes the file, mode 0600. A file that exists is never overwritten.
    pub(super) fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|cause| match cause.kind() {
            ErrorKind::AlreadyExists => {
                Failure::error(format!("{} exists; give the name of a new file", path.display()))
            }
            _ => Failure::file(path.display(), &cause),
        })?;
        Ok(Self { path, file })
    }

    /// Takes the file away again: there is no secret to put in it.
    pub(super) fn discard(self) {
        // An empty file that stays behind does no harm, and the command has failed already.
        let _ = remove_file(&self.path);
    }

    fn store(mut self, secret: &Hidden) -> Result<(), Failure> {
        let written = self.file.write_all(secret.expose().as_bytes()).and_then(|()| self.file.write_all(b"\n"));
        written.and_then(|()| self.file.sync_all()).map_err(|cause| Failure::file(self.path.display(), &cause))
    }
}

/// Shows the answer to `key create` and `key rotate`.
pub(super) fn show(format: Format, mut answer: Value, file: Option<SecretFile>) -> Result<(), Failure> {
    let (Value::String(secret), true) = (answer["secret"].take(), answer["accessKey"].is_object()) else {
        if let Some(file) = file {
            file.discard();
        }
        return Err(Failure::error("the server's answer holds no secret; rotate the key to get another"));
    };
    let secret = Hidden::new(secret);
    let id = answer["accessKey"]["accessKeyId"].as_str().unwrap_or_default().to_owned();
    let lost = |failure: Failure| {
        let message =
            format!("{}; the key {id} has a secret that nobody holds now: rotate it to get another", failure.message);
        Failure::new(failure.exit, message)
    };
    match file {
        Some(file) => {
            let path = file.path.display().to_string();
            file.store(&secret).map_err(lost)?;
            note(&format!("The KEY SECRET is in {path}. It cannot be shown again."));
        }
        None => {
            answer["secret"] = secret.expose().into();
            note("Store the KEY SECRET now: it is shown this once and cannot be shown again.");
        }
    }
    note_overlap(&answer["accessKey"]);
    print_once(&page(format, answer)).map_err(lost)
}

fn page(format: Format, mut answer: Value) -> String {
    if answer["secret"].is_null() {
        answer.as_object_mut().map(|fields| fields.remove("secret"));
    }
    if format == Format::Json {
        return json::pretty(&answer);
    }
    let secret = answer["secret"].take();
    let mut key = answer["accessKey"].take();
    if secret.is_string() {
        key["secret"] = secret;
    }
    match format {
        Format::Csv => csv::document(&COLUMNS, &[key]),
        Format::Env => env::lines(&key),
        Format::Table | Format::Json => table::fields(&COLUMNS, &key),
    }
}

/// After a rotation: until when the old secret works.
fn note_overlap(key: &Value) {
    for secret in key["secrets"].as_array().into_iter().flatten() {
        if let (Some(hint), Some(end)) = (secret["hint"].as_str(), secret["endTime"].as_str()) {
            note(&format!("The old secret {hint} works until {}.", text::whole_seconds(end)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt as _;

    fn answer() -> Value {
        json!({"secret": "tgs_1", "accessKey": {"accessKeyId": "k1", "projectId": "p1", "displayName": "worker"}})
    }

    #[test]
    fn every_form_shows_the_secret() {
        assert!(page(Format::Table, answer()).contains("KEY SECRET    tgs_1\n"));
        assert_eq!(serde_json::from_str::<Value>(&page(Format::Json, answer())).expect("JSON"), answer());
        assert!(page(Format::Csv, answer()).contains("p1,k1,tgs_1,worker,,\r\n"));
        assert!(page(Format::Env, answer()).ends_with("TOLLGATE_KEY_SECRET=tgs_1\n"));
    }

    #[test]
    fn no_form_shows_a_secret_that_went_to_a_file() {
        let mut without = answer();
        without["secret"].take();
        assert!(page(Format::Table, without.clone()).contains("KEY SECRET    in the file\n"));
        assert!(!page(Format::Json, without.clone()).contains("secret"));
        assert!(page(Format::Csv, without.clone()).contains("p1,k1,,worker,,\r\n"));
        assert!(!page(Format::Env, without).contains("SECRET"));
    }

    #[test]
    fn the_file_is_new_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        let file = SecretFile::create(path.clone()).expect("a new file");
        assert!(SecretFile::create(path.clone()).expect_err("it exists").message.contains("exists"));
        file.store(&Hidden::new("tgs_1".to_owned())).expect("stored");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "tgs_1\n");
        assert_eq!(std::fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);

        let other = directory.path().join("other");
        SecretFile::create(other.clone()).expect("a new file").discard();
        assert!(!other.exists());
    }
}
