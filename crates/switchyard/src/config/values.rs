//! From text to typed values, noting every fault instead of stopping at the first.

use std::{fmt::Display, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use axum::http::HeaderName;
use switchyard_domain::secret::Secret;

use super::{ConfigFaults, Layers};

/// Reads settings and gathers what is wrong with them.
pub(super) struct Reader<'a> {
    layers: &'a Layers,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        Self {
            layers,
            faults: layers.faults().to_vec(),
        }
    }

    /// The configuration, if nothing was wrong.
    pub(super) fn finish<T>(self, config: T) -> Result<T, ConfigFaults> {
        if self.faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigFaults {
                faults: self.faults,
            })
        }
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.layers.get(name).value.clone()
    }

    pub(super) fn path(&mut self, name: &str) -> PathBuf {
        let path = self.optional_path(name);
        if path.is_none() {
            self.fault(name, "must not be empty");
        }
        path.unwrap_or_default()
    }

    pub(super) fn optional_path(&self, name: &str) -> Option<PathBuf> {
        Some(self.text(name))
            .filter(|text| !text.is_empty())
            .map(PathBuf::from)
    }

    pub(super) fn parsed<T: FromStr + Fallback>(&mut self, name: &str, wanted: &str) -> T {
        let text = self.text(name);
        text.trim().parse().unwrap_or_else(|_| {
            self.fault(name, &format!("`{text}` is not {wanted}"));
            T::fallback()
        })
    }

    pub(super) fn duration(&mut self, name: &str) -> Duration {
        let text = self.text(name);
        parse_duration(text.trim()).unwrap_or_else(|| {
            self.fault(
                name,
                &format!("`{text}` is not a duration such as 3s, 500ms or 5m"),
            );
            Duration::ZERO
        })
    }

    pub(super) fn positive_duration(&mut self, name: &str) -> Duration {
        let before = self.faults.len();
        let duration = self.duration(name);
        if duration.is_zero() && self.faults.len() == before {
            self.fault(name, "must be longer than nothing");
        }
        duration
    }

    pub(super) fn list<T: FromStr<Err: Display>>(&mut self, name: &str) -> Vec<T> {
        let text = self.text(name);
        let items = text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        items
            .filter_map(|item| {
                item.parse()
                    .map_err(|error: T::Err| self.fault(name, &error.to_string()))
                    .ok()
            })
            .collect()
    }

    pub(super) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> T {
        let text = self.text(name);
        let (_, first) = choices.first().expect("a choice has options");
        choices.iter().find(|(word, _)| *word == text).map_or_else(
            || {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                self.fault(name, &format!("`{text}` is none of {}", words.join(", ")));
                *first
            },
            |(_, value)| *value,
        )
    }

    pub(super) fn database_url(&mut self, name: &str) -> Option<String> {
        let text = Some(self.text(name)).filter(|text| !text.is_empty())?;
        let known = ["postgres:", "postgresql:", "sqlite:"];
        if !known.iter().any(|scheme| text.starts_with(scheme)) {
            self.fault(name, "must begin with `postgres:` or `sqlite:`");
        }
        Some(text)
    }

    pub(super) fn redis_url(&mut self, name: &str) -> Option<String> {
        let text = Some(self.text(name)).filter(|text| !text.is_empty())?;
        if !["redis:", "rediss:", "unix:", "redis+unix:"]
            .iter()
            .any(|s| text.starts_with(s))
        {
            self.fault(name, "must begin with `redis:`");
        }
        Some(text)
    }

    /// The name of a header, or nothing.
    pub(super) fn header(&mut self, name: &str) -> Option<HeaderName> {
        let text = Some(self.text(name)).filter(|text| !text.is_empty())?;
        let header = text.trim().parse();
        if header.is_err() {
            self.fault(name, &format!("`{text}` is not the name of a header"));
        }
        header.ok()
    }

    /// A value that may be left empty.
    pub(super) fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = Some(self.text(name)).filter(|text| !text.is_empty())?;
        text.trim()
            .parse()
            .map_err(|error: T::Err| {
                // An address may hold a password.
                let shown = if text.contains('@') {
                    "(hidden)"
                } else {
                    &text
                };
                self.fault(name, &format!("`{shown}` {error}"));
            })
            .ok()
    }

    /// A value that nobody may see. Faults do not repeat it.
    pub(super) fn secret(&mut self, name: &str) -> Option<Arc<Secret<String>>> {
        let text = self.text(name);
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.fault(name, "may have visible ASCII characters only");
        }
        (!text.is_empty()).then(|| Arc::new(Secret::new(text.to_owned())))
    }

    /// Notes that `wanted` is missing.
    pub(super) fn needed<T>(&mut self, name: &str, wanted: Option<T>, why: &str) -> Option<T> {
        // What is malformed was noted already.
        if wanted.is_none() && self.layers.get(name).value.trim().is_empty() {
            self.fault(name, &format!("must be set, because {why}"));
        }
        wanted
    }

    pub(super) fn fault(&mut self, name: &str, problem: &str) {
        let origin = &self.layers.get(name).origin;
        self.faults.push(format!("{origin}: `{name}`: {problem}"));
    }
}

/// What stands in for a value that could not be parsed; the fault keeps it from being used.
pub(super) trait Fallback {
    fn fallback() -> Self;
}

impl Fallback for std::net::SocketAddr {
    fn fallback() -> Self {
        Self::from(([127, 0, 0, 1], 0))
    }
}

impl Fallback for usize {
    fn fallback() -> Self {
        0
    }
}

impl Fallback for u32 {
    fn fallback() -> Self {
        0
    }
}

impl Fallback for bool {
    fn fallback() -> Self {
        false
    }
}

/// A whole number and a unit: ms, s, m, h.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3_600).map(Duration::from_secs),
        _ => None,
    }
}
