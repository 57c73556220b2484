//! The bodies of block and certificate frames. They take few bytes: a chain that is idle writes
//! nothing else, a block every heartbeat. Numbers are as short as they are, and of a header's roots
//! those of nothing are left out.

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use chain_types::block::{batches_root, results_root};
use chain_types::evidence::evidence_root;
use chain_types::{
    BatchId, Block, BlockHash, BlockHeader, Certificate, ChainId, Digest, Equivocation, Height,
    Round, TimeMs, ValidatorId, WindowId, merkle,
};

use crate::block_files::Position;
use crate::short_numbers::short;

/// The body of a block frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredBlock {
    pub block: Block,
    /// The payload frames of its batches, in order.
    pub payload: Vec<Position>,
    /// The position of the block's outcomes frame.
    pub outcomes: Position,
}

/// The body of a certificate frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredCertificate {
    pub certificate: Certificate,
    /// The frame of the block that it certifies.
    pub block: Position,
}

/// A header as it is written.
#[derive(Encode, Decode)]
struct ShortHeader {
    protocol_version: u16,
    chain_id: ChainId,
    height: Height,
    round: Round,
    parent_round: Round,
    proposer: ValidatorId,
    time: TimeMs,
    window: WindowId,
    parent: BlockHash,
    batch_count: u32,
    /// These four are left out when they are the root of nothing.
    batches_root: Option<Digest>,
    evidence_count: u32,
    evidence_root: Option<Digest>,
    results_root: Option<Digest>,
    state_digest: Digest,
    validators_hash: Digest,
    /// Left out when the validators stay.
    next_validators_hash: Option<Digest>,
    parameters_hash: Digest,
    party_count: u32,
    parties_root: Digest,
    record_count: u32,
    records_root: Option<Digest>,
}

/// The roots of no batches, no evidence, no results and no records.
fn roots_of_nothing() -> [Digest; 4] {
    [batches_root(&[]), evidence_root(&[]), results_root(&[]), merkle::root(&[])]
}

impl ShortHeader {
    fn of(header: &BlockHeader) -> Self {
        let [batches, evidence, results, records] = roots_of_nothing();
        let unless = |digest: Digest, usual: Digest| Some(digest).filter(|found| *found != usual);
        Self {
            protocol_version: header.protocol_version,
            chain_id: header.chain_id,
            height: header.height,
            round: header.round,
            parent_round: header.parent_round,
            proposer: header.proposer,
            time: header.time,
            window: header.window,
            parent: header.parent,
            batch_count: header.batch_count,
            batches_root: unless(header.batches_root, batches),
            evidence_count: header.evidence_count,
            evidence_root: unless(header.evidence_root, evidence),
            results_root: unless(header.results_root, results),
            state_digest: header.state_digest,
            validators_hash: header.validators_hash,
            next_validators_hash: unless(header.next_validators_hash, header.validators_hash),
            parameters_hash: header.parameters_hash,
            party_count: header.party_count,
            parties_root: header.parties_root,
            record_count: header.record_count,
            records_root: unless(header.records_root, records),
        }
    }

    fn whole(self) -> BlockHeader {
        let [batches, evidence, results, records] = roots_of_nothing();
        BlockHeader {
            protocol_version: self.protocol_version,
            chain_id: self.chain_id,
            height: self.height,
            round: self.round,
            parent_round: self.parent_round,
            proposer: self.proposer,
            time: self.time,
            window: self.window,
            parent: self.parent,
            batch_count: self.batch_count,
            batches_root: self.batches_root.unwrap_or(batches),
            evidence_count: self.evidence_count,
            evidence_root: self.evidence_root.unwrap_or(evidence),
            results_root: self.results_root.unwrap_or(results),
            state_digest: self.state_digest,
            validators_hash: self.validators_hash,
            next_validators_hash: self.next_validators_hash.unwrap_or(self.validators_hash),
            parameters_hash: self.parameters_hash,
            party_count: self.party_count,
            parties_root: self.parties_root,
            record_count: self.record_count,
            records_root: self.records_root.unwrap_or(records),
        }
    }
}

impl Encode for StoredBlock {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let Block { header, batches, evidence } = &self.block;
        let body = (ShortHeader::of(header), batches, evidence, &self.payload, self.outcomes);
        bincode::encode_into_writer(body, encoder.writer(), short())
    }
}

impl<C> Decode<C> for StoredBlock {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        type Body = (ShortHeader, Vec<BatchId>, Vec<Equivocation>, Vec<Position>, Position);
        let body: Body = bincode::decode_from_reader(decoder.reader(), short())?;
        let (header, batches, evidence, payload, outcomes) = body;
        let block = Block { header: header.whole(), batches, evidence };
        Ok(Self { block, payload, outcomes })
    }
}

impl Encode for StoredCertificate {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let body = (&self.certificate, self.block);
        bincode::encode_into_writer(body, encoder.writer(), short())
    }
}

impl<C> Decode<C> for StoredCertificate {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let (certificate, block) = bincode::decode_from_reader(decoder.reader(), short())?;
        Ok(Self { certificate, block })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chain_types::codec;

    use super::*;

    fn digest(byte: u8) -> Digest {
        Digest([byte; 32])
    }

    fn header(roots: [Digest; 4], next_validators_hash: Digest) -> BlockHeader {
        let [batches_root, evidence_root, results_root, records_root] = roots;
        BlockHeader {
            protocol_version: 1,
            chain_id: ChainId(digest(1)),
            height: Height(2_000_000),
            round: Round(0),
            parent_round: Round(1),
            proposer: ValidatorId(2),
            time: TimeMs(1_800_000_000_000),
            window: WindowId(70_000),
            parent: BlockHash(digest(3)),
            batch_count: 0,
            batches_root,
            evidence_count: 0,
            evidence_root,
            results_root,
            state_digest: digest(4),
            validators_hash: digest(5),
            next_validators_hash,
            parameters_hash: digest(6),
            party_count: 20,
            parties_root: digest(7),
            record_count: 0,
            records_root,
        }
    }

    fn stored(header: BlockHeader) -> StoredBlock {
        let block = Block { header, batches: vec![BatchId(digest(8))], evidence: Vec::new() };
        let at = |offset| Position { file: 3, offset, length: 4_000 };
        StoredBlock { block, payload: vec![at(99)], outcomes: at(1 << 27) }
    }

    #[test]
    fn a_block_is_read_as_it_was_written_and_an_idle_one_is_short() {
        let nothing = roots_of_nothing();
        for (roots, next) in [
            (nothing, digest(5)),
            (nothing, digest(9)),
            ([11, 12, 13, 14].map(digest), digest(5)),
            ([11, 12, 13, 14].map(digest), digest(9)),
        ] {
            let block = stored(header(roots, next));
            let bytes = codec::encode(&block);
            assert_eq!(codec::decode::<StoredBlock>(&bytes, bytes.len()).unwrap(), block);
            for length in 0..bytes.len() {
                assert!(codec::decode::<StoredBlock>(&bytes[..length], length).is_err());
            }
        }
        let mut idle = stored(header(nothing, digest(5)));
        (idle.block.batches, idle.payload) = (Vec::new(), Vec::new());
        let bytes = codec::encode(&idle);
        assert!(bytes.len() <= 256, "{} bytes", bytes.len());
    }
}
