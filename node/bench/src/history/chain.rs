//! A validator's home that grows block by block, written as a node writes it: executed, staged with
//! a sync, applied, committed with a quorum's certificate, with checkpoints. Only agreement is left
//! out: all validators' keys are here, and they vote for every block.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chain_state::State;
use chain_store::{BlockRecords, ChainStore as _, StoreOptions};
use chain_types::batch::{BatchItem, Items};
use chain_types::registry::validator_of_keys;
use chain_types::{
    Block, Certificate, ChainGenesis, Digest, ExecutedBlock, Height, OrderId, ParticipantId, Roles,
    Round, SecretKey, SignedBatch, TimeMs, ValidatorId, VerifiedBatch, Vote, VoteStep,
};
use contracts::{BlockContext, execute};
use genesis::{NetworkFolder, NodeConfig, ParticipantConfig};
use node_console::exit::{Exit, WithExit as _};
use node_home::opening::{self, Home, Opening};
use node_home::orders::Orders;
use node_replica::{Checkpoint, CheckpointInterval, Past, SinceCheckpoint, read_state};
use node_runtime::{checkpoint_interval, store_options};
use rpc_client::orders::Entropy;
use zerocopy::{Immutable, IntoBytes};

use super::cost::{WorkCost, costing, forget_pages};

/// Orders that are remembered, to be read later.
const SAMPLES_MAX: usize = 16_384;
/// How many of each batch are offered.
const SAMPLES_A_BATCH: usize = 16;
/// How long after the block a batch of the scheme's own parties may commit, in milliseconds: less
/// than the least that the chain's parameters allow.
const VALID_MS: u64 = 5_000;

/// The cost of the steps of blocks, as far as the deciding thread does them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Steps {
    /// Executing, with the block's roots and digest.
    pub execute: WorkCost,
    /// Block and payload to disk, synced.
    pub stage: WorkCost,
    /// Changing the state, and sorting the orders that leave it.
    pub apply: WorkCost,
    /// The certificate, the index's rows, handing on of the orders that left.
    pub commit: WorkCost,
    /// Making checkpoints and writing them.
    pub checkpoint: WorkCost,
}

/// A checkpoint that was taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken {
    /// The length of the checkpoint in bytes.
    pub bytes: u64,
    /// Copying the state, which holds the driver up.
    pub copying: Duration,
    /// Making bytes of the copy and writing them, and waiting for all runs to be in the index:
    /// at leisure.
    pub writing: Duration,
}

/// A party that signs.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The participant that signs.
    pub id: ParticipantId,
    /// The key that signs its batches.
    pub key: SecretKey,
    roles: Roles,
}

/// The parts that stay the same however often the home is opened.
struct Ground {
    genesis: Arc<ChainGenesis>,
    node: NodeConfig,
    validators: Vec<(ValidatorId, SecretKey)>,
    signers: Vec<Signer>,
}

/// The home and what is known of it.
pub struct HistoryChain {
    ground: Ground,
    home: Home,
    /// The cost of its blocks since this was last taken.
    pub steps: Steps,
    /// The checkpoint that was taken last.
    pub checkpoint: Taken,
    since_checkpoint: SinceCheckpoint,
    /// Orders in its blocks.
    pub orders: u64,
    samples: Vec<OrderId>,
    offered: u64,
    entropy: Entropy,
}

impl HistoryChain {
    /// A chain at its genesis, in the home of the network's first validator.
    ///
    /// # Errors
    /// When the folder lacks a key or cannot be used.
    pub fn create(
        network: &NetworkFolder,
        genesis: ChainGenesis,
        checkpoint_blocks: Option<u64>,
    ) -> anyhow::Result<Self> {
        let nodes = network.nodes.iter().filter(|node| node.is_validator);
        let mut configs = nodes.map(|node| NodeConfig::load(&node.config));
        let mut node = configs.next().context("the network has no validator")?.exit(Exit::Usage)?;
        node.store.checkpoint_blocks = checkpoint_blocks.unwrap_or(node.store.checkpoint_blocks);
        let mut validators = Vec::new();
        for config in std::iter::once(Ok(node.clone())).chain(configs) {
            let identity = config.and_then(|config| config.identity())?;
            let network_key = identity.network_key.public_key();
            let vote = identity.validator_key.context("a validator's key is missing")?;
            let id = validator_of_keys(&genesis.nodes, network_key, vote.public_key());
            validators.push((id.context("keys of no validator")?, vote));
        }
        validators.sort_unstable_by_key(|(id, _)| *id);
        let mut signers = Vec::new();
        for folder in &network.participants {
            let (_, key) = ParticipantConfig::load(&folder.config)?.open()?;
            let id = ParticipantId::new(folder.id);
            let roles = genesis.participant(id).map(|known| known.roles).context("a stranger")?;
            signers.push(Signer { id, key, roles });
        }
        let ground = Ground { genesis: Arc::new(genesis), node, validators, signers };
        let (home, steps) = (ground.open()?, Steps::default());
        let (checkpoint, samples, entropy) = (Taken::default(), Vec::new(), Entropy::fresh()?);
        let since_checkpoint = SinceCheckpoint::new(checkpoint_interval(&ground.node));
        Ok(Self {
            ground,
            home,
            steps,
            checkpoint,
            since_checkpoint,
            orders: 0,
            samples,
            offered: 0,
            entropy,
        })
    }

