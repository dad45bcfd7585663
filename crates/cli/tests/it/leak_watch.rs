//! Looking for secrets: in files, in logs, and in every answer but the one that made them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::wire::{Answer, Request, To, once};
use crate::world::Key;

/// Something that must not be found, in all the spellings in which it could hide.
struct Needle {
    what: &'static str,
    spellings: Vec<Vec<u8>>,
    /// The answer that may hold it.
    maker: Option<usize>,
}

/// Sends requests, remembers the answers, and knows what must not be in them.
#[derive(Default)]
pub(crate) struct Watch {
    needles: Vec<Needle>,
    answers: Vec<(String, String)>,
}

impl Watch {
    pub(crate) fn send(&mut self, to: &To, request: &Request) -> Answer {
        let answer = once(to, request);
        self.answers.push((request.line(), format!("{}{}", answer.head, answer.body)));
        answer
    }

    /// Watches the secret that the last answer brought.
    pub(crate) fn made_key(&mut self, answer: &Answer) -> Key {
        let key = Key::new(answer);
        self.secret("KEY SECRET", &key, Some(self.answers.len() - 1));
        key
    }

    /// Watches a secret that no answer brought.
    pub(crate) fn other_key(&mut self, what: &'static str, key: &Key) {
        self.secret(what, key, None);
    }

    /// Watches a secret that stands in the last answer's page, or in none when it came by another way.
    pub(crate) fn text(&mut self, what: &'static str, secret: &str, is_in_last: bool) {
        let maker = is_in_last.then(|| self.answers.len() - 1);
        self.secret(what, &Key { id: String::new(), secret: secret.to_owned() }, maker);
    }

    fn secret(&mut self, what: &'static str, key: &Key, maker: Option<usize>) {
        let Key { id, secret } = key;
        // The hint shows the first characters: a piece after them stands for the whole, in any escaping.
        let mut spellings = vec![secret.as_bytes()[8..].to_vec()];
        spellings.push(secret.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
        spellings.push(secret.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect());
        for text in [format!("{id}:{secret}"), secret.clone(), format!("\0{secret}"), format!("\0\0{secret}")] {
            for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                // Without the ends, which depend on the neighbours.
                spellings.push(encoded.as_bytes()[4..encoded.len() - 4].to_vec());
            }
        }
        self.needles.push(Needle { what, spellings, maker });
    }

    /// Watches the access token that the last answer brought: the whole, and its signature alone.
    pub(crate) fn made_token(&mut self, answer: &Answer) -> String {
        let token = answer.text("/access_token");
        let signature = token.rsplit('.').next().expect("three parts").as_bytes().to_vec();
        let maker = Some(self.answers.len() - 1);
        self.needles.push(Needle {
            what: "access token",
            spellings: vec![token.clone().into_bytes(), signature],
            maker,
        });
        token
    }

    /// Watches the master key, which no answer ever brings.
    pub(crate) fn master_key(&mut self, data: &Path) {
        let hex = std::fs::read_to_string(data.join("master.key")).expect("the master key");
        let hex = hex.trim().to_owned();
        let bytes = (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex")).collect();
        self.needles.push(Needle { what: "master key", spellings: vec![hex.into_bytes(), bytes], maker: None });
    }

    /// Looks through bytes that may hold nothing secret.
    #[track_caller]
    pub(crate) fn search(&self, place: &str, bytes: &[u8]) {
        for needle in &self.needles {
            let found = needle.spellings.iter().any(|spelling| contains(bytes, spelling));
            assert!(!found, "a {} is in {place}", needle.what);
        }
    }

    /// Looks through every file below a directory, but for the master key's own.
    #[track_caller]
    pub(crate) fn search_files(&self, directory: &Path) {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() {
                self.search_files(&entry.path());
            } else if kind.is_file() && entry.file_name() != "master.key" {
                self.search(&entry.path().display().to_string(), &std::fs::read(entry.path()).expect("a file"));
                names.push(entry.file_name());
            }
        }
        assert!(!names.is_empty(), "{} is empty", directory.display());
    }

    /// Looks through all answers so far. Only the one that made a secret holds it.
    #[track_caller]
    pub(crate) fn search_answers(&self) {
        let mut found = Vec::new();
        for (at, (line, text)) in self.answers.iter().enumerate() {
            for needle in self.needles.iter().filter(|needle| needle.maker != Some(at)) {
                if needle.spellings.iter().any(|spelling| contains(text.as_bytes(), spelling)) {
                    found.push(format!("a {} is in the answer to {line}: {text}", needle.what));
                }
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n\n"));
    }
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    let Some(&first) = needle.first() else { return false };
    let mut rest = hay;
    while let Some(at) = rest.iter().position(|&byte| byte == first) {
        rest = &rest[at..];
        if rest.starts_with(needle) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let key = Key { id: "an-id".to_owned(), secret: format!("tgs_{}", "aB3xYz9".repeat(7)) };
    let mut watch = Watch::default();
    watch.other_key("secret", &key);
    let basic = STANDARD_NO_PAD.encode(format!("{}:{}", key.id, key.secret));
    for hidden in [key.secret.clone(), format!("x%5F{}", &key.secret[4..]), basic] {
        let caught = std::panic::catch_unwind(|| watch.search("a place", format!("some {hidden} more").as_bytes()));
        assert!(caught.is_err(), "{hidden} was not found");
    }
    watch.search("a place", &key.secret.as_bytes()[..8]);
}
