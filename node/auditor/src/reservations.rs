//! Section 4, reservations: debiting, collect, void, expire.

use chain_types::{
    CollectItem, DebitingItem, OrderId, Outcome, ParticipantId, Rejection, VoidItem, VoidReason,
};

use crate::auditor::{Auditor, Verdict};
use crate::orders::{Order, Status, check_form, refuse_if};

/// The span of id times that are forgotten together.
const SLICE_MS: u64 = 10_000;

impl Auditor {
    /// Judges a `debiting` by its rules, and applies it.
    pub(crate) fn debiting(&mut self, item: &DebitingItem, submitter: ParticipantId) -> Verdict {
        check_form(item.order_id().is_uuid_v7(), &item.spare)?;
        let order = self.remembered(item.order_id())?;
        if order.status == Status::Debiting {
            return Ok(Outcome::REPEATED);
        }
        check_reserved(&order)?;
        refuse_if(submitter.get() != order.gateway(), Rejection::NotCollectingGateway)?;
        self.orders.keep(Order { status: Status::Debiting, ..order });
        Ok(Outcome::APPLIED)
    }

    /// Judges a `collect` by its rules, and applies it.
    pub(crate) fn collect(&mut self, item: &CollectItem, submitter: ParticipantId) -> Verdict {
        check_form(item.order_id().is_uuid_v7(), &item.spare)?;
        let mut order = self.remembered(item.order_id())?;
        if order.status == Status::Collected {
            return Ok(Outcome::REPEATED);
        }
        check_reserved(&order)?;
        let is_party = submitter.get() == order.gateway();
        refuse_if(!is_party, Rejection::NotCollectingGateway)?;
        self.check_window_sum(&order)?;
        order.movements().into_iter().for_each(|movement| self.books.post_reserved(movement));
        self.free_lines(&order);
        let outcome = self.collected(&mut order);
        self.clock_collection(&order);
        self.orders.keep(order);
        Ok(outcome)
    }

    /// Judges a `void` by its rules, and applies it.
    pub(crate) fn void(&mut self, item: &VoidItem, submitter: ParticipantId) -> Verdict {
        check_form(item.order_id().is_uuid_v7(), &item.spare)?;
        let order = self.remembered(item.order_id())?;
        if order.status == Status::Voided {
            return Ok(Outcome::REPEATED);
        }
        check_reserved(&order)?;
        let is_party = submitter == order.submitter || submitter.get() == order.gateway();
        refuse_if(!is_party, Rejection::NotOrderParty)?;
        let is_too_late = order.status == Status::Debiting && submitter.get() != order.gateway();
        refuse_if(is_too_late, Rejection::OrderDebiting)?;
        let reason = VoidReason::from_number(item.reason.get());
        refuse_if(reason.is_none(), Rejection::ReasonUnknown)?;
        self.free(order, Status::Voided);
        Ok(Outcome::APPLIED)
    }

    /// Reservations and held orders past their time, at the start of a block.
    pub(crate) fn expire_orders(&mut self) {
        while let Some((until, id)) = self.orders.waiting.first().copied() {
            if self.time <= until {
                return;
            }
            let order = match self.orders.get(id) {
                Some(order) => order.clone(),
                None => unreachable!("order {id} waits and is not known"),
            };
            match order.status {
                Status::Held => self.orders.keep(Order { status: Status::Refused, ..order }),
                _ => {
                    self.clock_expiry(&order);
                    self.free(order, Status::Expired);
                }
            }
        }
    }

    /// An order that a block still knows: ids leave by slices of their time, measured from the
    /// time of the block before.
    pub(crate) fn remembered(&self, id: OrderId) -> Result<Order, Rejection> {
        let validity_ms = self.registry.parameters.order_validity_ms;
        let first_slice = self.time_before.saturating_sub(validity_ms) / SLICE_MS;
        let is_known = id.time().get() / SLICE_MS >= first_slice;
        if let Some(order) = self.orders.get(id).filter(|_| is_known) {
            return Ok(order.clone());
        }
        refuse_if(!self.is_within_validity(id.time()), Rejection::OrderTooOld)?;
        Err(Rejection::OrderUnknown)
    }

    /// Lets go what is pending, and what it used of lines, of a quote and of limits.
    fn free(&mut self, order: Order, status: Status) {
        order.movements().into_iter().for_each(|movement| self.books.release(movement));
        self.free_lines(&order);
        self.free_quote(&order);
        self.free_limits(&order);
        self.orders.keep(Order { status, ..order });
    }
}

/// 301 to 309: only a reservation is collected or voided.
fn check_reserved(order: &Order) -> Result<(), Rejection> {
    match order.status {
        Status::Reserved | Status::Debiting => Ok(()),
        Status::Rejected => Err(Rejection::OrderRejected),
        Status::Collected => Err(Rejection::OrderCollected),
        Status::Voided => Err(Rejection::OrderVoided),
        Status::Expired => Err(Rejection::OrderExpired),
        Status::Held => Err(Rejection::OrderHeld),
        Status::Refused => Err(Rejection::OrderRefused),
    }
}
