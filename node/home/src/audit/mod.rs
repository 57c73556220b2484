//! A home through the settlement rules' second implementation: its blocks, and nothing else, by the
//! independent auditor; then what the node keeps of them against what the auditor worked out.

mod differences;
pub mod verdict;

use anyhow::Context as _;
use chain_store::Store;
use chain_types::{
    Block, BlockHeader, Certificate, ChainGenesis, Equivocation, HashedBatch, Height, Outcome,
    VerifiedBatch,
};
use node_auditor::Auditor;

pub use self::differences::{
    account_differences, breach_differences, instruction_differences, sla_differences,
    window_differences,
};
use crate::blocks::{DecidedBlock, blocks, outcomes};
use crate::keys::KeyHistory;

/// A block as anybody can read it.
#[derive(Debug, Clone)]
pub struct ReadBlock {
    /// The header of the block.
    pub header: BlockHeader,
    /// The word of those who decided it.
    pub certificate: Certificate,
    /// Its evidence against validators.
    pub evidence: Vec<Equivocation>,
    /// Its batches, with signatures and roots checked.
    pub batches: Vec<VerifiedBatch>,
    /// The outcomes of their items, as the node has them.
    pub outcomes: Vec<Vec<Outcome>>,
}

/// The result of an audit of a home's blocks.
#[derive(Debug)]
pub struct Audited {
    /// The books of the rules.
    pub auditor: Auditor,
    /// Blocks that are as the rules say.
    pub blocks: u64,
    /// Items in them, each with the outcome that the rules give.
    pub items: u64,
    /// The first thing that is not.
    pub finding: Option<String>,
}

/// Audits the blocks of a home up to `last`. `watch` learns of each height.
///
/// # Errors
/// When the home cannot be read, or a batch does not verify.
pub fn audit_home(
    store: &Store,
    genesis: &ChainGenesis,
    last: Height,
    watch: &dyn Fn(Height),
) -> anyhow::Result<Audited> {
    let keys = KeyHistory::read(store, genesis)?;
    let prepare = |decided| ReadBlock::verify(decided, store, &keys);
    std::thread::scope(|scope| {
        let blocks = blocks(scope, store, genesis.chain_id, Height::new(1)..=last, prepare);
        audit(
            genesis,
            blocks.zip(1..).map(|(block, height)| {
                watch(Height::new(height));
                block
            }),
        )
    })
}

/// Takes blocks through the rules until one is not as these say.
///
/// # Errors
/// The first error of `blocks`.
pub fn audit(
    genesis: &ChainGenesis,
    blocks: impl Iterator<Item = anyhow::Result<ReadBlock>>,
) -> anyhow::Result<Audited> {
    let auditor = Auditor::new(genesis);
    let mut audited = Audited { auditor, blocks: 0, items: 0, finding: None };
    for block in blocks {
        let ReadBlock { header, certificate, evidence, batches, outcomes } = block?;
        let certificate = Some(&certificate);
        let judged =
            audited.auditor.whole_block(&header, certificate, &evidence, &batches, &outcomes);
        if let Err(finding) = judged {
            audited.finding = Some(finding.to_string());
            break;
        }
        audited.blocks += 1;
        audited.items += outcomes.iter().map(|batch| batch.len() as u64).sum::<u64>();
    }
    Ok(audited)
}

