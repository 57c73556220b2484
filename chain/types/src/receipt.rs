//! Receipts: an order's outcome with everything needed to verify it offline, given only the
//! genesis file. Every byte of a receipt is covered by a signature, a hash or a comparison.

use bincode::{Decode, Encode};
use zerocopy::FromBytes;

use crate::batch::{BatchHeader, BatchKind};
use crate::block::{BlockHeader, Certificate, OUTCOMES_PER_LEAF};
use crate::codec::CodecError;
use crate::hash::Digest;
use crate::ids::{InstructionId, OrderId};
use crate::lineage::{Lineage, LineageError, Trust};
use crate::merkle;
use crate::operation::{
    ArrivalItem, CollectItem, Decision, HoldDecisionItem, RechargeItem, ReturnItem,
};
use crate::proof_bytes::{ProofTooLarge, decode_proof, encode_proof};
use crate::registry::{ChainGenesis, PartyKeys, Signers as _};
use crate::rejection::Outcome;
use crate::sign::Signature;
use crate::units::{Amount, Height, TimeMs};

/// The first bytes of a receipt file.
pub const RECEIPT_MAGIC: [u8; 8] = *b"SLUICER2";

/// Proof that one item is in a decided block with one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Inclusion {
    /// The header of the batch that holds the item.
    pub batch: BatchHeader,
    /// The submitter's signature over the batch id.
    pub batch_signature: Signature,
    /// The canonical bytes of the item.
    pub item: Vec<u8>,
    /// The item's place in the batch.
    pub item_index: u32,
    /// From the item to the batch's items root.
    pub item_proof: Vec<Digest>,
    /// The outcome codes of the leaf that holds the item's.
    pub outcomes: Vec<Outcome>,
    /// From that leaf to the batch's outcomes root.
    pub outcome_proof: Vec<Digest>,
    /// The batch's place in the block.
    pub batch_index: u32,
    /// From the batch id to the block's batches root.
    pub batch_proof: Vec<Digest>,
    /// From the batch's outcomes root to the block's results root.
    pub result_proof: Vec<Digest>,
    /// The header of the block that holds the item.
    pub header: BlockHeader,
    /// The quorum that decided it.
    pub certificate: Certificate,
    /// The submitter's keys at the block.
    pub keys: PartyKeys,
    /// Their place among the parties.
    pub keys_index: u32,
    /// From them to the header's parties root.
    pub keys_proof: Vec<Digest>,
}

/// An order's outcome with its proofs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// The first bytes of every receipt: [`RECEIPT_MAGIC`].
    pub magic: [u8; 8],
    /// The submission of the order.
    pub order: Inclusion,
    /// Its collection, when that was a step of its own.
    pub collection: Option<Inclusion>,
    /// Its release, when a risk desk held it and let it go.
    pub release: Option<Inclusion>,
    /// The arrival of the instruction that paid it, when it has arrived.
    pub arrival: Option<Inclusion>,
    /// The returns of the order, in the order in which they were applied.
    pub returns: Vec<Inclusion>,
    /// The changes of validators that lead to these blocks; empty when it is had apart.
    pub lineage: Lineage,
}

/// The facts that a valid receipt proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The id of the order.
    pub order_id: OrderId,
    /// The order as submitted.
    pub item: RechargeItem,
    /// The outcome of the submission.
    pub outcome: Outcome,
    /// Block time of the submission.
    pub accepted: TimeMs,
    /// Block time of the collection, if it was collected.
    pub collected: Option<TimeMs>,
    /// The digest of the parameters under which it was collected, if it was: they say for how long
    /// its gateway may take it back alone.
    pub collected_under: Option<Digest>,
    /// The instruction that paid it and block time of its arrival, if it arrived.
    pub arrived: Option<(InstructionId, TimeMs)>,
    /// The cashback tier by which it was granted cashback, and block time, if it was.
    pub cashback_tier: Option<u16>,
    /// The sum that was sent back, in minor units of the order's currency.
    pub returned: Amount,
}

