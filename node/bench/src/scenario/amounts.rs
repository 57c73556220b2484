//! Amounts as people recharge them: the usual sums in their usual frequencies, and some sums of
//! people's own choice, which make the whole exact to the cent.

use rpc_client::orders::Entropy;

/// The least amount of an order, in minor units.
pub const AMOUNT_MIN: u64 = 100;
/// The largest amount of an order, in minor units.
pub const AMOUNT_MAX: u64 = 1_000_000;
/// Of so many orders, one is of an amount of the user's own choice.
const OWN_CHOICE_ONE_IN: usize = 10;

/// A usual amount in minor units, and how many of a thousand users take it.
pub type Usual = (u64, u64);

/// Amounts of a given number of orders that add up to a given sum.
#[derive(Debug)]
pub struct Amounts {
    usual: &'static [Usual],
    left_orders: u64,
    left_sum: u64,
}

impl Amounts {
    /// So many orders of the `usual` amounts, which add up to `sum` minor units.
    ///
    /// # Errors
    /// When no amounts within the bounds do.
    pub fn new(usual: &'static [Usual], orders: u64, sum: u64) -> anyhow::Result<Self> {
        anyhow::ensure!(can_be(orders, sum), "{orders} orders cannot be {sum} in all");
        Ok(Self { usual, left_orders: orders, left_sum: sum })
    }

    /// The next `count` amounts, at most those that are left. The orders of the users' own choice
    /// bring each part near its share of the sum; what they cannot bring is left to the later
    /// parts. Only if those could not make it good, as for the last one, do all amounts change.
    pub fn next(&mut self, entropy: &mut Entropy, count: usize) -> Vec<u64> {
        let count = count.min(usize::try_from(self.left_orders).unwrap_or(usize::MAX));
        if count == 0 {
            return Vec::new();
        }
        let share = u128::from(self.left_sum) * count as u128 / u128::from(self.left_orders);
        let target = u64::try_from(share).unwrap_or(u64::MAX);
        let mut amounts: Vec<u64> = (0..count).map(|_| self.draw(entropy)).collect();
        even_out(&mut amounts, target, OWN_CHOICE_ONE_IN);
        self.left_orders -= count as u64;
        let rest = self.left_sum.checked_sub(amounts.iter().sum());
        if !rest.is_some_and(|rest| can_be(self.left_orders, rest)) {
            even_out(&mut amounts, target, 1);
        }
        self.left_sum -= amounts.iter().sum::<u64>();
        amounts
    }

    fn draw(&self, entropy: &mut Entropy) -> u64 {
        let all: u64 = self.usual.iter().map(|(_, weight)| weight).sum();
        let mut at = entropy.below(all);
        for (amount, weight) in self.usual {
            if at < *weight {
                return *amount;
            }
            at -= weight;
        }
        AMOUNT_MIN
    }
}

/// Returns true if amounts within the bounds of so many orders can add up to `sum`.
fn can_be(orders: u64, sum: u64) -> bool {
    let orders = u128::from(orders);
    (orders * u128::from(AMOUNT_MIN)..=orders * u128::from(AMOUNT_MAX)).contains(&u128::from(sum))
}

/// Changes one amount in `one_in` so that all add up to `target`, as far as the bounds let them.
fn even_out(amounts: &mut [u64], target: u64, one_in: usize) {
    loop {
        let sum: u64 = amounts.iter().sum();
        let missing = i128::from(target) - i128::from(sum);
        if missing == 0 {
            return;
        }
        let bound = if missing > 0 { AMOUNT_MAX } else { AMOUNT_MIN };
        let mut chosen: Vec<&mut u64> =
            amounts.iter_mut().step_by(one_in).filter(|amount| **amount != bound).collect();
        if chosen.is_empty() {
            return;
        }
        let count = chosen.len() as u64;
        let size = u64::try_from(missing.unsigned_abs()).unwrap_or(u64::MAX);
        let (each, more) = (size / count, size % count);
        for (place, amount) in (0..).zip(&mut chosen) {
            let change = each + u64::from(place < more);
            **amount = if missing > 0 {
                (**amount + change).min(AMOUNT_MAX)
            } else {
                amount.saturating_sub(change).max(AMOUNT_MIN)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const USUAL: &[Usual] = &[(600, 500), (5_000, 400), (64_800, 100)];

    #[test]
    fn amounts_add_up_to_the_cent_however_they_are_parted() {
        let mut entropy = Entropy::fresh().unwrap();
        for (orders, mean, part) in [(10_000, 5_000, 256), (7, 5_003, 3), (1, 777, 9), (50, 100, 7)]
        {
            let sum = orders * mean;
            let mut amounts = Amounts::new(USUAL, orders, sum).unwrap();
            let mut all = Vec::new();
            loop {
                let next = amounts.next(&mut entropy, part);
                if next.is_empty() {
                    break;
                }
                all.extend(next);
            }
            assert_eq!(all.len() as u64, orders);
            assert_eq!(all.iter().sum::<u64>(), sum);
            assert!(all.iter().all(|amount| (AMOUNT_MIN..=AMOUNT_MAX).contains(amount)));
        }
    }

    /// Nine tenths of every part but the last are, whatever was drawn.
    #[test]
    fn most_amounts_are_usual_ones() {
        let mut entropy = Entropy::fresh().unwrap();
        let mut amounts = Amounts::new(USUAL, 20_000, 20_000 * 9_000).unwrap();
        let all: Vec<u64> = (0..20).flat_map(|_| amounts.next(&mut entropy, 1_000)).collect();
        let is_usual = |amount: &&u64| USUAL.iter().any(|(known, _)| known == *amount);
        for part in all.chunks(1_000).take(19) {
            assert!(part.iter().filter(is_usual).count() >= 900);
        }
        assert_eq!(all.iter().sum::<u64>(), 20_000 * 9_000);
        let small = all.iter().filter(|amount| **amount == 600).count();
        assert!((8_000..10_500).contains(&small), "{small}");
    }

    #[test]
    fn a_sum_that_no_amounts_have_is_refused() {
        assert!(Amounts::new(USUAL, 10, 999).is_err());
        assert!(Amounts::new(USUAL, 10, 10 * AMOUNT_MAX + 1).is_err());
    }
}
