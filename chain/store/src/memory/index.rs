//! The memory store's index of the blocks' records.

use std::collections::BTreeMap;

use chain_state::{
    AccountEntry, AccountKey, BreachRecord, EvidenceRecord, InstructionRecord, OrderRecord,
    OrderRun, PolicyKey, PolicyRecord, ProposalRecord, QuoteRecord, RateKey, RateRecord, Record,
    RegistryRecord, ReturnRecord, TransferRecord, WindowRecord, WindowSettlement,
};
use chain_types::{
    Digest, Height, InstructionId, OrderId, ProposalId, QuoteId, RecordCursor, TimeMs, TransferId,
    WindowId,
};

use crate::model::BlockRecords;
use crate::record_paths::{RecordName, RecordPath, record_paths};

/// The tables of the index, each an ordered map.
#[derive(Debug, Default, Clone)]
pub(super) struct Index {
    pub(super) orders: BTreeMap<OrderId, OrderRecord>,
    pub(super) windows: BTreeMap<WindowId, WindowRecord>,
    pub(super) window_settlements: BTreeMap<WindowId, WindowSettlement>,
    pub(super) instructions: BTreeMap<InstructionId, InstructionRecord>,
    pub(super) instructions_ended: BTreeMap<(InstructionId, Height), InstructionRecord>,
    pub(super) account_entries: BTreeMap<(AccountKey, RecordCursor), AccountEntry>,
    pub(super) account_nodes: BTreeMap<(u8, u32, Height), Digest>,
    pub(super) breaches: BTreeMap<RecordCursor, BreachRecord>,
    pub(super) evidence: BTreeMap<RecordCursor, EvidenceRecord>,
    pub(super) returns: BTreeMap<(OrderId, u16), ReturnRecord>,
    pub(super) transfers: BTreeMap<TransferId, TransferRecord>,
    pub(super) rates: BTreeMap<(RateKey, TimeMs), RateRecord>,
    pub(super) quotes: BTreeMap<QuoteId, QuoteRecord>,
    pub(super) policies: BTreeMap<PolicyKey, PolicyRecord>,
    pub(super) proposals: BTreeMap<ProposalId, ProposalRecord>,
    pub(super) registries: BTreeMap<Height, RegistryRecord>,
    pub(super) record_paths: BTreeMap<RecordName, RecordPath>,
    pub(super) writes_digests: BTreeMap<Height, Digest>,
}

impl Index {
    /// Takes up what a block leaves for the index.
    pub(super) fn write(&mut self, height: Height, learned: BlockRecords) {
        self.writes_digests.insert(height, learned.writes);
        for node in learned.account_nodes {
            self.account_nodes.insert((node.level, node.index, height), node.digest);
        }
        self.record_paths.extend(record_paths(height, &learned.records));
        for record in learned.records {
            self.write_record(record);
        }
        self.orders.extend(learned.retired.runs.iter().flat_map(OrderRun::sorted));
    }

    fn write_record(&mut self, record: Record) {
        match record {
            Record::Window(window) => drop(self.windows.insert(window.id, window)),
            Record::WindowSettlement(word) => {
                self.window_settlements.insert(word.window, word);
            }
            Record::Instruction(instruction) => {
                if let Some(height) = instruction.ended_at() {
                    self.instructions_ended.insert((instruction.id, height), instruction.clone());
                }
                self.instructions.insert(instruction.id, instruction);
            }
            Record::AccountEntry(entry) => {
                self.account_entries.insert((entry.key, entry.cursor()), entry);
            }
            Record::Breach(breach) => {
                self.breaches.insert(breach.cursor(), breach);
            }
            Record::Evidence(caught) => {
                self.evidence.insert(caught.cursor(), caught);
            }
            Record::Return(back) => drop(self.returns.insert((back.order, back.sequence), back)),
            Record::Transfer(transfer) => drop(self.transfers.insert(transfer.id, transfer)),
            Record::Rate(rate) => {
                let key = (rate.currency, rate.payout_currency, rate.provider);
                self.rates.insert((key, rate.observed), rate);
            }
            Record::Quote(quote) => drop(self.quotes.insert(quote.id, quote)),
            Record::Policy(policy) => {
                let key = (policy.scope, policy.subject, policy.currency);
                self.policies.insert(key, policy);
            }
            Record::Line(_) => {}
            Record::Proposal(proposal) => drop(self.proposals.insert(proposal.id, proposal)),
            Record::Registry(registry) => {
                self.registries.insert(registry.since, registry);
            }
        }
    }
}
