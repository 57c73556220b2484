//! Operations of the scheme's own parties for a network: settlement agents deposit by maker and
//! checker, settlement operators change the registry by k of n, and it is waited for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chain_types::batch::BatchItem;
use chain_types::{
    ApprovalItem, Change, Currency, Decision, Height, ListedChangeItem, ProposalId, ProposalItem,
    ProposalStatus, TransferAction, TransferDecisionItem, TransferId, TransferItem,
};
use futures::FutureExt as _;
use rpc_api::{ChainRpcClient as _, GovernanceRpcClient as _, Outcomes};
use zerocopy::{Immutable, IntoBytes};

use super::client::Client;
use super::operations::now;
use super::orders::Entropy;
use super::party::Party;

/// How often the chain is asked whether it has come to what is waited for.
pub const POLL: Duration = Duration::from_millis(250);
/// How many heights ahead a change takes effect: the notice and some.
const ACTIVATION_AHEAD: u64 = 15;

/// More changes of merchants and programmes than this go as lists.
const LIST_FROM: usize = 8;

/// Lists that wait for their heights at the same time: the chain keeps eight of one operator.
const LISTS_AT_ONCE: usize = 6;

/// The parties that run the scheme, with a client to reach the nodes.
#[derive(Debug, Clone)]
pub struct Scheme {
    /// Settlement operators: the first proposes, the second approves.
    pub operators: Vec<Party>,
    /// Settlement agents: the first makes, the second checks.
    pub agents: Vec<Party>,
    /// The client that asks and submits at several nodes.
    pub client: Arc<Client>,
}

/// Money that comes in for an account.
#[derive(Debug, Clone, Copy)]
pub struct Deposit {
    /// The account's kind, by its number.
    pub kind: u16,
    /// The id of the account's owner.
    pub owner: u64,
    /// The currency of the deposit.
    pub currency: Currency,
    /// How much, in minor units.
    pub amount: u64,
}

impl Deposit {
    /// The number of gateway liquidity among account kinds.
    pub const LIQUIDITY: u16 = 1;
    /// The number of cashback pools among account kinds.
    pub const POOL: u16 = 3;
    /// The number of FX positions among account kinds.
    pub const POSITION: u16 = 5;

    /// The maker's proposal of it.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn proposal(&self) -> anyhow::Result<TransferItem> {
        Ok(TransferItem {
            transfer_id: TransferId::new(now(), Entropy::fresh()?.bytes()).bytes(),
            action: TransferAction::Deposit.number().into(),
            account_kind: self.kind.into(),
            owner: self.owner.into(),
            currency: self.currency.get().into(),
            amount: self.amount.into(),
            reference: [0; 32],
            spare: [0; 26],
        })
    }
}

/// The checker's decision about a proposal.
pub fn decision(transfer: &TransferItem, decision: Decision) -> TransferDecisionItem {
    TransferDecisionItem {
        transfer_id: transfer.transfer_id,
        decision: decision.number().into(),
        action: transfer.action,
        amount: transfer.amount,
        reference: [0; 32],
        spare: [0; 4],
    }
}

/// `party` says `items`, and every one is applied.
///
/// # Errors
/// When the batch or an item is refused, or no node answers.
pub async fn say<T: BatchItem + IntoBytes + Immutable>(
    party: &Party,
    items: &[T],
) -> anyhow::Result<Outcomes> {
    let outcomes = party.say(items).await?.report.outcomes;
    let outcomes = outcomes.context("a final batch has no outcomes")?;
    if let Some(refused) = outcomes.not_applied.first() {
        let (index, name, code) = (refused.item_index, &refused.name, refused.code);
        anyhow::bail!("{} {index} was not applied: {name} ({code})", T::KIND.name());
    }
    Ok(outcomes)
}

impl Scheme {
    /// Maker and checker among the settlement agents.
    ///
    /// # Errors
    /// When there are fewer than two.
    pub fn maker_and_checker(&self) -> anyhow::Result<(&Party, &Party)> {
        match self.agents.as_slice() {
            [maker, checker, ..] => Ok((maker, checker)),
            _ => anyhow::bail!("the network has fewer than two settlement agents"),
        }
    }

