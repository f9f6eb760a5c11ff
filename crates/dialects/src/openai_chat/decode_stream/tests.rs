use switchyard_interchange::event::{Delta, PartKind};

use super::*;

/// What a stream of these chunks says, one word per event.
fn say(chunks: &[&str]) -> Result<String, Failure> {
    let mut decoder = StreamDecoder::new();
    let mut said: Vec<String> = Vec::new();
    for chunk in chunks {
        let step = decoder.event(Bytes::copy_from_slice(chunk.as_bytes()), None)?;
        said.extend(step.events.iter().filter_map(word));
        said.extend(
            step.verbatim
                .is_none()
                .then(|| "~".to_owned())
                .filter(|_| *chunk != "[DONE]"),
        );
    }
    said.extend(decoder.end()?.events.iter().filter_map(word));
    Ok(said.join(" "))
}

fn word(event: &ChatEvent) -> Option<String> {
    Some(match event {
        ChatEvent::Start { .. } => return None,
        ChatEvent::PartStart { part, kind } => match kind {
            PartKind::Text => format!("{part}:text"),
            PartKind::Refusal => format!("{part}:refusal"),
            PartKind::Reasoning { .. } => format!("{part}:reasoning"),
            PartKind::ReasoningSummary { .. } => format!("{part}:summary"),
            PartKind::EncryptedReasoning { data, .. } => {
                format!("{part}:encrypted={}", data.expose())
            }
            PartKind::ToolCall { id, name } => format!("{part}:{name}#{id}"),
        },
        ChatEvent::Delta { part, delta } => match delta {
            Delta::Text(text) | Delta::Arguments(text) => format!("{part}+{}", text.expose()),
            Delta::Signature(signature) => format!("{part}+S={signature}"),
            Delta::Citation(citation) => format!("{part}+C={}", citation.url),
        },
        ChatEvent::PartStop { part } => format!("{part}."),
        ChatEvent::Finish(finish) => format!("{:?}", finish.reason),
        ChatEvent::Usage(usage) => format!("usage={}", usage.tokens.output_total()),
        ChatEvent::Error(failure) => format!("error={}", failure.kind.as_str()),
    })
}

