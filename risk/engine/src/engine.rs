//! The histories of all subjects, fed by blocks in their order, and the features of an order.

use chain_types::hash::{Domain, Sha256Pieces, hash};
use chain_types::{Digest, Height, TimeMs};

use crate::catalogue::{CHAIN_FEATURES, FeatureVector, RiskSubject, SUBJECT_FEATURES};
use crate::history::{History, ONE_Q8};
use crate::key::{key_of, key_of_user};
use crate::order::{PrivateFeatures, RiskOrder};
use crate::table::HistoryTable;

/// The most sets of a table, as a power of two: 2^26 sets of eight histories take 64 GiB.
const SETS_LOG2_MAX: u32 = 26;
/// Milliseconds of a minute.
const MINUTE_MS: u64 = 60_000;
/// Minutes of a day.
const DAY_MINUTES: u64 = 1_440;
/// The value of a time that is not known.
const UNKNOWN: i64 = -1;
/// The most that one label weighs, in 256ths.
pub const LABEL_WEIGHT_Q8_MAX: u16 = 256;

/// How many histories are kept of each kind of subject. A history takes 128 bytes; a set has eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineSize {
    /// Sets of users' histories, as a power of two; at most 26, and so are the others.
    pub user_sets_log2: u32,
    /// Sets of merchants' histories, as a power of two.
    pub merchant_sets_log2: u32,
    /// Sets of devices' histories, as a power of two.
    pub device_sets_log2: u32,
    /// Sets of networks' histories, as a power of two.
    pub network_sets_log2: u32,
}

/// A size that no machine has the memory for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a table of 2^{0} sets; choose at most 2^{SETS_LOG2_MAX}")]
pub struct EngineSizeError(pub u32);

/// The state from which features are taken. Equal blocks in equal order give equal states.
#[derive(Debug, Clone)]
pub struct RiskEngine {
    /// In the order of [`RiskSubject::ALL`].
    tables: [HistoryTable; 4],
    height: Height,
}

impl EngineSize {
    /// The sets of each kind, in the order of [`RiskSubject::ALL`].
    const fn sets_log2(&self) -> [u32; 4] {
        let Self { user_sets_log2, merchant_sets_log2, device_sets_log2, network_sets_log2 } =
            *self;
        [user_sets_log2, merchant_sets_log2, device_sets_log2, network_sets_log2]
    }
}

impl Default for EngineSize {
    /// Two million users and devices, half a million networks and merchants: 640 MiB.
    fn default() -> Self {
        Self {
            user_sets_log2: 18,
            merchant_sets_log2: 16,
            device_sets_log2: 18,
            network_sets_log2: 16,
        }
    }
}

impl RiskEngine {
    /// Makes an engine that knows no order, at height zero.
    ///
    /// # Errors
    /// [`EngineSizeError`] for a table of more than 2^26 sets.
    pub fn new(size: &EngineSize) -> Result<Self, EngineSizeError> {
        let sets = size.sets_log2();
        match sets.into_iter().find(|sets| *sets > SETS_LOG2_MAX) {
            Some(sets) => Err(EngineSizeError(sets)),
            None => Ok(Self { tables: sets.map(HistoryTable::new), height: Height::new(0) }),
        }
    }

    /// Returns the height of the last block that was ingested whole.
    pub const fn height(&self) -> Height {
        self.height
    }

    /// Returns how many histories had to leave for others.
    pub fn evictions(&self) -> u64 {
        self.tables.iter().map(HistoryTable::evictions).sum()
    }

    /// Counts a final order at its block's time.
    pub fn ingest(&mut self, order: &RiskOrder, block_time: TimeMs) {
        let keys = keys(order);
        for (subject, table) in RiskSubject::ALL.into_iter().zip(&mut self.tables) {
            let key = keys[subject as usize];
            if key != 0 {
                let partners = subject.partners().map(|partner| keys[partner as usize]);
                table.count(key, order.amount.get(), partners, block_time.get());
            }
        }
    }

    /// Counts a label of an earlier order at the label's block's time. A subject without a history
    /// gets none by a label: an order long gone costs no place. `weight_q8` is what the labelling
    /// party's word weighs, in 256ths; more than one order counts as one.
    pub fn label(&mut self, order: &RiskOrder, is_fraud: bool, weight_q8: u16, block_time: TimeMs) {
        let weight = u32::from(weight_q8.min(LABEL_WEIGHT_Q8_MAX));
        for (key, table) in keys(order).into_iter().zip(&mut self.tables) {
            if let Some(history) = table.find_mut(key).filter(|_| key != 0) {
                history.age_labels(block_time.get());
                history.label(is_fraud, weight);
            }
        }
    }

