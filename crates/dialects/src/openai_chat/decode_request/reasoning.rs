//! `reasoning_details`: the reasoning blocks that a client sends back, or a provider answers with.

use switchyard_domain::secret::Private;
use switchyard_interchange::message::{REASONING_UNKNOWN, Reasoning, ReasoningContent};

use crate::openai_chat::wire_request::WireReasoningDetail;

/// Reads the blocks in order. Fragments of one block, as a client gets them from a stream and may
/// send them back unjoined, are joined; kinds we do not know are skipped.
pub(crate) fn read_details(details: Vec<WireReasoningDetail<'_>>) -> Vec<Reasoning> {
    let mut blocks: Vec<Reasoning> = Vec::new();
    let mut last_index = None;
    for detail in details {
        let index = detail.index;
        let Some(block) = read_detail(detail) else {
            continue;
        };
        let continues = index.is_some() && index == last_index;
        last_index = index;
        match blocks.last_mut() {
            Some(open) if continues && open.format == block.format => {
                if let Some(rest) = join(open, block) {
                    blocks.push(rest);
                }
            }
            _ => blocks.push(block),
        }
    }
    blocks
}

fn read_detail(detail: WireReasoningDetail<'_>) -> Option<Reasoning> {
    let content = match detail.kind.as_deref()? {
        "reasoning.text" => ReasoningContent::Text {
            text: detail.text.unwrap_or_default().into(),
            signature: detail.signature.filter(|signature| !signature.is_empty()),
        },
        "reasoning.summary" => ReasoningContent::Summary {
            text: detail.summary.unwrap_or_default().into(),
        },
        "reasoning.encrypted" => ReasoningContent::Encrypted {
            data: detail.data?.into(),
        },
        _ => return None,
    };
    Some(Reasoning {
        content,
        id: detail.id,
        format: detail
            .format
            .unwrap_or_else(|| REASONING_UNKNOWN.to_owned()),
    })
}

/// Appends `next` to `open` where both are pieces of one block; gives it back where not.
fn join(open: &mut Reasoning, next: Reasoning) -> Option<Reasoning> {
    match (&mut open.content, &next.content) {
        (
            ReasoningContent::Text {
                text,
                signature: signature @ None,
            },
            ReasoningContent::Text {
                text: more,
                signature: end,
            },
        ) => {
            append(text, more.expose());
            signature.clone_from(end);
            None
        }
        (ReasoningContent::Summary { text }, ReasoningContent::Summary { text: more }) => {
            append(text, more.expose());
            None
        }
        _ => Some(next),
    }
}

fn append(text: &mut Private<String>, more: &str) {
    let mut joined = std::mem::take(text).into_inner();
    joined.push_str(more);
    *text = joined.into();
}
