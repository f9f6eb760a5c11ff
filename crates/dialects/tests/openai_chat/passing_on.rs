//! Recorded answers pass through to clients of the same format.

use bytes::Bytes;
use serde_json::Value;
use switchyard_dialects::openai_chat::{StreamEncoder, decode_completion, encode_completion};
use switchyard_interchange::{event::ChatEvent, reply::PublicFailure};

use super::{
    corpus::{self, Case, head, tail},
    validator::{check_completion, check_stream},
};

/// Writes a decoded stream to a client; with `verbatim` off, from its events alone.
fn pass_on(case: &Case, verbatim: bool) -> Vec<u8> {
    let mut encoder = StreamEncoder::new(head());
    let mut out = Vec::new();
    let mut broken = false;
    for mut step in case.decode_stream().unwrap_or_default() {
        if !verbatim {
            step.verbatim = None;
        }
        broken |= step
            .events
            .iter()
            .any(|event| matches!(event, ChatEvent::Error(_)));
        encoder.step(&step, &mut out);
    }
    if broken {
        encoder.fail(&failure(), &mut out);
    } else {
        encoder.finish(&tail(), &mut out);
    }
    out
}

fn failure() -> PublicFailure {
    PublicFailure {
        status: 502,
        error_type: "provider_unavailable",
        message: "the provider broke off".to_owned(),
        retry_after: None,
        metadata: None,
        availability: None,
    }
}

/// What a client puts together from chunks.
#[derive(Debug, Default, PartialEq)]
struct Assembled {
    text: String,
    reasoning: String,
    refusal: String,
    /// Id, name and arguments.
    calls: Vec<[String; 3]>,
    reasons: Vec<String>,
}

fn assemble(chunks: &[Value]) -> Assembled {
    let mut whole = Assembled::default();
    for chunk in chunks {
        let choice = &chunk["choices"][0];
        let delta = &choice["delta"];
        whole.text += delta["content"].as_str().unwrap_or_default();
        whole.reasoning += delta["reasoning"].as_str().unwrap_or_default();
        whole.refusal += delta["refusal"].as_str().unwrap_or_default();
        whole
            .reasons
            .extend(choice["finish_reason"].as_str().map(str::to_owned));
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = call["index"].as_u64().expect("every fragment is numbered") as usize;
            if whole.calls.len() <= index {
                whole.calls.resize(index + 1, Default::default());
            }
            let function = &call["function"];
            for (field, value) in [&call["id"], &function["name"], &function["arguments"]]
                .into_iter()
                .enumerate()
            {
                whole.calls[index][field] += value.as_str().unwrap_or_default();
            }
        }
    }
    whole
}

#[test]
fn spliced_and_rewritten_streams_say_the_same() {
    let mut seen = 0;
    for case in corpus::all().into_iter().filter(Case::is_stream) {
        let spliced = check_stream(&pass_on(&case, true));
        let rewritten = check_stream(&pass_on(&case, false));
        assert_eq!(assemble(&spliced), assemble(&rewritten), "{}", case.id);
        seen += 1;
    }
    assert!(seen > 25);
}

#[test]
fn spliced_and_rewritten_completions_say_the_same() {
    let mut seen = 0;
    for case in corpus::all() {
        if case.status != 200 || case.is_stream() {
            continue;
        }
        let mut completion =
            decode_completion(Bytes::from(case.body)).expect("the answer is well formed");
        let spliced = check_completion(&encode_completion(&head(), &completion, &tail()));
        completion.verbatim = None;
        let rewritten = check_completion(&encode_completion(&head(), &completion, &tail()));
        for (body, other) in [(&spliced, &rewritten), (&rewritten, &spliced)] {
            let choice = &body["choices"][0];
            let other = &other["choices"][0];
            assert_eq!(
                choice["finish_reason"], other["finish_reason"],
                "{}",
                case.id
            );
            let (message, other) = (&choice["message"], &other["message"]);
            let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
            assert_eq!(text(message), text(other), "{}", case.id);
            assert_eq!(message["reasoning"], other["reasoning"], "{}", case.id);
            assert_eq!(
                message["refusal"].as_str(),
                other["refusal"].as_str(),
                "{}",
                case.id
            );
            for (call, same) in message["tool_calls"]
                .as_array()
                .into_iter()
                .flatten()
                .zip(other["tool_calls"].as_array().into_iter().flatten())
            {
                assert_eq!(call["id"], same["id"]);
                assert_eq!(call["function"], same["function"]);
            }
        }
        seen += 1;
    }
    assert!(seen > 20);
}

#[test]
fn fields_nobody_knows_reach_the_client_byte_for_byte() {
    let odd = r#"{"a":[1.0,18446744073709551616,"\u00e9"]}"#;
    let body = format!(
        r#"{{"id":"x","x_odd":{odd},"choices":[{{"index":0,"odd":{odd},"message":{{"role":"assistant","content":"hi","odd":{odd}}},"finish_reason":"stop"}}]}}"#
    );
    let completion = decode_completion(Bytes::from(body)).expect("the answer is well formed");
    let out = encode_completion(&head(), &completion, &tail());
    check_completion(&out);
    assert_eq!(
        String::from_utf8(out)
            .expect("the answer is well formed")
            .matches(odd)
            .count(),
        3
    );

    let chunk = format!(
        r#"{{"id":"x","x_odd":{odd},"choices":[{{"index":0,"odd":{odd},"delta":{{"content":"hi","odd":{odd}}},"finish_reason":"stop"}}]}}"#
    );
    let steps = corpus::decode_payloads(vec![(None, Bytes::from(chunk))])
        .expect("the answer is well formed");
    let mut encoder = StreamEncoder::new(head());
    let mut out = Vec::new();
    steps.iter().for_each(|step| encoder.step(step, &mut out));
    encoder.finish(&tail(), &mut out);
    check_stream(&out);
    assert_eq!(
        String::from_utf8(out)
            .expect("the answer is well formed")
            .matches(odd)
            .count(),
        3
    );
}
