//! Tool call ids as the dialect allows them: its alphabet only, and none used twice in a
//! conversation. Equal conversations get equal ids, so that prompt caches keep working.

use std::collections::HashSet;

/// The longest id that is sent as it is.
const ID_BYTES_MAX: usize = 64;

/// The ids given out in one conversation.
#[derive(Default)]
pub(super) struct CallIds {
    taken: HashSet<String>,
    /// Calls of the latest assistant turn that no result answered yet: as the caller named them,
    /// as we send them.
    open: Vec<(String, String)>,
}

impl CallIds {
    /// The id to send for a call; it stays open until its result comes.
    pub(super) fn open(&mut self, id: &str) -> String {
        let wanted = legal(id);
        let mut given = wanted.clone();
        let mut number = 2;
        while !self.taken.insert(given.clone()) {
            given = format!("{wanted}_{number}");
            number += 1;
        }
        self.open.push((id.to_owned(), given.clone()));
        given
    }

    /// The id to send with a result, or `None` when it answers no open call.
    pub(super) fn answer(&mut self, id: &str) -> Option<String> {
        let index = self.open.iter().position(|(original, _)| original == id)?;
        Some(self.open.remove(index).1)
    }

    /// The ids of calls that got no result.
    pub(super) fn take_unanswered(&mut self) -> impl Iterator<Item = String> {
        std::mem::take(&mut self.open)
            .into_iter()
            .map(|(_, given)| given)
    }
}

/// `id` where it is legal, else one made from its hash.
fn legal(id: &str) -> String {
    let is_legal = (1..=ID_BYTES_MAX).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if is_legal {
        id.to_owned()
    } else {
        format!("toolu_{:032x}", fnv1a(id.as_bytes()))
    }
}

/// FNV-1a, 128 bits: stable across versions, and nobody gains by colliding with himself.
fn fnv1a(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_legal_unique_and_stable() {
        let mut ids = CallIds::default();
        assert_eq!(ids.open("call_0"), "call_0");
        assert_eq!(ids.open("call_0"), "call_0_2");
        let mapped = ids.open("function.call:1");
        assert_eq!(mapped, CallIds::default().open("function.call:1"));
        assert!(mapped.starts_with("toolu_"));
        assert_eq!(ids.answer("call_0").as_deref(), Some("call_0"));
        assert_eq!(ids.answer("call_0").as_deref(), Some("call_0_2"));
        assert_eq!(ids.answer("call_0"), None);
        assert_eq!(ids.take_unanswered().collect::<Vec<_>>(), [mapped]);
    }
}
