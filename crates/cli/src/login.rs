//! `tollgate login` and `tollgate logout`: a personal token, kept for a profile or a server in
//! `$XDG_CONFIG_HOME/tollgate/tokens.toml` or `~/.config/tollgate/tokens.toml`, mode 0600.
//!
//! ```toml
//! [server]
//! "https://auth.example.com" = "tgp_…"
//! [profile]
//! production = "tgp_…"
//! ```

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::args::Global;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::hidden::{Credential, Hidden};
use crate::output::{Column, note};
use crate::session::Session;
use crate::target::{self, Place, Surroundings, Target};
use crate::{output, profile};

const ME: [Column; 3] =
    [Column::new("E-mail", "email"), Column::new("User ID", "userId"), Column::new("Operator", "operator")];

/// Arguments of `login`.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Read the personal token from standard input: secrets are no arguments.
    #[arg(long, required = true)]
    token_stdin: bool,
}

/// For whom a token is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    Profile(String),
    Server(String),
}

impl Holder {
    /// The profile, if one was named, else the server.
    pub(crate) fn new(profile: Option<&str>, url: &Url) -> Self {
        match profile {
            Some(name) => Self::Profile(name.to_owned()),
            None => Self::Server(url.as_str().trim_end_matches('/').to_owned()),
        }
    }
}

/// The file. Wiped when dropped.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(default)]
    server: BTreeMap<String, String>,
    #[serde(default)]
    profile: BTreeMap<String, String>,
}

impl Kept {
    fn place(&mut self, holder: &Holder) -> (&mut BTreeMap<String, String>, String) {
        match holder {
            Holder::Profile(name) => (&mut self.profile, name.clone()),
            Holder::Server(url) => (&mut self.server, url.clone()),
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.server.values_mut().chain(self.profile.values_mut()).for_each(String::zeroize);
    }
}

impl LoginArgs {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let around = Surroundings { variable: &target::variable, directory: Path::new(".") };
        let (url, holder) = target::holder(global, &around)?;
        let path = path(around.variable)?;
        let token = Hidden::read(Path::new("-"), "personal token")?;
        let kept = Zeroizing::new(token.expose().to_owned());
        let target = Target { place: Place::Http(url), credential: Some(Credential::Personal(token)) };
        Session { client: Client::new(target)?, asked: global.output }.wait(async |session| {
            let me = session.client.get("/v1/me", &[]).await?;
            if me["userId"].as_str().is_none() {
                return Err(Failure::new(Exit::NotSignedIn, "the server does not say whose token this is"));
            }
            store(&path, &holder, Some(&kept))?;
            note(&format!("Signed in to {}; the token is kept in {}.", session.client.place(), path.display()));
            output::thing(session.format(), &me, &ME)
        })
    }
}

/// Forgets the token that is kept for the profile or the server.
pub(crate) fn logout(global: &Global) -> Result<(), Failure> {
    let around = Surroundings { variable: &target::variable, directory: Path::new(".") };
    let (url, holder) = target::holder(global, &around)?;
    let path = path(around.variable)?;
    if load(&path, &holder)?.is_none() {
        note(&format!("No token is kept for {url}."));
        return Ok(());
    }
    store(&path, &holder, None)?;
    note("Signed out here. The token itself works until it ends, or is deleted in the dashboard.");
    Ok(())
}

/// Where tokens are kept: beside the profiles.
pub(crate) fn path(variable: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, Failure> {
    Ok(profile::path(variable)?.with_file_name("tokens.toml"))
}

/// The token that is kept for a holder.
pub(crate) fn load(path: &Path, holder: &Holder) -> Result<Option<Hidden>, Failure> {
    let mut kept = read(path)?;
    let (tokens, name) = kept.place(holder);
    Ok(tokens.remove(&name).map(Hidden::new))
}

/// Keeps a token for a holder, or forgets it. The file is written under another name first: a crash loses no other token.
fn store(path: &Path, holder: &Holder, token: Option<&str>) -> Result<(), Failure> {
    let failed = |cause: std::io::Error| Failure::file(path.display(), &cause);
    let mut kept = read(path)?;
    let (tokens, name) = kept.place(holder);
    match token {
        Some(token) => tokens.insert(name, token.to_owned()).zeroize(),
        None => tokens.remove(&name).zeroize(),
    }
    let text = toml::to_string(&kept).map_err(|error| Failure::from(anyhow::Error::new(error)))?;
    let text = Zeroizing::new(text);
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    }
    let unready = path.with_extension("new");
    let _ = std::fs::remove_file(&unready);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unready).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&unready, path).map_err(failed)
}

/// A file that others can read is refused: what was in it is known by now.
fn read(path: &Path) -> Result<Kept, Failure> {
    let failed = |cause: std::io::Error| Failure::file(path.display(), &cause);
    let facts = match std::fs::metadata(path) {
        Ok(facts) => facts,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Kept::default()),
        Err(cause) => return Err(failed(cause)),
    };
    if facts.permissions().mode() & 0o077 != 0 {
        let message = "others can read it; delete the tokens in the dashboard, remove the file and sign in again";
        return Err(Failure::error(format!("{}: {message}", path.display())));
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    // The reader's message would quote the line: it might hold a token.
    toml::from_str(&text)
        .map_err(|_| Failure::error(format!("{}: is no file of tokens; remove it and sign in again", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Holder {
        Holder::new(None, &Url::parse(url).expect("a URL"))
    }

    #[test]
    fn a_token_is_kept_for_its_holder_in_a_file_of_its_owner_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("new/tokens.toml");
        let (one, other, named) = (server("https://a"), server("https://b/"), Holder::Profile("p".to_owned()));
        for (holder, token) in [(&one, "tgp_1"), (&other, "tgp_2"), (&named, "tgp_3"), (&one, "tgp_4")] {
            store(&path, holder, Some(token)).expect("kept");
        }
        let kept = |holder: &Holder| load(&path, holder).expect("read").map(|token| token.expose().to_owned());
        assert_eq!((kept(&one).as_deref(), kept(&named).as_deref()), (Some("tgp_4"), Some("tgp_3")));
        assert_eq!(kept(&server("https://b")).as_deref(), Some("tgp_2"));
        store(&path, &one, None).expect("forgotten");
        assert_eq!((kept(&one), kept(&other).as_deref()), (None, Some("tgp_2")));
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a directory"))), (0o600, 0o700));
    }

    #[test]
    fn a_file_that_others_read_or_that_is_broken_is_refused_without_its_text() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tokens.toml");
        assert!(load(&path, &server("https://a")).expect("no file is no token").is_none());
        std::fs::write(&path, "[server]\n'https://a' = tgp_1\n").expect("written");
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its own");
        mode(0o600);
        let broken = load(&path, &server("https://a")).expect_err("broken");
        assert!(!broken.message.contains("tgp_1"), "{}", broken.message);
        mode(0o640);
        assert!(load(&path, &server("https://a")).expect_err("readable").message.contains("others can read"));
    }
}
