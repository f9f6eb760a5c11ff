//! Makes up an answer: what is said, which tools are called, why it ends, what it used.

use crate::{
    asked::{Asked, Format, ToolChoice},
    behaviour::{Answer, ToolCall},
    prompt_cache::CacheUse,
    schema_sample,
};

/// What a reasoning model thinks.
pub(crate) const THOUGHT: &str = "The question arrived in full, so first I weigh what is asked \
    for, then I choose the shortest honest answer, and only then do I write it down.";

const SHOWN_RESULT_CHARS_MAX: usize = 200;
const ARGUMENT_PIECE_BYTES: usize = 6;
const JSON_PIECE_BYTES: usize = 8;

/// An answer, cut into tokens, ready to be written in any dialect.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Tells this answer's ids from others.
    pub(crate) number: u64,
    pub(crate) created_seconds: i64,
    pub(crate) model: String,
    pub(crate) reasoning: Vec<String>,
    pub(crate) text: Vec<String>,
    pub(crate) calls: Vec<Call>,
    pub(crate) finish: Finish,
    /// `None`: usage is not reported.
    pub(crate) usage: Option<Usage>,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    StopSequence(String),
    Length,
    ToolCalls,
    /// The dialect's own word, given from outside.
    Verbatim(String),
}

/// Tokens used. `input` counts what was cached as well, `output` counts reasoning as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
    /// Of the written: to live for an hour.
    pub(crate) cache_write_for_an_hour: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

/// What is the same for every answer of a provider.
pub(crate) struct Speaker<'a> {
    pub(crate) provider: &'a str,
    pub(crate) number: u64,
    pub(crate) created_seconds: i64,
}

/// Answers `asked`, as far as `answer` leaves it open.
pub(crate) fn compose(
    speaker: &Speaker<'_>,
    asked: &Asked,
    answer: &Answer,
    cache: CacheUse,
) -> Reply {
    let mut budget = asked.max_tokens.unwrap_or(u64::MAX);
    let mut finish = Finish::Stop;

    let thought = match &answer.reasoning {
        Some(text) => text.as_str(),
        None if asked.reasoning => THOUGHT,
        None => "",
    };
    let reasoning = take(words(thought), &mut budget, &mut finish);

    let (mut text, mut calls) = (Vec::new(), Vec::new());
    let wanted = wanted_calls(asked, answer);
    if wanted.is_empty() {
        text = say(speaker, asked, answer, &mut finish);
        text = take(text, &mut budget, &mut finish);
    } else {
        finish = Finish::ToolCalls;
        for call in wanted {
            let arguments = call
                .arguments
                .unwrap_or_else(|| sample_arguments(asked, &call.name));
            let arguments = pieces(&arguments, ARGUMENT_PIECE_BYTES);
            let arguments = take(arguments, &mut budget, &mut finish);
            calls.push(Call {
                name: call.name,
                arguments,
            });
        }
    }
    if let Some(reason) = &answer.finish_reason {
        finish = Finish::Verbatim(reason.clone());
    }

    let written = text.len() + calls.iter().map(|call| call.arguments.len()).sum::<usize>();
    let usage = usage(asked, answer, cache, written, reasoning.len());
    Reply {
        number: speaker.number,
        created_seconds: speaker.created_seconds,
        model: answer.model.clone().unwrap_or_else(|| asked.model.clone()),
        reasoning,
        text,
        calls,
        finish,
        usage: Some(usage),
    }
}

fn usage(asked: &Asked, answer: &Answer, cache: CacheUse, written: usize, thought: usize) -> Usage {
    let figures = &answer.usage;
    let [written, thought] = [written, thought].map(|tokens| tokens as u64);
    let input = figures.input.unwrap_or_else(|| asked.prompt.tokens());
    let cache_write = figures.cache_write.unwrap_or(cache.written).min(input);
    let for_an_hour = figures.cache_write_1h.unwrap_or(cache.written_for_an_hour);
    Usage {
        input,
        cache_read: figures.cache_read.unwrap_or(cache.read).min(input),
        cache_write,
        cache_write_for_an_hour: for_an_hour.min(cache_write),
        output: figures.output.unwrap_or(written + thought),
        reasoning: figures.reasoning.unwrap_or(thought),
    }
}

/// The tools to call; empty: speak.
fn wanted_calls(asked: &Asked, answer: &Answer) -> Vec<ToolCall> {
    let call = |name: &str| ToolCall {
        name: name.to_owned(),
        arguments: None,
    };
    if !answer.tool_calls.is_empty() {
        return answer.tool_calls.clone();
    }
    if answer.text.is_some() || answer.tokens.is_some() || !asked.tool_results.is_empty() {
        return Vec::new();
    }
    match &asked.tool_choice {
        ToolChoice::None => Vec::new(),
        ToolChoice::Named(name) => vec![call(name)],
        ToolChoice::Any => {
            let named = tools_named_in_question(asked);
            let first = asked.tools.first().map(|tool| tool.name.as_str());
            let names = if named.is_empty() {
                first.into_iter().collect()
            } else {
                named
            };
            names.into_iter().map(call).collect()
        }
        ToolChoice::Auto => tools_named_in_question(asked)
            .into_iter()
            .map(call)
            .collect(),
    }
}

fn tools_named_in_question(asked: &Asked) -> Vec<&str> {
    let question = asked.last_user_text.to_lowercase();
    asked
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .filter(|name| {
            let name = name.to_lowercase();
            question.contains(&name) || question.contains(&name.replace(['_', '-'], " "))
        })
        .collect()
}

