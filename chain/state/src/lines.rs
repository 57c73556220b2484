//! Lines as readers ask for them: those that somebody has given, those that somebody has.

use std::ops::Bound;

use chain_types::{Currency, LineAccount, LineKey, ParticipantId};

use crate::records::LineRecord;
use crate::tables::Tables;

impl Tables {
    /// The lines that a participant has given, ascending by account and holder, after `after`.
    pub fn lines_given(
        &self,
        owner: ParticipantId,
        after: Option<LineKey>,
    ) -> impl Iterator<Item = &LineRecord> {
        LineAccount::ALL.iter().copied().flat_map(move |account| {
            let (currency, holder) = (Currency::new(0), ParticipantId::new(0));
            let first = LineKey { account, owner, currency, holder };
            let lower = match after {
                Some(after) if after >= first => Bound::Excluded(after),
                _ => Bound::Included(first),
            };
            let given = self.lines.range((lower, Bound::Unbounded)).map(|(_, line)| line);
            given.take_while(move |line| (line.key.account, line.key.owner) == (account, owner))
        })
    }

    /// The lines that a participant has on others' accounts, ascending by account, after `after`.
    pub fn lines_held(
        &self,
        holder: ParticipantId,
        after: Option<LineKey>,
    ) -> impl Iterator<Item = &LineRecord> {
        let (account, owner) = (LineAccount::GatewayLiquidity, ParticipantId::new(0));
        let first = (holder, LineKey { account, owner, currency: Currency::new(0), holder });
        let lower = match after {
            Some(after) if (holder, after) >= first => Bound::Excluded((holder, after)),
            _ => Bound::Included(first),
        };
        let held = self.lines_of_holders.range((lower, Bound::Unbounded)).map(|(key, ())| key);
        let held = held.take_while(move |(found, _)| *found == holder);
        held.filter_map(|(_, key)| self.lines.get(key))
    }
}

#[cfg(test)]
mod tests {
    use chain_types::{Amount, TimeMs};

    use super::*;

    const ACCOUNTS: [LineAccount; 2] = [LineAccount::GatewayLiquidity, LineAccount::FxPosition];

    fn key(account: usize, owner: u32, currency: u16, holder: u32) -> LineKey {
        LineKey {
            account: ACCOUNTS[account],
            owner: ParticipantId::new(owner),
            currency: Currency::new(currency),
            holder: ParticipantId::new(holder),
        }
    }

    #[test]
    fn pages_of_lines_are_whole_and_hold_nobody_elses() {
        let mut tables = Tables::new(&ahash::RandomState::with_seeds(1, 2, 3, 4));
        let (limit, outstanding, since) = (Amount::new(2), Amount::new(1), TimeMs::new(0));
        for account in 0..2 {
            for owner in 1..4 {
                for (currency, holder) in [(156, 7), (156, 8), (840, 7)] {
                    let key = key(account, owner, currency, holder);
                    tables.lines.insert(key, LineRecord { key, limit, outstanding, since });
                    tables.lines_of_holders.insert((key.holder, key), ());
                }
            }
        }
        let given: Vec<LineKey> =
            tables.lines_given(ParticipantId::new(2), None).map(|line| line.key).collect();
        let of =
            |account| [key(account, 2, 156, 7), key(account, 2, 156, 8), key(account, 2, 840, 7)];
        assert_eq!(given, [of(0), of(1)].concat());
        let held: Vec<LineKey> =
            tables.lines_held(ParticipantId::new(8), None).map(|line| line.key).collect();
        let of = |account| [1, 2, 3].map(|owner| key(account, owner, 156, 8));
        assert_eq!(held, [of(0), of(1)].concat());
        for at in 0..6 {
            let after = tables.lines_given(ParticipantId::new(2), Some(given[at]));
            assert!(after.map(|line| line.key).eq(given[at + 1..].iter().copied()), "{at}");
            let after = tables.lines_held(ParticipantId::new(8), Some(held[at]));
            assert!(after.map(|line| line.key).eq(held[at + 1..].iter().copied()), "{at}");
        }
        // A place in another's list is a place all the same.
        assert_eq!(tables.lines_given(ParticipantId::new(2), Some(key(0, 9, 1, 1))).count(), 3);
        assert_eq!(tables.lines_given(ParticipantId::new(9), None).count(), 0);
        assert_eq!(tables.lines_held(ParticipantId::new(9), Some(key(1, 9, 9, 9))).count(), 0);
    }
}
