//! Proofs of accounts as any block left them, for auditors: every account's last entry up to the
//! block gives the tree that the block's header commits to.

use chain_state::{Account, AccountKey, AccountProof, State};
use chain_store::ChainStore as _;
use chain_types::Height;
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
}
