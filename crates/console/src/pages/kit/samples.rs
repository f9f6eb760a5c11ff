//! Invented figures for the components, always the same.

use serde_json::json;

use crate::ui::{
    ApiCall, FacetOption, Markup, Ranked,
    chart::{Chart, Series, Tick, Unit},
    composition, ranking, spark, uptime,
    waterfall::{Attempt, Outcome, Phase, waterfall},
};

/// A fault at one field of each kind.
pub(super) const FAULTS: [(&str, &str); 5] = [
    (
        "wrong",
        "This is not an address. Write one like ada@example.com.",
    ),
    (
        "wrong_select",
        "This region is not offered. Choose another.",
    ),
    ("wrong_text", "The text is 40 characters too long."),
    ("wrong_secret", "A key of this provider begins with sk-."),
    ("wrong_box", "Confirm that you have read it."),
];

pub(super) struct Drawings {
    pub(super) bars: Markup,
    pub(super) lines: Markup,
    pub(super) low: Markup,
    pub(super) nothing: Markup,
    pub(super) ranking: Markup,
    pub(super) waterfall: Markup,
    pub(super) spark: Markup,
    pub(super) uptime: Markup,
    pub(super) composition: Markup,
}

pub(super) fn drawings() -> Drawings {
    Drawings {
        bars: bars(),
        lines: lines(),
        low: low(),
        nothing: Chart::bars("No tokens in this range", Unit::Tokens, days(7))
            .with(Series::new("Input", vec![None; 7]))
            .draw(),
        ranking: ranked(),
        waterfall: waterfall(&attempts(), 2_310),
        spark: spark(&wave(24, 40, 7), "Requests rose over the day"),
        uptime: uptime(&days_up(), "99.2 % up in 90 days"),
        composition: composition(
            &[
                ("fresh input", 1_204),
                ("cache read", 18_800),
                ("cache write", 900),
                ("reasoning", 640),
                ("output", 412),
            ],
            "Tokens",
        ),
    }
}

fn days(count: u64) -> Vec<Tick> {
    (1..=count)
        .map(|day| {
            Tick::new(format!("{day} Sep"))
                .lasting(
                    format!("2026-09-{day:02}"),
                    format!("2026-09-{:02}", day + 1),
                )
                .linked(format!("/logs?day=2026-09-{day:02}"))
        })
        .collect()
}

/// Values that go up and down, the same each time.
fn wave(count: u64, size: u64, stride: u64) -> Vec<Option<u64>> {
    (0..count)
        .map(|place| Some(size + (place * stride * 31 % 97) * size / 60 + place * size / 20))
        .collect()
}

fn bars() -> Markup {
    let names = [
        "openai/gpt-6-sol",
        "anthropic/claude-opus-5",
        "deepseek/deepseek-v4.1-flash",
        "z-ai/glm-5.3",
    ];
    let mut chart = Chart::bars("Spend was highest on 27 September", Unit::Usd, days(28))
        .zoomed_by("/activity?from={from}&to={to}");
    for (place, name) in (1_u64..).zip(names) {
        let mut values = wave(28, 900_000_000 / place, place + 2);
        if place == 1 {
            values[9] = None;
        }
        chart = chart.with(Series::new(name, values).linked(format!("/logs?model={name}")));
    }
    chart.with(Series::other(wave(28, 60_000_000, 5))).draw()
}

fn lines() -> Markup {
    let mut half = wave(28, 420, 3);
    let mut most = wave(28, 1_300, 5);
    for gap in 11..14 {
        half[gap] = None;
        most[gap] = None;
    }
    Chart::lines(
        "Half of first tokens came within 0.9 s",
        Unit::Milliseconds,
        days(28),
    )
    .with(Series::new("p50", half))
    .with(Series::new("p95", most).dashed())
    .draw()
}

fn low() -> Markup {
    Chart::bars("3,412 requests, 1.2 % failed", Unit::Count, days(28))
        .with(Series::new("Answered", wave(28, 90, 4)))
        .with(Series::new("Failed", wave(28, 3, 9)))
        .low()
        .draw()
}

fn ranked() -> Markup {
    let rows = [
        ("openai/gpt-6-sol", 18_420_000_000),
        ("anthropic/claude-opus-5", 7_310_000_000),
        ("deepseek/deepseek-v4.1-flash", 1_204_000_000),
        ("z-ai/glm-5.3", 90_000_000),
    ];
    let rows = rows.map(|(name, value)| Ranked {
        name: name.to_owned(),
        value,
        href: format!("/logs?model={name}"),
    });
    ranking(
        "One model is two thirds of the spend",
        "Model",
        Unit::Usd,
        &rows,
    )
}

fn days_up() -> Vec<Option<u32>> {
    (0..90)
        .map(|day| match day {
            0..8 => None,
            31 => Some(870),
            32 | 70 => Some(962),
            _ => Some(1_000),
        })
        .collect()
}

fn attempts() -> Vec<Attempt> {
    let attempt =
        |name: &str, outcome, began_ms, phases: &[(Phase, u64)], why: Option<&str>| Attempt {
            name: name.to_owned(),
            credential: "shared".to_owned(),
            outcome,
            began_ms,
            phases: phases.to_vec(),
            why: why.map(str::to_owned),
        };
    vec![
        attempt(
            "Alder",
            Outcome::Failed,
            4,
            &[
                (Phase::Queue, 2),
                (Phase::Connect, 38),
                (Phase::FirstToken, 212),
            ],
            Some("429: too many requests. Moved on at once."),
        ),
        attempt(
            "Birch",
            Outcome::Dropped,
            256,
            &[(Phase::Connect, 41), (Phase::FirstToken, 560)],
            Some("Another one was quicker."),
        ),
        attempt(
            "Cedar",
            Outcome::Served,
            420,
            &[
                (Phase::Connect, 30),
                (Phase::FirstToken, 390),
                (Phase::Stream, 1_470),
            ],
            None,
        ),
    ]
}

pub(super) fn facet() -> Vec<FacetOption> {
    let option = |name: &str, count, is_on| FacetOption {
        name: name.to_owned(),
        href: format!("/kit?modality={name}"),
        is_on,
        count,
    };
    vec![
        option("Text", Some(1_204), true),
        option("Image", Some(86), false),
        option("Audio", Some(0), false),
    ]
}

pub(super) fn call(public_url: &str) -> ApiCall {
    ApiCall::new(public_url, "POST", "/keys").with_body(json!({
        "name": "laptop",
        "limit": 5,
        "limit_reset": "monthly",
        "include_byok_in_limit": false,
    }))
}

pub(super) fn snippets() -> Vec<(&'static str, String)> {
    vec![
        ("curl", "curl https://switchyard.example/api/v1/chat/completions \\\n  -H \"Authorization: Bearer $SWITCHYARD_API_KEY\" \\\n  -d '{\"model\": \"openai/gpt-6-sol\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'".to_owned()),
        ("Python", "from openai import OpenAI\n\nclient = OpenAI(base_url=\"https://switchyard.example/api/v1\")\nprint(client.models.list())".to_owned()),
        ("TypeScript", "import OpenAI from \"openai\";\n\nconst client = new OpenAI({ baseURL: \"https://switchyard.example/api/v1\" });".to_owned()),
    ]
}
