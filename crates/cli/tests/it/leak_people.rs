//! What people type and are given: passwords, links, session cookies and the secrets that pages show once are nowhere after.

use serde_json::Value;

use crate::deadline::until;
use crate::leak_watch::Watch;
use crate::server::{House, Server};
use crate::wire::{Answer, Request};

const PASSWORD: &str = "seven-geese-fly-to-Ystad";
const WRONG: &str = "eight-geese-fly-to-Ystad";

/// A browser with one cookie.
struct Browser<'a> {
    server: &'a Server,
    watch: Watch,
    cookie: String,
}

impl Browser<'_> {
    fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path).header("cookie", &self.cookie);
        self.watch.send(&self.server.public(), &request)
    }

    fn post(&mut self, path: &str, form: &str) -> Answer {
        let request = Request::post(path).header("cookie", &self.cookie).header("sec-fetch-site", "same-origin");
        self.watch.send(&self.server.public(), &request.form(form))
    }

    /// Keeps the session's cookie, which the last answer set.
    fn keep_cookie(&mut self, answer: &Answer) {
        let value = answer.header("set-cookie").expect("a cookie").split(';').next().expect("a pair");
        self.watch.text("session cookie", value.split_once('=').expect("a pair").1, true);
        self.cookie = value.to_owned();
    }

    /// Watches the secret that the last answer shows.
    fn made_secret(&mut self, page: &Answer) -> String {
        let secret = shown(&page.body, "key-secret").to_owned();
        self.watch.text("KEY SECRET", &secret, true);
        secret
    }

    fn form_of(&mut self, path: &str) -> String {
        let page = self.get(path).expect(200);
        between(&page.body, "name=\"form\" value=\"", "\"").to_owned()
    }
}

/// The text of a field that shows a value.
#[track_caller]
fn shown<'a>(page: &'a str, id: &str) -> &'a str {
    let field = &page[page.find(&format!("<textarea id=\"{id}\"")).expect("a field")..];
    between(field, ">", "<")
}

#[track_caller]
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("no {start} in {text}")) + start.len();
    let length = text[from..].find(end).expect("an end");
    &text[from..from + length]
}

#[test]
fn what_people_type_and_are_given_is_nowhere_after() {
    let mut house = House::new("[log]\nlevel = 'trace'");
    let server = house.start();
    let link = until("the set-up link is printed", 10, || {
        house.printed().split_whitespace().find(|word| word.contains("/setup?token=")).map(ToOwned::to_owned)
    });
    let token = link.split_once("token=").expect("a token").1.to_owned();
    let mut browser = Browser { server: &server, watch: Watch::default(), cookie: String::new() };
    browser.watch.master_key(&house.data());
    browser.watch.text("password", PASSWORD, false);
    browser.watch.text("wrong password", WRONG, false);

    let project = set_up(&mut browser, &token);
    make_and_rotate_a_key(&mut browser, &project);
    mistype_passwords(&mut browser, &token);
    browser.get("/sign-out");
    browser.post("/sign-out", "").expect(303);

    let watch = browser.watch;
    watch.search_files(&house.data());
    server.stop();
    watch.search_files(&house.data());
    watch.search("the log", house.logs().as_bytes());
    watch.search_answers();
    assert!(house.logs().contains("http.route=\"/setup\""), "there is a log");
}

/// The project's path. The form carries the link's token, and only that page may.
fn set_up(browser: &mut Browser<'_>, token: &str) -> String {
    browser.get(&format!("/setup?token={token}")).expect(200);
    browser.watch.text("set-up link", token, true);
    let form = format!("token={token}&email=owner%40example.com&password={PASSWORD}&account=Example&project=first");
    let answer = browser.post("/setup", &form).expect(303);
    browser.keep_cookie(&answer);
    let to = answer.header("location").expect("the way on").to_owned();
    to.strip_suffix("/keys/new").expect("the form of a new key").to_owned()
}

fn make_and_rotate_a_key(browser: &mut Browser<'_>, project: &str) {
    let path = format!("{project}/keys/new");
    let form = format!("form={}&display_name=worker", browser.form_of(&path));
    let page = browser.post(&path, &form).expect(200);
    let secret = browser.made_secret(&page);
    let key = shown(&page.body, "key-id").to_owned();
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let again = browser.post(&path, &form).expect(200);
    assert!(again.body.contains("can no longer be shown"), "{}", again.body);

    let pair = Request::post("/oauth2/token").basic(&key, &secret).form("grant_type=client_credentials");
    let token = browser.watch.send(&browser.server.public(), &pair).expect(200);
    browser.watch.made_token(&token);

    let path = format!("{project}/keys/{key}/rotate");
    let form = format!("form={}&overlap=3600", browser.form_of(&path));
    let page = browser.post(&path, &form).expect(200);
    browser.made_secret(&page);
    browser.post(&path, &form).expect(200);
    for path in ["", "/keys/new", &format!("/keys/{key}"), &format!("/keys/{key}/first-use"), "/settings"] {
        browser.get(&format!("{project}{path}")).expect(200);
    }
    let used: Value = browser.get(&format!("{project}/keys/{key}/first-use")).json();
    assert_eq!(used["usedAt"], Value::Null, "the newest secret was not used");
}

fn mistype_passwords(browser: &mut Browser<'_>, token: &str) {
    browser.post("/sign-in", &format!("email=owner%40example.com&password={WRONG}")).expect(422);
    browser.post("/confirm", &format!("password={WRONG}&next=/")).expect(422);
    browser.post("/confirm", &format!("password={PASSWORD}&next=/")).expect(303);
    browser.get(&format!("/sign-in/link?token={token}")).expect(303);
    browser.get(&format!("/setup?token={token}")).expect(404);
}
