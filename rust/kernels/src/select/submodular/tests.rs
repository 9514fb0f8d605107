//! Selections against obvious loops.

use proptest::prelude::*;

use super::*;
use crate::interrupt::Monitor;

fn options(k: usize) -> Options {
    Options { k, costs: None, initial: vec![], method: Method::Lazy, least: None }
}

fn sparse(rows: &[Vec<f64>]) -> Sparse {
    let width = rows.first().map_or(1, Vec::len);
    let (mut starts, mut columns, mut values) = (vec![0], vec![], vec![]);
    for row in rows {
        for (column, &value) in row.iter().enumerate() {
            if value != 0.0 {
                columns.push(column as u32);
                values.push(value);
            }
        }
        starts.push(columns.len());
    }
    Sparse::new(starts, columns, values, width).unwrap()
}

fn wide(rows: &[Vec<f64>]) -> Matrix {
    Matrix::Wide(Dense::new(rows.concat(), rows[0].len()).unwrap())
}

fn narrow(rows: &[Vec<f64>]) -> Matrix {
    let values = rows.concat().into_iter().map(|value| value as f32).collect();
    Matrix::Narrow(Dense::new(values, rows[0].len()).unwrap())
}

fn problem(function: Function, data: Matrix, measure: Option<Measure>) -> Problem {
    Problem { function, data, measure, neighbours: None, weights: None }
}

fn run(problem: &Problem, options: &Options) -> Selection {
    select(problem.clone(), options, 1, true, 0, &Monitor::default()).unwrap()
}

fn similarity(measure: Measure, a: &[f64], b: &[f64]) -> f64 {
    let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let norm = |row: &[f64]| row.iter().map(|value| value * value).sum::<f64>().sqrt();
    let value = match measure {
        Measure::Dot => dot,
        Measure::Cosine if norm(a) == 0.0 || norm(b) == 0.0 => 0.0,
        Measure::Cosine => dot / (norm(a) * norm(b)),
        Measure::Euclidean => {
            let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
            1.0 / (1.0 + square.sqrt())
        }
    };
    value.max(0.0)
}

fn table(measure: Option<Measure>, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    match measure {
        None => rows.to_vec(),
        Some(measure) => {
            rows.iter().map(|a| rows.iter().map(|b| similarity(measure, a, b)).collect()).collect()
        }
    }
}

/// The function itself, from its definition.
fn value(function: Function, measure: Option<Measure>, rows: &[Vec<f64>], set: &[u32]) -> f64 {
    let similar = table(measure, rows);
    let set: Vec<usize> = set.iter().map(|&row| row as usize).collect();
    let sums =
        || (0..rows[0].len()).map(|column| set.iter().map(|&row| rows[row][column]).sum::<f64>());
    match function {
        Function::FacilityLocation => (0..similar[0].len())
            .map(|to| set.iter().map(|&row| similar[row][to]).fold(0.0, f64::max))
            .sum(),
        Function::GraphCut { lambda } => {
            let to_all: f64 = set.iter().map(|&row| similar[row].iter().sum::<f64>()).sum();
            let among = |&row: &usize| set.iter().map(|&other| similar[row][other]).sum::<f64>();
            to_all - lambda * set.iter().map(among).sum::<f64>()
        }
        Function::FeatureBased(concave) => sums()
            .map(|sum| match concave {
                Concave::Sqrt => sum.sqrt(),
                Concave::Log => sum.ln_1p(),
                Concave::Inverse => sum / (1.0 + sum),
                Concave::Saturate { most } => sum.min(most),
            })
            .sum(),
        Function::MaxCoverage => (0..rows[0].len())
            .filter(|&column| set.iter().any(|&row| rows[row][column] != 0.0))
            .count() as f64,
    }
}

