//! Load for the kill tests. Each worker has a connection and a log of its own, and ends when the server is gone.

use std::io;

use serde_json::json;

use crate::kill_model::{Calls, Fact, KnownKey};
use crate::wire::{Answer, Connection, Request, To};
use crate::world::{Key, World};

/// Random numbers that are the same at every run (xorshift).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Calls the gate until the server is gone.
pub(crate) fn call(public: &To, request: &Request) -> Calls {
    let mut calls = Calls::default();
    let Ok(mut connection) = Connection::open(public) else { return calls };
    loop {
        calls.unanswered += 1;
        match connection.send(request) {
            Ok(answer) => {
                answer.expect(200);
                calls.unanswered -= 1;
                calls.acknowledged += 1;
            }
            Err(_) => return calls,
        }
    }
}

/// What a manager of keys knows when the server is gone.
#[derive(Default)]
pub(crate) struct Managed {
    pub(crate) keys: Vec<KnownKey>,
    /// Names of keys whose creation was not answered: one at most.
    pub(crate) doubtful_names: Vec<String>,
    /// Changes that were acknowledged: action and KEY ID.
    pub(crate) acknowledged: Vec<(&'static str, String)>,
}

/// Makes keys and changes them at random until the server is gone.
pub(crate) struct Manager {
    pub(crate) operator: Connection,
    pub(crate) public: Connection,
    pub(crate) world: World,
    pub(crate) dice: Dice,
    pub(crate) name: String,
    pub(crate) managed: Managed,
}

impl Manager {
    pub(crate) fn run(mut self) -> Managed {
        for number in 0.. {
            if self.step(number).is_err() {
                return self.managed;
            }
        }
        self.managed
    }

    fn step(&mut self, number: usize) -> io::Result<()> {
        let usable = |known: &KnownKey| known.deleted == Fact::Is(false);
        let candidates: Vec<usize> =
            (0..self.managed.keys.len()).filter(|&at| usable(&self.managed.keys[at])).collect();
        if candidates.len() < 3 || self.dice.below(4) == 0 {
            return self.create(number);
        }
        let choice = self.dice.below(u64::try_from(candidates.len()).expect("small"));
        let at = candidates[usize::try_from(choice).expect("small")];
        match (self.dice.below(7), self.managed.keys[at].disabled) {
            (0, _) => self.delete(at),
            (1, Fact::Is(false)) => self.switch(at, true),
            (2 | 3, Fact::Is(true)) => self.switch(at, false),
            (_, Fact::Is(true) | Fact::Unsure) => Ok(()),
            (2, _) => self.rotate(at),
            (3, _) => self.revoke_all(at),
            (_, _) => self.issue_and_perhaps_revoke(at),
        }
    }

    fn create(&mut self, number: usize) -> io::Result<()> {
        let name = format!("{} {number}", self.name);
        self.managed.doubtful_names.push(name.clone());
        let answer = self.operator.send(&self.world.create_request(&name))?.expect(200);
        self.managed.doubtful_names.pop();
        let key = Key::new(&answer);
        self.managed.acknowledged.push(("accessKey.create", key.id.clone()));
        self.managed.keys.push(KnownKey::new(key));
        Ok(())
    }

    fn delete(&mut self, at: usize) -> io::Result<()> {
        self.managed.keys[at].deleted = Fact::Unsure;
        self.change(at, "DELETE", "", "accessKey.delete")?;
        self.managed.keys[at].deleted = Fact::Is(true);
        Ok(())
    }

    fn switch(&mut self, at: usize, off: bool) -> io::Result<()> {
        self.managed.keys[at].disabled = Fact::Unsure;
        let (verb, action) = if off { ("/disable", "accessKey.disable") } else { ("/enable", "accessKey.enable") };
        self.change(at, "POST", verb, action)?;
        self.managed.keys[at].disabled = Fact::Is(off);
        Ok(())
    }

    fn rotate(&mut self, at: usize) -> io::Result<()> {
        self.managed.keys[at].rotation = Fact::Unsure;
        let answer = self.change(at, "POST", "/rotateSecret", "accessKey.rotateSecret")?;
        let known = &mut self.managed.keys[at];
        known.rotation = Fact::Is(false);
        let old = std::mem::replace(&mut known.key.secret, answer.text("/secret"));
        known.ended_secrets.push(old);
        Ok(())
    }

    fn revoke_all(&mut self, at: usize) -> io::Result<()> {
        let known = &mut self.managed.keys[at];
        known.doubtful_tokens.append(&mut known.live_tokens);
        self.change(at, "POST", "/revokeTokens", "accessKey.revokeTokens")?;
        let known = &mut self.managed.keys[at];
        known.revoked_tokens.append(&mut known.doubtful_tokens);
        Ok(())
    }

    fn issue_and_perhaps_revoke(&mut self, at: usize) -> io::Result<()> {
        let known = &mut self.managed.keys[at];
        let token = self.public.send(&known.key.token_request())?.expect(200).text("/access_token");
        if self.dice.below(2) == 0 {
            known.live_tokens.push(token);
            return Ok(());
        }
        let revoke =
            Request::post("/oauth2/revoke").basic(&known.key.id, &known.key.secret).form(format!("token={token}"));
        known.doubtful_tokens.push(token.clone());
        self.public.send(&revoke)?.expect(200);
        known.doubtful_tokens.pop();
        known.revoked_tokens.push(token);
        Ok(())
    }

    fn change(&mut self, at: usize, method: &'static str, verb: &str, action: &'static str) -> io::Result<Answer> {
        let id = self.managed.keys[at].key.id.clone();
        let request = Request::new(method, format!("{}/{id}{verb}", self.world.keys()));
        let request = if verb == "/rotateSecret" { request.json(json!({ "overlapSeconds": 0 })) } else { request };
        let answer = self.operator.send(&request)?.expect(200);
        self.managed.acknowledged.push((action, id));
        Ok(answer)
    }
}
