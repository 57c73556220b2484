//! The table that a node signs each 100 ms: what it can take, what waits, and each submitter's
//! share, so that a refusal can be shown to whoever doubts it.
//!
//! One signature covers any number of lines: the head names the root of their Merkle tree, and a
//! submitter is handed its own line with the path to that root.

use bincode::{Decode, Encode};
use chain_types::hash::{Domain, hash};
use chain_types::merkle::{self, Tree};
use chain_types::{
    ChainId, Digest, Height, ParticipantId, PublicKey, SecretKey, Signature, TimeMs, ValidatorId,
    codec,
};

use crate::scheduler::Scheduler;

/// The most lines of one table: those with the largest demand. While there is too little for all,
/// a submitter without a line has the share of others, by its weight.
pub const OUTLOOK_LINES_MAX: usize = 512;
/// The time for which a table may be referred to, in milliseconds after it was made.
pub const OUTLOOK_VALID_MS: u64 = 1_000;
/// The most bytes of a head with its signature.
pub const OUTLOOK_HEAD_BYTES_MAX: usize = 256;
/// The most bytes of a line with its path.
pub const OUTLOOK_PROOF_BYTES_MAX: usize = 2_048;

/// A node's signed word about itself and the whole network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct OutlookHead {
    /// The chain of the node.
    pub chain_id: ChainId,
    /// The node that speaks, by its index in the registry.
    pub node: ValidatorId,
    /// The last committed height.
    pub height: Height,
    /// The time of the block at that height.
    pub block_time: TimeMs,
    /// The node's clock when it made the table.
    pub made_at: TimeMs,
    /// The last moment at which the table may be referred to.
    pub valid_until: TimeMs,
    /// The capacity of blocks, in items a second.
    pub capacity_items_per_s: u64,
    /// The time that the queue will take, in milliseconds.
    pub queue_ms: u32,
    /// The busy part of the driver's time over a second, in millionths.
    pub load_ppm: u32,
    /// The share of a submitter that has no line and the standard weight, in items a second.
    pub share_of_others: u64,
    /// The number of lines.
    pub lines: u32,
    /// The Merkle root of the lines.
    pub lines_root: Digest,
}

/// A node's word about one submitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct OutlookLine {
    /// The submitter that the line is about.
    pub submitter: ParticipantId,
    /// Its weight by governance; the standard is 100.
    pub weight: u32,
    /// Its share, in items a second, over all nodes together.
    pub share_items_per_s: u64,
    /// The code of the rejection with which its batches are refused now; 0 when they are admitted.
    pub reason: u16,
    /// The moment from which its next batch is admitted. A batch that is not valid that long is
    /// never admitted.
    pub retry_at: TimeMs,
}

/// A table: the head, and its lines in the order of the submitters' ids.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// The head, which names the lines' root.
    pub head: OutlookHead,
    lines: Vec<OutlookLine>,
    tree: Tree,
}

/// A head with the node's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SignedOutlook {
    /// The head that is signed.
    pub head: OutlookHead,
    /// The node's signature over [`OutlookHead::digest`].
    pub signature: Signature,
}

/// A line with its place and its path to the root.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OutlookProof {
    /// The line that is shown.
    pub line: OutlookLine,
    /// Its place among the lines, from zero.
    pub index: u32,
    /// Its siblings, from the leaf upwards.
    pub path: Vec<Digest>,
}

/// Why a table is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutlookError {
    /// It speaks of another chain.
    #[error("the outlook is of chain {0}; ask a node of your own chain")]
    Chain(ChainId),
    /// It is of another node than the one whose key is held against it.
    #[error("the outlook is of node {0}, not of the one that was asked")]
    Node(ValidatorId),
    /// The signature is not the node's.
    #[error("the outlook's signature does not verify; ask another node")]
    Signature,
    /// Its time is over, or is longer than a table may have.
    #[error("the outlook was valid until {0}; ask again")]
    Old(TimeMs),
    /// It was made after the present moment by more than the tolerance for clocks.
    #[error("the outlook was made at {0}, which is still to come; compare the clocks")]
    Future(TimeMs),
    /// The line is not one of the table's.
    #[error("the line of submitter {0} does not lead to the outlook's root")]
    Line(ParticipantId),
}

/// The facts that a table states and the scheduler does not know.
#[derive(Debug, Clone, Copy)]
pub struct OutlookContext {
    /// The chain of the node.
    pub chain_id: ChainId,
    /// The node that speaks.
    pub node: ValidatorId,
    /// The last committed height.
    pub height: Height,
    /// The time of the block at that height.
    pub block_time: TimeMs,
    /// The busy part of the driver's time, in millionths.
    pub load_ppm: u32,
    /// The code of the rejection for a submitter that has used its share.
    pub reason: u16,
    /// The node's clock at the moment of the scheduler's time at which the table is made.
    pub made_at: TimeMs,
}

