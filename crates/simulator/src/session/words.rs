//! Words without meaning, the same for the same seed.

/// Four letters or less, so that a word and the space after it are about a token; none is a
/// tool's name.
const VOCABULARY: [&str; 64] = [
    "arc", "base", "bind", "body", "cell", "code", "cost", "data", "deck", "dock", "edge", "end",
    "fee", "flag", "flow", "form", "gate", "goal", "grid", "half", "head", "heap", "hold", "hook",
    "id", "item", "join", "key", "kind", "lane", "last", "leaf", "line", "link", "lock", "loop",
    "main", "map", "mark", "mode", "name", "next", "node", "pair", "part", "path", "peer", "pool",
    "port", "rank", "rate", "rule", "seed", "size", "slot", "sort", "span", "step", "tail", "task",
    "term", "tick", "tree", "unit",
];
const BYTES_PER_TOKEN: usize = 4;

/// A source of text.
#[derive(Debug)]
pub(super) struct Words {
    state: u64,
}

impl Words {
    pub(super) fn of(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Text of so many tokens, to the byte.
    pub(super) fn take(&mut self, tokens: u64) -> String {
        let bytes = usize::try_from(tokens)
            .map_or(usize::MAX, |tokens| tokens.saturating_mul(BYTES_PER_TOKEN));
        let mut text = String::with_capacity(bytes.saturating_add(8));
        while text.len() < bytes {
            let draw = self.draw();
            text.push_str(VOCABULARY[(draw % 64) as usize]);
            // A line now and then, as in code.
            text.push(if draw >> 60 == 0 { '\n' } else { ' ' });
        }
        text.truncate(bytes);
        text
    }

    /// One step of `SplitMix64`.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
