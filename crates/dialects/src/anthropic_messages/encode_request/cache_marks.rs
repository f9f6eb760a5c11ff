//! Cache marks within the provider's rules: at most four, and those of an hour before those of
//! five minutes.

use super::{
    body::{CacheControl, ToolOut},
    conversation::Conversation,
};

/// Marks a request may have, the automatic one included.
const MARKS_MAX: usize = 4;

/// Removes the marks that are too many, the earliest first because later ones cache longer
/// prefixes, and shortens those of an hour that come after a short one. Returns the automatic
/// mark, which acts as the last.
pub(super) fn settle(
    tools: &mut [ToolOut<'_>],
    conversation: &mut Conversation<'_>,
    mut automatic: Option<CacheControl>,
) -> Option<CacheControl> {
    let blocks = conversation.system.iter_mut().chain(
        conversation
            .turns
            .iter_mut()
            .flat_map(|turn| &mut turn.content),
    );
    let mut marks: Vec<&mut Option<CacheControl>> = tools
        .iter_mut()
        .map(|tool| &mut tool.cache_control)
        .chain(blocks.filter_map(|block| block.cache_slot()))
        .chain([&mut automatic])
        .filter(|mark| mark.is_some())
        .collect();
    let excess = marks.len().saturating_sub(MARKS_MAX);
    for mark in marks.drain(..excess) {
        *mark = None;
    }
    let mut short_seen = false;
    for mark in marks {
        short_seen |= *mark == Some(CacheControl::SHORT);
        if short_seen {
            *mark = Some(CacheControl::SHORT);
        }
    }
    automatic
}
