//! Open reservations, and which of them end first.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{OrderId, TimeMs};

use crate::records::Reservation;

/// Every open reservation, by id and by its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReservationBook {
    all: BTreeMap<OrderId, Reservation>,
    ends: BTreeSet<(TimeMs, OrderId)>,
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

    /// Returns all reservations, ascending by id.
    pub(crate) const fn all(&self) -> &BTreeMap<OrderId, Reservation> {
        &self.all
    }

    pub(crate) fn insert(&mut self, id: OrderId, held: Reservation) {
        self.remove(&id);
        self.ends.insert((held.expires, id));
        self.all.insert(id, held);
    }

    pub(crate) fn remove(&mut self, id: &OrderId) {
        if let Some(held) = self.all.remove(id) {
            self.ends.remove(&(held.expires, *id));
        }
    }

    /// Those whose end is before `time`, ascending by id.
    pub(crate) fn expired(&self, time: TimeMs) -> Vec<(OrderId, Reservation)> {
        let ended = self.ends.iter().take_while(|(end, _)| *end < time);
        let ids: BTreeSet<&OrderId> = ended.map(|(_, id)| id).collect();
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
        let payout_currency = Currency::new(840);
        Reservation {
            submitter: ParticipantId::new(1),
            merchant: MerchantId::new(1),
            gateway: ParticipantId::new(1),
            amount: Amount::new(1),
            currency: Currency::new(156),
            user: [7; 16],
            conversion: is_quoted.then_some(Conversion {
                quote: QuoteId::new(1),
                payout_currency,
                payout: Amount::new(1),
            }),
            accepted: TimeMs::new(0),
            expires: TimeMs::new(expires),
        }
    }

    #[test]
    fn what_ends_first_is_found_whatever_its_id() {
        let id = |number: u8| OrderId::from_bytes([number; 16]);
        let rows =
            [(1, 100, false), (2, 50, true), (3, 300, false), (4, 60, false), (5, 500, true)];
        let mut book =
            ReservationBook::new(rows.map(|(at, end, quoted)| (id(at), held(end, quoted))).into());
        let ended = |book: &ReservationBook, time| -> Vec<u8> {
            book.expired(TimeMs::new(time)).iter().map(|(id, _)| id.bytes()[0]).collect()
        };
        assert_eq!(ended(&book, 50), Vec::<u8>::new());
        assert_eq!(ended(&book, 51), [2]);
        assert_eq!(ended(&book, 61), [2, 4]);
        assert_eq!(ended(&book, 101), [1, 2, 4]);
        assert_eq!(ended(&book, 301), [1, 2, 3, 4]);
        book.remove(&id(4));
        book.insert(id(2), held(400, true));
        assert_eq!(ended(&book, 301), [1, 3]);
        assert_eq!((book.len(), book.get(&id(4))), (4, None));
        assert_eq!(ended(&book, 501), [1, 2, 3, 5]);
    }
}
