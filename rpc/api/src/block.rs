//! Blocks in JSON: in short, whole, by what they are asked for, and the evidence that they hold.

use chain_types::{BatchId, Block, BlockHash, Certificate, Digest, EquivocationKind, codec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::Base64Form;
use crate::text::{DigestText, Text};

/// A change of validators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandoverReport {
    /// The last block that the validators before it decided; its height is the cursor after it.
    pub height: u64,
    /// The handover's bytes (docs/wire-format.md), as base64.
    #[schemars(with = "Text<Base64Form>")]
    pub handover_base64: String,
}

/// A block's name in a question: its height as a number, or its hash as hexadecimal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BlockSelector {
    /// The block of this height.
    Height(u64),
    /// The block with this hash, 64 hexadecimal digits.
    Hash(#[schemars(with = "Text<BlockHash>")] String),
}

/// A block in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockSummary {
    /// The block's height; block zero is made from the genesis file.
    pub height: u64,
    /// The hash of the block's header.
    #[serde(with = "Text::<BlockHash>")]
    pub block_hash: BlockHash,
    /// The block before it.
    #[serde(with = "Text::<BlockHash>")]
    pub parent: BlockHash,
    /// The block's time, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The round in which it was first proposed.
    pub round: u32,
    /// The round in which the block before it was decided.
    pub parent_round: u32,
    /// The validator who proposed it.
    pub proposer: u32,
    /// The settlement window to which orders collected in it belong.
    pub window: u64,
    /// How many batches it holds.
    pub batch_count: u32,
    /// The digest of the whole state after it.
    #[serde(with = "DigestText")]
    pub state_digest: Digest,
}

impl BlockSummary {
    /// The summary of a block.
    pub fn new(block: &Block) -> Self {
        let header = &block.header;
        Self {
            height: header.height.get(),
            block_hash: block.hash(),
            parent: header.parent,
            time_ms: header.time.get(),
            round: header.round.get(),
            parent_round: header.parent_round.get(),
            proposer: header.proposer.get(),
            window: header.window.get(),
            batch_count: header.batch_count,
            state_digest: header.state_digest,
        }
    }
}

/// A block with everything in its header, its batch ids and its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockReport {
    /// The fields that a block shares with its summary.
    #[serde(flatten)]
    pub summary: BlockSummary,
    /// The protocol version it was executed under.
    pub protocol_version: u16,
    /// Merkle root over the batch ids.
    #[serde(with = "DigestText")]
    pub batches_root: Digest,
    /// How many pieces of evidence against validators it holds: see `chain_evidence`.
    pub evidence_count: u32,
    /// Merkle root over its evidence.
    #[serde(with = "DigestText")]
    pub evidence_root: Digest,
    /// Merkle root over the outcomes roots.
    #[serde(with = "DigestText")]
    pub results_root: Digest,
    /// The digest of the validators who decided it.
    #[serde(with = "DigestText")]
    pub validators_hash: Digest,
    /// The digest of the parameters it was executed under.
    #[serde(with = "DigestText")]
    pub parameters_hash: Digest,
    /// Its batches, in the order of execution.
    pub batches: Vec<BatchReference>,
    /// The canonical bytes (docs/wire-format.md) of each piece of its evidence, as base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Text<Base64Form>>")]
    pub evidence_base64: Vec<String>,
    /// The quorum that decided it; absent for block zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateReport>,
    /// The header's canonical bytes (docs/wire-format.md), as base64.
    #[schemars(with = "Text<Base64Form>")]
    pub header_base64: String,
}

impl BlockReport {
    /// The report of a block and its certificate, which block zero has not.
    pub fn new(block: &Block, certificate: Option<&Certificate>) -> Self {
        let header = &block.header;
        Self {
            summary: BlockSummary::new(block),
            protocol_version: header.protocol_version,
            batches_root: header.batches_root,
            evidence_count: header.evidence_count,
            evidence_root: header.evidence_root,
            results_root: header.results_root,
            validators_hash: header.validators_hash,
            parameters_hash: header.parameters_hash,
            batches: block.batches.iter().map(|id| BatchReference { batch_id: *id }).collect(),
            evidence_base64: block
                .evidence
                .iter()
                .map(|one| crate::encode_base64(&codec::encode(one)))
                .collect(),
            certificate: certificate.map(CertificateReport::new),
            header_base64: crate::encode_base64(&codec::encode(header)),
        }
    }
}

/// A batch in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchReference {
    /// The id of the batch: the hash of its header.
    #[serde(with = "Text::<BatchId>")]
    pub batch_id: BatchId,
}

/// The precommits of a quorum, which decided a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateReport {
    /// The round in which the block was decided.
    pub round: u32,
    /// The validators who signed, ascending.
    pub signers: Vec<u32>,
    /// The certificate's canonical bytes (docs/wire-format.md), as base64.
    #[schemars(with = "Text<Base64Form>")]
    pub certificate_base64: String,
}

impl CertificateReport {
    /// The report of a certificate.
    pub fn new(certificate: &Certificate) -> Self {
        Self {
            round: certificate.round.get(),
            signers: certificate.signatures.iter().map(|(signer, _)| signer.get()).collect(),
            certificate_base64: crate::encode_base64(&codec::encode(certificate)),
        }
    }
}

/// A validator caught at signing two values where it may sign one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceReport {
    /// The validator: its place in the list of nodes.
    pub validator: u32,
    /// The name of the validator's node.
    pub name: String,
    /// The kind of message of which it signed two.
    #[serde(with = "Text::<EquivocationKind>")]
    pub what: EquivocationKind,
    /// The height at which it did.
    pub height: u64,
    /// The round in which it did.
    pub round: u32,
    /// The lower of the two values: a block hash; absent for a vote for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<BlockHash>>")]
    pub first: Option<String>,
    /// The higher of the two values, in the same form as the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<BlockHash>>")]
    pub second: Option<String>,
    /// The height of the block that holds the evidence.
    pub block_height: u64,
    /// Its place among that block's evidence.
    pub sequence: u32,
    /// The time of the block that holds the evidence, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
}