    /// The maker proposes deposits, the checker approves them.
    ///
    /// # Errors
    /// When one is refused, or no node answers.
    pub async fn deposit(&self, deposits: &[Deposit]) -> anyhow::Result<()> {
        let (maker, checker) = self.maker_and_checker()?;
        let items: Vec<TransferItem> =
            deposits.iter().map(Deposit::proposal).collect::<anyhow::Result<_>>()?;
        for items in items.chunks(TransferItem::KIND.items_max() as usize) {
            say(maker, items).await?;
            let approve = |item| decision(item, Decision::Approve);
            say(checker, &items.iter().map(approve).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    /// The maker and the checker among the settlement operators.
    fn operators(&self) -> anyhow::Result<(&Party, &Party)> {
        match self.operators.as_slice() {
            [maker, checker, ..] => Ok((maker, checker)),
            _ => anyhow::bail!("the network has fewer than two operators"),
        }
    }

    /// One operator proposes changes, a second approves them; waits until blocks execute under
    /// them, and gives the first such height. Many changes of merchants and programmes go as lists.
    ///
    /// # Errors
    /// When one is refused, or no node answers.
    pub async fn govern(&self, changes: &[Change]) -> anyhow::Result<Height> {
        if changes.len() > LIST_FROM && changes.iter().all(Change::may_be_listed) {
            return self.govern_lists(changes).await;
        }
        let (maker, checker) = self.operators()?;
        let mut lasts = Vec::new();
        for changes in changes.chunks(ProposalItem::KIND.items_max() as usize) {
            let ahead = self.height().await?.plus(ACTIVATION_AHEAD);
            let proposals = proposals(changes, ahead)?;
            say(maker, &proposals).await?;
            let approvals: Vec<ApprovalItem> = proposals.iter().map(approval).collect();
            say(checker, &approvals).await?;
            lasts.extend(proposals.last().copied());
        }
        // The notice runs from the approvals, and those of a chunk are all of one block.
        let mut since = Height::new(0);
        for last in lasts {
            since = since.max(self.until_due(&last).await?);
        }
        Ok(since)
    }

    /// As [`Self::govern`], by lists, of which some wait for their heights together.
    async fn govern_lists(&self, changes: &[Change]) -> anyhow::Result<Height> {
        let (maker, checker) = self.operators()?;
        let mut since = Height::new(0);
        let mut waiting: VecDeque<ProposalItem> = VecDeque::new();
        for changes in changes.chunks(ListedChangeItem::KIND.items_max() as usize) {
            let items = list_items(changes)?;
            say(maker, &items).await?;
            let ahead = self.height().await?.plus(ACTIVATION_AHEAD);
            let proposals = proposals(&[list_change(&items)], ahead)?;
            say(maker, &proposals).await?;
            say(checker, &proposals.iter().map(approval).collect::<Vec<_>>()).await?;
            waiting.extend(proposals);
            while waiting.len() >= LISTS_AT_ONCE {
                let Some(first) = waiting.pop_front() else { break };
                since = since.max(self.until_due(&first).await?);
            }
        }
        for proposal in &waiting {
            since = since.max(self.until_due(proposal).await?);
        }
        Ok(since)
    }

    /// Waits until blocks execute under an approved proposal; gives the first such height.
    async fn until_due(&self, proposal: &ProposalItem) -> anyhow::Result<Height> {
        let id = proposal.proposal_id().to_string();
        loop {
            // A node that is behind may not know it yet.
            let found = self.client.ask(|node| node.proposal(id.clone()).boxed()).await;
            match found.map(|found| (found.status, found.due_height)) {
                Ok((ProposalStatus::Scheduled | ProposalStatus::Effective, due))
                    if self.height().await?.get() >= due =>
                {
                    return Ok(Height::new(due));
                }
                Ok((
                    ProposalStatus::Refused | ProposalStatus::Expired | ProposalStatus::Failed,
                    _,
                )) => anyhow::bail!("proposal {id} came to nothing"),
                _ => {}
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The chain's height.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn height(&self) -> anyhow::Result<Height> {
        Ok(Height::new(self.client.ask(|node| node.head().boxed()).await?.height))
    }
}

/// The items of a list of changes.
///
/// # Errors
/// When a change is none that a list may hold.
pub fn list_items(changes: &[Change]) -> anyhow::Result<Vec<ListedChangeItem>> {
    let item = |change| ListedChangeItem::new(change).context("the change is none of a list");
    changes.iter().map(item).collect()
}

/// The change that makes a list.
pub fn list_change(items: &[ListedChangeItem]) -> Change {
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    Change::List { digest: ListedChangeItem::list_digest(items), count }
}

/// The maker's proposals of changes that take effect at a height.
///
/// # Errors
/// When a change is too long, or the operating system gives no entropy.
pub fn proposals(changes: &[Change], activation: Height) -> anyhow::Result<Vec<ProposalItem>> {
    let proposal = |change: &Change| {
        let id = ProposalId::new(now(), Entropy::fresh()?.bytes());
        ProposalItem::new(id, activation, change).context("the change is too long for a proposal")
    };
    changes.iter().map(proposal).collect()
}

/// The checker's approval of a proposal.
pub fn approval(proposal: &ProposalItem) -> ApprovalItem {
    ApprovalItem {
        proposal_id: proposal.proposal_id,
        decision: Decision::Approve.number().into(),
        digest: proposal.digest().bytes(),
        spare: [0; 14],
    }
}