const FUNCTIONS: [Function; 8] = [
    Function::FacilityLocation,
    Function::GraphCut { lambda: 0.5 },
    Function::GraphCut { lambda: 2.0 },
    Function::FeatureBased(Concave::Sqrt),
    Function::FeatureBased(Concave::Log),
    Function::FeatureBased(Concave::Inverse),
    Function::FeatureBased(Concave::Saturate { most: 2.0 }),
    Function::MaxCoverage,
];

/// Few values, so that rows are often equal and gains often tie.
fn rows(most: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
    (1..most, 1..8usize).prop_flat_map(|(rows, width)| {
        let value =
            prop_oneof![3 => Just(0.0), 1 => (1..8u8).prop_map(|value| f64::from(value) / 4.0)];
        prop::collection::vec(prop::collection::vec(value, width), rows)
    })
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * (1.0 + left.abs().max(right.abs()))
}

fn measures(function: Function) -> &'static [Option<Measure>] {
    match function {
        Function::FacilityLocation | Function::GraphCut { .. } => {
            &[Some(Measure::Cosine), Some(Measure::Dot), Some(Measure::Euclidean)]
        }
        _ => &[None],
    }
}

proptest! {
    #[test]
    fn lazy_takes_what_naive_takes(rows in rows(24), negative in any::<bool>()) {
        for function in FUNCTIONS {
            let flip = negative && measures(function).len() > 1;
            let rows: Vec<Vec<f64>> = rows
                .iter()
                .enumerate()
                .map(|(at, row)| {
                    let sign = |value: f64| if flip && at % 3 == 1 { -value } else { value };
                    row.iter().map(|&value| sign(value)).collect()
                })
                .collect();
            for &measure in measures(function) {
                for data in [Matrix::Sparse(sparse(&rows)), wide(&rows), narrow(&rows)] {
                    let problem = problem(function, data, measure);
                    let k = rows.len();
                    let lazy = run(&problem, &options(k));
                    let naive = run(&problem, &Options { method: Method::Naive, ..options(k) });
                    prop_assert_eq!(&lazy, &naive, "{:?} {:?}", function, measure);
                    let narrow = matches!(problem.data, Matrix::Narrow(_));
                    if narrow {
                        continue;
                    }
                    for upto in 0..=k {
                        let sum: f64 = lazy.gains[..upto].iter().sum();
                        let expected = value(function, measure, &rows, &lazy.rows[..upto]);
                        prop_assert!(close(sum, expected), "{:?} {} {}", function, sum, expected);
                    }
                }
            }
        }
    }

    #[test]
    fn greedy_of_quarters_takes_the_first_of_the_best(rows in rows(16)) {
        // Sums of quarters are exact, so that ties are ties whatever the order they are added in.
        for (function, measure) in [
            (Function::FacilityLocation, Some(Measure::Dot)),
            (Function::GraphCut { lambda: 0.5 }, Some(Measure::Dot)),
            (Function::FeatureBased(Concave::Saturate { most: 2.0 }), None),
            (Function::MaxCoverage, None),
        ] {
            for data in [Matrix::Sparse(sparse(&rows)), wide(&rows)] {
                let found = run(&problem(function, data, measure), &options(rows.len()));
                let mut set: Vec<u32> = vec![];
                while set.len() < rows.len() {
                    let at = value(function, measure, &rows, &set);
                    let gain = |row: u32| {
                        value(function, measure, &rows, &[&set[..], &[row]].concat()) - at
                    };
                    let left = (0..rows.len() as u32).filter(|row| !set.contains(row));
                    let best = left.reduce(|best, row| if gain(row) > gain(best) { row } else { best });
                    set.push(best.unwrap());
                }
                prop_assert_eq!(&found.rows, &set, "{:?}", function);
            }
        }
    }

    #[test]
    fn graphs_are_as_the_rows_they_are_of(rows in rows(14)) {
        let similar = table(Some(Measure::Dot), &rows);
        for function in [Function::FacilityLocation, Function::GraphCut { lambda: 0.75 }] {
            let of_rows = run(
                &problem(function, Matrix::Sparse(sparse(&rows)), Some(Measure::Dot)),
                &options(rows.len()),
            );
            for data in [Matrix::Sparse(sparse(&similar)), wide(&similar)] {
                let of_graph = run(&problem(function, data, None), &options(rows.len()));
                prop_assert_eq!(&of_rows, &of_graph);
            }
        }
    }

    #[test]
    fn any_graph(rows in rows(12), lambda in 0.0..2.0f64) {
        // Not symmetric; for facility location not square either.
        let size = rows.len().min(rows[0].len());
        let square: Vec<Vec<f64>> = rows[..size].iter().map(|row| row[..size].to_vec()).collect();
        let cut = Function::GraphCut { lambda };
        for (function, rows) in [(Function::FacilityLocation, &rows), (cut, &square)] {
            let problem = problem(function, Matrix::Sparse(sparse(rows)), None);
            let lazy = run(&problem, &options(rows.len()));
            let naive = run(&problem, &Options { method: Method::Naive, ..options(rows.len()) });
            prop_assert_eq!(&lazy, &naive);
            prop_assert!(close(lazy.value(), value(function, None, rows, &lazy.rows)));
        }
    }

    #[test]
    fn costs_and_initial_rows(
        rows in rows(12),
        costs in prop::collection::vec(0..5u8, 12),
        budget in 0..12u8,
        first in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let initial: Vec<u32> = first.iter().map(|at| at.index(rows.len()) as u32).collect();
        let costs: Vec<f64> = costs[..rows.len()].iter().map(|&cost| cost.into()).collect();
        for function in [Function::FacilityLocation, Function::MaxCoverage] {
            let measure = measures(function)[0];
            let problem = problem(function, Matrix::Sparse(sparse(&rows)), measure);
            let with = |method| Options {
                k: usize::MAX,
                costs: Some(Costs { costs: costs.clone(), budget: budget.into() }),
                initial: initial.clone(),
                method,
                least: None,
            };
            let found = run(&problem, &with(Method::Lazy));
            prop_assert_eq!(&found, &run(&problem, &with(Method::Naive)));
            let spent: f64 = found.rows.iter().map(|&row| costs[row as usize]).sum();
            prop_assert!(spent <= f64::from(budget));
            prop_assert!(found.rows.iter().all(|row| !initial.contains(row)));
            let both = [&initial[..], &found.rows].concat();
            let gained = value(function, measure, &rows, &both)
                - value(function, measure, &rows, &initial);
            prop_assert!(close(gained, found.value()));
            // No single row that can be paid is worth more.
            for row in (0..rows.len() as u32).filter(|&row| costs[row as usize] <= budget.into()) {
                let one = value(function, measure, &rows, &[&initial[..], &[row]].concat())
                    - value(function, measure, &rows, &initial);
                prop_assert!(one <= found.value() + 1e-9);
            }
        }
    }

    #[test]
    fn greedy_keeps_its_promise(rows in rows(9), k in 1..4usize) {
        let k = k.min(rows.len());
        for function in [
            Function::FacilityLocation,
            Function::GraphCut { lambda: 0.5 },
            Function::FeatureBased(Concave::Sqrt),
            Function::MaxCoverage,
        ] {
            let measure = measures(function)[0];
            let problem = problem(function, Matrix::Sparse(sparse(&rows)), measure);
            let found = run(&problem, &options(k)).value();
            let best = (0u32..1 << rows.len())
                .filter(|set| set.count_ones() as usize == k)
                .map(|set| {
                    let set: Vec<u32> = (0..rows.len() as u32).filter(|row| set >> row & 1 == 1).collect();
                    value(function, measure, &rows, &set)
                })
                .fold(0.0, f64::max);
            let promised = 1.0 - (-1.0f64).exp();
            prop_assert!(found >= promised * best - 1e-9, "{:?} {} {}", function, found, best);
            prop_assert!(found <= best + 1e-9);
        }
    }

    #[test]
    fn neighbours_are_the_most_similar(rows in rows(20), k in 1..6usize) {
        for measure in [Measure::Cosine, Measure::Dot, Measure::Euclidean] {
            let similar = table(Some(measure), &rows);
            let data = Matrix::Sparse(sparse(&rows));
            let graph = neighbours(data, measure, k, &Monitor::default()).unwrap();
            let dense = neighbours(wide(&rows), measure, k, &Monitor::default()).unwrap();
            for graph in [&graph, &dense] {
                for (row, similar) in similar.iter().enumerate() {
                    let mut found: Vec<f64> = graph.row(row).1.to_vec();
                    found.sort_by(|a, b| b.total_cmp(a));
                    let mut expected: Vec<f64> =
                        similar.iter().copied().filter(|&value| value > 0.0).collect();
                    expected.sort_by(|a, b| b.total_cmp(a));
                    expected.truncate(k);
                    prop_assert_eq!(found.len(), expected.len());
                    prop_assert!(found.iter().zip(&expected).all(|(a, b)| close(*a, *b)));
                    for (&to, &value) in graph.row(row).0.iter().zip(graph.row(row).1) {
                        prop_assert!(close(value, similar[to as usize]));
                    }
                }
            }
            let both = symmetric(&graph);
            prop_assert_eq!(&both, &both.transposed());
            prop_assert!(both.entries() >= graph.entries());
        }
    }

    #[test]
    fn parts_give_rows_once(rows in rows(30), parts in 1..5usize, k in 0..8usize, merge in any::<bool>()) {
        let (parts, k) = (parts.min(rows.len()), k.min(rows.len()));
        for function in FUNCTIONS {
            let measure = measures(function)[0];
            let problem = problem(function, Matrix::Sparse(sparse(&rows)), measure);
            let pick = |seed| {
                select(problem.clone(), &options(k), parts, merge, seed, &Monitor::default())
            };
            let found = pick(3).unwrap();
            prop_assert_eq!(&found, &pick(3).unwrap());
            let mut once = found.rows.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), k);
            if merge {
                prop_assert!(close(found.value(), value(function, measure, &rows, &found.rows)));
            }
        }
    }

    #[test]
    fn sieves_keep_their_promise(rows in rows(9), k in 1..4usize, epsilon in 0.05..0.5f64) {
        for (function, sought) in [
            (Function::FeatureBased(Concave::Sqrt), Sought::Features(Concave::Sqrt, None)),
            (Function::MaxCoverage, Sought::Coverage(None)),
            (
                Function::FacilityLocation,
                Sought::Location {
                    reference: wide(&rows),
                    measure: Measure::Euclidean,
                    weights: None,
                },
            ),
        ] {
            let measure = matches!(function, Function::FacilityLocation)
                .then_some(Measure::Euclidean);
            let mut sieve = Sieve::new(sought, k, epsilon).unwrap();
            for part in rows.chunks(3) {
                sieve.add(&wide(part), &Monitor::default()).unwrap();
            }
            let (found, gains) = sieve.best();
            let found: Vec<u32> = found.iter().map(|&row| row as u32).collect();
            prop_assert!(found.len() <= k && found.is_sorted_by(|a, b| a < b));
            let own = gains.iter().sum::<f64>();
            prop_assert!((own - value(function, measure, &rows, &found)).abs() < 1e-6);
            let best = (0u32..1 << rows.len())
                .filter(|set| set.count_ones() as usize <= k)
                .map(|set| {
                    let set: Vec<u32> =
                        (0..rows.len() as u32).filter(|row| set >> row & 1 == 1).collect();
                    value(function, measure, &rows, &set)
                })
                .fold(0.0, f64::max);
            prop_assert!(own >= (0.5 - epsilon) * best - 1e-9, "{} {}", own, best);
        }
    }

    #[test]
    fn medoids_exchange_until_no_pair_is_better(
        rows in rows(10),
        others in rows(6),
        k in 1..4usize,
    ) {
        let k = k.min(rows.len());
        let cost = |row: &Vec<f64>, other: &Vec<f64>| {
            row.iter().chain(&[0.0; 8]).zip(other).map(|(a, b)| (a - b).abs()).sum::<f64>()
        };
        let table: Vec<Vec<f64>> =
            rows.iter().map(|row| others.iter().map(|other| cost(row, other)).collect()).collect();
        let costs = Dense::new(table.concat(), others.len()).unwrap();
        let sum = |set: &[u32]| -> f64 {
            (0..others.len())
                .map(|to| set.iter().map(|&row| table[row as usize][to]).fold(f64::INFINITY, f64::min))
                .sum()
        };
        let greedy = k_medoids(&costs, k, 0, &Monitor::default()).unwrap();
        let found = k_medoids(&costs, k, 100, &Monitor::default()).unwrap();
        prop_assert!(close(found.cost, sum(&found.rows)));
        prop_assert!(found.cost <= greedy.cost + 1e-9);
        for out in 0..k {
            for row in 0..rows.len() as u32 {
                let mut other = found.rows.clone();
                other[out] = row;
                prop_assert!(found.cost <= sum(&other) + 1e-6);
            }
        }
    }
}

