//! The report of a closed window, read from a proof of records: what `settlement_window_proof`
//! gives and `sluice verify` checks.

use std::collections::BTreeMap;

use chain_types::codec::{self, CodecError};
use chain_types::record_proof::{RecordProof, RecordProofError};
use chain_types::{BlockHeader, ChainGenesis, Currency, PROOF_BYTES_MAX, RecordInclusion, Trust};

use crate::{Record, WindowRecord, WindowSettlement};

/// The report of a window that a valid proof proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenWindow {
    /// The report of the window.
    pub window: WindowRecord,
    /// The header of the block that closed the window.
    pub header: BlockHeader,
    /// Its settlement, if the proof holds it.
    pub settlement: Option<WindowSettlement>,
}

/// Why a proof of a window's report is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowProofError {
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] RecordProofError),
    /// A record is none that this version knows.
    #[error("a record does not decode: {0}")]
    Record(CodecError),
    /// The records are not the report of a closed window and at most the word that it is settled.
    #[error("the records are not a closed window's report and the word that it is settled")]
    Kind,
    /// Maker and checker signed another report.
    #[error("the settlement is of another report of the window")]
    Digest,
    /// The sum that parties owe differs from the sum that parties are owed.
    #[error("the report does not net: in currency {0} its positions do not add up to zero")]
    Net(Currency),
}

impl ProvenWindow {
    /// Checks that the chain of `genesis` left the report that `proof` holds, and reads it.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(proof: &RecordProof, genesis: &ChainGenesis) -> Result<Self, WindowProofError> {
        proof.verify(genesis)?;
        Self::read(proof)
    }

    /// As [`Self::verify`], for a proof without a lineage: `trust` is what a lineage apart says of
    /// the heights of its blocks.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify_by(proof: &RecordProof, trust: &Trust) -> Result<Self, WindowProofError> {
        proof.verify_by(trust)?;
        Self::read(proof)
    }

    /// Reads the records of `proof`; they are nobody's word until the proof is verified.
    ///
    /// # Errors
    /// When they are not a closed window's report and at most the word that it is settled.
    pub fn read(proof: &RecordProof) -> Result<Self, WindowProofError> {
        let (report, rest) = proof.records.split_first().ok_or(WindowProofError::Kind)?;
        let Record::Window(window) = record(report)? else { return Err(WindowProofError::Kind) };
        if window.closed.is_none() {
            return Err(WindowProofError::Kind);
        }
        net(&window)?;
        let settlement = match rest {
            [] => None,
            [word] => match record(word)? {
                Record::WindowSettlement(word) if word.window == window.id => {
                    let is_of_it = word.digest == window.digest();
                    Some(is_of_it.then_some(word).ok_or(WindowProofError::Digest)?)
                }
                _ => return Err(WindowProofError::Kind),
            },
            _ => return Err(WindowProofError::Kind),
        };
        Ok(Self { window, header: report.header.clone(), settlement })
    }
}

fn record(included: &RecordInclusion) -> Result<Record, WindowProofError> {
    codec::decode(&included.record, PROOF_BYTES_MAX).map_err(WindowProofError::Record)
}

/// The chain asserts it of every window; a report that is shown to somebody is added up once more.
fn net(window: &WindowRecord) -> Result<(), WindowProofError> {
    let mut nets: BTreeMap<Currency, i128> = BTreeMap::new();
    for position in &window.positions {
        let currency = position.party.currency;
        let sum = nets.entry(currency).or_default();
        let credits = i128::try_from(position.gross_credits).ok();
        let debits = i128::try_from(position.gross_debits).ok();
        let net = credits.zip(debits).and_then(|(credits, debits)| credits.checked_sub(debits));
        let added = net.and_then(|net| sum.checked_add(net));
        *sum = added.ok_or(WindowProofError::Net(currency))?;
    }
    match nets.into_iter().find(|(_, net)| *net != 0) {
        Some((currency, _)) => Err(WindowProofError::Net(currency)),
        None => Ok(()),
    }
}
