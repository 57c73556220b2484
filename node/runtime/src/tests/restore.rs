//! A home made of block files alone.

use chain_store::{NewHome, back_up_blocks};
use chain_types::Signature;

use super::*;

/// The chain's blocks in a new home, with nothing else; the folder that holds it, and the home.
fn blocks_alone(chain: Chain) -> (TempDir, std::path::PathBuf) {
    let Chain { folder, genesis, state, store, archive, .. } = chain;
    drop((store, archive, state));
    let root = tempfile::tempdir().unwrap();
    let (backup, home) = (root.path().join("backup"), root.path().join("home"));
    let chain_id = genesis.chain_id;
    let copied = back_up_blocks(folder.path(), chain_id, &backup, &mut |_, _| {});
    let new = NewHome::begin(&home, chain_id).unwrap();
    new.copy_blocks(&backup, &copied.unwrap().unwrap().files, &mut |_, _| {}).unwrap();
    new.finish().unwrap();
    (root, home)
}

fn verified(home: &std::path::Path, genesis: &ChainGenesis) -> anyhow::Result<State> {
    opening::index_verified(home, genesis, StoreOptions::default(), &|_| {})
}

#[test]
fn blocks_alone_make_the_whole_home_again() {
    let mut chain = Chain::new();
    let roads = history(&mut chain);
    return_from_the_archive(&mut chain, &roads);
    let (genesis, digest) = (chain.genesis.clone(), read_state(&chain.state).digest());
    let windows = read_state(&chain.state).window();
    let proofs = |orders: &Orders| -> Vec<Option<RecordProof>> {
        (0..=windows.get())
            .map(|id| orders.window_proof(WindowId::new(id), false).unwrap())
            .collect()
    };
    let expected = proofs(&chain.orders());
    let (_root, folder) = blocks_alone(chain);
    assert_eq!(verified(&folder, &genesis).unwrap().digest(), digest);

    let home = opening::open(&folder, &genesis, StoreOptions::default(), true).unwrap();
    assert_eq!(home.opening.replayed_blocks, 0, "all of it is in the checkpoint");
    assert_eq!((home.guard_bytes, home.guard_is_copied), (None, false), "a newcomer's");
    assert!(home.log_entries.is_empty());
    let (state, store) = (home.state.clone(), home.store.clone());
    let again = Orders { genesis, state, store, lineages: Arc::default() };
    assert_eq!(read_state(&home.state).digest(), digest);
    assert_eq!(proofs(&again), expected);
}

#[test]
fn a_block_without_a_quorum_is_refused_with_its_height() {
    type Spoil = fn(&mut Certificate);
    let spoils: [(Spoil, &str); 3] = [
        (|certificate| certificate.signatures.truncate(1), "not above two thirds"),
        (
            |certificate| certificate.signatures[0].1 = Signature::from_bytes([1; 64]),
            "does not verify",
        ),
        (|certificate| certificate.round = Round::new(1), "does not verify"),
    ];
    for (spoil, words) in spoils {
        let mut chain = Chain::new();
        let _ = history(&mut chain);
        let height = chain.height().next();
        let (mut certificate, learned, _) = chain.uncommitted(200, Vec::new());
        spoil(&mut certificate);
        chain.store.commit(&certificate, learned).unwrap();
        let genesis = chain.genesis.clone();
        let (_root, folder) = blocks_alone(chain);
        let fault = format!("{:#}", verified(&folder, &genesis).unwrap_err());
        for words in [words, &format!("certificate of height {height}")] {
            assert!(fault.contains(words), "{fault}");
        }
    }
}

/// A log counts only together with the guard beside which it was written.
#[test]
fn a_copied_or_absent_guard_takes_the_log_with_it() {
    use chain_store::{CONSENSUS_LOG_FILE, Cell, IfMissing, Log, VOTE_GUARD_FILE};
    let mut chain = Chain::new();
    let _ = history(&mut chain);
    let (genesis, next) = (chain.genesis.clone(), chain.height().next());
    let Chain { folder, state, store, archive, .. } = chain;
    drop((store, archive, state));
    let guard = folder.path().join(VOTE_GUARD_FILE);
    let log = folder.path().join(CONSENSUS_LOG_FILE);
    let write = || {
        let mut cell = Cell::open(&guard, genesis.chain_id, IfMissing::Create).unwrap();
        cell.write(b"what was signed").unwrap();
        let mut log = Log::make_anew(&log, genesis.chain_id, next).unwrap();
        log.append(next, &[b"a vote"]).unwrap();
    };
    let open = || {
        let home = opening::open(folder.path(), &genesis, StoreOptions::default(), true).unwrap();
        (home.guard_bytes.is_some(), home.guard_is_copied, home.log_entries.len())
    };
    write();
    assert_eq!(open(), (true, false, 1), "where it was written");
    let bytes = std::fs::read(&guard).unwrap();
    std::fs::remove_file(&guard).unwrap();
    std::fs::write(&guard, bytes).unwrap();
    assert_eq!(open(), (true, true, 0), "copied");
    write();
    assert_eq!(open(), (true, false, 1), "written here");
    std::fs::remove_file(&guard).unwrap();
    assert_eq!(open(), (false, false, 0), "absent");
    write();
    std::fs::remove_file(&log).unwrap();
    assert_eq!(open(), (true, false, 0), "the log alone is made again");
}
