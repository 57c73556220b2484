//! The platform: orders of users, and agents who give again what failed and recall what waits.

use std::collections::BTreeSet;
use std::time::Instant;

use chain_types::{
    Amount, Currency, FailureReason, Flags, InstructionState, MerchantId, OrderId, RecallItem,
    RechargeItem, ReinstructItem,
};
use rpc_api::{InstructionReport, InstructionSelector, SettlementRpcClient as _};
use rpc_iso20022::EndToEndId;

use crate::support::{GATEWAYS, Network, YUAN, order};
use crate::{Draws, PATIENCE};

/// The participant id of a settlement agent.
const AGENT: u32 = 401;
const YEN: Currency = Currency::new(392);
/// Attempts of one instruction; what fails then stays so.
const ATTEMPTS_MAX: u16 = 3;

pub struct Platform<'a> {
    network: &'a Network,
    /// Merchants and currencies, in the order in which they get orders.
    turns: Vec<(u64, Currency)>,
    next: usize,
    last: Option<OrderId>,
    draws: Draws,
}

impl<'a> Platform<'a> {
    pub fn new(network: &'a Network, merchants: Vec<u64>, seed: u64) -> Self {
        let both = |id: u64| [(id, YUAN), (id, YEN)];
        let turns = merchants.into_iter().flat_map(both).collect();
        Self { network, turns, next: 0, last: None, draws: Draws(seed ^ 0xa5a5) }
    }

    /// Orders of users, already debited: each of the next merchant and currency.
    pub async fn order(&mut self, count: usize) {
        let mut items: Vec<RechargeItem> = Vec::new();
        for _ in 0..count {
            let (merchant, currency) = self.turns[self.next % self.turns.len()];
            self.next += 1;
            let amount = Amount::new(1 + self.draws.below(1_000_000)).get();
            let mut item = order(GATEWAYS[0], Flags::COLLECTED, amount);
            item.merchant = MerchantId::new(merchant).get().into();
            item.currency = currency.get().into();
            item.payout_currency = currency.get().into();
            items.push(item);
        }
        self.last = items.last().map(RechargeItem::order_id);
        let bytes = self.network.batch(GATEWAYS[0], &items);
        let report = self.submit(&bytes).await;
        assert_eq!(report.not_applied, 0, "orders are refused");
    }

    /// More orders, until the chain has given so many instructions.
    pub async fn order_up_to(&mut self, instructions: usize) {
        let started = Instant::now();
        loop {
            let found = self.instructions().await.len();
            if found >= instructions {
                return;
            }
            if self.is_instructed().await {
                let missing = (instructions - found).min(self.turns.len());
                self.order(missing).await;
            }
            assert!(started.elapsed() < PATIENCE, "{found} instructions");
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    }

    /// Returns true if an instruction pays the last order.
    async fn is_instructed(&self) -> bool {
        match self.last {
            Some(id) => self.network.order(0, id).await.instruction_id.is_some(),
            None => true,
        }
    }

    /// Submits until it is final; the same bytes have the same answer.
    async fn submit(&self, bytes: &[u8]) -> Submitted {
        let started = Instant::now();
        loop {
            let problem = match self.network.submit(0, bytes).await {
                Ok(report) => match report.outcomes {
                    Some(outcomes) => {
                        return Submitted { not_applied: outcomes.not_applied.len() };
                    }
                    None => "no outcomes".to_owned(),
                },
                Err(problem) => problem,
            };
            assert!(started.elapsed() < PATIENCE, "{problem}");
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    }

    /// All instructions that the gateway pays.
    pub async fn instructions(&self) -> Vec<InstructionReport> {
        let (client, mut found) = (self.network.client(0), Vec::new());
        loop {
            let selector = InstructionSelector::gateway(GATEWAYS[0]);
            let cursor = found.last().map(|last: &InstructionReport| last.instruction_id);
            let cursor = cursor.map(|id| id.to_string());
            let page = client.instructions(selector, cursor, Some(1_000)).await.unwrap();
            let is_last = page.items.len() < 1_000;
            found.extend(page.items);
            if is_last {
                return found;
            }
        }
    }

    /// Lets an agent give again what may succeed as it is, and recall what waits at the bank.
    /// Returns true if there was something to do.
    pub async fn agents(&mut self, waiting: &BTreeSet<EndToEndId>) -> bool {
        let (mut again, mut recalls) = (Vec::new(), Vec::new());
        for report in self.instructions().await {
            let id = report.instruction_id;
            let present = EndToEndId { instruction: id, attempt: report.attempt };
            let reason = report.failure.as_ref().map(|failure| failure.reason);
            let reason = reason.and_then(FailureReason::from_number);
            let may_succeed = reason.is_some_and(FailureReason::needs_no_correction);
            match report.status {
                InstructionState::Failed if may_succeed && report.attempt < ATTEMPTS_MAX => {
                    again.push(ReinstructItem::new(id, [9; 32], report.attempt));
                }
                InstructionState::Instructed
                    if report.recalled_ms.is_none() && waiting.contains(&present) =>
                {
                    recalls.push(RecallItem::new(id, [8; 32], report.attempt));
                }
                _ => {}
            }
        }
        // An instruction may have arrived meanwhile: what an agent says then is refused.
        if !again.is_empty() {
            self.submit(&self.network.batch(AGENT, &again)).await;
        }
        if !recalls.is_empty() {
            self.submit(&self.network.batch(AGENT, &recalls)).await;
        }
        !again.is_empty() || !recalls.is_empty()
    }
}

/// The count of items that were refused.
struct Submitted {
    not_applied: usize,
}
