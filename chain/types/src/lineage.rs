//! Trust from the genesis file to any later header: who was to decide which heights.
//!
//! Every header names the validators of the next height, under the certificate of its own. So
//! each change of validators is handed over by those before it, and a chain of such handovers
//! leads from the genesis file to the validators of any height.

use bincode::{Decode, Encode};

use crate::block::{BlockHeader, Certificate, CertificateError};
use crate::registry::ChainGenesis;
use crate::units::Height;
use crate::validators::ValidatorSet;

/// The most handovers of a proof.
pub const HANDOVERS_MAX: usize = 64;

/// One change of validators: the last header of those before, and those who come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Handover {
    /// The last block that the validators before decided; it names the next.
    pub header: BlockHeader,
    /// Their certificate of it.
    pub certificate: Certificate,
    /// The validators from the next height on.
    pub validators: ValidatorSet,
}

/// The changes of validators up to some height, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Lineage(pub Vec<Handover>);

/// Why a header is not proven to be the chain's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineageError {
    /// The header, or a handover, is of another chain.
    #[error("the header is of another chain than the genesis file")]
    Chain,
    /// The handovers do not ascend, change nobody, or are too many.
    #[error("the changes of validators do not follow one another")]
    Order,
    /// A handover names other validators than its header does.
    #[error("the change of validators at block {0} names others than its header")]
    Validators(Height),
    /// The header was decided by others than the lineage leads to.
    #[error("block {0} names other validators than the lineage leads to")]
    Decided(Height),
    /// A certificate is of another block than its header's.
    #[error("the certificate beside the header of block {0} is of another block")]
    Block(Height),
    /// A certificate does not hold.
    #[error("the certificate of block {height} does not hold: {error}")]
    Certificate {
        /// The block.
        height: Height,
        /// Why.
        error: CertificateError,
    },
}

impl Lineage {
    /// Checks that the chain of `genesis` decided `header`.
    ///
    /// # Errors
    /// The first link that does not hold.
    pub fn verify(
        &self,
        genesis: &ChainGenesis,
        header: &BlockHeader,
        certificate: &Certificate,
    ) -> Result<(), LineageError> {
        if self.0.len() > HANDOVERS_MAX {
            return Err(LineageError::Order);
        }
        let mut validators = genesis.validators();
        let mut since = Height(1);
        for handover in &self.0 {
            if handover.header.height < since {
                return Err(LineageError::Order);
            }
            if header.height <= handover.header.height {
                break;
            }
            decided(genesis, &handover.header, &handover.certificate, &validators)?;
            if handover.header.next_validators_hash != handover.validators.digest() {
                return Err(LineageError::Validators(handover.header.height));
            }
            if handover.validators == validators {
                return Err(LineageError::Order);
            }
            validators = handover.validators.clone();
            since = handover.header.height.next();
        }
        decided(genesis, header, certificate, &validators)
    }
}

fn decided(
    genesis: &ChainGenesis,
    header: &BlockHeader,
    certificate: &Certificate,
    validators: &ValidatorSet,
) -> Result<(), LineageError> {
    let height = header.height;
    if header.chain_id != genesis.chain_id {
        return Err(LineageError::Chain);
    }
    if certificate.block != header.hash() || certificate.height != height {
        return Err(LineageError::Block(height));
    }
    if header.validators_hash != validators.digest() {
        return Err(LineageError::Decided(height));
    }
    certificate
        .verify(genesis.chain_id, validators)
        .map_err(|error| LineageError::Certificate { height, error })
}
