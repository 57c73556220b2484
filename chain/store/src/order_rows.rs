//! Orders that left memory as rows of the index: a row holds up to [`ROW_ORDERS`] of them,
//! ascending, under the id of the last. A row an order would cost several times as much to write,
//! and an order is found in its row by halving.
//!
//! A row: the lowest height of its orders (8 bytes), how many they are (4), then each in
//! [`ORDER_BYTES`]: id 16, fingerprint 16, height above the lowest 4, batch 4, item 4, outcome 2,
//! status 1, and 1 if a later operation set the status, else 0. Then for each of those, in the same
//! order, the height of the block that set it (8), and the operation's height (8), batch (4) and
//! item (4). Integers are little-endian.

use chain_state::records::{Location, OrderRecord, OrderStatus};
use chain_types::{Height, OrderId, Outcome};

/// Orders of a row.
pub(crate) const ROW_ORDERS: usize = 64;

const HEAD_BYTES: usize = 8 + 4;
const ORDER_BYTES: usize = 16 + 16 + 4 + 4 + 4 + 2 + 1 + 1;
const STEP_BYTES: usize = 8 + 8 + 4 + 4;

/// The row of some orders, ascending by id.
pub(crate) fn to_bytes(orders: &[(OrderId, OrderRecord)]) -> Vec<u8> {
    let base = orders.iter().map(|(_, record)| record.location.height.get()).min().unwrap_or(0);
    let mut bytes = Vec::with_capacity(HEAD_BYTES + orders.len() * (ORDER_BYTES + STEP_BYTES));
    bytes.extend_from_slice(&base.to_le_bytes());
    bytes.extend_from_slice(&length_32(orders.len() as u64).to_le_bytes());
    for (id, record) in orders {
        let OrderRecord { location: Location { height, batch, item }, .. } = record;
        bytes.extend_from_slice(&id.bytes());
        bytes.extend_from_slice(&record.fingerprint);
        bytes.extend_from_slice(&length_32(height.get() - base).to_le_bytes());
        bytes.extend_from_slice(&batch.to_le_bytes());
        bytes.extend_from_slice(&item.to_le_bytes());
        bytes.extend_from_slice(&record.outcome.0.to_le_bytes());
        bytes.push(record.status.number());
        bytes.push(u8::from(is_stepped(record)));
    }
    for (_, record) in orders.iter().filter(|(_, record)| is_stepped(record)) {
        let Location { height, batch, item } = record.status_location;
        bytes.extend_from_slice(&record.status_height.get().to_le_bytes());
        bytes.extend_from_slice(&height.get().to_le_bytes());
        bytes.extend_from_slice(&batch.to_le_bytes());
        bytes.extend_from_slice(&item.to_le_bytes());
    }
    bytes
}

/// Returns true if the submission was not the only step.
fn is_stepped(record: &OrderRecord) -> bool {
    let submitted = (record.location.height, record.location);
    (record.status_height, record.status_location) != submitted
}

/// The orders of a row were in the duplicate window together, so that their heights lie close.
fn length_32(length: u64) -> u32 {
    match u32::try_from(length) {
        Ok(short) => short,
        Err(_) => unreachable!("{length} is more than a row of orders can say"),
    }
}

/// An order of a row.
///
/// # Errors
/// What is wrong with the bytes, if they are no row.
pub(crate) fn find(row: &[u8], id: &OrderId) -> Result<Option<OrderRecord>, &'static str> {
    const EARLY: &str = "a row of orders ends early";
    let (base, rest) = row.split_first_chunk().ok_or(EARLY)?;
    let (count, rest) = rest.split_first_chunk().ok_or(EARLY)?;
    let count = u32::from_le_bytes(*count) as usize;
    let (orders, steps) = rest.split_at_checked(count.saturating_mul(ORDER_BYTES)).ok_or(EARLY)?;
    let (orders, _) = orders.as_chunks::<ORDER_BYTES>();
    let (steps, over) = steps.as_chunks::<STEP_BYTES>();
    let stepped = |orders: &[[u8; ORDER_BYTES]]| {
        orders.iter().filter(|order| order[ORDER_BYTES - 1] != 0).count()
    };
    if !over.is_empty() || steps.len() != stepped(orders) {
        return Err("a row of orders has other steps than its orders say");
    }
    let Ok(at) = orders.binary_search_by(|order| order[..16].cmp(&id.bytes())) else {
        return Ok(None);
    };
    let step = (orders[at][ORDER_BYTES - 1] != 0).then(|| steps.get(stepped(&orders[..at])));
    let record = read_order(u64::from_le_bytes(*base), &orders[at], step.flatten());
    record.map(Some).ok_or("a row of orders has a status that is none")
}