    /// Ends a block: what was ingested since is of this height.
    pub const fn end_block(&mut self, height: Height) {
        self.height = height;
    }

    /// Returns the features of an order at a time, from what was ingested before. Changes nothing.
    pub fn features(
        &self,
        order: &RiskOrder,
        private: &PrivateFeatures,
        now: TimeMs,
    ) -> FeatureVector {
        let keys = keys(order);
        let (amount, now_ms) = (order.amount.get(), now.get());
        let mut vector = FeatureVector::new();
        let mut found = [None; 4];
        for subject in RiskSubject::ALL {
            let index = subject as usize;
            let key = keys[index];
            let history = self.tables[index].find(key).filter(|_| key != 0);
            found[index] = history.map(|history| history.aged(now_ms));
            let values = subject_features(found[index].as_ref(), amount, now_ms);
            vector.fill(subject.first_feature(), &values);
        }
        let is_new = |subject: RiskSubject, partner: usize| {
            let partner_key = keys[subject.partners()[partner] as usize];
            let history: &Option<History> = &found[subject as usize];
            let is_known =
                history.as_ref().is_some_and(|own| !own.partners[partner].is_new(partner_key));
            i64::from(!is_known && partner_key != 0)
        };
        let minutes = now_ms / MINUTE_MS;
        let order_features = [
            bounded(amount),
            bounded(minutes % DAY_MINUTES),
            bounded(minutes / DAY_MINUTES % 7),
            i64::from(trailing_zeros(amount)),
            is_new(RiskSubject::User, 1),
            is_new(RiskSubject::User, 0),
            is_new(RiskSubject::Device, 1),
            i64::from(order.device != 0) + 2 * i64::from(order.network != 0),
        ];
        vector.fill(0, &order_features);
        vector.fill(CHAIN_FEATURES, &private.values);
        vector
    }

    /// Returns the digest of the whole state: heights, evictions and every place of every table.
    /// It reads all of the engine's memory.
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256Pieces::default();
        hasher.update(&self.height.get().to_le_bytes());
        self.tables.iter().for_each(|table| table.hash_into(&mut hasher));
        hash(Domain::Histories, &[&hasher.finish().bytes()])
    }
}

/// Returns the keys of an order's subjects, in the order of [`RiskSubject::ALL`]; zero for a device
/// or network that is not known.
fn keys(order: &RiskOrder) -> [u64; 4] {
    let known = |number: u64| if number == 0 { 0 } else { key_of(number) };
    let merchant = key_of(order.merchant.get());
    [key_of_user(order.user), merchant, known(order.device), known(order.network)]
}

/// Returns the features of one subject from its aged history, in the catalogue's order.
fn subject_features(
    history: Option<&History>,
    amount: u64,
    now_ms: u64,
) -> [i64; SUBJECT_FEATURES] {
    let mut values = [0; SUBJECT_FEATURES];
    let Some(history) = history else {
        (values[8], values[9]) = (UNKNOWN, UNKNOWN);
        return values;
    };
    for index in 0..4 {
        values[index] = i64::from(history.counts[index]);
        values[4 + index] = bounded(history.sums[index]);
    }
    values[8] = bounded(now_ms.saturating_sub(history.last_ms));
    values[9] = bounded(now_ms.saturating_sub(history.first_ms));
    values[10] = amount_to_mean_q8(amount, history.counts[3], history.sums[3]);
    values[11] = i64::from(history.partners[0].distinct_q8());
    values[12] = i64::from(history.partners[1].distinct_q8());
    let labels = u64::from(history.fraud) + u64::from(history.legitimate) + u64::from(ONE_Q8);
    values[13] = bounded((u64::from(history.fraud) << 16) / labels);
    values
}

/// Returns 256 * amount / (sum / count), where the count is in 256ths; zero without a mean.
fn amount_to_mean_q8(amount: u64, count_q8: u32, sum: u64) -> i64 {
    let product = u128::from(amount) * u128::from(count_q8);
    match (u64::try_from(product), sum) {
        (_, 0) => 0,
        (Ok(product), sum) => bounded(product / sum),
        (Err(_), sum) => i64::try_from(product / u128::from(sum)).unwrap_or(i64::MAX),
    }
}

/// Returns a value as features have it: the largest one instead of an overflow.
fn bounded(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Returns the number of zeros at the end of an amount's decimal digits; 19 for zero.
fn trailing_zeros(amount: u64) -> u32 {
    (1..=19).take_while(|digits| amount.is_multiple_of(10_u64.pow(*digits))).count() as u32
}