impl ReadBlock {
    /// Verifies the batches of a block with the keys that held at its height. Adds the outcomes.
    fn verify(decided: DecidedBlock, store: &Store, keys: &KeyHistory) -> anyhow::Result<Self> {
        let DecidedBlock { block, certificate, batches } = decided;
        let height = block.header.height;
        let verify = |batch: HashedBatch| batch.verify(|id| keys.keys(height, id));
        let batches = batches.into_iter().map(verify).collect::<Result<_, _>>();
        let batches = batches.with_context(|| format!("a batch of block {height}"))?;
        let outcomes = outcomes(store, height)?;
        let Block { header, evidence, .. } = block;
        Ok(Self { header, certificate, evidence, batches, outcomes })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chain_state::State;
    use chain_store::StoreOptions;
    use chain_types::{BlockHash, ChainId, Digest, Rejection, TimeMs, ValidatorId};

    use super::*;
    use crate::opening;
    use crate::test_chain::{GATEWAYS, SHOP, TestChain};
    use rpc_client::operations::OperationKind;

    /// A digest of nothing in a chain.
    const ANOTHER: Digest = Digest::from_bytes([1; 32]);

    /// A chain of four blocks with orders, one of them refused; its blocks, and its last state.
    pub fn chain() -> (ChainGenesis, Vec<ReadBlock>, State, tempfile::TempDir) {
        let mut chain = TestChain::new(TimeMs::new(1_790_000_000_000));
        for (later_ms, amount) in [(1_000, "12.34"), (1_000, "5000000.00"), (20_000, "7.00")] {
            let [gateway, ..] = GATEWAYS;
            let text = format!("{SHOP},{gateway},{amount},CNY");
            let said = chain.operations(gateway, OperationKind::Collected, &text);
            chain.block(later_ms, &[(gateway, said)]);
        }
        chain.block(1_000, &[]);
        let (genesis, folder) = chain.close();
        let (store, state) =
            opening::open_to_read(folder.path(), &genesis, StoreOptions::default()).unwrap();
        let keys = KeyHistory::read(&store, &genesis).unwrap();
        let prepare = |decided| ReadBlock::verify(decided, &store, &keys);
        let heights = Height::new(1)..=state.height();
        let blocks = std::thread::scope(|scope| {
            let read = blocks(scope, &store, genesis.chain_id, heights, prepare);
            read.collect::<anyhow::Result<Vec<_>>>().unwrap()
        });
        let audited = audit_home(&store, &genesis, state.height(), &|_| {}).unwrap();
        assert_eq!(audited.finding, None);
        for differences in [window_differences, instruction_differences, breach_differences] {
            assert_eq!(differences(&audited.auditor, &store).unwrap(), Vec::<String>::new());
        }
        (genesis, blocks, state, folder)
    }

    fn run(genesis: &ChainGenesis, blocks: Vec<ReadBlock>) -> Audited {
        audit(genesis, blocks.into_iter().map(Ok)).unwrap()
    }

    fn finding(genesis: &ChainGenesis, blocks: Vec<ReadBlock>) -> String {
        run(genesis, blocks).finding.expect("a finding")
    }

    #[test]
    fn an_honest_home_is_as_the_rules_say() {
        let (genesis, blocks, state, _folder) = chain();
        let audited = run(&genesis, blocks);
        assert_eq!((audited.finding.as_deref(), audited.blocks, audited.items), (None, 4, 3));
        assert_eq!(account_differences(&audited.auditor, &state), Vec::<String>::new());
        assert_eq!(sla_differences(&audited.auditor, &state), Vec::<String>::new());
    }

    #[test]
    fn an_outcome_that_was_tampered_with_is_found_with_its_place() {
        let (genesis, blocks, ..) = chain();
        let mut forged = blocks.clone();
        forged[0].outcomes[0][0] = Outcome::from(Rejection::LiquidityExceeded);
        let found = finding(&genesis, forged);
        assert!(found.contains("block 1, batch 0, item 0"), "{found}");
        let mut forged = blocks;
        assert_ne!(forged[1].outcomes[0][0], Outcome::APPLIED);
        forged[1].outcomes[0][0] = Outcome::APPLIED;
        let found = finding(&genesis, forged);
        assert!(found.contains("block 2, batch 0, item 0"), "{found}");
    }

    #[test]
    fn a_block_that_is_missing_or_has_other_batches_is_found() {
        let (genesis, blocks, ..) = chain();
        let mut gap = blocks.clone();
        gap.remove(2);
        let found = finding(&genesis, gap);
        assert!(found.contains("block 3, certificate: expected block"), "{found}");
        let mut forged = blocks;
        forged[2].batches.clear();
        let found = finding(&genesis, forged);
        assert!(found.contains("block 3"), "{found}");
    }

    #[test]
    fn a_header_or_a_certificate_that_says_otherwise_is_found() {
        let (genesis, blocks, ..) = chain();
        type Forgery = fn(&mut ReadBlock);
        let rows: [(&str, Forgery); 10] = [
            ("parent", |block| block.header.parent = BlockHash::new(ANOTHER)),
            ("chain id", |block| block.header.chain_id = ChainId::new(ANOTHER)),
            ("proposer", |block| block.header.proposer = ValidatorId::new(9)),
            ("batches root", |block| block.header.batches_root = ANOTHER),
            ("results root", |block| block.header.results_root = ANOTHER),
            ("parameters hash", |block| block.header.parameters_hash = ANOTHER),
            ("validators hash", |block| block.header.validators_hash = ANOTHER),
            ("next validators hash", |block| block.header.next_validators_hash = ANOTHER),
            ("party count", |block| block.header.party_count += 1),
            ("parties root", |block| block.header.parties_root = ANOTHER),
        ];
        for (what, forgery) in rows {
            let mut forged = blocks.clone();
            forgery(&mut forged[1]);
            // Whoever forges a header and has no validators' keys:
            let found = finding(&genesis, forged.clone());
            assert!(found.starts_with("block 2, certificate: expected block"), "{what}: {found}");
            // And who has them all.
            let mut auditor = Auditor::new(&genesis);
            let judged: Result<(), _> = forged.iter().try_for_each(|block| {
                let ReadBlock { header, evidence, batches, outcomes, .. } = block;
                auditor.whole_block(header, None, evidence, batches, outcomes)
            });
            let found = judged.expect_err(what).to_string();
            assert!(
                found.contains(&format!("block 2, header: expected {what}"))
                    || found.contains("block 2, header: expected a proposer"),
                "{what}: {found}"
            );
        }
        let mut forged = blocks;
        forged[1].certificate.signatures.truncate(2);
        let found = finding(&genesis, forged);
        assert!(found.contains("block 2, certificate: expected a quorum's signatures"), "{found}");
    }

    #[test]
    fn books_that_are_not_the_auditor_s_are_told_apart() {
        let (genesis, mut blocks, state, folder) = chain();
        // The auditor misses the last orders: liquidity and payable differ.
        blocks.truncate(2);
        let audited = run(&genesis, blocks);
        let found = account_differences(&audited.auditor, &state);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].contains(&format!(":{SHOP}:")), "{found:?}");
        // And a close of a window, with what it instructs.
        let (store, _) =
            opening::open_to_read(folder.path(), &genesis, StoreOptions::default()).unwrap();
        let found = window_differences(&audited.auditor, &store).unwrap();
        assert!(found.len() == 1 && found[0].starts_with("window 0: "), "{found:?}");
        let found = instruction_differences(&audited.auditor, &store).unwrap();
        assert!(found.len() == 1 && found[0].contains("not by the rules"), "{found:?}");
    }
}
