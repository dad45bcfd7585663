//! How many message parts a text takes: GSM 03.38 where its alphabet is enough, UCS-2 otherwise.

use serde::Serialize;

/// The 128 places of the basic alphabet, without the escape to the extension table.
const BASIC: &str = concat!(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
);
/// What an escape and a second septet stand for.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Units of a message of one part, and of each part of a longer one: a part of many carries a header of six bytes.
const GSM_ROOM: Room = Room { alone: 160, of_many: 153 };
const UCS_ROOM: Room = Room { alone: 70, of_many: 67 };

struct Room {
    alone: usize,
    of_many: usize,
}

/// The encoding of a message, by the names of the SMS API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// GSM 03.38, seven bits a character, fourteen for those of the extension table.
    Text,
    /// UCS-2, sixteen bits a character, thirty-two for those beyond the basic plane.
    Unicode,
}

/// A text's encoding and the parts that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Its encoding.
    pub encoding: Encoding,
    /// Its parts; at least one.
    pub count: u32,
}

impl Parts {
    /// Counts the parts of `text`.
    pub fn of(text: &str) -> Self {
        let (encoding, count) = match text.chars().map(septets).collect::<Option<Vec<_>>>() {
            Some(widths) => (Encoding::Text, fill(&widths, &GSM_ROOM)),
            None => (Encoding::Unicode, fill(&text.chars().map(char::len_utf16).collect::<Vec<_>>(), &UCS_ROOM)),
        };
        Self { encoding, count }
    }
}

/// Septets of a character, `None` for one that the alphabet lacks.
fn septets(character: char) -> Option<usize> {
    if BASIC.contains(character) {
        Some(1)
    } else if EXTENSION.contains(character) {
        Some(2)
    } else {
        None
    }
}

/// Puts characters of these widths into parts. A character is never cut in two.
fn fill(widths: &[usize], room: &Room) -> u32 {
    if widths.iter().sum::<usize>() <= room.alone {
        return 1;
    }
    let (mut parts, mut used) = (1, 0);
    for width in widths {
        if used + width > room.of_many {
            parts += 1;
            used = 0;
        }
        used += width;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> (Encoding, u32) {
        let Parts { encoding, count } = Parts::of(text);
        (encoding, count)
    }

    #[test]
    fn the_alphabet_has_its_127_characters_and_its_extension_ten() {
        assert_eq!((BASIC.chars().count(), EXTENSION.chars().count()), (127, 10));
        assert!(EXTENSION.chars().all(|character| !BASIC.contains(character)));
    }

    #[test]
    fn a_text_is_cut_at_160_and_153_septets() {
        for (length, count) in [(0, 1), (1, 1), (160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4)] {
            assert_eq!(parts(&"a".repeat(length)), (Encoding::Text, count), "{length}");
        }
    }

    #[test]
    fn a_character_of_the_extension_table_counts_twice() {
        assert_eq!(parts(&"€".repeat(80)), (Encoding::Text, 1));
        assert_eq!(parts(&"€".repeat(81)), (Encoding::Text, 2));
        // The 153rd septet of a part stays free: an escape and its character are not torn apart.
        assert_eq!(parts(&"€".repeat(152)), (Encoding::Text, 2));
        assert_eq!(parts(&"€".repeat(153)), (Encoding::Text, 3));
    }

    #[test]
    fn a_single_character_that_gsm_lacks_makes_the_whole_text_ucs_2() {
        for (length, count) in [(70, 1), (71, 2), (134, 2), (135, 3)] {
            assert_eq!(parts(&format!("Ł{}", "a".repeat(length - 1))), (Encoding::Unicode, count), "{length}");
        }
    }

    #[test]
    fn a_pair_of_surrogates_counts_twice_and_is_not_torn_apart() {
        assert_eq!(parts(&"😀".repeat(35)), (Encoding::Unicode, 1));
        assert_eq!(parts(&"😀".repeat(36)), (Encoding::Unicode, 2));
        assert_eq!(parts(&"😀".repeat(66)), (Encoding::Unicode, 2));
        assert_eq!(parts(&"😀".repeat(67)), (Encoding::Unicode, 3));
    }

    proptest! {
        /// Between the bounds that whole parts allow, whatever the text is.
        #[test]
        fn parts_are_as_many_as_the_units_need_and_hardly_more(text in "[a-z€{}😀Ł]{0,400}") {
            let Parts { encoding, count } = Parts::of(&text);
            let (units, room) = match encoding {
                Encoding::Text => (text.chars().filter_map(septets).sum::<usize>(), GSM_ROOM),
                Encoding::Unicode => (text.encode_utf16().count(), UCS_ROOM),
            };
            let count = count as usize;
            if units <= room.alone {
                prop_assert_eq!(count, 1);
            } else {
                prop_assert!(count >= units.div_ceil(room.of_many));
                prop_assert!(count <= units.div_ceil(room.of_many - 1));
            }
        }

        /// A longer text never takes fewer parts.
        #[test]
        fn a_longer_text_takes_no_fewer_parts(text in "[ -~]{0,400}", more in "[ -~€Ł😀]{0,100}") {
            let longer = text.clone() + &more;
            prop_assert!(Parts::of(&text).count <= Parts::of(&longer).count);
        }

        /// The encoding is decided by the alphabet alone.
        #[test]
        fn the_encoding_is_that_of_the_hardest_character(text in any::<String>()) {
            let gsm = text.chars().all(|character| BASIC.contains(character) || EXTENSION.contains(character));
            prop_assert_eq!(Parts::of(&text).encoding == Encoding::Text, gsm);
        }
    }
}
