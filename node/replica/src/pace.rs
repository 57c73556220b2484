//! When the next height begins: at once when there is work, at the latest when the heartbeat is
//! due, and never before the interval between blocks has passed.
//!
//! Others may begin it too, but only by words that verify: the proposer's proposal, or votes of
//! validators with more than a third of the power. One validator alone, or a node without a vote,
//! hurries nobody. The interval binds here as well, but for a quarter of it, by which validators
//! whose starts have drifted apart meet again.

use std::collections::VecDeque;

use chain_types::{Block, Certificate, Height};
use consensus_core::{SignedProposal, Standing};

use crate::effect::{Effect, Timer};
use crate::identity::NodeIndex;
use crate::replica::Replica;

/// The conditions under which the next height may begin.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Consensus runs for the height after the committed one.
    pub started: bool,
    /// The least interval before this height has passed.
    pub interval_passed: Height,
    /// Three quarters of that interval have passed.
    pub open_for: Height,
    /// A block is due even if empty.
    pub heartbeat_due: bool,
    /// The proposer of the height has verifiably proposed.
    pub invited: bool,
}

/// A proposal that came before its height began.
#[derive(Debug, Clone)]
pub(crate) struct EarlyProposal {
    pub proposal: SignedProposal,
    pub block: Block,
    pub parent: Option<Certificate>,
}

impl Replica {
    /// Keeps a proposal of a height that has not begun: one a validator, since whoever is ahead of
    /// this node by a block proposes once meanwhile.
    pub(crate) fn keep_early(&mut self, from: NodeIndex, early: EarlyProposal) {
        if early.proposal.proposal.height == self.height() {
            self.pace.invited |= self.check_proposal(&early.proposal, &early.block).is_ok();
        }
        self.early.insert(from, early);
    }

    /// A block was committed: proposals of the height that comes next may invite to it now.
    pub(crate) fn look_at_early(&mut self) {
        let height = self.height();
        self.early.retain(|_, early| early.proposal.proposal.height >= height);
        let mut of_height =
            self.early.values().filter(|early| early.proposal.proposal.height == height);
        self.pace.invited |=
            of_height.any(|early| self.check_proposal(&early.proposal, &early.block).is_ok());
    }

    /// Does what an input may have made possible: a checkpoint of what the one before committed,
    /// beginning the next height, and taking up proposals that came before it began.
    pub(crate) fn try_advance(&mut self) {
        if std::mem::take(&mut self.checkpoint_is_due) {
            self.checkpoint();
        }
        if !self.pace.started && self.is_due() {
            self.start_height();
        }
        if !self.pace.started {
            return;
        }
        for (from, early) in std::mem::take(&mut self.early) {
            // The one before may have decided the height.
            let height = early.proposal.proposal.height;
            if height == self.height() && self.pace.started {
                self.proposal(from, early);
            } else if height >= self.height() {
                self.early.insert(from, early);
            }
        }
    }

    fn is_due(&self) -> bool {
        let height = self.height();
        let has_work = self.pace.interval_passed >= height && !self.pool.is_empty();
        let others_began = self.pace.open_for >= height
            && (self.pace.invited || self.consensus.next_height_has_begun());
        has_work || others_began || self.pace.heartbeat_due
    }

    /// Begins the next height now, if this node has a vote and may use it.
    pub(crate) fn start_height(&mut self) {
        if self.unknown_version().is_some() || self.pace.started {
            return;
        }
        let Some(own) = self.voter() else { return };
        if !self.try_speak(own) {
            return;
        }
        // What the last run left of this height comes first.
        let height = self.height();
        let logged = std::mem::take(&mut self.log);
        let (now, later): (Vec<_>, _) =
            logged.into_iter().filter(|(of, _)| *of >= height).partition(|(of, _)| *of == height);
        self.log = later;
        let log: Vec<Vec<u8>> = now.into_iter().map(|(_, entry)| entry).collect();
        self.begin_height();
        let (validators, proposers) = (self.validators.clone(), self.proposers.clone());
        let effects = self.consensus.start_with_log(height, validators, &proposers, &log);
        let mut inputs = VecDeque::new();
        for effect in effects {
            self.handle_effect(effect, &mut inputs);
        }
        self.drive(inputs);
        self.report_if_mute();
    }

    /// A validator that stays silent says why, once a height.
    pub(crate) fn report_if_mute(&mut self) {
        if self.is_silenced() {
            return;
        }
        if let Standing::Mute(reason) = self.consensus.standing() {
            let trouble = format!("silent at height {}: {reason}", self.height());
            self.effects.push(Effect::Trouble(trouble));
        }
    }

    fn begin_height(&mut self) {
        self.pace.started = true;
        let height = self.height();
        // The interval between blocks runs from start to start.
        let after_ms = self.parameters.block_interval_ms;
        let (pace, invite) = (Timer::Pace(height.next()), Timer::Invite(height.next()));
        self.effects.push(Effect::Schedule { timer: pace, after_ms });
        self.effects.push(Effect::Schedule { timer: invite, after_ms: after_ms - after_ms / 4 });
    }
}
