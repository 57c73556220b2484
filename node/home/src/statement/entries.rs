//! The entries of an account about an operation.

use chain_state::{AccountEntry, AccountKey, EntryCause};
use chain_store::{ChainStore, PAGE_ITEMS_MAX};
use chain_types::{Amount, Height, InstructionId, RecordCursor};

use super::StatementFault;

/// The entries of an account in a block.
fn of_block(
    store: &dyn ChainStore,
    key: &AccountKey,
    height: Height,
) -> Result<Vec<AccountEntry>, StatementFault> {
    // The cursor of the block before: this block's first entry may be wanted.
    let before = height.previous().unwrap_or_default();
    let mut after = RecordCursor::last_of(before);
    let mut found = Vec::new();
    loop {
        let page = store.account_entries(key, Some(after), PAGE_ITEMS_MAX)?;
        found.extend(page.iter().take_while(|entry| entry.height == height).copied());
        match page.last() {
            Some(last) if last.height == height => {
                after = last.cursor();
            }
            _ => return Ok(found),
        }
    }
}

/// Returns the sum that an operation about an instruction credited to an account in a block: a
/// bounce, to the merchant's.
pub(crate) fn credited_by(
    store: &dyn ChainStore,
    key: &AccountKey,
    height: Height,
    instruction: InstructionId,
) -> Result<Amount, StatementFault> {
    let entries = of_block(store, key, height)?;
    let cause = EntryCause::Instruction(instruction);
    let found = entries.iter().find(|entry| entry.cause == cause && entry.credits_posted > 0);
    Ok(Amount::new(
        found.map_or(0, |entry| u64::try_from(entry.credits_posted).unwrap_or(u64::MAX)),
    ))
}
