//! The crowd of an overload: who offers how much, in which shape and in which batches.

use serde::Serialize;

use super::options::OverloadOptions;

/// Orders in the batches of the crowd's members, in turn, after the first two.
const BATCH_ITEMS: [u32; 4] = [64, 256, 1_024, 4_096];
/// Orders in a batch of the second member.
const LARGEST_ITEMS: u32 = 8_192;
/// The most single orders a second that the first member offers: it shows that singles are not
/// starved beside the largest batches, not how many calls a process can make.
const SINGLES_PER_S: u64 = 500;
/// Orders in a calm client's batch, and how much of its even part of the capacity it offers.
const CALM_ITEMS: u32 = 32;
const CALM_PART: u64 = 4;
/// Teeth of a sawtooth.
const TEETH: u64 = 4;

/// How a member's rate goes over the surge. The mean is the same for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SurgeShape {
    /// The mean from begin to end.
    Step,
    /// From nothing to twice the mean.
    Ramp,
    /// Four ramps, one after another.
    Sawtooth,
    /// Half the mean, and eleven times as much in the tenth in the middle.
    Flash,
}

impl SurgeShape {
    const ALL: [Self; 4] = [Self::Step, Self::Ramp, Self::Sawtooth, Self::Flash];

    /// Returns the orders that are offered in the first `at_us` of a surge of `period_us` with a
    /// mean of `rate_per_s`.
    pub fn offered(self, rate_per_s: u64, period_us: u64, at_us: u64) -> u64 {
        let (period, at) = (u128::from(period_us.max(1)), u128::from(at_us.min(period_us)));
        // The mean's time that has passed, in twentieths of microseconds.
        let twentieths = match self {
            Self::Step => 20 * at,
            Self::Ramp => 20 * at * at / period,
            Self::Sawtooth => {
                let tooth = (period / u128::from(TEETH)).max(1);
                let within = at % tooth;
                20 * (at - within) + 20 * within * within / tooth
            }
            Self::Flash => {
                let (from, until) = (period * 9 / 20, period * 11 / 20);
                10 * at + 100 * at.clamp(from, until).saturating_sub(from)
            }
        };
        let orders = u128::from(rate_per_s) * twentieths / 20_000_000;
        u64::try_from(orders).unwrap_or(u64::MAX)
    }
}

/// How a member behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// It offers too much, and keeps to what it is told.
    Surging,
    /// It stays well within its share.
    Calm,
}

/// A paced client of an overload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CrowdMember {
    /// The manner in which it behaves.
    pub manner: Manner,
    /// How its rate goes over the surge.
    pub shape: SurgeShape,
    /// Orders in each of its batches.
    pub batch_items: u32,
    /// Its mean rate, in orders a second.
    pub orders_per_s: u64,
}

/// Returns the paced clients: the crowd, which offers `factor` times the capacity together, and the
/// calm ones. The first of the crowd sends single orders, the second batches of 8,192.
pub fn members(options: &OverloadOptions, factor: u64, capacity: u64) -> Vec<CrowdMember> {
    let part = capacity.saturating_mul(factor) / options.crowd.max(1) as u64;
    let surging = |number: usize| {
        let (batch_items, orders_per_s) = match number {
            0 => (1, part.min(SINGLES_PER_S)),
            1 => (LARGEST_ITEMS, part),
            number => (BATCH_ITEMS[number % BATCH_ITEMS.len()], part),
        };
        let shape = SurgeShape::ALL[number % SurgeShape::ALL.len()];
        CrowdMember { manner: Manner::Surging, shape, batch_items, orders_per_s }
    };
    let calm = CrowdMember {
        manner: Manner::Calm,
        shape: SurgeShape::Step,
        batch_items: CALM_ITEMS,
        orders_per_s: capacity / options.submitters().max(1) as u64 / CALM_PART,
    };
    let crowd = (0..options.crowd).map(surging);
    crowd.chain(std::iter::repeat_n(calm, options.calm)).collect()
}

/// Divides a capacity among demands of the same weight: nobody gets more than it asks for, and who
/// gets less gets as much as every other such one.
pub fn max_min(capacity: u64, demands: &[u64]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|place| demands[*place]);
    let (mut left, mut shares) = (capacity, vec![0; demands.len()]);
    for (served, place) in order.into_iter().enumerate() {
        let even = left / (demands.len() - served) as u64;
        shares[place] = demands[place].min(even);
        left -= shares[place];
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_offers_its_mean_and_never_takes_back() {
        for shape in SurgeShape::ALL {
            for (rate, period_us) in [(1, 1_000_000), (94_000, 5_000_000), (940_000, 4_999_999)] {
                let whole = shape.offered(rate, period_us, period_us);
                let mean = rate * period_us / 1_000_000;
                // The teeth are of whole microseconds: four of them may be left over.
                let rounding = 1 + rate * 4 / 1_000_000;
                assert!(whole.abs_diff(mean) <= rounding, "{shape:?}: {whole} of {mean}");
                assert_eq!(
                    shape.offered(rate, period_us, u64::MAX),
                    whole,
                    "nothing after its end"
                );
                let mut before = 0;
                for at_us in (0..=period_us).step_by(10_007) {
                    let offered = shape.offered(rate, period_us, at_us);
                    assert!(offered >= before, "{shape:?} at {at_us}");
                    before = offered;
                }
            }
            assert_eq!(shape.offered(u64::MAX, u64::MAX, 0), 0);
        }
        let half = |shape: SurgeShape| shape.offered(1_000, 8_000_000, 4_000_000);
        let halves = SurgeShape::ALL.map(half);
        assert_eq!(halves, [4_000, 2_000, 4_000, 4_000]);
        assert_eq!(SurgeShape::Flash.offered(1_000, 10_000_000, 4_500_000), 2_250);
        assert_eq!(SurgeShape::Flash.offered(1_000, 10_000_000, 5_500_000), 7_750);
    }

    #[test]
    fn a_crowd_has_every_shape_singles_and_the_largest_batches() {
        let (factors, rogues) = (vec![5], vec![0, 2]);
        let options = OverloadOptions { factors, rogues, crowd: 12, calm: 4, valid_ms: 3_000 };
        assert_eq!(options.submitters(), 18);
        let members = members(&options, 5, 90_000);
        assert_eq!(members.len(), 16);
        assert_eq!((members[0].batch_items, members[0].orders_per_s), (1, 500));
        assert_eq!((members[1].batch_items, members[1].orders_per_s), (8_192, 37_500));
        for shape in SurgeShape::ALL {
            let of_shape = members.iter().filter(|member| member.manner == Manner::Surging);
            assert_eq!(of_shape.filter(|member| member.shape == shape).count(), 3);
        }
        let calm = members[12];
        assert_eq!((calm.manner, calm.orders_per_s), (Manner::Calm, 1_250));
    }

    #[test]
    fn a_capacity_is_divided_evenly_among_those_who_ask_for_more() {
        assert_eq!(max_min(100, &[10, 80, 80]), [10, 45, 45]);
        assert_eq!(max_min(1_000, &[10, 80, 80]), [10, 80, 80]);
        assert!(max_min(7, &[]).is_empty());
    }
}
