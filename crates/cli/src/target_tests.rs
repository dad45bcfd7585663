//! Which server is found, and as whom.

use super::*;

struct Case {
    global: Global,
    set: Vec<(&'static str, String)>,
    directory: tempfile::TempDir,
}

fn case() -> Case {
    Case { global: Global::default(), set: Vec::new(), directory: tempfile::tempdir().expect("a directory") }
}

impl Case {
    fn with(mut self, change: impl FnOnce(&mut Global)) -> Self {
        change(&mut self.global);
        self
    }

    fn set(mut self, name: &'static str, value: &str) -> Self {
        self.set.push((name, value.to_owned()));
        self
    }

    fn beside_data(self) -> Self {
        let data = self.directory.path().join("tollgate-data");
        std::fs::create_dir(&data).expect("a directory");
        std::fs::write(data.join("tollgate.sock"), "").expect("a stand-in for the socket");
        self
    }

    fn with_profile(self, text: &str) -> Self {
        let home = self.directory.path().join("tollgate");
        std::fs::create_dir(&home).expect("a directory");
        std::fs::write(home.join("config.toml"), text).expect("written");
        let path = self.directory.path().to_str().expect("UTF-8").to_owned();
        self.set("XDG_CONFIG_HOME", &path)
    }

    fn find(&self, authority: Authority) -> Result<Target, Failure> {
        let variable = |name: &str| self.set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        find(&self.global, authority, &Surroundings { variable: &variable, directory: self.directory.path() })
    }

    fn key(&self, authority: Authority) -> KeyPair {
        match self.find(authority).expect("a target").credential {
            Some(Credential::Key(key)) => key,
            other => panic!("no key but {other:?}"),
        }
    }

    fn place(&self) -> String {
        match self.find(Authority::Nobody).expect("a server").place {
            Place::Http(url) => url.to_string(),
            Place::Socket(path) => path.display().to_string(),
        }
    }
}

#[test]
fn the_socket_beside_the_data_wins_over_the_environment_but_not_over_a_named_server() {
    let here = || case().beside_data().set("TOLLGATE_URL", "http://env:1");
    assert_eq!(here().place(), "tollgate-data/tollgate.sock");
    assert_eq!(here().with(|global| global.server = Some("http://flag:1".to_owned())).place(), "http://flag:1/");
    assert_eq!(here().with(|global| global.data = Some("/d".into())).place(), "/d/tollgate.sock");
    assert_eq!(here().with(|global| global.socket = Some("/s".into())).place(), "/s");
    let profile = here().with_profile("[profile.p]\nserver='http://profile:1'");
    assert_eq!(profile.with(|global| global.profile = Some("p".to_owned())).place(), "http://profile:1/");
    assert_eq!(case().set("TOLLGATE_URL", "http://env:1").place(), "http://env:1/");
}

#[test]
fn without_any_server_the_error_says_how_to_name_one() {
    let failure = case().find(Authority::Nobody).expect_err("no server");
    assert_eq!(failure.exit, Exit::NoAnswer);
    assert!(failure.message.contains("--server URL"));
}

#[test]
fn a_server_and_a_socket_at_once_are_refused() {
    let both = case().with(|global| {
        global.server = Some("http://flag:1".to_owned());
        global.socket = Some("/s".into());
    });
    assert_eq!(both.find(Authority::Nobody).expect_err("both").exit, Exit::Usage);
}

#[test]
fn a_url_holds_no_password_and_is_http() {
    for wrong in ["http://user:secret@host", "ftp://host", "host", "https://host/?a=b", "https://host/#f"] {
        let failure = case().set("TOLLGATE_URL", wrong).find(Authority::Nobody).expect_err(wrong);
        assert_eq!(failure.exit, Exit::Usage);
        assert!(!failure.message.contains("secret"));
    }
}

#[test]
fn over_http_a_key_pair_is_needed_and_over_the_socket_only_for_tokens() {
    let http = || case().set("TOLLGATE_URL", "http://env:1");
    assert_eq!(http().find(Authority::Manager).expect_err("no key").exit, Exit::NotSignedIn);
    assert_eq!(http().set("TOLLGATE_KEY_ID", "k").find(Authority::Key).expect_err("no secret").exit, Exit::NotSignedIn);
    let key = http().set("TOLLGATE_KEY_ID", "k").set("TOLLGATE_KEY_SECRET", "s").key(Authority::Manager);
    assert_eq!((key.id.as_str(), key.secret.expose()), ("k", "s"));

    let socket = || case().beside_data().set("TOLLGATE_KEY_ID", "k").set("TOLLGATE_KEY_SECRET", "s");
    assert!(socket().find(Authority::Manager).expect("a target").credential.is_none());
    assert!(socket().find(Authority::Key).expect("a target").credential.is_some());
    let as_key = socket().with(|global| global.key_id = Some("k".to_owned()));
    assert_eq!(as_key.find(Authority::Manager).expect_err("the operator has no key").exit, Exit::Usage);
}

#[test]
fn arguments_win_over_the_profile_and_the_profile_over_the_environment() {
    let profile = "[profile.p]\nserver='http://p:1'\nkey_id='of-profile'\nkey_secret_file='secret'";
    let case = case().with_profile(profile).set("TOLLGATE_KEY_ID", "of-env").set("TOLLGATE_KEY_SECRET", "of-env");
    std::fs::write(case.directory.path().join("tollgate/secret"), "of-file\n").expect("written");
    let case = case.with(|global| global.profile = Some("p".to_owned()));
    let key = case.key(Authority::Key);
    assert_eq!((key.id.as_str(), key.secret.expose()), ("of-profile", "of-file"));
    let case = case.with(|global| global.key_id = Some("of-argument".to_owned()));
    assert_eq!(case.key(Authority::Key).id, "of-argument");
}

#[test]
fn a_kept_token_signs_in_where_no_key_is_named_and_never_over_the_socket() {
    let kept = "[server]\n'http://env:1' = 'tgp_server'\n[profile]\np = 'tgp_profile'\n";
    let http = || {
        let case =
            case().with_profile("[profile.p]\nserver='http://env:1'\n[profile.q]\nserver='http://env:1'\nkey_id='k'");
        let file = case.directory.path().join("tollgate/tokens.toml");
        std::fs::write(&file, kept).expect("written");
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its own");
        case.set("TOLLGATE_URL", "http://env:1/")
    };
    let personal = |case: Case| match case.find(Authority::Manager).expect("a target").credential {
        Some(Credential::Personal(token)) => token.expose().to_owned(),
        other => panic!("no token but {other:?}"),
    };
    let with_profile = |name: &str| http().with(|global| global.profile = Some(name.to_owned()));
    assert_eq!(personal(http()), "tgp_server");
    assert_eq!(personal(with_profile("p")), "tgp_profile");
    assert_eq!(with_profile("q").find(Authority::Manager).expect_err("half a key").exit, Exit::NotSignedIn);
    assert_eq!(http().set("TOLLGATE_KEY_ID", "k").set("TOLLGATE_KEY_SECRET", "s").key(Authority::Manager).id, "k");
    assert_eq!(http().find(Authority::Key).expect_err("tokens belong to keys").exit, Exit::NotSignedIn);
    assert!(http().beside_data().find(Authority::Manager).expect("a target").credential.is_none());
    let elsewhere = http().with(|global| global.server = Some("http://other:1".to_owned()));
    assert_eq!(elsewhere.find(Authority::Manager).expect_err("not signed in there").exit, Exit::NotSignedIn);
}
