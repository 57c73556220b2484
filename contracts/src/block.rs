//! Execution of a block: what it makes of its batches, and the header that says so.
//!
//! Order: evidence is recorded; the window closes if its time is over; reservations and holds past
//! their validity end; instructions past their deadline are noticed; transfers, settlements and
//! proposals that nobody decided end; then the batches, in the order of the block; last, governance
//! changes whose height is next.

use std::collections::BTreeSet;

use chain_state::{
    BLOCK_BATCHES_LIMIT, EntryCause, History, Location, Overlay, State, WriteSet,
    check_batch_timely,
};
use chain_types::batch::Items;
use chain_types::block::{batches_root, outcomes_root, results_root};
use chain_types::evidence::evidence_root;
use chain_types::parameters::PROTOCOL_VERSION;
use chain_types::{
    BatchError, BatchId, BatchKind, Block, BlockHeader, Digest, Equivocation, Height, Outcome,
    Participant, RechargeItem, Round, TimeMs, ValidatorId, VerifiedBatch,
};

use crate::evidence::EvidenceError;
use crate::lane::Lanes;
use crate::{
    admission, bounces, consents, evidence as caught, fx, governance, holds, instructions, lines,
    liquidity, lists, orders, periods, registrars, reservations, returns, risk, settlement, sla,
    stepping_in, users, windows,
};

/// The part of a block that its proposer decides, besides its batches and evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockContext {
    /// Its position: the state's height and one.
    pub height: Height,
    /// The round in which it is proposed.
    pub round: Round,
    /// The round in which its parent was decided.
    pub parent_round: Round,
    /// The validator of the height that proposes it.
    pub proposer: ValidatorId,
    /// Block time: later than the parent's.
    pub time: TimeMs,
}

/// The results of a block's execution.
#[derive(Debug)]
pub struct Executed {
    /// The header, with the digests of results and state, the ids of the batches, the evidence.
    pub block: Block,
    /// The outcome of each item of each batch.
    pub outcomes: Vec<Vec<Outcome>>,
    /// The changes that it makes to the state.
    pub writes: WriteSet,
}

/// Why no valid block has this context and these batches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The height is not the next one.
    #[error("the block is of height {actual}, the next is {expected}")]
    Height {
        /// The value of the block's context.
        actual: Height,
        /// The height after the state's.
        expected: Height,
    },
    /// The time is not later than the parent's.
    #[error("block time {actual} is not after its parent's, {parent}")]
    Time {
        /// The value of the block's context.
        actual: TimeMs,
        /// The time of the parent block.
        parent: TimeMs,
    },
    /// The proposer is not a validator of the height.
    #[error("proposer {0} is not a validator of this height")]
    Proposer(ValidatorId),
    /// Block one names a round in which block zero was decided.
    #[error("nobody decided block zero, and block one names round {0} of it")]
    ParentRound(Round),
    /// It holds more batches than the parameters allow.
    #[error("{actual} batches; at most {limit}")]
    Batches {
        /// How many it holds.
        actual: usize,
        /// How many it may hold.
        limit: u32,
    },
    /// Its batches hold more items than the parameters allow.
    #[error("{actual} items; at most {limit}")]
    Items {
        /// How many they hold.
        actual: u64,
        /// How many they may hold.
        limit: u32,
    },
    /// Its batches hold more returns than the parameters allow.
    #[error("{actual} returns; at most {limit}")]
    Returns {
        /// How many they hold.
        actual: u64,
        /// How many they may hold.
        limit: u32,
    },
    /// The chain has gone on to a protocol version that this code does not execute.
    #[error("the chain executes protocol version {0}; install a newer sluice")]
    Version(u16),
    /// A batch is of another chain, of nobody that the chain knows, or signed with a key that its
    /// submitter does not have at the height.
    #[error("batch {id} has no author: {source}")]
    Author {
        /// The id of the batch.
        id: BatchId,
        /// Rejection 107, 108 or 109.
        source: BatchError,
    },
    /// A batch is already in the chain, or twice in the block.
    #[error("batch {0} is repeated")]
    BatchRepeated(BatchId),
    /// Its evidence breaks a rule.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

