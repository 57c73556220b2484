//! The generic cell rate algorithm (GCRA) in items: one number says when a submitter has paid for
//! what it was admitted with.

/// The longest debt of one submitter, in microseconds. What peers announce beyond it is forgiven.
pub const DEBT_US_MAX: u64 = 30_000_000;

/// When one submitter has paid for what it was admitted with. The debt is a time, not a count: a
/// time to retry that was stated stays true when shares change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meter {
    paid_us: u64,
}

impl Meter {
    /// Returns the first moment, in microseconds, at which a further charge conforms.
    pub const fn opens_us(&self, tolerance_us: u64) -> u64 {
        self.paid_us.saturating_sub(tolerance_us)
    }

    /// Charges `items` at a rate. A charge that does not conform is charged too: a peer has
    /// admitted it already.
    pub fn charge(&mut self, items: u64, rate_items_per_s: u64, now_us: u64) {
        let debt_us = self.paid_us.max(now_us).saturating_add(cost_us(items, rate_items_per_s));
        self.paid_us = debt_us.min(now_us.saturating_add(DEBT_US_MAX));
    }
}

/// Returns how long `items` take at a rate, in microseconds. A rate of zero counts as one.
pub const fn cost_us(items: u64, rate_items_per_s: u64) -> u64 {
    let rate = if rate_items_per_s == 0 { 1 } else { rate_items_per_s };
    items.saturating_mul(1_000_000) / rate
}

/// Returns the items that a rate gives in a time, at most `u64::MAX`.
pub fn items_in(rate_items_per_s: u64, time_us: u64) -> u64 {
    let items = u128::from(rate_items_per_s) * u128::from(time_us) / 1_000_000;
    u64::try_from(items).unwrap_or(u64::MAX)
}
