//! The signed unit of submission: header, Merkle root of its items, one signature, 1 to 8,192
//! fixed-size items of one kind. Bytes: header (84), signature (64), items.

mod together;

use std::sync::Arc;

use bincode::{Decode, Encode};
use bytes::Bytes;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::codec;
use crate::hash::{Digest, Domain, hash};
use crate::ids::{BatchId, ChainId, ParticipantId};
use crate::merkle;
use crate::operation::{
    ApprovalItem, ArrivalItem, BounceItem, CollectItem, ConsentItem, DebitingItem, FailureItem,
    HoldDecisionItem, LineItem, PolicyItem, ProposalItem, QuoteItem, RateItem, RecallItem,
    RechargeItem, ReinstructItem, ReturnItem, SettleWindowItem, SettlementDecisionItem, StepInItem,
    TransferDecisionItem, TransferItem, VoidItem,
};
use crate::registry::{Roles, Signers};
use crate::rejection::Rejection;
use crate::sign::{PublicKey, SecretKey, Signature};
use crate::units::TimeMs;

/// The version that batch headers carry.
pub const BATCH_VERSION: u16 = 1;
/// The most items of a batch.
pub const BATCH_ITEMS_MAX: u32 = 8_192;
/// Bytes of an encoded [`BatchHeader`].
pub const BATCH_HEADER_BYTES: usize = 84;
/// Bytes before the first item: header and signature.
pub const BATCH_PREFIX_BYTES: usize = BATCH_HEADER_BYTES + 64;
/// Bytes of the largest batch.
pub const BATCH_BYTES_MAX: usize = BATCH_PREFIX_BYTES + BATCH_ITEMS_MAX as usize * 128;

/// The kinds, each once: number, item, bytes of an item, most items, roles, name.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal, $item:ident, $bytes:literal, $most:expr, $roles:expr, $name:literal;)*) => {
        /// What a batch's items are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum BatchKind { $($(#[$doc])* $kind = $number,)* }

        impl BatchKind {
            /// Every kind, ascending by number.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The kind of a frozen number.
            pub fn from_number(number: u16) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.number() == number)
            }

            /// The frozen number.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// Bytes of one item.
            pub const fn item_bytes(self) -> usize {
                match self { $(Self::$kind => $bytes,)* }
            }

            /// The most items of one batch.
            pub const fn items_max(self) -> u32 {
                match self { $(Self::$kind => $most,)* }
            }

            /// The roles of which a submitter needs at least one.
            pub const fn roles(self) -> Roles {
                match self { $(Self::$kind => $roles,)* }
            }

            /// The name that JSON uses.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }
        }

        /// A batch's items, read in place.
        #[derive(Debug, Clone, Copy)]
        pub enum Items<'a> { $($(#[$doc])* $kind(&'a [$item]),)* }

        impl HashedBatch {
            /// The items, read in place.
            pub fn items(&self) -> Items<'_> {
                let bytes = self.batch.bytes.get(BATCH_PREFIX_BYTES..).unwrap_or_default();
                match self.batch.kind { $(BatchKind::$kind => Items::$kind(cast(bytes)),)* }
            }
        }
    };
}

