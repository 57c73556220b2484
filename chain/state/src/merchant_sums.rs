//! What the open window adds up for each merchant and currency. The sums stand by their payable
//! account's place among all accounts: an order finds them without a search, however many merchants
//! there are. They are put in order only where an order matters, at the window's close.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use chain_types::{Currency, MerchantId};

use crate::chunked::Chunked;
use crate::collected::{Collected, Due, DueKey};
use crate::sections::{SECTION_ITEMS, put_section};

/// The place of an account that has no sums.
const NONE: u32 = u32::MAX;

/// The sum collected for a merchant in a currency, and the parts of it by due time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct MerchantSums {
    /// The merchant that the window will pay.
    pub merchant: MerchantId,
    /// The currency that it is paid in.
    pub currency: Currency,
    /// The sum collected for it, and of how many orders.
    pub collected: Collected,
    /// The sums left to be paid by due time, the earliest accepted orders first.
    pub dues: Vec<(DueKey, Due)>,
}

impl MerchantSums {
    /// Returns the sum that is due for orders of one due time.
    pub(crate) fn due(&self, key: &DueKey) -> Option<&Due> {
        let at = self.dues.binary_search_by_key(key, |(key, _)| *key).ok()?;
        Some(&self.dues[at].1)
    }

    /// Replaces the sum that is due for orders of one due time; a sum of zero is removed.
    fn put_due(&mut self, key: DueKey, due: Due) {
        let is_left = due.amount.get() > 0;
        match place_of(&self.dues, &key) {
            Ok(at) if is_left => self.dues[at].1 = due,
            Ok(at) => drop(self.dues.remove(at)),
            Err(at) if is_left => {
                // Most have one or two, and there may be millions.
                if self.dues.is_empty() {
                    self.dues.reserve_exact(1);
                }
                self.dues.insert(at, (key, due));
            }
            Err(_) => {}
        }
    }
}

/// Returns the index of a key among dues, or the index at which it would be inserted. Mostly the
/// key is the last one's or comes after it.
pub(crate) fn place_of(dues: &[(DueKey, Due)], key: &DueKey) -> Result<usize, usize> {
    match dues.last().map(|(last, _)| last.cmp(key)) {
        None | Some(std::cmp::Ordering::Less) => Err(dues.len()),
        Some(std::cmp::Ordering::Equal) => Ok(dues.len() - 1),
        Some(std::cmp::Ordering::Greater) => dues.binary_search_by_key(key, |(key, _)| *key),
    }
}

/// The changes that a block makes to one merchant's sums.
#[derive(Debug, Clone)]
pub(crate) struct SumsChange {
    /// The place of the payable account.
    pub(crate) account: u32,
    pub(crate) merchant: MerchantId,
    pub(crate) currency: Currency,
    pub(crate) collected: Collected,
    /// The sums by due time that changed, each as it is now, ascending. One that is zero is
    /// removed.
    pub(crate) dues: Vec<(DueKey, Due)>,
}

/// The sums of all merchants.
#[derive(Debug, Clone)]
pub(crate) struct SumsBook {
    /// The sums in order of first collection.
    sums: Chunked<MerchantSums>,
    /// The account of each of them.
    accounts: Vec<u32>,
    /// The place of each account's sums; accounts beyond its end have none. It keeps its length
    /// from window to window, so that no window's first order pays for all accounts.
    at: Vec<u32>,
}

impl SumsBook {
    /// Makes a book without sums.
    pub(crate) const fn new() -> Self {
        Self { sums: Chunked::new(), accounts: Vec::new(), at: Vec::new() }
    }

    /// Makes a book of what sections held: `account_of` gives the place of an account; `None` if
    /// one is not there.
    pub(crate) fn restored(
        sections: Vec<MerchantSums>,
        account_of: impl Fn(&MerchantSums) -> Option<u32>,
    ) -> Option<Self> {
        let (mut book, mut last) = (Self::new(), None);
        for part in sections {
            let account = account_of(&part)?;
            let MerchantSums { merchant, currency, collected, dues } = part;
            // Sums with many dues are in several parts.
            if last != Some(account) && book.of(account).is_some() {
                return None;
            }
            last = Some(account);
            book.put(SumsChange { account, merchant, currency, collected, dues }, None);
        }
        Some(book)
    }

