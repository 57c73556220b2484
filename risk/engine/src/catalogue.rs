//! The features by number: what each is, in which unit. `docs/risk.md` shows this list.
//!
//! A model names features by number, so a number keeps its meaning. A change of meaning is a new
//! [`CATALOGUE_VERSION`], and models of another version are refused.

use crate::decay::HALF_LIVES;

/// The version that a model's bytes name.
pub const CATALOGUE_VERSION: u16 = 1;
/// Features of the order itself.
pub(crate) const ORDER_FEATURES: usize = 8;
/// Features of each subject's history.
pub(crate) const SUBJECT_FEATURES: usize = 14;
/// Features that are taken from the chain.
pub const CHAIN_FEATURES: usize = ORDER_FEATURES + RiskSubject::ALL.len() * SUBJECT_FEATURES;
/// Features that only the asker knows.
pub const PRIVATE_FEATURES: usize = 16;
/// All features; each number below it has a meaning.
pub const FEATURES: usize = CHAIN_FEATURES + PRIVATE_FEATURES;
/// Places of a [`FeatureVector`]: a power of two, so that a number needs no check.
const PLACES: usize = 128;

const _: () = assert!(FEATURES <= PLACES);

/// A subject that has a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskSubject {
    /// The user who pays.
    User,
    /// The merchant who is paid.
    Merchant,
    /// The device that the user pays with, by its keyed hash.
    Device,
    /// The network that the user pays from, by its keyed hash.
    Network,
}

/// The values of all features for one order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FeatureVector([i64; PLACES]);

/// A row of the list of features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureRow {
    /// The number of the feature, as models name it.
    pub number: u16,
    /// The name in words.
    pub name: String,
    /// The unit of its values.
    pub unit: &'static str,
    /// A sentence on what it counts.
    pub about: String,
}

impl RiskSubject {
    /// Every kind of subject, in the order of their features.
    pub const ALL: [Self; 4] = [Self::User, Self::Merchant, Self::Device, Self::Network];

    /// Returns the word for the kind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Merchant => "merchant",
            Self::Device => "device",
            Self::Network => "network",
        }
    }

    /// Returns the two kinds of partners whose number a history estimates.
    pub const fn partners(self) -> [Self; 2] {
        match self {
            Self::User => [Self::Merchant, Self::Device],
            Self::Merchant => [Self::User, Self::Device],
            Self::Device => [Self::User, Self::Network],
            Self::Network => [Self::User, Self::Device],
        }
    }

    /// Returns the number of the subject's first feature.
    pub(crate) const fn first_feature(self) -> usize {
        ORDER_FEATURES + self as usize * SUBJECT_FEATURES
    }
}

impl FeatureVector {
    /// Returns a vector of zeros.
    pub const fn new() -> Self {
        Self([0; PLACES])
    }

    /// Returns the value of a feature. Numbers of 128 and more name the same place as their last
    /// seven bits; a model that was checked has none.
    pub const fn get(&self, feature: u16) -> i64 {
        self.0[feature as usize % PLACES]
    }

    /// Sets the value of a feature, as [`Self::get`] finds it.
    pub const fn set(&mut self, feature: u16, value: i64) {
        self.0[feature as usize % PLACES] = value;
    }

    /// Returns the values of all features by number.
    pub fn values(&self) -> &[i64] {
        &self.0[..FEATURES]
    }

    /// Sets the values of consecutive features from `first` on.
    pub(crate) fn fill(&mut self, first: usize, values: &[i64]) {
        self.0[first..first + values.len()].copy_from_slice(values);
    }
}

impl Default for FeatureVector {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for FeatureVector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.values()).finish()
    }
}

/// The features of the order itself: name, unit, meaning.
const ORDER_ROWS: [(&str, &str, &str); ORDER_FEATURES] = [
    ("amount", "minor units", "The order's amount in the desk's own currency."),
    ("minute of the day", "minutes", "Minutes since midnight, UTC."),
    ("day of the week", "days", "Days since the last Thursday, UTC; 0 on a Thursday."),
    ("round amount", "digits", "Zeros at the end of the amount; at most 19."),
    (
        "user and device unknown to each other",
        "0 or 1",
        "1 if neither today nor yesterday the \
      user had this device.",
    ),
    (
        "user and merchant unknown to each other",
        "0 or 1",
        "1 if neither today nor yesterday the \
      user paid this merchant.",
    ),
    (
        "device and network unknown to each other",
        "0 or 1",
        "1 if neither today nor yesterday the \
      device was in this network.",
    ),
    ("what is known", "bits", "1 if the device is known, and 2 more if the network is."),
];

/// Returns the list of features in the order of their numbers.
pub fn catalogue() -> Vec<FeatureRow> {
    let own = ORDER_ROWS.map(|(name, unit, about)| (name.to_owned(), unit, about.to_owned()));
    let mut rows: Vec<(String, &'static str, String)> = own.into();
    for subject in RiskSubject::ALL {
        subject_rows(subject, &mut rows);
    }
    for number in 0..PRIVATE_FEATURES {
        let about = "Known to the asker alone; its model says what it means.".to_owned();
        rows.push((format!("private {number}"), "any", about));
    }
    let numbered = (0..).zip(rows);
    numbered.map(|(number, (name, unit, about))| FeatureRow { number, name, unit, about }).collect()
}

/// Appends the rows of one subject's history.
fn subject_rows(subject: RiskSubject, rows: &mut Vec<(String, &'static str, String)>) {
    let name = subject.name();
    let mut row =
        |what: &str, unit, about: String| rows.push((format!("{name}: {what}"), unit, about));
    for half_life in HALF_LIVES {
        let about = format!("Earlier orders of the {name}, each halved every {}.", half_life.name);
        row(&format!("orders {}", half_life.name), "1/256 orders", about);
    }
    for half_life in HALF_LIVES {
        let about = format!("Amounts of these orders, each halved every {}.", half_life.name);
        row(&format!("sum {}", half_life.name), "minor units", about);
    }
    row(
        "since the last",
        "ms",
        format!("Time since the {name}'s last order; -1 if none is known."),
    );
    row("age", "ms", format!("Time since the {name}'s history began; -1 if it has none."));
    row("amount to mean", "1/256", "The amount beside the mean of 30d; 0 without one.".to_owned());
    for partner in subject.partners() {
        let about = format!("About how many {}s of today and yesterday.", partner.name());
        row(&format!("{}s", partner.name()), "1/256", about);
    }
    let about = format!(
        "Of the {name}'s labelled orders, halved every 30d, those of fraud; one \
                         legitimate order is added."
    );
    row("fraud rate", "1/65,536", about);
}
