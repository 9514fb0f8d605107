//! Models and their scores against the formulas, written out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::super::kneser_ney::{Model, Score, Scorer, join_scores};
use super::{Analyzer, deal, read, tokeniser};
use crate::error::Error;
use crate::interrupt::Monitor;

type Gram = Vec<String>;

/// Base-10 logarithms of probabilities and back-offs, from the formulas of Chen and Goodman.
struct Naive {
    order: usize,
    log10: HashMap<Gram, f64>,
    backoff: HashMap<Gram, f64>,
}

fn windows(row: &[String], order: usize) -> impl Iterator<Item = Gram> {
    row.windows(order).map(<[String]>::to_vec)
}

fn discounts(level: &HashMap<Gram, u64>) -> [f64; 3] {
    let having = [1, 2, 3, 4].map(|of| level.values().filter(|&&count| count == of).count() as f64);
    let y = having[0] / (having[0] + 2.0 * having[1]);
    let found = [1, 2, 3].map(|k| k as f64 - (k as f64 + 1.0) * y * having[k] / having[k - 1]);
    let sane = having.iter().all(|&number| number > 0.0)
        && found.iter().zip(1..).all(|(&d, k)| (0.0..=f64::from(k)).contains(&d));
    if sane { found } else { [0.5, 1.0, 1.5] }
}

impl Naive {
    fn new(rows: &[Gram], order: usize) -> Self {
        let padded: Vec<Gram> =
            rows.iter().map(|row| [&["<s>".into()][..], row, &["</s>".into()]].concat()).collect();
        let mut raw = vec![HashMap::<Gram, u64>::new(); order + 1];
        for (length, counts) in raw.iter_mut().enumerate().skip(1) {
            for gram in padded.iter().flat_map(|row| windows(row, length)) {
                *counts.entry(gram).or_default() += 1;
            }
        }
        let mut levels = raw.clone();
        for length in 1..order {
            let mut before: HashMap<&[String], HashSet<&String>> = HashMap::new();
            for gram in raw[length + 1].keys() {
                before.entry(&gram[1..]).or_default().insert(&gram[0]);
            }
            for (gram, count) in &mut levels[length] {
                if gram[0] != "<s>" {
                    *count = before[&gram[..]].len() as u64;
                }
            }
        }
        levels[1].remove(&vec!["<s>".to_string()]);
        let words = levels[1].len() as f64 + 1.0;
        let mut probability: HashMap<Gram, f64> = HashMap::new();
        let mut backoff = HashMap::new();
        for (length, level) in levels.iter().enumerate().skip(1) {
            let discounts = discounts(level);
            let taken = |count: u64| discounts[count.min(3) as usize - 1];
            let mut sums: HashMap<&[String], (f64, f64)> = HashMap::new();
            for (gram, &count) in level {
                let sum = sums.entry(&gram[..length - 1]).or_default();
                *sum = (sum.0 + count as f64, sum.1 + taken(count));
            }
            let mut own = HashMap::new();
            for (gram, &count) in level {
                let (all, lost) = sums[&gram[..length - 1]];
                let lower = if length == 1 { 1.0 / words } else { probability[&gram[1..]] };
                own.insert(gram.clone(), (count as f64 - taken(count)) / all + lost / all * lower);
            }
            if length == 1 {
                let (all, lost) = sums[&[][..]];
                own.insert(vec!["<unk>".into()], lost / all / words);
            }
            for (context, (all, lost)) in sums {
                backoff.insert(context.to_vec(), (lost / all).log10());
            }
            probability.extend(own);
        }
        let log10 = probability.into_iter().map(|(gram, p)| (gram, p.log10())).collect();
        Self { order, log10, backoff }
    }

    fn score(&self, row: &[String], start: bool, stop: bool) -> Score {
        let mut context: Gram = if start { vec!["<s>".into()] } else { vec![] };
        let mut score = Score::default();
        for word in row.iter().cloned().chain(stop.then(|| "</s>".to_string())) {
            let known = self.log10.contains_key(std::slice::from_ref(&word));
            let word = if known { word } else { "<unk>".into() };
            while context.len() >= self.order {
                context.remove(0);
            }
            let mut log10 = 0.0;
            loop {
                let gram = [&context[..], std::slice::from_ref(&word)].concat();
                if let Some(found) = self.log10.get(&gram) {
                    log10 += found;
                    break;
                }
                log10 += self.backoff.get(&context).copied().unwrap_or(0.0);
                context.remove(0);
            }
            score.log10 += log10;
            score.tokens += 1;
            if known {
                score.known_log10 += log10;
                context.push(word);
            } else {
                score.unknown += 1;
                context.clear();
            }
        }
        score
    }
}

fn rows(tokens: &'static str, most: usize) -> impl Strategy<Value = Vec<Gram>> {
    prop::collection::vec(prop::collection::vec(tokens, 0..9), 1..most)
}

