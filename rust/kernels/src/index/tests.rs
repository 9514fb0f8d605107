use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{Builder, Index, Options};
use crate::corpus::{Column, Rows};
use crate::error::Error;
use crate::interrupt::Monitor;
use crate::symbol::Pattern;

fn options(segment_symbols: usize) -> Options {
    Options { segment_symbols: Some(segment_symbols), ..Options::default() }
}

fn build(path: Option<&Path>, rows: &[Option<&str>], segment: usize) -> Result<Index, Error> {
    let monitor = Arc::new(Monitor::default());
    let mut builder = Builder::new(Column::String, path, false, options(segment), monitor)?;
    fill(&mut builder, rows);
    builder.finish()
}

fn fill(builder: &mut Builder, rows: &[Option<&str>]) {
    for row in rows {
        builder.push_bytes(row.map(str::as_bytes)).unwrap();
    }
}

fn count(index: &Index, text: &str) -> u64 {
    index.count(Pattern::Bytes(text.as_bytes())).unwrap()
}

const ROWS: [Option<&str>; 5] = [Some("banana"), None, Some(""), Some("bandana"), Some("an")];

#[test]
fn append_and_compact_keep_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bow");
    for path in [None, Some(path.as_path())] {
        let index = build(path, &ROWS, 8).unwrap();
        assert_eq!(index.segments().count(), 4);
        let mut more = index.append(options(100), Arc::default()).unwrap();
        fill(&mut more, &ROWS);
        let appended = more.finish().unwrap();
        assert_eq!((appended.segments().count(), appended.rows()), (5, 10));
        assert_eq!((count(&index, "an"), count(&appended, "an")), (5, 10));
        let compacted = appended.compact(Options::default(), Arc::default()).unwrap();
        assert_eq!((compacted.segments().count(), compacted.rows()), (1, 10));
        assert_eq!(count(&compacted, "an"), 10);
        compacted.verify(&Monitor::default()).unwrap();
        // Who opened the index before still reads it.
        assert_eq!(count(&index, "an"), 5);
    }
    let names: Vec<_> =
        fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "a segment, the manifest and the lock: {names:?}");
}

#[test]
fn an_index_is_not_replaced_unasked() {
    let folder = tempfile::tempdir().unwrap();
    build(Some(folder.path()), &ROWS, 100).unwrap();
    assert!(matches!(build(Some(folder.path()), &ROWS, 100), Err(Error::InvalidInput(_))));
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("thesis.txt"), "years of work").unwrap();
    assert!(matches!(build(Some(other.path()), &ROWS, 100), Err(Error::InvalidInput(_))));
    assert!(other.path().join("thesis.txt").exists());
}

#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let index = build(Some(folder.path()), &ROWS, 100).unwrap();
    let first = index.append(options(9), Arc::default()).unwrap();
    assert!(matches!(index.append(options(9), Arc::default()), Err(Error::InvalidInput(_))));
    drop(first);
    assert!(index.append(options(9), Arc::default()).is_ok());
}

#[test]
fn what_a_dead_writer_left_goes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("000007.seg.partial"), "half").unwrap();
    fs::write(folder.path().join("000003.seg"), "whole, never published").unwrap();
    let index = build(Some(folder.path()), &ROWS, 100).unwrap();
    assert_eq!(index.segments().map(|(_, file)| file).collect::<Vec<_>>(), [Some("000008.seg")]);
    assert!(!folder.path().join("000003.seg").exists());
}

#[test]
fn a_given_up_build_leaves_the_old_index() {
    let folder = tempfile::tempdir().unwrap();
    let index = build(Some(folder.path()), &ROWS, 100).unwrap();
    let monitor = Arc::new(Monitor::default());
    let mut more = index.append(options(3), Arc::clone(&monitor)).unwrap();
    fill(&mut more, &ROWS);
    monitor.stop();
    assert!(matches!(more.finish(), Err(Error::Interrupted)));
    assert_eq!(Index::open(folder.path()).unwrap().rows(), 5);
}

#[test]
fn memory_makes_segments_or_says_no() {
    let long = "x".repeat(1000);
    let rows = vec![Some(long.as_str()); 20];
    let ask = |memory, path| {
        let options = Options { memory: Some(memory), threads: Some(1), ..Options::default() };
        let mut builder = Builder::new(Column::String, path, false, options, Arc::default())?;
        for row in &rows {
            builder.push_bytes(row.map(str::as_bytes))?;
        }
        builder.finish()
    };
    let folder = tempfile::tempdir().unwrap();
    let index = ask(20_000, Some(folder.path())).unwrap();
    assert_eq!(index.segments().count(), 10);
    assert!(matches!(ask(20_000, None), Err(Error::OutOfBudget(_))));
    let other = tempfile::tempdir().unwrap();
    assert!(matches!(ask(2_000, Some(other.path())), Err(Error::OutOfBudget(_))));
}

#[test]
fn an_index_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let index = build(Some(folder.path()), &[], 100).unwrap();
    assert_eq!((index.rows(), count(&index, "a")), (0, 0));
    index.verify(&Monitor::default()).unwrap();
    let mut more = index.append(options(9), Arc::default()).unwrap();
    fill(&mut more, &[None]);
    assert_eq!(more.finish().unwrap().rows(), 1);
}
