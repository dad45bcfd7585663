//! Who may do what: each type here is an authorization that a handler must hold, and only its extractor makes one. What a
//! person needs for it, the handler names as a right.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::net::IpAddr;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use tollgate_core::gate::{Denial, ErrorShape};
use tollgate_core::id::SecretId;
use tollgate_core::{AccountId, KeyId, PlanId, ProjectId, Right, UserId};

use crate::http::extract::{authorization, client_of, invalid};
use crate::http::problem::Problem;
use crate::http::rights::{Needs, SeeDenials};
use crate::http::{Origin, Web, error};
use crate::operations::{
    Account, Actor, Caller, DenialRow, Doing, KeyCaller, ManageError, MemberPower, Person, Project,
};

const ONLY_OPERATOR: &str =
    "Only the operator may do this, over the socket in the data directory (tollgate --data DIR)";

/// The operator at the socket, or a person by a token of its own: whoever is no access key.
pub(crate) struct Human {
    /// Nobody in particular at the socket.
    pub(crate) person: Option<Box<Person>>,
    actor: Actor,
    address: Option<IpAddr>,
}

impl Human {
    pub(crate) fn doing(&self) -> Doing<'_> {
        Doing { address: self.address, ..Doing::by(&self.actor) }
    }

    pub(crate) fn is_operator(&self) -> bool {
        self.person.as_ref().is_none_or(|person| person.user.operator)
    }

    /// Refuses unless it may do that in the account.
    fn require(&self, account: &Account, right: Right) -> Result<(), ManageError> {
        self.person.as_ref().map_or(Ok(()), |person| person.require(account, right))
    }

    /// A project with its account; out of a person's reach it is the same as one that does not exist.
    async fn project(&self, web: &Web, id: ProjectId, right: Right) -> Result<Project, Problem> {
        let Some(person) = &self.person else { return Ok(web.app.project(id).await?) };
        let (account, project) = web.app.project_of(person, id).await?;
        self.require(&account, right)?;
        Ok(project)
    }
}

impl FromRequestParts<Web> for Human {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        match who(parts, web).await? {
            Who::Human(human) => Ok(human),
            Who::Key(_) => Err(ManageError::Forbidden(
                "An access key may not do this: the operator may, or a person with a personal token (tollgate login)",
            )
            .into()),
        }
    }
}

/// The operator: at the socket, or a person with that right.
pub(crate) struct Operator(Human);

impl Operator {
    pub(crate) fn doing(&self) -> Doing<'_> {
        self.0.doing()
    }
}

impl FromRequestParts<Web> for Operator {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let refused = || ManageError::Forbidden(ONLY_OPERATOR).into();
        match who(parts, web).await? {
            Who::Human(human) if human.is_operator() => Ok(Self(human)),
            Who::Human(_) | Who::Key(_) => Err(refused()),
        }
    }
}

/// An account in the path, in the hands of the operator, or of a person who has the right that is named.
pub(crate) struct InAccount<R> {
    pub(crate) account: Account,
    pub(crate) human: Human,
    right: PhantomData<R>,
}

impl<R> InAccount<R> {
    pub(crate) fn doing(&self) -> Doing<'_> {
        self.human.doing()
    }

    /// Which members may be changed.
    pub(crate) fn member_power(&self) -> Result<MemberPower, ManageError> {
        self.human.person.as_ref().map_or(Ok(MemberPower::All), |person| person.member_power(&self.account))
    }
}

impl<R: Needs> FromRequestParts<Web> for InAccount<R> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let human = Human::from_request_parts(parts, web).await?;
        let PathAccount(id) = PathAccount::from_request_parts(parts, web).await?;
        let account = match &human.person {
            None => web.app.account(id).await?,
            Some(person) => web.app.account_of(person, id).await?,
        };
        human.require(&account, R::RIGHT)?;
        Ok(Self { account, human, right: PhantomData })
    }
}

/// A project in the path, in the hands of the operator, or of a person who has the right that is named. Not of access keys.
pub(crate) struct InProject<R> {
    pub(crate) project: Project,
    human: Human,
    right: PhantomData<R>,
}

