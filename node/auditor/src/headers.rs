//! A block's header is checked against the chain before it, its content and the registry, and its
//! certificate is checked to be a quorum's word. Roots and digests are those of the wire format.
//!
//! The digest of the state and the root over the block's records are not worked out here: both are
//! over what a node keeps, in the forms in which it keeps it.

use chain_types::block::{batches_root, outcomes_root, results_root};
use chain_types::{
    BatchId, BlockHash, BlockHeader, Certificate, Digest, Equivocation, Outcome, ValidatorSet,
    VerifiedBatch, merkle,
};

use crate::auditor::Auditor;
use crate::finding::{AuditFinding, FindingPlace};
use crate::registry::Registry;

/// The rules page is of this version.
const PROTOCOL_VERSION: u16 = 1;

/// The values with which headers are compared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers {
    /// The last block; none before block one, whose parent is worked out of the genesis file.
    last: Option<BlockHash>,
    /// The present registry's part of a header, once it was worked out.
    of_registry: Option<OfRegistry>,
}

/// The part of a header that follows from the registry.
#[derive(Debug, Clone)]
struct OfRegistry {
    validators: ValidatorSet,
    validators_hash: Digest,
    parameters_hash: Digest,
    party_count: u32,
    parties_root: Digest,
}

impl OfRegistry {
    fn new(registry: &Registry) -> Self {
        let parties = registry.parties();
        let leaves: Vec<Digest> = parties.iter().map(chain_types::PartyKeys::leaf).collect();
        let validators = registry.validators();
        Self {
            validators_hash: validators.digest(),
            validators,
            parameters_hash: registry.parameters.digest(),
            party_count: number_of(parties.len()),
            parties_root: merkle::root(&leaves),
        }
    }
}

impl Headers {
    /// Another registry: what it gives is worked out when it is asked for.
    pub(crate) fn registry_changed(&mut self) {
        self.of_registry = None;
    }
}

impl Auditor {
    /// As [`Self::block`], and besides: the certificate, if there is one, is a quorum's word for
    /// this block, and the header says of the chain, of the registry and of the content what they
    /// are.
    ///
    /// # Errors
    /// As [`Self::block`]; what is wrong with the certificate or the header.
    pub fn whole_block(
        &mut self,
        header: &BlockHeader,
        certificate: Option<&Certificate>,
        evidence: &[Equivocation],
        batches: &[VerifiedBatch],
        outcomes: &[Vec<Outcome>],
    ) -> Result<(), AuditFinding> {
        if let Some(certificate) = certificate {
            self.check_certificate(header, certificate)?;
        }
        let of = self.of_registry().clone();
        self.block(header, evidence, batches, outcomes)?;
        let ids: Vec<BatchId> = batches.iter().map(VerifiedBatch::id).collect();
        let results: Vec<Digest> =
            outcomes.iter().map(|outcomes| outcomes_root(outcomes)).collect();
        let parent = self.headers.last.replace(header.hash()).unwrap_or(header.parent);
        let next = self.of_registry().validators_hash;
        let proposes = of.validators.get(header.proposer).is_some();
        self.same("protocol version", PROTOCOL_VERSION, header.protocol_version)?;
        self.same("chain id", self.chain_id, header.chain_id)?;
        self.same("parent", parent, header.parent)?;
        self.same("a proposer who is a validator:", true, proposes)?;
        self.same("batch count", number_of(batches.len()), header.batch_count)?;
        self.same("batches root", batches_root(&ids), header.batches_root)?;
        self.same("results root", results_root(&results), header.results_root)?;
        self.same("parameters hash", of.parameters_hash, header.parameters_hash)?;
        self.same("validators hash", of.validators_hash, header.validators_hash)?;
        self.same("next validators hash", next, header.next_validators_hash)?;
        self.same("party count", of.party_count, header.party_count)?;
        self.same("parties root", of.parties_root, header.parties_root)
    }

    /// A certificate is by the validators whom the registry names for its block.
    fn check_certificate(
        &mut self,
        header: &BlockHeader,
        certificate: &Certificate,
    ) -> Result<(), AuditFinding> {
        let (chain_id, height) = (self.chain_id, self.height + 1);
        let finding = |expected: String, found: String| {
            let place = FindingPlace::Certificate;
            Err(AuditFinding { height, place, expected, found })
        };
        let (block, decided) = (header.hash(), certificate.block);
        if (certificate.height.get(), decided) != (height, block) {
            let found = format!("block {decided} of height {}", certificate.height);
            return finding(format!("block {block} of height {height}"), found);
        }
        match certificate.verify(chain_id, &self.of_registry().validators) {
            Ok(()) => Ok(()),
            Err(error) => finding("a quorum's signatures".to_owned(), error.to_string()),
        }
    }

    fn of_registry(&mut self) -> &OfRegistry {
        let registry = &self.registry;
        self.headers.of_registry.get_or_insert_with(|| OfRegistry::new(registry))
    }

    fn same<T: PartialEq + ToString>(
        &self,
        what: &str,
        expected: T,
        found: T,
    ) -> Result<(), AuditFinding> {
        if expected == found {
            return Ok(());
        }
        let words = |value: T| format!("{what} {}", value.to_string());
        Err(self.header_finding(words(expected), words(found)))
    }
}

fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
