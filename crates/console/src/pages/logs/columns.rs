//! Which columns the log has.

use super::address::Address;

/// A column that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) words: &'static str,
    is_usual: bool,
}

impl Column {
    /// Whether it stands to the right.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.name, "cost" | "first_token" | "duration" | "attempts")
    }
}

const fn column(name: &'static str, words: &'static str, is_usual: bool) -> Column {
    Column {
        name,
        words,
        is_usual,
    }
}

/// Beside the time and the model, which are always there.
pub(crate) const COLUMNS: [Column; 10] = [
    column("key", "API key", true),
    column("tokens", "Tokens", true),
    column("cost", "Cost", true),
    column("first_token", "First token", true),
    column("duration", "Duration", false),
    column("status", "Status", true),
    column("attempts", "Attempts", true),
    column("session", "Session", true),
    column("app", "App", false),
    column("finish", "Finish reason", false),
];

/// The ones that are shown.
pub(crate) struct Columns {
    chosen: Vec<&'static str>,
}

impl Columns {
    /// By the address, which names each.
    pub(crate) fn of(address: &Address) -> Self {
        let asked: Vec<_> = address.all("col").collect();
        let chosen = COLUMNS.iter().filter(|column| {
            if asked.is_empty() {
                column.is_usual
            } else {
                asked.contains(&column.name)
            }
        });
        Self {
            chosen: chosen.map(|column| column.name).collect(),
        }
    }

    /// Whether it is shown.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.chosen.contains(&name)
    }

    /// All there are.
    pub(crate) fn all(&self) -> &'static [Column] {
        &COLUMNS
    }
}
