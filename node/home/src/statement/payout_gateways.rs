//! The gateway that paid each merchant at each height: the genesis file's, then governance's.

use std::collections::BTreeMap;

use chain_state::ProposalStatus;
use chain_store::{ChainStore, PAGE_ITEMS_MAX};
use chain_types::{ChainGenesis, Change, Height, MerchantId, ParticipantId, ProposalId};

use super::StatementFault;

/// The changes of merchants' gateways that took effect.
pub(super) struct PayoutGateways {
    /// By merchant: the first height under each change, ascending.
    changes: BTreeMap<MerchantId, Vec<(Height, ParticipantId)>>,
}

impl PayoutGateways {
    /// Reads the changes from the index.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(store: &dyn ChainStore) -> Result<Self, StatementFault> {
        let mut changes: BTreeMap<_, Vec<(Height, Height, ProposalId, ParticipantId)>> =
            BTreeMap::new();
        let mut before = None;
        loop {
            let page = store.proposals(before, PAGE_ITEMS_MAX)?;
            for record in &page {
                if let Change::Merchant(merchant) = &record.change
                    && record.status == ProposalStatus::Effective
                {
                    let since = record.status_height.next();
                    let gateway = merchant.payout_gateway;
                    let change = (since, record.due, record.id, gateway);
                    changes.entry(merchant.id).or_default().push(change);
                }
            }
            before = page.last().map(|record| record.id);
            if page.len() < PAGE_ITEMS_MAX {
                break;
            }
        }
        // Changes of one block take effect in the order of the heights that they are due at, then
        // of their ids.
        let ascending = |mut found: Vec<(Height, Height, ProposalId, ParticipantId)>| {
            found.sort_unstable();
            found.into_iter().map(|(since, _, _, gateway)| (since, gateway)).collect()
        };
        let changes = changes.into_iter().map(|(id, found)| (id, ascending(found))).collect();
        Ok(Self { changes })
    }

    /// Returns the gateway that paid a merchant in the block of a height.
    pub fn at(
        &self,
        genesis: &ChainGenesis,
        merchant: MerchantId,
        height: Height,
    ) -> Option<ParticipantId> {
        let changes = self.changes.get(&merchant);
        let changed = changes
            .and_then(|changes| changes.iter().rev().find(|(since, _)| *since <= height))
            .map(|(_, gateway)| *gateway);
        let first = || genesis.merchants.iter().find(|found| found.id == merchant);
        changed.or_else(|| first().map(|found| found.payout_gateway))
    }
}
