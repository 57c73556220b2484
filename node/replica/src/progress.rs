//! The progress of this node: the messages it waits for and who is passed over, for the operator's
//! eyes: no decision rests on it.

use std::collections::BTreeMap;
use std::fmt;

use chain_types::{Height, Round, ValidatorId};
use consensus_core::{MuteReason, RoundStep, Standing};

use crate::identity::{NodeIndex, Role};
use crate::replica::Replica;

/// The event that the next block waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitsFor {
    /// Batches in the pool, or the heartbeat: the height has not begun.
    Work,
    /// The proposal of this validator, or its batches.
    Proposal(ValidatorId),
    /// The prevotes of these validators.
    Prevotes(Vec<ValidatorId>),
    /// The precommits of these validators.
    Precommits(Vec<ValidatorId>),
    /// Blocks that the validators decide: this node has no vote.
    Blocks,
    /// A quorum's word on what was heard of its key: this validator does not vote yet.
    Heights,
}

impl WaitsFor {
    /// The validators whose word is missing, ascending by id.
    pub fn missing(&self) -> &[ValidatorId] {
        match self {
            Self::Work | Self::Blocks | Self::Heights => &[],
            Self::Proposal(validator) => std::slice::from_ref(validator),
            Self::Prevotes(validators) | Self::Precommits(validators) => validators,
        }
    }
}

/// Why a validator is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedOverReason {
    /// Its turn came, and the round of it decided nothing.
    TurnFailed,
    /// The chain holds evidence that it signed two values for one step.
    Caught,
}

impl fmt::Display for PassedOverReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TurnFailed => formatter.write_str("no block was decided in its turn"),
            Self::Caught => formatter.write_str("it signed two values for one step"),
        }
    }
}

/// A validator whose turns come last for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassedOver {
    /// The validator that is passed over.
    pub validator: ValidatorId,
    /// The last height of it.
    pub until: Height,
    /// The reason for which it is passed over.
    pub reason: PassedOverReason,
}

/// How far a replica is, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaProgress {
    /// The height being decided.
    pub height: Height,
    /// The running round; `None` while the height has not begun here.
    pub round: Option<Round>,
    /// The event that the next block waits for.
    pub waits_for: WaitsFor,
    /// The say of this node in consensus.
    pub role: Role,
    /// Why this validator signs nothing at the running height.
    pub mute: Option<MuteReason>,
    /// The height that each connected peer said last.
    pub peers: Vec<(NodeIndex, Height)>,
    /// Validators that are passed over at this height, ascending by id.
    pub passed_over: Vec<PassedOver>,
}

impl Replica {
    /// Returns how far this replica is, and what it waits for.
    pub fn progress(&self) -> ReplicaProgress {
        let height = self.height();
        let role = self.role();
        let running = self.consensus.progress().filter(|progress| progress.height == height);
        let waits_for = match (role, &running) {
            (Role::Follows, _) => WaitsFor::Blocks,
            (Role::Waits(_), _) => WaitsFor::Heights,
            (Role::Votes(_) | Role::Silenced(_), None) => WaitsFor::Work,
            (Role::Votes(_) | Role::Silenced(_), Some(progress)) => {
                let missing = progress.missing(&self.validators);
                match progress.step {
                    RoundStep::Propose => WaitsFor::Proposal(progress.proposer),
                    RoundStep::Prevote => WaitsFor::Prevotes(missing),
                    RoundStep::Precommit => WaitsFor::Precommits(missing),
                }
            }
        };
        let mute = match self.consensus.standing() {
            Standing::Mute(reason) if running.is_some() => Some(reason),
            Standing::Mute(_) | Standing::Voting | Standing::Following => None,
        };
        ReplicaProgress {
            height,
            round: running.map(|progress| progress.round),
            waits_for,
            role,
            mute,
            peers: self.peers.iter().map(|(node, height)| (*node, *height)).collect(),
            passed_over: self.passed_over(),
        }
    }

    /// Validators that are passed over at the height being decided, ascending by id.
    pub fn passed_over(&self) -> Vec<PassedOver> {
        let height = self.height();
        let of =
            |reason| move |(validator, until)| (validator, PassedOver { validator, until, reason });
        let failed = self.proposers.passed_over(height).map(of(PassedOverReason::TurnFailed));
        let caught = self.proposers.caught(height).map(of(PassedOverReason::Caught));
        // The graver reason stands.
        let found: BTreeMap<_, _> = failed.chain(caught).collect();
        found.into_values().collect()
    }
}
