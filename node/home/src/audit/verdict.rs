//! The independent auditor's verdict on a network's homes: the blocks of one home, and nothing
//! else, through the settlement rules a second time; then the balances that it works out against
//! the node's books, and all homes against each other.

use std::collections::BTreeSet;

use anyhow::Context as _;
use chain_store::{ChainStore as _, StoreOptions};
use chain_types::{ChainGenesis, Currency, Height};
use genesis::NodeFolder;
use node_auditor::{Auditor, PaymentStatus};
use serde::Serialize;

use super::{account_differences, audit_home};
use crate::opening::open_to_read;

/// The auditor's numbers of account kinds.
const MERCHANT_PAYABLE: u8 = 2;

/// The head of a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeadView {
    /// The name of the node.
    pub node: String,
    /// The height of its last block.
    pub height: u64,
    /// The digest of the state that its blocks give.
    pub state_digest: String,
}

/// The verdict of the independent auditor.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// True if nothing is found and all is equal.
    pub is_well: bool,
    /// Blocks that are as the rules say.
    pub blocks: u64,
    /// Items whose outcome is as the rules say.
    pub items: u64,
    /// The first thing that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Accounts whose counters were compared.
    pub accounts: usize,
    /// Those that differ, the first of them.
    pub differences: Vec<String>,
    /// The heads of the nodes' homes.
    pub heads: Vec<HeadView>,
    /// True if all have the same blocks, and the state that these say.
    pub digests_equal: bool,
}

/// The merchants' books by the auditor's reckoning, in one currency and minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Takings {
    /// Orders collected in it.
    pub orders: u64,
    /// The sum collected from users.
    pub collected: u128,
    /// Cashback that users got.
    pub cashback: u128,
    /// The sum that windows' instructions told gateways to pay.
    pub instructed: u128,
    /// Of it, what arrived.
    pub arrived: u128,
    /// The sum that merchants were ever owed.
    pub owed: u128,
    /// The sum that they are still owed.
    pub left: i128,
}

/// Audits the first of `nodes`' homes and compares all. No node may run. `watch` is called with the
/// last height, and returns what learns of each height.
///
/// # Errors
/// When a home cannot be read.
pub fn of_network<W: Fn(Height)>(
    nodes: &[NodeFolder],
    genesis: &ChainGenesis,
    watch: impl FnOnce(Height) -> W,
) -> anyhow::Result<(Verdict, Auditor)> {
    let mut homes = Vec::new();
    for node in nodes {
        let opened = open_to_read(&node.home, genesis, StoreOptions::default());
        let (store, state) = opened.with_context(|| format!("the home of {}", node.name))?;
        homes.push((node.name.clone(), store, state));
    }
    let (_, store, state) = homes.first().context("no home to audit")?;
    let audited = audit_home(store, genesis, state.height(), &watch(state.height()))?;
    let differences = account_differences(&audited.auditor, state);
    let common = homes.iter().map(|(.., state)| state.height()).min().unwrap_or_default();
    let mut blocks = BTreeSet::new();
    let (mut heads, mut states_as_said) = (Vec::new(), true);
    for (node, store, state) in &homes {
        let at = |height| -> anyhow::Result<_> {
            Ok(store.block(height)?.context("a block is missing")?.block)
        };
        blocks.insert(at(common)?.hash().to_string());
        states_as_said &= at(state.height())?.header.state_digest == state.digest();
        heads.push(HeadView {
            node: node.clone(),
            height: state.height().get(),
            state_digest: state.digest().to_string(),
        });
    }
    let digests_equal = blocks.len() == 1 && states_as_said;
    let verdict = Verdict {
        is_well: audited.finding.is_none() && differences.is_empty() && digests_equal,
        blocks: audited.blocks,
        items: audited.items,
        finding: audited.finding,
        accounts: audited.auditor.balances().len(),
        differences,
        heads,
        digests_equal,
    };
    Ok((verdict, audited.auditor))
}

/// Sums up the merchants' books in a currency.
pub fn takings(auditor: &Auditor, currency: Currency) -> Takings {
    let mut takings = Takings::default();
    let statements = auditor.statements().iter();
    for (_, month) in statements.filter(|(key, _)| key.currency == currency.get()) {
        takings.orders += month.orders;
        takings.collected += month.collected;
        takings.cashback += month.cashback_granted;
    }
    let instructions = auditor.instructions();
    for (_, instruction) in instructions.iter().filter(|(id, _)| id.currency == currency) {
        takings.instructed += u128::from(instruction.amount);
        if matches!(instruction.status, PaymentStatus::Arrived { .. }) {
            takings.arrived += u128::from(instruction.left);
        }
    }
    for ((kind, _, of), counters) in auditor.balances() {
        if (kind, of) == (MERCHANT_PAYABLE, currency.get()) {
            takings.owed += counters.credits_posted;
            takings.left += counters.balance();
        }
    }
    takings
}

impl Verdict {
    /// Lists the problems, in sentences.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> =
            self.finding.iter().map(|finding| format!("the auditor: {finding}")).collect();
        problems.extend(self.differences.iter().cloned());
        if !self.digests_equal {
            problems.push("the nodes do not agree on blocks and state".to_owned());
        }
        problems
    }

    /// Formats the verdict for people.
    pub fn text(&self) -> String {
        let Self { blocks, items, accounts, .. } = self;
        let mut lines = vec![format!(
            "auditor      {blocks} blocks, {items} outcomes and {accounts} accounts {}",
            if self.is_well { "are as the rules say" } else { "NOT as the rules say" }
        )];
        for HeadView { node, height, state_digest } in &self.heads {
            lines.push(format!("  {node} at height {height}, state digest {state_digest}"));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::audit;
    use super::super::tests::chain;
    use super::*;

    #[test]
    fn takings_are_the_sums_of_orders_and_instructions() {
        let (genesis, blocks, ..) = chain();
        let audited = audit(&genesis, blocks.into_iter().map(Ok)).unwrap();
        let takings = takings(&audited.auditor, Currency::new(156));
        assert_eq!((takings.orders, takings.collected, takings.owed), (2, 1_934, 1_934));
        assert_eq!((takings.instructed, takings.arrived, takings.left), (1_234, 0, 1_934));
    }
}