fn scores(
    model: &Arc<Model>,
    rows: &[Option<String>],
    ends: (bool, bool),
    readers: usize,
) -> Vec<Option<Score>> {
    let reader =
        || Scorer::new(Arc::clone(model), tokeniser(Analyzer::Pieces, false), ends.0, ends.1);
    let mut all: Vec<Scorer> = (0..readers).map(|_| reader()).collect();
    deal(rows, 5, &mut all);
    join_scores(all)
}

fn spell(token: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(token);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn scores_are_what_the_formulas_say(
        rows in rows("[a-d]|[p-t]{1,2}|a-token-of-many-bytes-[ab]", 60),
        asked in rows("[a-e]|[p-u]{1,2}|a-token-of-many-bytes-[abc]", 40),
        order in 2usize..6,
        readers in 1usize..4,
        ends in (any::<bool>(), any::<bool>()),
    ) {
        let monitor = Monitor::default();
        let text = |row: &Gram| Some(row.join(" "));
        let texts: Vec<_> = rows.iter().map(text).collect();
        let sequence = read(&texts, readers, &tokeniser(Analyzer::Pieces, false));
        let model = Arc::new(Model::estimate(sequence, order, spell, &monitor).unwrap());
        let naive = Naive::new(&rows, order);
        let mut questions: Vec<Option<String>> = rows.iter().chain(&asked).map(text).collect();
        questions.insert(1, None);
        let found = scores(&model, &questions, ends, readers);
        prop_assert_eq!(found.len(), questions.len());
        for (question, found) in questions.iter().zip(&found) {
            let Some(question) = question else {
                prop_assert!(found.is_none());
                continue;
            };
            let row: Gram = question.split(' ').filter(|w| !w.is_empty()).map(str::to_string).collect();
            let expected = naive.score(&row, ends.0, ends.1);
            let found = found.unwrap();
            prop_assert_eq!((found.tokens, found.unknown), (expected.tokens, expected.unknown));
            prop_assert!((found.log10 - expected.log10).abs() < 1e-5, "{} {}", found.log10, expected.log10);
            prop_assert!((found.known_log10 - expected.known_log10).abs() < 1e-5);
        }
        // As text and back: the same to the last bit.
        let mut arpa = vec![];
        model.write_arpa(&mut arpa, &monitor).unwrap();
        let again = Arc::new(Model::read_arpa(&mut &arpa[..], &monitor).unwrap());
        prop_assert_eq!(scores(&again, &questions, ends, 1), found);
        let mut other = vec![];
        again.write_arpa(&mut other, &monitor).unwrap();
        prop_assert_eq!(sorted_lines(&arpa), sorted_lines(&other));
    }

    #[test]
    fn damaged_models_are_refused_or_read(
        at in any::<prop::sample::Index>(),
        byte: u8,
        cut: bool,
    ) {
        let monitor = Monitor::default();
        let texts = ["a b a c", "b a", "c a b"].map(|row| Some(row.to_string()));
        let sequence = read(&texts, 1, &tokeniser(Analyzer::Pieces, false));
        let model = Model::estimate(sequence, 3, spell, &monitor).unwrap();
        let mut arpa = vec![];
        model.write_arpa(&mut arpa, &monitor).unwrap();
        let at = at.index(arpa.len());
        if cut { arpa.truncate(at) } else { arpa[at] = byte }
        match Model::read_arpa(&mut &arpa[..], &monitor) {
            Ok(model) => drop(scores(&Arc::new(model), &texts, (true, true), 1)),
            Err(error) => prop_assert!(matches!(error, Error::InvalidInput(_))),
        }
    }
}

fn sorted_lines(text: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> =
        String::from_utf8(text.to_vec()).unwrap().lines().map(str::to_string).collect();
    lines.sort();
    lines
}

#[test]
fn n_grams_whose_ends_were_pruned_are_found() {
    // "b c" is not listed: what back-off gives it stands for it.
    let text = "\\data\\\nngram 1=6\nngram 2=2\nngram 3=1\n\n\\1-grams:\n-1\t<unk>\n-99\t<s>\t0\n\
        -1.5\t</s>\n-0.5\ta\t-0.25\n-0.75\tb\t-0.125\n-1\tc\n\n\\2-grams:\n-0.25\ta b\t-0.5\n\
        -0.5\tc a\n\n\\3-grams:\n-0.0625\ta b c\n\n\\end\\\n";
    let monitor = Monitor::default();
    let model = Arc::new(Model::read_arpa(&mut text.as_bytes(), &monitor).unwrap());
    let asked = ["a b c a", "b c a"].map(|row| Some(row.to_string()));
    let found = scores(&model, &asked, (false, false), 1);
    let log10: Vec<f64> = found.iter().map(|score| score.unwrap().log10).collect();
    assert_eq!(log10, [-0.5 - 0.25 - 0.0625 - 0.5, -0.75 - (0.125 + 1.0) - 0.5]);
}
