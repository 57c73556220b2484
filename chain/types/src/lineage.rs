//! Trust from the genesis file to any later header: who was to decide which heights.
//!
//! Every header names the validators who decide it and those who decide the next height, under the
//! certificate of its own. A *handover* is such a header where the two differ. A verifier walks
//! from the genesis file's validators over handovers; each must be signed by a quorum, more than
//! two thirds of the power, of the validators that the walk trusts so far. It must hold for those
//! who decided it as well, who may be others: then the changes between were skipped. Nothing is
//! believed that fewer signed than one change after another would need
//! ([0036](../../../docs/adr/0036-a-lineage-skips-and-may-stand-apart.md)).

use std::collections::BTreeMap;
use std::sync::Arc;

use bincode::{Decode, Encode};

use crate::block::{
    BLOCK_HEADER_BYTES, BlockHeader, CERTIFICATE_BYTES_MAX, Certificate, CertificateError,
};
use crate::ids::ChainId;
use crate::registry::ChainGenesis;
use crate::units::Height;
use crate::validators::{SET_CHANGE_BYTES_MAX, SetChange, ValidatorSet};

/// Bytes of the largest handover.
pub const HANDOVER_BYTES_MAX: usize =
    BLOCK_HEADER_BYTES + CERTIFICATE_BYTES_MAX + 2 * SET_CHANGE_BYTES_MAX;
/// The first bytes of a lineage that stands apart: handovers follow, one after another, to the
/// end. It has no bound; whoever reads it holds one handover at a time.
pub const LINEAGE_MAGIC: [u8; 8] = *b"SLUICEL1";

/// The last header of some validators, and those who come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Handover {
    /// The block; it names who decides the next.
    pub header: BlockHeader,
    /// Its certificate: a quorum of its deciders, and of the validators trusted before.
    pub certificate: Certificate,
    /// How its deciders differ from the validators trusted before: not at all, if no change
    /// between was skipped.
    pub deciders: SetChange,
    /// How those who decide the next block differ from its deciders.
    pub next: SetChange,
}

/// Handovers that lead from the genesis file to some blocks, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Lineage(pub Vec<Handover>);

/// Why a header is not proven to be the chain's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineageError {
    /// The header, or a handover, is of another chain.
    #[error("the header is of another chain than the genesis file")]
    Chain,
    /// The handovers do not ascend, or one changes nobody.
    #[error("the changes of validators do not follow one another")]
    Order,
    /// Nothing rests on a handover: nobody would miss it.
    #[error("the change of validators at block {0} is not before the last of the proven blocks")]
    Needless(Height),
    /// A change of a set names who is not there, changes nothing, or is not in ascending order.
    #[error("the change of validators at block {0} does not fit those before it")]
    Change(Height),
    /// A handover names other validators than its header does.
    #[error("the change of validators at block {0} names others than its header")]
    Validators(Height),
    /// Too few of the validators trusted before signed a handover.
    #[error(
        "block {height} is signed by {power} of {total} of the validators trusted before, not by \
         more than two thirds"
    )]
    Vouched {
        /// The height of the block.
        height: Height,
        /// The sum of the signers' voting power.
        power: u128,
        /// The voting power of all validators.
        total: u128,
    },
    /// The header was decided by others than the lineage leads to.
    #[error("block {0} names other validators than the lineage leads to")]
    Decided(Height),
    /// A certificate is of another block than its header's.
    #[error("the certificate beside the header of block {0} is of another block")]
    Block(Height),
    /// A certificate does not hold.
    #[error("the certificate of block {height} does not hold: {error}")]
    Certificate {
        /// The height of the block.
        height: Height,
        /// The reason for which the certificate does not verify.
        error: CertificateError,
    },
}

impl Lineage {
    /// The validators who were to decide the blocks of these heights.
    ///
    /// # Errors
    /// The first handover that does not hold, or on which none of the blocks rests.
    pub fn trust(
        &self,
        genesis: &ChainGenesis,
        heights: impl IntoIterator<Item = Height>,
    ) -> Result<Trust, LineageError> {
        let mut walk = Walk::new(genesis, heights);
        let last = walk.wanted.first().copied().unwrap_or_default();
        for handover in &self.0 {
            if handover.header.height >= last {
                return Err(LineageError::Needless(handover.header.height));
            }
            walk.step(handover)?;
        }
        Ok(walk.finish())
    }

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
        self.trust(genesis, [header.height])?.verify(header, certificate)
    }
}

