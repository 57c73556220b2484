//! The signed unit of submission: header, Merkle root of its items, one signature, 1 to 8,192
//! fixed-size items of one kind. Bytes: header (84), signature (64), items.

mod kind;
mod together;

use std::sync::Arc;

use bincode::{Decode, Encode};
use bytes::Bytes;
use zerocopy::Immutable;

use crate::codec;
use crate::hash::{Digest, Domain, hash};
use crate::ids::{BatchId, ChainId, ParticipantId};
use crate::merkle;
pub use crate::parameters::BATCH_ITEMS_MAX;
use crate::registry::Signers;
use crate::rejection::Rejection;
use crate::sign::{PublicKey, SecretKey, Signature};
use crate::units::TimeMs;

pub use self::kind::{BatchItem, BatchKind, Items};

/// The version that batch headers carry.
pub const BATCH_VERSION: u16 = 1;
/// Bytes of an encoded [`BatchHeader`].
pub const BATCH_HEADER_BYTES: usize = 84;
/// Bytes before the first item: header and signature.
pub const BATCH_PREFIX_BYTES: usize = BATCH_HEADER_BYTES + 64;
/// Bytes of the largest batch.
pub const BATCH_BYTES_MAX: usize = BATCH_PREFIX_BYTES + BATCH_ITEMS_MAX as usize * 128;

/// The header of a batch, 84 bytes. Its digest is what the submitter signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct BatchHeader {
    /// The version of the format: [`BATCH_VERSION`], or the batch is refused.
    pub version: u16,
    /// The frozen number of a [`BatchKind`].
    pub kind: u16,
    /// The chain it is meant for.
    pub chain_id: ChainId,
    /// The participant that signs the batch.
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
        BatchId::new(hash(Domain::Batch, &[&codec::encode(self)]))
    }
}

/// A batch that was refused before anything was booked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {} {detail}", .rejection.name(), .rejection.cause())]
pub struct BatchError {
    /// The reason, with its stable code.
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
        let leaves = merkle::leaves(items.iter().map(|item| item.as_bytes()));
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
        bytes.extend_from_slice(&key.sign(&header.id().digest()).bytes());
        for item in items {
            bytes.extend_from_slice(item.as_bytes());
        }
        bytes
    }

    /// Returns the header, whose version, kind and count are checked.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The kind that the header names.
    pub fn kind(&self) -> BatchKind {
        self.kind
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
        keys.signer(&id.digest(), &self.signature).ok_or_else(|| self.not_signed(id))
    }

    fn not_signed(&self, id: BatchId) -> BatchError {
        let detail = format!("(participant {}, batch {id})", self.header.submitter);
        BatchError::new(Rejection::SignatureInvalid, detail)
    }

    /// The hashes of its items, which lead to the header's root.
    fn leaves(&self) -> Result<Vec<Digest>, BatchError> {
        let items = self.bytes.get(BATCH_PREFIX_BYTES..).unwrap_or_default();
        let leaves = merkle::leaves(items.chunks_exact(self.kind.item_bytes()));
        if merkle::root(&leaves) == self.header.items_root {
            return Ok(leaves);
        }
        let detail = format!("(header says {})", self.header.items_root);
        Err(BatchError::new(Rejection::RootMismatch, detail))
    }
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
    /// Returns the items, read in place.
    pub fn items(&self) -> Items<'_> {
        let bytes = self.batch.bytes.get(BATCH_PREFIX_BYTES..).unwrap_or_default();
        Items::read(self.batch.kind, bytes)
    }

    /// Returns the digest of the header, which names the batch.
    pub fn id(&self) -> BatchId {
        self.id
    }

    /// Returns the header, whose version, kind and count are checked.
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

    /// Returns the digest of the header, which names the batch.
    pub fn id(&self) -> BatchId {
        self.0.hashed.id
    }

    /// Returns the header, whose version, kind and count are checked.
    pub fn header(&self) -> &BatchHeader {
        self.0.hashed.header()
    }

    /// The items, read in place.
    pub fn items(&self) -> Items<'_> {
        self.0.hashed.items()
    }

    /// Returns the kind of all items.
    pub fn kind(&self) -> BatchKind {
        self.batch().kind
    }

    /// Returns the submitter's signature over the batch id.
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
