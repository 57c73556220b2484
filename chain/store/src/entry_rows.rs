//! An account's entries in a block as one row of the index. There is a row for each account that a
//! block touches, so that numbers take as few bytes as they need, and what the key or another entry
//! says already is left out: some forty bytes instead of two hundred.

use bincode::config::{Configuration, Limit, standard};
use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use chain_state::{Account, AccountEntry, AccountKey, EntryCause};
use chain_types::codec::DECODE_BYTES_MAX;
use chain_types::{Height, TimeMs};

/// One account's entries of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryRow {
    /// The height of the block.
    height: Height,
    /// The time of the block.
    time: TimeMs,
    entries: Vec<Entry>,
}

/// An entry without what stands in its row.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Entry {
    sequence: u32,
    cause: EntryCause,
    debits_pending: i128,
    debits_posted: i128,
    credits_pending: i128,
    credits_posted: i128,
    order_count: u64,
    after: Account,
}

/// Numbers as short as they are.
const fn short()
-> Configuration<bincode::config::LittleEndian, bincode::config::Varint, Limit<DECODE_BYTES_MAX>> {
    standard().with_limit::<DECODE_BYTES_MAX>()
}

impl EntryRow {
    /// The row of entries of one account and block; of none there is no row.
    pub(crate) fn of<'a>(entries: impl IntoIterator<Item = &'a AccountEntry>) -> Self {
        let mut row = Self { height: Height::new(0), time: TimeMs::new(0), entries: Vec::new() };
        for entry in entries {
            (row.height, row.time) = (entry.height, entry.time);
            row.entries.push(Entry {
                sequence: entry.sequence,
                cause: entry.cause,
                debits_pending: entry.debits_pending,
                debits_posted: entry.debits_posted,
                credits_pending: entry.credits_pending,
                credits_posted: entry.credits_posted,
                order_count: entry.order_count,
                after: entry.after,
            });
        }
        row
    }

    /// The entries, which are the account's of this key.
    pub(crate) fn entries(&self, key: AccountKey) -> impl DoubleEndedIterator<Item = AccountEntry> {
        let Self { height, time, entries } = self;
        entries.iter().map(move |entry| AccountEntry {
            key,
            height: *height,
            sequence: entry.sequence,
            cause: entry.cause,
            time: *time,
            debits_pending: entry.debits_pending,
            debits_posted: entry.debits_posted,
            credits_pending: entry.credits_pending,
            credits_posted: entry.credits_posted,
            order_count: entry.order_count,
            after: entry.after,
        })
    }
}

impl Encode for EntryRow {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let Self { height, time, entries } = self;
        bincode::encode_into_writer((height, time, entries), encoder.writer(), short())
    }
}

impl<C> Decode<C> for EntryRow {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let (height, time, entries) = bincode::decode_from_reader(decoder.reader(), short())?;
        Ok(Self { height, time, entries })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chain_types::{Currency, MerchantId, codec};

    use super::*;

    fn entry(key: AccountKey, sequence: u32, amount: i128) -> AccountEntry {
        let credits_posted = 1_000_000 + amount.unsigned_abs();
        AccountEntry {
            key,
            height: Height::new(2_000_000),
            sequence,
            cause: EntryCause::Batch(sequence),
            time: TimeMs::new(1_800_000_000_000),
            debits_pending: 0,
            debits_posted: 0,
            credits_pending: -amount,
            credits_posted: amount,
            order_count: 3,
            after: Account { credits_posted, settled: -amount, ..Account::default() },
        }
    }

    #[test]
    fn a_row_is_short_and_gives_its_entries_again() {
        let key = AccountKey::payable(MerchantId::new(7), Currency::new(156));
        let few = [entry(key, 9, 1_234), entry(key, 300, i128::MAX)];
        let row = EntryRow::of(&few);
        let bytes = codec::encode(&row);
        let read: EntryRow = codec::decode(&bytes, bytes.len()).unwrap();
        assert_eq!(read, row);
        assert!(read.entries(key).eq(few));
        let one = codec::encode(&EntryRow::of(&few[..1]));
        assert!(one.len() <= 48, "{} bytes", one.len());
        for length in 0..bytes.len() {
            assert!(codec::decode::<EntryRow>(&bytes[..length], length).is_err(), "{length}");
        }
    }
}