fn delta(delta: &str) -> String {
    format!(r#"{{"id":"a","choices":[{{"index":0,"delta":{delta}}}]}}"#)
}

fn call(fragment: &str) -> String {
    delta(&format!(r#"{{"tool_calls":[{fragment}]}}"#))
}

const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

#[track_caller]
fn says(chunks: &[&str], words: &str) {
    assert_eq!(say(chunks).unwrap(), words);
}

#[test]
fn endings() {
    let hi = &delta(r#"{"content":"hi"}"#);
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    says(
        &[hi, STOP, usage, "[DONE]"],
        "0:text 0+hi 0. Stop usage=2 ~",
    );
    says(&[hi, STOP, usage], "0:text 0+hi 0. Stop usage=2 ~");
    says(
        &[hi, STOP, STOP, "[DONE]", "trailing bytes"],
        "0:text 0+hi 0. Stop ~",
    );
    says(&[hi, "[DONE]"], "0:text 0+hi 0. Stop");
    says(
        &[usage, hi, usage, STOP, usage],
        "usage=2 ~ 0:text 0+hi ~ 0. Stop ~",
    );
    for cut in [&[][..], &[hi.as_str()], &[hi.as_str(), usage]] {
        assert_eq!(say(cut).unwrap_err().kind, FailureKind::Protocol, "{cut:?}");
    }
    assert_eq!(
        say(&["[DONE]"]).unwrap_err().kind,
        FailureKind::Protocol,
        "no answer at all"
    );
    assert_eq!(say(&[hi, "{"]).unwrap_err().kind, FailureKind::Protocol);
}

#[test]
fn errors() {
    let hi = &delta(r#"{"content":"hi"}"#);
    for (chunk, words) in [
        (
            r#"{"error":{"message":"x","code":429}}"#,
            "0:text 0+hi error=rate_limit ~",
        ),
        (
            r#"{"error":{"code":502,"message":"x"},"choices":[{"delta":{},"finish_reason":"error"}],"usage":{"completion_tokens":3}}"#,
            "0:text 0+hi usage=3 error=server_error ~",
        ),
        (
            r#"{"choices":[{"delta":{},"error":{"code":503}}]}"#,
            "0:text 0+hi error=overloaded ~",
        ),
        (
            r#"{"choices":[{"delta":{},"finish_reason":"network_error"}],"usage":{"completion_tokens":3}}"#,
            "0:text 0+hi usage=3 error=server_error ~",
        ),
        (
            r#"{"code":500,"message":"x","object":"error"}"#,
            "0:text 0+hi error=server_error ~",
        ),
    ] {
        says(&[hi, chunk], words);
    }
    says(
        &[
            r#"{"error":null,"choices":[{"delta":{"content":"hi"}}]}"#,
            STOP,
        ],
        "0:text 0+hi 0. Stop",
    );
    let mut decoder = StreamDecoder::new();
    let step = decoder
        .event(Bytes::from_static(br#"{"message":"x"}"#), Some("error"))
        .unwrap();
    assert!(matches!(step.events[..], [ChatEvent::Error(_)]));
}

#[test]
fn words() {
    says(
        &[
            &delta(r#"{"role":"assistant","content":null}"#),
            &delta(r#"{"reasoning":"r","reasoning_content":"r"}"#),
            &delta(r#"{"reasoning_content":"s","content":""}"#),
            &delta(r#"{"content":"t"}"#),
            &delta(r#"{"content":[{"type":"text","text":"u"}]}"#),
            &delta(r#"{"refusal":"no"}"#),
            STOP,
        ],
        "0:reasoning 0+r 0+s 0. 1:text 1+t 1+u ~ 1. 2:refusal 2+no 2. Refusal",
    );
    says(
        &[
            &delta(
                r#"{"reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a","index":0}]}"#,
            ),
            &delta(
                r#"{"reasoning_details":[{"type":"reasoning.text","signature":"S1","index":0}]}"#,
            ),
            &delta(
                r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"E","index":1}]}"#,
            ),
            &delta(r#"{"reasoning_details":[{"type":"reasoning.text","text":"b","index":2}]}"#),
            STOP,
        ],
        "0:reasoning 0+a 0+S=S1 0. 1:encrypted=E 1. 2:reasoning 2+b 2. Stop",
    );
    says(
        &[
            &delta(r#"{"content":"\ud83d"}"#),
            &delta(r#"{"content":"\ude00"}"#),
            STOP,
        ],
        "0:text 0+😀 0. Stop",
    );
    says(
        &[r#"{"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]}"#],
        "0:text 0+whole 0. Stop ~",
    );
    says(
        &[
            r#"{"choices":[{"index":1,"delta":{"content":"other"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"first"}},{"index":1,"delta":{"content":"other"}}]}"#,
            STOP,
        ],
        "~ 0:text 0+first ~ 0. Stop",
    );
}

#[test]
fn calls_in_order() {
    says(
        &[
            &call(
                r#"{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":""}}"#,
            ),
            &call(r#"{"index":0,"function":{"arguments":"{}"}}"#),
            &call(
                r#"{"index":1,"id":"y","type":"function","function":{"name":"g","arguments":"[]"}}"#,
            ),
            STOP,
        ],
        "0:f#x 0+{} 1:g#y 1+[] 0. 1. ToolCalls",
    );
}

#[test]
fn calls_as_hosts_send_them() {
    for (what, fragments, words) in [
        (
            "numbers from one, interleaved",
            &[
                r#"{"index":1,"id":"x","function":{"name":"f","arguments":"a"}}"#,
                r#"{"index":2,"id":"y","function":{"name":"g","arguments":"b"}}"#,
                r#"{"index":1,"function":{"arguments":"c"}}"#,
            ][..],
            "0:f#x 0+a ~ 1:g#y 1+b ~ 0+c ~ 0. 1. ToolCalls",
        ),
        (
            "no numbers",
            &[
                r#"{"id":"x","function":{"name":"f","arguments":"a"}}"#,
                r#"{"function":{"arguments":"b"}}"#,
                r#"{"id":"y","function":{"name":"g","arguments":"c"}}"#,
            ],
            "0:f#x 0+a ~ 0+b ~ 1:g#y 1+c ~ 0. 1. ToolCalls",
        ),
        (
            "one number for all",
            &[
                r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"id":"y","function":{"name":"f","arguments":"{}"}}"#,
            ],
            "0:f#x 0+{} 1:f#y 1+{} ~ 0. 1. ToolCalls",
        ),
        (
            "empty and repeated ids and names",
            &[
                r#"{"index":0,"id":"x","function":{"name":"f","arguments":"a"}}"#,
                r#"{"index":0,"id":"","function":{"name":"","arguments":"b"}}"#,
                r#"{"index":0,"id":"x","function":{"name":"f","arguments":"c"}}"#,
                r#"{"index":0,"id":null,"function":{"name":null,"arguments":"d"}}"#,
            ],
            "0:f#x 0+a 0+b ~ 0+c ~ 0+d 0. ToolCalls",
        ),
        (
            "arguments that are no string",
            &[
                r#"{"index":0,"id":"x","function":{"name":"f","arguments":{"n":1.0}}}"#,
                r#"{"index":1,"id":"y","function":{"name":"g","arguments":"null"}}"#,
                r#"{"index":2,"id":"z","function":{"name":"h","arguments":null}}"#,
            ],
            "0:f#x 0+{\"n\":1.0} ~ 1:g#y 2:h#z ~ 0. 1. 2. ToolCalls",
        ),
        (
            "no id",
            &[r#"{"index":0,"function":{"name":"f","arguments":"a"}}"#],
            "0:f#call_a_0 0+a ~ 0. ToolCalls",
        ),
        (
            "the name late",
            &[
                r#"{"index":0,"id":"x","function":{"arguments":"a"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"b"}}"#,
            ],
            "~ 0:f#x 0+a 0+b ~ 0. ToolCalls",
        ),
    ] {
        let mut chunks: Vec<String> = fragments.iter().map(|fragment| call(fragment)).collect();
        chunks.push(STOP.to_owned());
        let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
        assert_eq!(say(&chunks).unwrap(), words, "{what}");
    }
}
