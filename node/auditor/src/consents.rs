//! Section 10, what was told as collected: the words of the other side that let a collecting
//! gateway reverse an order.

use std::collections::BTreeMap;

use chain_types::{ConsentItem, OrderId, Outcome, ParticipantId, Rejection, Roles};

use crate::auditor::{Auditor, Verdict};
use crate::orders::{Collection, Order, check_form, refuse_if};

/// To how many orders of one window a party consents.
const ORDERS_MAX: usize = 10_000;

/// By party and order, how much may have gone back in all.
pub(crate) type Consents = BTreeMap<ParticipantId, BTreeMap<OrderId, u64>>;

impl Auditor {
    /// Judges a `consent` by its rules, and applies it.
    pub(crate) fn consent(&mut self, item: &ConsentItem, party: ParticipantId) -> Verdict {
        let (id, most) = (item.order_id(), item.amount.get());
        check_form(id.is_uuid_v7(), &item.spare)?;
        refuse_if(most == 0, Rejection::AmountZero)?;
        let order = self.orders.get(id).ok_or(Rejection::OrderUnknown)?;
        let collection = order.collection.ok_or(Rejection::OrderNotCollected)?;
        refuse_if(collection.height == self.height, Rejection::OrderFresh)?;
        refuse_if(collection.window != self.windows.open_id(), Rejection::ConsentClosed)?;
        let is_party = self.other_side(order).contains(&party);
        refuse_if(!is_party, Rejection::NotConsentParty)?;
        refuse_if(most > order.amount(), Rejection::ReturnExceeded)?;
        let words = self.consents.entry(party).or_default();
        match words.get(&id) {
            Some(before) if *before == most => return Ok(Outcome::REPEATED),
            Some(before) => refuse_if(*before > most, Rejection::ConsentHigher)?,
            None => refuse_if(words.len() >= ORDERS_MAX, Rejection::ConsentsTooMany)?,
        }
        words.insert(id, most);
        Ok(Outcome::APPLIED)
    }

    /// 330: the collecting gateway's house takes back what was told as collected.
    pub(crate) fn check_reversal(
        &self,
        order: &Order,
        collection: Collection,
        submitter: ParticipantId,
        amount: u64,
    ) -> Result<(), Rejection> {
        let collecting = ParticipantId::new(order.gateway());
        if !self.registry.are_one(submitter, collecting) {
            return Ok(());
        }
        let grace_ms = self.grace_at(collection.time);
        if self.time <= collection.time.saturating_add(grace_ms) {
            return Ok(());
        }
        let id = order.item.order_id();
        let words = |party: &ParticipantId| self.consents.get(party)?.get(&id);
        let most = self.other_side(order).iter().filter_map(words).max().copied();
        let gone = order.returned.saturating_add(amount);
        refuse_if(gone > order.amount(), Rejection::ReturnExceeded)?;
        refuse_if(most.is_none_or(|most| gone > most), Rejection::ReversalUnagreed)
    }

    /// Returns the parties that may let the collecting gateway reverse an order: its submitter and
    /// its merchant's payer, if they may speak and are of another legal entity.
    fn other_side(&self, order: &Order) -> Vec<ParticipantId> {
        let collecting = ParticipantId::new(order.gateway());
        let payer = self.registry.payout_gateway(order.item.merchant());
        let mut parties = vec![order.submitter, payer];
        parties.retain(|party| {
            let may_speak = self.registry.is_active(*party, Roles::GATEWAY)
                || self.registry.is_active(*party, Roles::RECHARGE_SERVICE);
            may_speak && !self.registry.are_one(*party, collecting)
        });
        parties
    }
}
