use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::boolean::{Expression, Node};
use super::{
    Boundary, Candidates, DistributionOptions, GenerateOptions, Limit, MatchOptions, Next, Reach,
    SearchOptions, Smoothing, naive, parse,
};
use crate::corpus::{Column, Rows};
use crate::error::Error;
use crate::index::{Builder, Index, Options};
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns};

type Row = Option<Vec<u32>>;

fn build(column: Column, rows: &[Row], segment_symbols: usize) -> Index {
    let options = Options { segment_symbols: Some(segment_symbols), ..Options::default() };
    let mut builder =
        Builder::new(column, None, false, options, Arc::new(Monitor::default())).unwrap();
    for row in rows {
        push(&mut builder, column, row.as_deref());
    }
    builder.finish().unwrap()
}

fn push(into: &mut dyn Rows, column: Column, row: Option<&[u32]>) {
    if column == Column::Tokens {
        into.push_tokens(row).unwrap();
    } else {
        let bytes: Option<Vec<u8>> = row.map(|row| row.iter().map(|&byte| byte as u8).collect());
        into.push_bytes(bytes.as_deref()).unwrap();
    }
}

fn patterns(column: Column, rows: &[Row]) -> Patterns {
    let mut patterns =
        if column == Column::Tokens { Patterns::tokens() } else { Patterns::bytes() };
    for row in rows {
        push(&mut patterns, column, row.as_deref());
    }
    patterns
}

