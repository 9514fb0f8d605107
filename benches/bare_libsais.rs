//! Sorts the suffixes of a file with libsais and nothing else, on one thread: what an index build
//! is held against. Prints one line of JSON; writes the suffix array to a second path if given.
#![allow(clippy::print_stdout)]

use std::fs;
use std::io::{self, Write};
use std::time::Instant;

use libsais::SuffixArrayConstruction;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(input) = arguments.next() else {
        return Err(io::Error::other("usage: bare_libsais TEXT [SUFFIX_ARRAY]"));
    };
    let text = fs::read(input)?;
    let (cpu, wall) = (cpu_seconds()?, Instant::now());
    let mut suffixes = vec![0_i32; text.len()];
    SuffixArrayConstruction::for_text(&text)
        .in_borrowed_buffer(&mut suffixes)
        .single_threaded()
        .run()
        .map_err(|error| io::Error::other(format!("{error:?}")))?;
    let (cpu, wall) = (cpu_seconds()? - cpu, wall.elapsed().as_secs_f64());
    if let Some(output) = arguments.next() {
        let mut output = io::BufWriter::new(fs::File::create(output)?);
        for suffix in &suffixes {
            output.write_all(&suffix.to_le_bytes())?;
        }
        output.flush()?;
    }
    println!("{{\"cpu\": {cpu:.4}, \"wall\": {wall:.4}, \"peak\": {}}}", peak_bytes()?);
    Ok(())
}

/// CPU seconds of the process's one thread.
fn cpu_seconds() -> io::Result<f64> {
    let times = fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds = times.split_whitespace().next().and_then(|number| number.parse::<f64>().ok());
    nanoseconds.map(|number| number / 1e9).ok_or_else(|| io::Error::other("no CPU time"))
}

fn peak_bytes() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map(|number| number * 1024).ok_or_else(|| io::Error::other("no peak memory"))
}
