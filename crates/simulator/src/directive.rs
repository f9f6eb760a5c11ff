//! Telling the simulator what to do from inside a prompt, so that `curl` is enough to see a
//! failover. The last user message may hold any number of groups `[[sim: item item …]]`, and so
//! may results of tools that came after it, which then count instead; the same items may stand in
//! an `x-sim` header, or as a string in a script.
//!
//! | Item | Effect |
//! |---|---|
//! | `provider=a,b` | the group is for these providers only |
//! | `status=529`, `retry_after=2` | refuse |
//! | `hang=headers`, `hang=3` | go silent, before the status line or after 3 events |
//! | `stop=3`, `cut=3`, `reset=3` | end the body early: orderly, by closing, by resetting |
//! | `error=3` | an error event after 3 events |
//! | `bad=json`, `utf8`, `garbage`, `line`, `type` | something malformed after 2 events |
//! | `finish=twice`, `none`, or any reason | the finishing event |
//! | `end=none` | no end mark |
//! | `redirect=URL`, `empty=204`, `ok=error` | other answers |
//! | `usage=none`, `usage=in:1000,read:800,write:0,out:50,reasoning:10` | usage; `in` counts all |
//! | `left=requests:0/500,tokens:9000/90000` | what is left of rate limits, as headers |
//! | `tokens=200` | the length of the text |
//! | `tool=NAME` | call the tool |
//! | `reasoning=on`, `off` | think first, or do not |
//! | `delay_ms=500`, `first_ms=500`, `drip_ms=50` | wait: before the status, the first event, each |
//! | `pieces=1`, `comments=3`, `crlf=on`, `stream=off` | framing |

use crate::behaviour::{
    Answer, Behaviour, Flaw, RateLimit, RateLimits, Status, ToolCall, UsageFigures,
};

/// Longer texts are cut to this many tokens.
pub const TOKENS_MAX: u64 = 100_000;
/// Longer waits are cut to this.
pub const DELAY_MS_MAX: u64 = 600_000;

const MALFORMED_AFTER: usize = 2;
const HUGE_LINE_BYTES: usize = 2 * 1_024 * 1_024;

/// An item that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot understand the simulator directive `{item}`")]
pub struct DirectiveError {
    /// The item as written.
    pub item: String,
}

/// What the groups in `text` ask of `provider`; `None` when nothing does.
pub fn find(text: &str, provider: &str) -> Result<Option<Behaviour>, DirectiveError> {
    let mut found = Draft::default();
    let mut rest = text;
    while let Some(start) = rest.find("[[sim:") {
        let group = &rest[start + "[[sim:".len()..];
        let Some(end) = group.find("]]") else { break };
        found.add(&group[..end], provider)?;
        rest = &group[end + 2..];
    }
    Ok(found.finish())
}

/// What the bare items in `items` ask of `provider`.
pub fn parse(items: &str, provider: &str) -> Result<Option<Behaviour>, DirectiveError> {
    let mut found = Draft::default();
    found.add(items, provider)?;
    Ok(found.finish())
}

/// Groups read so far. A refusal or another whole behaviour wins over changes to the answer.
#[derive(Default)]
struct Draft {
    answer: Answer,
    status: Option<Status>,
    whole: Option<Behaviour>,
    redirect: Option<String>,
    limits: RateLimits,
    any: bool,
}

impl Draft {
    fn add(&mut self, group: &str, provider: &str) -> Result<(), DirectiveError> {
        let items: Vec<&str> = group
            .split([' ', ';', '\t', '\n'])
            .filter(|item| !item.is_empty())
            .collect();
        let elsewhere = items
            .iter()
            .filter_map(|item| item.strip_prefix("provider="))
            .any(|list| !list.split(',').any(|name| name == provider));
        if elsewhere {
            return Ok(());
        }
        for item in items {
            self.item(item).ok_or_else(|| DirectiveError {
                item: item.to_owned(),
            })?;
            self.any = true;
        }
        Ok(())
    }

