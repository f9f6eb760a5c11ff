//! Which new passwords are refused: those that are tried first.
//!
//! The rules read a password the way whoever guesses it does: as a row of parts that need no guessing
//! (common words, runs of the keyboard, repetitions, years, the address it belongs to), and what is left
//! over. Too little left over is too weak. No kind of character is demanded: that makes passwords
//! harder to remember and no harder to guess.

use std::collections::HashSet;

use super::{BYTES_MAX, CHARS_MIN};

/// Words that passwords are commonly made of, and common passwords, in lower case, one a line.
const COMMON: &str = include_str!("../../data/common-passwords.txt");

/// Characters that must be left when everything well known is taken away.
const UNKNOWN_MIN: usize = 6;
/// The least distinct characters.
const DISTINCT_MIN: usize = 5;
/// A run of the keyboard counts from so many characters.
const RUN_MIN: usize = 3;
/// A part of the address counts from so many characters.
const PART_MIN: usize = 4;
/// Longer passwords are not read further: so much is left over anyway.
const READ_MAX: usize = 64;

const ROWS: [&str; 9] = [
    "1234567890",
    "!@#$%^&*()",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
];

/// Whom a password is for, and where: neither may be what it consists of.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The person's address.
    pub address: &'a str,
    /// The person's name.
    pub name: &'a str,
    /// What this service is called.
    pub product: &'a str,
}

/// Why a password is refused; the text is for whoever chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer than [`CHARS_MIN`] characters.
    #[error("use at least 12 characters")]
    Short,
    /// More than [`BYTES_MAX`] bytes.
    #[error("use at most 1,024 bytes")]
    Long,
    /// Few characters, again and again.
    #[error("the same few characters repeat: mix in others")]
    Repeats,
    /// Digits only.
    #[error("digits alone are guessed quickly: add words")]
    DigitsOnly,
    /// Made of the address, the name or the service's name.
    #[error("it is made of your address, your name or our name: choose something else")]
    AboutYou,
    /// Made of what is tried first.
    #[error("it is made of common words or keyboard rows: add words that nobody would guess")]
    Common,
}

/// Whether a person may take `password`.
pub fn check_new(password: &str, about: &About<'_>) -> Result<(), Weakness> {
    if password.len() > BYTES_MAX {
        return Err(Weakness::Long);
    }
    if password.chars().count() < CHARS_MIN {
        return Err(Weakness::Short);
    }
    let letters: Vec<char> = password
        .chars()
        .flat_map(char::to_lowercase)
        .take(READ_MAX)
        .collect();
    if letters.iter().all(char::is_ascii_digit) {
        return Err(Weakness::DigitsOnly);
    }
    let distinct: HashSet<char> = letters.iter().copied().collect();
    if distinct.len() < DISTINCT_MIN || is_repetition(&letters) {
        return Err(Weakness::Repeats);
    }
    let common: HashSet<&str> = COMMON
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let theirs = parts_of(about);
    if unknown(&letters, &common, &theirs) >= UNKNOWN_MIN {
        Ok(())
    } else if unknown(&letters, &common, &HashSet::new()) >= UNKNOWN_MIN {
        Err(Weakness::AboutYou)
    } else {
        Err(Weakness::Common)
    }
}

/// Whether a short unit makes up the whole.
fn is_repetition(letters: &[char]) -> bool {
    (1..=letters.len() / 2)
        .filter(|unit| *unit < CHARS_MIN)
        .any(|unit| letters.iter().zip(&letters[unit..]).all(|(a, b)| a == b))
}

/// What somebody would try who knows whose password it is.
fn parts_of(about: &About<'_>) -> HashSet<String> {
    let mut parts = HashSet::new();
    for whole in [about.address, about.name, about.product] {
        let lower = whole.to_lowercase();
        parts.extend(
            lower
                .split(|letter: char| !letter.is_alphanumeric())
                .map(str::to_owned),
        );
        parts.insert(lower.split('@').next().unwrap_or_default().to_owned());
        parts.insert(lower);
    }
    parts.retain(|part| part.chars().count() >= PART_MIN);
    parts
}