/// Why a receipt is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The bytes are no receipt.
    #[error("not a receipt: {0}")]
    Codec(#[from] CodecError),
    /// The first bytes are not [`RECEIPT_MAGIC`].
    #[error("not a receipt: it does not begin with SLUICER2")]
    Magic,
    /// It belongs to another chain.
    #[error("the {part} is of chain {actual}, the genesis file is of {expected}")]
    Chain {
        /// The part of the receipt.
        part: &'static str,
        /// The chain it names.
        actual: Digest,
        /// The chain of the genesis file.
        expected: Digest,
    },
    /// A hash or signature does not hold.
    #[error("the {part}'s {what} does not hold")]
    Broken {
        /// The part of the receipt.
        part: &'static str,
        /// The part of the receipt that was compared.
        what: &'static str,
    },
    /// The block is not proven to be the chain's.
    #[error("the {part}'s block is not the chain's: {error}")]
    Lineage {
        /// The part of the receipt.
        part: &'static str,
        /// The reason for which the lineage does not verify.
        error: LineageError,
    },
    /// The changes of validators do not hold.
    #[error("the receipt's lineage does not hold: {0}")]
    Handover(LineageError),
    /// The receipt has a lineage of its own and was to be held against another.
    #[error("the receipt has a lineage of its own: verify it against the genesis file alone")]
    OwnLineage,
    /// Parts that hold on their own do not belong together.
    #[error("the {0} does not belong to the order")]
    Unrelated(&'static str),
}

impl Receipt {
    /// Its bytes.
    ///
    /// # Errors
    /// When they are more than anyone reads.
    pub fn encode(&self) -> Result<Vec<u8>, ProofTooLarge> {
        encode_proof(self, &self.lineage)
    }

    /// Reads a receipt's bytes.
    ///
    /// # Errors
    /// When they are no receipt, or more than [`crate::proof_bytes::PROOF_BYTES_MAX`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let receipt: Self = decode_proof(bytes)?;
        if receipt.magic == RECEIPT_MAGIC { Ok(receipt) } else { Err(ReceiptError::Magic) }
    }

    /// The heights of its blocks.
    pub fn heights(&self) -> impl Iterator<Item = Height> {
        let parts = [&self.order].into_iter().chain(&self.release).chain(&self.collection);
        parts.chain(&self.arrival).chain(&self.returns).map(|part| part.header.height)
    }

    /// Checks everything and says what is proven.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self, genesis: &ChainGenesis) -> Result<Proven, ReceiptError> {
        if self.magic != RECEIPT_MAGIC {
            return Err(ReceiptError::Magic);
        }
        let trust = self.lineage.trust(genesis, self.heights()).map_err(ReceiptError::Handover)?;
        self.prove(genesis, &trust)
    }

    /// As [`Self::verify`], for a receipt without a lineage: `trust` is what a lineage apart says
    /// of [`Self::heights`].
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify_by(&self, genesis: &ChainGenesis, trust: &Trust) -> Result<Proven, ReceiptError> {
        if self.magic != RECEIPT_MAGIC {
            return Err(ReceiptError::Magic);
        }
        if !self.lineage.0.is_empty() {
            return Err(ReceiptError::OwnLineage);
        }
        self.prove(genesis, trust)
    }

    fn prove(&self, genesis: &ChainGenesis, trust: &Trust) -> Result<Proven, ReceiptError> {
        let (outcome, item): (_, RechargeItem) =
            self.order.read("order", BatchKind::Recharge, genesis, trust)?;
        let mut proven = Proven {
            order_id: item.order_id(),
            item,
            outcome,
            accepted: self.order.header.time,
            collected: None,
            collected_under: None,
            arrived: None,
            cashback_tier: None,
            returned: Amount::new(0),
        };
        let collection = self.collection(&item, outcome, genesis, trust)?;
        proven.collected = collection.map(|(header, _)| header.time);
        proven.collected_under = collection.map(|(header, _)| header.parameters_hash);
        proven.cashback_tier = collection.and_then(|(_, outcome)| outcome.cashback_tier());
        if let Some(arrival) = &self.arrival {
            let (header, _) = collection.ok_or(ReceiptError::Unrelated("arrival"))?;
            let (outcome, paid): (_, ArrivalItem) =
                arrival.read("arrival", BatchKind::Arrival, genesis, trust)?;
            let instruction = InstructionId {
                window: header.window,
                merchant: item.merchant(),
                currency: item.payout_currency(),
            };
            if !outcome.is_applied() || paid.instruction() != instruction {
                return Err(ReceiptError::Unrelated("arrival"));
            }
            proven.arrived = Some((instruction, arrival.header.time));
        }
        for (sequence, inclusion) in (1_u16..).zip(&self.returns) {
            let unrelated = ReceiptError::Unrelated("return");
            collection.ok_or(unrelated.clone())?;
            let (outcome, back): (_, ReturnItem) =
                inclusion.read("return", BatchKind::Return, genesis, trust)?;
            let belongs = outcome.is_applied()
                && back.order_id() == item.order_id()
                && back.sequence.get() == sequence;
            let sum = proven.returned.get().checked_add(back.amount.get());
            let sum = sum.filter(|sum| belongs && *sum <= item.amount.get());
            proven.returned = Amount::new(sum.ok_or(unrelated)?);
        }
        Ok(proven)
    }

    /// The block in which the order was collected and with what outcome, if it was.
    fn collection(
        &self,
        item: &RechargeItem,
        outcome: Outcome,
        genesis: &ChainGenesis,
        trust: &Trust,
    ) -> Result<Option<(&BlockHeader, Outcome)>, ReceiptError> {
        let (entered, entry) = match &self.release {
            None => (&self.order.header, outcome),
            Some(release) => {
                let (released, word): (_, HoldDecisionItem) =
                    release.read("release", BatchKind::HoldDecision, genesis, trust)?;
                let is_release = word.decision.get() == Decision::Approve.number();
                let belongs = outcome == Outcome::HELD
                    && is_release
                    && released.is_applied()
                    && word.order_id() == item.order_id();
                if !belongs {
                    return Err(ReceiptError::Unrelated("release"));
                }
                (&release.header, released)
            }
        };
        let Some(collection) = &self.collection else {
            let in_one_step = entry.is_applied() && item.is_collected();
            return Ok(in_one_step.then_some((entered, entry)));
        };
        let (collected, word): (_, CollectItem) =
            collection.read("collection", BatchKind::Collect, genesis, trust)?;
        let belongs = entry.is_applied()
            && !item.is_collected()
            && collected.is_applied()
            && word.order_id() == item.order_id();
        if belongs {
            Ok(Some((&collection.header, collected)))
        } else {
            Err(ReceiptError::Unrelated("collection"))
        }
    }
}

