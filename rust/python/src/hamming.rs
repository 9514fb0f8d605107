//! What `bowstring.hamming` asks of the kernels.

use std::collections::HashMap;

use bowstring::hamming::{
    Approximate, Distances, Engine, Equality, Guarantee, Hamming, Method, Options, Windows,
    WithinOptions, count_pairs, nearest, sums,
};
use bowstring::{Error, Monitor, Pattern, Patterns, Phase, Result, pool};
use bowstring_arrow as arrow;
use bowstring_arrow::hamming::each_text;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::capsule::{Array, Column, Table};
use crate::detached::{run, run_reporting};
use crate::index::{Index, Queries};

/// Wildcards, symbols that stand for others, and the name of a method, as Python gives them.
type Asked = (Vec<u32>, HashMap<u32, u32>, Option<String>);

fn read(asked: Asked) -> (Equality, Options) {
    let (wildcards, map, method) = asked;
    let method = method.as_deref().and_then(Method::named);
    (Equality { wildcards, map }, Options { method, simd: None })
}

fn patterns(column: Column) -> Result<Patterns> {
    let data_type = column.data_type.clone();
    arrow::read_patterns(&data_type, column.chunks())
}

/// Runs a kernel in the pool of `threads` threads, and reports to `progress` the windows or sums
/// that it has done.
fn run_long<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
    kernel: impl FnOnce(&Monitor) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    run_reporting(py, progress, move |monitor| {
        monitor.enter(Phase::Querying, 0, None);
        pool(threads)?.install(|| kernel(&monitor))
    })
}

