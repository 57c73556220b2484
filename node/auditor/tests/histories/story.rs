//! A chain with the auditor beside it, for histories of which every step is chosen.

use chain_types::{
    ChainGenesis, Flags, OrderId, Outcome, ParticipantId, RechargeItem, TimeMs, VerifiedBatch,
};
use node_auditor::Auditor;

use crate::chain::Chain;
use crate::checks;
use crate::item::{Item, Letterhead};
use crate::network::*;

/// How long a window is in these histories.
pub const WINDOW_MS: u64 = 2_000;

/// A chain with the auditor beside it, told step by step.
pub struct Story {
    pub chain: Chain,
    pub auditor: Auditor,
    /// Makes batches and orders of the same content differ.
    serial: u64,
}

impl Story {
    /// Short windows, long waits.
    pub fn new() -> Self {
        let mut genesis = genesis(TimeMs::new(1_798_761_000_000), 4);
        genesis.parameters.window_ms = WINDOW_MS;
        genesis.parameters.transfer_validity_ms = 86_400_000;
        Self::of(&genesis)
    }

    pub fn of(genesis: &ChainGenesis) -> Self {
        Self { chain: Chain::new(genesis), auditor: Auditor::new(genesis), serial: 0 }
    }

    /// A block `after_ms` the last one; the codes of all items.
    pub fn block(&mut self, after_ms: u64, said: &[(u32, Vec<Item>)]) -> Vec<u16> {
        let time = self.chain.state.time().plus(after_ms);
        let batches: Vec<VerifiedBatch> =
            said.iter().map(|(by, items)| self.batch(time, *by, items)).collect();
        let executed = self.chain.execute(time, &batches, &[]);
        let (header, outcomes) = (&executed.block.header, &executed.outcomes);
        if let Err(finding) = self.auditor.whole_block(header, None, &[], &batches, outcomes) {
            panic!("{finding}");
        }
        let codes = outcomes.concat().iter().map(|Outcome(code)| *code).collect();
        let before = self.chain.last().header.window;
        self.chain.apply(executed, &batches);
        checks::compare_books(&self.chain, &self.auditor);
        if self.chain.last().header.window != before {
            checks::compare_window(&self.chain, &self.auditor, before);
        }
        codes
    }

    fn batch(&mut self, time: TimeMs, submitter: u32, items: &[Item]) -> VerifiedBatch {
        self.serial += 1;
        let chain_id = self.chain.state.chain_id();
        let valid_until = time.plus(self.serial % 5_000);
        let head = Letterhead { chain_id, submitter, key: &secret(submitter), valid_until };
        let items: Vec<(u32, Item)> = items.iter().map(|item| (submitter, *item)).collect();
        Item::batch(&items, &head)
    }

    /// An order that gateway 201 collects in the next block.
    pub fn order(&mut self, amount: u64) -> RechargeItem {
        self.serial += 1;
        let time = self.chain.state.time().plus(1);
        let [_, _, entropy @ ..] = self.serial.to_be_bytes();
        RechargeItem {
            order_id: OrderId::owned(ParticipantId::new(GATEWAYS[0]), time, entropy).bytes(),
            user: [1; 16],
            merchant: MERCHANTS[0].into(),
            collecting_gateway: GATEWAYS[0].into(),
            amount: amount.into(),
            currency: CNY.into(),
            payout_currency: CNY.into(),
            flags: Flags::COLLECTED.into(),
            ..RechargeItem::default()
        }
    }

    /// Closes the open window, with an order of gateway 201 in it.
    pub fn window(&mut self, amount: u64) {
        let said = [(GATEWAYS[0], vec![Item::from(self.order(amount))])];
        assert_eq!(self.block(1, if amount > 0 { &said } else { &[] }).first().unwrap_or(&0), &0);
        self.block(WINDOW_MS, &[]);
    }
}
