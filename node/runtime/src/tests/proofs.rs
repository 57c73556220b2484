//! Accounts are proven as any block left them, at a cost that hardly grows with their number.

use super::*;

#[test]
fn an_account_is_proven_as_any_block_left_it() {
    let mut chain = Chain::new();
    history(&mut chain);
    let orders = chain.orders();
    let keys: Vec<AccountKey> =
        chain.accounts.last().unwrap().iter().map(|(key, _)| *key).collect();
    assert!(keys.len() > chain.accounts[0].len(), "accounts came to be meanwhile");
    for (height, accounts) in (0..).map(Height::new).zip(&chain.accounts) {
        for key in &keys {
            let known = accounts.iter().find(|(other, _)| other == key);
            // `account_proof` compares each proof with the block's own digest.
            let proof = orders.account_proof(key, height).unwrap();
            let proven = proof.map(|proof| (proof.key, proof.account));
            assert_eq!(proven, known.copied(), "{key:?} at {height}");
        }
    }
    let beyond = orders.account_proof(&keys[0], chain.height().next());
    assert!(matches!(beyond, Err(ReadFault::Inconsistent { .. })));
}

/// The rows that a proof may read of the index: the account's own, and 15 of each kept level that
/// a tree of `accounts` reaches.
fn rows_max(accounts: usize) -> u64 {
    1 + 15 * u64::from(accounts.ilog2() / 4 + 1)
}

/// A chain of so many gateways' accounts beside the usual ones.
fn chain_of_many(count: u32) -> Chain {
    let mut genesis = genesis();
    let line = |gateway| LiquidityLine {
        gateway: ParticipantId::new(gateway),
        currency: CNY,
        net_debit_cap: Amount::new(1),
        opening_liquidity: Amount::new(u64::from(gateway % 2)),
    };
    genesis.liquidity.extend((1_000..1_000 + count).map(line));
    Chain::of(genesis)
}

#[test]
fn a_proof_reads_few_rows_among_many_accounts() {
    let mut chain = chain_of_many(5_000);
    for _ in 0..3 {
        let order = chain.recharge(1_000, Flags::COLLECTED);
        assert_eq!(chain.say(BANK_A, order), Outcome::APPLIED);
    }
    let orders = chain.orders();
    let rows = || chain.store.counters().account_rows_read;
    let bank = AccountKey::liquidity(BANK_A, CNY);
    let silent = AccountKey::liquidity(ParticipantId::new(5_000), CNY);
    for key in [bank, silent, AccountKey::payable(SHOP, CNY)] {
        for height in (1..=chain.height().get()).map(Height::new) {
            let before = rows();
            let proof = orders.account_proof(&key, height).unwrap().unwrap();
            let read = rows() - before;
            let known =
                chain.accounts[height.get() as usize].iter().find(|(other, _)| *other == key);
            assert_eq!(Some(&(proof.key, proof.account)), known);
            assert!(read <= rows_max(5_004), "{read} rows for {key:?} at {height}");
            assert!(height < chain.height() || read == 0, "the head's tree is in memory");
        }
    }
}

#[test]
fn an_index_without_the_trees_nodes_says_so() {
    // The nodes above sixteen accounts are rows; those below are made from the accounts' entries.
    let mut chain = chain_of_many(40);
    for _ in 0..2 {
        chain.block(200, Vec::new());
    }
    // An index as an earlier version made it.
    let folder = tempfile::tempdir().unwrap();
    let (store, _) =
        Store::open(folder.path(), chain.genesis.chain_id, StoreOptions::default()).unwrap();
    let opening = opening::genesis_records(&chain.genesis);
    store.reindex(Height::new(0), BlockRecords { account_nodes: Vec::new(), ..opening }).unwrap();
    let orders = Orders { store: Arc::new(store), ..chain.orders() };
    let key = AccountKey::liquidity(BANK_A, CNY);
    let proof = orders.account_proof(&key, Height::new(0));
    let Err(ReadFault::AccountProofNotKept(height)) = proof else { panic!("{proof:?}") };
    assert_eq!(height, Height::new(0));
}
