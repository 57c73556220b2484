//! Open reservations, and which of them end before their id's validity does.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{OrderId, TimeMs};

use crate::records::Reservation;

/// Every open reservation. Those without a conversion end in the order of their ids, for ids begin
/// with their time; those that hold a quote may end earlier, and are found by their end.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReservationBook {
    all: BTreeMap<OrderId, Reservation>,
    /// The ends of those that hold a quote.
    quoted: BTreeSet<(TimeMs, OrderId)>,
}

impl ReservationBook {
    pub(crate) fn new(reservations: Vec<(OrderId, Reservation)>) -> Self {
        let mut book = Self::default();
        for (id, held) in reservations {
            book.insert(id, held);
        }
        book
    }

    pub(crate) fn get(&self, id: &OrderId) -> Option<&Reservation> {
        self.all.get(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Ascending by id.
    pub(crate) const fn all(&self) -> &BTreeMap<OrderId, Reservation> {
        &self.all
    }

    pub(crate) fn insert(&mut self, id: OrderId, held: Reservation) {
        self.remove(&id);
        if held.conversion.is_some() {
            self.quoted.insert((held.expires, id));
        }
        self.all.insert(id, held);
    }

    pub(crate) fn remove(&mut self, id: &OrderId) {
        if let Some(held) = self.all.remove(id)
            && held.conversion.is_some()
        {
            self.quoted.remove(&(held.expires, *id));
        }
    }

    /// Those whose end is before `time`, ascending by id.
    pub(crate) fn expired(&self, time: TimeMs) -> Vec<(OrderId, Reservation)> {
        let quoted = self.quoted.iter().take_while(|(end, _)| *end < time).map(|(_, id)| id);
        // One that holds a quote may stand in the way, but only when it has ended itself, or when
        // those behind it have not: none ends later than another of its id would.
        let in_order = self.all.iter().take_while(|(_, held)| held.expires < time);
        let ids: BTreeSet<&OrderId> = in_order.map(|(id, _)| id).chain(quoted).collect();
        ids.into_iter().filter_map(|id| Some((*id, *self.all.get(id)?))).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chain_types::{Amount, Currency, MerchantId, ParticipantId, QuoteId};

    use super::*;
    use crate::records::Conversion;

    fn held(expires: u64, is_quoted: bool) -> Reservation {
        let payout_currency = Currency(840);
        Reservation {
            submitter: ParticipantId(1),
            merchant: MerchantId(1),
            gateway: ParticipantId(1),
            amount: Amount(1),
            currency: Currency(156),
            user: [7; 16],
            conversion: is_quoted.then_some(Conversion {
                quote: QuoteId(1),
                payout_currency,
                payout: Amount(1),
            }),
            accepted: TimeMs(0),
            expires: TimeMs(expires),
        }
    }

    #[test]
    fn what_ends_early_is_found_among_what_ends_in_order() {
        let id = |number: u8| OrderId([number; 16]);
        let rows = [(1, 100, false), (2, 50, true), (3, 300, false), (4, 60, true), (5, 500, true)];
        let mut book =
            ReservationBook::new(rows.map(|(at, end, quoted)| (id(at), held(end, quoted))).into());
        let ended = |book: &ReservationBook, time| -> Vec<u8> {
            book.expired(TimeMs(time)).iter().map(|(id, _)| id.0[0]).collect()
        };
        assert_eq!(ended(&book, 50), Vec::<u8>::new());
        assert_eq!(ended(&book, 51), [2]);
        assert_eq!(ended(&book, 61), [2, 4]);
        assert_eq!(ended(&book, 101), [1, 2, 4]);
        assert_eq!(ended(&book, 301), [1, 2, 3, 4]);
        book.remove(&id(4));
        book.insert(id(2), held(400, true));
        assert_eq!(ended(&book, 301), [1]);
        assert_eq!((book.len(), book.get(&id(4))), (4, None));
        assert_eq!(ended(&book, 501), [1, 2, 3, 5]);
    }
}
