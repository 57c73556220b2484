//! What an order asks of its merchant, small and found by hash: the record itself has names and
//! stands in an ordered map. It follows from the records, and so is in no digest and no checkpoint.

use std::collections::BTreeMap;

use ahash::RandomState;
use chain_types::{Currency, MerchantId, ParticipantId};

use crate::positions::Positions;
use crate::records::{MerchantRecord, ProgrammeRecord};

/// The facts about a merchant that an order needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payee {
    /// The gateway that pays it.
    pub payout_gateway: ParticipantId,
    /// True if new orders for it are refused.
    pub is_suspended: bool,
    /// True if it ever had a cashback programme.
    pub has_programme: bool,
}

/// The payees of all merchants, found by hash.
#[derive(Debug, Clone)]
pub(crate) struct Payees {
    /// Each with whether it is registered: a programme alone makes no merchant.
    all: Vec<(MerchantId, Payee, bool)>,
    at: Positions,
    hashing: RandomState,
}

impl Payees {
    pub(crate) fn new(hashing: RandomState) -> Self {
        Self { all: Vec::new(), at: Positions::default(), hashing }
    }

    pub(crate) fn get(&self, id: MerchantId) -> Option<Payee> {
        self.find(self.hash(id), id)
    }

    fn hash(&self, id: MerchantId) -> u64 {
        self.hashing.hash_one(id.get())
    }

    fn find(&self, hash: u64, id: MerchantId) -> Option<Payee> {
        let at = self.at.find(hash, |at| self.all[at].0 == id)?;
        registered(&self.all[at])
    }

    /// Looks merchants up together: first all hashes, then all places, then all merchants.
    pub(crate) fn expect(&self, ids: &[MerchantId]) -> Vec<Option<Payee>> {
        let hashes: Vec<u64> = ids.iter().map(|id| self.hash(*id)).collect();
        let guesses: Vec<Option<usize>> =
            hashes.iter().map(|hash| self.at.find(*hash, |_| true)).collect();
        let found = |((id, hash), guess): ((&MerchantId, u64), Option<usize>)| {
            match self.all.get(guess?) {
                // The first whose hash looks the same is nearly always the right one.
                Some(entry) if entry.0 == *id => registered(entry),
                _ => self.find(hash, *id),
            }
        };
        ids.iter().zip(hashes).zip(guesses).map(found).collect()
    }

    /// Takes merchants and programmes as they are now. Neither is ever removed.
    pub(crate) fn follow<'a>(
        &mut self,
        merchants: impl Iterator<Item = &'a MerchantRecord>,
        programmes: impl Iterator<Item = &'a (MerchantId, Currency)>,
    ) {
        for MerchantRecord { merchant, .. } in merchants {
            let (_, payee, is_registered) = self.of(merchant.id);
            payee.payout_gateway = merchant.payout_gateway;
            payee.is_suspended = merchant.suspended;
            *is_registered = true;
        }
        for (merchant, _) in programmes {
            self.of(*merchant).1.has_programme = true;
        }
    }

    /// All merchants and programmes that there are.
    pub(crate) fn follow_all(
        &mut self,
        merchants: &BTreeMap<MerchantId, MerchantRecord>,
        programmes: &BTreeMap<(MerchantId, Currency), ProgrammeRecord>,
    ) {
        self.follow(merchants.values(), programmes.keys());
    }

    /// A merchant's entry; one that was not there is of nobody yet.
    fn of(&mut self, id: MerchantId) -> &mut (MerchantId, Payee, bool) {
        let (all, hashing, next) = (&self.all, &self.hashing, self.all.len());
        let hash_of = |at: usize| hashing.hash_one(all[at].0.get());
        let found = self.at.find_or_add(self.hash(id), next, |at| all[at].0 == id, hash_of);
        let at = found.unwrap_or(next);
        if at == next {
            let payout_gateway = ParticipantId::default();
            let payee = Payee { payout_gateway, is_suspended: false, has_programme: false };
            self.all.push((id, payee, false));
        }
        &mut self.all[at]
    }
}

fn registered((_, payee, is_registered): &(MerchantId, Payee, bool)) -> Option<Payee> {
    is_registered.then_some(*payee)
}
