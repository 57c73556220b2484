//! Checks of a peer's message before the driver hears of it: whether the sender may speak,
//! whether it says something new, and whether the signatures in it verify.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chain_types::{ChainId, Height, PublicKey, codec};
use consensus_core::{Message, RELAYED_VOTES_MAX, SignedProposal, SignedVote};
use node_network::{Budget, Ignored, Strike};
use node_replica::{NodeIndex, PEER_MESSAGE_BYTES_MAX, PeerMessage};

use super::directory::{Directory, Power};
use super::recent::Recent;

/// How many heights back a vote may be and still be heard.
const LATE_HEIGHTS_MAX: u64 = 8;
/// How many heights after the one being decided a message may speak of: consensus keeps those of
/// the next one.
const AHEAD_HEIGHTS_MAX: u64 = 1;
/// For how long a peer's message is not heard again. Shorter than the shortest time after which a
/// validator with the usual parameters says its words again: by then the first may be lost.
const DUPLICATE_AGE_MAX: Duration = Duration::from_millis(200);
/// A peer's messages whose hashes are kept.
const DUPLICATES_MAX: usize = 1_024;
/// Certificates and lists of votes a second. A validator says one a round, and again when its
/// rebroadcast timer runs out (600 ms); each holds up to a signature a validator.
const BUNDLES_PER_SECOND: u64 = 10;
/// Proposals a second: more than one a height at the shortest interval between blocks that holds
/// up (20 ms), and those said again.
const PROPOSALS_PER_SECOND: u64 = 60;
/// How long a signature that verified is known to: as long as relays of it come.
const VERIFIED_AGE_MAX: Duration = Duration::from_secs(60);
/// Signatures known to verify: a few heights' votes of the largest set of validators.
const VERIFIED_MAX: usize = 16_384;

/// The finding about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The driver hears it.
    Handle,
    /// The driver hears it, and it is counted.
    HandleAnd(Ignored),
    /// It is dropped and counted.
    Ignore(Ignored),
    /// It is dropped, and the peer is at fault.
    Strike(Strike),
}

/// A signed word of a validator.
#[derive(Debug, Clone, Copy)]
enum Word<'a> {
    Vote(&'a SignedVote),
    Proposal(&'a SignedProposal),
}

impl Word<'_> {
    fn height(self) -> Height {
        match self {
            Self::Vote(signed) => signed.vote.height,
            Self::Proposal(signed) => signed.proposal.height,
        }
    }

    /// The validator in whose name it speaks: a validator's number is its node's.
    fn author(self) -> NodeIndex {
        match self {
            Self::Vote(signed) => NodeIndex::new(signed.validator.get()),
            Self::Proposal(signed) => NodeIndex::new(signed.proposal.proposer.get()),
        }
    }

    fn verifies(self, chain_id: ChainId, key: &PublicKey) -> bool {
        match self {
            Self::Vote(signed) => key.verifies(&signed.vote.digest(chain_id), &signed.signature),
            Self::Proposal(signed) => {
                key.verifies(&signed.proposal.digest(chain_id), &signed.signature)
            }
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Vote(signed) => codec::encode(signed),
            Self::Proposal(signed) => codec::encode(signed),
        }
    }
}

/// The signed words in a message. A certificate has none that is verified here: consensus does.
fn words(message: &PeerMessage) -> Vec<Word<'_>> {
    match message {
        PeerMessage::Consensus(Message::Vote(signed)) => vec![Word::Vote(signed)],
        PeerMessage::Consensus(Message::Proposal(proposal))
        | PeerMessage::Proposal { proposal, .. } => vec![Word::Proposal(proposal)],
        PeerMessage::Votes(votes) => votes.iter().map(Word::Vote).collect(),
        // The replica verifies what is heard of its own key, whatever the height.
        PeerMessage::Consensus(Message::PolkaCertificate(_) | Message::RoundCertificate(_))
        | PeerMessage::Status { .. }
        | PeerMessage::Ask { .. }
        | PeerMessage::Heard { .. } => Vec::new(),
    }
}

/// The heights that a message of consensus speaks of; none for another message.
fn heights(message: &PeerMessage) -> Vec<Height> {
    match message {
        PeerMessage::Consensus(message) => vec![message.height()],
        _ => words(message).into_iter().map(Word::height).collect(),
    }
}

/// How often a peer may say what costs more than a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cost {
    Small,
    Proposal,
    /// Many signatures at once.
    Bundle,
}

fn cost(message: &PeerMessage) -> Cost {
    match message {
        PeerMessage::Consensus(Message::Vote(_))
        | PeerMessage::Status { .. }
        | PeerMessage::Ask { .. }
        | PeerMessage::Heard { .. } => Cost::Small,
        PeerMessage::Consensus(Message::Proposal(_)) | PeerMessage::Proposal { .. } => {
            Cost::Proposal
        }
        PeerMessage::Consensus(Message::PolkaCertificate(_) | Message::RoundCertificate(_))
        | PeerMessage::Votes(_) => Cost::Bundle,
    }
}

