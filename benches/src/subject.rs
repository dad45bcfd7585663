//! What is measured: a server, what it was given, and the requests that it is asked.

use std::fs;
use std::net::TcpStream;
use std::path::Path;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tollgate_bench::Algorithm;

use crate::http::{self, Answer, Request};
use crate::process::Process;

/// Name of the server that the others are compared with.
pub(crate) const LIMIT: &str = "limit server";
/// Name of the Tollgate whose counts are committed.
pub(crate) const PROCESS: &str = "tollgate (process)";
/// Name of the Tollgate whose counts are on the disk.
pub(crate) const DISK: &str = "tollgate (disk)";

/// A running server and the requests that it is asked.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) process: Process,
    access: Access,
    /// The token that its gate is shown.
    token: String,
}

/// What a client of the server needs.
pub(crate) struct Access {
    /// Host and port.
    pub(crate) address: String,
    pub(crate) project: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    /// A service plan and its API token, where there is such a thing.
    pub(crate) plan: Option<(String, String)>,
}

/// What a request may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// A new token for a KEY ID and its secret.
    Token(Algorithm),
    /// A call with a token that the gate has seen before.
    Gate,
    /// A call with KEY ID and KEY SECRET. The limit server is shown its token, which it looks up as well.
    GateBasic,
    /// A call with the API token of a service plan. The limit server is shown its token.
    GateApiToken,
}

impl Case {
    /// All cases, in the order of the report.
    pub(crate) fn all(algorithm: Algorithm) -> [Self; 4] {
        [Self::Token(algorithm), Self::Gate, Self::GateBasic, Self::GateApiToken]
    }

    /// Whether its calls are counted.
    pub(crate) fn is_gate(self) -> bool {
        !matches!(self, Self::Token(_))
    }

    /// How the report calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Token(Algorithm::Es256) => "token ES256 by Basic",
            Self::Token(Algorithm::EdDsa) => "token EdDSA by Basic",
            Self::Token(Algorithm::Rs256) => "token RS256 by Basic",
            Self::Gate => "gate, JWT seen before, counted",
            Self::GateBasic => "gate, Basic, counted",
            Self::GateApiToken => "gate, API token, counted",
        }
    }
}

impl Subject {
    /// A server that was seen to do what will be measured. The gate is shown `token`, or else the one it just issued.
    pub(crate) fn tried(
        name: &'static str,
        process: Process,
        access: Access,
        token: Option<String>,
    ) -> anyhow::Result<Self> {
        let issued = access.token().with_context(|| format!("{name} issues no token"))?;
        let token = token.unwrap_or(issued);
        let subject = Self { name, process, access, token };
        for case in [Case::Gate, Case::GateBasic, Case::GateApiToken] {
            let passed = subject.access.pass_gate(&subject.request(case));
            passed.with_context(|| format!("{name} does not let a call through: {}", case.name()))?;
        }
        Ok(subject)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.access.address
    }

    /// What a client sends in this case.
    pub(crate) fn request(&self, case: Case) -> Request {
        match case {
            Case::Token(_) => self.access.token_request(),
            Case::Gate => self.access.gate_request(&self.token),
            Case::GateBasic if self.access.plan.is_some() => self.access.basic_request(),
            Case::GateApiToken => self.access.plan_request().unwrap_or_else(|| self.access.gate_request(&self.token)),
            Case::GateBasic => self.access.gate_request(&self.token),
        }
    }
}

impl Access {
    fn token(&self) -> anyhow::Result<String> {
        let answer = self.call(&self.token_request())?.json()?;
        let token = answer["access_token"].as_str().context("the answer has no access_token")?;
        Ok(token.to_owned())
    }

    fn pass_gate(&self, request: &Request) -> anyhow::Result<()> {
        let answer = self.call(request)?;
        let project = answer.header("tollgate-project");
        ensure!(project == Some(&self.project), "the call was taken for one of project {project:?}");
        Ok(())
    }

    fn call(&self, request: &Request) -> anyhow::Result<Answer> {
        let stream = TcpStream::connect(&self.address).with_context(|| format!("cannot reach {}", self.address))?;
        http::call(stream, request)
    }

    fn basic(&self) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.key, self.secret)))
    }

    fn token_request(&self) -> Request {
        Request {
            method: "POST",
            path: "/oauth2/token".to_owned(),
            headers: vec![
                ("authorization", self.basic()),
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ],
            body: "grant_type=client_credentials".to_owned(),
        }
    }

    /// A call with `token`.
    fn gate_request(&self, token: &str) -> Request {
        forwarded(format!("Bearer {token}"), format!("/v1/projects/{}/hello", self.project))
    }

    /// A call with KEY ID and KEY SECRET.
    fn basic_request(&self) -> Request {
        forwarded(self.basic(), format!("/v1/projects/{}/hello", self.project))
    }

    /// A call with an API token, on a path of the same length.
    fn plan_request(&self) -> Option<Request> {
        let (plan, token) = self.plan.as_ref()?;
        Some(forwarded(format!("Bearer {token}"), format!("/sms/v1/plans/{plan}/hello")))
    }
}

/// What Traefik asks about a call.
fn forwarded(authorization: String, uri: String) -> Request {
    let headers = vec![
        ("authorization", authorization),
        ("x-forwarded-method", "GET".to_owned()),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-forwarded-host", "127.0.0.1".to_owned()),
        ("x-forwarded-uri", uri),
        ("x-forwarded-for", "127.0.0.1".to_owned()),
    ];
    Request { headers, ..Request::get("/gate") }
}

/// Starts the limit server.
pub(crate) fn limit_server(program: &Path, work: &Path, algorithm: Algorithm) -> anyhow::Result<Subject> {
    let env = work.join("limit-server.env");
    let arguments = ["--algorithm".as_ref(), algorithm.option().as_ref(), "--env".as_ref(), env.as_os_str()];
    let mut process = Process::start(program, &arguments, &work.join("limit-server.log"))?;
    let lines = process.wait_for(LIMIT, || fs::read_to_string(&env).ok())?;
    let value = |name: &str| {
        let mut pairs = lines.lines().filter_map(|line| line.split_once('='));
        let found = pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
        found.with_context(|| format!("the limit server does not say {name}"))
    };
    let access = Access {
        address: value("LIMIT_URL")?.trim_start_matches("http://").to_owned(),
        project: value("LIMIT_PROJECT_ID")?,
        key: value("LIMIT_KEY_ID")?,
        secret: value("LIMIT_KEY_SECRET")?,
        plan: None,
    };
    Subject::tried(LIMIT, process, access, Some(value("LIMIT_TOKEN")?))
}