impl Outlook {
    /// Makes the table of a scheduler.
    pub fn of(scheduler: &Scheduler, context: &OutlookContext, now_us: u64) -> Self {
        let made_at = context.made_at;
        let line = |submitter: ParticipantId| {
            let wait_us = scheduler.opens_us(submitter).saturating_sub(now_us);
            OutlookLine {
                submitter,
                weight: scheduler.weight(submitter),
                share_items_per_s: scheduler.share(submitter),
                reason: if wait_us > 0 { context.reason } else { 0 },
                retry_at: made_at.plus(wait_us.div_ceil(1_000)),
            }
        };
        let lines: Vec<OutlookLine> =
            scheduler.active(OUTLOOK_LINES_MAX).into_iter().map(line).collect();
        let tree = Tree::new(lines.iter().map(OutlookLine::leaf).collect());
        let head = OutlookHead {
            chain_id: context.chain_id,
            node: context.node,
            height: context.height,
            block_time: context.block_time,
            made_at,
            valid_until: made_at.plus(OUTLOOK_VALID_MS),
            capacity_items_per_s: scheduler.capacity().items_per_s(),
            queue_ms: scheduler.queue_ms(),
            load_ppm: context.load_ppm,
            share_of_others: scheduler.share_of_others(),
            lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
            lines_root: tree.root(),
        };
        Self { head, lines, tree }
    }

    /// Signs the head with the node's key.
    pub fn sign(&self, key: &SecretKey) -> SignedOutlook {
        SignedOutlook { head: self.head, signature: key.sign(&self.head.digest()) }
    }

    /// Returns the lines, in the order of the submitters' ids.
    pub fn lines(&self) -> &[OutlookLine] {
        &self.lines
    }

    /// Returns a submitter's line with its path; `None` for one that has no line.
    pub fn prove(&self, submitter: ParticipantId) -> Option<OutlookProof> {
        let at = self.lines.binary_search_by_key(&submitter, |line| line.submitter).ok()?;
        let path = self.tree.prove(at)?;
        Some(OutlookProof { line: self.lines[at], index: u32::try_from(at).ok()?, path })
    }
}

impl OutlookHead {
    /// Returns the digest that is signed: over the tag and the head's canonical bytes.
    pub fn digest(&self) -> Digest {
        hash(Domain::Outlook, &[&codec::encode(self)])
    }
}

impl OutlookLine {
    /// Returns the leaf of the line: over its canonical bytes.
    fn leaf(&self) -> Digest {
        merkle::leaf(&codec::encode(self))
    }
}

impl SignedOutlook {
    /// Checks that a node of this chain said it, and that it is said for now. `skew_ms` is how far
    /// the clocks may be apart.
    ///
    /// # Errors
    /// [`OutlookError`] for a table of another chain or node, a forged, old or future one.
    pub fn verify(
        &self,
        chain_id: ChainId,
        (node, key): (ValidatorId, &PublicKey),
        now: TimeMs,
        skew_ms: u64,
    ) -> Result<&OutlookHead, OutlookError> {
        let head = &self.head;
        if head.chain_id != chain_id {
            return Err(OutlookError::Chain(head.chain_id));
        }
        if head.node != node {
            return Err(OutlookError::Node(head.node));
        }
        if !key.verifies(&head.digest(), &self.signature) {
            return Err(OutlookError::Signature);
        }
        let is_too_long = head.valid_until > head.made_at.plus(OUTLOOK_VALID_MS);
        if is_too_long || head.valid_until.plus(skew_ms) < now {
            return Err(OutlookError::Old(head.valid_until));
        }
        if head.made_at > now.plus(skew_ms) {
            return Err(OutlookError::Future(head.made_at));
        }
        Ok(head)
    }
}

impl OutlookProof {
    /// Checks that the line is one of the table's.
    ///
    /// # Errors
    /// [`OutlookError::Line`] when it is not.
    pub fn verify(&self, head: &OutlookHead) -> Result<&OutlookLine, OutlookError> {
        let (index, lines) = (u64::from(self.index), u64::from(head.lines));
        let root = merkle::root_from_proof(self.line.leaf(), index, lines, &self.path);
        match root == Some(head.lines_root) {
            true => Ok(&self.line),
            false => Err(OutlookError::Line(self.line.submitter)),
        }
    }
}
