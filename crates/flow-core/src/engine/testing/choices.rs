//! A tape of choices: played in every way it can fall, or from a seed.

/// Makes choices for a test, and remembers them.
#[derive(Debug)]
pub struct Choices {
    /// (chosen, out of)
    tape: Vec<(u32, u32)>,
    at: usize,
    /// The state of the generator; `None` = the tape is played in every way.
    seed: Option<u64>,
}

/// Runs `body` once for every way its choices can fall.
pub fn each(mut body: impl FnMut(&mut Choices)) {
    let mut tape: Vec<(u32, u32)> = Vec::new();
    loop {
        let mut choices = Choices { tape, at: 0, seed: None };
        body(&mut choices);
        tape = choices.tape;
        while tape.last().is_some_and(|&(chosen, bound)| chosen + 1 == bound) {
            tape.pop();
        }
        match tape.last_mut() {
            Some((chosen, _)) => *chosen += 1,
            None => return,
        }
    }
}

impl Choices {
    /// Makes choices from a seed; the same seed makes the same choices.
    pub fn random(seed: u64) -> Self {
        Self { tape: Vec::new(), at: 0, seed: Some(seed) }
    }

    /// Chooses a number below `bound`.
    ///
    /// # Panics
    ///
    /// When there is nothing to choose from.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u32::try_from(bound).expect("a few choices");
        assert!(bound > 0, "nothing to choose from");
        if let Some(seed) = &mut self.seed {
            return (splitmix(seed) % u64::from(bound)) as usize;
        }
        if self.at == self.tape.len() {
            self.tape.push((0, bound));
        }
        let (chosen, out_of) = self.tape[self.at];
        assert_eq!(out_of, bound, "the body must make the same choices from the same tape");
        self.at += 1;
        chosen as usize
    }

    /// Chooses one of these.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Chooses yes once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Puts these in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// SplitMix64: small, and good enough to wander.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_played_once() {
        let mut seen = Vec::new();
        each(|choose| seen.push((choose.below(2), choose.below(3))));
        assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
    }

    #[test]
    fn a_body_without_choices_is_played_once() {
        let mut count = 0;
        each(|_| count += 1);
        assert_eq!(count, 1);
    }

    #[test]
    fn a_seed_always_makes_the_same_choices() {
        let draw = |seed| {
            let mut choices = Choices::random(seed);
            (0..20).map(|_| choices.below(100)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