    pub(crate) fn len(&self) -> usize {
        self.sums.len()
    }

    /// The sums of an account.
    pub(crate) fn of(&self, account: u32) -> Option<&MerchantSums> {
        let at = *self.at.get(account as usize)?;
        (at != NONE).then(|| &self.sums[at as usize])
    }

    /// Returns all sums; their order means nothing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &MerchantSums> {
        self.sums.iter()
    }

    /// Ascending by merchant and currency.
    pub(crate) fn ascending(&self) -> Vec<&MerchantSums> {
        let mut sums: Vec<&MerchantSums> = self.iter().collect();
        sums.sort_unstable_by_key(|sums| (sums.merchant, sums.currency));
        sums
    }

    /// Takes a block's change of one account's sums.
    pub(crate) fn put(&mut self, change: SumsChange, copy: Option<&mut SumsCopy>) {
        let SumsChange { account, merchant, currency, collected, dues } = change;
        let place = account as usize;
        if self.at.len() <= place {
            self.at.resize(place + 1, NONE);
        }
        let found = &mut self.at[place];
        if *found == NONE {
            let next = u32::try_from(self.sums.len()).ok().filter(|next| *next != NONE);
            assert!(next.is_some(), "a window with 2^32 sums");
            *found = next.unwrap_or_default();
            self.accounts.push(account);
            self.sums.push(MerchantSums { merchant, currency, collected, dues: Vec::new() });
        } else if let Some(copy) = copy {
            copy.note(*found as usize, &self.sums[*found as usize]);
        }
        let sums = &mut self.sums[*found as usize];
        sums.collected = collected;
        dues.into_iter().for_each(|(key, due)| sums.put_due(key, due));
    }

    /// Begins again without sums; gives those that there were.
    pub(crate) fn clear(&mut self) -> Chunked<MerchantSums> {
        for account in self.accounts.drain(..) {
            self.at[account as usize] = NONE;
        }
        std::mem::replace(&mut self.sums, Chunked::new())
    }
}

/// The copy of all sums of a window: see [`crate::copying`].
#[derive(Debug, Default)]
pub(crate) struct SumsCopy {
    /// The number of sums that were there when the copy began.
    count: usize,
    next: usize,
    /// The number of dues of the next sums that are copied already.
    dues_done: usize,
    /// Sums from there on as they were, if they changed since.
    before: BTreeMap<usize, MerchantSums>,
    /// All of them, if their window has closed since.
    closed: Option<Chunked<MerchantSums>>,
}

impl SumsCopy {
    pub(crate) fn of(book: &SumsBook) -> Self {
        Self { count: book.len(), ..Self::default() }
    }

    /// Sums are about to change. The first ones count, and those of the window that was copied.
    fn note(&mut self, at: usize, was: &MerchantSums) {
        if self.closed.is_none() && (self.next..self.count).contains(&at) {
            self.before.entry(at).or_insert_with(|| was.clone());
        }
    }

    /// The window has closed with these sums.
    pub(crate) fn note_closed(&mut self, sums: Chunked<MerchantSums>) {
        if self.closed.is_none() && self.next < self.count {
            self.closed = Some(sums);
        }
    }

