//! What a load has to say about the files: faults, which refuse the catalogue, and remarks, which
//! do not. Each says where it is, what is wrong and what to do.

use std::{cell::RefCell, fmt};

use crate::limits;

/// One of the catalogue's four files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CatalogFile {
    Providers,
    Models,
    Endpoints,
    Aliases,
}

impl CatalogFile {
    /// All of them, in the order they are read.
    pub const ALL: [Self; 4] = [
        Self::Providers,
        Self::Models,
        Self::Endpoints,
        Self::Aliases,
    ];

    /// Its name in the catalogue's folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Providers => "providers.json",
            Self::Models => "models.json",
            Self::Endpoints => "endpoints.json",
            Self::Aliases => "aliases.json",
        }
    }

    /// The key its rows stand under.
    pub const fn rows_key(self) -> &'static str {
        match self {
            Self::Providers => "providers",
            Self::Models => "models",
            Self::Endpoints => "endpoints",
            Self::Aliases => "aliases",
        }
    }

    /// The field that names a row.
    pub const fn id_field(self) -> &'static str {
        match self {
            Self::Providers => "slug",
            Self::Models | Self::Endpoints => "id",
            Self::Aliases => "alias",
        }
    }
}

/// Where in the files something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: CatalogFile,
    /// The row, counted from 0 as `jq` and editors of JSON count.
    pub row: Option<usize>,
    /// What the row calls itself.
    pub id: Option<String>,
    /// The path of the field inside the row, such as `pricing.overrides[1].utc_start`.
    pub field: Option<String>,
}

impl Place {
    /// A whole file.
    pub const fn file(file: CatalogFile) -> Self {
        Self {
            file,
            row: None,
            id: None,
            field: None,
        }
    }

    /// A row.
    pub const fn row(file: CatalogFile, row: usize, id: Option<String>) -> Self {
        Self {
            file,
            row: Some(row),
            id,
            field: None,
        }
    }

    /// A field of this place.
    #[must_use]
    pub fn field(self, field: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            ..self
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file.name())?;
        if let Some(row) = self.row {
            write!(f, " {}[{row}]", self.file.rows_key())?;
        }
        if let Some(id) = &self.id {
            write!(f, " ({})", shorten(id))?;
        }
        if let Some(field) = &self.field {
            write!(f, " {}", shorten(field))?;
        }
        Ok(())
    }
}

/// Something to tell whoever keeps the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub place: Place,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.problem, self.remedy)
    }
}

/// Why a catalogue was refused: all of its faults, together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CatalogFaults {
    pub faults: Vec<Finding>,
    /// How many more there were than are listed.
    pub omitted: usize,
}

impl fmt::Display for CatalogFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len() + self.omitted;
        let noun = if count == 1 { "fault" } else { "faults" };
        write!(f, "the catalogue has {count} {noun}")?;
        for fault in &self.faults {
            write!(f, "\n- {fault}")?;
        }
        if self.omitted > 0 {
            write!(f, "\n- and {} more", self.omitted)?;
        }
        Ok(())
    }
}

/// Collects findings while a load goes on, so that one bad row does not hide the next.
#[derive(Debug, Default)]
pub(crate) struct Findings(RefCell<Collected>);

#[derive(Debug, Default)]
struct Collected {
    faults: Vec<Finding>,
    faults_omitted: usize,
    remarks: Vec<Finding>,
}

impl Findings {
    pub(crate) fn fault(
        &self,
        place: Place,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let mut collected = self.0.borrow_mut();
        if collected.faults.len() < limits::FINDINGS {
            collected.faults.push(Finding {
                place,
                problem: problem.into(),
                remedy: remedy.into(),
            });
        } else {
            collected.faults_omitted += 1;
        }
    }

    pub(crate) fn remark(
        &self,
        place: Place,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let mut collected = self.0.borrow_mut();
        if collected.remarks.len() < limits::FINDINGS {
            collected.remarks.push(Finding {
                place,
                problem: problem.into(),
                remedy: remedy.into(),
            });
        }
    }

    /// The remarks, unless there is a fault.
    pub(crate) fn verdict(self) -> Result<Vec<Finding>, CatalogFaults> {
        let collected = self.0.into_inner();
        if collected.faults.is_empty() {
            return Ok(collected.remarks);
        }
        Err(CatalogFaults {
            faults: collected.faults,
            omitted: collected.faults_omitted,
        })
    }
}

/// A text from a file, fit for one line of a message.
pub(crate) fn shorten(text: &str) -> String {
    shorten_to(text, limits::SHOWN_CHARS)
}

/// What a JSON parser found wrong, with where in the text it was found.
pub(crate) fn json_error(error: &serde_json::Error) -> String {
    // The parser repeats values that it did not expect, however long they are.
    shorten_to(&error.to_string(), limits::JSON_ERROR_CHARS)
}

fn shorten_to(text: &str, chars: usize) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == chars {
            shown.push('…');
            break;
        }
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
