//! The bounds of what a genesis file may say.

use chain_types::registry::RegistryBounds;

/// Bytes of the largest genesis file.
pub const GENESIS_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The fewest validators of a network that is no development network: one may fail.
pub(crate) const VALIDATORS_MIN: usize = 4;
pub(crate) const CURRENCIES_MAX: usize = RegistryBounds::CHAIN.currencies;
pub(crate) const PARTICIPANTS_MAX: usize = RegistryBounds::CHAIN.participants;
pub(crate) const MERCHANTS_MAX: usize = RegistryBounds::CHAIN.merchants;
/// One million million million minor units: sums of a million such stay within 128 bits.
pub(crate) const MONEY_MAX: u64 = 1_000_000_000_000_000_000;
/// Ids stay within TOML's signed numbers.
pub(crate) const MERCHANT_ID_MAX: u64 = i64::MAX as u64;
/// 2020-01-01 and 2100-01-01: outside, somebody meant seconds or microseconds.
pub(crate) const TIME_MS_MIN: u64 = 1_577_836_800_000;
pub(crate) const TIME_MS_MAX: u64 = 4_102_444_800_000;
pub(crate) const POWER_MAX: u64 = 1_000_000_000;
/// Operators of how many legal entities approve a change at least where money is real.
pub(crate) const GOVERNANCE_APPROVALS_MIN: u32 = 2;
/// How many fresh rates a reference takes at least where money is real: with fewer, one provider
/// sets it.
pub(crate) const RATES_MIN: u32 = 3;
/// The largest net debit cap of a network with real money, in minor units: a hundred thousand
/// million yuan. A demonstration's caps are a hundred times that, so that nothing is ever refused.
pub const NET_DEBIT_CAP_MAX: u64 = 10_000_000_000_000;
