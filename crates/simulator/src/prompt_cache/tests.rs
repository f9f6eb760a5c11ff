use super::*;

const SHELF: Shelf<'static> = Shelf {
    credential: "k",
    model: "m",
};
const SHORT: Option<Lifetime> = Some(Lifetime::FiveMinutes);
const LONG: Option<Lifetime> = Some(Lifetime::OneHour);

/// Blocks that weigh `tokens` each, told apart by their letters.
fn prompt(blocks: &[(usize, u8, Option<Lifetime>)]) -> Prompt {
    let mut prompt = Prompt::default();
    for (tokens, letter, mark) in blocks {
        let around = "t\n\n".len();
        prompt.push(
            "t",
            &vec![*letter; tokens * BYTES_PER_TOKEN - around],
            *mark,
        );
    }
    prompt
}

fn used(read: u64, written: u64, written_for_an_hour: u64) -> CacheUse {
    CacheUse {
        read,
        written,
        written_for_an_hour,
    }
}

#[test]
fn blocks_weigh_the_same_wherever_they_stand() {
    let mut grown = Prompt::default();
    let mut sum = 0;
    for length in [0, 1, 2, 3, 4, 1_021] {
        let mut alone = Prompt::default();
        alone.push("user", &vec![b'x'; length], None);
        sum += alone.tokens();
        grown.push("user", &vec![b'x'; length], None);
        assert_eq!(grown.tokens(), sum, "after {length} bytes");
    }
}

#[test]
fn an_automatic_cache_reads_the_common_prefix_in_steps() {
    let rule = Caching::default();
    let mut cache = PromptCache::default();
    let first = prompt(&[(2_000, b'a', None), (25, b'b', None)]);
    assert_eq!(cache.automatic(SHELF, &first, &rule), used(0, 0, 0));
    assert_eq!(cache.automatic(SHELF, &first, &rule).read, 15 * 128);
    let other_end = prompt(&[(2_000, b'a', None), (25, b'c', None)]);
    assert_eq!(cache.automatic(SHELF, &other_end, &rule).read, 15 * 128);
    let other_start = prompt(&[(2_000, b'x', None)]);
    assert_eq!(cache.automatic(SHELF, &other_start, &rule).read, 0);
    let short = prompt(&[(1_023, b'a', None)]);
    cache.automatic(SHELF, &short, &rule);
    assert_eq!(cache.automatic(SHELF, &short, &rule).read, 0);
}

#[test]
fn what_one_turn_sent_the_next_turn_reads() {
    let rule = Caching {
        reports_writes: true,
        ..Caching::default()
    };
    let mut cache = PromptCache::default();
    let mut blocks = vec![(1_500, b's', None)];
    let mut before = 0;
    for turn in 0..20 {
        blocks.push((37 + usize::from(turn) * 11, b'a' + turn, None));
        let prompt = prompt(&blocks);
        let read = before / 128 * 128;
        let written = prompt.tokens() / 128 * 128 - read;
        assert_eq!(
            cache.automatic(SHELF, &prompt, &rule),
            used(read, written, 0)
        );
        before = prompt.tokens();
    }
}

#[test]
fn credentials_and_models_have_caches_of_their_own() {
    let rule = Caching::default();
    let mut cache = PromptCache::default();
    let prompt = prompt(&[(2_000, b'a', SHORT)]);
    cache.automatic(SHELF, &prompt, &rule);
    cache.marked(SHELF, &prompt, &rule);
    for elsewhere in [
        Shelf {
            credential: "l",
            ..SHELF
        },
        Shelf {
            model: "n",
            ..SHELF
        },
        Shelf {
            credential: "km",
            model: "",
        },
    ] {
        assert_eq!(cache.automatic(elsewhere, &prompt, &rule).read, 0);
    }
    let elsewhere = Shelf {
        credential: "o",
        ..SHELF
    };
    assert_eq!(cache.marked(elsewhere, &prompt, &rule).read, 0);
    assert_eq!(cache.marked(SHELF, &prompt, &rule).read, 2_000);
}

