//! From rows of a file to the items of a batch, and the items' names when they are reported.

use std::ops::Range;

use chain_types::{
    ArrivalItem, BatchKind, ChainId, CollectItem, Currency, FailureItem, FailureReason, Flags,
    InstructionId, OrderId, ParticipantId, RechargeItem, SecretKey, SignedBatch, TimeMs, VoidItem,
    VoidReason,
};

use super::amounts;
use super::order_file::{FileError, Row};

/// What the rows of a file ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Recharge orders: merchant, gateway, amount, currency; also user, device, network,
    /// reference, order_id.
    Recharge,
    /// The same, submitted and collected in one step by the collecting gateway itself.
    Collected,
    /// Collections of reserved orders: order_id; also reference.
    Collect,
    /// Voids of reserved orders: order_id, reason; also reference.
    Void,
    /// Arrivals of instructions: instruction, amount; also reference.
    Arrival,
    /// Failures of instructions: instruction, reason; also reference.
    Failure,
}

impl Kind {
    /// The fields of a row, the required ones first: also CSV's order without a line of names.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Recharge | Self::Collected => &[
                "merchant",
                "gateway",
                "amount",
                "currency",
                "reference",
                "user",
                "device",
                "network",
                "order_id",
            ],
            Self::Collect => &["order_id", "reference"],
            Self::Void | Self::Failure => match self {
                Self::Void => &["order_id", "reason", "reference"],
                _ => &["instruction", "reason", "reference"],
            },
            Self::Arrival => &["instruction", "amount", "reference"],
        }
    }
}

/// Items of one kind, ready to be signed.
#[derive(Debug, Clone)]
pub enum Operations {
    /// Recharge orders.
    Recharge(Vec<RechargeItem>),
    /// Collections.
    Collect(Vec<CollectItem>),
    /// Voids.
    Void(Vec<VoidItem>),
    /// Arrivals.
    Arrival(Vec<ArrivalItem>),
    /// Failures.
    Failure(Vec<FailureItem>),
}