/// What is asked of one text and all patterns, for every text: an item for each pattern.
fn each_of<A: Send>(
    texts: Column,
    hamming: &Hamming<'_>,
    monitor: &Monitor,
    answer: impl Fn(Pattern<'_>) -> Result<Vec<Option<A>>> + Sync,
    take: impl FnMut(u64, Vec<Option<A>>) -> Result<()>,
) -> Result<()> {
    let data_type = texts.data_type.clone();
    let take = std::cell::RefCell::new(take);
    each_text(
        &data_type,
        texts.chunks(),
        &mut |first, texts| {
            let all: Vec<usize> = (0..texts.len()).collect();
            let found = bowstring::in_blocks(&all, 16, monitor, |block| {
                let one = |&at: &usize| match texts.get(at) {
                    Some(text) => answer(text),
                    None => Ok((0..hamming.len()).map(|_| None).collect()),
                };
                block.iter().map(one).collect::<Result<Vec<_>>>()
            })?;
            let mut take = take.borrow_mut();
            found.into_iter().flatten().zip(first..).try_for_each(|(one, at)| take(at, one))
        },
        &mut |at, text| answer(text).and_then(|found| take.borrow_mut()(at, found)),
    )
}

/// What is asked of one text and every pattern.
fn each_pair<A: Send>(
    texts: Column,
    hamming: &Hamming<'_>,
    monitor: &Monitor,
    answer: impl Fn(Pattern<'_>, usize) -> Result<A> + Sync,
    mut take: impl FnMut(u64, usize, Option<A>) -> Result<()>,
) -> Result<()> {
    let data_type = texts.data_type.clone();
    let take = std::cell::RefCell::new(&mut take);
    each_text(
        &data_type,
        texts.chunks(),
        &mut |first, texts| {
            let all: Vec<usize> = (0..texts.len()).collect();
            let found = bowstring::in_blocks(&all, 16, monitor, |block| {
                let mut found = vec![];
                for &at in block {
                    for pattern in 0..hamming.len() {
                        let text = texts.get(at).filter(|_| !hamming.is_null(pattern));
                        let one = text.map(|text| answer(text, pattern)).transpose()?;
                        found.push((first + at as u64, pattern, one));
                    }
                }
                Ok(found)
            })?;
            let mut take = take.borrow_mut();
            found
                .into_iter()
                .flatten()
                .try_for_each(|(text, pattern, one)| take(text, pattern, one))
        },
        &mut |at, text| {
            let mut take = take.borrow_mut();
            for pattern in 0..hamming.len() {
                let asked = (!hamming.is_null(pattern)).then(|| answer(text, pattern));
                take(at, pattern, asked.transpose()?)?;
            }
            Ok(())
        },
    )
}

/// Distances of every text to every pattern: an array if both are one, else a list for each pair.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn hamming_distances(
    py: Python<'_>,
    texts: Column,
    needles: Column,
    one: bool,
    asked: Asked,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Array> {
    let (equality, options) = read(asked);
    run_long(py, threads, progress, move |monitor| {
        let hamming = Hamming::new(&patterns(needles)?, &equality)?;
        let mut lists: Vec<Option<Distances>> = vec![];
        each_of(
            texts,
            &hamming,
            monitor,
            |text| {
                if one {
                    hamming.check_length(text, 0)?;
                }
                hamming.distances_of_each(text, 0..hamming.len(), options, monitor)
            },
            |_, distances| {
                lists.extend(distances);
                Ok(())
            },
        )?;
        match lists.pop() {
            Some(Some(distances)) if one => Ok(arrow::hamming::distances(distances)),
            last => {
                lists.extend(last);
                arrow::hamming::distance_lists(lists)
            }
        }
    })
    .map(Array)
}

/// `text?, pattern?, start, distance` of the windows within `k`.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn hamming_within(
    py: Python<'_>,
    texts: Column,
    needles: Column,
    many: (bool, bool),
    k: usize,
    best: bool,
    disjoint: bool,
    characters: bool,
    asked: Asked,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    let (equality, options) = read(asked);
    let options = WithinOptions { k, best, disjoint, characters, options };
    run_long(py, threads, progress, move |monitor| {
        let hamming = Hamming::new(&patterns(needles)?, &equality)?;
        let mut windows = Windows::default();
        each_pair(
            texts,
            &hamming,
            monitor,
            |text, pattern| hamming.within_one(text, pattern, options, monitor),
            |text, pattern, found| {
                windows.extend(text, pattern, &found.unwrap_or_default());
                Ok(())
            },
        )?;
        arrow::hamming::windows(windows, many.0, many.1)
    })
    .map(Table)
}

/// Bytes of distances that are held at once, but for those of one pattern.
const HELD: usize = 1 << 30;

/// `text?, pattern?, start, distance` of the `top` nearest windows of each pair.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn hamming_nearest(
    py: Python<'_>,
    texts: Column,
    needles: Column,
    many: (bool, bool),
    top: usize,
    asked: Asked,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    let (equality, options) = read(asked);
    run_long(py, threads, progress, move |monitor| {
        let hamming = Hamming::new(&patterns(needles)?, &equality)?;
        let mut windows = Windows::default();
        each_of(
            texts,
            &hamming,
            monitor,
            |text| {
                let together = (HELD / 4 / text.len().max(1)).max(1);
                let mut found = vec![];
                for first in (0..hamming.len()).step_by(together) {
                    let some = first..hamming.len().min(first + together);
                    let distances = hamming.distances_of_each(text, some, options, monitor)?;
                    let nearest = |one: Option<Distances>| one.map(|one| nearest(&one, top));
                    found.extend(distances.into_iter().map(nearest));
                }
                Ok(found)
            },
            |text, found| {
                for (pattern, found) in found.into_iter().enumerate() {
                    windows.extend(text, pattern, &found.unwrap_or_default());
                }
                Ok(())
            },
        )?;
        arrow::hamming::windows(windows, many.0, many.1)
    })
    .map(Table)
}

/// Runs on the one text and the one pattern.
fn of_one<A: Send + 'static>(
    py: Python<'_>,
    text: Column,
    needle: Column,
    equality: Equality,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
    answer: impl Fn(&Hamming<'_>, Pattern<'_>, &Monitor) -> Result<A> + Send + Sync + 'static,
) -> PyResult<A> {
    run_long(py, threads, progress, move |monitor| {
        let hamming = Hamming::new(&patterns(needle)?, &equality)?;
        let mut found = None;
        let answer = |text: Pattern<'_>, pattern| {
            hamming.check_length(text, pattern)?;
            answer(&hamming, text, monitor)
        };
        each_pair(text, &hamming, monitor, answer, |_, _, one| {
            found = one;
            Ok(())
        })?;
        found.ok_or_else(none)
    })
}

