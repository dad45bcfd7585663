//! Which server a command speaks to, and as whom.
//!
//! What is named in the arguments comes first (`--server`, or `--socket` and `--data`), then the profile, then the
//! operator's socket in `./tollgate-data`, then `TOLLGATE_URL`. Over the socket a command acts as the operator; over
//! HTTP it signs in with a key pair. Secrets come from the environment or a file, never from an argument.

use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::args::Global;
use crate::failure::{Exit, Failure};
use crate::hidden::{Hidden, KeyPair};
use crate::profile::{self, Profile};

/// The operator's socket in a data directory.
pub(crate) const SOCKET: &str = "tollgate.sock";
/// Where `tollgate dev` keeps its data.
const DEFAULT_DATA: &str = "tollgate-data";

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Http(Url),
    Socket(PathBuf),
}

/// A server, and the key pair to use there.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) place: Place,
    pub(crate) key: Option<KeyPair>,
}

/// Whose authority a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authority {
    /// Anybody may ask.
    Nobody,
    /// The operator over the socket, a key over HTTP.
    Manager,
    /// A key, over the socket too: tokens belong to keys.
    Key,
}

/// What surrounds the command line.
pub(crate) struct Surroundings<'a> {
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) directory: &'a Path,
}

/// A variable of the environment; an empty one is as good as none.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Finds the server and the key pair.
pub(crate) fn find(global: &Global, authority: Authority, around: &Surroundings<'_>) -> Result<Target, Failure> {
    let profile = match &global.profile {
        Some(name) => Some(profile::load(&profile::path(around.variable)?, name)?),
        None => None,
    };
    let place = place(global, profile.as_ref(), around)?;
    let needs_key = match (&place, authority) {
        (_, Authority::Nobody) => false,
        (Place::Socket(path), Authority::Manager) if global.key_id.is_some() || global.key_secret_file.is_some() => {
            let socket = path.display();
            return Err(Failure::usage(format!(
                "over the operator's socket {socket} this command acts as the operator; to act as a key, name the server with --server URL"
            )));
        }
        (Place::Socket(_), Authority::Manager) => false,
        (Place::Http(_), Authority::Manager) | (_, Authority::Key) => true,
    };
    let key = if needs_key { Some(key_pair(global, profile.as_ref(), around)?) } else { None };
    Ok(Target { place, key })
}

fn place(global: &Global, profile: Option<&Profile>, around: &Surroundings<'_>) -> Result<Place, Failure> {
    let socket = global.socket.clone().or_else(|| global.data.as_ref().map(|data| data.join(SOCKET)));
    match (&global.server, socket) {
        (Some(_), Some(_)) => return Err(Failure::usage("give --server or the operator's socket, not both")),
        (Some(server), None) => return url("--server", server).map(Place::Http),
        (None, Some(socket)) => return Ok(Place::Socket(socket)),
        (None, None) => {}
    }
    if let Some(profile) = profile {
        return url("the profile's server", &profile.server).map(Place::Http);
    }
    let default = around.directory.join(DEFAULT_DATA).join(SOCKET);
    if default.exists() {
        return Ok(Place::Socket(Path::new(DEFAULT_DATA).join(SOCKET)));
    }
    match (around.variable)("TOLLGATE_URL") {
        Some(server) => url("TOLLGATE_URL", &server).map(Place::Http),
        None => Err(Failure::new(
            Exit::NoAnswer,
            "no server is named: give --server URL or TOLLGATE_URL, or beside the data --data DIR; \
             a running `tollgate dev` is found in its own directory",
        )),
    }
}

/// A server's URL. A password has no place in it.
fn url(source: &str, text: &str) -> Result<Url, Failure> {
    let wrong = |why: &str| Failure::usage(format!("{source}: {why}; use a URL such as https://auth.example.com"));
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("a user or password does not belong into the URL"));
    }
    if !["http", "https"].contains(&url.scheme())
        || !url.has_host()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("must be http:// or https:// without query and fragment"));
    }
    Ok(url)
}

/// The KEY ID and its secret, each from the argument, else the profile, else the environment.
fn key_pair(global: &Global, profile: Option<&Profile>, around: &Surroundings<'_>) -> Result<KeyPair, Failure> {
    let missing = |what: &str| {
        let message = format!(
            "not signed in: no {what}; set TOLLGATE_KEY_ID and TOLLGATE_KEY_SECRET, or give --key-id and --key-secret-file"
        );
        Failure::new(Exit::NotSignedIn, message)
    };
    let id = global.key_id.clone().or_else(|| profile.and_then(|profile| profile.key_id.clone()));
    let id = id.or_else(|| (around.variable)("TOLLGATE_KEY_ID")).ok_or_else(|| missing("KEY ID"))?;
    let file = global.key_secret_file.as_ref().or_else(|| profile.and_then(|profile| profile.key_secret_file.as_ref()));
    let secret = match file {
        Some(file) => Hidden::read(file, "KEY SECRET")?,
        None => (around.variable)("TOLLGATE_KEY_SECRET").map(Hidden::new).ok_or_else(|| missing("KEY SECRET"))?,
    };
    Ok(KeyPair { id, secret })
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
