//! Showing a new KEY SECRET or API token: once, on standard output or in a file that only its owner reads.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::args::Format;
use crate::failure::Failure;
use crate::hidden::Hidden;
use crate::output::{Column, csv, env, json, note, print_once, table, text};
use crate::session::Session;

/// What is shown once.
#[derive(Debug)]
pub(crate) struct Kind {
    /// As people call it.
    word: &'static str,
    /// The answer's field about what it belongs to, and in that the field with the id.
    of: &'static str,
    id: &'static str,
    /// Its name among that thing's own fields.
    field: &'static str,
    /// What makes another.
    remedy: &'static str,
    columns: &'static [Column],
}

/// The KEY SECRET of an access key.
pub(crate) const KEY_SECRET: Kind = Kind {
    word: "KEY SECRET",
    of: "accessKey",
    id: "accessKeyId",
    field: "secret",
    remedy: "rotate the key",
    columns: &[
        Column::new("Project ID", "projectId"),
        Column::new("KEY ID", "accessKeyId"),
        Column::new("KEY SECRET", "secret").or("in the file"),
        Column::new("Display name", "displayName"),
        Column::new("Scopes", "scopes").or("none"),
        Column::new("Expires", "expireTime").or("never"),
    ],
};

/// The API token of a service plan.
pub(crate) const API_TOKEN: Kind = Kind {
    word: "API token",
    of: "servicePlan",
    id: "servicePlanId",
    field: "apiToken",
    remedy: "revoke it and create another API token",
    columns: &[
        Column::new("Project ID", "projectId"),
        Column::new("SERVICE PLAN ID", "servicePlanId"),
        Column::new("API token", "apiToken").or("in the file"),
        Column::new("Display name", "displayName"),
    ],
};

/// A new file for a secret, empty until there is one.
#[derive(Debug)]
pub(crate) struct SecretFile {
    path: PathBuf,
    file: File,
}

impl SecretFile {
    /// Makes the file, mode 0600. A file that exists is never overwritten.
    pub(crate) fn create(path: PathBuf) -> Result<Self, Failure> {
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
    pub(crate) fn discard(self) {
        // An empty file that stays behind does no harm, and the command has failed already.
        let _ = remove_file(&self.path);
    }

    fn store(mut self, secret: &Hidden) -> Result<(), Failure> {
        let written = self.file.write_all(secret.expose().as_bytes()).and_then(|()| self.file.write_all(b"\n"));
        written.and_then(|()| self.file.sync_all()).map_err(|cause| Failure::file(self.path.display(), &cause))
    }
}

/// Makes something with a secret, and shows it. The file is made first: a secret that has nowhere to go must not be made.
pub(crate) async fn make(
    session: &Session,
    kind: &Kind,
    (path, body): (&str, &Value),
    secret_file: Option<PathBuf>,
    complete: impl FnOnce(&mut Value),
) -> Result<(), Failure> {
    let file = secret_file.map(SecretFile::create).transpose()?;
    match session.client.post(path, body).await {
        Ok(mut answer) => {
            complete(&mut answer);
            show(session.format(), kind, answer, file)
        }
        Err(failure) => {
            if let Some(file) = file {
                file.discard();
            }
            Err(failure)
        }
    }
}

fn show(format: Format, kind: &Kind, mut answer: Value, file: Option<SecretFile>) -> Result<(), Failure> {
    let Kind { word, of, id, remedy, .. } = kind;
    let (Value::String(secret), true) = (answer["secret"].take(), answer[of].is_object()) else {
        if let Some(file) = file {
            file.discard();
        }
        return Err(Failure::error(format!("the server's answer holds no {word}; {remedy}")));
    };
    let secret = Hidden::new(secret);
    let id = answer[of][id].as_str().unwrap_or_default().to_owned();
    let lost = |failure: Failure| {
        let message = format!("{}; there is a {word} of {id} that nobody holds now: {remedy}", failure.message);
        Failure::new(failure.exit, message)
    };
    match file {
        Some(file) => {
            let path = file.path.display().to_string();
            file.store(&secret).map_err(lost)?;
            note(&format!("The {word} is in {path}. It cannot be shown again."));
        }
        None => {
            answer["secret"] = secret.expose().into();
            note(&format!("Store the {word} now: it is shown this once and cannot be shown again."));
        }
    }
    note_overlap(&answer[of]);
    print_once(&page(format, kind, answer)).map_err(lost)
}

fn page(format: Format, kind: &Kind, mut answer: Value) -> String {
    if answer["secret"].is_null() {
        answer.as_object_mut().map(|fields| fields.remove("secret"));
    }
    if format == Format::Json {
        return json::pretty(&answer);
    }
    let secret = answer["secret"].take();
    let mut thing = answer[kind.of].take();
    if secret.is_string() {
        thing[kind.field] = secret;
    }
    match format {
        Format::Csv => csv::document(kind.columns, &[thing]),
        Format::Env => env::lines(&thing),
        Format::Table | Format::Json => table::fields(kind.columns, &thing),
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
        assert!(page(Format::Table, &KEY_SECRET, answer()).contains("KEY SECRET    tgs_1\n"));
        assert_eq!(serde_json::from_str::<Value>(&page(Format::Json, &KEY_SECRET, answer())).expect("JSON"), answer());
        assert!(page(Format::Csv, &KEY_SECRET, answer()).contains("p1,k1,tgs_1,worker,,\r\n"));
        assert!(page(Format::Env, &KEY_SECRET, answer()).ends_with("TOLLGATE_KEY_SECRET=tgs_1\n"));
    }

    #[test]
    fn an_api_token_has_a_variable_of_its_own() {
        let answer = json!({"secret": "tgt_1", "servicePlan": {"servicePlanId": "s1", "projectId": "p1"}});
        let lines = page(Format::Env, &API_TOKEN, answer.clone());
        assert_eq!(lines, "TOLLGATE_PROJECT_ID=p1\nTOLLGATE_SERVICE_PLAN_ID=s1\nTOLLGATE_API_TOKEN=tgt_1\n");
        assert!(page(Format::Table, &API_TOKEN, answer).contains("API token        tgt_1\n"));
    }

    #[test]
    fn no_form_shows_a_secret_that_went_to_a_file() {
        let mut without = answer();
        without["secret"].take();
        assert!(page(Format::Table, &KEY_SECRET, without.clone()).contains("KEY SECRET    in the file\n"));
        assert!(!page(Format::Json, &KEY_SECRET, without.clone()).contains("secret"));
        assert!(page(Format::Csv, &KEY_SECRET, without.clone()).contains("p1,k1,,worker,,\r\n"));
        assert!(!page(Format::Env, &KEY_SECRET, without).contains("SECRET"));
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
