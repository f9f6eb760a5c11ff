//! A session to replay: what a coding agent asks, turn by turn, and what a provider alone would
//! charge for it. `sessions/README.md` says where it comes from.
//!
//! Sizes come from the trace, words from a seed, so equal sessions are equal to the byte.

mod words;

use std::ops::Range;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    behaviour::UsageFigures, dialect::Dialect, profile::Caching, prompt_cache::PromptCache,
};
use words::Words;

const CODING_AGENT: &str = include_str!("../sessions/coding-agent.json");

/// Nothing is shrunk below this: a tenth of a sentence says nothing.
const TOKENS_MIN: u64 = 4;

/// A coding agent's conversation over many turns.
#[derive(Debug, Clone)]
pub struct Session {
    trace: Trace,
    number: u64,
    divisor: u64,
}

#[derive(Debug, Clone, Deserialize)]
struct Trace {
    seed: u64,
    max_tokens: u64,
    system: u64,
    opening: u64,
    tools: Vec<Tool>,
    turns: Vec<Turn>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    name: String,
    description: u64,
    parameters: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    says: u64,
    #[serde(default)]
    calls: Vec<Call>,
    /// What the person says next; absent where tools are called, and at the end.
    user: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    tool: String,
    arguments: u64,
    result: u64,
}

impl Session {
    /// The modelled coding agent: 50 turns, up to about 116,000 tokens.
    pub fn coding_agent() -> Self {
        Self {
            trace: serde_json::from_str(CODING_AGENT).expect("a test reads the trace"),
            number: 0,
            divisor: 1,
        }
    }

    /// Another conversation of the same shape: same system prompt and tools, other words.
    #[must_use]
    pub fn numbered(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// Everything smaller by this factor, for tests that have no time.
    #[must_use]
    pub fn shrunk(mut self, divisor: u64) -> Self {
        self.divisor = divisor.max(1);
        self
    }

    /// How many requests it has.
    pub fn turns(&self) -> usize {
        self.trace.turns.len()
    }

    /// The bodies of its requests, in order: Chat Completions, with nothing in them about
    /// sessions, routing or streaming.
    pub fn requests(&self, model: &str) -> Vec<Value> {
        let tools = self.tools();
        let (messages, ends) = self.messages();
        ends.into_iter()
            .map(|end| {
                json!({
                    "model": model,
                    "messages": messages[..end],
                    "tools": tools,
                    "max_tokens": self.size(self.trace.max_tokens),
                })
            })
            .collect()
    }

    /// What a provider reports that serves these turns, and has seen nothing of the others, given
    /// how it caches. It is computed with the caches that the simulator answers from.
    ///
    /// # Panics
    /// When there are no such turns.
    pub fn forecast(&self, turns: Range<usize>, caching: &Caching) -> Vec<UsageFigures> {
        let mut cache = PromptCache::default();
        let dialect = Dialect::OpenAiChat;
        let requests = self.requests("any");
        turns
            .map(|turn| {
                let asked = dialect
                    .read(&requests[turn])
                    .expect("the session's own requests are well formed");
                let used = dialect.use_cache(&mut cache, &asked, caching);
                UsageFigures {
                    input: Some(asked.prompt.tokens()),
                    cache_read: Some(used.read),
                    cache_write: Some(used.written),
                    cache_write_1h: Some(used.written_for_an_hour),
                    output: Some(self.output_tokens(turn)),
                    reasoning: Some(0),
                }
            })
            .collect()
    }

    /// What the answer of a turn is to be charged as: its text and the arguments of its calls.
    fn output_tokens(&self, turn: usize) -> u64 {
        let turn = &self.trace.turns[turn];
        let arguments = turn.calls.iter().map(|call| self.size(call.arguments));
        self.size(turn.says) + arguments.sum::<u64>()
    }

    fn size(&self, tokens: u64) -> u64 {
        (tokens / self.divisor).max(TOKENS_MIN)
    }

    fn tools(&self) -> Vec<Value> {
        let mut words = Words::of(self.trace.seed);
        let tool = |tool: &Tool| {
            let properties: Map<String, Value> = tool
                .parameters
                .iter()
                .map(|name| {
                    let property = json!({ "type": "string", "description": words.take(8) });
                    (name.clone(), property)
                })
                .collect();
            json!({
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": words.take(self.size(tool.description)),
                    "parameters": {
                        "type": "object",
                        "properties": properties,
                        "required": tool.parameters,
                    },
                },
            })
        };
        self.trace.tools.iter().map(tool).collect()
    }

    /// All messages, and where each turn's request ends.
    fn messages(&self) -> (Vec<Value>, Vec<usize>) {
        let mut words = Words::of(!self.trace.seed);
        let system = words.take(self.size(self.trace.system));
        let mut words = Words::of(self.trace.seed ^ self.number.wrapping_add(1));
        let opening = self.told(0, &words.take(self.size(self.trace.opening)));
        let mut messages = vec![
            json!({ "role": "system", "content": system }),
            json!({ "role": "user", "content": opening }),
        ];
        let mut ends = Vec::with_capacity(self.turns());
        for (number, turn) in self.trace.turns.iter().enumerate() {
            ends.push(messages.len());
            messages.push(self.answer(number, turn, &mut words));
            for (place, call) in turn.calls.iter().enumerate() {
                messages.push(json!({
                    "role": "tool",
                    "tool_call_id": call_id(number, place),
                    "content": self.told(number + 1, &words.take(self.size(call.result))),
                }));
            }
            if let Some(tokens) = turn.user {
                let content = self.told(number + 1, &words.take(self.size(tokens)));
                messages.push(json!({ "role": "user", "content": content }));
            }
        }
        (messages, ends)
    }

    fn answer(&self, number: usize, turn: &Turn, words: &mut Words) -> Value {
        let mut message = json!({
            "role": "assistant",
            "content": words.take(self.size(turn.says)),
        });
        let calls: Vec<Value> = turn
            .calls
            .iter()
            .enumerate()
            .map(|(place, call)| {
                json!({
                    "id": call_id(number, place),
                    "type": "function",
                    "function": { "name": call.tool, "arguments": self.arguments(call, words) },
                })
            })
            .collect();
        if !calls.is_empty() {
            message["tool_calls"] = Value::Array(calls);
        }
        message
    }

    /// A JSON object with the tool's parameters, the text shared out among them.
    fn arguments(&self, call: &Call, words: &mut Words) -> String {
        let tool = self.trace.tools.iter().find(|tool| tool.name == call.tool);
        let parameters = tool.map_or(&[][..], |tool| &tool.parameters);
        let share = self.size(call.arguments) / parameters.len().max(1) as u64;
        let arguments: Map<String, Value> = parameters
            .iter()
            .map(|name| {
                // A line's end would be two bytes here, and conversations weigh the same.
                let text = words.take(share.max(1)).replace('\n', " ");
                (name.clone(), json!(text))
            })
            .collect();
        Value::Object(arguments).to_string()
    }

    /// A message that a turn's request ends with, telling the simulator what to report.
    fn told(&self, turn: usize, text: &str) -> String {
        let output = self.output_tokens(turn.min(self.turns() - 1));
        format!("[[sim: usage=out:{output}]]\n{text}")
    }
}

fn call_id(turn: usize, place: usize) -> String {
    format!("call_{turn:04}_{place}")
}

#[cfg(test)]
mod tests;
