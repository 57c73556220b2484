//! The chain's changes of validators, read from the store once each: what lineages are made from.

use std::sync::{PoisonError, RwLock};

use chain_store::{ChainStore as _, PAGE_ITEMS_MAX, Store};
use chain_types::{ChainGenesis, Handovers, Height, ValidatorSet};

use crate::archive::ReadFault;

/// The changes up to the highest block that anybody asked about. They stay in memory: about a
/// kilobyte a change in a network of four validators. Only governance makes one.
#[derive(Default)]
pub struct Lineages {
    kept: RwLock<Option<Kept>>,
}

struct Kept {
    handovers: Handovers,
    /// All registries that hold from this height or an earlier one were looked at.
    until: Height,
}

impl Lineages {
    /// Returns the result of `read` over the changes up to the block of `last`, a committed one.
    ///
    /// # Errors
    /// When the store cannot be read, or its registries do not follow from one another.
    pub fn read<T>(
        &self,
        store: &Store,
        genesis: &ChainGenesis,
        last: Height,
        read: impl FnOnce(&Handovers) -> T,
    ) -> Result<T, ReadFault> {
        {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = kept.as_ref().filter(|kept| kept.until >= last) {
                return Ok(read(&kept.handovers));
            }
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_or_insert_with(|| Kept {
            handovers: Handovers::new(genesis),
            until: Height::new(0),
        });
        kept.extend(store, last)?;
        Ok(read(&kept.handovers))
    }
}

impl Kept {
    fn extend(&mut self, store: &Store, last: Height) -> Result<(), ReadFault> {
        while self.until < last {
            let page = store.registries(Some(self.until), PAGE_ITEMS_MAX)?;
            let goes_on = page.len() == PAGE_ITEMS_MAX;
            let before = self.until;
            for registry in page.into_iter().take_while(|registry| registry.since <= last) {
                self.push(store, registry.since, registry.validators)?;
                self.until = registry.since;
            }
            if !goes_on || self.until == before {
                self.until = last;
            }
        }
        Ok(())
    }

    /// Keeps a change to validators who decide from the block of `since` on, if it is one.
    fn push(
        &mut self,
        store: &Store,
        since: Height,
        validators: ValidatorSet,
    ) -> Result<(), ReadFault> {
        if self.handovers.last() == &validators {
            return Ok(());
        }
        let inconsistent =
            || ReadFault::Inconsistent { what: "a change of validators", height: since };
        let before = since.previous().map(|before| store.block(before)).transpose()?;
        let committed = before.flatten().ok_or_else(inconsistent)?;
        let (header, certificate) = (committed.block.header, committed.certificate);
        let follows = self.handovers.push(header, certificate, validators);
        if follows { Ok(()) } else { Err(inconsistent()) }
    }
}
