//! What each reason of a denial means, and what its caller does about it.

/// For one reason.
pub(crate) struct Advice {
    /// What it means.
    pub(crate) meaning: &'static str,
    /// What to do.
    pub(crate) action: &'static str,
}

/// By the reason's code. An unknown one is a newer program's: what the caller was told still stands beside it.
pub(crate) fn advice(reason: &str) -> Advice {
    let (meaning, action) = match reason {
        "ambiguous_path" => (
            "The path could be read in two ways, for example by an encoded slash or a dot segment.",
            "Send the plain path: no encoded slashes, no . or .. between them, no empty segments.",
        ),
        "no_route" => (
            "No API of this platform has this path.",
            "Compare host, version and path with the API's documentation; a Project ID or SERVICE PLAN ID may be missing.",
        ),
        "no_credential" => (
            "The call carried no credential.",
            "Send the header Authorization: Bearer with an access token from /oauth2/token.",
        ),
        "two_credentials" => (
            "The call carried more than one credential.",
            "Send one Authorization header, and no credential in the URL.",
        ),
        "malformed_credential" => (
            "The Authorization header cannot be read.",
            "Write it as Bearer, one blank, and the token; or as Basic and the Base64 of KEY ID:KEY SECRET.",
        ),
        "wrong_kind" => (
            "The credential is of a kind that this route does not take.",
            "Send what the route accepts. A KEY SECRET is never a bearer token: exchange KEY ID and KEY SECRET for an \
             access token first.",
        ),
        "unknown_credential" => (
            "The credential is forged, deleted, from another platform, or its secret is wrong.",
            "Compare KEY ID and KEY SECRET, or SERVICE PLAN ID and API token, with what was stored, and mind blanks and \
             line ends around them. If the secret is lost, rotate it.",
        ),
        "token_expired" => (
            "The access token was genuine, and has ended.",
            "Get a new token a minute before the old one ends, and try the call again with it.",
        ),
        "token_revoked" => (
            "The access token was revoked: alone, or with all tokens of its key.",
            "Get a new token. If nobody here revoked it, look into the audit log.",
        ),
        "key_disabled" => (
            "The access key is disabled.",
            "Enable it on its page, or use another key. Who disabled it stands in the audit log.",
        ),
        "key_ended" => (
            "The access key is deleted or has expired.",
            "Make a new key, and give it to the program that made this call.",
        ),
        "project_archived" => {
            ("The project of the credential is archived.", "Use a credential of another project, and its Project ID.")
        }
        "account_suspended" => ("The account is suspended.", "Contact the operator of this platform."),
        "wrong_audience" => (
            "The access token was made for another API.",
            "Ask for the token without resource, or with the resource of this API.",
        ),
        "wrong_project" => (
            "The path names a project that the access key does not reach.",
            "Put the Project ID of the key's own project into the path, or use a key of the project that is named.",
        ),
        "no_plan_in_path" => (
            "An API token of a service plan came, and the path has something else in the place of its SERVICE PLAN ID.",
            "Put the SERVICE PLAN ID into the path. With a Project ID there, send an access token instead.",
        ),
        "plan_in_path" => (
            "The path names a service plan, and the credential of an access key came.",
            "Put the Project ID of the access key into the path; or, for SMS, send the API token of the service plan.",
        ),
        "wrong_scope" => (
            "The credential does not hold the scope of this API.",
            "Give the access key the scope, then get a new token; or leave scope out when asking for the token.",
        ),
        "wrong_address" => (
            "The access key may be used from certain networks only, and the call came from another.",
            "Call from an allowed address, or add the network to the key's addresses.",
        ),
        "too_many" => (
            "The limit of this credential was used up.",
            "Wait as long as Retry-After says. Keep an access token until it ends instead of asking for one per call.",
        ),
        _ => ("", "Read what the caller was told, and contact the operator with the request id."),
    };
    Advice { meaning, action }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_core::credential::Inactive;
    use tollgate_core::gate::{CredentialKind, Denial};

    #[test]
    fn every_reason_is_explained() {
        let inactive =
            [Inactive::KeyDisabled, Inactive::KeyEnded, Inactive::ProjectArchived, Inactive::AccountSuspended];
        let plain = [
            Denial::AmbiguousPath,
            Denial::NoRoute,
            Denial::NoCredential,
            Denial::TwoCredentials,
            Denial::Malformed,
            Denial::NoPlanInPath { is_project: true },
            Denial::WrongKind { came: CredentialKind::Basic, wants: "" },
            Denial::Unknown(CredentialKind::Token),
            Denial::Expired(0),
            Denial::Revoked,
            Denial::WrongAudience,
            Denial::WrongScope("x".into()),
            Denial::WrongAddress,
            Denial::TooMany(1),
        ];
        for denial in inactive.into_iter().map(Denial::Inactive).chain(plain) {
            assert!(!advice(denial.code()).meaning.is_empty(), "{}", denial.code());
        }
        assert!(["wrong_project", "plan_in_path"].into_iter().all(|code| !advice(code).meaning.is_empty()));
    }
}