/// The fewest characters that no known part covers.
fn unknown(letters: &[char], common: &HashSet<&str>, theirs: &HashSet<String>) -> usize {
    let folded: Vec<char> = letters.iter().map(|letter| unleet(*letter)).collect();
    let longest = theirs
        .iter()
        .map(|part| part.chars().count())
        .chain(common.iter().map(|word| word.len()))
        .max()
        .unwrap_or(0);
    // least[i]: the fewest unknown characters among the first i.
    let mut least = vec![0; letters.len() + 1];
    for end in 1..=letters.len() {
        // What stands between words is no secret either, but each costs a guess.
        least[end] = least[end - 1] + 1;
        for start in 0..end {
            let known = is_run(&letters[start..end])
                || is_year(&letters[start..end])
                || (end - start <= longest
                    && [&letters[start..end], &folded[start..end]]
                        .iter()
                        .any(|part| {
                            let word: String = part.iter().collect();
                            common.contains(word.as_str()) || theirs.contains(&word)
                        }));
            if known {
                least[end] = least[end].min(least[start]);
            }
        }
    }
    least[letters.len()]
}

/// Whether it is one character repeated, or a piece of a row of keys in either direction.
fn is_run(part: &[char]) -> bool {
    if part.len() < RUN_MIN {
        return false;
    }
    if part.iter().all(|letter| *letter == part[0]) {
        return true;
    }
    let forward: String = part.iter().collect();
    let backward: String = part.iter().rev().collect();
    ROWS.iter()
        .any(|row| row.contains(&forward) || row.contains(&backward))
}

fn is_year(part: &[char]) -> bool {
    part.len() == 4
        && part.iter().all(char::is_ascii_digit)
        && matches!(part, ['1', '9', ..] | ['2', '0', ..])
}

/// The letter that a digit or sign commonly stands for.
const fn unleet(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: About<'static> = About {
        address: "maria.gonzalez@harbour-lights.example",
        name: "Maria González",
        product: "Switchyard",
    };

    fn refused(password: &str) -> Option<Weakness> {
        check_new(password, &ABOUT).err()
    }

    #[test]
    fn lengths_are_bounded() {
        assert_eq!(refused("fjord-kiwi7"), Some(Weakness::Short));
        assert_eq!(refused("fjord-kiwi7x"), None);
        let longest = "fjord-kiwi7x".to_owned() + &"é1".repeat(330) + "abcdefg";
        assert!(longest.len() <= BYTES_MAX, "{}", longest.len());
        assert_eq!(refused(&longest), None);
        assert_eq!(refused(&(longest.clone() + &longest)), Some(Weakness::Long));
        // Characters count, not bytes.
        assert_eq!(refused("éüößàçñøåæî"), Some(Weakness::Short));
        assert_eq!(refused("éüößàçñøåæîx"), None);
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for (password, weakness) in [
            ("583920174652", Weakness::DigitsOnly),
            ("aaaaaaaaaaaaa", Weakness::Repeats),
            ("xyxyxyxyxyxyx", Weakness::Repeats),
            ("kiwi7!kiwi7!", Weakness::Repeats),
            ("password1234", Weakness::Common),
            ("P@ssw0rd2024!", Weakness::Common),
            ("passwordpassword1", Weakness::Common),
            ("qwertyuiop12", Weakness::Common),
            ("1qaz2wsx3edc", Weakness::Common),
            ("zxcvbnmasdfgh", Weakness::Common),
            ("abcdefghijkl", Weakness::Common),
            ("iloveyou12345", Weakness::Common),
            ("Welcome-2026!!", Weakness::Common),
            ("letmein!!!!!!", Weakness::Common),
            ("administrator", Weakness::Common),
            ("changeme-123456", Weakness::Common),
            ("mariagonzalez", Weakness::AboutYou),
            ("maria.gonzalez1", Weakness::AboutYou),
            ("harbour-lights", Weakness::AboutYou),
            ("Switchyard2026", Weakness::AboutYou),
            ("sw1tchyard-123", Weakness::AboutYou),
        ] {
            assert_eq!(refused(password), Some(weakness), "{password}");
        }
    }

    #[test]
    fn what_nobody_would_guess_passes() {
        for password in [
            "correct horse battery staple",
            "fjord kiwi ledger",
            "gr8-Marble.owl",
            "xq7#Lm2vTz9k",
            "a lamp in the harbour",
            "Tr0ub4dor&3xy",
        ] {
            assert_eq!(refused(password), None, "{password}");
        }
    }

    #[test]
    fn the_list_is_in_the_form_that_it_is_read_in() {
        let mut seen = HashSet::new();
        for line in COMMON.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(line.trim(), line);
            assert_eq!(line.to_lowercase(), line);
            assert!(seen.insert(line) || line.is_empty(), "`{line}` twice");
            assert!(
                line.is_empty() || line.len() >= 3,
                "`{line}` is too short to be known"
            );
        }
        assert!(seen.len() > 250);
    }
}
