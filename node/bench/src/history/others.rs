//! Operations of others than the load's gateways: before it, agents, desk and operators turn the
//! contracts on; in it, gateways pay what each window instructs them to, and agents settle it.

use anyhow::Context as _;
use chain_store::ChainStore as _;
use chain_types::{
    ArrivalItem, Decision, Roles, SettleWindowItem, SettlementDecisionItem, TimeMs, TransferItem,
    VerifiedBatch, WindowId,
};
use rpc_client::operations::reference_bytes;
use rpc_client::scheme::{Deposit, approval, decision, proposals};

use super::chain::{HistoryChain, Signer};
use crate::bench::contracts::Terms;

/// Turns cashback and limits on, as `sluice bench` does.
///
/// # Errors
/// When a party is missing or something is refused.
pub fn turn_contracts_on(chain: &mut HistoryChain, terms: &Terms) -> anyhow::Result<()> {
    let Terms { budgets, limits, programmes } = terms;
    let (agent, checker) = two(chain, Roles::SETTLEMENT_AGENT)?;
    let (operator, approver) = two(chain, Roles::SETTLEMENT_OPERATOR)?;
    let desk = chain.signers(Roles::RISK_DESK).next().context("no risk desk")?.clone();
    let transfers: Vec<TransferItem> =
        budgets.iter().map(Deposit::proposal).collect::<anyhow::Result<_>>()?;
    // The block of the proposals is the first, of the approvals the second.
    let notice = chain.genesis().parameters.governance_notice_heights;
    let activation = chain.head().0.plus(1 + notice + 1);
    let mut approvals = Vec::new();
    let time = next(chain);
    let mut batches = vec![chain.say(&desk, time, limits)?];
    for transfers in transfers.chunks(1_024) {
        batches.push(chain.say(&agent, time, transfers)?);
    }
    for changes in programmes.chunks(64) {
        let proposed = proposals(changes, activation)?;
        batches.push(chain.say(&operator, time, &proposed)?);
        approvals.extend(proposed.iter().map(approval));
    }
    chain.decide(time, batches)?;
    let time = next(chain);
    let mut batches = Vec::new();
    for transfers in transfers.chunks(1_024) {
        let approved = transfers.iter().map(|item| decision(item, Decision::Approve));
        batches.push(chain.say(&checker, time, &approved.collect::<Vec<_>>())?);
    }
    for approvals in approvals.chunks(1_024) {
        batches.push(chain.say(&approver, time, approvals)?);
    }
    chain.decide(time, batches)?;
    while chain.head().0 < activation {
        let time = next(chain);
        chain.decide(time, Vec::new())?;
    }
    Ok(())
}

fn two(chain: &HistoryChain, role: Roles) -> anyhow::Result<(Signer, Signer)> {
    let mut parties = chain.signers(role).cloned();
    let found = parties.next().zip(parties.next());
    found.context("the network has fewer than two settlement agents or operators")
}

/// The time of the next block while there is no load.
fn next(chain: &HistoryChain) -> TimeMs {
    chain.state(|state| state.time().plus(state.parameters().block_interval_ms))
}

/// The parties that pay and settle.
#[derive(Debug, Clone)]
pub struct Settling {
    /// Nobody when the merchants are too many to be paid in one block.
    gateways: Vec<Signer>,
    agent: Signer,
    checker: Signer,
    /// Settlements that the checker has not yet decided.
    proposed: Vec<SettleWindowItem>,
    /// The window that was open when it last looked.
    open: WindowId,
}

impl Settling {
    /// From the open window on; merchants are paid what the windows instruct, or nothing.
    ///
    /// # Errors
    /// When there are fewer than two settlement agents.
    pub fn new(chain: &HistoryChain, are_merchants_paid: bool) -> anyhow::Result<Self> {
        let gateways = chain.signers(Roles::GATEWAY).filter(|_| are_merchants_paid);
        let gateways = gateways.cloned().collect();
        let (agent, checker) = two(chain, Roles::SETTLEMENT_AGENT)?;
        let (agent, checker, proposed) = (agent.clone(), checker.clone(), Vec::new());
        Ok(Self {
            gateways,
            agent,
            checker,
            proposed,
            open: chain.state(chain_state::State::window),
        })
    }

    /// Returns the operations that are due in the block of a time: once a window has closed, the
    /// arrivals of all its instructions and its settlement.
    ///
    /// # Errors
    /// When a batch does not verify.
    pub fn due(
        &mut self,
        chain: &HistoryChain,
        time: TimeMs,
    ) -> anyhow::Result<Vec<VerifiedBatch>> {
        let (before, open) = (self.open, chain.state(chain_state::State::window));
        let mut batches = Vec::new();
        let proposed = std::mem::take(&mut self.proposed);
        let decisions: Vec<SettlementDecisionItem> = proposed.iter().map(settled).collect();
        if !decisions.is_empty() {
            batches.push(chain.say(&self.checker, time, &decisions)?);
        }
        if before == open {
            return Ok(batches);
        }
        self.open = open;
        for gateway in &self.gateways {
            let arrivals: Vec<ArrivalItem> = chain.state(|state| {
                let own = state.outstanding_instructions();
                let own = own.filter(|record| record.gateway == gateway.id);
                own.map(|record| {
                    ArrivalItem::new(
                        record.id,
                        record.amount,
                        reference_bytes("credit").unwrap_or_default(),
                        record.attempt,
                    )
                })
                .collect()
            });
            if !arrivals.is_empty() {
                batches.push(chain.say(gateway, time, &arrivals)?);
            }
        }
        let proposal = |window: u64| -> anyhow::Result<SettleWindowItem> {
            let report = chain.store().window(WindowId::new(window))?;
            let report = report.context("a closed window has a report")?;
            Ok(SettleWindowItem {
                window: window.into(),
                digest: report.digest().bytes(),
                reference: reference_bytes("settled").unwrap_or_default(),
                spare: [0; 24],
            })
        };
        self.proposed = (before.get()..open.get()).map(proposal).collect::<anyhow::Result<_>>()?;
        batches.push(chain.say(&self.agent, time, &self.proposed)?);
        Ok(batches)
    }
}

/// The checker's word about a settlement as it was proposed.
fn settled(proposed: &SettleWindowItem) -> SettlementDecisionItem {
    SettlementDecisionItem {
        window: proposed.window,
        decision: Decision::Approve.number().into(),
        digest: proposed.digest,
        reference: proposed.reference,
        spare: [0; 22],
    }
}
