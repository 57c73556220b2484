//! Every outcome and every balance by the settlement rules' second implementation.

use std::collections::BTreeMap;

use chain_state::{Account, State};
use chain_types::{ChainGenesis, ExecutedBlock, Height};
use node_auditor::{Auditor, Counters};

/// The auditor of a run: it reads each block once, when the first node commits it.
#[derive(Debug)]
pub struct Audit {
    auditor: Auditor,
    head: Height,
}

impl Audit {
    /// An auditor who has read the genesis file.
    pub fn new(genesis: &ChainGenesis) -> Self {
        Self { auditor: Auditor::new(genesis), head: Height::default() }
    }

    /// Works out a new block's outcomes.
    pub fn read(&mut self, decided: &ExecutedBlock) -> Result<(), String> {
        let ExecutedBlock { block, batches, outcomes } = decided;
        self.head = block.header.height;
        let found =
            self.auditor.whole_block(&block.header, None, &block.evidence, batches, outcomes);
        found.map_err(|finding| format!("the auditor found: {finding}"))
    }

    /// Compares every account with the books of a node that is at the head.
    pub fn compare(&self, state: &State) -> Result<(), String> {
        if state.height() != self.head {
            return Ok(());
        }
        let mut audited = self.auditor.balances();
        audited.retain(|_, counters| *counters != Counters::default());
        let booked = state.accounts(None).filter(|(_, account)| **account != Account::default());
        let booked: BTreeMap<_, _> = booked
            .map(|(key, account)| {
                ((key.kind.number(), key.owner, key.currency.get()), counters(account))
            })
            .collect();
        let keys = audited.keys().chain(booked.keys());
        match keys.into_iter().find(|key| audited.get(key) != booked.get(key)) {
            None => Ok(()),
            Some(key) => Err(format!(
                "account {key:?} at {}: audited {:?}, booked {:?}",
                self.head,
                audited.get(key),
                booked.get(key),
            )),
        }
    }
}

fn counters(account: &Account) -> Counters {
    Counters {
        debits_pending: account.debits_pending,
        debits_posted: account.debits_posted,
        credits_pending: account.credits_pending,
        credits_posted: account.credits_posted,
        net_debit_cap: account.net_debit_cap,
        settled: account.settled,
    }
}