fn read_order(
    base: u64,
    order: &[u8; ORDER_BYTES],
    step: Option<&[u8; STEP_BYTES]>,
) -> Option<OrderRecord> {
    let (fingerprint, rest) = order[16..].split_first_chunk::<16>()?;
    let ([offset, batch, item], rest) = words(rest)?;
    let (outcome, rest) = rest.split_first_chunk::<2>()?;
    let status = OrderStatus::from_number(*rest.first()?)?;
    let location = Location { height: Height::new(base.checked_add(offset.into())?), batch, item };
    let (status_height, status_location) = match step {
        None => (location.height, location),
        Some(step) => {
            let (set, rest) = step.split_first_chunk::<8>()?;
            let (height, rest) = rest.split_first_chunk::<8>()?;
            let ([batch, item], _) = words(rest)?;
            let height = Height::new(u64::from_le_bytes(*height));
            (Height::new(u64::from_le_bytes(*set)), Location { height, batch, item })
        }
    };
    Some(OrderRecord {
        location,
        fingerprint: *fingerprint,
        outcome: Outcome(u16::from_le_bytes(*outcome)),
        status,
        status_height,
        status_location,
    })
}

/// The first words of 32 bits, and what follows them.
fn words<const COUNT: usize>(bytes: &[u8]) -> Option<([u32; COUNT], &[u8])> {
    let (head, rest) = bytes.split_at_checked(4 * COUNT)?;
    let (chunks, _) = head.as_chunks::<4>();
    let mut words = [0; COUNT];
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = u32::from_le_bytes(*chunk);
    }
    Some((words, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(number: u64, height: u64) -> (OrderId, OrderRecord) {
        let location =
            Location { height: Height::new(height), batch: 3, item: number as u32 % 8_192 };
        let mut id = [0; 16];
        id[8..].copy_from_slice(&number.to_be_bytes());
        let record = OrderRecord {
            location,
            fingerprint: [number as u8; 16],
            outcome: Outcome(number as u16),
            status: OrderStatus::Reserved,
            status_height: location.height,
            status_location: location,
        };
        (OrderId::from_bytes(id), record)
    }

    /// Orders with even numbers, some of them stepped, not in the order of their heights.
    fn orders() -> Vec<(OrderId, OrderRecord)> {
        let some = |number: u64| {
            let (id, record) = order(2 * number, 900 - number);
            let step = Location { height: Height::new(2_000 + number), batch: 9, item: 8 };
            match number % 5 {
                0 => {
                    let height = step.height;
                    (id, record.stepped(OrderStatus::Collected, height, Some(step)))
                }
                // An expiry has no operation.
                1 => (id, record.stepped(OrderStatus::Expired, Height::new(3_000), None)),
                _ => (id, record),
            }
        };
        (0..ROW_ORDERS as u64).map(some).collect()
    }

    #[test]
    fn each_order_is_found_in_its_row_as_it_was_put() {
        for count in [1, 2, 7, ROW_ORDERS] {
            let orders = &orders()[..count];
            let row = to_bytes(orders);
            for (id, record) in orders {
                assert_eq!(find(&row, id), Ok(Some(*record)));
            }
            for number in [1, 3, 2 * count as u64 + 1] {
                assert_eq!(find(&row, &order(number, 1).0), Ok(None));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_row_are_an_error() {
        let orders = orders();
        let (row, last) = (to_bytes(&orders), orders[ROW_ORDERS - 1].0);
        for length in 0..row.len() {
            assert!(find(&row[..length], &last).is_err(), "{length}");
        }
        let longer = [row.as_slice(), &[0]].concat();
        assert!(find(&longer, &last).is_err());
        let mut other = row;
        other[HEAD_BYTES + ORDER_BYTES * ROW_ORDERS - 2] = 0;
        assert!(find(&other, &last).is_err(), "no status is 0");
    }
}
