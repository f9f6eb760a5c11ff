//! The two alphabets in which proofs are written down.

const HEX: &[u8; 16] = b"0123456789abcdef";
/// No letter here looks like another or like a digit.
const SPOKEN: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

/// The lowest five bits of each byte as a letter that can be read aloud.
pub(crate) fn to_spoken(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes
        .iter()
        .map(|byte| char::from(SPOKEN[usize::from(byte & 31)]))
}

pub(crate) fn is_spoken(letter: char) -> bool {
    u8::try_from(letter).is_ok_and(|byte| SPOKEN.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabets_hold_each_letter_once() {
        assert_eq!(to_hex(&[0x00, 0x9f, 0xff]), "009fff");
        let letters: std::collections::BTreeSet<u8> = SPOKEN.iter().copied().collect();
        assert_eq!(letters.len(), 32);
        assert_eq!(to_spoken(&[0, 31, 32]).collect::<String>(), "a9a");
        assert!(is_spoken('a') && !is_spoken('l') && !is_spoken('1') && !is_spoken('é'));
    }
}
