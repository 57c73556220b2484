//! What this node waits for and who is passed over, for the operator's eyes: no decision rests
//! on it.

use std::fmt;

use chain_types::{Height, Round, ValidatorId};
use consensus_core::{MuteReason, RoundStep, Standing};

use crate::replica::{NodeIndex, Replica, Role};

/// What the next block waits for.
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
    /// The heights of a quorum: this validator is a newcomer and does not vote yet.
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
}

impl fmt::Display for PassedOverReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TurnFailed => formatter.write_str("no block was decided in its turn"),
        }
    }
}

/// A validator whose turns come last for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassedOver {
    /// Who.
    pub validator: ValidatorId,
    /// The last height of it.
    pub until: Height,
    /// Why.
    pub reason: PassedOverReason,
}

/// Where a replica stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaProgress {
    /// The height being decided.
    pub height: Height,
    /// The running round; `None` while the height has not begun here.
    pub round: Option<Round>,
    /// What the next block waits for.
    pub waits_for: WaitsFor,
    /// What this node has to say in consensus.
    pub role: Role,
    /// Why this validator signs nothing at the running height.
    pub mute: Option<MuteReason>,
    /// The height that each connected peer said last.
    pub peers: Vec<(NodeIndex, Height)>,
    /// Validators that are passed over at this height, ascending by id.
    pub passed_over: Vec<PassedOver>,
}

impl Replica {
    /// Where this replica stands.
    pub fn progress(&self) -> ReplicaProgress {
        let height = self.height();
        let role = self.role();
        let running = self.consensus.progress().filter(|progress| progress.height == height);
        let waits_for = match (role, &running) {
            (Role::Follows, _) => WaitsFor::Blocks,
            (Role::Waits(_), _) => WaitsFor::Heights,
            (Role::Votes(_), None) => WaitsFor::Work,
            (Role::Votes(_), Some(progress)) => {
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
        let found = self.proposers.passed_over(self.height());
        let reason = PassedOverReason::TurnFailed;
        found.map(|(validator, until)| PassedOver { validator, until, reason }).collect()
    }
}