kinds! {
    /// Recharge orders.
    Recharge = 1, RechargeItem, 128, BATCH_ITEMS_MAX, Roles::RECHARGE_SERVICE.and(Roles::GATEWAY), "recharge";
    /// Collections.
    Collect = 2, CollectItem, 64, BATCH_ITEMS_MAX, Roles::GATEWAY, "collect";
    /// Voids.
    Void = 3, VoidItem, 64, BATCH_ITEMS_MAX, Roles::RECHARGE_SERVICE.and(Roles::GATEWAY), "void";
    /// Arrivals.
    Arrival = 4, ArrivalItem, 64, BATCH_ITEMS_MAX, Roles::GATEWAY, "arrival";
    /// Failures.
    Failure = 5, FailureItem, 64, BATCH_ITEMS_MAX, Roles::GATEWAY, "failure";
    /// Returns and reversals.
    Return = 6, ReturnItem, 72, 1_024, Roles::GATEWAY.and(Roles::SETTLEMENT_AGENT), "return";
    /// Instructions given again.
    Reinstruct = 7, ReinstructItem, 64, BATCH_ITEMS_MAX, Roles::SETTLEMENT_AGENT, "reinstruct";
    /// Settlements of windows, proposed.
    SettleWindow = 8, SettleWindowItem, 96, 1_024, Roles::SETTLEMENT_AGENT, "settle-window";
    /// Deposits, withdrawals and caps, proposed.
    Transfer = 9, TransferItem, 96, 1_024, Roles::SETTLEMENT_AGENT, "transfer";
    /// Deposits, withdrawals and caps, decided.
    TransferDecision = 10, TransferDecisionItem, 64, 1_024, Roles::SETTLEMENT_AGENT.and(Roles::SETTLEMENT_OPERATOR), "transfer-decision";
    /// Rates.
    Rate = 11, RateItem, 64, 1_024, Roles::FX_PROVIDER, "rate";
    /// Quotes.
    Quote = 12, QuoteItem, 64, 1_024, Roles::FX_PROVIDER, "quote";
    /// Held orders, decided.
    HoldDecision = 13, HoldDecisionItem, 64, BATCH_ITEMS_MAX, Roles::RISK_DESK, "hold-decision";
    /// Risk policies.
    Policy = 14, PolicyItem, 64, 1_024, Roles::RISK_DESK, "policy";
    /// Changes, proposed.
    Proposal = 15, ProposalItem, 512, 64, Roles::SETTLEMENT_OPERATOR, "proposal";
    /// Changes, decided.
    Approval = 16, ApprovalItem, 64, 1_024, Roles::SETTLEMENT_OPERATOR, "approval";
    /// Arrivals whose money came back.
    Bounce = 17, BounceItem, 64, 1_024, Roles::GATEWAY, "bounce";
    /// Outstanding instructions, recalled.
    Recall = 18, RecallItem, 64, 1_024, Roles::SETTLEMENT_AGENT, "recall";
    /// Instructions of absent gateways, ended by two agents.
    StepIn = 19, StepInItem, 64, 1_024, Roles::SETTLEMENT_AGENT, "step-in";
    /// Reserved orders whose users are being debited.
    Debiting = 22, DebitingItem, 64, BATCH_ITEMS_MAX, Roles::GATEWAY, "debiting";
    /// Settlements of windows, decided.
    SettlementDecision = 23, SettlementDecisionItem, 96, 1_024, Roles::SETTLEMENT_AGENT.and(Roles::SETTLEMENT_OPERATOR), "settlement-decision";
    /// Lines: how much others may reserve on the submitter's accounts.
    Line = 24, LineItem, 64, 1_024, Roles::GATEWAY.and(Roles::FX_PROVIDER), "line";
    /// Words of the other side that orders may be reversed.
    Consent = 25, ConsentItem, 64, 1_024, Roles::RECHARGE_SERVICE.and(Roles::GATEWAY), "consent";
}

impl BatchKind {
    /// Whether executing such a batch may read the past from disk.
    pub const fn reads_the_past(self) -> bool {
        self.counts_as_returns() || matches!(self, Self::SettleWindow | Self::SettlementDecision)
    }

    /// Whether such a batch reads the past once an item, so that `block_returns_max` bounds it.
    pub const fn counts_as_returns(self) -> bool {
        matches!(self, Self::Return | Self::Bounce | Self::Consent)
    }
}

/// What the submitter signs, by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct BatchHeader {
    /// [`BATCH_VERSION`].
    pub version: u16,
    /// A [`BatchKind`]'s number.
    pub kind: u16,
    /// The chain it is meant for.
    pub chain_id: ChainId,
    /// Who signs.
    pub submitter: ParticipantId,
    /// How many items follow.
    pub count: u32,
    /// The last block time at which it may commit.
    pub valid_until: TimeMs,
    /// RFC 6962 Merkle root over the items in order.
    pub items_root: Digest,
}

impl BatchHeader {
    /// The batch id: what the submitter signs and everyone names the batch by.
    pub fn id(&self) -> BatchId {
        BatchId(hash(Domain::Batch, &[&codec::encode(self)]))
    }
}

/// A batch that was refused before anything was booked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {} {detail}", .rejection.name(), .rejection.cause())]
pub struct BatchError {
    /// The coded reason.
    pub rejection: Rejection,
    /// The values that were wrong.
    pub detail: String,
}

impl BatchError {
    /// A refusal with the values that were wrong.
    pub fn new(rejection: Rejection, detail: impl Into<String>) -> Self {
        Self { rejection, detail: detail.into() }
    }
}

/// A batch whose bytes have the right form. Nothing in it is believed yet.
#[derive(Debug, Clone)]
pub struct SignedBatch {
    header: BatchHeader,
    kind: BatchKind,
    signature: Signature,
    bytes: Bytes,
}