impl<R> InProject<R> {
    pub(crate) fn doing(&self) -> Doing<'_> {
        self.human.doing()
    }
}

impl<R: Needs> FromRequestParts<Web> for InProject<R> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let human = Human::from_request_parts(parts, web).await?;
        let id = path_project(parts, "project", "projectId").await?;
        let project = human.project(web, id, R::RIGHT).await?;
        Ok(Self { project, human, right: PhantomData })
    }
}

/// A project in the path that the caller manages: any for the operator, for a person those of its accounts where it has the
/// right that is named, for a key its own and the subprojects below.
pub(crate) struct ManagedProject<R> {
    pub(crate) project: Project,
    actor: Actor,
    address: Option<IpAddr>,
    right: PhantomData<R>,
}

impl<R> ManagedProject<R> {
    pub(crate) fn doing(&self) -> Doing<'_> {
        Doing { address: self.address, ..Doing::by(&self.actor) }
    }
}

impl<R: Needs> FromRequestParts<Web> for ManagedProject<R> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let who = who(parts, web).await?;
        let id = path_project(parts, "project", "projectId").await?;
        let (project, actor, address) = match who {
            Who::Human(human) => (human.project(web, id, R::RIGHT).await?, human.actor, human.address),
            Who::Key(caller) => {
                let own = caller.project;
                let reaches = |project: &Project| project.id == own || project.parent == Some(own);
                let project = reached(web, &caller, id, R::RIGHT, reaches).await?;
                (project, Actor::Key { id: caller.key, scopes: caller.scopes }, caller.address)
            }
        };
        Ok(Self { project, actor, address, right: PhantomData })
    }
}

/// A subproject in the path that the caller manages: as [`ManagedProject`], for a key those below its own project.
pub(crate) struct ManagedSubproject<R> {
    pub(crate) id: ProjectId,
    actor: Actor,
    address: Option<IpAddr>,
    right: PhantomData<R>,
}

impl<R> ManagedSubproject<R> {
    pub(crate) fn doing(&self) -> Doing<'_> {
        Doing { address: self.address, ..Doing::by(&self.actor) }
    }
}

impl<R: Needs> FromRequestParts<Web> for ManagedSubproject<R> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let who = who(parts, web).await?;
        let id = path_project(parts, "subproject", "subprojectId").await?;
        let (actor, address) = match who {
            Who::Human(human) => {
                if let Some(person) = &human.person {
                    // A project that is no subproject is not found here either, whoever may see it.
                    let project = web.app.subproject(id).await?;
                    let account = web.app.account_of(person, project.account).await;
                    let account = account.map_err(|error| named(error, "subproject"))?;
                    human.require(&account, R::RIGHT)?;
                }
                (human.actor, human.address)
            }
            Who::Key(caller) => {
                let own = caller.project;
                reached(web, &caller, id, R::RIGHT, |project| project.parent == Some(own)).await?;
                (Actor::Key { id: caller.key, scopes: caller.scopes }, caller.address)
            }
        };
        Ok(Self { id, actor, address, right: PhantomData })
    }
}

/// A denial in the path: any for the operator, for a person those of its accounts where it may see denials.
pub(crate) struct SeenDenial(pub(crate) DenialRow);

impl FromRequestParts<Web> for SeenDenial {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let human = Human::from_request_parts(parts, web).await?;
        let request = parameter(parts, "request").await?;
        let request: tollgate_core::RequestId = request.parse().map_err(|_| invalid("requestId", "is not a UUID"))?;
        let denial = web.app.denial(&request.to_string()).await?;
        if let Some(person) = human.person.as_ref().filter(|person| !person.user.operator) {
            // What no key was known for belongs to no account.
            let account = denial.account.parse().map_err(|_| ManageError::NotFound("denial"))?;
            let account = web.app.account_of(person, account).await.map_err(|error| named(error, "denial"))?;
            human.require(&account, SeeDenials::RIGHT)?;
        }
        Ok(Self(denial))
    }
}

