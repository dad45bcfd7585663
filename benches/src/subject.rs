//! What is measured: a server, and the requests that a client of it sends.

use std::fs;
use std::net::TcpStream;
use std::path::Path;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tollgate_bench::Algorithm;

use crate::http::{self, Answer, Request};
use crate::process::Process;

/// A running server.
pub(crate) struct Subject {
    /// How the report calls it.
    pub(crate) name: &'static str,
    /// Host and port.
    pub(crate) address: String,
    pub(crate) process: Process,
}

impl Subject {
    /// Asks once, and insists on 200.
    pub(crate) fn call(&self, request: &Request) -> anyhow::Result<Answer> {
        let stream = TcpStream::connect(&self.address).with_context(|| format!("cannot reach {}", self.address))?;
        http::call(stream, request)
    }
}

/// An access key, and what its owner asks for.
pub(crate) struct Access {
    pub(crate) project: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    /// A token of the key.
    pub(crate) token: String,
}

impl Access {
    /// The same with a token that `subject` issues.
    pub(crate) fn with_token(mut self, subject: &Subject) -> anyhow::Result<Self> {
        let answer = subject.call(&self.token_request())?.json()?;
        let token = answer["access_token"].as_str();
        self.token = token.with_context(|| format!("{} issues no token", subject.name))?.to_owned();
        Ok(self)
    }

    /// Fails unless `subject` lets this call through as one of our project.
    pub(crate) fn try_gate(&self, subject: &Subject, request: &Request) -> anyhow::Result<()> {
        let answer = subject.call(request).with_context(|| format!("{} lets no call through", subject.name))?;
        let project = answer.header("tollgate-project");
        ensure!(project == Some(&self.project), "the call was taken for one of project {project:?}");
        Ok(())
    }

    /// A new token by Basic.
    pub(crate) fn token_request(&self) -> Request {
        self.form("/oauth2/token", "grant_type=client_credentials".to_owned())
    }

    /// What is that token, which may be another's?
    pub(crate) fn introspection(&self, token: &str) -> Request {
        self.form("/oauth2/introspect", format!("token={token}"))
    }

    /// A call with the token.
    pub(crate) fn gate(&self) -> Request {
        self.gate_below("/v1/projects")
    }

    /// A call with the token on another product's path.
    pub(crate) fn gate_below(&self, prefix: &str) -> Request {
        forwarded(format!("Bearer {}", self.token), format!("{prefix}/{}/hello", self.project))
    }

    /// A call with the token on a project that is not the key's.
    pub(crate) fn gate_of_another_project(&self) -> Request {
        let path = "/v1/projects/00000000-0000-7000-8000-000000000000/hello";
        forwarded(format!("Bearer {}", self.token), path.to_owned())
    }

    /// A call with KEY ID and KEY SECRET.
    pub(crate) fn gate_basic(&self) -> Request {
        forwarded(self.basic(), format!("/v1/projects/{}/hello", self.project))
    }

    /// What a program with the key asks of the management API.
    pub(crate) fn managing(&self, mut request: Request) -> Request {
        request.headers.push(("authorization", self.basic()));
        request
    }

    /// A form that the key's owner posts.
    pub(crate) fn form(&self, path: &str, body: String) -> Request {
        let headers =
            vec![("authorization", self.basic()), ("content-type", "application/x-www-form-urlencoded".to_owned())];
        Request { method: "POST", path: path.to_owned(), headers, body }
    }

    fn basic(&self) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.key, self.secret)))
    }
}

/// The values that a server has written for us, as `NAME=value` lines.
pub(crate) fn variables(lines: &str) -> impl Fn(&str) -> anyhow::Result<String> {
    move |name| {
        let mut pairs = lines.lines().filter_map(|line| line.split_once('='));
        let found = pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
        found.with_context(|| format!("no {name} in what the server says of itself"))
    }
}

/// What Traefik asks about a call.
pub(crate) fn forwarded(authorization: String, uri: String) -> Request {
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

/// The limit server, which was seen to do what it will be measured at.
pub(crate) struct Limit {
    pub(crate) subject: Subject,
    pub(crate) access: Access,
}

impl Limit {
    /// Starts it.
    pub(crate) fn start(program: &Path, work: &Path, algorithm: Algorithm) -> anyhow::Result<Self> {
        let name = match algorithm {
            Algorithm::Es256 => "limit server",
            Algorithm::EdDsa => "limit server, EdDSA",
            Algorithm::Rs256 => "limit server, RS256",
        };
        let env = work.join(format!("limit-{}.env", algorithm.option()));
        let arguments = ["--algorithm".as_ref(), algorithm.option().as_ref(), "--env".as_ref(), env.as_os_str()];
        let log = work.join(format!("limit-{}.log", algorithm.option()));
        let mut process = Process::start(program, &arguments, &log)?;
        let lines = process.wait_for(name, || fs::read_to_string(&env).ok())?;
        let value = variables(&lines);
        let address = value("LIMIT_URL")?.trim_start_matches("http://").to_owned();
        let access = Access {
            project: value("LIMIT_PROJECT_ID")?,
            key: value("LIMIT_KEY_ID")?,
            secret: value("LIMIT_KEY_SECRET")?,
            token: value("LIMIT_TOKEN")?,
        };
        let limit = Self { subject: Subject { name, address, process }, access };
        limit.subject.call(&limit.access.token_request())?;
        for request in [limit.gate(), limit.verify()] {
            limit.access.try_gate(&limit.subject, &request)?;
        }
        Ok(limit)
    }

    /// The least that a gate does: it looks a token up that it has seen before.
    pub(crate) fn gate(&self) -> Request {
        self.access.gate()
    }

    /// The least that a gate does for a token that it has never seen.
    pub(crate) fn verify(&self) -> Request {
        Request { path: "/verify".to_owned(), ..self.access.gate() }
    }

    /// A token that it does not know.
    pub(crate) fn denied(&self) -> Request {
        forwarded("Bearer another".to_owned(), "/".to_owned())
    }
}
