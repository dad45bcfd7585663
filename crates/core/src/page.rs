//! Page tokens: where a list goes on. Authenticated, and bound to the list they came from, so that a forged or
//! borrowed one is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::master::MasterKey;

/// The token was not made by us for this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("does not belong to this list; start again without it")]
pub struct BadPageToken;

/// Makes the token for the page after `cursor`. `list` names the list with all its filters.
pub fn seal(master: &MasterKey, list: &str, cursor: &str) -> String {
    let mut bytes = master.page_tag(&bound(list, cursor)).to_vec();
    bytes.extend_from_slice(cursor.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads the cursor back.
///
/// # Errors
/// [`BadPageToken`] when the token is forged or belongs to another list.
pub fn open(master: &MasterKey, list: &str, token: &str) -> Result<String, BadPageToken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadPageToken)?;
    let (tag, cursor) = bytes.split_first_chunk::<16>().ok_or(BadPageToken)?;
    let cursor = std::str::from_utf8(cursor).map_err(|_| BadPageToken)?;
    let expected = master.page_tag(&bound(list, cursor));
    aws_lc_rs::constant_time::verify_slices_are_equal(tag, &expected).map_err(|_| BadPageToken)?;
    Ok(cursor.to_owned())
}

/// The length comes first, so that no list and cursor can be taken for another pair.
fn bound(list: &str, cursor: &str) -> Vec<u8> {
    let mut text = list.len().to_be_bytes().to_vec();
    text.extend_from_slice(list.as_bytes());
    text.extend_from_slice(cursor.as_bytes());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_fits_only_its_own_list() {
        let master = MasterKey::new(&[1; 32]);
        let token = seal(&master, "accessKeys/p1", "018b");
        assert_eq!(open(&master, "accessKeys/p1", &token).as_deref(), Ok("018b"));
        assert_eq!(open(&master, "accessKeys/p2", &token), Err(BadPageToken));
        assert_eq!(open(&MasterKey::new(&[2; 32]), "accessKeys/p1", &token), Err(BadPageToken));
        for forged in ["", "AAAA", "%%%", &token[1..], &format!("{token}A")] {
            assert_eq!(open(&master, "accessKeys/p1", forged), Err(BadPageToken));
        }
    }
}
