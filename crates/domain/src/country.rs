//! Countries, as a trusted front names them.

use std::fmt;

/// Two capital letters of ISO 3166, such as `DE`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// Reads a code in either letter case. `None` for anything but two letters, and for `XX`,
    /// which stands for a country that is not known.
    pub fn from_text(text: &str) -> Option<Self> {
        let [first, second] = *text.trim().as_bytes() else {
            return None;
        };
        let code = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
        let is_known = code.iter().all(u8::is_ascii_uppercase) && code != *b"XX";
        is_known.then_some(Self(code))
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("capital letters are UTF-8")
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_are_a_country() {
        for (text, code) in [
            ("DE", Some("DE")),
            (" us ", Some("US")),
            ("XX", None),
            ("xx", None),
            // What some fronts say of anonymising networks.
            ("T1", None),
            ("", None),
            ("DEU", None),
            ("ß", None),
        ] {
            let read = CountryCode::from_text(text);
            assert_eq!(read.as_ref().map(CountryCode::as_str), code, "{text}");
        }
    }
}
