//! A desk's verdict: 128 bytes, and a signature of 64 beside them.

use std::fmt;

use chain_types::hash::{Domain, hash};
use chain_types::{
    ChainId, Digest, Height, ParticipantId, PublicKey, SecretKey, Signature, TimeMs,
};

/// Bytes of a verdict.
pub const VERDICT_BYTES: usize = 128;
/// Bytes of a verdict with its signature.
pub const SIGNED_VERDICT_BYTES: usize = VERDICT_BYTES + 64;

/// A desk's decision about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskDecision {
    /// The order goes on without a person.
    Pass,
    /// The order waits until a person decides.
    Hold,
    /// The order is refused.
    Refuse,
}

/// A desk's answer about one order, which a replay works out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskVerdict {
    /// The Merkle leaf of the order's item.
    pub item: Digest,
    /// The id of the model.
    pub model: Digest,
    /// The digest of the features off the chain.
    pub private: Digest,
    /// The height of the last block that the features rest on.
    pub height: Height,
    /// The desk's clock when it was asked; the features are aged to it.
    pub time: TimeMs,
    /// The score of the order by the model.
    pub score: i32,
    /// The desk that answered.
    pub desk: ParticipantId,
    /// The decision by the model's limits.
    pub decision: RiskDecision,
    /// The codes of the features that raised the score most: a feature's number and 1, or 0.
    pub reasons: [u16; 3],
}

/// A verdict with its desk's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedRiskVerdict {
    /// The verdict that is signed.
    pub verdict: RiskVerdict,
    /// The desk's signature over [`RiskVerdict::digest`].
    pub signature: Signature,
}

/// Why bytes are no verdict, or a verdict is not its desk's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerdictError {
    /// The number of bytes is another.
    #[error("{0} bytes; a signed verdict has {SIGNED_VERDICT_BYTES}")]
    Length(usize),
    /// The decision has no meaning.
    #[error("decision {0}; known are 0 (pass), 1 (hold) and 2 (refuse)")]
    Decision(u16),
    /// The desk's key did not sign these bytes on this chain.
    #[error("the verdict's signature is not desk {0}'s on this chain; ask the desk again")]
    Signature(ParticipantId),
}

impl RiskDecision {
    /// Every decision, by its number.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Hold, Self::Refuse];

    /// Returns the word for the decision.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Hold => "hold",
            Self::Refuse => "refuse",
        }
    }
}

impl fmt::Display for RiskDecision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl RiskVerdict {
    /// Returns the 128 bytes: the fields in the order of the type, numbers little-endian.
    pub fn bytes(&self) -> [u8; VERDICT_BYTES] {
        let mut bytes = [0; VERDICT_BYTES];
        let mut rest = bytes.as_mut_slice();
        let mut put = |field: &[u8]| {
            let (place, after) = std::mem::take(&mut rest).split_at_mut(field.len());
            place.copy_from_slice(field);
            rest = after;
        };
        put(&self.item.bytes());
        put(&self.model.bytes());
        put(&self.private.bytes());
        put(&self.height.get().to_le_bytes());
        put(&self.time.get().to_le_bytes());
        put(&self.score.to_le_bytes());
        put(&self.desk.get().to_le_bytes());
        put(&(self.decision as u16).to_le_bytes());
        self.reasons.iter().for_each(|reason| put(&reason.to_le_bytes()));
        bytes
    }

    /// Reads a verdict from its bytes.
    ///
    /// # Errors
    /// [`VerdictError::Decision`] for a number that is no decision's.
    pub fn from_bytes(bytes: &[u8; VERDICT_BYTES]) -> Result<Self, VerdictError> {
        let decision = u16::from_le_bytes(field(bytes, 120));
        let found = RiskDecision::ALL.get(usize::from(decision)).copied();
        let digest = |at| Digest::from_bytes(field(bytes, at));
        let reason = |at| u16::from_le_bytes(field(bytes, at));
        Ok(Self {
            item: digest(0),
            model: digest(32),
            private: digest(64),
            height: Height::new(u64::from_le_bytes(field(bytes, 96))),
            time: TimeMs::new(u64::from_le_bytes(field(bytes, 104))),
            score: i32::from_le_bytes(field(bytes, 112)),
            desk: ParticipantId::new(u32::from_le_bytes(field(bytes, 116))),
            decision: found.ok_or(VerdictError::Decision(decision))?,
            reasons: [reason(122), reason(124), reason(126)],
        })
    }

    /// Returns the digest that a desk signs: over the chain's id, then the 128 bytes.
    pub fn digest(&self, chain_id: ChainId) -> Digest {
        hash(Domain::Verdict, &[&chain_id.digest().bytes(), &self.bytes()])
    }

    /// Signs the verdict with the desk's key.
    pub fn sign(self, chain_id: ChainId, key: &SecretKey) -> SignedRiskVerdict {
        SignedRiskVerdict { verdict: self, signature: key.sign(&self.digest(chain_id)) }
    }
}

impl SignedRiskVerdict {
    /// Returns the verdict's bytes, then the signature's.
    pub fn bytes(&self) -> [u8; SIGNED_VERDICT_BYTES] {
        let mut bytes = [0; SIGNED_VERDICT_BYTES];
        bytes[..VERDICT_BYTES].copy_from_slice(&self.verdict.bytes());
        bytes[VERDICT_BYTES..].copy_from_slice(&self.signature.bytes());
        bytes
    }

    /// Reads a signed verdict. Its signature is not checked.
    ///
    /// # Errors
    /// [`VerdictError`] for another number of bytes, or a decision that has no meaning.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VerdictError> {
        let exact: &[u8; SIGNED_VERDICT_BYTES] =
            bytes.try_into().map_err(|_| VerdictError::Length(bytes.len()))?;
        Ok(Self {
            verdict: RiskVerdict::from_bytes(&field(exact, 0))?,
            signature: Signature::from_bytes(field(exact, VERDICT_BYTES)),
        })
    }

    /// Checks the signature by the strict rules, with the key of the desk that is named.
    ///
    /// # Errors
    /// [`VerdictError::Signature`] for another key, chain or byte.
    pub fn verify(&self, chain_id: ChainId, key: &PublicKey) -> Result<(), VerdictError> {
        match key.verifies(&self.verdict.digest(chain_id), &self.signature) {
            true => Ok(()),
            false => Err(VerdictError::Signature(self.verdict.desk)),
        }
    }
}

/// Returns the field of `N` bytes at a place within them.
fn field<const N: usize, const ALL: usize>(bytes: &[u8; ALL], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}
