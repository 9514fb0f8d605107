//! No segment file crashes the reader or a question, verified or not: the input overwrites bytes
//! of a sound index, behind checksums that are made to match, or is the whole file.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use bowstring::{
    Builder, Column, Error, Index, Kind, Limit, Monitor, Options, Pattern, Patterns, Profile, Rows,
    SearchOptions,
};

struct Sound {
    _folder: tempfile::TempDir,
    manifest: Vec<u8>,
    segment: Vec<u8>,
}

const KINDS: [Kind; 3] = [Kind::Suffix, Kind::Fm(Profile::Fast), Kind::Fm(Profile::Compact)];

/// A sound index of each kind.
fn sound(nth: usize) -> &'static Sound {
    static SOUND: OnceLock<Vec<Sound>> = OnceLock::new();
    &SOUND.get_or_init(|| KINDS.map(make).into())[nth % KINDS.len()]
}

fn make(kind: Kind) -> Sound {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { kind, threads: Some(1), ..Options::default() };
    let mut rows =
        Builder::new(Column::String, Some(folder.path()), false, options, Default::default())
            .expect("a builder");
    for row in [Some("banana"), None, Some("bandana"), Some("")] {
        rows.push_bytes(row.map(str::as_bytes)).expect("a row");
    }
    rows.finish().expect("an index");
    let read = |name| std::fs::read(folder.path().join(name)).expect("a file");
    let (manifest, segment) = (read("manifest.json"), read("000001.seg"));
    Sound { _folder: folder, manifest, segment }
}

fn ask(path: &Path) -> Result<(), Error> {
    let index = Index::open(path)?;
    let monitor = Monitor::default();
    let patterns = Patterns::one(Pattern::Bytes(b"ana"));
    let _ = index.count(Pattern::Bytes(b"an"));
    let _ = index.count_many(&patterns, &monitor);
    if let Ok(ranks) = index.find(&patterns, &monitor) {
        let _ = index.locate(&ranks, Limit::All, &monitor);
        let _ = index.matching_rows(&ranks, None, &monitor);
        let _ = index.context(&ranks, 5, Limit::Sample(2, 1), &monitor);
    }
    let _ = index.text(&[(Some(0), None, None)], &monitor);
    let search = bowstring::parse("ana AND (dan OR b)")?;
    let _ = index.search(&[Some(search)], SearchOptions::default(), &monitor);
    index.verify(&monitor)
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let sound = sound(usize::from(input.first().copied().unwrap_or(0)));
    let folder = tempfile::tempdir().expect("a folder");
    let (mut manifest, mut segment) = (sound.manifest.clone(), sound.segment.clone());
    match input {
        [0, rest @ ..] => segment = rest.to_vec(),
        [1, rest @ ..] => manifest = rest.to_vec(),
        [_, rest @ ..] => {
            // Blocks are checked only on request, so damage there reaches the kernels.
            for patch in rest.chunks_exact(3) {
                let at = usize::from(patch[0]) << 8 | usize::from(patch[1]);
                let length = segment.len();
                segment[at % length] = patch[2];
            }
        }
        [] => {}
    }
    std::fs::write(folder.path().join("manifest.json"), manifest).expect("a write");
    std::fs::write(folder.path().join("000001.seg"), segment).expect("a write");
    let _ = ask(folder.path());
});