fn kinds() -> impl Strategy<Value = (Column, Vec<Row>, Vec<Row>)> {
    let rows = |symbols: BoxedStrategy<u32>| {
        let row = option::weighted(0.9, vec(symbols.clone(), 0..60));
        let query = option::weighted(0.9, vec(symbols, 1..5));
        (vec(row, 0..12), vec(query, 1..6))
    };
    let kind = |column: Column, symbols: BoxedStrategy<u32>| {
        rows(symbols).prop_map(move |(rows, queries)| (column, rows, queries))
    };
    prop_oneof![
        kind(Column::String, (97_u32..100).boxed()),
        kind(Column::Binary, prop_oneof![Just(0_u32), Just(254), Just(255)].boxed()),
        kind(Column::Tokens, (0_u32..4).boxed()),
        kind(Column::Tokens, prop_oneof![Just(255_u32), Just(65_534), Just(7)].boxed()),
        kind(Column::Tokens, prop_oneof![Just(65_535_u32), Just(u32::MAX - 1)].boxed()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn questions_agree_with_the_definition(
        (column, rows, queries) in kinds(),
        segment in 1..200_usize,
        limit in 0..20_usize,
        seed in 0..5_u64,
    ) {
        let index = build(column, &rows, segment);
        let whole = build(column, &rows, 1 << 20);
        let asked = patterns(column, &queries);
        let monitor = Monitor::default();
        let counts = index.count_many(&asked, &monitor).unwrap();
        let mut expected = vec![];
        let mut first = vec![];
        let mut by_row: Vec<(u64, u64, u64)> = vec![];
        for (at, query) in queries.iter().enumerate() {
            let found = query.as_ref().map_or(vec![], |query| naive::locate(&rows, query));
            prop_assert_eq!(counts[at], found.len() as u64);
            if let Some(pattern) = asked.get(at) {
                prop_assert_eq!(index.count(pattern).unwrap(), found.len() as u64);
            }
            for &(row, start) in &found {
                match by_row.last_mut() {
                    Some(last) if (last.0, last.1) == (at as u64, row) => last.2 += 1,
                    _ => by_row.push((at as u64, row, 1)),
                }
                expected.push((at as u64, row, start));
            }
            first.extend(found.iter().take(limit).map(|&(row, start)| (at as u64, row, start)));
        }
        let flat = |spans: &super::Spans| -> Vec<_> {
            (0..spans.row.len()).map(|n| (spans.query[n], spans.row[n], spans.start[n])).collect()
        };
        let ranks = index.find(&asked, &monitor).unwrap();
        let all = index.locate(&ranks, Limit::All, &monitor).unwrap();
        prop_assert_eq!(flat(&all), expected.clone());
        for n in 0..all.row.len() {
            let length = asked.get(all.query[n] as usize).unwrap().len() as u64;
            prop_assert_eq!(all.stop[n] - all.start[n], length);
        }
        prop_assert_eq!(flat(&index.locate(&ranks, Limit::First(limit), &monitor).unwrap()), first);
        let sample = index.locate(&ranks, Limit::Sample(limit, seed), &monitor).unwrap();
        let other = whole.locate(&whole.find(&asked, &monitor).unwrap(), Limit::Sample(limit, seed), &monitor).unwrap();
        prop_assert_eq!(&sample, &other);
        prop_assert!(flat(&sample).iter().all(|span| expected.contains(span)));
        for at in 0..queries.len() as u64 {
            let drawn = sample.query.iter().filter(|&&query| query == at).count() as u64;
            prop_assert_eq!(drawn, counts[at as usize].min(limit as u64));
        }
        let found = index.matching_rows(&ranks, None, &monitor).unwrap();
        let found: Vec<_> =
            (0..found.row.len()).map(|n| (found.query[n], found.row[n], found.count[n])).collect();
        prop_assert_eq!(found, by_row);
    }

    #[test]
    fn searches_agree_with_the_definition(
        (column, rows, queries) in kinds(),
        segment in 1..200_usize,
        shape in 0..4_usize,
        within in option::of(1..30_u64),
    ) {
        let terms: Vec<Vec<u32>> = queries.into_iter().flatten().collect();
        prop_assume!(!terms.is_empty());
        let rows: Vec<Row> = rows.into_iter().map(|row| row.map(|row| row.into_iter().take(25).collect())).collect();
        let leaves: Vec<Node> = (0..terms.len()).map(Node::Term).collect();
        let root = match shape {
            0 => Node::And(leaves),
            1 => Node::Or(leaves),
            2 => Node::And(vec![leaves[0].clone(), Node::Or(leaves)]),
            _ => Node::Or(vec![Node::And(leaves.clone()), leaves[0].clone()]),
        };
        let asked = patterns(column, &terms.iter().cloned().map(Some).collect::<Vec<_>>());
        let expression = Expression { root: root.clone(), terms: asked };
        let options = SearchOptions { within, ..SearchOptions::default() };
        let index = build(column, &rows, segment);
        let found = index.search(&[Some(expression)], options, &Monitor::default()).unwrap();
        let found: Vec<_> =
            (0..found.row.len()).map(|n| (found.row[n], found.start[n], found.stop[n])).collect();
        prop_assert_eq!(found, naive::search(&rows, &root, &terms, within));
    }

    #[test]
    fn predictions_agree_with_the_definition(
        (column, rows, texts) in kinds(),
        segment in 1..200_usize,
        order in option::of(1..5_usize),
        ends in any::<bool>(),
    ) {
        let index = build(column, &rows, segment);
        let monitor = Monitor::default();
        let asked = patterns(column, &texts);
        let scores = index.score(&asked, order, ends, &monitor).unwrap();
        for (text, scores) in texts.iter().zip(scores) {
            let Some(text) = text else {
                prop_assert!(scores.is_empty());
                continue;
            };
            prop_assert_eq!(scores.len(), text.len() + usize::from(ends));
            for (at, score) in scores.into_iter().enumerate() {
                let longest = order.map_or(usize::MAX, |order| order - 1);
                let context = naive::longest_suffix(&rows, &text[..at], longest);
                let following = naive::following(&rows, context);
                let count = following.get(&text.get(at).copied()).copied().unwrap_or(0);
                let expected = Reach {
                    length: context.len() as u64,
                    context: following.values().sum(),
                    count,
                    sparse: following.len() == 1,
                };
                prop_assert_eq!(score, expected, "at {} of {:?}", at, text);
            }
        }
        for backoff in [false, true] {
            let options = DistributionOptions { backoff, max_support: None };
            let found = index.distributions(&asked, options, &monitor).unwrap();
            let found: Vec<_> = (0..found.token.len())
                .map(|n| (found.query[n], found.token[n], found.count[n], found.suffix_length[n]))
                .collect();
            let mut expected = vec![];
            for (at, text) in texts.iter().enumerate() {
                let Some(text) = text else { continue };
                let longest = if backoff { naive::longest_suffix(&rows, text, usize::MAX) } else { text };
                let mut following: Vec<_> = naive::following(&rows, longest).into_iter().collect();
                following.sort_by_key(|&(symbol, _)| (symbol.is_none(), symbol));
                for (symbol, count) in following {
                    expected.push((at as u64, symbol, count, longest.len() as u64));
                }
            }
            prop_assert_eq!(found, expected);
            let next = patterns(column, &texts.iter().rev().cloned().collect::<Vec<_>>());
            for next in [Next::End, Next::Text(&next)] {
                let found = index.predict(&asked, next, backoff, &monitor).unwrap();
                for (at, text) in texts.iter().enumerate() {
                    let after = &texts[texts.len() - 1 - at];
                    let null = text.is_none() || (matches!(next, Next::Text(_)) && after.is_none());
                    prop_assert_eq!(found.nulls.contains(&at), null);
                    let (Some(text), false) = (text, null) else { continue };
                    let context = if backoff { naive::longest_suffix(&rows, text, usize::MAX) } else { text };
                    let following = naive::following(&rows, context);
                    prop_assert_eq!(found.suffix_length[at], context.len() as u64);
                    prop_assert_eq!(found.prompt_count[at], following.values().sum::<u64>());
                    let count = match (next, after) {
                        (Next::Text(_), Some(after)) => {
                            let joined = [context, after].concat();
                            naive::following(&rows, &joined).values().sum()
                        }
                        _ => following.get(&None).copied().unwrap_or(0),
                    };
                    prop_assert_eq!(found.count[at], count);
                }
            }
        }
    }

    #[test]
    fn models_of_fixed_n_agree_with_the_definition(
        (column, rows, prompts) in kinds(),
        segment in 1..200_usize,
        orders in vec(1..7_usize, 1..4),
        lists in vec(option::weighted(0.9, vec(option::weighted(0.8, 0..80_usize), 0..12)), 6),
        same in any::<bool>(),
        weights in vec(0..4_u32, 5),
        alpha in 0.0..=1.0_f64,
        order in 1..6_usize,
    ) {
        let index = build(column, &rows, segment);
        let monitor = Monitor::default();
        let asked = patterns(column, &prompts);
        let known: Vec<u32> = rows.iter().flatten().flatten().copied().chain([3]).collect();
        let named = |list: &[Option<usize>]| -> Vec<Option<u32>> {
            list.iter().map(|nth| nth.map(|nth| known[nth % known.len()])).collect()
        };
        let lists: Vec<Option<Vec<Option<u32>>>> =
            lists.iter().take(prompts.len()).map(|list| list.as_deref().map(named)).collect();
        let candidates = if same {
            Candidates::Same(lists[0].clone().unwrap_or_default())
        } else {
            let lengths: Vec<_> =
                lists.iter().map(|list| list.as_ref().map(|list| list.len() as u64)).collect();
            Candidates::each(lists.iter().flatten().flatten().copied().collect(), &lengths)
        };
        let found = index.order_counts(&asked, &orders, &candidates, &monitor).unwrap();
        let mut from = 0;
        for (at, prompt) in prompts.iter().enumerate() {
            let list = if same { Some(lists[0].clone().unwrap_or_default()) } else { lists[at].clone() };
            prop_assert_eq!(found.nulls.contains(&at), prompt.is_none() || list.is_none());
            for (nth, &order) in orders.iter().enumerate() {
                let place = at * orders.len() + nth;
                let context = prompt.as_deref().and_then(|prompt| naive::of_order(prompt, order));
                let context = context.filter(|_| list.is_some());
                prop_assert_eq!(found.unknown.contains(&place), context.is_none());
                let following = context.map_or_else(Default::default, |context| {
                    naive::following(&rows, context)
                });
                prop_assert_eq!(found.denominators[place], following.values().sum::<u64>());
                let expected: Vec<u64> = list.iter().flatten()
                    .map(|symbol| following.get(symbol).copied().unwrap_or(0)).collect();
                prop_assert_eq!(&found.numerators[from..found.ends[place]], &expected);
                from = found.ends[place];
            }
        }
        prop_assert_eq!(found.numerators.len(), from);

        let nexts: Vec<Row> =
            (0..prompts.len()).map(|at| Some(vec![known[(at * 7) % known.len()]])).collect();
        let texts = patterns(column, &nexts);
        let mut mixed: Vec<(usize, f64)> = (1..).zip(weights.into_iter().map(f64::from)).collect();
        mixed[0].1 += f64::from(u8::from(mixed.iter().all(|&(_, weight)| weight == 0.0)));
        for next in [Next::End, Next::Text(&texts)] {
            let backoff = Smoothing::StupidBackoff(order, alpha);
            let scores = index.smoothed(&asked, next, &backoff, &monitor).unwrap();
            let mix = Smoothing::Interpolated(mixed.clone());
            let means = index.smoothed(&asked, next, &mix, &monitor).unwrap();
            for (at, prompt) in prompts.iter().enumerate() {
                let Some(prompt) = prompt else {
                    prop_assert_eq!((scores[at], means[at]), (None, None));
                    continue;
                };
                let symbol = match next {
                    Next::End => None,
                    Next::Text(_) => nexts[at].as_ref().map(|next| next[0]),
                };
                let tail = &prompt[prompt.len().saturating_sub(order - 1)..];
                let expected = naive::stupid_backoff(&rows, tail, symbol, alpha);
                prop_assert_eq!(scores[at].is_some(), expected.is_some());
                let (score, expected) = (scores[at].unwrap_or(0.0), expected.unwrap_or(0.0));
                prop_assert!((score - expected).abs() <= 1e-12 * expected, "{score} {expected}");
                prop_assert_eq!(means[at], naive::interpolated(&rows, prompt, symbol, &mixed));
            }
        }
    }

    #[test]
    fn matches_agree_with_the_definition(
        (column, rows, texts) in kinds(),
        segment in 1..200_usize,
        min_length in 1..4_usize,
        max_count in option::of(0..20_u64),
        delimiter in option::of(0..3_usize),
        bounded in any::<bool>(),
    ) {
        let bounded = bounded && column == Column::Tokens;
        let index = build(column, &rows, segment);
        // Texts made of pieces of rows, so that there are long matches.
        let joined: Vec<u32> = rows.iter().flatten().flatten().copied().skip(3).take(40).collect();
        let texts: Vec<Row> = texts.into_iter().chain([Some(joined)]).collect();
        let known: Vec<u32> = texts.iter().flatten().flatten().copied().collect();
        let one = |nth: usize| known.get(nth).copied();
        let delimiters: Vec<u32> = delimiter.and_then(one).into_iter().collect();
        let starts: std::collections::HashSet<u32> = one(1).into_iter().collect();
        let boundary =
            if bounded { Boundary::Tokens(starts.clone()) } else { Boundary::Symbol };
        let options = MatchOptions {
            min_length,
            max_count,
            boundary,
            delimiters: delimiters.iter().copied().collect(),
            density: None,
        };
        let found =
            index.matches(&patterns(column, &texts), &options, &Monitor::default()).unwrap();
        let mut expected = vec![];
        for (at, text) in texts.iter().enumerate() {
            let Some(text) = text else { continue };
            let allowed = |place: usize| {
                !bounded || text.get(place).is_none_or(|symbol| starts.contains(symbol))
            };
            let limits = (min_length, max_count.unwrap_or(u64::MAX));
            for (start, stop, count) in naive::matches(&rows, text, allowed, &delimiters, limits) {
                expected.push((at as u64, start, stop, count));
            }
        }
        let spans: Vec<_> = (0..found.start.len())
            .map(|n| (found.query[n], found.start[n], found.stop[n], found.count[n]))
            .collect();
        prop_assert_eq!(spans, expected);
        prop_assert_eq!(found.matched.len(), found.start.len());
    }

    #[test]
    fn any_query_parses_or_says_why(query in "[ab'\"()\\\\ ]{0,12}|(AND|OR|NOT|[(]|[)]|x| ){0,9}") {
        match parse(&query) {
            Ok(expression) => prop_assert!(!expression.terms.is_empty()),
            Err(error) => prop_assert!(matches!(error, Error::InvalidInput(_))),
        }
    }
}

fn shape(query: &str) -> String {
    fn show(node: &Node, terms: &Patterns) -> String {
        let join = |nodes: &[Node], word: &str| {
            let inner: Vec<_> = nodes.iter().map(|node| show(node, terms)).collect();
            format!("({})", inner.join(word))
        };
        match node {
            Node::Term(term) => match terms.get(*term) {
                Some(Pattern::Bytes(bytes)) => String::from_utf8(bytes.to_vec()).unwrap(),
                other => format!("{other:?}"),
            },
            Node::And(nodes) => join(nodes, "&"),
            Node::Or(nodes) => join(nodes, "|"),
        }
    }
    parse(query).map_or_else(|error| error.to_string(), |e| show(&e.root, &e.terms))
}

#[test]
fn parser_cases() {
    let cases = [
        ("a", "a"),
        (" a AND b OR c ", "((a&b)|c)"),
        ("a AND (b OR c)", "(a&(b|c))"),
        ("'a b' OR \"c'd\"", "(a b|c'd)"),
        (r"'it\'s' AND 'back\\slash'", r"(it's&back\slash)"),
        ("ANDROID AND ORDER", "(ANDROID&ORDER)"),
        ("'AND'", "AND"),
        ("((a))", "a"),
        ("é AND 'ü ö'", "(é&ü ö)"),
    ];
    for (query, expected) in cases {
        assert_eq!(shape(query), expected, "{query}");
    }
    for query in ["", " ", "a b", "a AND", "OR a", "NOT a", "(a", "a)", "'a", "a AND OR b", "()"] {
        assert!(parse(query).is_err(), "{query}");
    }
    assert!(parse(&"(".repeat(100_000)).is_err());
    assert!(parse(&format!("{}a{}", "(".repeat(100), ")".repeat(100))).is_ok());
}

#[test]
fn estimates_are_unbiased_and_the_same_for_every_segmentation() {
    let rows: Vec<Row> = (0..400_u32)
        .map(|row| Some((0..row % 17).map(|at| [97, 98, 99][(row * at % 3) as usize]).collect()))
        .collect();
    let expression = || Some(parse("a AND b").unwrap());
    let index = build(Column::String, &rows, 1 << 20);
    let pieces = build(Column::String, &rows, 500);
    let ask = |index: &Index, max_matches, seed| {
        let options = SearchOptions { max_matches, seed, ..SearchOptions::default() };
        index.search(&[expression()], options, &Monitor::default()).unwrap()
    };
    let exact = ask(&index, None, 0).row.len() as f64;
    let seeds = 400;
    let mut total = 0.0;
    for seed in 0..seeds {
        let estimate = ask(&index, Some(100), seed);
        assert_eq!(estimate, ask(&pieces, Some(100), seed));
        assert!(estimate.approximate.iter().all(|&approximate| approximate));
        total += estimate.weight.iter().sum::<f64>();
    }
    let mean = total / seeds as f64;
    assert!((mean - exact).abs() < 0.03 * exact, "mean {mean}, exact {exact}");
    let all = ask(&index, Some(1 << 40), 0);
    assert_eq!(all.row.len() as f64, exact);
    assert!(all.weight.iter().all(|&weight| weight == 1.0));
}

#[test]
fn generated_text_is_what_the_model_says() {
    let row = |text: &str| Some(text.bytes().map(u32::from).collect::<Vec<_>>());
    let rows = [row("abcabcabd"), row("é€é€"), None];
    let index = build(Column::String, &rows, 1 << 20);
    let pieces = build(Column::String, &rows, 10);
    let ask = |index: &Index, prompt: &str, length, temperature, seed| {
        let options = GenerateOptions { length, temperature, seed };
        let prompts = patterns(Column::String, &[row(prompt), None]);
        let found = index.generate(&prompts, options, &Monitor::default()).unwrap();
        assert_eq!(found.nulls, [1]);
        String::from_utf8(found.bytes).unwrap()
    };
    // c after ab is the most frequent; then everything is as it was, to the end of the row.
    assert_eq!(ask(&index, "xab", 100, 0.0, 0), "cabcabd");
    assert_eq!(ask(&index, "xab", 2, 0.0, 0), "ca");
    // No character is cut: after é two of the three bytes of € are none.
    assert_eq!(ask(&index, "é", 2, 0.0, 0), "");
    assert_eq!(ask(&index, "é", 3, 0.0, 0), "€");
    let (mut c, mut d) = (0, 0);
    for seed in 0..600 {
        let drawn = ask(&index, "ab", 1, 1.0, seed);
        assert_eq!(drawn, ask(&pieces, "ab", 1, 1.0, seed));
        c += u32::from(drawn == "c");
        d += u32::from(drawn == "d");
    }
    assert_eq!(c + d, 600);
    assert!((350..450).contains(&c), "{c} of 600 where two thirds are expected");
    let cold = (0..600).filter(|&seed| ask(&index, "ab", 1, 0.1, seed) == "c").count();
    assert!(cold > 590);
    for temperature in [-1.0, f64::NAN, f64::INFINITY] {
        let options = GenerateOptions { length: 1, temperature, seed: 0 };
        let asked = patterns(Column::String, &[row("a")]);
        assert!(index.generate(&asked, options, &Monitor::default()).is_err());
    }
}

#[test]
fn matches_keep_to_characters_and_words() {
    let row = |text: &str| Some(text.bytes().map(u32::from).collect::<Vec<_>>());
    let index = build(Column::String, &[row("the naïve cat sat"), row("é"), row("è")], 1 << 20);
    let ask = |text: &str, boundary| {
        let options = MatchOptions { boundary, ..MatchOptions::default() };
        let texts = patterns(Column::String, &[row(text)]);
        let found = index.matches(&texts, &options, &Monitor::default()).unwrap();
        String::from_utf8(found.matched.bytes).map(|bytes| (bytes, found.start, found.count))
    };
    // The first byte of ê is that of é: half a character is no match.
    assert_eq!(ask("ê", Boundary::Symbol).unwrap(), (String::new(), vec![], vec![]));
    let (text, starts, counts) = ask("naïve cats", Boundary::Word).unwrap();
    assert_eq!((text.as_str(), starts, counts), ("naïve ", vec![0], vec![1]));
    let (text, starts, _) = ask("xx ïve cat", Boundary::Word).unwrap();
    assert_eq!((text.as_str(), starts), (" ïve cat", vec![2, 3]));
    let tokens = build(Column::Tokens, &[Some(vec![1])], 9);
    let options = MatchOptions { boundary: Boundary::Word, ..MatchOptions::default() };
    let asked = patterns(Column::Tokens, &[Some(vec![1])]);
    assert!(tokens.matches(&asked, &options, &Monitor::default()).is_err());
}

#[test]
fn long_rows_are_scored_as_they_would_be_in_one_piece() {
    // Longer than a piece, with matches longer than those that are looked for anew.
    let noise = |seed: u32| {
        (0..9_000_u32).map(move |at| 97 + (at.wrapping_mul(at ^ seed) >> 7) % 3).collect::<Vec<_>>()
    };
    let rows: Vec<Row> = vec![Some(noise(1)), Some(noise(2)), Some(noise(1))];
    let mut text = noise(1);
    text[5_000] = 98 + 97 - text[5_000].min(98);
    let asked = patterns(Column::String, &[Some(text.clone())]);
    let one = build(Column::String, &rows, 1 << 20);
    let many = build(Column::String, &rows, 10_000);
    let monitor = Monitor::default();
    let scores = one.score(&asked, None, true, &monitor).unwrap();
    assert_eq!(scores, many.score(&asked, None, true, &monitor).unwrap());
    assert_eq!(scores[0].len(), text.len() + 1);
    assert!(scores[0].iter().any(|reach| reach.length > 4_500));
    for at in [1, 70, 4_095, 4_096, 4_999, 5_000, 5_001, 5_040, 8_999] {
        let found = one.predict(
            &patterns(Column::String, &[Some(text[..at].to_vec())]),
            Next::Text(&patterns(Column::String, &[Some(vec![text[at]])])),
            true,
            &monitor,
        );
        let found = found.unwrap();
        let expected = Reach {
            length: found.suffix_length[0],
            context: found.prompt_count[0],
            count: found.count[0],
            sparse: one
                .distributions(
                    &patterns(Column::String, &[Some(text[..at].to_vec())]),
                    DistributionOptions { backoff: true, max_support: None },
                    &monitor,
                )
                .unwrap()
                .token
                .len()
                == 1,
        };
        assert_eq!(scores[0][at], expected, "at {at}");
    }
}

#[test]
fn sampled_distributions_estimate_and_ignore_the_segmentation() {
    let rows: Vec<Row> = (0..300_u32).map(|row| Some(vec![97, 98 + row % 3 / 2, 97])).collect();
    let asked = patterns(Column::String, &[Some(vec![97])]);
    let options = DistributionOptions { backoff: false, max_support: Some((200, 1)) };
    let monitor = Monitor::default();
    let ask = |segment| {
        build(Column::String, &rows, segment).distributions(&asked, options, &monitor).unwrap()
    };
    let found = ask(1 << 20);
    assert_eq!(found, ask(100));
    assert_eq!(found.token, [Some(98), Some(99), None]);
    assert!(found.approximate.iter().all(|&approximate| approximate));
    for (estimate, exact) in found.count.iter().zip([200.0, 100.0, 300.0]) {
        assert!((*estimate as f64 - exact).abs() < 60.0, "{found:?}");
    }
}

#[test]
fn text_comes_back() {
    let rows: Vec<Row> = vec![Some("aé漢😀z".bytes().map(u32::from).collect()), None, Some(vec![])];
    let index = build(Column::String, &rows, 4);
    let monitor = Monitor::default();
    let requests = [
        (Some(0), None, None),
        (Some(1), None, None),
        (None, None, None),
        (Some(2), Some(0), None),
    ];
    let text = index.text(&requests, &monitor).unwrap();
    assert_eq!(text.bytes, "aé漢😀z".as_bytes());
    assert_eq!((text.ends.as_slice(), text.nulls.as_slice()), (&[11, 11, 11, 11][..], &[1, 2][..]));
    let part = index.text(&[(Some(0), Some(1), Some(6))], &monitor).unwrap();
    assert_eq!(part.bytes, "é漢".as_bytes());
    for bad in [
        (Some(3), None, None),
        (Some(0), Some(2), None),
        (Some(0), Some(3), Some(1)),
        (Some(0), None, Some(4)),
    ] {
        assert!(matches!(index.text(&[bad], &monitor), Err(Error::InvalidInput(_))), "{bad:?}");
    }
}

#[test]
fn context_cuts_no_character() {
    let rows: Vec<Row> = vec![Some("😀é漢x漢é😀".bytes().map(u32::from).collect())];
    let index = build(Column::String, &rows, 1);
    let asked = patterns(Column::String, &[Some(vec![u32::from(b'x')])]);
    for (width, left, right) in
        [(0, "", ""), (1, "漢", "漢"), (2, "é漢", "漢é"), (9, "😀é漢", "漢é😀")]
    {
        let monitor = Monitor::default();
        let ranks = index.find(&asked, &monitor).unwrap();
        let shown = index.context(&ranks, width, Limit::All, &monitor).unwrap();
        assert_eq!(shown.left.bytes, left.as_bytes());
        assert_eq!(shown.matched.bytes, b"x");
        assert_eq!(shown.right.bytes, right.as_bytes());
    }
}

#[test]
fn questions_that_cannot_be_asked() {
    let text = build(Column::String, &[Some(vec![97])], 9);
    let tokens = build(Column::Tokens, &[Some(vec![97])], 9);
    assert!(matches!(text.count(Pattern::Bytes(b"")), Err(Error::InvalidInput(_))));
    assert!(matches!(text.count(Pattern::Bytes(b"\xff")), Err(Error::InvalidInput(_))));
    assert!(matches!(text.count(Pattern::Tokens(&[1])), Err(Error::UnsupportedType(_))));
    assert!(matches!(tokens.count(Pattern::Bytes(b"a")), Err(Error::UnsupportedType(_))));
    assert_eq!(tokens.count(Pattern::Tokens(&[u32::MAX])).unwrap(), 0);
    let stopped = Monitor::default();
    stopped.stop();
    let asked = Patterns::one(Pattern::Bytes(b"a"));
    assert!(matches!(text.count_many(&asked, &stopped), Err(Error::Interrupted)));
}
