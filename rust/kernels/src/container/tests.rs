use std::fs;
use std::sync::Arc;

use proptest::prelude::*;

use super::{BlockToWrite, read_segment_file, write_segment_file};
use crate::corpus::{Column, Rows};
use crate::error::Error;
use crate::index::{Builder, Index, Options};
use crate::interrupt::Monitor;
use crate::query::Limit;
use crate::symbol::{Pattern, Patterns};

fn refused(error: &Error) -> bool {
    matches!(error, Error::Corrupt { .. } | Error::Format { .. })
}

#[test]
fn blocks_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("000001.seg");
    let blocks = [
        BlockToWrite::new("numbers", "u32", &[1_u32, 2, 3]),
        BlockToWrite::new("none", "u64", &[] as &[u64]),
        BlockToWrite::new("bytes", "u8", b"abc"),
    ];
    let meta = serde_json::json!({ "rows": 3 });
    write_segment_file(&path, "test", &meta, &blocks, &Monitor::default()).unwrap();
    let file = read_segment_file(&path).unwrap();
    assert_eq!((file.kind(), file.meta()), ("test", &meta));
    assert_eq!(*file.block::<u32>("numbers", "u32", 3).unwrap(), [1, 2, 3]);
    assert!(file.block::<u64>("none", "u64", 0).unwrap().is_empty());
    assert_eq!(&*file.block::<u8>("bytes", "u8", 3).unwrap(), b"abc");
    assert!(refused(&file.block::<u32>("numbers", "u32", 4).unwrap_err()));
    assert!(refused(&file.block::<u32>("numbers", "u64", 3).unwrap_err()));
    assert!(refused(&file.block::<u32>("others", "u32", 3).unwrap_err()));
    file.verify(&Monitor::default()).unwrap();
}

fn ask_everything(index: &Index) -> Result<(), Error> {
    let monitor = Monitor::default();
    let patterns = Patterns::one(Pattern::Bytes(b"ana"));
    index.count(Pattern::Bytes(b"an"))?;
    index.count_many(&patterns, &monitor)?;
    let ranks = index.find(&patterns, &monitor)?;
    index.locate(&ranks, Limit::All, &monitor)?;
    index.locate(&ranks, Limit::Sample(1, 1), &monitor)?;
    index.matching_rows(&ranks, None, &monitor)?;
    index.context(&ranks, 5, Limit::All, &monitor)?;
    index.text(&[(Some(0), None, None), (Some(2), Some(1), Some(2))], &monitor)?;
    let search = crate::parse("ana AND (dan OR 'b')")?;
    index.search(&[Some(search)], crate::SearchOptions::default(), &monitor)?;
    Ok(())
}

fn any_answer_or_refusal(result: Result<(), Error>) {
    if let Err(error) = result {
        assert!(refused(&error) || matches!(error, Error::InvalidInput(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_is_seen_and_never_fatal(
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
        cut in any::<bool>(),
        manifest in prop::bool::weighted(0.2),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { threads: Some(1), ..Options::default() };
        let mut builder =
            Builder::new(Column::String, Some(folder.path()), false, options, Arc::default())
                .unwrap();
        for row in [Some("banana"), None, Some("bandana")] {
            builder.push_bytes(row.map(str::as_bytes)).unwrap();
        }
        builder.finish().unwrap();
        let path = folder.path().join(if manifest { "manifest.json" } else { "000001.seg" });
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1_u8 << bit;
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        let verified = Index::open(folder.path()).and_then(|index| {
            any_answer_or_refusal(ask_everything(&index));
            index.verify(&Monitor::default())
        });
        prop_assert!(verified.is_err_and(|error| refused(&error)));
    }

    /// Beyond single bits: whole numbers of every block replaced, checksums and all.
    #[test]
    fn hostile_numbers_are_never_fatal(
        text in prop::collection::vec(any::<u8>(), 16),
        suffixes in prop::collection::vec(prop_oneof![0..20_u32, any::<u32>()], 16),
        ends in prop::collection::vec(prop_oneof![0..20_u32, any::<u32>()], 3),
        key in any::<u64>(),
        skip in any::<u16>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let directory = super::Directory::new(folder.path()).unwrap();
        let meta = serde_json::json!({
            "column": "string", "rows": 3, "separator": 255, "symbols": 16, "width": 1
        });
        let blocks = [
            BlockToWrite::new("text", "u8", &text),
            BlockToWrite::new("suffix_array", "u32", &suffixes),
            BlockToWrite::new("row_ends", "u32", &ends),
            BlockToWrite::new("keys", "u64", std::slice::from_ref(&key)),
            BlockToWrite::new("skips", "u16", std::slice::from_ref(&skip)),
        ];
        let writer = directory.lock().unwrap();
        let entry = writer
            .write_segment(1, 3, 16, |path| {
                write_segment_file(path, "suffix", &meta, &blocks, &Monitor::default())
            })
            .unwrap();
        writer.publish(&super::Manifest::new(Column::String, crate::Kind::Suffix, vec![entry], vec![])).unwrap();
        drop(writer);
        let index = Index::open(folder.path()).unwrap();
        any_answer_or_refusal(ask_everything(&index));
        any_answer_or_refusal(index.verify(&Monitor::default()));
    }
}

#[test]
fn foreign_files_are_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Index::open(folder.path());
    assert!(matches!(missing, Err(Error::Io { .. })));
    for text in ["{}", "[]", r#"{"manifest": {"magic": "other"}}"#] {
        fs::write(folder.path().join("manifest.json"), text).unwrap();
        assert!(matches!(Index::open(folder.path()), Err(Error::Format { .. })), "{text}");
    }
    let segment = folder.path().join("000001.seg");
    fs::write(&segment, [b"PK\x03\x04".as_slice(), &[0; 100]].concat()).unwrap();
    assert!(matches!(read_segment_file(&segment), Err(Error::Format { .. })));
}