enum Who {
    Human(Human),
    Key(KeyCaller),
}

async fn who(parts: &Parts, web: &Web) -> Result<Who, Problem> {
    let origin = parts.extensions.get::<Origin>().copied();
    match origin {
        Some(Origin::Operator) => Ok(Who::Human(Human { person: None, actor: Actor::Operator, address: None })),
        Some(origin @ Origin::Public(_)) => {
            let client = client_of(web, origin, &parts.headers);
            let found =
                web.app.caller(authorization(&parts.headers), client).await.map_err(ManageError::Unavailable)?;
            match found.map_err(|denial| error::denied(&denial, ErrorShape::Google))? {
                Caller::Key(key) => Ok(Who::Key(key)),
                Caller::Person(person) => {
                    let actor = Actor::Person(person.user.id);
                    Ok(Who::Human(Human { person: Some(person), actor, address: client.address }))
                }
            }
        }
        None => Err(error::outage(ErrorShape::Google)),
    }
}

/// For a key, a project that is out of reach and one that does not exist are the same. A key manages projects' keys and
/// subprojects, and nothing else.
async fn reached(
    web: &Web,
    caller: &KeyCaller,
    id: ProjectId,
    right: Right,
    reaches: impl Fn(&Project) -> bool,
) -> Result<Project, Problem> {
    let is_for_keys = matches!(right, Right::SeeProjects | Right::ManageProjects | Right::SeeKeys | Right::ManageKeys);
    let denial = Denial::WrongProject { key: caller.key, project: caller.project };
    let refused = || error::denied(&denial, ErrorShape::Google);
    match web.app.project(id).await {
        Ok(project) if is_for_keys && reaches(&project) => Ok(project),
        Ok(_) | Err(ManageError::NotFound(_)) => Err(refused()),
        Err(error) => Err(error.into()),
    }
}

/// What is not found has the name of what was asked for: nobody learns at which step.
fn named(error: ManageError, name: &'static str) -> ManageError {
    match error {
        ManageError::NotFound(_) => ManageError::NotFound(name),
        other => other,
    }
}

/// The Account ID in the path, of whatever account there is or is not.
pub(crate) struct PathAccount(pub(crate) AccountId);

impl FromRequestParts<Web> for PathAccount {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Problem> {
        let id = parameter(parts, "account").await?;
        id.parse().map(Self).map_err(|_| invalid("accountId", "is not a UUID"))
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

/// The SERVICE PLAN ID in the path.
pub(crate) struct PathPlan(pub(crate) PlanId);

impl FromRequestParts<Web> for PathPlan {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Problem> {
        let id = parameter(parts, "plan").await?;
        id.parse().map(Self).map_err(|_| invalid("servicePlanId", "is not 32 lower-case hex digits"))
    }
}

/// The API token in the path, by its id.
pub(crate) struct PathApiToken(pub(crate) SecretId);

impl FromRequestParts<Web> for PathApiToken {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Problem> {
        let id = parameter(parts, "token").await?;
        id.parse().map(Self).map_err(|_| invalid("apiTokenId", "is not a UUID"))
    }
}

/// The member in the path.
pub(crate) struct PathUser(pub(crate) UserId);

impl FromRequestParts<Web> for PathUser {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Problem> {
        let id = parameter(parts, "user").await?;
        id.parse().map(Self).map_err(|_| invalid("userId", "is not a UUID"))
    }
}

async fn path_project(parts: &mut Parts, name: &str, field: &str) -> Result<ProjectId, Problem> {
    let id = parameter(parts, name).await?;
    id.parse().map_err(|_| invalid(field, "is not a UUID"))
}

async fn parameter(parts: &mut Parts, name: &str) -> Result<String, Problem> {
    let all = Path::<HashMap<String, String>>::from_request_parts(parts, &()).await;
    let Path(mut all) = all.map_err(|_| invalid("path", "cannot be read"))?;
    Ok(all.remove(name).unwrap_or_default())
}