/// The caches that the checks of all peers share.
#[derive(Debug, Clone)]
pub struct Verifier {
    chain_id: ChainId,
    directory: Arc<Directory>,
    /// Words that verified, whoever sent them: those relayed cost nothing.
    verified: Arc<Mutex<Recent>>,
}

impl Verifier {
    /// For the messages of one chain.
    pub fn new(chain_id: ChainId, directory: Arc<Directory>) -> Self {
        let verified = Arc::new(Mutex::new(Recent::new(VERIFIED_AGE_MAX, VERIFIED_MAX)));
        Self { chain_id, directory, verified }
    }

    /// Verifies the signatures in a message, up to the first that does not hold.
    pub fn verify(&self, message: &PeerMessage, now: Instant) -> Finding {
        let (height, listing) = self.directory.at_height();
        for word in words(message) {
            if self.knows(word, now) {
                continue;
            }
            match listing.vote_key(word.author(), word.height()) {
                Some(key) if word.verifies(self.chain_id, &key) => self.remember(word, now),
                // The next block may register a node or give one another key.
                _ if word.height() > height.next() => return Finding::Ignore(Ignored::Ahead),
                _ => return Finding::Strike(Strike::Forged),
            }
        }
        Finding::Handle
    }

    fn knows(&self, word: Word<'_>, now: Instant) -> bool {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.contains(&word.bytes(), now)
    }

    fn remember(&self, word: Word<'_>, now: Instant) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.insert(&word.bytes(), now);
    }
}

/// The checks of one peer's messages. Knows no clock.
#[derive(Debug)]
pub struct Checks {
    from: PublicKey,
    directory: Arc<Directory>,
    duplicates: Recent,
    bundles: Budget,
    proposals: Budget,
}

impl Checks {
    /// For the messages of the node whose network key is `from`.
    pub fn new(from: PublicKey, directory: Arc<Directory>, now: Instant) -> Self {
        let bytes = |messages: u64| messages.saturating_mul(PEER_MESSAGE_BYTES_MAX as u64);
        let budget = |messages| Budget::new(bytes(messages), messages, now);
        Self {
            from,
            directory,
            duplicates: Recent::new(DUPLICATE_AGE_MAX, DUPLICATES_MAX),
            bundles: budget(BUNDLES_PER_SECOND),
            proposals: budget(PROPOSALS_PER_SECOND),
        }
    }

    /// Judges a message, `bytes` on the wire, without verifying a signature.
    pub fn admit(&mut self, message: &PeerMessage, bytes: &[u8], now: Instant) -> Finding {
        if matches!(message, PeerMessage::Votes(votes) if votes.len() > RELAYED_VOTES_MAX) {
            return Finding::Strike(Strike::Invalid);
        }
        let heights = heights(message);
        let (height, listing) = self.directory.at_height();
        if let Some(finding) = distance(&heights, height) {
            return finding;
        }
        let power = heights.iter().map(|height| listing.power(&self.from, *height)).max();
        if power == Some(Power::None) {
            // The next block may give it power for the height after it.
            let knows = heights.iter().all(|other| *other <= height.next());
            return if knows {
                Finding::Strike(Strike::Powerless)
            } else {
                Finding::Ignore(Ignored::Ahead)
            };
        }
        if !heights.is_empty() && self.duplicates.contains(bytes, now) {
            return Finding::Ignore(Ignored::Duplicate);
        }
        let affords = match cost(message) {
            Cost::Small => true,
            Cost::Proposal => self.proposals.take(bytes.len(), now),
            Cost::Bundle => self.bundles.take(bytes.len(), now),
        };
        match (affords, power) {
            (false, _) => Finding::Ignore(Ignored::OverBudget),
            (true, Some(Power::Had)) => Finding::HandleAnd(Ignored::LostPower),
            (true, _) => Finding::Handle,
        }
    }

    /// The driver gets this message: the peer need not say it again soon.
    pub fn remember(&mut self, bytes: &[u8], now: Instant) {
        self.duplicates.insert(bytes, now);
    }
}

/// Why a message of other heights than those around the one being decided is not heard. An honest
/// peer sends such while it, or this node, is behind; whose power it speaks with is not known then.
fn distance(heights: &[Height], committed: Height) -> Option<Finding> {
    let last = committed.next().get().saturating_add(AHEAD_HEIGHTS_MAX);
    let first = committed.next().get().saturating_sub(LATE_HEIGHTS_MAX);
    if heights.iter().any(|height| height.get() > last) {
        return Some(Finding::Ignore(Ignored::Ahead));
    }
    let is_late = heights.iter().any(|height| height.get() < first);
    is_late.then_some(Finding::Ignore(Ignored::Late))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
