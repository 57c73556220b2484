//! All accounts: dense by order of creation, found by key, with their Merkle tree.

use std::collections::BTreeMap;

use ahash::RandomState;
use bincode::{Decode, Encode};
use chain_types::hash_many::HashMany;
use chain_types::{Currency, Digest};

use crate::account::{Account, AccountKey};
use crate::accounts_tree::{AccountsTree, TreeChange, TreeNode};
use crate::positions::Positions;
use crate::sections::{SECTION_ITEMS, put_section};

/// One account after a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct AccountWrite {
    pub(crate) index: u32,
    pub(crate) key: AccountKey,
    pub(crate) account: Account,
}

/// The sums of one currency over all accounts, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TrialBalance {
    /// The currency of the sums.
    pub currency: Currency,
    /// Sum of the debits pending.
    pub debits_pending: u128,
    /// Sum of the debits posted.
    pub debits_posted: u128,
    /// Sum of the credits pending.
    pub credits_pending: u128,
    /// Sum of the credits posted.
    pub credits_posted: u128,
}

impl TrialBalance {
    /// Returns true if debits equal credits, posted and pending ones each.
    pub const fn is_balanced(&self) -> bool {
        self.debits_posted == self.credits_posted && self.debits_pending == self.credits_pending
    }
}

#[derive(Debug, Clone)]
pub(crate) struct AccountBook {
    accounts: Vec<(AccountKey, Account)>,
    /// The place of each account in `accounts`, by the hash of its key.
    at: Positions,
    hashing: RandomState,
    /// The index of each account in `accounts`, ascending by key, for reads in that order.
    index: BTreeMap<AccountKey, u32>,
    tree: AccountsTree,
    /// The trial balance, kept as accounts change: nobody who asks for it walks them all.
    sums: Sums,
}

impl AccountBook {
    /// The book of these accounts, in order of creation.
    pub(crate) fn new(accounts: Vec<(AccountKey, Account)>, hashing: RandomState) -> Self {
        let mut tree = AccountsTree::new();
        let leaves = leaves(accounts.iter().map(|(key, account)| (key, account)));
        let change = tree.change((0_u32..).zip(leaves).collect());
        tree.apply(&change);
        let index = (0_u32..).zip(&accounts).map(|(at, (key, _))| (*key, at)).collect();
        let mut sums = Sums::new();
        for (key, account) in &accounts {
            count(&mut sums, key, None, account);
        }
        let mut at = Positions::with_capacity(accounts.len());
        for (next, (key, _)) in accounts.iter().enumerate() {
            let hash_of = |place: usize| key_hash(&hashing, &accounts[place].0);
            at.find_or_add(hash_of(next), next, |place| accounts[place].0 == *key, hash_of);
        }
        Self { accounts, at, hashing, index, tree, sums }
    }

    pub(crate) fn root(&self) -> Digest {
        self.tree.root()
    }

    /// Returns the number of accounts, which is also the index of the next one.
    pub(crate) fn len(&self) -> u32 {
        match u32::try_from(self.accounts.len()) {
            Ok(count) => count,
            Err(_) => panic!("more than 2^32 accounts"),
        }
    }

    pub(crate) fn find(&self, key: &AccountKey) -> Option<(u32, &Account)> {
        self.find_hashed(key_hash(&self.hashing, key), key)
    }

    /// `hash` is [`key_hash`] of the key.
    pub(crate) fn find_hashed(&self, hash: u64, key: &AccountKey) -> Option<(u32, &Account)> {
        let place = self.at.find(hash, |place| self.accounts[place].0 == *key)?;
        // The book has less than 2^32.
        Some((u32::try_from(place).unwrap_or_default(), &self.accounts[place].1))
    }

    /// Returns the place that each hash points to, if there is one. A place can be another
    /// account's with a hash that looks the same. No read waits for an account in between.
    pub(crate) fn guess(&self, hashes: &[u64]) -> Vec<Option<usize>> {
        hashes.iter().map(|hash| self.at.find(*hash, |_| true)).collect()
    }

    /// Ascending by key, from `from` on.
    pub(crate) fn ascending(
        &self,
        from: Option<&AccountKey>,
    ) -> impl Iterator<Item = (&AccountKey, &Account)> {
        let lower = from.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Included);
        let range = self.index.range((lower, std::ops::Bound::Unbounded));
        range.filter_map(|(key, at)| Some((key, &self.accounts.get(*at as usize)?.1)))
    }

    /// Returns all accounts in order of creation.
    pub(crate) fn created(&self) -> &[(AccountKey, Account)] {
        &self.accounts
    }

    pub(crate) fn change(&self, writes: &[AccountWrite]) -> TreeChange {
        let leaves = leaves(writes.iter().map(|write| (&write.key, &write.account)));
        let places = writes.iter().map(|write| write.index);
        let mut leaves: Vec<(u32, Digest)> = places.zip(leaves).collect();
        leaves.sort_unstable_by_key(|(index, _)| *index);
        self.tree.change(leaves)
    }

    pub(crate) fn apply(
        &mut self,
        writes: &[AccountWrite],
        tree: &TreeChange,
        mut copy: Option<&mut AccountsCopy>,
    ) {
        for write in writes {
            match self.accounts.get_mut(write.index as usize) {
                Some((key, account)) => {
                    assert_eq!(*key, write.key, "an account's index changed");
                    count(&mut self.sums, key, Some(account), &write.account);
                    if let Some(copy) = &mut copy {
                        copy.note(write.index as usize, account);
                    }
                    *account = write.account;
                }
                None => {
                    assert_eq!(self.len(), write.index, "accounts are created in order");
                    count(&mut self.sums, &write.key, None, &write.account);
                    let (accounts, hashing) = (&self.accounts, &self.hashing);
                    let before = self.at.find_or_add(
                        key_hash(hashing, &write.key),
                        accounts.len(),
                        |place| accounts[place].0 == write.key,
                        |place| key_hash(hashing, &accounts[place].0),
                    );
                    assert!(before.is_none(), "an account was created twice");
                    self.accounts.push((write.key, write.account));
                    self.index.insert(write.key, write.index);
                }
            }
        }
        self.tree.apply(tree);
    }

    /// The nodes of the whole tree that proofs of the past need.
    pub(crate) fn kept_nodes(&self) -> impl Iterator<Item = TreeNode> {
        self.tree.kept()
    }

    pub(crate) fn prove(&self, index: u32) -> Vec<Digest> {
        self.tree.prove(index)
    }

    /// The sums of every currency, ascending.
    pub(crate) fn trial_balance(&self) -> Vec<TrialBalance> {
        self.sums.values().copied().collect()
    }
}

