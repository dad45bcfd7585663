//! Who may do what: each type here is an authorization that a handler must hold, and only its extractor makes one.

use std::collections::HashMap;
use std::net::IpAddr;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use tollgate_core::gate::{Denial, ErrorShape};
use tollgate_core::{AccountId, KeyId, ProjectId};

use crate::http::extract::{authorization, client_of, invalid};
use crate::http::problem::Problem;
use crate::http::{Origin, Web, error};
use crate::operations::{Actor, Caller, Doing, ManageError, Project};

/// The operator, over the Unix socket.
pub(crate) struct Operator;

impl Operator {
    pub(crate) const ACTOR: Actor = Actor::Operator;
}

impl FromRequestParts<Web> for Operator {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        match who(parts, web).await? {
            Who::Operator => Ok(Self),
            Who::Key(_) => Err(ManageError::Forbidden(
                "Only the operator may do this, over the socket in the data directory (tollgate --data DIR)",
            )
            .into()),
        }
    }
}

/// An account in the path, in the operator's hands.
pub(crate) struct OperatedAccount(pub(crate) AccountId);

impl FromRequestParts<Web> for OperatedAccount {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        Operator::from_request_parts(parts, web).await?;
        let id = parameter(parts, "account").await?;
        id.parse().map(Self).map_err(|_| invalid("accountId", "is not a UUID"))
    }
}

/// A project in the path that the caller manages: any for the operator, for a key its own and the subprojects below.
pub(crate) struct ManagedProject {
    pub(crate) project: Project,
    actor: Actor,
    address: Option<IpAddr>,
}

impl ManagedProject {
    pub(crate) fn doing(&self) -> Doing<'_> {
        Doing { address: self.address, ..Doing::by(&self.actor) }
    }
}

impl FromRequestParts<Web> for ManagedProject {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let who = who(parts, web).await?;
        let id: Result<ProjectId, _> = parameter(parts, "project").await?.parse();
        let id = id.map_err(|_| invalid("projectId", "is not a UUID"))?;
        match who {
            Who::Operator => Ok(Self { project: web.app.project(id).await?, actor: Actor::Operator, address: None }),
            Who::Key(caller) => {
                let own = caller.project;
                let project =
                    reached(web, &caller, id, |project| project.id == own || project.parent == Some(own)).await?;
                let actor = Actor::Key { id: caller.key, scopes: caller.scopes };
                Ok(Self { project, actor, address: caller.address })
            }
        }
    }
}

/// A subproject in the path that the caller manages: any for the operator, for a key those below its own project.
pub(crate) struct ManagedSubproject {
    pub(crate) id: ProjectId,
    actor: Actor,
    address: Option<IpAddr>,
}

impl ManagedSubproject {
    pub(crate) fn doing(&self) -> Doing<'_> {
        Doing { address: self.address, ..Doing::by(&self.actor) }
    }
}

impl FromRequestParts<Web> for ManagedSubproject {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let who = who(parts, web).await?;
        let id: Result<ProjectId, _> = parameter(parts, "subproject").await?.parse();
        let id = id.map_err(|_| invalid("subprojectId", "is not a UUID"))?;
        match who {
            Who::Operator => Ok(Self { id, actor: Actor::Operator, address: None }),
            Who::Key(caller) => {
                let own = caller.project;
                reached(web, &caller, id, |project| project.parent == Some(own)).await?;
                let actor = Actor::Key { id: caller.key, scopes: caller.scopes };
                Ok(Self { id, actor, address: caller.address })
            }
        }
    }
}

enum Who {
    Operator,
    Key(Caller),
}

async fn who(parts: &Parts, web: &Web) -> Result<Who, Problem> {
    let origin = parts.extensions.get::<Origin>().copied();
    match origin {
        Some(Origin::Operator) => Ok(Who::Operator),
        Some(origin @ Origin::Public(_)) => {
            let client = client_of(web, origin, &parts.headers);
            let found =
                web.app.caller(authorization(&parts.headers), client).await.map_err(ManageError::Unavailable)?;
            found.map(Who::Key).map_err(|denial| error::denied(&denial, ErrorShape::Google))
        }
        None => Err(error::outage(ErrorShape::Google)),
    }
}

/// For a key, a project that is out of reach and one that does not exist are the same.
async fn reached(
    web: &Web,
    caller: &Caller,
    id: ProjectId,
    reaches: impl Fn(&Project) -> bool,
) -> Result<Project, Problem> {
    let denial = Denial::WrongProject { key: caller.key, project: caller.project };
    let refused = || error::denied(&denial, ErrorShape::Google);
    match web.app.project(id).await {
        Ok(project) if reaches(&project) => Ok(project),
        Ok(_) | Err(ManageError::NotFound(_)) => Err(refused()),
        Err(error) => Err(error.into()),
    }
}

/// The KEY ID in the path.
pub(crate) struct PathKey(pub(crate) KeyId);

impl FromRequestParts<Web> for PathKey {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Problem> {
        let id = parameter(parts, "key").await?;
        id.parse().map(Self).map_err(|_| invalid("accessKeyId", "is not a UUID"))
    }
}

async fn parameter(parts: &mut Parts, name: &str) -> Result<String, Problem> {
    let all = Path::<HashMap<String, String>>::from_request_parts(parts, &()).await;
    let Path(mut all) = all.map_err(|_| invalid("path", "cannot be read"))?;
    Ok(all.remove(name).unwrap_or_default())
}
