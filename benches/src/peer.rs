//! A peer that answers the same questions: oidc-provider on Node.js, in memory, with one client (`peers/oidc-provider.mjs`).

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::http::Request;
use crate::process::Process;
use crate::subject::{Access, Subject, variables};

/// The peer, which was seen to do what it will be measured at.
pub(crate) struct Peer {
    pub(crate) subject: Subject,
    access: Access,
}

impl Peer {
    /// Starts it, with the packages of its lock file.
    pub(crate) fn start(work: &Path) -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let installed = Command::new("npm").current_dir(&folder).args(["ci", "--no-audit", "--no-fund"]).output();
        let installed = installed.context("npm is missing: apt-get install nodejs npm")?;
        ensure!(installed.status.success(), "npm ci failed: {}", String::from_utf8_lossy(&installed.stderr));
        let env = work.join("peer.env");
        let arguments = [folder.join("oidc-provider.mjs"), env.clone()];
        let mut process = Process::start("node".as_ref(), &arguments, &work.join("peer.log"))?;
        let lines = process.wait_for("oidc-provider", || fs::read_to_string(&env).ok())?;
        let value = variables(&lines);
        let subject = Subject { name: "oidc-provider", address: value("PEER_ADDRESS")?, process };
        let access = Access {
            project: String::new(),
            key: value("PEER_KEY_ID")?,
            secret: value("PEER_KEY_SECRET")?,
            token: String::new(),
        };
        // Without a resource the token is opaque: others it does not introspect.
        let opaque = access.form("/token", "grant_type=client_credentials".to_owned());
        let answer = subject.call(&opaque)?.json()?;
        let token = answer["access_token"].as_str().context("oidc-provider issues no token")?.to_owned();
        let peer = Self { subject, access: Access { token, ..access } };
        let signed = peer.subject.call(&peer.token_request())?.json()?;
        ensure!(signed["access_token"].as_str().is_some_and(|token| token.starts_with("ey")), "no JWT: {signed}");
        let known = peer.subject.call(&peer.introspection())?.json()?;
        ensure!(known["active"] == true, "oidc-provider does not know its token: {known}");
        Ok(peer)
    }

    /// A new JWT, signed with ES256.
    pub(crate) fn token_request(&self) -> Request {
        self.access.form("/token", "grant_type=client_credentials&scope=demo&resource=urn:bench".to_owned())
    }

    /// Whether a token is good: what a gateway asks it about each call.
    pub(crate) fn introspection(&self) -> Request {
        self.access.form("/token/introspection", format!("token={}", self.access.token))
    }
}
