//! Proofs for auditors. Accounts as any block left them: every account's last entry up to the block
//! gives the tree that the block's header commits to. Windows' reports: the index keeps their paths
//! to the root over the block's records.

use chain_state::{Account, AccountKey, AccountProof, Record, State};
use chain_store::{ChainStore as _, RecordName, RecordPath};
use chain_types::record_proof::RECORD_PROOF_MAGIC;
use chain_types::{Height, Lineage, RecordInclusion, RecordProof, WindowId, codec};
use node_replica::read_state;

use super::archive::ReadFault;
use super::orders::Orders;

impl Orders {
    /// Proof of the counters that an account had after the block of `height`, a committed one or
    /// zero; `None` when it had none then. Reads one entry of every account.
    ///
    /// # Errors
    /// When the store cannot be read, or what it holds does not lead to the block's digest.
    pub fn account_proof(
        &self,
        key: &AccountKey,
        height: Height,
    ) -> Result<Option<AccountProof>, ReadFault> {
        let inconsistent = |what| ReadFault::Inconsistent { what, height };
        let digest = self.state_digest(height)?;
        let writes = self.store.writes_digest(height)?;
        let writes = writes.ok_or_else(|| inconsistent("the digest of other writes"))?;
        let accounts = self.accounts_at(height)?;
        let Some(proof) = AccountProof::make(key, &accounts, writes) else { return Ok(None) };
        if proof.holds(digest) {
            Ok(Some(proof))
        } else {
            Err(inconsistent("the accounts' entries"))
        }
    }

    fn state_digest(&self, height: Height) -> Result<chain_types::Digest, ReadFault> {
        if height == Height(0) {
            return Ok(State::genesis_block(&self.genesis).header.state_digest);
        }
        let committed = self.store.block(height)?;
        let committed = committed.ok_or(ReadFault::Inconsistent { what: "a block", height })?;
        Ok(committed.block.header.state_digest)
    }

    /// All accounts as the block of `height` left them, in order of creation. Those of the genesis
    /// file stand first and exist from the beginning, each other one from its first entry on.
    fn accounts_at(&self, height: Height) -> Result<Vec<(AccountKey, Account)>, ReadFault> {
        let opening = State::genesis(&self.genesis).accounts_created().to_vec();
        let created: Vec<AccountKey> =
            read_state(&self.state).accounts_created().iter().map(|(key, _)| *key).collect();
        let mut accounts = Vec::new();
        for (at, key) in created.into_iter().enumerate() {
            let entry = self.store.account_entry_at(&key, height)?;
            let opened = opening.get(at).map(|(_, account)| *account);
            match entry.map(|entry| entry.after).or(opened) {
                Some(account) => accounts.push((key, account)),
                // Those after it were created later still.
                None => break,
            }
        }
        Ok(accounts)
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
