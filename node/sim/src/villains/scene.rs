//! The means that a villain has at hand when it acts.

use chain_types::hash::sha256;
use chain_types::{
    Block, Digest, Equivocation, ExecutedBlock, Height, Round, Signature, TimeMs, ValidatorId,
    ValidatorSet, VerifiedBatch, Vote,
};
use consensus_core::{Message, Proposal, Proposers, SignedProposal, SignedVote};
use contracts::BlockContext;
use node_replica::{Input, NodeIndex, Past, PeerMessage, SharedState, read_state};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::archive::Shelf;
use crate::setup::{CHAIN, Shape, node_key};

/// Something on its way.
#[derive(Debug)]
pub struct Sent {
    /// The number of the receiver.
    pub to: u32,
    /// When it leaves, in milliseconds from now.
    pub after_ms: u64,
    /// The input that the receiver will take in.
    pub input: Input,
}

/// The means of a villain: its node's state and disk, chance, its keys, and the network.
pub struct Scene<'a> {
    /// The number of its node.
    pub node: u32,
    /// Virtual time, in milliseconds.
    pub now_ms: u64,
    /// The time by its node's clock.
    pub clock: TimeMs,
    /// How many nodes there are.
    pub shape: Shape,
    /// The committed state of its replica.
    pub state: &'a SharedState,
    /// The archive that contracts ask of the past.
    pub shelf: &'a Shelf,
    /// The blocks that its replica has staged.
    pub staged: &'a [ExecutedBlock],
    /// The source of chance, which the seed determines.
    pub random: &'a mut ChaCha8Rng,
    /// The inputs that it sends to others.
    pub sent: Vec<Sent>,
    /// When its timer ends, in milliseconds from now.
    pub wake_after_ms: Option<u64>,
}

