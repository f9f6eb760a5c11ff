use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use switchyard_billing::settlement::{Charge, RequestFacts, Settlement};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, GenerationId, WorkspaceId},
    money::UsdNanos,
    tokens::{TokenUsage, UsageSource},
};
use uuid::Uuid;

use super::{Journal, JournalError};

/// A directory that goes with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sy-journal-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn segments(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(&self.0)
            .expect("the journal's directory")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
            .collect();
        files.sort();
        files
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(dir: &Path) -> Result<(Journal, Vec<(super::Position, Settlement)>), JournalError> {
    Journal::open(dir, Duration::from_millis(1))
}

pub(crate) fn settlement(number: u64) -> Settlement {
    let id = Uuid::from_u128(1);
    Settlement {
        generation_id: GenerationId::new(1_764_000_000, u128::from(number)),
        account_id: AccountId::from_uuid(id),
        workspace_id: WorkspaceId::from_uuid(id),
        api_key_id: ApiKeyId::from_uuid(id),
        admitted_at: Timestamp::from_seconds(1_764_000_000),
        finished_at: Timestamp::from_seconds(1_764_000_001),
        request: RequestFacts::default(),
        served: None,
        usage: TokenUsage::default(),
        usage_source: UsageSource::None,
        charge: Charge {
            total: UsdNanos::new(i64::try_from(number).unwrap()),
            ..Charge::default()
        },
        holds: Vec::new(),
        attempts: Vec::new(),
        decision: None,
        receipt: None,
    }
}

pub(crate) fn append(journal: &Journal, settlement: &Settlement) -> super::Position {
    let staged = journal.stage(settlement).expect("encoded");
    journal.write(staged).expect("written");
    staged.position
}

fn charges(left: &[(super::Position, Settlement)]) -> Vec<i64> {
    left.iter()
        .map(|(_, settlement)| settlement.charge.total.get())
        .collect()
}

/// Appends settlements and goes away as a killed process would: nothing is posted.
fn write(dir: &Dir, numbers: std::ops::RangeInclusive<u64>) {
    let (journal, _) = open(&dir.0).expect("a journal");
    for number in numbers {
        append(&journal, &settlement(number));
    }
}

#[test]
fn what_was_appended_comes_back_in_order() {
    let dir = Dir::new("order");
    write(&dir, 1..=3);
    write(&dir, 4..=4);
    let (journal, left) = open(&dir.0).expect("a journal");
    assert_eq!(charges(&left), [1, 2, 3, 4]);
    for (position, _) in &left {
        journal.posted(*position, 1);
    }
    drop(journal);
    let (_, left) = open(&dir.0).expect("a journal");
    assert_eq!(charges(&left), [] as [i64; 0]);
}

#[test]
fn a_torn_end_is_cut_at_every_length() {
    let dir = Dir::new("torn");
    write(&dir, 1..=2);
    let path = dir
        .segments()
        .into_iter()
        .find(|path| fs::metadata(path).unwrap().len() > 0);
    let path = path.expect("a segment with records");
    let whole = fs::read(&path).expect("readable");
    let first = super::record::claimed_length(&whole).expect("a record");
    for length in first..whole.len() {
        let dir = Dir::new("torn-copy");
        fs::create_dir_all(&dir.0).unwrap();
        fs::write(dir.0.join("journal-0000000001.log"), &whole[..length]).unwrap();
        let (journal, left) = open(&dir.0).expect("a torn end is no damage");
        assert_eq!(charges(&left), [1], "cut at {length}");
        drop(journal);
        // It is no longer the last segment now, and must read as whole.
        let (_, left) = open(&dir.0).expect("the torn end is gone");
        assert_eq!(charges(&left), [1], "reopened after a cut at {length}");
    }
}

#[test]
fn damage_in_the_middle_is_refused() {
    let dir = Dir::new("damage");
    write(&dir, 1..=3);
    let path = dir
        .segments()
        .into_iter()
        .find(|path| fs::metadata(path).unwrap().len() > 0);
    let path = path.expect("a segment with records");
    let mut bytes = fs::read(&path).expect("readable");
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(
        open(&dir.0),
        Err(JournalError::Damaged { offset: 0, .. })
    ));
}

#[test]
fn a_second_process_is_kept_out() {
    let dir = Dir::new("lock");
    let _journal = open(&dir.0).expect("a journal");
    assert!(matches!(open(&dir.0), Err(JournalError::InUse { .. })));
}

#[test]
fn posted_segments_leave_no_files_behind() {
    let dir = Dir::new("posted");
    let (journal, _) = open(&dir.0).expect("a journal");
    for number in 1..=50 {
        let position = append(&journal, &settlement(number));
        journal.posted(position, 1);
    }
    journal.sync().expect("synced");
    assert!(journal.is_writable());
    assert_eq!(dir.segments().len(), 1);
    assert_eq!(bytes_in(&dir), 0);
    append(&journal, &settlement(51));
    drop(journal);
    let (_, left) = open(&dir.0).expect("what was left");
    assert_eq!(charges(&left), [51]);
}

fn bytes_in(dir: &Dir) -> u64 {
    let files = dir.segments().into_iter();
    files
        .map(|file| fs::metadata(file).expect("a segment").len())
        .sum()
}

#[test]
fn the_first_of_those_that_end_together_writes_for_all() {
    let dir = Dir::new("together");
    let (journal, _) = open(&dir.0).expect("an empty journal");
    let staged = [1, 2, 3].map(|number| journal.stage(&settlement(number)).expect("encoded"));
    assert_eq!(bytes_in(&dir), 0);
    journal.write(staged[0]).expect("written");
    let all = bytes_in(&dir);
    for one in &staged[1..] {
        journal.write(*one).expect("written");
        assert_eq!(bytes_in(&dir), all, "it was written already");
    }
    drop(journal);
    let (_, left) = open(&dir.0).expect("what was left");
    assert_eq!(charges(&left), [1, 2, 3]);
}

#[test]
fn what_is_only_staged_is_written_at_the_end() {
    let dir = Dir::new("staged");
    let (journal, _) = open(&dir.0).expect("an empty journal");
    let first = append(&journal, &settlement(1));
    let _ = journal.stage(&settlement(2)).expect("encoded");
    // SQL was faster, which is no reason to begin another segment in the middle.
    journal.posted(first, 2);
    drop(journal);
    let (_, left) = open(&dir.0).expect("what was left");
    assert_eq!(charges(&left), [1, 2]);
}
