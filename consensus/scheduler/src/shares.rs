//! Weighted max-min fairness: nobody gets more than it asks for, and whoever gets less than it asks
//! for gets as much a weight as everybody else who does.

/// Bits after the binary point of a level.
const LEVEL_BITS: u32 = 16;
/// The most passes over the claims. The level rises with each, and never too high: a pass fewer
/// grants a little less.
const PASSES_MAX: usize = 32;

/// One submitter's claim to a part of the capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Items a second that it would send.
    pub demand: u64,
    /// Its weight, at least 1.
    pub weight: u32,
}

/// The way in which a capacity is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// All that is asked for fits. What is left is anybody's, by weight.
    Plenty {
        /// Items a second that nobody asks for.
        spare: u64,
    },
    /// More is asked for than there is.
    Scarce {
        /// Items a second for a weight of 1, with 16 bits after the binary point.
        level: u64,
    },
}

impl Division {
    /// Returns the share of a claim, in items a second, without what is spare.
    pub fn share(&self, claim: &Claim) -> u64 {
        match self {
            Self::Plenty { .. } => claim.demand,
            Self::Scarce { level } => claim.demand.min(at_level(*level, claim.weight)),
        }
    }
}

/// Returns the items a second that a weight has at a level.
pub fn at_level(level: u64, weight: u32) -> u64 {
    let items = (u128::from(level) * u128::from(weight)) >> LEVEL_BITS;
    u64::try_from(items).unwrap_or(u64::MAX)
}

/// Divides a capacity. The claims are reordered; what does not depend on their order is the result.
/// Takes a few passes over those that are not satisfied yet.
pub fn divide(capacity: u64, claims: &mut [Claim]) -> Division {
    let total: u128 = claims.iter().map(|claim| u128::from(claim.demand)).sum();
    if let Some(spare) = u128::from(capacity).checked_sub(total) {
        return Division::Plenty { spare: u64::try_from(spare).unwrap_or(u64::MAX) };
    }
    let mut left = u128::from(capacity);
    let mut weights: u128 = claims.iter().map(|claim| u128::from(claim.weight)).sum();
    let mut open = claims;
    let mut level = 0;
    for _ in 0..PASSES_MAX {
        level = (left << LEVEL_BITS) / weights.max(1);
        let mut kept = 0;
        for at in 0..open.len() {
            let claim = open[at];
            if u128::from(claim.demand) << LEVEL_BITS <= level * u128::from(claim.weight) {
                left -= u128::from(claim.demand).min(left);
                weights -= u128::from(claim.weight);
            } else {
                open.swap(kept, at);
                kept += 1;
            }
        }
        let is_settled = kept == open.len() || kept == 0;
        open = &mut open[..kept];
        if is_settled {
            break;
        }
    }
    Division::Scarce { level: u64::try_from(level).unwrap_or(u64::MAX) }
}
