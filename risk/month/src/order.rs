//! What the month consists of: orders, and labels that come later.

/// The size of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthScale {
    /// Users with habits; accounts that fraudsters make come besides.
    pub users: u32,
    /// The number of merchants.
    pub merchants: u32,
    /// Orders of a day, about.
    pub orders_a_day: u32,
}

/// One order, with the facts that only the generator knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthOrder {
    /// The order's number in the order of time, from zero.
    pub number: u64,
    /// Milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// The pseudonym of the user who pays.
    pub user: [u8; 16],
    /// The number of the merchant.
    pub merchant: u64,
    /// The number of the device.
    pub device: u64,
    /// The number of the network.
    pub network: u64,
    /// The number of the gateway.
    pub gateway: u32,
    /// The amount in minor units.
    pub amount: u64,
    /// Days since the user joined: known to the asker alone.
    pub identity_age_days: u32,
    /// The kind of fraud, or `None` for an honest order.
    pub truth: Option<FraudKind>,
}

/// A party's word about an order, 3 to 45 days after it. Two of 100 are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthLabel {
    /// The order that is labelled.
    pub order: MonthOrder,
    /// The time of the label, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// True if the party says that the order was fraud.
    pub is_fraud: bool,
}

/// One event of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonthEvent {
    /// An order, at its own time.
    Order(MonthOrder),
    /// A label of an earlier order, at the time of the label.
    Label(MonthLabel),
}

/// The kinds of fraud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FraudKind {
    /// Stolen cards are tried with small amounts, many from one device.
    CardTesting,
    /// An account is used by another than its owner. From day 20 on, from the owner's network and
    /// with usual amounts.
    Takeover,
    /// An account passes money on, over several institutions.
    Mule,
    /// A merchant and its users pay one another.
    Ring,
    /// Five recharges each of accounts made for the cashback of the fifth.
    Farming,
    /// Amounts just below the limit from which orders are held.
    Structuring,
    /// The owner paid, and denies it. Nothing tells it from an honest order.
    Friendly,
    /// Codes bought at night for sale elsewhere. It appears on day 20.
    Resale,
}

impl MonthScale {
    /// A month that a test can afford: some 240,000 orders.
    pub const SMALL: Self = Self { users: 6_000, merchants: 300, orders_a_day: 8_000 };
    /// A month of the platform: some 129 million orders.
    pub const FULL: Self = Self { users: 3_000_000, merchants: 30_000, orders_a_day: 4_300_000 };
}

impl FraudKind {
    /// The eight kinds, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::CardTesting,
        Self::Takeover,
        Self::Mule,
        Self::Ring,
        Self::Farming,
        Self::Structuring,
        Self::Friendly,
        Self::Resale,
    ];
}