    /// The chain's registry at its beginning.
    pub fn genesis(&self) -> &ChainGenesis {
        &self.ground.genesis
    }

    /// How far checkpoints may lie apart.
    pub fn checkpoints(&self) -> CheckpointInterval {
        checkpoint_interval(&self.ground.node)
    }

    /// Calls `read` with the committed state.
    pub fn state<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&read_state(&self.home.state))
    }

    /// The height and the state's digest.
    pub fn head(&self) -> (Height, Digest) {
        self.state(|state| (state.height(), state.digest()))
    }

    /// Returns the store of the home.
    pub fn store(&self) -> &chain_store::Store {
        &self.home.store
    }

    /// Returns the reader with which a node reads orders.
    pub fn reader(&self) -> Orders {
        Orders {
            genesis: self.ground.genesis.clone(),
            state: self.home.state.clone(),
            store: self.home.store.clone(),
            lineages: Arc::default(),
        }
    }

    /// At most so many orders, in random order, that have left the state's memory.
    pub fn old_orders(&mut self, count_max: usize) -> Vec<OrderId> {
        let state = read_state(&self.home.state);
        let is_old = |id: &&OrderId| state.order(id).is_none();
        let mut old: Vec<OrderId> = self.samples.iter().filter(is_old).copied().collect();
        drop(state);
        for at in (1..old.len()).rev() {
            let other = self.entropy.below(at as u64 + 1);
            old.swap(at, usize::try_from(other).unwrap_or(at));
        }
        old.truncate(count_max);
        old
    }

    /// The parties of a role.
    pub fn signers(&self, role: Roles) -> impl Iterator<Item = &Signer> {
        self.ground.signers.iter().filter(move |signer| signer.roles.any_of(role))
    }

    /// `signer` says `items` in the block of a time.
    ///
    /// # Errors
    /// When the batch does not verify.
    pub fn say<T: BatchItem + IntoBytes + Immutable>(
        &self,
        signer: &Signer,
        time: TimeMs,
        items: &[T],
    ) -> anyhow::Result<VerifiedBatch> {
        let chain_id = self.ground.genesis.chain_id;
        let until = time.plus(VALID_MS);
        let bytes = SignedBatch::sign(chain_id, signer.id, &signer.key, until, items);
        let keys = |id| self.state(|state| state.party_keys(id).copied());
        Ok(SignedBatch::decode(bytes.into())?.verify(chain_id, keys)?)
    }

    /// Decides a block of `batches`.
    ///
    /// # Errors
    /// When an item is not applied, or the store fails.
    pub fn decide(&mut self, time: TimeMs, batches: Vec<VerifiedBatch>) -> anyhow::Result<()> {
        let home = &mut self.home;
        let state = read_state(&home.state);
        let height = state.height().next();
        let proposer = home.proposers.proposer(state.validators(), height, Round::new(0));
        let context = BlockContext {
            height,
            round: Round::new(0),
            parent_round: Round::new(0),
            proposer,
            time,
        };
        let past = Past { state: &state, archive: &*home.archive };
        let executed =
            costing(&mut self.steps.execute, || execute(&state, &context, &batches, &[], &past))?;
        home.archive.check()?;
        let (validators, penalty) =
            (state.validators().clone(), state.parameters().proposer_penalty_heights);
        drop(state);
        let mut writes = executed.writes;
        let staged = ExecutedBlock { block: executed.block, batches, outcomes: executed.outcomes };
        all_applied(&staged)?;
        costing(&mut self.steps.stage, || home.store.stage(&staged))?;
        let certificate = self.ground.certificate(&staged.block);
        home.proposers.note(&staged.block, &validators, penalty);
        let learned = BlockRecords::take(&mut writes);
        let retired = costing(&mut self.steps.apply, || home.state.apply(writes));
        let learned = BlockRecords { retired, ..learned };
        costing(&mut self.steps.commit, || home.store.commit(&certificate, learned))?;
        self.count(&staged.batches);
        let orders = SinceCheckpoint::orders_of(&staged.outcomes);
        if self.since_checkpoint.note_block(height, orders) {
            self.take_checkpoint()?;
        }
        Ok(())
    }

    /// Takes a checkpoint of the state as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub fn take_checkpoint(&mut self) -> anyhow::Result<()> {
        let home = &self.home;
        let mut taken = Taken::default();
        let begun = Instant::now();
        let snapshot = home.state.snapshot().context("a checkpoint is being copied already")?;
        let (height, _) = home.state.head();
        let copying = begun.elapsed();
        let written = costing(&mut self.steps.checkpoint, || {
            let mut bytes = 0;
            let pieces = Checkpoint::pieces_of(snapshot.into_pieces(), &home.proposers);
            let mut pieces = pieces.inspect(|piece| bytes += piece.len() as u64);
            let written = home.store.checkpoint_of(height, &mut pieces);
            drop(pieces);
            taken = Taken { bytes, copying, writing: begun.elapsed() - copying };
            written
        });
        written?;
        self.checkpoint = taken;
        self.since_checkpoint = SinceCheckpoint::new(self.checkpoints());
        Ok(())
    }

    /// Closes the home and opens it again as a node does that starts, with none of its files in
    /// memory.
    ///
    /// # Errors
    /// When it cannot be opened, or its state is not what it was.
    pub fn reopen(self) -> anyhow::Result<(Self, Opening)> {
        let before = self.head();
        let Self { ground, home, .. } = self;
        drop(home);
        forget_pages(&ground.node.home)?;
        super::cost::restart_memory_peak();
        let home = ground.open()?;
        let opening = home.opening;
        let chain = Self { ground, home, steps: Steps::default(), ..self };
        let after = chain.head();
        anyhow::ensure!(
            before == after,
            "the home was at height {} with digest {} and opens at {} with {}",
            before.0,
            before.1,
            after.0,
            after.1
        );
        Ok((chain, opening))
    }

    fn count(&mut self, batches: &[VerifiedBatch]) {
        for batch in batches {
            let Items::Recharge(items) = batch.items() else { continue };
            self.orders += items.len() as u64;
            for _ in 0..SAMPLES_A_BATCH {
                let at = usize::try_from(self.entropy.below(items.len() as u64)).unwrap_or(0);
                if let Some(item) = items.get(at) {
                    self.offer(item.order_id());
                }
            }
        }
    }

    /// Keeps an order so that all that were ever offered are equally likely to be kept.
    fn offer(&mut self, id: OrderId) {
        self.offered += 1;
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push(id);
            return;
        }
        let at = usize::try_from(self.entropy.below(self.offered)).unwrap_or(usize::MAX);
        if let Some(kept) = self.samples.get_mut(at) {
            *kept = id;
        }
    }
}

impl Ground {
    fn open(&self) -> anyhow::Result<Home> {
        let options: StoreOptions = store_options(&self.node);
        opening::open(&self.node.home, &self.genesis, options, true)
    }

    /// The precommits of all validators.
    fn certificate(&self, block: &Block) -> Certificate {
        let (height, round, hash) = (block.header.height, block.header.round, block.hash());
        let vote = Vote { height, round, step: VoteStep::Precommit, block: Some(hash) };
        let digest = vote.digest(self.genesis.chain_id);
        let signatures = self.validators.iter().map(|(id, key)| (*id, key.sign(&digest)));
        Certificate { height, round, block: hash, signatures: signatures.collect() }
    }
}

fn all_applied(staged: &ExecutedBlock) -> anyhow::Result<()> {
    for (batch, outcomes) in staged.batches.iter().zip(&staged.outcomes) {
        if let Some(at) = outcomes.iter().position(|outcome| !outcome.is_applied()) {
            let (kind, outcome) = (batch.kind().name(), outcomes.get(at).copied());
            anyhow::bail!("{kind} {at} was not applied: {outcome:?}");
        }
    }
    Ok(())
}
