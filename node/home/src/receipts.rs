//! Making receipts: the blocks that hold an order's operations, with the keys that held at them.

use chain_state::{
    AccountKey, EntryCause, InstructionRecord, InstructionStatus, Location, OrderRecord,
    OrderStatus,
};
use chain_store::{ChainStore as _, PAGE_ITEMS_MAX};
use chain_types::receipt::RECEIPT_MAGIC;
use chain_types::{
    BatchKind, Decision, Height, HoldDecisionItem, Inclusion, Lineage, OrderId, Outcome,
    PROOF_BYTES_MAX, ProofTooLarge, Provable, Receipt, RechargeItem, RecordCursor, codec,
};
use zerocopy::FromBytes as _;

use crate::archive::{self, ReadFault};
use crate::keys::genesis_parties;
use crate::orders::Orders;

/// The operations that brought an order from its submission into the books.
#[derive(Default)]
struct Steps {
    release: Option<Location>,
    collection: Option<Location>,
}

impl Orders {
    /// The receipt of an order with this record, without a lineage.
    ///
    /// # Errors
    /// When the store cannot be read, or its returns are more than anyone reads.
    pub(super) fn make_receipt(
        &self,
        id: OrderId,
        record: &OrderRecord,
        item: &RechargeItem,
        instruction: Option<&InstructionRecord>,
    ) -> Result<Receipt, ReadFault> {
        let steps = self.steps(id, record, item)?;
        let include = |step: Option<Location>| step.map(|at| self.include(at)).transpose();
        let arrival = match instruction.map(|instruction| instruction.status) {
            Some(InstructionStatus::Arrived { location, .. }) => Some(location),
            _ => None,
        };
        Ok(Receipt {
            magic: RECEIPT_MAGIC,
            order: self.include(record.location)?,
            collection: include(steps.collection)?,
            release: include(steps.release)?,
            arrival: include(arrival)?,
            returns: self.included_returns(id)?,
            lineage: Lineage::default(),
        })
    }

    /// All returns of an order, or the fault that they are more than a receipt holds: one that left
    /// some out would say less than the truth.
    fn included_returns(&self, id: OrderId) -> Result<Vec<Inclusion>, ReadFault> {
        let (mut returns, mut bytes) = (Vec::new(), 0);
        let mut after = None;
        loop {
            let page = self.store.returns(&id, after, PAGE_ITEMS_MAX)?;
            for back in &page {
                let included = self.include(back.location)?;
                bytes += codec::encode(&included).len();
                if bytes > PROOF_BYTES_MAX {
                    return Err(ProofTooLarge { bytes, lineage_bytes: 0 }.into());
                }
                returns.push(included);
            }
            after = page.last().map(|back| back.sequence);
            if page.len() < PAGE_ITEMS_MAX {
                return Ok(returns);
            }
        }
    }

    fn steps(
        &self,
        id: OrderId,
        record: &OrderRecord,
        item: &RechargeItem,
    ) -> Result<Steps, ReadFault> {
        let is_in_books = matches!(
            record.status,
            OrderStatus::Reserved | OrderStatus::Debiting | OrderStatus::Collected
        );
        if !is_in_books || record.status_location == record.location {
            return Ok(Steps::default());
        }
        let last = Some(record.status_location);
        let step = archive::item(&self.store, record.status_location)?;
        if step.kind == BatchKind::HoldDecision {
            return Ok(Steps { release: last, collection: None });
        }
        let was_held = record.outcome == Outcome::HELD;
        let release = if was_held { self.release(id, record, item)? } else { None };
        let collection = last.filter(|_| record.status == OrderStatus::Collected);
        Ok(Steps { release, collection })
    }

    /// The decision that let a held order go which was collected later. Its block is found by the
    /// entry of the collecting gateway's account that it caused.
    fn release(
        &self,
        id: OrderId,
        record: &OrderRecord,
        item: &RechargeItem,
    ) -> Result<Option<Location>, ReadFault> {
        let account = AccountKey::liquidity(item.collecting_gateway(), item.currency());
        let Some(before) = record.location.height.previous() else { return Ok(None) };
        let mut after = RecordCursor::last_of(before);
        loop {
            let entries = self.store.account_entries(&account, Some(after), PAGE_ITEMS_MAX)?;
            let of_order = entries.iter().find(|entry| entry.cause == EntryCause::Order(id));
            if let Some(entry) = of_order {
                return self.release_in(id, entry.height);
            }
            match entries.last() {
                Some(last) if last.height <= record.status_height => {
                    after = last.cursor();
                }
                _ => return Ok(None),
            }
        }
    }

    /// The decision in the block of a height that let the order go.
    fn release_in(&self, id: OrderId, height: Height) -> Result<Option<Location>, ReadFault> {
        let inconsistent = |what| ReadFault::Inconsistent { what, height };
        let payload = self.store.payload(height)?.ok_or_else(|| inconsistent("batches"))?;
        let outcomes = self.store.outcomes(height)?.ok_or_else(|| inconsistent("outcomes"))?;
        for ((batch, bytes), codes) in (0_u32..).zip(&payload).zip(&outcomes) {
            for (item, outcome) in (0_u32..).zip(codes) {
                let (header, item_bytes) =
                    archive::item_of(bytes, item).ok_or_else(|| inconsistent("an item"))?;
                if header.kind != BatchKind::HoldDecision.number() {
                    break;
                }
                let decided = HoldDecisionItem::read_from_bytes(item_bytes)
                    .map_err(|_| inconsistent("a decision"))?;
                let is_release = decided.decision.get() == Decision::Approve.number();
                if is_release && outcome.is_applied() && decided.order_id() == id {
                    return Ok(Some(Location { height, batch, item }));
                }
            }
        }
        Ok(None)
    }

    fn include(&self, location: Location) -> Result<Inclusion, ReadFault> {
        let Location { height, batch, item } = location;
        let inconsistent = |what| ReadFault::Inconsistent { what, height };
        let committed = self.store.block(height)?.ok_or_else(|| inconsistent("a block"))?;
        let outcomes = self.store.outcomes(height)?.ok_or_else(|| inconsistent("outcomes"))?;
        let bytes =
            self.store.batch_bytes(height, batch)?.ok_or_else(|| inconsistent("a batch"))?;
        let registry = self.store.registry_at(height)?;
        let parties =
            registry.map_or_else(|| genesis_parties(&self.genesis), |registry| registry.parties);
        let provable = Provable {
            block: &committed.block,
            certificate: &committed.certificate,
            outcomes: &outcomes,
            parties: &parties,
        };
        provable.include(batch, &bytes, item).ok_or_else(|| inconsistent("an item"))
    }
}