fn sample_arguments(asked: &Asked, name: &str) -> String {
    asked
        .tools
        .iter()
        .find(|tool| tool.name == name)
        .map_or_else(
            || "{}".to_owned(),
            |tool| schema_sample::sample(&tool.schema).to_string(),
        )
}

fn say(speaker: &Speaker<'_>, asked: &Asked, answer: &Answer, finish: &mut Finish) -> Vec<String> {
    if let Some(tokens) = answer.tokens {
        let sentence = words(answer.text.as_deref().unwrap_or(FILLER));
        let tokens = usize::try_from(tokens.min(crate::directive::TOKENS_MAX)).unwrap_or(0);
        // The filler begins without a space, so every round after the first needs one.
        return sentence
            .iter()
            .cycle()
            .take(tokens)
            .enumerate()
            .map(|(index, word)| match index {
                0 => word.clone(),
                _ if word.starts_with(char::is_whitespace) => word.clone(),
                _ => format!(" {word}"),
            })
            .collect();
    }
    let text = match (&answer.text, &asked.format) {
        (Some(text), _) => text.clone(),
        (None, Format::Text) => default_text(speaker, asked),
        (None, Format::Json) => {
            let text = serde_json::json!({ "answer": "simulated", "model": asked.model });
            return pieces(&text.to_string(), JSON_PIECE_BYTES);
        }
        (None, Format::Schema(schema)) => {
            return pieces(&schema_sample::sample(schema).to_string(), JSON_PIECE_BYTES);
        }
    };
    let first_stop = asked
        .stop
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| text.find(stop.as_str()).map(|at| (at, stop)))
        .min();
    match first_stop {
        Some((at, stop)) => {
            *finish = Finish::StopSequence(stop.clone());
            words(&text[..at])
        }
        None => words(&text),
    }
}

const FILLER: &str = "Tokens arrive one by one, each a small promise kept, \
    until the last of them is counted and the stream comes to rest.";

fn default_text(speaker: &Speaker<'_>, asked: &Asked) -> String {
    let (model, provider) = (&asked.model, speaker.provider);
    if !asked.tool_results.is_empty() {
        let mut text = String::from("Here is what the tools found.");
        for result in &asked.tool_results {
            let shown: String = result.text.chars().take(SHOWN_RESULT_CHARS_MAX).collect();
            text.push_str(&format!(" `{}` answered: {shown}.", result.name));
        }
        text.push_str(" That settles the question, as far as a simulated model can tell.");
        return text;
    }
    let mut text = format!(
        "Hello! I am {model}, played by the simulator behind provider {provider}. \
         I read your request to the end and understood that you would like an answer, \
         so here is one: a few sentences at the pace of a real model, counted token by token. \
         With a real provider key in place, the very same request would reach the real {model}."
    );
    match asked.images {
        0 => {}
        1 => text.push_str(" One image came along, and I looked at it."),
        images => text.push_str(&format!(
            " {images} images came along, and I looked at them."
        )),
    }
    match asked.files {
        0 => {}
        1 => text.push_str(" One file came along, too."),
        files => text.push_str(&format!(" {files} files came along, too.")),
    }
    text
}

/// As many tokens as the budget still allows; cutting any makes the answer end for its length.
fn take(mut tokens: Vec<String>, budget: &mut u64, finish: &mut Finish) -> Vec<String> {
    let allowed = usize::try_from(*budget).unwrap_or(usize::MAX);
    if tokens.len() > allowed {
        tokens.truncate(allowed);
        *finish = Finish::Length;
    }
    *budget -= tokens.len() as u64;
    tokens
}

/// Words with the space before them, much as tokenizers cut.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut after_letter = true;
    for letter in text.chars() {
        let space = letter.is_whitespace();
        match words.last_mut() {
            Some(word) if !(space && after_letter) => word.push(letter),
            _ => words.push(letter.to_string()),
        }
        after_letter = !space;
    }
    words
}

/// Pieces of at most `bytes` bytes that do not cut letters.
fn pieces(text: &str, bytes: usize) -> Vec<String> {
    let mut pieces = Vec::with_capacity(text.len() / bytes + 1);
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, remaining) = rest.split_at(rest.ceil_char_boundary(bytes.min(rest.len())));
        pieces.push(piece.to_owned());
        rest = remaining;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_loses_nothing() {
        for text in [
            "",
            "one",
            " lead",
            "two words",
            "a  b\n\nc ",
            "{\"é\": \"日本語\"}",
        ] {
            assert_eq!(words(text).concat(), text);
            assert_eq!(pieces(text, 3).concat(), text);
        }
        assert_eq!(words("Hi there  you"), ["Hi", " there", "  you"]);
    }

    #[test]
    fn a_default_answer_is_worth_showing() {
        let speaker = Speaker {
            provider: "alpha",
            number: 1,
            created_seconds: 0,
        };
        let asked = Asked {
            model: "acme/one".to_owned(),
            images: 2,
            ..Asked::default()
        };
        let reply = compose(&speaker, &asked, &Answer::default(), CacheUse::default());
        let text = reply.text.concat();
        assert!(
            text.contains("acme/one") && text.contains("alpha"),
            "{text}"
        );
        assert!(text.contains("2 images"), "{text}");
        assert!(
            (40..=90).contains(&reply.text.len()),
            "{} tokens",
            reply.text.len()
        );
        assert_eq!(reply.finish, Finish::Stop);
    }
}
