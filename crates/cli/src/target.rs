//! Which server a command speaks to, and as whom.
//!
//! What is named in the arguments comes first (`--server`, or `--socket` and `--data`), then the profile, then the
//! operator's socket in `./tollgate-data`, then `TOLLGATE_URL`. Over the socket a command acts as the operator; over
//! HTTP it signs in with a key pair, whose halves come from the arguments, the profile or the environment; where none of them
//! names a key, with the personal token that `tollgate login` has kept for the profile or the server. Secrets come from the
//! environment or a file, never from an argument.

use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::args::Global;
use crate::failure::{Exit, Failure};
use crate::hidden::{Credential, Hidden, KeyPair};
use crate::login::{self, Holder};
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

/// A server, and what to sign in with there.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) place: Place,
    pub(crate) credential: Option<Credential>,
}

/// Whose authority a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authority {
    /// Anybody may ask.
    Nobody,
    /// The operator over the socket, a key or a person over HTTP.
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

/// Finds the server, and what to sign in with.
pub(crate) fn find(global: &Global, authority: Authority, around: &Surroundings<'_>) -> Result<Target, Failure> {
    let profile = match &global.profile {
        Some(name) => Some(profile::load(&profile::path(around.variable)?, name)?),
        None => None,
    };
    let place = place(global, profile.as_ref(), around)?;
    let key = || key_pair(global, profile.as_ref(), around).map(Credential::Key);
    let credential = match (&place, authority) {
        (_, Authority::Nobody) => None,
        (Place::Socket(path), Authority::Manager) if global.key_id.is_some() || global.key_secret_file.is_some() => {
            let socket = path.display();
            return Err(Failure::usage(format!(
                "over the operator's socket {socket} this command acts as the operator; to act as a key, name the server with --server URL"
            )));
        }
        (Place::Socket(_), Authority::Manager) => None,
        (_, Authority::Key) => Some(key()?),
        (Place::Http(_), Authority::Manager) if names_key(global, profile.as_ref(), around) => Some(key()?),
        (Place::Http(url), Authority::Manager) => Some(Credential::Personal(personal(global, url, around)?)),
    };
    Ok(Target { place, credential })
}

/// The server that `login` and `logout` are about, and under which names its token is kept.
pub(crate) fn holder(global: &Global, around: &Surroundings<'_>) -> Result<(Url, Holder), Failure> {
    match find(global, Authority::Nobody, around)?.place {
        Place::Http(url) => {
            let holder = Holder::new(global.profile.as_deref(), &url);
            Ok((url, holder))
        }
        Place::Socket(path) => Err(Failure::usage(format!(
            "over the operator's socket {} nobody signs in; name the server with --server URL",
            path.display()
        ))),
    }
}

/// Whether anything names a key: then the personal token is left alone.
fn names_key(global: &Global, profile: Option<&Profile>, around: &Surroundings<'_>) -> bool {
    let in_profile = profile.is_some_and(|profile| profile.key_id.is_some() || profile.key_secret_file.is_some());
    let in_arguments = global.key_id.is_some() || global.key_secret_file.is_some();
    in_arguments
        || in_profile
        || ["TOLLGATE_KEY_ID", "TOLLGATE_KEY_SECRET"].into_iter().any(|name| (around.variable)(name).is_some())
}

/// The token that `tollgate login` has kept.
fn personal(global: &Global, url: &Url, around: &Surroundings<'_>) -> Result<Hidden, Failure> {
    let kept = match login::path(around.variable) {
        Ok(path) => login::load(&path, &Holder::new(global.profile.as_deref(), url))?,
        Err(_) => None,
    };
    kept.ok_or_else(|| {
        Failure::new(
            Exit::NotSignedIn,
            "not signed in: run `tollgate login --token-stdin` with a personal token from the dashboard, or set \
             TOLLGATE_KEY_ID and TOLLGATE_KEY_SECRET",
        )
    })
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