    fn item(&mut self, item: &str) -> Option<()> {
        let (key, value) = item.split_once('=')?;
        match key {
            "provider" => {}
            "status" => {
                let status = value
                    .parse()
                    .ok()
                    .filter(|status| (200..=599).contains(status))?;
                self.status.get_or_insert_default().status = status;
            }
            "retry_after" => {
                self.status.get_or_insert_default().retry_after = Some(value.to_owned());
            }
            "hang" if value == "headers" => self.whole = Some(Behaviour::HangBeforeHeaders),
            "redirect" => self.redirect = Some(value.to_owned()),
            "empty" => {
                self.whole = Some(Behaviour::EmptyBody {
                    status: value.parse().ok()?,
                })
            }
            "ok" if value == "error" => self.whole = Some(Behaviour::ErrorInsideOk),
            "usage" if value != "none" => self.answer.usage = usage(value)?,
            "left" => self.limits = limits(value)?,
            "tokens" => self.answer.tokens = Some(value.parse::<u64>().ok()?.min(TOKENS_MAX)),
            "tool" => self.answer.tool_calls.push(ToolCall {
                name: value.to_owned(),
                arguments: None,
            }),
            "reasoning" => self.answer.reasoning = Some(reasoning(value)?),
            "delay_ms" => self.answer.delay_ms = Some(delay(value)?),
            "first_ms" => self.answer.first_event_delay_ms = Some(delay(value)?),
            "drip_ms" => self.answer.token_delay_ms = Some(delay(value)?),
            "finish" if value != "twice" && value != "none" => {
                self.answer.finish_reason = Some(value.to_owned());
            }
            _ => self.answer.flaws.push(flaw(key, value)?),
        }
        Some(())
    }

    fn finish(mut self) -> Option<Behaviour> {
        if !self.any {
            return None;
        }
        if let Some(location) = self.redirect {
            let status = self.status.map_or(307, |status| status.status);
            return Some(Behaviour::Redirect { status, location });
        }
        if let Some(mut status) = self.status {
            status.delay_ms = self.answer.delay_ms.unwrap_or(0);
            status.limits = self.limits;
            if status.status == 0 {
                status.status = 429;
            }
            return Some(Behaviour::Status(status));
        }
        self.answer.limits = self.limits;
        Some(self.whole.unwrap_or(Behaviour::Answer(self.answer)))
    }
}

fn flaw(key: &str, value: &str) -> Option<Flaw> {
    let after_events = || value.parse().ok();
    Some(match (key, value) {
        ("hang", _) => Flaw::Hang {
            after_events: after_events()?,
        },
        ("stop", _) => Flaw::Stop {
            after_events: after_events()?,
        },
        ("cut", _) => Flaw::Cut {
            after_events: after_events()?,
        },
        ("reset", _) => Flaw::Reset {
            after_events: after_events()?,
        },
        ("error", _) => Flaw::ErrorEvent {
            after_events: after_events()?,
            status: 529,
        },
        ("bad", "json") => Flaw::BadJson {
            after_events: MALFORMED_AFTER,
        },
        ("bad", "utf8") => Flaw::InvalidUtf8 {
            after_events: MALFORMED_AFTER,
        },
        ("bad", "garbage") => Flaw::Garbage {
            after_events: MALFORMED_AFTER,
        },
        ("bad", "line") => Flaw::HugeLine {
            after_events: MALFORMED_AFTER,
            bytes: HUGE_LINE_BYTES,
        },
        ("bad", "type") => Flaw::ContentType {
            value: "text/html".to_owned(),
        },
        ("finish", "twice") => Flaw::FinishTwice,
        ("finish", "none") => Flaw::NoFinish,
        ("end", "none") => Flaw::NoEndMark,
        ("usage", "none") => Flaw::NoUsage,
        ("comments", _) => Flaw::Comments {
            count: value.parse().ok().filter(|&n| n <= 10_000)?,
        },
        ("crlf", "on") => Flaw::CrLf,
        ("pieces", _) => Flaw::Pieces {
            bytes: value.parse().ok().filter(|&bytes| bytes > 0)?,
        },
        ("stream", "off") => Flaw::NoStream,
        _ => return None,
    })
}

