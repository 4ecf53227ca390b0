//! Chance that can be repeated: every name, amount and id is a pure function of a seed and of what it is drawn for.
//! A stateful generator was refused: it would tie a row's content to the rows drawn before it.

use uuid::Uuid;

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const INDEX_DIGITS: usize = 11;
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const SPREAD_INVERSE: u64 = inverse(SPREAD);

/// A seed from which independent draws are made by naming them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    pub(crate) fn of(self, purpose: &str) -> Seed {
        let mixed = purpose
            .bytes()
            .fold(self.0 ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        Seed(mix(mixed))
    }

    pub(crate) fn at(self, index: u64) -> Seed {
        Seed(mix(self.0 ^ index.wrapping_mul(SPREAD)))
    }

    /// An even draw from `0..bound`; 0 for an empty range.
    pub(crate) fn below(self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            u64::try_from((u128::from(self.0) * u128::from(bound)) >> 64).unwrap_or(0)
        }
    }

    /// An even draw from `low..=high`.
    pub(crate) fn between(self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    pub(crate) fn pick<T>(self, choices: &[T]) -> Option<&T> {
        choices.get(usize::try_from(self.below(choices.len() as u64)).unwrap_or(0))
    }

    pub(crate) fn uuid(self) -> Uuid {
        Uuid::from_u64_pair(self.at(1).0, self.at(2).0)
    }

    /// An id of `length` letters and digits.
    pub(crate) fn id(self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        let mut word = self;
        while text.len() < length {
            word = word.at(3);
            let digits = INDEX_DIGITS.min(length - text.len());
            push_digits(&mut text, word.0, digits);
        }
        text
    }

    /// A 37-letter id that only this seed can read back to `index`.
    pub(crate) fn indexed_id(self, index: u64) -> String {
        let mut text = String::with_capacity(37);
        push_digits(
            &mut text,
            (index ^ self.0).wrapping_mul(SPREAD),
            INDEX_DIGITS,
        );
        let mut word = self.at(index);
        while text.len() < 37 {
            word = word.at(4);
            let digits = INDEX_DIGITS.min(37 - text.len());
            push_digits(&mut text, word.0, digits);
        }
        text
    }

    /// The index that [`Self::indexed_id`] was given, if this seed made `id`.
    pub(crate) fn index_of(self, id: &str) -> Option<u64> {
        let digits = id.as_bytes().get(..INDEX_DIGITS)?;
        let scrambled = digits.iter().rev().try_fold(0_u64, |number, digit| {
            let value = LETTERS.iter().position(|letter| letter == digit)?;
            number.checked_mul(62)?.checked_add(value as u64)
        })?;
        let index = scrambled.wrapping_mul(SPREAD_INVERSE) ^ self.0;
        (self.indexed_id(index) == id).then_some(index)
    }
}

fn push_digits(text: &mut String, mut number: u64, digits: usize) {
    for _ in 0..digits {
        let digit = usize::try_from(number % 62).unwrap_or(0);
        text.push(char::from(LETTERS[digit]));
        number /= 62;
    }
}

const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(SPREAD);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The multiplicative inverse of an odd number modulo 2^64, by Newton's iteration.
const fn inverse(odd: u64) -> u64 {
    let mut guess = odd;
    let mut round = 0;
    while round < 6 {
        guess = guess.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(guess)));
        round += 1;
    }
    guess
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn an_indexed_id_reads_back_and_no_other_seed_reads_it() {
        let seed = Seed(7);
        for index in [0, 1, 99_999, u64::MAX] {
            let id = seed.indexed_id(index);
            assert_eq!(id.len(), 37);
            assert_eq!(seed.index_of(&id), Some(index));
            assert_eq!(Seed(8).index_of(&id), None);
        }
        assert_eq!(seed.index_of("no"), None);
    }
}
