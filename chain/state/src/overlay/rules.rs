//! The rules of the next block: governance decides it at the end of this one.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain_types::{Change, Currency, Digest, MerchantId, ParticipantId};

use super::Overlay;
use crate::records::{ListConcern, MerchantRecord, ProgrammeRecord, Record};
use crate::registry::{Registry, RegistryContent};
use crate::tables::ListKey;

/// A block's own change of a record: the record that it put, or `Some(None)` if it removed it.
/// `None` if the block left the record alone.
type BlocksOwn<T> = Option<Option<T>>;

/// The merchants and programmes of a block before it makes the changes of a list. It has the
/// block's own change of each record that the list names.
#[derive(Debug)]
pub struct BeforeList {
    merchants: Vec<(MerchantId, BlocksOwn<MerchantRecord>)>,
    programmes: Vec<((MerchantId, Currency), BlocksOwn<ProgrammeRecord>)>,
    merchants_paid: BTreeMap<ParticipantId, Option<u32>>,
    merchants_added: usize,
    programmes_added: usize,
}

/// Gives a key of a block's changes back what it had.
fn put_back<K: Ord, V>(changed: &mut BTreeMap<K, V>, key: K, before: Option<V>) {
    match before {
        Some(before) => changed.insert(key, before),
        None => changed.remove(&key),
    };
}

impl Overlay<'_> {
    /// Keeps what a list of changes of merchants and programmes may alter, for
    /// [`Self::take_list_back`].
    pub fn before_list(&self, changes: &[Change]) -> BeforeList {
        let (mut merchants, mut programmes) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::Programme(programme) => {
                    let key = (programme.merchant, programme.currency);
                    programmes.push((key, self.tables.programmes.get(&key).cloned()));
                }
                Change::Merchant(known) => {
                    merchants.push((known.id, self.tables.merchants.get(&known.id).cloned()));
                }
                Change::MerchantSuspended { merchant, .. } => {
                    merchants.push((*merchant, self.tables.merchants.get(merchant).cloned()));
                }
                _ => {}
            }
        }
        BeforeList {
            merchants,
            programmes,
            merchants_paid: self.tables.merchants_paid.clone(),
            merchants_added: self.merchants_added,
            programmes_added: self.programmes_added,
        }
    }

    /// Makes merchants and programmes what they were before a list.
    pub fn take_list_back(&mut self, before: BeforeList) {
        for (id, record) in before.merchants {
            put_back(&mut self.tables.merchants, id, record);
        }
        for (key, record) in before.programmes {
            put_back(&mut self.tables.programmes, key, record);
        }
        self.tables.merchants_paid = before.merchants_paid;
        self.merchants_added = before.merchants_added;
        self.programmes_added = before.programmes_added;
    }

    /// The registry that the next block executes under, as far as it is decided.
    pub fn next_registry(&self) -> &RegistryContent {
        self.registry.as_ref().map_or(self.state.registry(), |registry| &registry.content)
    }

    /// Replaces the registry that the next block executes under, by what `change` makes of it.
    pub fn replace_registry(&mut self, content: RegistryContent, change: Change) {
        let before = self.registry.as_deref().unwrap_or(&self.state.registry);
        self.registry = Some(Arc::new(before.changed(content)));
        self.registry_changes.push(change);
    }

    /// A merchant as the next block finds it, as far as that is decided.
    pub fn next_merchant(&self, id: MerchantId) -> Option<&MerchantRecord> {
        match self.tables.merchants.get(&id) {
            Some(changed) => changed.as_ref(),
            None => self.state.tables.merchants.get(&id),
        }
    }

    /// Returns the number of merchants that the next block finds, as far as that is decided.
    pub fn next_merchant_count(&self) -> usize {
        self.state.tables.merchants.len() + self.merchants_added
    }

    /// Returns the number of merchants that a gateway pays in the next block, as far as that is
    /// decided.
    pub fn next_merchants_paid(&self, gateway: ParticipantId) -> u32 {
        let known = match self.tables.merchants_paid.get(&gateway) {
            Some(changed) => changed.as_ref(),
            None => self.state.tables.merchants_paid.get(&gateway),
        };
        known.copied().unwrap_or_default()
    }

    /// Returns true if a list is about a party or legal entity, as far as that was worked out.
    pub fn is_list_about(&self, list: ListKey, concern: ListConcern) -> bool {
        let key = (list, concern);
        match self.tables.list_concerns.get(&key) {
            Some(changed) => changed.is_some(),
            None => self.state.tables.list_concerns.contains_key(&key),
        }
    }

    /// Adds or replaces a merchant for the next block.
    pub fn put_merchant(&mut self, record: MerchantRecord) {
        let id = record.merchant.id;
        let before = self.next_merchant(id).map(|known| known.merchant.payout_gateway);
        let after = record.merchant.payout_gateway;
        self.merchants_added += usize::from(before.is_none());
        if before != Some(after) {
            let is_paid = |count: u32| Some(count).filter(|count| *count > 0);
            if let Some(before) = before {
                let fewer = self.next_merchants_paid(before).saturating_sub(1);
                self.tables.merchants_paid.insert(before, is_paid(fewer));
            }
            let more = self.next_merchants_paid(after) + 1;
            self.tables.merchants_paid.insert(after, is_paid(more));
        }
        self.tables.merchants.insert(id, Some(record));
    }

    /// The number of a merchant's first programme in a currency: programmes are never removed.
    pub fn number_programme(&mut self) -> u32 {
        let number = self.state.tables.programmes.len() + self.programmes_added;
        self.programmes_added += 1;
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// The digest of the validators who decide the next block: what the header must say.
    pub fn next_validators_hash(&self) -> Digest {
        match &self.registry {
            Some(registry) => registry.validators_hash,
            None => self.state.registry_hashes().0,
        }
    }

    /// Leaves a record for readers if what it says has changed.
    pub(super) fn record_registry(&mut self) {
        let is_new = |registry: &&Arc<Registry>| !registry.has_record_of(&self.state.registry);
        if let Some(registry) = self.registry.as_ref().filter(is_new) {
            let record = registry.record(self.height.next());
            self.records.push(Record::Registry(record));
        }
    }
}
