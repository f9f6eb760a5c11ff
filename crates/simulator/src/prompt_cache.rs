//! Which prompt prefixes a provider has seen, so that sending a customer's next request to the
//! same provider visibly pays off.

use std::{
    collections::{HashSet, VecDeque},
    hash::{DefaultHasher, Hasher},
};

/// Prefixes kept per provider; the oldest go first.
const PREFIXES_MAX: usize = 65_536;
/// Implicit caches grow in steps of this many tokens.
const IMPLICIT_STEP_TOKENS: usize = 128;
const BYTES_PER_TOKEN: usize = 4;

/// How long a marked prefix is to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    FiveMinutes,
    OneHour,
}

/// Everything that was sent, in the order in which providers read it, without the marks.
#[derive(Debug, Default)]
pub(crate) struct Prompt {
    bytes: Vec<u8>,
    /// Where blocks end, and whether a prefix that ends there is to be cached.
    ends: Vec<(usize, Option<Lifetime>)>,
    /// Tokens that are not text: pictures and files.
    attached_tokens: u64,
}

impl Prompt {
    /// Adds a block of text or anything that is counted like text.
    pub(crate) fn push(&mut self, kind: &str, content: &[u8], mark: Option<Lifetime>) {
        self.bytes.extend_from_slice(kind.as_bytes());
        self.bytes.push(b'\n');
        self.bytes.extend_from_slice(content);
        self.bytes.push(b'\n');
        self.ends.push((self.bytes.len(), mark));
    }

    /// Adds a picture or file: its bytes tell prefixes apart, but are not counted.
    pub(crate) fn attach(
        &mut self,
        kind: &str,
        content: &[u8],
        tokens: u64,
        mark: Option<Lifetime>,
    ) {
        let mut hasher = DefaultHasher::new();
        hasher.write(content);
        self.push(kind, &hasher.finish().to_le_bytes(), mark);
        self.attached_tokens += tokens;
    }

    /// Marks the end of what has been added so far.
    pub(crate) fn mark_end(&mut self, lifetime: Lifetime) {
        if let Some((_, mark)) = self.ends.last_mut() {
            *mark = Some(lifetime);
        }
    }

    pub(crate) fn tokens(&self) -> u64 {
        (count(self.bytes.len()) + self.attached_tokens).max(1)
    }

    /// Hashes of the prefixes that end at `ends`, which must ascend.
    fn prefixes(&self, model: &str, ends: impl Iterator<Item = usize>) -> Vec<(usize, u64)> {
        let mut hasher = DefaultHasher::new();
        hasher.write(model.as_bytes());
        let mut start = 0;
        ends.map(|end| {
            hasher.write(&self.bytes[start..end]);
            start = end;
            (end, hasher.finish())
        })
        .collect()
    }
}

/// What a prompt cache had and took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CacheUse {
    pub(crate) read: u64,
    pub(crate) written: u64,
    /// Whether what was written is to live for an hour.
    pub(crate) written_for_an_hour: bool,
}

