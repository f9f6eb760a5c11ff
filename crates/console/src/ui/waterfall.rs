//! The attempts of one request, one below the other on one axis of time; a table whose cells have bars.

use std::fmt::Write as _;

use super::{Markup, escaped, milliseconds};

/// What an attempt spent its time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Waiting before it began.
    Queue,
    /// Reaching the provider.
    Connect,
    /// From there to the first token.
    FirstToken,
    /// From there to the end.
    Stream,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Queue, Self::Connect, Self::FirstToken, Self::Stream];

    const fn class(self) -> &'static str {
        match self {
            Self::Queue => "phase-queue",
            Self::Connect => "phase-connect",
            Self::FirstToken => "phase-first-token",
            Self::Stream => "phase-stream",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Queue => "waiting",
            Self::Connect => "connecting",
            Self::FirstToken => "to the first token",
            Self::Stream => "streaming",
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Served,
    Failed,
    /// Another one was quicker, or the caller left.
    Dropped,
}

/// One attempt.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Whom it went to, such as the provider and its endpoint.
    pub(crate) name: String,
    /// With whose credential: "shared", or the label of one's own.
    pub(crate) credential: String,
    pub(crate) outcome: Outcome,
    /// When it began, from the request's arrival.
    pub(crate) began_ms: u64,
    /// What it spent its time on, one after the other.
    pub(crate) phases: Vec<(Phase, u64)>,
    /// Why the next one was tried, or what ended it.
    pub(crate) why: Option<String>,
}

impl Attempt {
    fn took_ms(&self) -> u64 {
        self.phases.iter().map(|(_, ms)| ms).sum()
    }
}

/// The attempts in their order. `total_ms` is the whole request's time.
pub(crate) fn waterfall(attempts: &[Attempt], total_ms: u64) -> Markup {
    let longest = attempts
        .iter()
        .map(|one| one.began_ms + one.took_ms())
        .max();
    let total = total_ms.max(longest.unwrap_or(0)).max(1);
    let mut html = String::from(
        r#"<div class="waterfall"><div class="table"><table><thead><tr><th scope="col">Attempt</th><th scope="col">Credential</th><th scope="col">Outcome</th><th scope="col" class="number">Began</th><th scope="col" class="number">Took</th><th scope="col">Time</th></tr></thead><tbody>"#,
    );
    for attempt in attempts {
        html.push_str(&row(attempt, total));
    }
    let legend: String = Phase::ALL
        .iter()
        .map(|phase| {
            format!(
                r#"<li><svg viewBox="0 0 14 10" aria-hidden="true"><rect class="{}" width="10" height="10" rx="2"/></svg>{}</li>"#,
                phase.class(),
                phase.name()
            )
        })
        .collect();
    let _ = write!(
        html,
        r#"</tbody></table></div><ul class="legend">{legend}</ul></div>"#
    );
    Markup::trusted(html)
}

fn row(attempt: &Attempt, total: u64) -> String {
    let (kind, word) = match attempt.outcome {
        Outcome::Served => ("ok", "Served"),
        Outcome::Failed => ("danger", "Failed"),
        Outcome::Dropped => ("plain", "Dropped"),
    };
    let why = attempt.why.as_ref().map_or(String::new(), |why| {
        format!(r#"<span class="why">{}</span>"#, escaped(why))
    });
    let spent: Vec<String> = attempt
        .phases
        .iter()
        .filter(|(_, ms)| *ms > 0)
        .map(|(phase, ms)| format!("{} {}", milliseconds(*ms), phase.name()))
        .collect();
    format!(
        r#"<tr><th scope="row"><div>{name}{why}</div></th><td data-label="Credential">{credential}</td><td data-label="Outcome"><span class="status status-{kind}">{word}</span></td><td class="number" data-label="Began">{began}</td><td class="number" data-label="Took">{took}</td><td><svg viewBox="0 0 {total} 20" preserveAspectRatio="none" role="img" aria-label="{spent}">{bars}</svg></td></tr>"#,
        name = escaped(&attempt.name),
        credential = escaped(&attempt.credential),
        began = milliseconds(attempt.began_ms),
        took = milliseconds(attempt.took_ms()),
        spent = if spent.is_empty() {
            "no time".to_owned()
        } else {
            spent.join(", ")
        },
        bars = bars(attempt, total),
    )
}

fn bars(attempt: &Attempt, total: u64) -> String {
    let mut svg = format!(r#"<rect class="track" y="8" width="{total}" height="4"/>"#);
    let mut at = attempt.began_ms;
    let failed = if attempt.outcome == Outcome::Served {
        ""
    } else {
        " failed-phase"
    };
    for (phase, ms) in &attempt.phases {
        if *ms > 0 {
            let _ = write!(
                svg,
                r#"<rect class="{}{failed}" x="{at}" y="4" width="{ms}" height="12"/>"#,
                phase.class()
            );
        }
        at += ms;
    }
    if attempt.outcome == Outcome::Failed {
        let _ = write!(
            svg,
            r#"<line class="end" x1="{at}" y1="1" x2="{at}" y2="19"/>"#
        );
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_stand_on_one_axis() {
        let attempts = [
            Attempt {
                name: "Alder <1>".to_owned(),
                credential: "shared".to_owned(),
                outcome: Outcome::Failed,
                began_ms: 0,
                phases: vec![(Phase::Connect, 40), (Phase::FirstToken, 60)],
                why: Some("429: too many requests".to_owned()),
            },
            Attempt {
                name: "Cedar".to_owned(),
                credential: "mine".to_owned(),
                outcome: Outcome::Served,
                began_ms: 100,
                phases: vec![(Phase::Connect, 10), (Phase::Stream, 890)],
                why: None,
            },
        ];
        let drawn = waterfall(&attempts, 1_000).to_string();
        for part in [
            "Alder &lt;1&gt;",
            r#"aria-label="40 ms connecting, 60 ms to the first token""#,
            r#"class="phase-connect failed-phase" x="0" y="4" width="40""#,
            r#"class="phase-stream" x="110" y="4" width="890""#,
            r#"x1="100""#,
            "429: too many requests",
        ] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
    }

    #[test]
    fn an_attempt_longer_than_the_request_still_fits() {
        let attempt = Attempt {
            name: "Alder".to_owned(),
            credential: "shared".to_owned(),
            outcome: Outcome::Dropped,
            began_ms: 5,
            phases: vec![(Phase::Queue, 10)],
            why: None,
        };
        assert!(
            waterfall(&[attempt], 3)
                .to_string()
                .contains(r#"viewBox="0 0 15 20""#)
        );
    }
}