/// What is said of no text or no pattern, where there has to be one.
fn none() -> Error {
    Error::InvalidInput("text or pattern is null: give one of each".into())
}

/// What would count the distances: windows, nanoseconds, instructions, and a dictionary a kernel.
#[pyfunction]
pub fn hamming_plan<'py>(
    py: Python<'py>,
    text: Column,
    needle: Column,
    asked: Asked,
) -> PyResult<(usize, f64, &'static str, Bound<'py, PyList>)> {
    let (equality, options) = read(asked);
    let plan = of_one(py, text, needle, equality, None, None, move |hamming, text, _| {
        hamming.plan(text, 0, options)?.ok_or_else(none)
    })?;
    let steps = PyList::empty(py);
    for step in &plan.steps {
        let one = PyDict::new(py);
        one.set_item("method", step.method.name())?;
        one.set_item("symbols", step.symbols)?;
        one.set_item("positions", step.positions)?;
        one.set_item("nanoseconds", step.nanoseconds)?;
        one.set_item("transform", step.transform)?;
        one.set_item("pieces", step.pieces)?;
        one.set_item("error_bound", step.error_bound)?;
        steps.append(one)?;
    }
    Ok((plan.windows, plan.nanoseconds, plan.simd.name(), steps))
}

/// Estimates, the method, positions, trials, the measured error, and the verified windows.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn hamming_approximate(
    py: Python<'_>,
    text: Column,
    needle: Column,
    guarantee: Option<&str>,
    epsilon: f64,
    delta: f64,
    trials: usize,
    verify: usize,
    seed: u64,
    always: bool,
    asked: Asked,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Array, &'static str, usize, usize, f64, Table)> {
    let (equality, options) = read(asked);
    let guarantee = match guarantee {
        Some("additive") => Guarantee::Additive,
        Some("relative") => Guarantee::Relative,
        _ => Guarantee::None,
    };
    let how = Approximate { guarantee, epsilon, delta, trials, verify, seed, always };
    of_one(py, text, needle, equality, threads, progress, move |hamming, text, monitor| {
        let found = hamming.approximate(text, 0, &how, options, monitor)?;
        let verified = arrow::hamming::verified(&found.verified)?;
        let distances = arrow::hamming::estimates(found.distances);
        Ok((distances, found.method, found.positions, found.trials, found.error, verified))
    })
    .map(|(distances, method, positions, trials, error, verified)| {
        (Array(distances), method, positions, trials, error, Table(verified))
    })
}

/// `query?, row, start, stop, distance` of an index.
#[pyfunction]
pub fn hamming_search(
    py: Python<'_>,
    index: &Index,
    queries: Queries,
    k: usize,
    threads: Option<usize>,
) -> PyResult<Table> {
    let index = index.kernel();
    let many = queries.many();
    run(py, threads, move |monitor| {
        arrow::hamming::near(index.search_within(&queries.read()?, k, monitor)?, many)
    })
    .map(Table)
}

/// `value, count?` of the sums, and the engine that found them.
#[pyfunction]
pub fn hamming_sums(
    py: Python<'_>,
    a: Column,
    b: Column,
    counted: bool,
    engine: Option<&str>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Table, &'static str)> {
    let engine = engine.and_then(Engine::named);
    run_long(py, None, progress, move |monitor| {
        let a = arrow::hamming::read_integers("a", a.chunks())?;
        let b = arrow::hamming::read_integers("b", b.chunks())?;
        let (sums, engine) = sums(&a, &b, counted, engine, monitor)?;
        Ok((arrow::hamming::sums(sums, counted)?, engine.name()))
    })
    .map(|(table, engine)| (Table(table), engine))
}

/// How many pairs have each target as their sum.
#[pyfunction]
pub fn hamming_count_pairs(
    py: Python<'_>,
    a: Column,
    b: Column,
    targets: Column,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Array> {
    run_long(py, threads, progress, move |monitor| {
        let a = arrow::hamming::read_integers("a", a.chunks())?;
        let b = arrow::hamming::read_integers("b", b.chunks())?;
        let targets = arrow::hamming::read_integers("c", targets.chunks())?;
        Ok(arrow::counts(count_pairs(&a, &b, &targets, monitor)?, &[]))
    })
    .map(Array)
}
