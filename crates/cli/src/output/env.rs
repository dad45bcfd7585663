//! Lines for the environment of a client: `TOLLGATE_PROJECT_ID=…`, as a shell and an `.env` file read them.

use serde_json::Value;

/// What a client is configured with, in the order in which it is shown.
const VARIABLES: [(&str, &str); 7] = [
    ("TOLLGATE_ACCOUNT_ID", "accountId"),
    ("TOLLGATE_PROJECT_ID", "projectId"),
    ("TOLLGATE_KEY_ID", "accessKeyId"),
    ("TOLLGATE_KEY_SECRET", "secret"),
    ("TOLLGATE_SERVICE_PLAN_ID", "servicePlanId"),
    ("TOLLGATE_API_TOKEN", "apiToken"),
    ("TOLLGATE_TOKEN", "access_token"),
];

/// The lines for what a value holds.
pub(crate) fn lines(value: &Value) -> String {
    let known = VARIABLES.iter().filter_map(|(name, field)| Some((name, value[*field].as_str()?)));
    known.map(|(name, text)| format!("{name}={}\n", quoted(text))).collect()
}

/// Ids, secrets and tokens need no quotes; anything else gets them, so that it does not become a command.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~:/".contains(letter);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_is_four_lines_at_most() {
        let key = json!({"secret": "tgs_1", "accessKeyId": "k1", "projectId": "p1", "displayName": "worker"});
        assert_eq!(lines(&key), "TOLLGATE_PROJECT_ID=p1\nTOLLGATE_KEY_ID=k1\nTOLLGATE_KEY_SECRET=tgs_1\n");
        assert_eq!(lines(&json!({"access_token": "a.b-c_d.e"})), "TOLLGATE_TOKEN=a.b-c_d.e\n");
        assert_eq!(lines(&json!({"accountId": "a1", "projectId": null})), "TOLLGATE_ACCOUNT_ID=a1\n");
    }

    #[test]
    fn a_value_never_becomes_a_command() {
        assert_eq!(lines(&json!({"accountId": "x'; rm -rf $HOME"})), "TOLLGATE_ACCOUNT_ID='x'\\''; rm -rf $HOME'\n");
    }
}