#[test]
fn stochastic_greedy_of_all_rows_is_greedy() {
    let rows: Vec<Vec<f64>> = (0..40u64)
        .map(|row| (0..6).map(|column| (random(row, column) % 5) as f64).collect())
        .collect();
    let problem = problem(Function::FeatureBased(Concave::Sqrt), wide(&rows), None);
    let stochastic =
        |epsilon| Options { method: Method::Stochastic { epsilon, seed: 7 }, ..options(8) };
    assert_eq!(run(&problem, &stochastic(1e-9)), run(&problem, &options(8)));
    let found = run(&problem, &stochastic(0.5));
    assert_eq!(found, run(&problem, &stochastic(0.5)));
    assert_eq!(found.rows.len(), 8);
    let other = Options { method: Method::Stochastic { epsilon: 0.5, seed: 8 }, ..options(8) };
    assert_ne!(found.rows, run(&problem, &other).rows);
}

#[test]
fn samples_follow_their_weights() {
    let gains = [0.0, 1.0, 3.0];
    let weights = [1.0, 2.5, 8.5];
    let mut first = [0usize; 3];
    let draws = 30_000;
    for seed in 0..draws {
        let drawn = taylor_softmax(&gains, 2, seed).unwrap();
        assert_ne!(drawn[0], drawn[1]);
        first[drawn[0] as usize] += 1;
    }
    let chi: f64 = first
        .iter()
        .zip(weights)
        .map(|(&found, weight)| {
            let expected = draws as f64 * weight / 12.0;
            (found as f64 - expected).powi(2) / expected
        })
        .sum();
    // Two degrees of freedom: one in a million.
    assert!(chi < 27.6, "{first:?} {chi}");
}

#[test]
fn many_threads_select_the_same() {
    let rows: Vec<Vec<f64>> = (0..3000u64)
        .map(|row| {
            (0..40)
                .map(|column| {
                    let drawn = random(row, column);
                    if drawn.is_multiple_of(4) { (drawn >> 32) as f64 / 4e9 } else { 0.0 }
                })
                .collect()
        })
        .collect();
    for function in [Function::FacilityLocation, Function::FeatureBased(Concave::Log)] {
        let measure = measures(function)[0];
        for data in [Matrix::Sparse(sparse(&rows)), narrow(&rows)] {
            let problem = problem(function, data, measure);
            let mut found = [1, 2, 4].map(|threads| {
                let pool = crate::pool(Some(threads)).unwrap();
                pool.install(|| {
                    let whole = run(&problem, &options(30));
                    let parts =
                        select(problem.clone(), &options(30), 3, true, 5, &Monitor::default());
                    (whole, parts.unwrap())
                })
            });
            found.sort_by(|a, b| a.0.rows.cmp(&b.0.rows));
            assert_eq!(found[0], found[2]);
            assert_eq!(found[0], found[1]);
        }
    }
}