/// Executes a block on the state of its parent. Pure: the same arguments give the same result on
/// every node; `history` is the chain up to the parent, and answers alike everywhere.
///
/// # Errors
/// [`BlockError`] when no valid block has this context, these batches and this evidence.
pub fn execute(
    state: &State,
    context: &BlockContext,
    batches: &[VerifiedBatch],
    evidence: &[Equivocation],
    history: &dyn History,
) -> Result<Executed, BlockError> {
    let submitters = check_form(state, context, batches)?;
    caught::check_all(state, evidence)?;
    let orders = batches.iter().filter(|batch| batch.kind() == BatchKind::Recharge);
    let order_count = orders.map(|batch| batch.count() as usize).sum();
    let mut overlay = Overlay::new(state, context.time, order_count);
    users::forget(&mut overlay);
    caught::record(&mut overlay, evidence);
    windows::close_if_due(&mut overlay);
    reservations::expire(&mut overlay);
    holds::expire(&mut overlay);
    sla::notice_overdue(&mut overlay);
    liquidity::expire(&mut overlay);
    settlement::expire(&mut overlay);
    governance::expire(&mut overlay);
    lists::expire(&mut overlay);
    fx::forget(&mut overlay);
    returns::forget(&mut overlay);
    bounces::forget(&mut overlay);
    periods::forget(&mut overlay);
    let mut lanes = Lanes::new(&overlay);
    let outcomes: Vec<Vec<Outcome>> = (0_u32..)
        .zip(batches.iter().zip(submitters))
        .map(|(index, (batch, submitter))| {
            run(&mut overlay, &mut lanes, index, (batch, submitter), history)
        })
        .collect();
    lanes.end(&mut overlay);
    governance::activate(&mut overlay);
    periods::note_changes(&mut overlay);
    let window = overlay.window().id;
    let next_validators_hash = overlay.next_validators_hash();
    let changes = overlay.finish();
    let (record_count, records_root) = changes.records_root();
    let (validators_hash, parameters_hash) = state.registry_hashes();
    let (parties, parties_root) = state.parties();
    let ids: Vec<BatchId> = batches.iter().map(VerifiedBatch::id).collect();
    let roots: Vec<Digest> = outcomes.iter().map(|codes| outcomes_root(codes)).collect();
    let header = BlockHeader {
        protocol_version: state.protocol_version(),
        chain_id: state.chain_id(),
        height: context.height,
        round: context.round,
        parent_round: context.parent_round,
        proposer: context.proposer,
        time: context.time,
        window,
        parent: state.block_hash(),
        // `check_form` held it against a 32-bit limit.
        batch_count: u32::try_from(ids.len()).unwrap_or(u32::MAX),
        batches_root: batches_root(&ids),
        evidence_count: u32::try_from(evidence.len()).unwrap_or(u32::MAX),
        evidence_root: evidence_root(evidence),
        results_root: results_root(&roots),
        state_digest: changes.digest(),
        validators_hash,
        next_validators_hash,
        parameters_hash,
        party_count: u32::try_from(parties.len()).unwrap_or(u32::MAX),
        parties_root,
        record_count,
        records_root,
    };
    let writes = changes.seal(&header);
    Ok(Executed {
        block: Block { header, batches: ids, evidence: evidence.to_vec() },
        outcomes,
        writes,
    })
}

/// Checks that a block may have this context and these batches. Returns each batch's submitter.
fn check_form<'a>(
    state: &'a State,
    context: &BlockContext,
    batches: &[VerifiedBatch],
) -> Result<Vec<&'a Participant>, BlockError> {
    if state.protocol_version() > PROTOCOL_VERSION {
        return Err(BlockError::Version(state.protocol_version()));
    }
    let expected = state.height().next();
    if context.height != expected {
        return Err(BlockError::Height { actual: context.height, expected });
    }
    if context.time <= state.time() {
        return Err(BlockError::Time { actual: context.time, parent: state.time() });
    }
    if expected == Height::new(1) && context.parent_round != Round::new(0) {
        return Err(BlockError::ParentRound(context.parent_round));
    }
    if state.validators().get(context.proposer).is_none() {
        return Err(BlockError::Proposer(context.proposer));
    }
    let limit = state.parameters().block_batches_max.min(BLOCK_BATCHES_LIMIT);
    if batches.len() > limit as usize {
        return Err(BlockError::Batches { actual: batches.len(), limit });
    }
    let actual = batches.iter().map(|batch| u64::from(batch.count())).sum();
    let limit = state.parameters().block_items_max;
    if actual > u64::from(limit) {
        return Err(BlockError::Items { actual, limit });
    }
    let returns = batches.iter().filter(|batch| batch.kind().counts_as_returns());
    let actual = returns.map(|batch| u64::from(batch.count())).sum();
    let limit = state.parameters().block_returns_max;
    if actual > u64::from(limit) {
        return Err(BlockError::Returns { actual, limit });
    }
    let mut seen = BTreeSet::new();
    for id in batches.iter().map(VerifiedBatch::id) {
        if !seen.insert(id) || state.batch_location(&id).is_some() {
            return Err(BlockError::BatchRepeated(id));
        }
    }
    let author = |batch| {
        let refused = |source| BlockError::Author { id: VerifiedBatch::id(batch), source };
        admission::check_author(state, batch).map_err(refused)
    };
    batches.iter().map(author).collect()
}

