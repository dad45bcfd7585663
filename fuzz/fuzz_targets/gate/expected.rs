//! Which calls the gate has to let through, by a naive reading of path and credential.

use tollgate_fuzz::reference;
use tollgate_fuzz::world::World;

use crate::ask::Call;

/// What has to happen.
#[derive(Debug)]
pub enum Verdict {
    /// The call must be let through.
    Allow,
    /// It must not.
    Deny,
    /// The credential fits; whether the path has one reading only is not judged here.
    AllowIfPlain,
}

#[derive(PartialEq)]
enum Credential {
    Token,
    Basic,
    ApiToken,
}

pub fn allows(world: &World, call: &Call<'_>) -> Verdict {
    let path = call.target.split('?').next().unwrap_or_default();
    let fits = credential(world, call).is_some_and(|credential| fits(world, path, &credential));
    match (fits, is_plain(path)) {
        (false, _) => Verdict::Deny,
        (true, true) => Verdict::Allow,
        (true, false) => Verdict::AllowIfPlain,
    }
}

/// The genuine credential of a call, which comes in one header.
fn credential(world: &World, call: &Call<'_>) -> Option<Credential> {
    let [value] = *call.authorizations else { return None };
    let (scheme, rest) = reference::scheme(std::str::from_utf8(value).ok()?);
    match &*scheme {
        "bearer" if rest == world.token => Some(Credential::Token),
        "bearer" if rest == world.api_token => Some(Credential::ApiToken),
        "basic" => {
            let (id, secret) = reference::basic(rest.as_bytes())?;
            (id.eq_ignore_ascii_case(&world.key) && secret == world.secret).then_some(Credential::Basic)
        }
        _ => None,
    }
}

/// By the four products of [`World`].
fn fits(world: &World, path: &str, credential: &Credential) -> bool {
    let is_project = |id: &str| id.eq_ignore_ascii_case(&world.project);
    match (&*reference::segments(path), credential) {
        (["v1", "projects", id, ..], Credential::Token | Credential::Basic) => is_project(id),
        (["xms", "v1", id, ..], Credential::Token) => is_project(id),
        (["xms", "v1", id, ..], Credential::ApiToken) => *id == world.plan,
        (["maps", ..], Credential::Token | Credential::Basic) => true,
        (["status"], Credential::Token) => true,
        _ => false,
    }
}

/// Surely plain: there are other paths that are.
fn is_plain(path: &str) -> bool {
    let is_word = |segment: &&str| {
        !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    path.starts_with('/') && reference::segments(path).iter().all(is_word)
}
