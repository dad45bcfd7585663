//! Profiles: servers and keys by name, in `$XDG_CONFIG_HOME/tollgate/config.toml` or `~/.config/tollgate/config.toml`.
//!
//! ```toml
//! [profile.production]
//! server = "https://auth.example.com"
//! key_id = "01995a31-0000-7000-8000-000000000000"
//! key_secret_file = "production.secret"   # beside this file, unless absolute
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;

/// A server, and the key to sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) server: String,
    pub(crate) key_id: Option<String>,
    pub(crate) key_secret_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profile: BTreeMap<String, Profile>,
}

/// Where the profiles are kept.
pub(crate) fn path(variable: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, Failure> {
    let base = match variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(base) => base,
        None => match variable("HOME") {
            Some(home) => PathBuf::from(home).join(".config"),
            None => return Err(Failure::error("profiles are kept below XDG_CONFIG_HOME or HOME, and neither is set")),
        },
    };
    Ok(base.join("tollgate").join("config.toml"))
}

/// Reads one profile.
pub(crate) fn load(path: &Path, name: &str) -> Result<Profile, Failure> {
    let text = std::fs::read_to_string(path).map_err(|cause| Failure::file(path.display(), &cause))?;
    let mut file: File = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        Failure::error(format!("{}, line {line}: {}", path.display(), error.message().replace('\n', " ")))
    })?;
    let Some(mut profile) = file.profile.remove(name) else {
        let names: Vec<String> = file.profile.into_keys().collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(Failure::usage(format!("{}: no profile {name}; there are: {known}", path.display())));
    };
    let beside = path.parent().unwrap_or(Path::new("."));
    profile.key_secret_file = profile.key_secret_file.map(|file| beside.join(file));
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, name: &str) -> Result<Profile, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("config.toml");
        std::fs::write(&file, text).expect("written");
        load(&file, name).map_err(|failure| failure.message)
    }

    #[test]
    fn a_profile_is_read_by_name_and_its_secret_lies_beside_it() {
        let text = "[profile.a]\nserver='https://a'\nkey_id='k'\nkey_secret_file='a.secret'\n[profile.b]\nserver='https://b'\n";
        let a = load_text(text, "a").expect("a profile");
        assert_eq!((a.server.as_str(), a.key_id.as_deref()), ("https://a", Some("k")));
        let secret = a.key_secret_file.expect("a path");
        assert!(secret.is_absolute() && secret.ends_with("a.secret"));
        assert_eq!(load_text(text, "b").expect("a profile").key_secret_file, None);
    }

    #[test]
    fn unknown_profiles_and_fields_are_refused_by_name() {
        let text = "[profile.a]\nserver='https://a'\n[profile.b]\nserver='https://b'\n";
        assert!(load_text(text, "c").expect_err("unknown").ends_with("no profile c; there are: a, b"));
        assert!(
            load_text("[profile.a]\nserver='x'\nsecret='tgs'\n", "a")
                .expect_err("unknown")
                .contains("unknown field `secret`")
        );
        assert!(
            load_text("[profiles.a]\nserver='x'\n", "a").expect_err("unknown").contains("unknown field `profiles`")
        );
    }

    #[test]
    fn a_wrong_value_is_named_by_its_line() {
        let wrong = load_text("[profile.a]\nserver=5\n", "a").expect_err("a number");
        assert!(wrong.contains("config.toml, line 2: "), "{wrong}");
    }

    #[test]
    fn profiles_are_kept_where_xdg_says() {
        let find = |set: &'static [(&str, &str)]| {
            path(&move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        let expected = Path::new("/x/tollgate/config.toml");
        assert_eq!(find(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]).expect("a path"), expected);
        assert_eq!(
            find(&[("XDG_CONFIG_HOME", "x"), ("HOME", "/h")]).expect("a path"),
            Path::new("/h/.config/tollgate/config.toml")
        );
        assert!(find(&[]).is_err());
    }
}