    /// Puts the next section; says whether it is the last, which is empty. Sums with many dues are
    /// put in parts, so that no section is long.
    pub(crate) fn put(&mut self, live: &SumsBook, bytes: &mut Vec<u8>) -> bool {
        let (mut parts, mut room) = (Vec::new(), SECTION_ITEMS);
        let live = self.closed.as_ref().unwrap_or(&live.sums);
        while room > 0 && self.next < self.count {
            let sums = self.before.get(&self.next).unwrap_or(&live[self.next]);
            let rest = &sums.dues[self.dues_done..];
            let (now, later) = rest.split_at(rest.len().min(room));
            parts.push(MerchantSums {
                merchant: sums.merchant,
                currency: sums.currency,
                collected: sums.collected,
                dues: now.to_vec(),
            });
            room -= now.len().max(1);
            if later.is_empty() {
                self.before.remove(&self.next);
                (self.next, self.dues_done) = (self.next + 1, 0);
            } else {
                self.dues_done += now.len();
            }
        }
        if self.next >= self.count {
            self.closed = None;
        }
        put_section(bytes, &parts);
        parts.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chain_types::{Amount, ParticipantId, TimeMs};
    use proptest::prelude::*;

    use super::*;
    use crate::sections::Reader;

    fn key(account: u32, accepted: u64) -> DueKey {
        let (merchant, currency) = (MerchantId::new(u64::from(account)), Currency::new(156));
        let (accepted, collected) = (TimeMs::new(accepted), TimeMs::new(9));
        DueKey { merchant, currency, accepted, collected, is_cross_border: false }
    }

    /// The change of an account's sums: its due time and what is left then.
    fn change(account: u32, accepted: u64, amount: u64) -> SumsChange {
        let (gateway, deadline) = (ParticipantId::new(1), TimeMs::new(10));
        let due = Due { amount: Amount::new(amount), order_count: 1, gateway, deadline };
        SumsChange {
            account,
            merchant: MerchantId::new(u64::from(account)),
            currency: Currency::new(156),
            collected: Collected { amount: Amount::new(amount), order_count: accepted },
            dues: vec![(key(account, accepted), due)],
        }
    }

    fn all(book: &SumsBook) -> Vec<MerchantSums> {
        book.ascending().into_iter().cloned().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 32,
            failure_persistence: None,
            ..Default::default()
        })]

        /// Whatever changes between the sections, and though the window closes: the copy is of the
        /// sums as they were.
        #[test]
        fn a_copy_is_of_the_sums_as_they_were(
            began in prop::collection::vec((0_u32..900, 0_u64..40, 1_u64..9), 0..4_000),
            steps in prop::collection::vec(
                prop::collection::vec((0_u32..1_200, 0_u64..40, 0_u64..9), 0..600),
                1..9,
            ),
            closes in 0_usize..12,
        ) {
            let mut book = SumsBook::new();
            for (account, accepted, amount) in began {
                book.put(change(account, accepted, amount), None);
            }
            let were = all(&book);
            let (mut copy, mut bytes, mut is_done) = (SumsCopy::of(&book), Vec::new(), false);
            for (at, step) in steps.into_iter().chain(vec![Vec::new(); 40]).enumerate() {
                if at == closes {
                    copy.note_closed(book.clear());
                }
                for (account, accepted, amount) in step {
                    book.put(change(account, accepted, amount), Some(&mut copy));
                }
                is_done = is_done || copy.put(&book, &mut bytes);
            }
            prop_assert!(is_done);
            let parts = Reader::new(&bytes).list().unwrap();
            let account_of = |sums: &MerchantSums| u32::try_from(sums.merchant.get()).ok();
            let restored = SumsBook::restored(parts, account_of).unwrap();
            prop_assert!(all(&restored) == were);
        }
    }

    #[test]
    fn sums_without_their_account_or_in_two_places_are_damaged() {
        let part = |account: u32| {
            let SumsChange { merchant, currency, collected, dues, .. } = change(account, 1, 1);
            MerchantSums { merchant, currency, collected, dues }
        };
        let account_of = |sums: &MerchantSums| u32::try_from(sums.merchant.get()).ok();
        assert!(SumsBook::restored(vec![part(1), part(1), part(2)], account_of).is_some());
        assert!(SumsBook::restored(vec![part(1), part(2), part(1)], account_of).is_none());
        assert!(SumsBook::restored(vec![part(1)], |_| None).is_none());
    }
}