/// Prefixes seen before.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl PromptCache {
    pub(crate) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }

    /// The cache of OpenAI and most others: on its own, in steps, reading only.
    pub(crate) fn implicit(&mut self, model: &str, prompt: &Prompt, tokens_min: u64) -> CacheUse {
        let step = IMPLICIT_STEP_TOKENS * BYTES_PER_TOKEN;
        let steps = prompt.bytes.len() / step;
        let ends = (1..=steps).map(|step_number| step_number * step);
        let prefixes: Vec<_> = prompt
            .prefixes(model, ends)
            .into_iter()
            .filter(|(end, _)| count(*end) >= tokens_min)
            .collect();
        let read = self.longest_known(&prefixes);
        for (_, hash) in prefixes {
            self.remember(hash);
        }
        CacheUse {
            read: count(read),
            ..CacheUse::default()
        }
    }

    /// Anthropic's cache: only up to the marks that the request carries.
    pub(crate) fn explicit(&mut self, model: &str, prompt: &Prompt, tokens_min: u64) -> CacheUse {
        let Some(last) = prompt.ends.iter().rposition(|(_, mark)| mark.is_some()) else {
            return CacheUse::default();
        };
        let (marked_end, lifetime) = prompt.ends[last];
        if count(marked_end) < tokens_min {
            return CacheUse::default();
        }
        let ends = &prompt.ends[..=last];
        let prefixes = prompt.prefixes(model, ends.iter().map(|(end, _)| *end));
        let read = self.longest_known(&prefixes);
        for ((_, hash), (end, mark)) in prefixes.into_iter().zip(ends) {
            if mark.is_some() && count(*end) >= tokens_min {
                self.remember(hash);
            }
        }
        CacheUse {
            read: count(read),
            written: count(marked_end) - count(read),
            written_for_an_hour: lifetime == Some(Lifetime::OneHour),
        }
    }

    fn longest_known(&self, prefixes: &[(usize, u64)]) -> usize {
        prefixes
            .iter()
            .rev()
            .find(|(_, hash)| self.known.contains(hash))
            .map_or(0, |(end, _)| *end)
    }

    fn remember(&mut self, hash: u64) {
        if self.known.insert(hash) {
            self.order.push_back(hash);
        }
        if self.order.len() > PREFIXES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

/// Tokens in that many bytes of text, as far as the simulator is concerned.
pub(crate) fn count(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(parts: &[(usize, u8, Option<Lifetime>)]) -> Prompt {
        let mut prompt = Prompt::default();
        for (length, letter, mark) in parts {
            prompt.push("text", &vec![*letter; *length], *mark);
        }
        prompt
    }

    #[test]
    fn an_implicit_cache_reads_the_common_prefix_in_steps() {
        let mut cache = PromptCache::default();
        let first = prompt(&[(8_000, b'a', None), (100, b'b', None)]);
        assert_eq!(cache.implicit("m", &first, 1_024).read, 0);
        assert_eq!(cache.implicit("m", &first, 1_024).read, 15 * 128);
        let other_end = prompt(&[(8_000, b'a', None), (100, b'c', None)]);
        assert_eq!(cache.implicit("m", &other_end, 1_024).read, 15 * 128);
        assert_eq!(cache.implicit("other model", &first, 1_024).read, 0);
        let other_start = prompt(&[(8_000, b'x', None)]);
        assert_eq!(cache.implicit("m", &other_start, 1_024).read, 0);
        let short = prompt(&[(2_000, b'a', None)]);
        cache.implicit("m", &short, 1_024);
        assert_eq!(cache.implicit("m", &short, 1_024).read, 0);
    }

    #[test]
    fn an_explicit_cache_keeps_only_what_is_marked() {
        let mark = Some(Lifetime::FiveMinutes);
        let mut cache = PromptCache::default();
        let unmarked = prompt(&[(8_000, b'a', None)]);
        assert_eq!(cache.explicit("m", &unmarked, 1_024), CacheUse::default());
        let marked = prompt(&[(8_000, b'a', mark), (400, b'b', None)]);
        let first = cache.explicit("m", &marked, 1_024);
        assert_eq!((first.read, first.written), (0, count(8_006)));
        let longer = prompt(&[(8_000, b'a', None), (400, b'b', Some(Lifetime::OneHour))]);
        let second = cache.explicit("m", &longer, 1_024);
        assert_eq!(
            (second.read, second.written),
            (count(8_006), count(8_412) - count(8_006))
        );
        assert!(second.written_for_an_hour);
    }

    #[test]
    fn memory_is_bounded() {
        let mut cache = PromptCache::default();
        for hash in 0..70_000 {
            cache.remember(hash);
        }
        assert_eq!(
            (cache.known.len(), cache.order.len()),
            (PREFIXES_MAX, PREFIXES_MAX)
        );
    }
}
