//! The JSON of the management API: what callers see of each thing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tollgate_core::Timestamp;
use tollgate_core::rate::Rate;
use utoipa::ToSchema;

use crate::operations::{Account, Event, KeyView, Project};

/// An access key. Its secret is not in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessKey {
    /// The KEY ID.
    access_key_id: String,
    display_name: String,
    project_id: String,
    create_time: String,
    update_time: String,
    scopes: Vec<String>,
    /// ACTIVE, ROTATING (two live secrets), DISABLED, or ENDED (its expireTime has come).
    status: &'static str,
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_time: Option<String>,
    /// Networks from which it may be used; empty means all.
    allowed_addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_rate: Option<TokenRate>,
    /// `operator`, `user:ID` or `key:KEY ID`.
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_use_time: Option<String>,
    secrets: Vec<SecretInfo>,
}

/// A limit of token requests. A rate of 0 switches it off.
#[derive(Serialize, Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TokenRate {
    /// So many at once.
    burst: u32,
    /// So many a second after that.
    per_second: u32,
}

impl From<TokenRate> for Rate {
    fn from(rate: TokenRate) -> Self {
        Self { burst: rate.burst, per_second: rate.per_second }
    }
}

/// What may be shown of a secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretInfo {
    secret_id: String,
    /// Its first characters.
    hint: String,
    create_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_use_time: Option<String>,
}

/// The answer to a create or a rotation: the only one that ever holds the secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessKeyWithSecret {
    pub(crate) access_key: AccessKey,
    /// The KEY SECRET.
    pub(crate) secret: String,
}

/// A page of access keys.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessKeyList {
    pub(crate) access_keys: Vec<AccessKey>,
    /// Empty on the last page.
    pub(crate) next_page_token: String,
}

impl AccessKey {
    pub(crate) fn new(view: KeyView, now: Timestamp) -> Self {
        let KeyView { key, secrets, activity } = view;
        let ended = key.expires_at.is_some_and(|end| end <= now);
        let status = match (key.disabled_at.is_some(), ended, secrets.len()) {
            (true, _, _) => "DISABLED",
            (false, true, _) => "ENDED",
            (false, false, 2..) => "ROTATING",
            (false, false, _) => "ACTIVE",
        };
        let last_use = |id: &str| activity.iter().find(|used| used.id == id).map(|used| used.used_at.to_string());
        let secrets = secrets.iter().map(|secret| SecretInfo {
            secret_id: secret.id.to_string(),
            hint: secret.hint.clone(),
            create_time: secret.created_at.to_string(),
            end_time: secret.ends_at.map(|end| end.to_string()),
            last_use_time: last_use(&secret.id.to_string()),
        });
        Self {
            access_key_id: key.id.to_string(),
            display_name: key.display_name,
            project_id: key.project.to_string(),
            create_time: key.created_at.to_string(),
            update_time: key.updated_at.to_string(),
            scopes: key.scopes.iter().map(ToOwned::to_owned).collect(),
            status,
            disabled: key.disabled_at.is_some(),
            expire_time: key.expires_at.map(|end| end.to_string()),
            allowed_addresses: key.addresses.iter().map(ToString::to_string).collect(),
            token_rate: key.token_rate.map(|rate| TokenRate { burst: rate.burst, per_second: rate.per_second }),
            created_by: key.created_by,
            last_use_time: activity.first().map(|used| used.used_at.to_string()),
            secrets: secrets.collect(),
        }
    }
}

/// A customer organisation, which pays.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountView {
    account_id: String,
    display_name: String,
    /// How many access keys each of its projects may have.
    key_limit: i64,
    suspended: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspend_time: Option<String>,
    create_time: String,
    update_time: String,
    /// The owner's way in, which works once within seven days. Only in the answer to a create with an ownerEmail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invitation_url: Option<String>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            account_id: account.id.to_string(),
            display_name: account.display_name,
            key_limit: account.key_limit,
            suspended: account.suspended_at.is_some(),
            suspend_time: account.suspended_at.map(|at| at.to_string()),
            create_time: account.created_at.to_string(),
            update_time: account.updated_at.to_string(),
            invitation_url: None,
        }
    }
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountList {
    pub(crate) accounts: Vec<AccountView>,
    /// Empty on the last page.
    pub(crate) next_page_token: String,
}

/// A project of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectView {
    /// The Project ID.
    project_id: String,
    display_name: String,
    account_id: String,
    labels: BTreeMap<String, String>,
    archived: bool,
    /// How many access keys it has.
    access_keys: i64,
    create_time: String,
    update_time: String,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            project_id: project.id.to_string(),
            display_name: project.display_name,
            account_id: project.account.to_string(),
            labels: project.labels,
            archived: project.archived_at.is_some(),
            access_keys: project.live_keys,
            create_time: project.created_at.to_string(),
            update_time: project.updated_at.to_string(),
        }
    }
}

/// A page of projects.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectList {
    pub(crate) projects: Vec<ProjectView>,
    /// Empty on the last page.
    pub(crate) next_page_token: String,
}

/// A leaf below a project: measured separately, paid by the same account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubprojectView {
    subproject_id: String,
    display_name: String,
    parent_project_id: String,
    labels: BTreeMap<String, String>,
    create_time: String,
    update_time: String,
    deleted: bool,
}

impl From<Project> for SubprojectView {
    fn from(project: Project) -> Self {
        Self {
            subproject_id: project.id.to_string(),
            display_name: project.display_name,
            parent_project_id: project.parent.map(|id| id.to_string()).unwrap_or_default(),
            labels: project.labels,
            create_time: project.created_at.to_string(),
            update_time: project.updated_at.to_string(),
            deleted: project.archived_at.is_some(),
        }
    }
}

/// A page of subprojects.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubprojectList {
    pub(crate) subprojects: Vec<SubprojectView>,
    /// Empty on the last page.
    pub(crate) next_page_token: String,
}

/// One change, as the audit trail has it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEvent {
    event_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
    time: String,
    /// `operator`, `user:ID` or `key:KEY ID`.
    actor: String,
    action: String,
    target: String,
    #[schema(value_type = Object)]
    details: serde_json::Value,
    /// From which address, where there was one.
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
}

impl From<Event> for AuditEvent {
    fn from(event: Event) -> Self {
        Self {
            event_id: event.id.to_string(),
            account_id: event.account.map(|id| id.to_string()),
            project_id: event.project.map(|id| id.to_string()),
            time: event.at.to_string(),
            actor: event.actor,
            action: event.action,
            target: event.target,
            details: serde_json::from_str(&event.details).unwrap_or_default(),
            address: event.address,
        }
    }
}

/// A page of audit events, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEventList {
    pub(crate) audit_events: Vec<AuditEvent>,
    /// Empty on the last page.
    pub(crate) next_page_token: String,
}

/// The google.rpc error envelope.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorEnvelope {
    error: ErrorStatus,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorStatus {
    /// The HTTP status.
    code: u16,
    message: String,
    /// The google.rpc code, for example NOT_FOUND.
    status: String,
    /// The request id and, where there is more to say, fields and resources.
    #[schema(value_type = Vec<Object>)]
    details: Vec<serde_json::Value>,
}