/// A walk over handovers from the genesis file on, one at a time: what it holds does not grow with
/// them.
#[derive(Debug, Clone)]
pub struct Walk {
    chain_id: ChainId,
    validators: Arc<ValidatorSet>,
    /// The first height that they may decide.
    since: Height,
    /// Heights whose deciders are wanted and not yet known, descending.
    wanted: Vec<Height>,
    found: BTreeMap<Height, Arc<ValidatorSet>>,
}

impl Walk {
    /// A walk that begins at the genesis file and finds who was to decide the blocks of `heights`.
    pub fn new(genesis: &ChainGenesis, heights: impl IntoIterator<Item = Height>) -> Self {
        let mut wanted: Vec<Height> = heights.into_iter().collect();
        wanted.sort_unstable_by(|one, other| other.cmp(one));
        Self {
            chain_id: genesis.chain_id,
            validators: Arc::new(genesis.validators()),
            since: Height::new(1),
            wanted,
            found: BTreeMap::new(),
        }
    }

    /// The first height after the last handover: one without any begins at block 1.
    pub fn since(&self) -> Height {
        self.since
    }

    /// Goes on over the next handover.
    ///
    /// # Errors
    /// What does not hold about it; the walk stands where it stood.
    pub fn step(&mut self, handover: &Handover) -> Result<(), LineageError> {
        let Handover { header, certificate, deciders, next } = handover;
        let height = header.height;
        if height < self.since {
            return Err(LineageError::Order);
        }
        let unfit = LineageError::Change(height);
        let skipped = deciders.apply(&self.validators).ok_or(unfit.clone())?;
        decided(self.chain_id, header, certificate, &skipped)?;
        let power = certificate.power_of(&skipped, &self.validators);
        if !self.validators.is_quorum(power) {
            let total = self.validators.total_power();
            return Err(LineageError::Vouched { height, power, total });
        }
        let next = next.apply(&skipped).ok_or(unfit)?;
        if header.next_validators_hash != next.digest() {
            return Err(LineageError::Validators(height));
        }
        if next == *self.validators {
            return Err(LineageError::Order);
        }
        self.find(|wanted| wanted <= height);
        self.validators = Arc::new(next);
        self.since = height.next();
        Ok(())
    }

    /// Ends the walk: all later blocks are decided by the validators it came to.
    pub fn finish(mut self) -> Trust {
        self.find(|_| true);
        Trust { chain_id: self.chain_id, deciders: self.found }
    }

    fn find(&mut self, is_theirs: impl Fn(Height) -> bool) {
        while let Some(height) = self.wanted.pop_if(|wanted| is_theirs(*wanted)) {
            self.found.insert(height, self.validators.clone());
        }
    }
}

/// The validators of some heights, as a walk from the genesis file found them.
#[derive(Debug, Clone)]
pub struct Trust {
    chain_id: ChainId,
    deciders: BTreeMap<Height, Arc<ValidatorSet>>,
}

impl Trust {
    /// Checks that the chain decided `header`, whose height the walk was asked for.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(
        &self,
        header: &BlockHeader,
        certificate: &Certificate,
    ) -> Result<(), LineageError> {
        let validators = self.deciders.get(&header.height);
        let validators = validators.ok_or(LineageError::Decided(header.height))?;
        decided(self.chain_id, header, certificate, validators)
    }
}

fn decided(
    chain_id: ChainId,
    header: &BlockHeader,
    certificate: &Certificate,
    validators: &ValidatorSet,
) -> Result<(), LineageError> {
    let height = header.height;
    if header.chain_id != chain_id {
        return Err(LineageError::Chain);
    }
    if certificate.block != header.hash() || certificate.height != height {
        return Err(LineageError::Block(height));
    }
    if header.validators_hash != validators.digest() {
        return Err(LineageError::Decided(height));
    }
    certificate
        .verify(chain_id, validators)
        .map_err(|error| LineageError::Certificate { height, error })
}
