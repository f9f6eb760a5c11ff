//! How much a catalogue may hold. Generous beside the shipped files (under 2 MB, 1,354 endpoints),
//! small enough that a wrong file cannot take the process down.

/// Bytes in one file.
pub(crate) const FILE_BYTES: u64 = 32 * 1024 * 1024;

/// Rows in one file.
pub(crate) const ROWS: usize = 100_000;

/// Faults reported by one load, and remarks kept by one; the rest is only counted.
pub(crate) const FINDINGS: usize = 200;

/// Characters of an offending value repeated in a message.
pub(crate) const SHOWN_CHARS: usize = 60;

/// Characters of a JSON parser's message repeated in ours.
pub(crate) const JSON_ERROR_CHARS: usize = 240;
