//! What the members of an account may do: one table.

use std::fmt;
use std::str::FromStr;

/// A member's role in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, also making other owners. An account always has one.
    Owner,
    /// Everything but owners.
    Admin,
    /// Projects and access keys.
    Developer,
    /// Usage and statements.
    Billing,
    /// Reads everything, changes nothing.
    Auditor,
}

/// What can be allowed or refused in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// See projects and their Project IDs.
    SeeProjects,
    /// Make, rename and archive projects.
    ManageProjects,
    /// See access keys and what they do.
    SeeKeys,
    /// Make, change, rotate, disable and delete access keys.
    ManageKeys,
    /// See usage and statements.
    SeeUsage,
    /// See who the members are.
    SeeMembers,
    /// Invite members, change their roles, remove them.
    ManageMembers,
    /// Read the audit log.
    SeeAudit,
    /// Look up why a request was denied.
    SeeDenials,
    /// Rename the account.
    ManageAccount,
}

impl Role {
    /// All roles, the most powerful first.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Developer, Self::Billing, Self::Auditor];

    /// The word in the database, in forms and in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Billing => "billing",
            Self::Auditor => "auditor",
        }
    }

    /// One sentence about what the role may.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Owner => "Everything, also making other owners",
            Self::Admin => "Everything but making owners",
            Self::Developer => "Projects and access keys, their usage and denials",
            Self::Billing => "Usage and statements",
            Self::Auditor => "Reads everything, changes nothing",
        }
    }

    /// Whether a member with this role may do that.
    pub fn may(self, right: Right) -> bool {
        let [owner, admin, developer, billing, auditor] = right.row();
        match self {
            Self::Owner => owner,
            Self::Admin => admin,
            Self::Developer => developer,
            Self::Billing => billing,
            Self::Auditor => auditor,
        }
    }
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 10] = [
        Self::SeeProjects,
        Self::ManageProjects,
        Self::SeeKeys,
        Self::ManageKeys,
        Self::SeeUsage,
        Self::SeeMembers,
        Self::ManageMembers,
        Self::SeeAudit,
        Self::SeeDenials,
        Self::ManageAccount,
    ];

    /// The table: owner, admin, developer, billing, auditor.
    fn row(self) -> [bool; 5] {
        const X: bool = true;
        const O: bool = false;
        match self {
            Self::SeeProjects => [X, X, X, X, X],
            Self::ManageProjects => [X, X, X, O, O],
            Self::SeeKeys => [X, X, X, O, X],
            Self::ManageKeys => [X, X, X, O, O],
            Self::SeeUsage => [X, X, X, X, X],
            Self::SeeMembers => [X, X, X, O, X],
            Self::ManageMembers => [X, X, O, O, O],
            Self::SeeAudit => [X, X, O, O, X],
            Self::SeeDenials => [X, X, X, O, X],
            Self::ManageAccount => [X, X, O, O, O],
        }
    }

    /// Whether it only reads. A suspended account can still be read.
    pub fn only_reads(self) -> bool {
        match self {
            Self::SeeProjects
            | Self::SeeKeys
            | Self::SeeUsage
            | Self::SeeMembers
            | Self::SeeAudit
            | Self::SeeDenials => true,
            Self::ManageProjects | Self::ManageKeys | Self::ManageMembers | Self::ManageAccount => false,
        }
    }

    /// What somebody reads whose role does not have it: the roles that do.
    pub fn refusal(self) -> &'static str {
        match self {
            Self::SeeProjects => "To see projects you must be a member of the account",
            Self::ManageProjects => "To change projects you need the role owner, admin or developer",
            Self::SeeKeys => "To see access keys you need the role owner, admin, developer or auditor",
            Self::ManageKeys => "To change access keys you need the role owner, admin or developer",
            Self::SeeUsage => "To see usage you must be a member of the account",
            Self::SeeMembers => "To see members you need the role owner, admin, developer or auditor",
            Self::ManageMembers => "To change members you need the role owner or admin",
            Self::SeeAudit => "To read the audit log you need the role owner, admin or auditor",
            Self::SeeDenials => "To look up denied requests you need the role owner, admin, developer or auditor",
            Self::ManageAccount => "To change the account you need the role owner or admin",
        }
    }

    /// What a refusal says is needed.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::SeeProjects => "see projects",
            Self::ManageProjects => "change projects",
            Self::SeeKeys => "see access keys",
            Self::ManageKeys => "change access keys",
            Self::SeeUsage => "see usage",
            Self::SeeMembers => "see members",
            Self::ManageMembers => "change members",
            Self::SeeAudit => "read the audit log",
            Self::SeeDenials => "look up denied requests",
            Self::ManageAccount => "change the account",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// The word is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be owner, admin, developer, billing or auditor")]
pub struct BadRole;

impl FromStr for Role {
    type Err = BadRole;
    fn from_str(text: &str) -> Result<Self, BadRole> {
        Self::ALL.into_iter().find(|role| role.word() == text).ok_or(BadRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_may_everything_and_an_auditor_changes_nothing() {
        for right in Right::ALL {
            assert!(Role::Owner.may(right), "{right:?}");
            assert_eq!(Role::Auditor.may(right), right.only_reads(), "{right:?}");
        }
    }

    #[test]
    fn a_refusal_names_exactly_the_roles_that_may() {
        for right in Right::ALL {
            let text = right.refusal();
            assert!(text.starts_with(&format!("To {} you ", right.purpose())), "{text}");
            let all = Role::ALL.into_iter().all(|role| role.may(right));
            for role in Role::ALL {
                let named = text.split([' ', ',']).any(|word| word == role.word());
                assert_eq!(named, role.may(right) && !all, "{text}: {role}");
            }
        }
    }

    #[test]
    fn every_role_reads_back_and_sees_its_usage() {
        for role in Role::ALL {
            assert_eq!((role.word().parse(), role.to_string().parse()), (Ok(role), Ok(role)));
            assert!(role.may(Right::SeeUsage));
        }
        assert_eq!("root".parse::<Role>(), Err(BadRole));
    }
}
