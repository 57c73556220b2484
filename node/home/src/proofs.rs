//! Proofs for auditors. An account at the head: the state's own tree proves it. As an earlier block
//! left it: the index keeps the tree's nodes of every fourth level above the leaves, each as every
//! block that changed it left it, and the entries of the leaves' accounts. Windows' reports: the
//! index keeps their paths to the root over the block's records.

use chain_state::{Account, AccountKey, AccountPlace, AccountProof, Record, State};
use chain_store::{ChainStore as _, RecordName, RecordPath};
use chain_types::record_proof::RECORD_PROOF_MAGIC;
use chain_types::{Digest, Height, Lineage, RecordInclusion, RecordProof, WindowId, codec};
use node_replica::read_state;

use crate::archive::ReadFault;
use crate::orders::Orders;

impl Orders {
    /// Proof of the counters that an account had after the block of `height`, a committed one or
    /// zero; `None` when it had none then. Its cost grows with the logarithm of the number of
    /// accounts: at most 15 rows of the index a level that is kept, two more for the rest.
    ///
    /// # Errors
    /// When the store cannot be read, what it holds does not lead to the block's digest, or the
    /// index was made by a version that kept no nodes of the accounts' tree.
    pub fn account_proof(
        &self,
        key: &AccountKey,
        height: Height,
    ) -> Result<Option<AccountProof>, ReadFault> {
        let digest = self.state_digest(height)?;
        let (own, place) = {
            let state = read_state(&self.state);
            let own = (state.height() == height).then(|| state.account_proof(key));
            (own, state.account_place(key))
        };
        let proof = match (own, place) {
            (Some(own), _) => own,
            (None, Some(place)) => self.account_before(key, place, height)?,
            // No account is ever removed, so none of the past is missing at the head.
            (None, None) => None,
        };
        match proof {
            None => Ok(None),
            Some(proof) if proof.holds(digest) => Ok(Some(proof)),
            Some(_) if !self.keeps_account_nodes()? => Err(ReadFault::AccountProofNotKept(height)),
            Some(_) => Err(ReadFault::Inconsistent { what: "the accounts' nodes", height }),
        }
    }

    /// The proof of an account of the past, not yet held against its block.
    fn account_before(
        &self,
        key: &AccountKey,
        place: AccountPlace,
        height: Height,
    ) -> Result<Option<AccountProof>, ReadFault> {
        let writes = self.store.writes_digest(height)?;
        let what = "the digest of other writes";
        let writes = writes.ok_or(ReadFault::Inconsistent { what, height })?;
        let Some(account) = self.account_at(key, height)? else { return Ok(None) };
        let node_at = |level, index| match level {
            0 => self.leaf_at(index, height),
            level => Ok(self.store.account_node_at(level, index, height)?),
        };
        AccountProof::from_kept((*key, account), place, writes, node_at).map(Some)
    }

    /// The leaf of the account at a place in the order of creation after the block of `height`.
    fn leaf_at(&self, index: u32, height: Height) -> Result<Option<Digest>, ReadFault> {
        let key = {
            let state = read_state(&self.state);
            state.accounts_created().get(index as usize).map(|(key, _)| *key)
        };
        let Some(key) = key else { return Ok(None) };
        Ok(self.account_at(&key, height)?.map(|account| account.leaf(&key)))
    }

    /// An account's counters after the block of `height`; `None` when there was no such account.
    fn account_at(&self, key: &AccountKey, height: Height) -> Result<Option<Account>, ReadFault> {
        let entry = self.store.account_entry_at(key, height)?;
        let account = entry.map(|entry| entry.after);
        Ok(account.or_else(|| State::opened_empty(&self.genesis, key)))
    }

    /// Returns true if the index has kept the nodes of the accounts' tree from block zero on: of
    /// its highest kept level, then, there is one.
    fn keeps_account_nodes(&self) -> Result<bool, ReadFault> {
        const HIGHEST: u8 = 28;
        let first = self.store.account_node_at(HIGHEST, 0, Height::new(0))?;
        Ok(first.is_some() || self.genesis.liquidity.is_empty())
    }

    fn state_digest(&self, height: Height) -> Result<Digest, ReadFault> {
        if height == Height::new(0) {
            return Ok(State::genesis_block(&self.genesis).header.state_digest);
        }
        let committed = self.store.block(height)?;
        let committed = committed.ok_or(ReadFault::Inconsistent { what: "a block", height })?;
        Ok(committed.block.header.state_digest)
    }

    /// Proof of the report of a window, and of the word that it is settled if it was given, with
    /// its lineage or without; `None` when no committed block has closed such a window.
    ///
    /// # Errors
    /// When the store cannot be read, keeps no path of the window, or holds what does not lead to
    /// the block's root.
    pub fn window_proof(
        &self,
        id: WindowId,
        lineage_apart: bool,
    ) -> Result<Option<RecordProof>, ReadFault> {
        let Some(window) = self.store.window(id)? else { return Ok(None) };
        let path = self.record_path(RecordName::Window(id))?;
        let Some(report) = self.include_record(&Record::Window(window), path)? else {
            return Ok(None);
        };
        let mut records = vec![report];
        if let Some(word) = self.store.window_settlement(id)? {
            let path = self.record_path(RecordName::WindowSettlement(id))?;
            records.extend(self.include_record(&Record::WindowSettlement(word), path)?);
        }
        let lineage = Lineage::default();
        let mut proof = RecordProof { magic: RECORD_PROOF_MAGIC, records, lineage };
        if !lineage_apart {
            proof.lineage = self.lineage(proof.heights())?;
        }
        Ok(Some(proof))
    }

    fn record_path(&self, name: RecordName) -> Result<RecordPath, ReadFault> {
        let (RecordName::Window(id) | RecordName::WindowSettlement(id)) = name;
        self.store.record_path(name)?.ok_or(ReadFault::ProofNotKept(id))
    }

    /// Proof of a record at the place that the index names; `None` when the index is one block
    /// ahead of what is committed, and this is that block.
    fn include_record(
        &self,
        record: &Record,
        path: RecordPath,
    ) -> Result<Option<RecordInclusion>, ReadFault> {
        let RecordPath { height, index, siblings: path } = path;
        let Some(committed) = self.store.block(height)? else { return Ok(None) };
        let (header, certificate) = (committed.block.header, committed.certificate);
        let record = codec::encode(record);
        let included = RecordInclusion { record, index, path, header, certificate };
        if included.leads_to_its_root() {
            Ok(Some(included))
        } else {
            Err(ReadFault::Inconsistent { what: "a record", height })
        }
    }
}
