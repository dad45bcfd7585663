//! Page tokens.

use proptest::prelude::*;
use tollgate_core::master::MasterKey;
use tollgate_core::page::{BadPageToken, open, seal};

proptest! {
    #![proptest_config(crate::cases(64))]

    #[test]
    fn a_page_token_opens_its_own_list_at_its_own_place_and_no_other(list in ".{0,20}", cursor in ".{0,20}", other in ".{0,20}") {
        let master = MasterKey::new(&[7; 32]);
        let token = seal(&master, &list, &cursor);
        prop_assert_eq!(open(&master, &list, &token), Ok(cursor.clone()));
        if other != list {
            prop_assert_eq!(open(&master, &other, &token), Err(BadPageToken));
        }
        if let Some(letter) = cursor.chars().next() {
            // The border between list and cursor, moved by a letter.
            let moved = seal(&master, &format!("{list}{letter}"), &cursor[letter.len_utf8()..]);
            prop_assert_eq!(open(&master, &list, &moved), Err(BadPageToken));
        }
    }

    #[test]
    fn a_page_token_with_any_character_changed_added_or_left_out_is_refused(cursor in "[0-9a-f]{0,8}", letter in "[ -~é]") {
        let master = MasterKey::new(&[7; 32]);
        let token = seal(&master, "accessKeys/p1", &cursor);
        for at in 0..=token.len() {
            let (before, after) = token.split_at(at);
            let rest = after.get(1..).unwrap_or_default();
            for forged in [format!("{before}{letter}{rest}"), format!("{before}{letter}{after}"), format!("{before}{rest}")] {
                prop_assert_eq!(open(&master, "accessKeys/p1", &forged).is_ok(), forged == token, "{}", forged);
            }
        }
    }
}
