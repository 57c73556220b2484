//! What is known of one subject: a user, merchant, device or network, in two lines of 64 bytes.

use bincode::Encode;

use crate::decay::HALF_LIVES;
use crate::sketch::DistinctSketch;

/// One order in a decayed count: counts are in 256ths.
pub(crate) const ONE_Q8: u32 = 256;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// The index of the half-life by which labels decay.
const LABELS: usize = 3;

/// A subject's past orders and labels, decayed to a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode)]
#[repr(C, align(64))]
pub(crate) struct History {
    /// The subject's key; zero marks an empty place.
    pub key: u64,
    /// The time to which counts and sums are decayed: that of the last order.
    pub last_ms: u64,
    /// Sums of amounts, in minor units, by half-life.
    pub sums: [u64; 4],
    /// Orders, in 256ths, by half-life.
    pub counts: [u32; 4],
    /// The subject's partners of two kinds.
    pub partners: [DistinctSketch; 2],
    /// The time of the first order since the history began.
    pub first_ms: u64,
    /// The time to which the labels are decayed.
    pub labelled_ms: u64,
    /// The day to which the sketches are aged, since the Unix epoch.
    pub day: u32,
    /// Orders that were labelled as fraud, in 256ths.
    pub fraud: u32,
    /// Orders that were labelled as legitimate, in 256ths.
    pub legitimate: u32,
    /// Always zero: fills the second line.
    pub spare: u32,
}

const _: () = assert!(size_of::<History>() == 128);

impl History {
    /// Begins the history of a subject with its first order, which is not counted yet.
    pub const fn begun(key: u64, now_ms: u64) -> Self {
        Self {
            key,
            last_ms: now_ms,
            sums: [0; 4],
            counts: [0; 4],
            partners: [DistinctSketch::new(); 2],
            first_ms: now_ms,
            labelled_ms: now_ms,
            day: day_of(now_ms),
            fraud: 0,
            legitimate: 0,
            spare: 0,
        }
    }

    /// Returns the history as it stands at a time. Its `last_ms` still names the last order.
    pub fn aged(&self, now_ms: u64) -> Self {
        let mut aged = *self;
        for (index, half_life) in HALF_LIVES.iter().enumerate() {
            let remainder = half_life.remainder(self.last_ms, now_ms);
            aged.sums[index] = remainder.of(self.sums[index]);
            aged.counts[index] = remainder.of_count(self.counts[index]);
        }
        let day = day_of(now_ms).max(self.day);
        aged.partners = self.partners.map(|partners| partners.aged(day - self.day));
        aged.day = day;
        let remainder = HALF_LIVES[LABELS].remainder(self.labelled_ms, now_ms);
        aged.fraud = remainder.of_count(self.fraud);
        aged.legitimate = remainder.of_count(self.legitimate);
        aged.labelled_ms = self.labelled_ms.max(now_ms);
        aged
    }

    /// Counts an order, once the history is aged to its time.
    pub fn count(&mut self, amount: u64, partners: [u64; 2], now_ms: u64) {
        self.last_ms = self.last_ms.max(now_ms);
        for sum in &mut self.sums {
            *sum = sum.saturating_add(amount);
        }
        for count in &mut self.counts {
            *count = count.saturating_add(ONE_Q8);
        }
        for (sketch, partner) in self.partners.iter_mut().zip(partners) {
            // An unknown partner has no key.
            if partner != 0 {
                sketch.insert(partner);
            }
        }
    }

    /// Counts a label, in 256ths, once the labels are aged to its time.
    pub const fn label(&mut self, is_fraud: bool, weight_q8: u32) {
        let labels = if is_fraud { &mut self.fraud } else { &mut self.legitimate };
        *labels = labels.saturating_add(weight_q8);
    }

    /// Ages the labels alone to a time.
    pub fn age_labels(&mut self, now_ms: u64) {
        let aged = self.aged(now_ms);
        self.fraud = aged.fraud;
        self.legitimate = aged.legitimate;
        self.labelled_ms = aged.labelled_ms;
    }
}

/// Returns the day of a time, since the Unix epoch.
const fn day_of(time_ms: u64) -> u32 {
    let day = time_ms / DAY_MS;
    if day < u32::MAX as u64 { day as u32 } else { u32::MAX }
}