impl Inclusion {
    /// The outcome and the item, once everything about them holds.
    fn read<T: FromBytes>(
        &self,
        part: &'static str,
        kind: BatchKind,
        genesis: &ChainGenesis,
        trust: &Trust,
    ) -> Result<(Outcome, T), ReceiptError> {
        let outcome = self.verify(part, kind, genesis, trust)?;
        let item = T::read_from_bytes(&self.item)
            .map_err(|_| ReceiptError::Broken { part, what: "item" })?;
        Ok((outcome, item))
    }

    /// Checks every link from the item to the certificate and gives the item's outcome.
    fn verify(
        &self,
        part: &'static str,
        kind: BatchKind,
        genesis: &ChainGenesis,
        trust: &Trust,
    ) -> Result<Outcome, ReceiptError> {
        let broken = |what| ReceiptError::Broken { part, what };
        let expected = genesis.chain_id.digest();
        for actual in [self.batch.chain_id.digest(), self.header.chain_id.digest()] {
            if actual != expected {
                return Err(ReceiptError::Chain { part, actual, expected });
            }
        }
        if self.batch.kind != kind.number() || self.item.len() != kind.item_bytes() {
            return Err(broken("batch kind"));
        }
        let batch_id = self.batch.id();
        let leads_to = |leaf, index, count, proof: &[Digest], root| {
            merkle::root_from_proof(leaf, index, count, proof) == Some(root)
        };
        let signed_with = self.keys.signer(&batch_id.digest(), &self.batch_signature);
        if self.keys.participant != self.batch.submitter
            || !signed_with.is_some_and(|key| self.keys.accept(key, self.header.height))
        {
            return Err(broken("batch signature"));
        }
        let (keys_index, party_count) =
            (u64::from(self.keys_index), u64::from(self.header.party_count));
        let keys_leaf = self.keys.leaf();
        let parties_root = self.header.parties_root;
        if !leads_to(keys_leaf, keys_index, party_count, &self.keys_proof, parties_root) {
            return Err(broken("submitter's keys"));
        }
        let count = u64::from(self.batch.count);
        let item_index = u64::from(self.item_index);
        let item_leaf = merkle::leaf(&self.item);
        if !leads_to(item_leaf, item_index, count, &self.item_proof, self.batch.items_root) {
            return Err(broken("item proof"));
        }
        let batch_count = u64::from(self.header.batch_count);
        let batch_index = u64::from(self.batch_index);
        let batch_leaf = merkle::leaf(&batch_id.digest().bytes());
        if !leads_to(
            batch_leaf,
            batch_index,
            batch_count,
            &self.batch_proof,
            self.header.batches_root,
        ) {
            return Err(broken("batch proof"));
        }
        let per_leaf = OUTCOMES_PER_LEAF as u64;
        let outcome_leaf = merkle::leaf(&crate::block::outcome_bytes(&self.outcomes));
        let outcomes_root = merkle::root_from_proof(
            outcome_leaf,
            item_index / per_leaf,
            count.div_ceil(per_leaf),
            &self.outcome_proof,
        )
        .ok_or_else(|| broken("outcome proof"))?;
        let result_leaf = merkle::leaf(&outcomes_root.bytes());
        if !leads_to(
            result_leaf,
            batch_index,
            batch_count,
            &self.result_proof,
            self.header.results_root,
        ) {
            return Err(broken("result proof"));
        }
        let at = usize::try_from(item_index % per_leaf).map_err(|_| broken("outcome"))?;
        let outcome = *self.outcomes.get(at).ok_or_else(|| broken("outcome"))?;
        trust
            .verify(&self.header, &self.certificate)
            .map_err(|error| ReceiptError::Lineage { part, error })?;
        Ok(outcome)
    }
}
