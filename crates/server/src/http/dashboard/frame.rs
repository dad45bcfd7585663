//! What stands around a page: menus, the account and project on top, looks, and what was just done.

use tollgate_core::Right;

use super::failure::Failure;
use super::who::Me;
use super::{sms, statics};
use crate::http::Web;
use crate::operations::{Account, Page, Project};

/// The most entries of the menus of accounts and projects; all of them stand on their own pages.
const MENU: usize = 30;

/// Which page of the menu is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Here {
    Overview,
    ProjectSms,
    ProjectUsage,
    ProjectSettings,
    ProjectKeys,
    AccountKeys,
    Projects,
    Members,
    Usage,
    Audit,
    RequestId,
    AccountSettings,
    Mine,
    OperatorAccounts,
    OperatorSigningKeys,
    OperatorProducts,
    OperatorNode,
    Elsewhere,
}

/// A thing to choose.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether the person may see access keys there. Who may not is led to the usage.
    pub(crate) sees_keys: bool,
}

/// A group of the left menu.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) entries: Vec<Entry>,
}

/// An entry of the left menu.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) href: String,
    pub(crate) here: bool,
    pub(crate) below: bool,
}

/// What stands around a page of somebody who is signed in.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) base: String,
    pub(crate) version: &'static str,
    pub(crate) theme: &'static str,
    pub(crate) local_times: bool,
    pub(crate) email: String,
    pub(crate) operator: bool,
    pub(crate) account: Option<Choice>,
    pub(crate) accounts: Vec<Choice>,
    pub(crate) project: Option<Choice>,
    pub(crate) projects: Vec<Choice>,
    pub(crate) menu: Vec<Group>,
    pub(crate) suspended: bool,
    pub(crate) done: &'static str,
}

impl Frame {
    /// The frame of a page in an account.
    pub(crate) async fn in_account(web: &Web, me: &Me, account: &Account, here: Here) -> Result<Self, Failure> {
        Self::new(web, me, Some(account), None, here).await
    }

    /// The frame of a page in a project.
    pub(crate) async fn in_project(
        web: &Web,
        me: &Me,
        account: &Account,
        project: &Project,
        here: Here,
    ) -> Result<Self, Failure> {
        Self::new(web, me, Some(account), Some(project), here).await
    }

    /// The frame of a page that belongs to the person, not to an account; the person's first account stays at hand.
    pub(crate) async fn personal(web: &Web, me: &Me, here: Here) -> Result<Self, Failure> {
        let account = me.signed_in.person.seats.first().map(|seat| seat.account.clone());
        Self::new(web, me, account.as_ref(), None, here).await
    }

    async fn new(
        web: &Web,
        me: &Me,
        account: Option<&Account>,
        project: Option<&Project>,
        here: Here,
    ) -> Result<Self, Failure> {
        let person = &me.signed_in.person;
        let projects = match account {
            Some(account) if person.may(account, Right::SeeProjects) => {
                let page = Page { size: Some(MENU as i64), token: String::new() };
                web.app.projects(account.id, false, &page).await?.0
            }
            _ => Vec::new(),
        };
        let sees_keys = account.is_some_and(|account| person.may(account, Right::SeeKeys));
        let choice =
            |project: &Project| Choice { id: project.id.to_string(), name: project.display_name.clone(), sees_keys };
        let account_choice = |account: &Account| Choice {
            id: account.id.to_string(),
            name: account.display_name.clone(),
            sees_keys: person.may(account, Right::SeeKeys),
        };
        let mut frame = Self {
            base: me.base().to_owned(),
            version: statics::version(),
            theme: me.visitor.look.theme,
            local_times: me.visitor.look.local_times,
            email: person.user.email.clone(),
            operator: person.user.operator,
            account: account.map(account_choice),
            accounts: person.seats.iter().take(MENU).map(|seat| account_choice(&seat.account)).collect(),
            project: project.or(projects.first()).map(choice),
            projects: projects.iter().map(choice).collect(),
            menu: Vec::new(),
            suspended: account.is_some_and(|account| account.suspended_at.is_some()),
            done: done(me.visitor.query("done")),
        };
        frame.menu = frame.menu_of(me, account, sms::is_offered(&web.app.config), here);
        Ok(frame)
    }

