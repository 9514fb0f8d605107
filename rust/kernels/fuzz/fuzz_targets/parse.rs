//! No query crashes the parser.
#![no_main]

libfuzzer_sys::fuzz_target!(|query: &str| {
    let _ = bowstring::parse(query);
});