/// The leaves of accounts in their tree.
fn leaves<'a>(accounts: impl Iterator<Item = (&'a AccountKey, &'a Account)>) -> Vec<Digest> {
    let mut many = HashMany::default();
    for (key, account) in accounts {
        many.push(|message| account.leaf_message(key, message));
    }
    many.finish()
}

/// Returns the hash that finds an account in the book.
pub(crate) fn key_hash(hashing: &RandomState, key: &AccountKey) -> u64 {
    let AccountKey { kind, owner, currency } = *key;
    let bits = u128::from(kind.number()) << 16 | u128::from(currency.get());
    hashing.hash_one(bits << 64 | u128::from(owner))
}

/// The copy of all accounts, which are only ever added to.
#[derive(Debug)]
pub(crate) struct AccountsCopy {
    /// The number of accounts that were there when the copy began.
    count: usize,
    next: usize,
    /// Accounts from there on as they were, if they changed since.
    before: BTreeMap<usize, Account>,
}

impl AccountsCopy {
    pub(crate) const fn of(count: usize) -> Self {
        Self { count, next: 0, before: BTreeMap::new() }
    }

    /// An account is about to change. The first one counts.
    pub(crate) fn note(&mut self, index: usize, was: &Account) {
        if (self.next..self.count).contains(&index) {
            self.before.entry(index).or_insert(*was);
        }
    }

    /// Puts the next section of the list; says whether it is the last, which is empty.
    pub(crate) fn put(&mut self, live: &[(AccountKey, Account)], bytes: &mut Vec<u8>) -> bool {
        let end = self.count.min(self.next + SECTION_ITEMS);
        let live = live.get(self.next..end).unwrap_or_default();
        let mut accounts = live.to_vec();
        for (at, (_, account)) in (self.next..).zip(&mut accounts) {
            if let Some(was) = self.before.remove(&at) {
                *account = was;
            }
        }
        self.next = end;
        put_section(bytes, &accounts);
        accounts.is_empty()
    }
}

/// Sums over accounts, by currency.
type Sums = BTreeMap<Currency, TrialBalance>;

/// Brings the sums of an account's currency from what the account was, if it was, to what it is.
fn count(sums: &mut Sums, key: &AccountKey, was: Option<&Account>, is: &Account) {
    let sum = sums.entry(key.currency).or_insert(TrialBalance {
        currency: key.currency,
        debits_pending: 0,
        debits_posted: 0,
        credits_pending: 0,
        credits_posted: 0,
    });
    if let Some(was) = was {
        sum.debits_pending -= was.debits_pending;
        sum.debits_posted -= was.debits_posted;
        sum.credits_pending -= was.credits_pending;
        sum.credits_posted -= was.credits_posted;
    }
    sum.debits_pending += is.debits_pending;
    sum.debits_posted += is.debits_posted;
    sum.credits_pending += is.credits_pending;
    sum.credits_posted += is.credits_posted;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums by a walk over all accounts.
    fn walked(book: &AccountBook) -> Vec<TrialBalance> {
        let mut sums = Sums::new();
        for (key, account) in book.created() {
            count(&mut sums, key, None, account);
        }
        sums.into_values().collect()
    }

    #[test]
    fn the_trial_balance_is_kept_as_accounts_change() {
        let key =
            |owner, currency| AccountKey::payable(chain_types::MerchantId::new(owner), currency);
        let [yuan, yen] = [156, 392].map(Currency::new);
        let of = |debits_posted, credits_pending| Account {
            debits_posted,
            credits_pending,
            ..Account::default()
        };
        let hashing = RandomState::with_seeds(1, 2, 3, 4);
        let mut book =
            AccountBook::new(vec![(key(1, yuan), of(5, 1)), (key(2, yen), of(7, 0))], hashing);
        assert_eq!(book.trial_balance(), walked(&book));
        let writes = [
            AccountWrite { index: 0, key: key(1, yuan), account: of(9, 0) },
            AccountWrite { index: 2, key: key(3, yuan), account: of(0, 3) },
        ];
        let tree = book.change(&writes);
        book.apply(&writes, &tree, None);
        assert_eq!(book.trial_balance(), walked(&book));
        assert_eq!(book.trial_balance().first().map(|sum| sum.debits_posted), Some(9));
    }
}