impl Scene<'_> {
    /// Sends an input to a node without delay.
    pub fn send(&mut self, to: u32, input: Input) {
        self.send_after(0, to, input);
    }

    /// Sends an input to a node after some milliseconds.
    pub fn send_after(&mut self, after_ms: u64, to: u32, input: Input) {
        self.sent.push(Sent { to, after_ms, input });
    }

    /// A message of its own.
    pub fn message(&self, message: PeerMessage) -> Input {
        Input::Message { from: NodeIndex::new(self.node), message }
    }

    /// Sends a message now.
    pub fn tell(&mut self, to: u32, message: PeerMessage) {
        let input = self.message(message);
        self.send(to, input);
    }

    /// Sends a message to every other node.
    pub fn tell_all(&mut self, message: &PeerMessage) {
        let own = self.node;
        for to in (0..self.shape.nodes()).filter(|to| *to != own) {
            self.tell(to, message.clone());
        }
    }

    /// Returns the validators that decide the next block.
    pub fn validators(&self) -> ValidatorSet {
        read_state(self.state).validators().clone()
    }

    /// Returns the numbers of the other validators.
    pub fn others(&self) -> Vec<u32> {
        let validators = self.validators();
        let ids = validators.as_slice().iter().map(|validator| validator.id.get());
        ids.filter(|id| *id != self.node).collect()
    }

    /// The height that its replica decides.
    pub fn height(&self) -> Height {
        read_state(self.state).height().next()
    }

    /// Returns the node whose turn it is in a round of that height, if nobody is passed over.
    pub fn turn(&self, round: Round) -> u32 {
        Proposers::new().proposer(&self.validators(), self.height(), round).get()
    }

    /// Returns the signature of its key over a digest.
    pub fn sign(&self, digest: &Digest) -> Signature {
        node_key(self.node).sign(digest)
    }

    /// A signature that verifies under no key.
    pub fn forge(&mut self) -> Signature {
        let mut bytes = [0; 64];
        self.random.fill(&mut bytes[..]);
        Signature::from_bytes(bytes)
    }

    /// A digest of nothing.
    pub fn any_digest(&mut self) -> Digest {
        let number: u64 = self.random.random();
        sha256(&[&number.to_le_bytes()])
    }

    /// Returns the vote, signed with its key.
    pub fn vote(&self, vote: Vote) -> PeerMessage {
        let signature = self.sign(&vote.digest(CHAIN));
        let validator = ValidatorId::new(self.node);
        PeerMessage::Consensus(Message::Vote(SignedVote { vote, validator, signature }))
    }

    /// Returns the proposal, signed with its key.
    pub fn propose(&self, proposal: Proposal) -> SignedProposal {
        SignedProposal { proposal, signature: self.sign(&proposal.digest(CHAIN)) }
    }

    /// The block that executing the batches under a context gives.
    pub fn execute(
        &self,
        context: &BlockContext,
        batches: &[VerifiedBatch],
        evidence: &[Equivocation],
    ) -> Option<Block> {
        let state = read_state(self.state);
        let past = Past { state: &state, archive: self.shelf };
        let executed = contracts::execute(&state, context, batches, evidence, &past);
        executed.ok().map(|executed| executed.block)
    }

    /// The proposal and the block in what its replica sends, if that is the first of a new block of
    /// its own.
    pub fn fresh_proposal<'b>(&self, said: &'b Input) -> Option<(&'b SignedProposal, &'b Block)> {
        match said {
            Input::Message { message: PeerMessage::Proposal { proposal, block, .. }, .. }
                if proposal.proposal.valid_round.is_none()
                    && proposal.proposal.proposer.get() == self.node =>
            {
                Some((proposal, block))
            }
            _ => None,
        }
    }

    /// The block of its own that its replica proposes, or votes for: a vote leaves before the
    /// proposal does.
    pub fn own_block(&self, said: &Input) -> Option<Block> {
        if let Some((_, block)) = self.fresh_proposal(said) {
            return Some(block.clone());
        }
        let Input::Message { message: PeerMessage::Consensus(Message::Vote(signed)), .. } = said
        else {
            return None;
        };
        let own = ValidatorId::new(self.node);
        let mut staged = self.staged.iter().map(|staged| &staged.block);
        let found = staged.find(|block| {
            block.header.proposer == own
                && signed.validator == own
                && signed.vote.block == Some(block.hash())
        });
        found.cloned()
    }

    /// A block that its replica has staged, executed anew under another context.
    pub fn remade(&self, block: &Block, change: impl FnOnce(&mut BlockContext)) -> Option<Block> {
        let staged = self.staged.iter().find(|staged| staged.block == *block)?;
        let mut context = context_of(block);
        change(&mut context);
        self.execute(&context, &staged.batches, &block.evidence)
    }

    /// A block that its replica has staged, without its batches.
    pub fn emptied(&self, block: &Block) -> Option<Block> {
        self.execute(&context_of(block), &[], &[])
    }

    /// Returns what its replica says of `own`, said of `other` instead, with signatures that
    /// verify.
    pub fn retold(&self, mut said: PeerMessage, own: &Block, other: &Block) -> PeerMessage {
        let (from, to) = (own.hash(), other.hash());
        match &mut said {
            PeerMessage::Proposal { proposal, block, .. } if proposal.proposal.block == from => {
                *proposal = self.propose(Proposal { block: to, ..proposal.proposal });
                *block = other.clone();
                said
            }
            PeerMessage::Consensus(Message::Vote(signed))
                if signed.vote.block == Some(from) && signed.validator.get() == self.node =>
            {
                self.vote(Vote { block: Some(to), ..signed.vote })
            }
            _ => said,
        }
    }
}

/// The context that a block's header names.
pub fn context_of(block: &Block) -> BlockContext {
    BlockContext {
        height: block.header.height,
        round: block.header.round,
        parent_round: block.header.parent_round,
        proposer: block.header.proposer,
        time: block.header.time,
    }
}
