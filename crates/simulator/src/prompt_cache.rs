//! Which prompt prefixes a provider has seen, so that sending a customer's next request to the
//! same provider visibly pays off.
//!
//! Caches are the upstream account's: what one credential put in, another cannot read. Entries
//! lapse by a clock that stands still until it is told to go on, so nothing here depends on how
//! fast a test runs.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hasher},
};

use crate::profile::Caching;

/// Prefixes kept per provider; the oldest go first.
const PREFIXES_MAX: usize = 65_536;
const BYTES_PER_TOKEN: usize = 4;
/// How many blocks before a mark a marked prefix is looked for.
const LOOK_BACK_BLOCKS: usize = 20;
const FIVE_MINUTES_MS: u64 = 5 * 60 * 1_000;
const ONE_HOUR_MS: u64 = 60 * 60 * 1_000;

/// How long a marked prefix is to live, unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    FiveMinutes,
    OneHour,
}

impl Lifetime {
    const fn millis(self) -> u64 {
        match self {
            Self::FiveMinutes => FIVE_MINUTES_MS,
            Self::OneHour => ONE_HOUR_MS,
        }
    }
}

/// Everything that was sent, in the order in which providers read it, without the marks.
///
/// A block weighs the same wherever it stands: it is filled up to whole tokens, so that what a
/// conversation weighed in one turn is exactly what the next turn finds in front of its new part.
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
        let whole_tokens = self.bytes.len().next_multiple_of(BYTES_PER_TOKEN);
        self.bytes.resize(whole_tokens, b'\n');
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
    fn prefixes(&self, shelf: Shelf<'_>, ends: impl Iterator<Item = usize>) -> Vec<(usize, u64)> {
        let mut hasher = DefaultHasher::new();
        for part in [shelf.credential, shelf.model] {
            hasher.write_usize(part.len());
            hasher.write(part.as_bytes());
        }
        let mut start = 0;
        ends.map(|end| {
            hasher.write(&self.bytes[start..end]);
            start = end;
            (end, hasher.finish())
        })
        .collect()
    }
}

/// Whose cache, and of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf<'a> {
    /// The credential shown: it stands for the upstream account.
    pub(crate) credential: &'a str,
    pub(crate) model: &'a str,
}

/// What a prompt cache had and took, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CacheUse {
    pub(crate) read: u64,
    /// Everything written, for whatever time.
    pub(crate) written: u64,
    /// Of what was written: for an hour.
    pub(crate) written_for_an_hour: u64,
}

/// Prefixes seen before.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    /// The time since the cache was opened, as far as anybody said.
    now_ms: u64,
    known: HashMap<u64, Entry>,
    order: VecDeque<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    lifetime_ms: u64,
    lapses_at_ms: u64,
}

impl PromptCache {
    /// Drops every entry; the clock stays.
    pub(crate) fn evict(&mut self) {
        self.known.clear();
        self.order.clear();
    }

    /// Lets time go by.
    pub(crate) fn pass(&mut self, millis: u64) {
        self.now_ms = self.now_ms.saturating_add(millis);
    }

    /// The cache of OpenAI and most others: on its own, in steps, whatever is marked.
    pub(crate) fn automatic(
        &mut self,
        shelf: Shelf<'_>,
        prompt: &Prompt,
        caching: &Caching,
    ) -> CacheUse {
        let step = usize::try_from(caching.block_tokens.max(1))
            .map_or(usize::MAX, |tokens| tokens.saturating_mul(BYTES_PER_TOKEN));
        let steps = prompt.bytes.len() / step;
        let ends = (1..=steps).map(|step_number| step_number * step);
        let prefixes: Vec<_> = prompt
            .prefixes(shelf, ends)
            .into_iter()
            .filter(|(end, _)| count(*end) >= caching.tokens_min)
            .collect();
        let read = self.longest_known(&prefixes);
        let all = prefixes.last().map_or(0, |(end, _)| *end);
        for (_, hash) in prefixes {
            self.remember(hash, caching.idle_ms, !caching.reads_do_not_renew);
        }
        let written = match caching.reports_writes {
            true => count(all) - count(read),
            false => 0,
        };
        CacheUse {
            read: count(read),
            written,
            written_for_an_hour: 0,
        }
    }

    /// Anthropic's cache: only up to the marks that the request carries.
    pub(crate) fn marked(
        &mut self,
        shelf: Shelf<'_>,
        prompt: &Prompt,
        caching: &Caching,
    ) -> CacheUse {
        let Some(last) = prompt.ends.iter().rposition(|(_, mark)| mark.is_some()) else {
            return CacheUse::default();
        };
        let ends = &prompt.ends[..=last];
        let prefixes = prompt.prefixes(shelf, ends.iter().map(|(end, _)| *end));
        let marks = || {
            let long_enough = |place: &usize| count(ends[*place].0) >= caching.tokens_min.max(1);
            (0..ends.len())
                .filter(long_enough)
                .filter_map(|place| Some((place, ends[place].1?)))
        };
        let read_at = marks()
            .filter_map(|(place, _)| self.last_known_before(&prefixes, place))
            .max();
        let read = read_at.map_or(0, |place| prefixes[place].0);
        if let Some(place) = read_at {
            self.renew(prefixes[place].1, !caching.reads_do_not_renew);
        }
        let (mut all, mut for_an_hour) = (read, read);
        for (place, lifetime) in marks() {
            let (end, hash) = prefixes[place];
            self.remember(hash, lifetime.millis(), !caching.reads_do_not_renew);
            all = all.max(end);
            if lifetime == Lifetime::OneHour {
                for_an_hour = for_an_hour.max(end);
            }
        }
        CacheUse {
            read: count(read),
            written: count(all) - count(read),
            written_for_an_hour: count(for_an_hour) - count(read),
        }
    }

    /// The last place at or shortly before `place` whose prefix is in the cache.
    fn last_known_before(&self, prefixes: &[(usize, u64)], place: usize) -> Option<usize> {
        let first = place.saturating_sub(LOOK_BACK_BLOCKS);
        (first..=place)
            .rev()
            .find(|place| self.is_known(prefixes[*place].1))
    }

    fn longest_known(&self, prefixes: &[(usize, u64)]) -> usize {
        prefixes
            .iter()
            .rev()
            .find(|(_, hash)| self.is_known(*hash))
            .map_or(0, |(end, _)| *end)
    }

    /// An entry lives through the whole of its time, and lapses after it.
    fn is_known(&self, hash: u64) -> bool {
        self.known
            .get(&hash)
            .is_some_and(|entry| self.now_ms <= entry.lapses_at_ms)
    }

    fn renew(&mut self, hash: u64, renews: bool) {
        let now_ms = self.now_ms;
        if let Some(entry) = self.known.get_mut(&hash).filter(|_| renews) {
            entry.lapses_at_ms = now_ms.saturating_add(entry.lifetime_ms);
        }
    }

    /// Puts a prefix in, or uses the one that is there; asked for a longer life, it gets that.
    fn remember(&mut self, hash: u64, lifetime_ms: u64, renews: bool) {
        let fresh = Entry {
            lifetime_ms,
            lapses_at_ms: self.now_ms.saturating_add(lifetime_ms),
        };
        let alive = self.is_known(hash);
        match self.known.get_mut(&hash) {
            Some(entry) if alive && entry.lifetime_ms >= lifetime_ms => self.renew(hash, renews),
            Some(entry) => *entry = fresh,
            None => {
                self.known.insert(hash, fresh);
                self.order.push_back(hash);
            }
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
mod tests;
