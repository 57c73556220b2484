//! The sources of a day's close, and what every sheet asks of them.

use chain_state::{AccountKey, AccountKind, State};
use chain_store::ChainStore;
use chain_types::{BlockHeader, Currency, Height, MerchantId, ParticipantId, TimeMs};

use super::sheet::Cell;
use crate::statement::StatementFault;

/// The sources of a day's close.
pub(super) struct Closing<'a> {
    pub(super) store: &'a dyn ChainStore,
    pub(super) state: &'a State,
    /// The day's first block.
    pub(super) first: Height,
    /// Its last one; the block before the first when it has none.
    pub(super) last: Height,
    pub(super) ends: TimeMs,
}

pub(super) fn missing(what: &'static str, height: Height) -> StatementFault {
    StatementFault::Missing { what, height }
}

pub(super) fn header(
    store: &dyn ChainStore,
    height: Height,
) -> Result<BlockHeader, StatementFault> {
    let found = store.block(height)?.ok_or_else(|| missing("a block", height))?;
    Ok(found.block.header)
}

impl Closing<'_> {
    /// The block before the day.
    pub(super) fn before(&self) -> Height {
        self.first.previous().unwrap_or_default()
    }

    /// The window that was open after a block; window zero before the first one.
    pub(super) fn window_at(&self, height: Height) -> Result<u64, StatementFault> {
        if height.get() == 0 { Ok(0) } else { Ok(header(self.store, height)?.window.get()) }
    }

    pub(super) fn name_of(&self, kind: AccountKind, owner: u64) -> String {
        match kind {
            AccountKind::MerchantPayable | AccountKind::CashbackPool => {
                self.state.merchant(MerchantId::new(owner)).map(|found| found.name.clone())
            }
            _ if owner == 0 => Some("scheme".to_owned()),
            _ => return self.party(u32::try_from(owner).unwrap_or_default()),
        }
        .unwrap_or_default()
    }

    pub(super) fn party(&self, id: u32) -> String {
        let found = self.state.participant(ParticipantId::new(id));
        found.map(|found| found.name.clone()).unwrap_or_default()
    }

    /// Returns true if an account's nets are posted by a settlement; of others only the settled
    /// balance changes.
    pub(super) fn is_posted(key: &AccountKey) -> bool {
        matches!(key.kind, AccountKind::GatewayLiquidity | AccountKind::FxPosition)
    }
}

/// An account, as the first cells of a line name it.
pub(super) fn account_cells(key: &AccountKey) -> [Cell; 2] {
    [Cell::text(key.kind.name()), Cell::Number(key.owner)]
}

pub(super) fn of_currency(key: &AccountKey) -> Option<Currency> {
    Some(key.currency)
}