impl SignedBatch {
    /// Reads a batch's form: version, kind, count and length.
    ///
    /// # Errors
    /// Rejections 100 to 105.
    pub fn decode(bytes: Bytes) -> Result<Self, BatchError> {
        if bytes.len() > BATCH_BYTES_MAX {
            let detail = format!("({} bytes; at most {BATCH_BYTES_MAX})", bytes.len());
            return Err(BatchError::new(Rejection::BatchTooLarge, detail));
        }
        let (Some(header), Some(signature)) =
            (bytes.get(..BATCH_HEADER_BYTES), bytes.get(BATCH_HEADER_BYTES..BATCH_PREFIX_BYTES))
        else {
            let detail =
                format!("({} bytes; header and signature take {BATCH_PREFIX_BYTES})", bytes.len());
            return Err(BatchError::new(Rejection::Truncated, detail));
        };
        let header: BatchHeader = codec::decode(header, BATCH_HEADER_BYTES)
            .map_err(|error| BatchError::new(Rejection::Truncated, format!("({error})")))?;
        let signature: Signature = codec::decode(signature, 64)
            .map_err(|error| BatchError::new(Rejection::Truncated, format!("({error})")))?;
        if header.version != BATCH_VERSION {
            let detail = format!("(version {})", header.version);
            return Err(BatchError::new(Rejection::VersionUnsupported, detail));
        }
        let kind = BatchKind::from_number(header.kind).ok_or_else(|| {
            BatchError::new(Rejection::KindUnknown, format!("(kind {})", header.kind))
        })?;
        if header.count == 0 || header.count > kind.items_max() {
            let detail = format!("(count {}; at most {})", header.count, kind.items_max());
            return Err(BatchError::new(Rejection::CountOutOfBounds, detail));
        }
        let expected = BATCH_PREFIX_BYTES + header.count as usize * kind.item_bytes();
        let detail =
            || format!("({} bytes; {} items end at {expected})", bytes.len(), header.count);
        match bytes.len().cmp(&expected) {
            std::cmp::Ordering::Less => Err(BatchError::new(Rejection::Truncated, detail())),
            std::cmp::Ordering::Greater => Err(BatchError::new(Rejection::TrailingBytes, detail())),
            std::cmp::Ordering::Equal => Ok(Self { header, kind, signature, bytes }),
        }
    }

    /// Makes a batch of `items` of `kind`, signed with `key`. Items of any length are taken, so
    /// that tests and other clients' mistakes can be shown; [`Self::decode`] judges the form.
    pub fn sign(
        chain_id: ChainId,
        submitter: ParticipantId,
        key: &SecretKey,
        valid_until: TimeMs,
        items: &[impl zerocopy::IntoBytes + Immutable + BatchItem],
    ) -> Vec<u8> {
        let leaves: Vec<Digest> = items.iter().map(|item| merkle::leaf(item.as_bytes())).collect();
        let header = BatchHeader {
            version: BATCH_VERSION,
            kind: kind_of(items).number(),
            chain_id,
            submitter,
            count: u32::try_from(items.len()).unwrap_or(u32::MAX),
            valid_until,
            items_root: merkle::root(&leaves),
        };
        let mut bytes = codec::encode(&header);
        bytes.extend_from_slice(&key.sign(&header.id().0).0);
        for item in items {
            bytes.extend_from_slice(item.as_bytes());
        }
        bytes
    }

    /// The header.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch as it was sent.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Checks chain, root and signature, which is all that can be known without the books. The
    /// signature may be of any key that the submitter has; execution looks at which.
    ///
    /// # Errors
    /// Rejections 106 to 109.
    pub fn verify<K: Signers>(
        self,
        chain_id: ChainId,
        keys_of: impl FnOnce(ParticipantId) -> Option<K>,
    ) -> Result<VerifiedBatch, BatchError> {
        self.check_chain(chain_id)?;
        let id = self.header.id();
        let public_key = self.signer(id, keys_of)?;
        self.signed_with(id, public_key)
    }

    /// The batch whose signature holds, if its root does too.
    fn signed_with(self, id: BatchId, public_key: PublicKey) -> Result<VerifiedBatch, BatchError> {
        let leaves = self.leaves()?;
        Ok(HashedBatch { id, batch: self, leaves }.signed_with(public_key))
    }

    /// Checks chain and root, and not who signed: enough for what is known by its id already, as
    /// the batches of a node's own blocks are.
    ///
    /// # Errors
    /// Rejections 106 and 109.
    pub fn hash(self, chain_id: ChainId) -> Result<HashedBatch, BatchError> {
        self.check_chain(chain_id)?;
        let leaves = self.leaves()?;
        Ok(HashedBatch { id: self.header.id(), batch: self, leaves })
    }

    fn check_chain(&self, chain_id: ChainId) -> Result<(), BatchError> {
        if self.header.chain_id == chain_id {
            return Ok(());
        }
        let detail = format!("(batch {}, chain {chain_id})", self.header.chain_id);
        Err(BatchError::new(Rejection::WrongChain, detail))
    }

    /// The key with which its submitter has signed it.
    fn signer<K: Signers>(
        &self,
        id: BatchId,
        keys_of: impl FnOnce(ParticipantId) -> Option<K>,
    ) -> Result<PublicKey, BatchError> {
        let submitter = self.header.submitter;
        let keys = keys_of(submitter).ok_or_else(|| {
            BatchError::new(Rejection::SubmitterUnknown, format!("(participant {submitter})"))
        })?;
        keys.signer(&id.0, &self.signature).ok_or_else(|| self.not_signed(id))
    }