fn usage(value: &str) -> Option<UsageFigures> {
    let mut figures = UsageFigures::default();
    for pair in value.split(',') {
        let (key, count) = pair.split_once(':')?;
        let count = Some(count.parse().ok()?);
        match key {
            "in" => figures.input = count,
            "read" => figures.cache_read = count,
            "write" => figures.cache_write = count,
            "write_1h" => figures.cache_write_1h = count,
            "out" => figures.output = count,
            "reasoning" => figures.reasoning = count,
            _ => return None,
        }
    }
    Some(figures)
}

/// `NAME:REMAINING/LIMIT`, separated by commas.
fn limits(value: &str) -> Option<RateLimits> {
    let mut limits = RateLimits::default();
    for pair in value.split(',') {
        let (name, figures) = pair.split_once(':')?;
        let (remaining, limit) = figures.split_once('/')?;
        let told = Some(RateLimit {
            limit: limit.parse().ok()?,
            remaining: remaining.parse().ok()?,
            reset: None,
        });
        match name {
            "requests" => limits.requests = told,
            "tokens" => limits.tokens = told,
            _ => return None,
        }
    }
    Some(limits)
}

fn reasoning(value: &str) -> Option<String> {
    match value {
        "on" => Some(crate::answer::THOUGHT.to_owned()),
        "off" => Some(String::new()),
        _ => None,
    }
}

fn delay(value: &str) -> Option<u64> {
    Some(value.parse::<u64>().ok()?.min(DELAY_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<Behaviour>) {
        assert_eq!(find(text, "alpha"), Ok(expected), "{text}");
    }

    #[test]
    fn groups_become_behaviours() {
        check("What is up?", None);
        check("Hi [[sim: status=529]]", Some(Behaviour::status(529)));
        check("[[sim: hang=headers]]", Some(Behaviour::HangBeforeHeaders));
        check(
            "[[sim: cut=3]] Hi",
            Some(Behaviour::flawed(Flaw::Cut { after_events: 3 })),
        );
        check(
            "[[sim: finish=twice]]",
            Some(Behaviour::flawed(Flaw::FinishTwice)),
        );
        check(
            "[[sim: redirect=http://127.0.0.1:1/x status=301]]",
            Some(Behaviour::Redirect {
                status: 301,
                location: "http://127.0.0.1:1/x".into(),
            }),
        );
        check(
            "[[sim: status=503 retry_after=2 delay_ms=5]]",
            Some(Behaviour::Status(Status {
                status: 503,
                retry_after: Some("2".into()),
                delay_ms: 5,
                ..Status::default()
            })),
        );
        check(
            "[[sim: usage=in:1000,read:800,out:50]] and [[sim: tokens=7 drip_ms=1]]",
            Some(Behaviour::Answer(Answer {
                usage: UsageFigures {
                    input: Some(1000),
                    cache_read: Some(800),
                    output: Some(50),
                    ..UsageFigures::default()
                },
                tokens: Some(7),
                token_delay_ms: Some(1),
                ..Answer::default()
            })),
        );
    }

    #[test]
    fn a_group_may_be_for_another_provider() {
        check("[[sim: provider=beta status=500]]", None);
        check(
            "[[sim: provider=beta,alpha status=500]]",
            Some(Behaviour::status(500)),
        );
        check(
            "[[sim: provider=beta status=500]] [[sim: provider=alpha tokens=2]]",
            Some(Behaviour::Answer(Answer {
                tokens: Some(2),
                ..Answer::default()
            })),
        );
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        for item in [
            "status=abc",
            "status=99",
            "frob=1",
            "hang",
            "usage=in:x",
            "pieces=0",
        ] {
            let text = format!("[[sim: {item}]]");
            assert_eq!(
                find(&text, "alpha"),
                Err(DirectiveError {
                    item: item.to_owned()
                })
            );
        }
    }

    #[test]
    fn numbers_are_bounded() {
        let Ok(Some(Behaviour::Answer(answer))) =
            parse("tokens=99999999 drip_ms=99999999", "alpha")
        else {
            panic!("an answer");
        };
        assert_eq!(answer.tokens, Some(TOKENS_MAX));
        assert_eq!(answer.token_delay_ms, Some(DELAY_MS_MAX));
    }
}
