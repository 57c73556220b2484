//! Malachite's traits over our types. `Engine…` is the engine's side of a word; only this room
//! sees it.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use chain_types::{BlockHash, PublicKey, Signature, Validator, ValidatorId, ValidatorSet};
use malachite_types::{
    Address, Context, Height, LinearTimeouts, NilOrVal, Proposal, ProposalPart, Round,
    SignedMessage, SigningScheme, Value, Vote, VoteType, VotingPower,
};

pub(crate) type EngineSignedVote = SignedMessage<EngineContext, EngineVote>;
pub(crate) type EngineSignedProposal = SignedMessage<EngineContext, EngineProposal>;

/// The order of proposers, fixed for the height.
#[derive(Debug, Clone)]
pub(crate) struct EngineContext {
    /// The validators' positions in the set, in the order of their turns.
    turns: Arc<[usize]>,
}

impl EngineContext {
    /// The context of a height whose turns are `order`, each of them in `validators`.
    pub(crate) fn new(validators: &ValidatorSet, order: &[ValidatorId]) -> Self {
        let position = |id: &ValidatorId| {
            validators.as_slice().iter().position(|validator| validator.id == *id)
        };
        let turns: Arc<[usize]> = order.iter().filter_map(position).collect();
        assert!(!turns.is_empty(), "a height without validators has no proposer");
        Self { turns }
    }
}

impl Context for EngineContext {
    type Address = EngineAddress;
    type Height = EngineHeight;
    type ProposalPart = NoPart;
    type Proposal = EngineProposal;
    type Validator = EngineValidator;
    type ValidatorSet = EngineValidatorSet;
    type Timeouts = LinearTimeouts;
    type Value = EngineValue;
    type Vote = EngineVote;
    type Extension = ();
    type SigningScheme = Ed25519;

    fn select_proposer<'a>(
        &self,
        validator_set: &'a EngineValidatorSet,
        _height: EngineHeight,
        round: Round,
    ) -> &'a EngineValidator {
        let round = round.as_u32().unwrap_or(0) as usize;
        &validator_set.validators[self.turns[round % self.turns.len()]]
    }

    fn new_proposal(
        &self,
        height: EngineHeight,
        round: Round,
        value: EngineValue,
        pol_round: Round,
        address: EngineAddress,
    ) -> EngineProposal {
        EngineProposal { height, round, value, pol_round, proposer: address }
    }

    fn new_prevote(
        &self,
        height: EngineHeight,
        round: Round,
        value_id: NilOrVal<BlockHash>,
        address: EngineAddress,
    ) -> EngineVote {
        EngineVote { height, round, step: VoteType::Prevote, value: value_id, validator: address }
    }

    fn new_precommit(
        &self,
        height: EngineHeight,
        round: Round,
        value_id: NilOrVal<BlockHash>,
        address: EngineAddress,
    ) -> EngineVote {
        EngineVote { height, round, step: VoteType::Precommit, value: value_id, validator: address }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct EngineHeight(pub u64);

impl fmt::Display for EngineHeight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl Height for EngineHeight {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EngineAddress(pub ValidatorId);

impl fmt::Display for EngineAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl Address for EngineAddress {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineValidator {
    address: EngineAddress,
    public_key: PublicKey,
    power: u64,
}

impl malachite_types::Validator<EngineContext> for EngineValidator {
    fn address(&self) -> &EngineAddress {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn voting_power(&self) -> VotingPower {
        self.power
    }
}

impl From<&Validator> for EngineValidator {
    fn from(validator: &Validator) -> Self {
        Self {
            address: EngineAddress(validator.id),
            public_key: validator.public_key,
            power: validator.power,
        }
    }
}

/// Shared, since the engine clones it with every certificate it asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineValidatorSet {
    validators: Arc<[EngineValidator]>,
    total: VotingPower,
}

impl EngineValidatorSet {
    /// The engine's copy of a set whose total power has been checked to fit.
    pub(crate) fn new(set: &ValidatorSet) -> Self {
        let validators: Arc<[_]> = set.as_slice().iter().map(EngineValidator::from).collect();
        let total = validators.iter().map(|validator| validator.power).sum();
        Self { validators, total }
    }
}

impl malachite_types::ValidatorSet<EngineContext> for EngineValidatorSet {
    fn count(&self) -> usize {
        self.validators.len()
    }

    fn total_voting_power(&self) -> VotingPower {
        self.total
    }

    fn get_by_address(&self, address: &EngineAddress) -> Option<&EngineValidator> {
        let at = self.validators.binary_search_by_key(address, |one| one.address).ok()?;
        self.validators.get(at)
    }

    fn get_by_index(&self, index: usize) -> Option<&EngineValidator> {
        self.validators.get(index)
    }
}

/// A value is a block's hash; its body travels outside consensus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EngineValue(pub BlockHash);

impl Value for EngineValue {
    type Id = BlockHash;

    fn id(&self) -> BlockHash {
        self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineProposal {
    pub height: EngineHeight,
    pub round: Round,
    pub value: EngineValue,
    pub pol_round: Round,
    pub proposer: EngineAddress,
}

impl Proposal<EngineContext> for EngineProposal {
    fn height(&self) -> EngineHeight {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &EngineValue {
        &self.value
    }

    fn take_value(self) -> EngineValue {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &EngineAddress {
        &self.proposer
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineVote {
    pub height: EngineHeight,
    pub round: Round,
    pub step: VoteType,
    pub value: NilOrVal<BlockHash>,
    pub validator: EngineAddress,
}

impl Vote<EngineContext> for EngineVote {
    fn height(&self) -> EngineHeight {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<BlockHash> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<BlockHash> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.step
    }

    fn validator_address(&self) -> &EngineAddress {
        &self.validator
    }

    // Vote extensions are not used.
    fn extension(&self) -> Option<&SignedMessage<EngineContext, ()>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedMessage<EngineContext, ()>> {
        None
    }

    fn extend(self, _extension: SignedMessage<EngineContext, ()>) -> Self {
        self
    }
}

/// Bodies travel outside consensus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoPart(Infallible);

impl ProposalPart<EngineContext> for NoPart {
    fn is_first(&self) -> bool {
        match self.0 {}
    }

    fn is_last(&self) -> bool {
        match self.0 {}
    }
}

/// The signature types; signing and verifying happen on our side of the boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ed25519;

impl SigningScheme for Ed25519 {
    type DecodingError = &'static str;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Signature, Self::DecodingError> {
        bytes.try_into().map(Signature::from_bytes).map_err(|_| "a signature has 64 bytes")
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.bytes().to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, Self::DecodingError> {
        bytes.try_into().map(PublicKey::from_bytes).map_err(|_| "a public key has 32 bytes")
    }

    fn encode_public_key(public_key: &PublicKey) -> Vec<u8> {
        public_key.bytes().to_vec()
    }
}
