//! What most tests need: an account, a project, a key.

use serde_json::json;

use crate::wire::{Answer, Connection, Request, To, once};

/// An account with a project, made by the operator.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) operator: To,
    pub(crate) account: String,
    pub(crate) project: String,
}

/// An access key with its secret.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl World {
    pub(crate) fn new(operator: To) -> Self {
        let request = Request::post("/v1/accounts").json(json!({ "displayName": "An account" }));
        let account = once(&operator, &request).expect(200).text("/accountId");
        let request =
            Request::post(format!("/v1/accounts/{account}/projects")).json(json!({ "displayName": "A project" }));
        let project = once(&operator, &request).expect(200).text("/projectId");
        Self { operator, account, project }
    }

    pub(crate) fn keys(&self) -> String {
        format!("/v1/projects/{}/accessKeys", self.project)
    }

    pub(crate) fn create(&self, name: &str) -> Answer {
        once(&self.operator, &self.create_request(name))
    }

    pub(crate) fn create_request(&self, name: &str) -> Request {
        let scopes = ["demo", "introspect", "keys:manage"];
        Request::post(self.keys()).json(json!({ "displayName": name, "scopes": scopes }))
    }

    #[track_caller]
    pub(crate) fn key(&self, name: &str) -> Key {
        Key::new(&self.create(name).expect(200))
    }

    /// What `/v1/accounts/{account}/usage` says.
    pub(crate) fn usage(&self, grouping: &str) -> serde_json::Value {
        let target = format!("/v1/accounts/{}/usage?groupBy={grouping}", self.account);
        once(&self.operator, &Request::get(target)).expect(200).json()
    }

    pub(crate) fn calls(&self) -> i64 {
        self.usage("project")["totalCalls"].as_i64().expect("a number")
    }

    /// A call as a gateway asks about it.
    pub(crate) fn gate(&self) -> Request {
        let call = format!("/v1/projects/{}/hello", self.project);
        Request::get("/gate").header("x-forwarded-method", "GET").header("x-forwarded-uri", call)
    }
}

impl Key {
    pub(crate) fn new(answer: &Answer) -> Self {
        Self { id: answer.text("/accessKey/accessKeyId"), secret: answer.text("/secret") }
    }

    pub(crate) fn token_request(&self) -> Request {
        Request::post("/oauth2/token").basic(&self.id, &self.secret).form("grant_type=client_credentials")
    }

    #[track_caller]
    pub(crate) fn token(&self, to: &To) -> String {
        once(to, &self.token_request()).expect(200).text("/access_token")
    }
}

/// Opens a connection that must be had.
pub(crate) fn connect(to: &To) -> Connection {
    Connection::open(to).expect("a connection")
}
