//! Making receipts: the blocks that hold an order's operations, with the keys that held at them and
//! the changes of validators that lead to them.

use chain_state::{
    AccountKey, EntryCause, InstructionRecord, InstructionStatus, Location, OrderRecord,
    OrderStatus,
};
use chain_store::{ChainStore as _, EntryCursor, PAGE_ITEMS_MAX};
use chain_types::lineage::{Handover, Lineage};
use chain_types::receipt::{RECEIPT_BYTES_MAX, RECEIPT_MAGIC};
use chain_types::{
    BatchKind, Decision, Height, HoldDecisionItem, Inclusion, OrderId, Outcome, Provable, Receipt,
    RechargeItem, codec,
};
use zerocopy::FromBytes as _;

use super::archive::{self, ReadFault};
use super::keys::genesis_parties;
use super::orders::Orders;

/// The operations that brought an order from its submission into the books.
#[derive(Default)]
struct Steps {
    release: Option<Location>,
    collection: Option<Location>,
}

impl Orders {
    /// The receipt of an order with this record.
    ///
    /// # Errors
    /// When the store cannot be read, or the receipt would be longer than anyone reads.
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
        let returned = self.store.returns(&id, None, PAGE_ITEMS_MAX)?;
        let mut receipt = Receipt {
            magic: RECEIPT_MAGIC,
            order: self.include(record.location)?,
            collection: include(steps.collection)?,
            release: include(steps.release)?,
            arrival: include(arrival)?,
            returns: (returned.iter())
                .map(|back| self.include(back.location))
                .collect::<Result<_, _>>()?,
            lineage: Lineage::default(),
        };
        let last = inclusions(&receipt).map(|inclusion| inclusion.header.height).max();
        receipt.lineage = self.lineage(last.unwrap_or_default())?;
        let bytes = codec::encode(&receipt).len();
        if bytes > RECEIPT_BYTES_MAX {
            return Err(ReadFault::ReceiptTooLarge { order: id, bytes });
        }
        Ok(receipt)
    }

    fn steps(
        &self,
        id: OrderId,
        record: &OrderRecord,
        item: &RechargeItem,
    ) -> Result<Steps, ReadFault> {
        let is_in_books = matches!(record.status, OrderStatus::Reserved | OrderStatus::Collected);
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
        Ok(Steps { release, collection: last })
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
        let mut after = EntryCursor { height: before, sequence: u32::MAX };
        loop {
            let entries = self.store.account_entries(&account, Some(after), PAGE_ITEMS_MAX)?;
            let of_order = entries.iter().find(|entry| entry.cause == EntryCause::Order(id));
            if let Some(entry) = of_order {
                return self.release_in(id, entry.height);
            }
            match entries.last() {
                Some(last) if last.height <= record.status_height => {
                    after = EntryCursor { height: last.height, sequence: last.sequence };
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

    /// The changes of validators from the genesis file to the block of `last`.
    pub(super) fn lineage(&self, last: Height) -> Result<Lineage, ReadFault> {
        let mut handovers = Vec::new();
        let mut validators = self.genesis.validators();
        let mut after = None;
        loop {
            let page = self.store.registries(after, PAGE_ITEMS_MAX)?;
            let is_last = page.len() < PAGE_ITEMS_MAX;
            for registry in page {
                if registry.since > last {
                    return Ok(Lineage(handovers));
                }
                after = Some(registry.since);
                if registry.validators != validators {
                    validators = registry.validators.clone();
                    handovers.push(self.handover(registry.since, registry.validators)?);
                }
            }
            if is_last {
                return Ok(Lineage(handovers));
            }
        }
    }

    /// The change to the validators who decide from the block of `since` on.
    fn handover(
        &self,
        since: Height,
        validators: chain_types::ValidatorSet,
    ) -> Result<Handover, ReadFault> {
        let inconsistent =
            ReadFault::Inconsistent { what: "a change of validators", height: since };
        let before = since.previous().map(|before| self.store.block(before)).transpose()?;
        let committed = before.flatten().ok_or(inconsistent)?;
        let (header, certificate) = (committed.block.header, committed.certificate);
        Ok(Handover { header, certificate, validators })
    }
}

fn inclusions(receipt: &Receipt) -> impl Iterator<Item = &Inclusion> {
    let Receipt { order, collection, release, arrival, returns, .. } = receipt;
    [Some(order), collection.as_ref(), release.as_ref(), arrival.as_ref()]
        .into_iter()
        .flatten()
        .chain(returns)
}