    fn not_signed(&self, id: BatchId) -> BatchError {
        let detail = format!("(participant {}, batch {id})", self.header.submitter);
        BatchError::new(Rejection::SignatureInvalid, detail)
    }

    /// The hashes of its items, which lead to the header's root.
    fn leaves(&self) -> Result<Vec<Digest>, BatchError> {
        let items = self.bytes.get(BATCH_PREFIX_BYTES..).unwrap_or_default();
        let leaves: Vec<Digest> =
            items.chunks_exact(self.kind.item_bytes()).map(merkle::leaf).collect();
        if merkle::root(&leaves) == self.header.items_root {
            return Ok(leaves);
        }
        let detail = format!("(header says {})", self.header.items_root);
        Err(BatchError::new(Rejection::RootMismatch, detail))
    }
}

/// Ties an item's type to its batch kind.
pub trait BatchItem {
    /// The kind of the batches that hold it.
    const KIND: BatchKind;
}

fn kind_of<T: BatchItem>(_: &[T]) -> BatchKind {
    T::KIND
}

/// A batch whose chain and root hold, so that its id covers every byte but the signature. Who
/// signed it was not looked at.
#[derive(Debug)]
pub struct HashedBatch {
    id: BatchId,
    batch: SignedBatch,
    leaves: Vec<Digest>,
}

impl HashedBatch {
    /// The batch id.
    pub fn id(&self) -> BatchId {
        self.id
    }

    /// The header.
    pub fn header(&self) -> &BatchHeader {
        &self.batch.header
    }

    /// The leaf hashes of the items, in order.
    pub fn leaves(&self) -> &[Digest] {
        &self.leaves
    }

    /// Checks the signature too, as [`SignedBatch::verify`] does.
    ///
    /// # Errors
    /// Rejections 107 and 108.
    pub fn verify<K: Signers>(
        self,
        keys_of: impl FnOnce(ParticipantId) -> Option<K>,
    ) -> Result<VerifiedBatch, BatchError> {
        let public_key = self.batch.signer(self.id, keys_of)?;
        Ok(self.signed_with(public_key))
    }

    fn signed_with(self, public_key: PublicKey) -> VerifiedBatch {
        VerifiedBatch(Arc::new(Verified { hashed: self, public_key }))
    }
}

impl AsRef<Self> for HashedBatch {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsRef<HashedBatch> for VerifiedBatch {
    fn as_ref(&self) -> &HashedBatch {
        &self.0.hashed
    }
}

/// A batch whose chain, root and signature hold. Only [`SignedBatch::verify`] and
/// [`HashedBatch::verify`] make one, and what does the same for many. Cheap to clone.
#[derive(Debug, Clone)]
pub struct VerifiedBatch(Arc<Verified>);

#[derive(Debug)]
struct Verified {
    hashed: HashedBatch,
    public_key: PublicKey,
}

impl VerifiedBatch {
    fn batch(&self) -> &SignedBatch {
        &self.0.hashed.batch
    }

    /// The batch id.
    pub fn id(&self) -> BatchId {
        self.0.hashed.id
    }

    /// The header.
    pub fn header(&self) -> &BatchHeader {
        self.0.hashed.header()
    }

    /// The items, read in place.
    pub fn items(&self) -> Items<'_> {
        self.0.hashed.items()
    }

    /// The kind.
    pub fn kind(&self) -> BatchKind {
        self.batch().kind
    }

    /// The signature.
    pub fn signature(&self) -> Signature {
        self.batch().signature
    }

    /// The key that the signature was checked against; execution compares it with the registry.
    pub fn public_key(&self) -> PublicKey {
        self.0.public_key
    }

    /// How many items it holds.
    pub fn count(&self) -> u32 {
        self.header().count
    }

    /// The leaf hashes of the items, in order.
    pub fn leaves(&self) -> &[Digest] {
        self.0.hashed.leaves()
    }

    /// The whole batch as it was sent.
    pub fn bytes(&self) -> &Bytes {
        &self.batch().bytes
    }

    /// The bytes of item `index`.
    pub fn item_bytes(&self, index: u32) -> Option<&[u8]> {
        let size = self.kind().item_bytes();
        let start = BATCH_PREFIX_BYTES + index as usize * size;
        self.batch().bytes.get(start..start + size)
    }
}

fn cast<T: FromBytes + Immutable + KnownLayout + Unaligned>(bytes: &[u8]) -> &[T] {
    match <[T]>::ref_from_bytes(bytes) {
        Ok(items) => items,
        // `decode` checked the length, and the item types need no alignment.
        Err(_) => unreachable!("a checked batch holds whole items"),
    }
}
