//! From files to a snapshot: read all, check all, then build, or report every fault.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use switchyard_domain::clock::Timestamp;

use crate::{
    assemble::{self, Origin, content_hash},
    document,
    findings::{CatalogFaults, CatalogFile, Findings, Place},
    limits,
    schema::Rows,
    snapshot::Catalog,
    validate,
};

/// Loads the catalogue in a folder: `providers.json`, `models.json`, `endpoints.json` and
/// `aliases.json`. Blocks on the file system.
pub fn load(dir: &Path, now: Timestamp) -> Result<Catalog, CatalogFaults> {
    let findings = Findings::default();
    let contents = CatalogFile::ALL.map(|file| read_file(dir, file, &findings));
    build(contents.each_ref().map(Option::as_deref), now, findings)
}

/// Loads a catalogue from the contents of its files. Never panics, whatever they hold.
pub fn load_from_bytes(
    providers: &[u8],
    models: &[u8],
    endpoints: &[u8],
    aliases: &[u8],
    now: Timestamp,
) -> Result<Catalog, CatalogFaults> {
    let contents = [providers, models, endpoints, aliases].map(Some);
    build(contents, now, Findings::default())
}

/// Builds a catalogue from the contents of those files that could be read, in the order of
/// [`CatalogFile::ALL`].
fn build(
    contents: [Option<&[u8]>; 4],
    now: Timestamp,
    findings: Findings,
) -> Result<Catalog, CatalogFaults> {
    let mut rows = Rows::default();
    let mut days = Vec::with_capacity(contents.len());
    let mut complete = true;
    for (file, bytes) in CatalogFile::ALL.into_iter().zip(contents) {
        let document = bytes.and_then(|bytes| document::read(file, bytes, &findings));
        let Some(document) = document else {
            complete = false;
            continue;
        };
        rows.read(file, &document.rows, &findings);
        days.extend(document.generated.map(|day| (file, day)));
    }
    // Without one of the files, every name in the others that leads into it would look wrong.
    if complete {
        check_days(&days, &findings);
        validate::check(&rows, &findings);
    }
    let origin = Origin {
        remarks: findings.verdict()?,
        version: content_hash(contents.into_iter().flatten()),
        loaded_at: now,
    };
    Ok(assemble::catalog(rows, origin))
}

fn read_file(dir: &Path, file: CatalogFile, findings: &Findings) -> Option<Vec<u8>> {
    let path = dir.join(file.name());
    match read_bounded(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            findings.fault(
                Place::file(file),
                format!("cannot be read: {error}"),
                format!("put it at {}", path.display()),
            );
            None
        }
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = limits::FILE_BYTES;
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > limit) {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("larger than {limit} bytes"),
        ));
    }
    Ok(bytes)
}

/// Files of different days are likely a copy that was interrupted; editing one file by hand is
/// fine too, so it is no fault.
fn check_days(days: &[(CatalogFile, String)], findings: &Findings) {
    let Some((first_file, first)) = days.first() else {
        return;
    };
    if let Some((file, day)) = days.iter().find(|(_, day)| day != first) {
        findings.remark(
            Place::file(*file).field("generated"),
            format!("is {day}, but {} says {first}", first_file.name()),
            "check that all files belong together",
        );
    }
}
