//! Random numbers that depend on a seed and on the place they are drawn for, and on nothing else:
//! neither on threads nor on what was drawn before for another place.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64 (Steele, Lea and Flood 2014), begun at a place of its own for each seed and place.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed and a place, such as a row.
    pub fn of(seed: u64, place: u64) -> Self {
        // Mixed twice, so that neighbouring seeds share nothing.
        Self(mix(mix(seed).wrapping_add(place)))
    }

    /// The next number, uniform over all of 64 bits.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        finish(self.0)
    }

    /// The next number below `bound`, each as likely as the others (Lemire 2019, Fast Random Integer
    /// Generation in an Interval).
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below 0");
        loop {
            let product = u128::from(self.number()) * u128::from(bound);
            let rest = product as u64;
            // Of 2^64 numbers, this many would make the first few of `bound` likelier.
            if rest >= bound || rest >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// The next number between 0 and 1, neither included, uniform over odd multiples of 2^-53.
    pub fn between(&mut self) -> f64 {
        ((self.number() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// The next number of the standard Gumbel distribution.
    pub fn gumbel(&mut self) -> f64 {
        -(-self.between().ln()).ln()
    }
}

fn mix(value: u64) -> u64 {
    finish(value.wrapping_add(STEP))
}

fn finish(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn numbers_are_those_of_the_seed_and_place() {
        let draw = |seed, place| {
            let mut random = Random::of(seed, place);
            (random.number(), random.number())
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(2, 1));
        assert_ne!(draw(1, 2), draw(1, 3));
    }

    #[test]
    fn every_number_below_a_bound_is_as_likely() {
        let mut random = Random::of(7, 0);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[random.below(7) as usize] += 1;
        }
        let square = |count: &u32| (f64::from(*count) - 10_000.0).powi(2) / 10_000.0;
        // The 0.999 quantile of the chi-square distribution with 6 degrees of freedom.
        assert!(counts.iter().map(square).sum::<f64>() < 22.46, "{counts:?}");
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn gumbel_numbers_have_their_mean_and_variance() {
        let mut random = Random::of(3, 0);
        let drawn: Vec<f64> = (0..200_000).map(|_| random.gumbel()).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let spread = drawn.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / drawn.len() as f64;
        assert!((mean - 0.577_215_7).abs() < 0.01, "{mean}");
        assert!((spread - std::f64::consts::PI.powi(2) / 6.0).abs() < 0.03, "{spread}");
        assert!(drawn.iter().all(|one| one.is_finite()));
    }
}
