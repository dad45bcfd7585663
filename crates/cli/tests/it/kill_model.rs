//! What a client was told, and what may be true after a kill: exactly that, but for the one request without an answer.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::server::Server;
use crate::wire::{Request, once};
use crate::world::{Key, World};

/// What is known of a fact: what was acknowledged, or nothing, because the answer to a change never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    Is(bool),
    Unsure,
}

/// One key as its client knows it.
#[derive(Debug, Clone)]
pub(crate) struct KnownKey {
    pub(crate) key: Key,
    pub(crate) deleted: Fact,
    pub(crate) disabled: Fact,
    /// A rotation without an answer: the secret that is known may have ended.
    pub(crate) rotation: Fact,
    pub(crate) ended_secrets: Vec<String>,
    pub(crate) live_tokens: Vec<String>,
    pub(crate) revoked_tokens: Vec<String>,
    /// Revocations that were not answered.
    pub(crate) doubtful_tokens: Vec<String>,
}

impl KnownKey {
    pub(crate) fn new(key: Key) -> Self {
        Self {
            key,
            deleted: Fact::Is(false),
            disabled: Fact::Is(false),
            rotation: Fact::Is(false),
            ended_secrets: Vec::new(),
            live_tokens: Vec::new(),
            revoked_tokens: Vec::new(),
            doubtful_tokens: Vec::new(),
        }
    }

    /// Compares with the server, and settles what was unsure. `None` when the key is gone. `asker` may introspect.
    pub(crate) fn checked(mut self, server: &Server, world: &World, asker: &Key) -> Option<Self> {
        let answer = once(&server.operator(), &Request::get(format!("{}/{}", world.keys(), self.key.id)));
        let deleted = match answer.status {
            200 => false,
            404 => true,
            other => panic!("{other}: {}", answer.body),
        };
        assert!(self.deleted == Fact::Unsure || self.deleted == Fact::Is(deleted), "{self:?}: deleted is {deleted}");
        if !deleted {
            let disabled = answer.json()["disabled"].as_bool().expect("a flag");
            assert!(
                self.disabled == Fact::Unsure || self.disabled == Fact::Is(disabled),
                "{self:?}: disabled is {disabled}"
            );
            self.disabled = Fact::Is(disabled);
        }
        self.check_secrets(server, deleted);
        self.check_tokens(server, asker, deleted);
        if !deleted && self.rotation == Fact::Unsure {
            // Its secret was in the answer that never came: nothing more can be learnt from it.
            let delete = Request::new("DELETE", format!("{}/{}", world.keys(), self.key.id));
            once(&server.operator(), &delete).expect(200);
            return None;
        }
        (!deleted).then_some(self)
    }

    fn check_secrets(&mut self, server: &Server, deleted: bool) {
        let status = |secret: &String| {
            let key = Key { id: self.key.id.clone(), secret: secret.clone() };
            once(&server.public(), &key.token_request()).status
        };
        for ended in &self.ended_secrets {
            assert_eq!(status(ended), 401, "{self:?}: an ended secret came back");
        }
        let usable = !deleted && self.disabled == Fact::Is(false);
        match (status(&self.key.secret), usable, self.rotation) {
            (200, true, _) => self.rotation = Fact::Is(false),
            (401, false, _) | (401, true, Fact::Unsure) => {}
            (status, ..) => panic!("{self:?}: its secret is answered {status}"),
        }
    }

    /// Introspection says whether a token is live, and counts nothing.
    fn check_tokens(&mut self, server: &Server, asker: &Key, deleted: bool) {
        let usable = !deleted && self.disabled == Fact::Is(false);
        let active = |token: &String| {
            let request =
                Request::post("/oauth2/introspect").basic(&asker.id, &asker.secret).form(format!("token={token}"));
            once(&server.public(), &request).expect(200).json()["active"].as_bool().expect("a flag")
        };
        for token in &self.revoked_tokens {
            assert!(!active(token), "{self:?}: a revoked token came back");
        }
        for token in &self.live_tokens {
            assert_eq!(active(token), usable, "{self:?}: a token that nobody revoked");
        }
        for token in std::mem::take(&mut self.doubtful_tokens).into_iter().filter(|_| usable) {
            let list = if active(&token) { &mut self.live_tokens } else { &mut self.revoked_tokens };
            list.push(token);
        }
    }
}

/// The calls of one key: acknowledged, and sent without an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls {
    pub(crate) acknowledged: i64,
    pub(crate) unanswered: i64,
}

/// Each key's count lies between what was acknowledged and that with what was not answered. What is counted now is the new
/// start, so that the bounds stay narrow.
pub(crate) fn check_usage(world: &World, calls: &mut BTreeMap<String, Calls>) {
    let usage = world.usage("key");
    let rows = usage["usage"].as_array().expect("rows");
    let sum: i64 = rows.iter().map(counted).sum();
    assert_eq!(usage["totalCalls"].as_i64(), Some(sum));
    for row in rows.iter().filter(|row| counted(row) > 0) {
        let id = row["accessKeyId"].as_str().expect("a KEY ID");
        assert!(calls.contains_key(id), "{id} never called");
    }
    for (id, known) in calls {
        let row = rows.iter().find(|row| row["accessKeyId"] == id.as_str());
        let counted = row.map_or(0, counted);
        let Calls { acknowledged, unanswered } = *known;
        assert!(counted >= acknowledged, "{id}: {acknowledged} calls were acknowledged, {counted} are counted");
        assert!(
            counted <= acknowledged + unanswered,
            "{id}: {acknowledged} calls and {unanswered} in doubt, {counted} are counted"
        );
        *known = Calls { acknowledged: counted, unanswered: 0 };
    }
}

fn counted(row: &Value) -> i64 {
    row["calls"].as_i64().expect("a number")
}