/// The outcomes of one batch's items.
fn run<'a>(
    overlay: &mut Overlay<'a>,
    lanes: &mut Lanes<'a>,
    index: u32,
    (batch, submitter): (&VerifiedBatch, &Participant),
    history: &dyn History,
) -> Vec<Outcome> {
    let (state, time) = (overlay.state(), overlay.time());
    let valid_until = batch.header().valid_until;
    if check_batch_timely(state.parameters(), valid_until, time).is_ok() {
        // Also one that is refused below: no batch is in the chain twice while it could apply.
        overlay.record_batch(batch.id(), valid_until, index);
    }
    if let Err(refused) = admission::check_batch(state, batch, submitter, time) {
        return vec![refused.rejection.into(); batch.count() as usize];
    }
    if !matches!(batch.kind(), BatchKind::Recharge | BatchKind::Collect) {
        // It may change what the lanes looked up.
        lanes.end(overlay);
    }
    overlay.begin(EntryCause::Batch(index));
    let first = Location { height: overlay.height(), batch: index, item: 0 };
    let places = (0_u32..).map(|item| Location { item, ..first });
    // Operations that move money under a cause of their own leave the batch's behind.
    macro_rules! each {
        ($items:expr, |$item:ident, $at:ident, $leaf:ident| $apply:expr) => {
            (places.zip($items).zip(batch.leaves())).map(|(($at, $item), $leaf)| $apply).collect()
        };
        ($items:expr, $apply:path) => {
            each!($items, |item, _at, _leaf| $apply(overlay, submitter, item))
        };
        ($items:expr, $apply:path, at) => {
            each!($items, |item, at, _leaf| $apply(overlay, submitter, item, at))
        };
        ($items:expr, $apply:path, history) => {
            each!($items, |item, _at, _leaf| $apply(overlay, submitter, item, history))
        };
        ($items:expr, $apply:path, at, history) => {
            each!($items, |item, at, _leaf| $apply(overlay, submitter, item, at, history))
        };
    }
    match batch.items() {
        Items::Recharge(items) => submit(overlay, lanes, (batch, submitter), items, places),
        Items::Collect(items) => each!(items, |item, at, _leaf| {
            reservations::collect(overlay, submitter, item, at, lanes)
        }),
        Items::Debiting(items) => each!(items, reservations::debit, at),
        Items::Consent(items) => each!(items, consents::consent, history),
        Items::Void(items) => each!(items, reservations::void, at),
        Items::Arrival(items) => each!(items, instructions::arrive, at),
        Items::Failure(items) => each!(items, instructions::fail, at),
        Items::Return(items) => each!(items, |item, at, leaf| {
            returns::give_back(overlay, submitter, item, leaf, at, history)
        }),
        Items::Reinstruct(items) => each!(items, instructions::reinstruct),
        Items::Bounce(items) => each!(items, bounces::bounce, at, history),
        Items::Recall(items) => each!(items, stepping_in::recall),
        Items::StepIn(items) => each!(items, stepping_in::step_in, at),
        Items::SettleWindow(items) => each!(items, settlement::propose, history),
        Items::SettlementDecision(items) => each!(items, settlement::decide, at, history),
        Items::Transfer(items) => each!(items, |item, at, leaf| {
            liquidity::propose(overlay, submitter, item, leaf, at)
        }),
        Items::TransferDecision(items) => each!(items, liquidity::decide),
        Items::Rate(items) => each!(items, fx::publish),
        Items::Quote(items) => each!(items, fx::issue),
        Items::HoldDecision(items) => each!(items, holds::decide, at),
        Items::Policy(items) => each!(items, risk::set_policy),
        Items::Line(items) => each!(items, lines::set),
        Items::Proposal(items) => each!(items, governance::propose),
        Items::ChangeList(items) => {
            lists::give(overlay, submitter, items, batch.header().items_root)
        }
        Items::Merchant(items) => each!(items, registrars::register),
        Items::Approval(items) => each!(items, governance::vote),
    }
}

/// Submits a batch's orders. What is kept of their users and ids is found ahead, for all together.
fn submit<'a>(
    overlay: &mut Overlay<'a>,
    lanes: &mut Lanes<'a>,
    (batch, submitter): (&VerifiedBatch, &Participant),
    items: &[RechargeItem],
    places: impl Iterator<Item = Location>,
) -> Vec<Outcome> {
    let numbers = lanes.expect(overlay, items);
    users::expect(overlay, items, &numbers, lanes);
    let expected = overlay.expect_orders(items.iter().map(RechargeItem::order_id));
    let items = items.iter().zip(numbers.iter().zip(&expected)).zip(batch.leaves());
    let outcomes = places.zip(items).map(|(at, ((item, (lane, expected)), leaf))| {
        let lane = lanes.numbered(*lane);
        orders::submit(overlay, submitter, item, leaf, at, expected, lane)
    });
    outcomes.collect()
}
