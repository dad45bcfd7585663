//! Actions as people read them. The code of an action never changes; its words may.

/// What stands before the dot of an action, for the filter.
pub(crate) const GROUPS: &[(&str, &str)] = &[
    ("accessKey", "Access keys"),
    ("project", "Projects"),
    ("subproject", "Subprojects"),
    ("member", "Members"),
    ("invitation", "Invitations"),
    ("user", "People"),
    ("account", "Account"),
    ("servicePlan", "Service plans"),
    ("apiToken", "API tokens"),
];

/// What an action did; empty for one that has no words yet, which is shown by its code alone.
pub(crate) fn words(action: &str) -> &'static str {
    match action {
        "accessKey.create" => "Made an access key",
        "accessKey.update" => "Changed an access key",
        "accessKey.rotateSecret" => "Rotated a secret",
        "accessKey.endOverlap" => "Ended the old secret",
        "accessKey.revokeTokens" => "Revoked all tokens of a key",
        "accessKey.disable" => "Disabled an access key",
        "accessKey.enable" => "Enabled an access key",
        "accessKey.delete" => "Deleted an access key",
        "project.create" => "Made a project",
        "project.update" => "Changed a project",
        "project.archive" => "Archived a project",
        "subproject.create" => "Made a subproject",
        "subproject.update" => "Changed a subproject",
        "subproject.delete" => "Deleted a subproject",
        "account.create" => "Made the account",
        "account.update" => "Changed the account",
        "account.suspend" => "Suspended the account",
        "account.resume" => "Resumed the account",
        "user.create" => "Made a person",
        "member.join" => "Accepted an invitation",
        "member.changeRole" => "Changed a role",
        "member.remove" => "Removed a member",
        "member.leave" => "Left the account",
        "invitation.create" => "Invited somebody",
        "invitation.withdraw" => "Withdrew an invitation",
        "resetLink.create" => "Made a reset link",
        "servicePlan.create" => "Made a service plan",
        "servicePlan.delete" => "Deleted a service plan",
        "apiToken.create" => "Made an API token",
        "apiToken.rotate" => "Rotated an API token",
        "apiToken.revoke" => "Revoked an API token",
        _ => "",
    }
}