impl Operations {
    /// The items that `rows` ask `submitter` to send. `order_id` makes the ids of orders that
    /// bring none.
    ///
    /// # Errors
    /// The first row and field that is wrong.
    pub fn from_rows(
        rows: &[Row],
        kind: Kind,
        submitter: ParticipantId,
        mut order_id: impl FnMut() -> OrderId,
    ) -> Result<Self, FileError> {
        for row in rows {
            row.only(kind.fields())?;
        }
        let rows = rows.iter();
        Ok(match kind {
            Kind::Recharge | Kind::Collected => {
                let flags = if kind == Kind::Collected { Flags::COLLECTED } else { 0 };
                let item = |row: &Row| recharge(row, submitter, flags, &mut order_id);
                Self::Recharge(rows.map(item).collect::<Result<_, _>>()?)
            }
            Kind::Collect => Self::Collect(rows.map(collect).collect::<Result<_, _>>()?),
            Kind::Void => Self::Void(rows.map(void).collect::<Result<_, _>>()?),
            Kind::Arrival => Self::Arrival(rows.map(arrival).collect::<Result<_, _>>()?),
            Kind::Failure => Self::Failure(rows.map(failure).collect::<Result<_, _>>()?),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Recharge(items) => items.len(),
            Self::Collect(items) => items.len(),
            Self::Void(items) => items.len(),
            Self::Arrival(items) => items.len(),
            Self::Failure(items) => items.len(),
        }
    }

    /// The batch kind that carries them.
    pub fn kind(&self) -> BatchKind {
        match self {
            Self::Recharge(_) => BatchKind::Recharge,
            Self::Collect(_) => BatchKind::Collect,
            Self::Void(_) => BatchKind::Void,
            Self::Arrival(_) => BatchKind::Arrival,
            Self::Failure(_) => BatchKind::Failure,
        }
    }

    /// Items `range` as one batch of `submitter`, signed with `key`.
    pub fn sign(
        &self,
        range: Range<usize>,
        chain_id: ChainId,
        submitter: ParticipantId,
        key: &SecretKey,
        valid_until: TimeMs,
    ) -> Vec<u8> {
        let until = valid_until;
        match self {
            Self::Recharge(items) => {
                SignedBatch::sign(chain_id, submitter, key, until, part(items, range))
            }
            Self::Collect(items) => {
                SignedBatch::sign(chain_id, submitter, key, until, part(items, range))
            }
            Self::Void(items) => {
                SignedBatch::sign(chain_id, submitter, key, until, part(items, range))
            }
            Self::Arrival(items) => {
                SignedBatch::sign(chain_id, submitter, key, until, part(items, range))
            }
            Self::Failure(items) => {
                SignedBatch::sign(chain_id, submitter, key, until, part(items, range))
            }
        }
    }

    /// What item `index` is about: an order's or an instruction's id.
    pub fn subject(&self, index: usize) -> String {
        let named = match self {
            Self::Recharge(items) => items.get(index).map(|item| item.order_id().to_string()),
            Self::Collect(items) => items.get(index).map(|item| item.order_id().to_string()),
            Self::Void(items) => items.get(index).map(|item| OrderId(item.order_id).to_string()),
            Self::Arrival(items) => items.get(index).map(|item| item.instruction().to_string()),
            Self::Failure(items) => items.get(index).map(|item| item.instruction().to_string()),
        };
        named.unwrap_or_default()
    }
}

fn part<T>(items: &[T], range: Range<usize>) -> &[T] {
    items.get(range).unwrap_or_default()
}

fn recharge(
    row: &Row,
    submitter: ParticipantId,
    flags: u16,
    order_id: &mut impl FnMut() -> OrderId,
) -> Result<RechargeItem, FileError> {
    let currency = row.parse("currency", parse_currency)?;
    let amount = row.parse("amount", |text| amounts::parse(text, currency))?;
    let gateway = match row.optional("gateway") {
        // A gateway's own orders are collected by itself.
        None if flags & Flags::COLLECTED != 0 => submitter.0,
        _ => row.parse("gateway", |text| parse_number(text, u32::MAX))?,
    };
    let id = match row.optional("order_id") {
        None => order_id(),
        Some(_) => row.parse("order_id", str::parse::<OrderId>)?,
    };
    let keyed = |field| match row.optional(field) {
        None => Ok(0),
        Some(_) => row.parse(field, |text| parse_number(text, u64::MAX)),
    };
    let user = match row.optional("user") {
        None => [0; 16],
        Some(_) => row.parse("user", parse_pseudonym)?,
    };
    Ok(RechargeItem {
        order_id: id.0,
        user,
        merchant: row.parse("merchant", |text| parse_number(text, u64::MAX))?.into(),
        collecting_gateway: gateway.into(),
        amount: amount.0.into(),
        currency: currency.0.into(),
        payout_currency: currency.0.into(),
        flags: flags.into(),
        fx_quote: 0.into(),
        payout_minimum: 0.into(),
        device: keyed("device")?.into(),
        network: keyed("network")?.into(),
        external_reference: reference(row)?,
        spare: [0; 6],
    })
}

fn collect(row: &Row) -> Result<CollectItem, FileError> {
    let order_id = row.parse("order_id", str::parse::<OrderId>)?.0;
    Ok(CollectItem { order_id, reference: reference(row)?, spare: [0; 16] })
}

fn void(row: &Row) -> Result<VoidItem, FileError> {
    let reason = row.parse("reason", |text| {
        let numbers = VoidReason::ALL.iter().map(|reason| (reason.number(), reason.iso_code()));
        parse_reason(text, numbers)
    })?;
    let order_id = row.parse("order_id", str::parse::<OrderId>)?.0;
    Ok(VoidItem { order_id, reason: reason.into(), reference: reference(row)?, spare: [0; 14] })
}

fn arrival(row: &Row) -> Result<ArrivalItem, FileError> {
    let id = row.parse("instruction", str::parse::<InstructionId>)?;
    let amount = row.parse("amount", |text| amounts::parse(text, id.currency))?;
    Ok(ArrivalItem {
        window: id.window.0.into(),
        merchant: id.merchant.0.into(),
        amount: amount.0.into(),
        currency: id.currency.0.into(),
        reference: reference(row)?,
        spare: [0; 6],
    })
}

fn failure(row: &Row) -> Result<FailureItem, FileError> {
    let id = row.parse("instruction", str::parse::<InstructionId>)?;
    let reason = row.parse("reason", |text| {
        let numbers = FailureReason::ALL.iter().map(|reason| (reason.number(), reason.iso_code()));
        parse_reason(text, numbers)
    })?;
    Ok(FailureItem {
        window: id.window.0.into(),
        merchant: id.merchant.0.into(),
        currency: id.currency.0.into(),
        reason: reason.into(),
        reference: reference(row)?,
        spare: [0; 12],
    })
}

fn parse_currency(text: &str) -> Result<Currency, String> {
    Currency::from_code(text)
        .ok_or_else(|| format!("{text:?} is not an ISO 4217 code such as CNY, in capitals"))
}

fn parse_number<T: std::str::FromStr + std::fmt::Display>(
    text: &str,
    largest: T,
) -> Result<T, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| format!("{text:?} is not a whole number from 0 to {largest}"))
}

fn parse_pseudonym(text: &str) -> Result<[u8; 16], String> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| format!("{text:?} is not a pseudonym: 32 hexadecimal digits"))?;
    Ok(bytes)
}

fn parse_reason(
    text: &str,
    known: impl Iterator<Item = (u16, &'static str)> + Clone,
) -> Result<u16, String> {
    let found = known.clone().find(|(number, code)| *code == text || number.to_string() == text);
    found.map(|(number, _)| number).ok_or_else(|| {
        let known: Vec<String> = known.map(|(number, code)| format!("{number} ({code})")).collect();
        format!("{text:?} is not a reason; known are {}", known.join(", "))
    })
}

/// The bank's or service's own reference: at most 32 bytes of text, padded with zeros.
fn reference(row: &Row) -> Result<[u8; 32], FileError> {
    let text = row.optional("reference").unwrap_or_default();
    reference_bytes(text).ok_or_else(|| {
        row.error("reference", format!("{text:?} has {} bytes; at most 32", text.len()))
    })
}

/// `text` padded with zeros to 32 bytes; `None` when it is longer.
pub fn reference_bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    Some(bytes)
}

/// The clock of this machine, in milliseconds since the Unix epoch.
pub fn now() -> TimeMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    TimeMs(since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}