    fn menu_of(&self, me: &Me, account: Option<&Account>, offers_sms: bool, here: Here) -> Vec<Group> {
        let mut groups = Vec::new();
        let may = |right| account.is_some_and(|account| me.signed_in.person.may(account, right));
        let base = &self.base;
        let entry = |is: Here, name, href: String, below| Entry { name, href, here: is == here, below };
        if let (Some(account), Some(project)) = (&self.account, &self.project) {
            let at = format!("{base}/projects/{}", project.id);
            let mut entries = vec![entry(Here::Overview, "Overview", at.clone(), false)];
            if offers_sms && may(Right::SeeKeys) {
                entries.push(entry(Here::ProjectSms, "SMS", format!("{at}/sms"), false));
            }
            entries.extend([
                entry(Here::ProjectUsage, "Usage", format!("{at}/usage"), false),
                entry(Here::ProjectSettings, "Settings", format!("{at}/settings"), false),
            ]);
            if may(Right::SeeKeys) {
                let href = format!("{base}/accounts/{}/keys?project={}", account.id, project.id);
                entries.push(entry(Here::ProjectKeys, "Access keys", href, true));
            }
            groups.push(Group { title: "Project", entries });
        }
        if let Some(account) = &self.account {
            let at = format!("{base}/accounts/{}", account.id);
            let all = [
                (Right::SeeKeys, Here::AccountKeys, "Access keys", "keys"),
                (Right::SeeProjects, Here::Projects, "Projects", "projects"),
                (Right::SeeMembers, Here::Members, "Members", "members"),
                (Right::SeeUsage, Here::Usage, "Usage & billing", "usage"),
                (Right::SeeAudit, Here::Audit, "Audit log", "audit"),
                (Right::SeeDenials, Here::RequestId, "Request id", "requests"),
                (Right::SeeProjects, Here::AccountSettings, "Account settings", "settings"),
            ];
            let shown = all.into_iter().filter(|(right, ..)| may(*right));
            let entries = shown.map(|(_, is, name, path)| entry(is, name, format!("{at}/{path}"), false));
            groups.push(Group { title: "Account", entries: entries.collect() });
        }
        if self.operator {
            let all = [
                (Here::OperatorAccounts, "Accounts", "accounts"),
                (Here::OperatorSigningKeys, "Signing keys", "signing-keys"),
                (Here::OperatorProducts, "Products", "products"),
                (Here::OperatorNode, "Node", "node"),
            ];
            let entries =
                all.into_iter().map(|(is, name, path)| entry(is, name, format!("{base}/operator/{path}"), false));
            groups.push(Group { title: "Operator", entries: entries.collect() });
        }
        groups
    }
}

/// What was just done, by the word that the redirect carries. Nothing else is ever shown from there.
pub(crate) fn done(word: &str) -> &'static str {
    match word {
        "key-created" => "The access key is ready.",
        "key-renamed" => "The access key has its new name.",
        "key-changed" => "The access key was changed.",
        "key-disabled" => "The access key is disabled: it is refused from now on.",
        "key-enabled" => "The access key is enabled.",
        "key-deleted" => "The access key is deleted.",
        "overlap-ended" => "The old secret is refused from now on.",
        "tokens-revoked" => "All tokens of the access key are revoked.",
        "plan-created" => "The service plan is ready.",
        "plan-renamed" => "The service plan has its new name.",
        "plan-deleted" => "The service plan is deleted: its API tokens are refused from now on.",
        "api-token-created" => "The API token is ready.",
        "api-token-revoked" => "The API token is refused from now on.",
        "project-created" => "The project is ready.",
        "project-renamed" => "The project has its new name.",
        "project-archived" => "The project is archived: its keys are refused from now on.",
        "account-renamed" => "The account has its new name.",
        "member-removed" => "The member was removed.",
        "left" => "You have left the account.",
        "role-changed" => "The role was changed.",
        "invitation-withdrawn" => "The invitation was withdrawn: its link is dead.",
        "joined" => "You are a member now.",
        "invited" => "The invitation was made, and shown or mailed once. If it was lost, invite the address again.",
        "password-set" => "Your new password is set. Sign in with it.",
        "token-created" => "The personal token was made, and shown once. If it was lost, delete it and make another.",
        "password-changed" => "Your password was changed. All other sessions have ended.",
        "factor-off" => "The second factor is off.",
        "session-ended" => "The session has ended.",
        "sessions-ended" => "All other sessions have ended.",
        "token-deleted" => "The personal token is deleted.",
        "look-changed" => "The look was changed.",
        "account-created" => "The account is ready. Its invitation was shown once; make another one under Members.",
        "account-suspended" => "The account is suspended.",
        "account-resumed" => "The account is active again.",
        "account-changed" => "The account was changed.",
        "rotated" => "The signing keys are rotating.",
        _ => "",
    }
}
