//! Takes secrets out of what providers say. An error's text may repeat the credential that it is about:
//! as it was sent, percent-encoded, in Base64, or cut off where the text ends.
//!
//! A stream outlives the request that carried the credential, so what is kept is not the secret: its
//! length, a fingerprint and its first few characters, fewer than listings show of it. What is not this
//! request's secret, but looks like a key of any provider, is taken out by its shape.

use std::{
    hash::{DefaultHasher, Hasher},
    ops::Range,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use memchr::memmem;
use switchyard_domain::secret::Secret;
use switchyard_interchange::failure::Failure;
use zeroize::{Zeroize, Zeroizing};

use crate::{host::percent_encode, prepared::Sent};

mod shapes;
#[cfg(test)]
mod tests;

/// What stands where a secret was.
const REDACTED: &str = "[redacted]";
/// Characters of a secret that are kept, to find it by.
const HEAD_BYTES: usize = 6;
/// Forms of one secret, as a rule.
const FORMS: usize = 4;
/// What is shorter is no secret, and would blot out words.
const SECRET_BYTES_MIN: usize = 8;

/// What one request carried that an answer must not repeat.
pub(crate) struct Redactor {
    traces: Vec<Trace>,
}

/// One form of a secret, without the secret.
struct Trace {
    head: [u8; HEAD_BYTES],
    length: usize,
    fingerprint: u64,
    /// The form stands within a longer run of the same letters, whose ends hold some of it.
    is_within_a_run: bool,
}

impl Redactor {
    /// For a request that carried `sent`, of `credential`.
    pub(crate) fn new(sent: &Sent, credential: &Secret<Vec<u8>>) -> Self {
        let mut redactor = Self {
            traces: Vec::with_capacity(FORMS),
        };
        match sent {
            Sent::Credential => redactor.learn(credential.expose().trim_ascii()),
            Sent::Parts(parts) => {
                for part in parts {
                    redactor.learn(part.expose().trim().as_bytes());
                }
            }
            Sent::AccessToken(token) => redactor.learn(token.expose().as_bytes()),
        }
        redactor
    }

    /// Takes secrets out of a failure.
    pub(crate) fn clean(&self, mut failure: Failure) -> Failure {
        self.clean_in_place(&mut failure);
        failure
    }

    /// Takes secrets out of a failure.
    pub(crate) fn clean_in_place(&self, failure: &mut Failure) {
        self.clean_text(&mut failure.message);
        if let Some(code) = &mut failure.provider_code {
            self.clean_text(code);
        }
    }

    fn clean_text(&self, text: &mut String) {
        let mut found: Vec<Range<usize>> = Vec::new();
        let said = text.trim_end_matches('…').as_bytes();
        for trace in &self.traces {
            trace.find(said, &mut found);
        }
        shapes::find(text, &mut found);
        if found.is_empty() {
            return;
        }
        let cleaned = without(text, found);
        text.zeroize();
        *text = cleaned;
    }

    fn learn(&mut self, secret: &[u8]) {
        if secret.len() < SECRET_BYTES_MIN {
            return;
        }
        self.traces.push(Trace::of(secret, false));
        if let Ok(text) = std::str::from_utf8(secret) {
            let encoded = Zeroizing::new(percent_encode(text).into_owned());
            if encoded.as_bytes() != secret {
                let lower = Zeroizing::new(with_lower_case_escapes(&encoded));
                self.traces.push(Trace::of(encoded.as_bytes(), false));
                self.traces.push(Trace::of(lower.as_bytes(), false));
            }
        }
        self.learn_base64(secret);
    }

    /// A secret that is encoded together with what stands before it looks different by how many bytes
    /// that is, modulo three. The letters that also depend on neighbours are left off. Every stream
    /// comes by here, so two buffers serve for all of it.
    fn learn_base64(&mut self, secret: &[u8]) {
        let mut padded = Zeroizing::new(vec![0; 2 + secret.len()]);
        padded[2..].copy_from_slice(secret);
        let mut encoded = Zeroizing::new(vec![0; padded.len().div_ceil(3) * 4]);
        for offset in 0..3 {
            let whole = &padded[2 - offset..];
            let length = STANDARD_NO_PAD
                .encode_slice(whole, &mut encoded)
                .expect("four letters hold three bytes");
            let own = (offset * 8).div_ceil(6)..whole.len() * 8 / 6;
            debug_assert!(own.end <= length);
            let form = &mut encoded[own];
            self.traces.push(Trace::of(form, true));
            // The other alphabet differs in two letters.
            let mut differs = false;
            for letter in form.iter_mut() {
                let other = match letter {
                    b'+' => b'-',
                    b'/' => b'_',
                    _ => continue,
                };
                *letter = other;
                differs = true;
            }
            if differs {
                self.traces.push(Trace::of(form, true));
            }
        }
    }
}

impl Trace {
    fn of(form: &[u8], is_within_a_run: bool) -> Self {
        let mut head = [0; HEAD_BYTES];
        head.copy_from_slice(&form[..HEAD_BYTES]);
        Self {
            head,
            length: form.len(),
            fingerprint: fingerprint(form),
            is_within_a_run,
        }
    }

    fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        for at in memmem::find_iter(text, &self.head) {
            let whole = text.get(at..at + self.length);
            let is_it = whole.is_none_or(|whole| fingerprint(whole) == self.fingerprint);
            if !is_it {
                continue;
            }
            // Where the text ends too early, its end was cut off, and what is left is the beginning.
            let mut range = at..text.len().min(at + self.length);
            if self.is_within_a_run {
                range = whole_run(text, range);
            }
            found.push(range);
        }
    }
}

fn fingerprint(form: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(form);
    hasher.finish()
}

/// The run of Base64 letters that a range lies in.
fn whole_run(text: &[u8], range: Range<usize>) -> Range<usize> {
    let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    let before = text[..range.start].iter().rev().take_while(is_letter);
    let behind = text[range.end..].iter().take_while(is_letter);
    range.start - before.count()..range.end + behind.count()
}

fn with_lower_case_escapes(encoded: &str) -> String {
    let mut lower = String::with_capacity(encoded.len());
    let mut digits = 0;
    for letter in encoded.chars() {
        let is_digit = digits > 0;
        digits = if letter == '%' {
            2
        } else {
            usize::saturating_sub(digits, 1)
        };
        lower.push(if is_digit {
            letter.to_ascii_lowercase()
        } else {
            letter
        });
    }
    lower
}

/// The text with each range replaced. Ranges that overlap or touch become one.
fn without(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut cleaned = String::with_capacity(text.len());
    let mut kept_from = 0;
    let mut is_first = true;
    for range in ranges {
        if range.start > kept_from || is_first {
            let start = text.floor_char_boundary(range.start);
            cleaned.push_str(&text[kept_from..start]);
            cleaned.push_str(REDACTED);
        }
        is_first = false;
        kept_from = kept_from.max(text.ceil_char_boundary(range.end));
    }
    cleaned.push_str(&text[kept_from..]);
    cleaned
}
