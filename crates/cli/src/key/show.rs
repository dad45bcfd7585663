//! An access key with its secrets' hints, and when each was last used.

use serde_json::Value;

use crate::args::Format;
use crate::failure::Failure;
use crate::output::{self, Column, print, table};

/// Everything that is known of a key.
pub(super) const ALL: [Column; 12] = [
    Column::new("Project ID", "projectId"),
    Column::new("KEY ID", "accessKeyId"),
    Column::new("Display name", "displayName"),
    Column::new("Status", "status"),
    Column::new("Scopes", "scopes").or("none"),
    Column::new("Expires", "expireTime").or("never"),
    Column::new("Addresses", "allowedAddresses").or("all"),
    Column::new("Token requests", "tokenRate").or("the server's limit"),
    Column::new("Last used", "lastUseTime").or("never"),
    Column::new("Created", "createTime"),
    Column::new("Created by", "createdBy"),
    Column::new("Updated", "updateTime"),
];

const SECRETS: [Column; 4] = [
    Column::new("Secret", "hint"),
    Column::new("Created", "createTime"),
    Column::new("Last used", "lastUseTime").or("never"),
    Column::new("Ends", "endTime").or("–"),
];

/// Shows one key.
pub(super) fn key(format: Format, key: &Value) -> Result<(), Failure> {
    match (format, key["secrets"].as_array()) {
        (Format::Table, Some(secrets)) if !secrets.is_empty() => {
            print(&format!("{}\n{}", table::fields(&ALL, key), table::rows(&SECRETS, secrets)))
        }
        _ => output::thing(format, key, &ALL),
    }
}