#[test]
fn a_marked_cache_keeps_only_what_is_marked() {
    let rule = Caching::default();
    let mut cache = PromptCache::default();
    let unmarked = prompt(&[(2_000, b'a', None)]);
    assert_eq!(cache.marked(SHELF, &unmarked, &rule), used(0, 0, 0));
    let marked = prompt(&[(2_000, b'a', SHORT), (100, b'b', None)]);
    assert_eq!(cache.marked(SHELF, &marked, &rule), used(0, 2_000, 0));
    let longer = prompt(&[(2_000, b'a', None), (100, b'b', SHORT)]);
    assert_eq!(cache.marked(SHELF, &longer, &rule), used(2_000, 100, 0));
    let short = prompt(&[(1_000, b'c', SHORT)]);
    assert_eq!(cache.marked(SHELF, &short, &rule), used(0, 0, 0));
}

#[test]
fn writes_are_split_by_how_long_they_are_to_live() {
    let rule = Caching::default();
    let mut cache = PromptCache::default();
    let both = prompt(&[(2_000, b'a', LONG), (300, b'b', SHORT)]);
    assert_eq!(cache.marked(SHELF, &both, &rule), used(0, 2_300, 2_000));
    cache.pass(FIVE_MINUTES_MS + 1);
    assert_eq!(cache.marked(SHELF, &both, &rule), used(2_000, 300, 0));
    // What is in the cache is not written again for a longer life, but gets it.
    let longer_life = prompt(&[(2_000, b'a', LONG), (300, b'b', LONG)]);
    assert_eq!(cache.marked(SHELF, &longer_life, &rule), used(2_300, 0, 0));
    cache.pass(ONE_HOUR_MS);
    assert_eq!(cache.marked(SHELF, &longer_life, &rule), used(2_300, 0, 0));
}

#[test]
fn a_mark_finds_an_older_one_only_so_far_back() {
    let rule = Caching::default();
    for (between, found) in [(LOOK_BACK_BLOCKS - 1, true), (LOOK_BACK_BLOCKS, false)] {
        let mut cache = PromptCache::default();
        cache.marked(SHELF, &prompt(&[(2_000, b'a', SHORT)]), &rule);
        let mut blocks = vec![(2_000, b'a', None)];
        blocks.extend((0..between).map(|_| (10, b'b', None)));
        blocks.push((10, b'c', SHORT));
        let read = cache.marked(SHELF, &prompt(&blocks), &rule).read;
        assert_eq!(
            read,
            if found { 2_000 } else { 0 },
            "{between} blocks between"
        );
    }
}

#[test]
fn what_is_not_used_lapses_and_each_use_renews_it() {
    let rule = Caching::default();
    let sent = prompt(&[(2_048, b'a', SHORT)]);
    for read in [PromptCache::automatic, PromptCache::marked] {
        let mut cache = PromptCache::default();
        let mut reads_after = |pause_ms: u64| {
            cache.pass(pause_ms);
            read(&mut cache, SHELF, &sent, &rule).read
        };
        assert_eq!(reads_after(0), 0);
        assert_eq!(reads_after(rule.idle_ms), 2_048);
        assert_eq!(
            reads_after(rule.idle_ms),
            2_048,
            "the use before renewed it"
        );
        assert_eq!(reads_after(rule.idle_ms + 1), 0);
        assert_eq!(reads_after(0), 2_048, "it was written anew");
    }
}

#[test]
fn a_cache_may_lapse_however_often_it_is_used() {
    let rule = Caching {
        reads_do_not_renew: true,
        ..Caching::default()
    };
    let sent = prompt(&[(2_048, b'a', SHORT)]);
    for read in [PromptCache::automatic, PromptCache::marked] {
        let mut cache = PromptCache::default();
        let mut reads_after = |pause_ms: u64| {
            cache.pass(pause_ms);
            read(&mut cache, SHELF, &sent, &rule).read
        };
        assert_eq!(reads_after(0), 0);
        assert_eq!(reads_after(200_000), 2_048);
        assert_eq!(reads_after(200_000), 0);
    }
}

#[test]
fn an_evicted_cache_is_empty() {
    let rule = Caching::default();
    let mut cache = PromptCache::default();
    let prompt = prompt(&[(2_000, b'a', None)]);
    cache.automatic(SHELF, &prompt, &rule);
    cache.evict();
    assert_eq!(cache.automatic(SHELF, &prompt, &rule).read, 0);
}

#[test]
fn memory_is_bounded() {
    let mut cache = PromptCache::default();
    for hash in 0..70_000 {
        cache.remember(hash, 1, true);
    }
    assert_eq!(
        (cache.known.len(), cache.order.len()),
        (PREFIXES_MAX, PREFIXES_MAX)
    );
}
