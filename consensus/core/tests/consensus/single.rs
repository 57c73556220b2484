//! One validator at a time, its peers played by hand. At height 1 the turns are 1, 2, 3, 0.

use chain_types::{
    BlockHash, Digest, Height, Parameters, Round, ValidatorId, ValidatorSet, Vote, VoteStep,
};
use consensus_core::{
    Consensus, ConsensusFault, Effect, Equivocation, Input, Message, MuteReason, Proposal,
    Proposers, RoundCertificate, RoundCertificateKind, RoundVote, SignedProposal, SignedVote,
    Standing, Timeout, TimeoutKind, Timeouts,
};

use crate::world::{chain_id, key_of, validators};

pub const HEIGHT: Height = Height(1);

pub fn block(byte: u8) -> BlockHash {
    BlockHash(Digest([byte; 32]))
}

pub fn signed_vote(
    index: usize,
    height: Height,
    round: u32,
    step: VoteStep,
    block: Option<BlockHash>,
) -> SignedVote {
    let vote = Vote { height, round: Round(round), step, block };
    let signature = key_of(index).sign(&vote.digest(chain_id()));
    SignedVote { vote, validator: ValidatorId(index as u32), signature }
}

pub fn prevote(index: usize, round: u32, block: Option<BlockHash>) -> Input {
    Input::Message(Message::Vote(signed_vote(index, HEIGHT, round, VoteStep::Prevote, block)))
}

pub fn precommit(index: usize, round: u32, block: Option<BlockHash>) -> Input {
    Input::Message(Message::Vote(signed_vote(index, HEIGHT, round, VoteStep::Precommit, block)))
}

pub fn signed_proposal(
    index: usize,
    height: Height,
    round: u32,
    block: BlockHash,
) -> SignedProposal {
    let proposer = ValidatorId(index as u32);
    let proposal = Proposal { height, round: Round(round), block, valid_round: None, proposer };
    let signature = key_of(index).sign(&proposal.digest(chain_id()));
    SignedProposal { proposal, signature }
}

pub fn proposal(index: usize, round: u32, block: BlockHash) -> Input {
    Input::Message(Message::Proposal(signed_proposal(index, HEIGHT, round, block)))
}

pub fn verdict(index: usize, round: u32, block: BlockHash, valid: bool) -> Input {
    Input::Verdict {
        height: HEIGHT,
        round: Round(round),
        proposer: ValidatorId(index as u32),
        valid_round: None,
        block,
        valid,
    }
}

/// A certificate of two validators' precommits that leads to `round`.
pub fn skip(round: u32, block: Option<BlockHash>) -> Message {
    let vote = |index| {
        let signed = signed_vote(index, HEIGHT, round, VoteStep::Precommit, block);
        let (validator, signature) = (signed.validator, signed.signature);
        RoundVote { step: VoteStep::Precommit, block, validator, signature }
    };
    Message::RoundCertificate(RoundCertificate {
        height: HEIGHT,
        round: Round(round),
        kind: RoundCertificateKind::Skip,
        votes: (2..4).map(vote).collect(),
    })
}

fn start(height: Height, validators: ValidatorSet) -> Input {
    Input::StartHeight { height, validators, proposers: Proposers::new() }
}

/// A validator with what its disk would hold.
pub struct Lone {
    pub consensus: Consensus,
    pub log: Vec<Vec<u8>>,
    pub guard: Option<Vec<u8>>,
    pub sent: Vec<Message>,
    pub effects: Vec<Effect>,
}

impl Lone {
    pub fn new(index: usize) -> Self {
        let mut lone = Self::restarted(index, Vec::new(), None);
        assert_eq!(lone.consensus.standing(), Standing::Voting);
        lone.effects.clear();
        lone
    }

    /// Starts at height 1 with this log and guard.
    pub fn restarted(index: usize, log: Vec<Vec<u8>>, guard: Option<Vec<u8>>) -> Self {
        let identity = Some((ValidatorId(index as u32), key_of(index)));
        let timeouts = Timeouts::from(&Parameters::default());
        let mut consensus =
            Consensus::new(chain_id(), identity, timeouts, guard.as_deref()).unwrap();
        let mut effects = consensus.handle(start(HEIGHT, validators(4)));
        effects.extend(consensus.replay(&log));
        let mut lone = Self { consensus, log, guard, sent: Vec::new(), effects: Vec::new() };
        lone.perform(effects);
        lone
    }

    pub fn feed(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.consensus.handle(input);
        self.perform(effects.clone());
        effects
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in &effects {
            match effect {
                Effect::Persist(bytes) => self.log.push(bytes.clone()),
                Effect::Guard(bytes) => self.guard = Some(bytes.clone()),
                Effect::Send(message) => self.sent.push(message.clone()),
                _ => {}
            }
        }
        self.effects.extend(effects);
    }

    pub fn sent_vote(&self, step: VoteStep, round: u32) -> Option<Option<BlockHash>> {
        self.sent.iter().find_map(|message| match message {
            Message::Vote(signed)
                if signed.vote.step == step && signed.vote.round == Round(round) =>
            {
                Some(signed.vote.block)
            }
            _ => None,
        })
    }

    /// Leads validator 0 to precommit a block in round 0.
    pub fn precommitted() -> Self {
        let mut lone = Self::new(0);
        lone.feed(proposal(1, 0, block(7)));
        lone.feed(verdict(1, 0, block(7), true));
        lone.feed(prevote(1, 0, Some(block(7))));
        lone.feed(prevote(2, 0, Some(block(7))));
        assert_eq!(lone.sent_vote(VoteStep::Precommit, 0), Some(Some(block(7))));
        lone
    }
}

fn propose(lone: &mut Lone, block: BlockHash) {
    let wanted = Effect::GetBlock { height: HEIGHT, round: Round(0) };
    assert!(lone.effects.contains(&wanted), "no block was asked for");
    lone.feed(Input::Propose { height: HEIGHT, round: Round(0), block });
}

fn proposer() -> Lone {
    Lone::restarted(1, Vec::new(), None)
}

#[test]
fn nothing_signed_leaves_before_it_is_durable() {
    let mut lone = proposer();
    propose(&mut lone, block(7));
    let at = |wanted: fn(&Effect) -> bool| lone.effects.iter().position(wanted).unwrap();
    let persisted = at(|effect| matches!(effect, Effect::Persist(_)));
    let guarded = at(|effect| matches!(effect, Effect::Guard(_)));
    let sent = at(|effect| matches!(effect, Effect::Send(_)));
    assert!(persisted < guarded && guarded < sent);
    assert_eq!(lone.sent.len(), 2, "a proposal and a prevote: {:?}", lone.sent);
}

#[test]
fn the_guard_refuses_a_second_value_with_an_empty_log() {
    let mut first = proposer();
    propose(&mut first, block(7));
    let mut second = Lone::restarted(1, Vec::new(), first.guard.clone());
    assert_eq!(second.consensus.standing(), Standing::Voting);
    propose(&mut second, block(8));
    assert_eq!(second.sent, []);
    assert_eq!(second.guard, first.guard, "the guard has not moved");
    // Not the timeout's vote for none either: a block was prevoted in this round.
    let timeout = Timeout { height: HEIGHT, round: Round(0), kind: TimeoutKind::Propose };
    second.feed(Input::Timeout(timeout));
    let again = Timeout { kind: TimeoutKind::Rebroadcast, ..timeout };
    second.feed(Input::Timeout(again));
    assert_eq!(second.sent, []);
}

#[test]
fn the_guard_lets_the_same_value_be_signed_again() {
    let mut first = proposer();
    propose(&mut first, block(7));
    let mut second = Lone::restarted(1, Vec::new(), first.guard.clone());
    propose(&mut second, block(7));
    assert_eq!(second.sent, first.sent, "ed25519 is deterministic");
}

#[test]
fn a_silenced_validator_speaks_again_in_the_next_round() {
    let mut first = proposer();
    propose(&mut first, block(7));
    let mut second = Lone::restarted(1, Vec::new(), first.guard);
    propose(&mut second, block(8));
    for index in [0, 2, 3] {
        second.feed(prevote(index, 0, None));
    }
    for index in [0, 2, 3] {
        second.feed(precommit(index, 0, None));
    }
    let timeout = Timeout { height: HEIGHT, round: Round(0), kind: TimeoutKind::Precommit };
    second.feed(Input::Timeout(timeout));
    assert_eq!(second.consensus.round(), Some(Round(1)));
    let timeout = Timeout { height: HEIGHT, round: Round(1), kind: TimeoutKind::Propose };
    second.feed(Input::Timeout(timeout));
    assert_eq!(second.sent_vote(VoteStep::Prevote, 1), Some(None));
}

#[test]
fn a_log_brings_back_the_lock_and_sends_the_same_votes() {
    let before = Lone::precommitted();
    let after = Lone::restarted(0, before.log.clone(), before.guard.clone());
    assert_eq!(after.consensus.standing(), Standing::Voting);
    assert_eq!(after.sent, before.sent);
    assert_eq!(after.log, before.log, "nothing durable is asked for again");
    assert_eq!(after.guard, before.guard);
}

#[test]
fn a_lost_or_cut_log_silences_a_locked_validator_for_the_height() {
    let before = Lone::precommitted();
    for kept in 0..before.log.len() {
        let log = before.log[..kept].to_vec();
        let mut after = Lone::restarted(0, log, before.guard.clone());
        assert_eq!(after.consensus.standing(), Standing::Mute(MuteReason::LockLost));
        let sent = after.sent.len();
        // Another block in a later round: an amnesiac would vote for it.
        for index in [1, 2, 3] {
            after.feed(precommit(index, 0, None));
        }
        let timeout = Timeout { height: HEIGHT, round: Round(0), kind: TimeoutKind::Precommit };
        after.feed(Input::Timeout(timeout));
        assert_eq!(after.consensus.round(), Some(Round(1)));
        after.feed(proposal(2, 1, block(9)));
        after.feed(verdict(2, 1, block(9), true));
        assert_eq!(after.sent.len(), sent, "a silent validator spoke");
        // It still learns what the others decide, and speaks at the next height.
        for index in [1, 2, 3] {
            after.feed(precommit(index, 1, Some(block(9))));
        }
        assert!(after.consensus.is_decided());
        after.feed(start(Height(2), validators(4)));
        assert_eq!(after.consensus.standing(), Standing::Voting);
    }
}

#[test]
fn a_locked_validator_is_silent_until_its_log_is_replayed() {
    let before = Lone::precommitted();
    let identity = Some((ValidatorId(0), key_of(0)));
    let timeouts = Timeouts::from(&Parameters::default());
    let mut consensus =
        Consensus::new(chain_id(), identity, timeouts, before.guard.as_deref()).unwrap();
    consensus.handle(start(HEIGHT, validators(4)));
    assert_eq!(consensus.standing(), Standing::Mute(MuteReason::AwaitingLog));
}

#[test]
fn a_damaged_log_is_read_up_to_the_damage() {
    let mut before = Lone::new(0);
    before.feed(Input::Message(skip(3, None)));
    before.feed(Input::Message(skip(4, None)));
    before.feed(Input::Message(skip(5, None)));
    assert!(before.log.len() >= 3);
    let mut log = before.log.clone();
    log[1] = vec![9, 9, 9];
    let mut after = Lone::restarted(0, log, before.guard);
    assert_eq!(
        after.consensus.round(),
        Some(Round(3)),
        "what follows the damage counts for nothing"
    );
    assert_eq!(after.consensus.take_troubles().len(), 1);
}

#[test]
fn a_log_that_leads_to_an_earlier_lock_silences_too() {
    let mut before = Lone::precommitted();
    let to_first_lock = before.log.len();
    before.feed(Input::Message(skip(1, None)));
    before.feed(proposal(2, 1, block(9)));
    before.feed(verdict(2, 1, block(9), true));
    for index in [1, 2, 3] {
        before.feed(prevote(index, 1, Some(block(9))));
    }
    assert_eq!(before.sent_vote(VoteStep::Precommit, 1), Some(Some(block(9))));
    let log = before.log[..to_first_lock].to_vec();
    let after = Lone::restarted(0, log, before.guard);
    assert_eq!(after.consensus.standing(), Standing::Mute(MuteReason::LockLost));
}

#[test]
fn a_replayed_log_asks_for_a_block_only_if_its_round_still_runs() {
    // Round 3 is our own turn.
    let asks = |lone: &Lone| {
        let block = |effect: &&Effect| matches!(effect, Effect::GetBlock { .. });
        lone.effects.iter().filter(block).cloned().collect::<Vec<_>>()
    };
    let wanted = Effect::GetBlock { height: HEIGHT, round: Round(3) };
    let mut before = Lone::new(0);
    before.feed(Input::Message(skip(3, None)));
    assert_eq!(asks(&before), std::slice::from_ref(&wanted));
    assert_eq!(asks(&after_replay(&before)), [wanted]);
    before.feed(Input::Message(skip(4, None)));
    assert_eq!(asks(&after_replay(&before)), []);
}

fn after_replay(before: &Lone) -> Lone {
    Lone::restarted(0, before.log.clone(), before.guard.clone())
}

#[test]
fn records_of_other_heights_are_passed_over() {
    let before = Lone::precommitted();
    let identity = Some((ValidatorId(0), key_of(0)));
    let timeouts = Timeouts::from(&Parameters::default());
    let mut consensus =
        Consensus::new(chain_id(), identity, timeouts, before.guard.as_deref()).unwrap();
    consensus.handle(start(Height(2), validators(4)));
    assert_eq!(consensus.replay(&before.log), []);
    assert_eq!(consensus.standing(), Standing::Voting);
}

#[test]
fn a_guard_that_is_not_ours_is_refused() {
    let guard = Lone::precommitted().guard.unwrap();
    let open = |chain, index: usize, guard: &[u8]| {
        let timeouts = Timeouts::from(&Parameters::default());
        let identity = Some((ValidatorId(index as u32), key_of(index)));
        Consensus::new(chain, identity, timeouts, Some(guard)).err()
    };
    assert_eq!(open(chain_id(), 0, &guard), None);
    let another = open(chain_types::ChainId(Digest([9; 32])), 0, &guard);
    assert!(matches!(another, Some(ConsensusFault::GuardOfAnotherChain { .. })));
    let another = open(chain_id(), 1, &guard);
    assert!(matches!(another, Some(ConsensusFault::GuardOfAnotherValidator { .. })));
    for cut in 0..guard.len() {
        let cut = open(chain_id(), 0, &guard[..cut]);
        assert!(matches!(cut, Some(ConsensusFault::GuardUnreadable(_))));
    }
    // A follower needs no guard and reads none.
    let timeouts = Timeouts::from(&Parameters::default());
    assert!(Consensus::new(chain_id(), None, timeouts, Some(&[1, 2, 3])).is_ok());
}

#[test]
fn a_follower_that_learns_who_it_is_votes_from_the_next_height_on() {
    let timeouts = Timeouts::from(&Parameters::default());
    let mut consensus = Consensus::new(chain_id(), None, timeouts, None).unwrap();
    consensus.handle(start(Height(1), validators(4)));
    let of_another = Lone::precommitted().guard.unwrap();
    let refused = consensus.identify(ValidatorId(1), key_of(1), Some(&of_another));
    assert!(matches!(refused, Err(ConsensusFault::GuardOfAnotherValidator { .. })));
    consensus.handle(start(Height(2), validators(4)));
    assert_eq!(consensus.standing(), Standing::Following);
    consensus.identify(ValidatorId(1), key_of(1), None).unwrap();
    assert_eq!(consensus.standing(), Standing::Following, "height 2 began without it");
    consensus.handle(start(Height(3), validators(4)));
    assert_eq!(consensus.standing(), Standing::Voting);
}

#[test]
fn a_block_is_prevoted_only_after_its_verdict_in_either_order() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), None);
    lone.feed(verdict(1, 0, block(7), true));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), Some(Some(block(7))));

    let mut lone = Lone::new(0);
    lone.feed(verdict(1, 0, block(7), true));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), None);
    lone.feed(proposal(1, 0, block(7)));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), Some(Some(block(7))));

    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), false));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), Some(None));
}

#[test]
fn a_block_without_verdict_is_not_decided_however_many_precommit_it() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    for index in [1, 2, 3] {
        lone.feed(precommit(index, 0, Some(block(7))));
    }
    assert!(!lone.consensus.is_decided());
    lone.feed(verdict(1, 0, block(7), true));
    assert!(lone.consensus.is_decided());
}

#[test]
fn an_equivocating_voter_is_reported_with_both_votes() {
    let expected = Equivocation::Votes {
        first: signed_vote(3, HEIGHT, 0, VoteStep::Prevote, Some(block(7))),
        second: signed_vote(3, HEIGHT, 0, VoteStep::Prevote, Some(block(8))),
    };
    assert_eq!(expected.validator(), ValidatorId(3));
    // When the height is decided here, and when its block comes by other means.
    for decides in [true, false] {
        let mut lone = Lone::new(0);
        lone.feed(prevote(3, 0, Some(block(7))));
        lone.feed(prevote(3, 0, Some(block(8))));
        if decides {
            lone.feed(proposal(1, 0, block(7)));
            lone.feed(verdict(1, 0, block(7), true));
            for index in [1, 2, 3] {
                lone.feed(precommit(index, 0, Some(block(7))));
            }
            assert!(lone.consensus.is_decided());
        }
        lone.feed(start(Height(2), validators(4)));
        let found: Vec<_> = lone
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Evidence(equivocation) => Some(equivocation.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(found, std::slice::from_ref(&expected));
    }
}

#[test]
fn an_equivocating_proposer_is_reported_with_both_proposals() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(proposal(1, 0, block(8)));
    lone.feed(start(Height(2), validators(4)));
    let expected = Equivocation::Proposals {
        first: signed_proposal(1, HEIGHT, 0, block(7)),
        second: signed_proposal(1, HEIGHT, 0, block(8)),
    };
    assert!(lone.effects.contains(&Effect::Evidence(expected)));
}

#[test]
fn messages_of_the_next_height_wait_and_those_beyond_do_not() {
    let next = Height(2);
    let send = |lone: &mut Lone, index, height, step| {
        let vote = signed_vote(index, height, 0, step, Some(block(7)));
        lone.feed(Input::Message(Message::Vote(vote)));
    };
    let mut lone = Lone::new(0);
    for index in [1, 3] {
        send(&mut lone, index, Height(3), VoteStep::Prevote);
    }
    assert!(!lone.consensus.next_height_has_begun());
    for index in [1, 3] {
        send(&mut lone, index, next, VoteStep::Prevote);
        send(&mut lone, index, next, VoteStep::Precommit);
    }
    // At height 2 the turns are 2, 3, 0, 1.
    let early = signed_proposal(2, next, 0, block(7));
    lone.feed(Input::Message(Message::Proposal(early)));
    send(&mut lone, 2, next, VoteStep::Precommit);
    assert!(lone.consensus.next_height_has_begun());
    lone.feed(start(next, validators(4)));
    assert!(!lone.consensus.next_height_has_begun());
    lone.feed(Input::Verdict {
        height: next,
        round: Round(0),
        proposer: ValidatorId(2),
        valid_round: None,
        block: block(7),
        valid: true,
    });
    assert!(lone.consensus.is_decided(), "the waiting votes were lost");
}

#[test]
fn a_flood_of_later_messages_is_bounded_a_validator() {
    let next = Height(2);
    let vote = |index, step, byte| {
        Input::Message(Message::Vote(signed_vote(index, next, 0, step, Some(block(byte)))))
    };
    let mut lone = Lone::new(0);
    // Validator 3 floods with prevotes, so that its precommit finds no room; the others' do.
    for byte in 0..200 {
        lone.feed(vote(3, VoteStep::Prevote, byte));
    }
    for index in [1, 2, 3] {
        lone.feed(vote(index, VoteStep::Precommit, 7));
    }
    lone.feed(Input::Message(Message::Proposal(signed_proposal(2, next, 0, block(7)))));
    lone.feed(start(next, validators(4)));
    lone.feed(Input::Verdict {
        height: next,
        round: Round(0),
        proposer: ValidatorId(2),
        valid_round: None,
        block: block(7),
        valid: true,
    });
    assert!(!lone.consensus.is_decided(), "the flood was kept");
    lone.feed(vote(3, VoteStep::Precommit, 7));
    assert!(lone.consensus.is_decided());
}

#[test]
fn inputs_of_other_heights_do_nothing() {
    let mut lone = Lone::new(0);
    let kind = TimeoutKind::Propose;
    let other = Timeout { height: Height(9), round: Round(0), kind };
    assert_eq!(lone.feed(Input::Timeout(other)), []);
    let early = Input::Propose { height: Height(9), round: Round(0), block: block(1) };
    assert_eq!(lone.feed(early), []);
    let late = signed_vote(1, Height(0), 0, VoteStep::Prevote, None);
    assert_eq!(lone.feed(Input::Message(Message::Vote(late))), []);
}

#[test]
fn before_the_first_height_everything_is_ignored() {
    let timeouts = Timeouts::from(&Parameters::default());
    let mut consensus = Consensus::new(chain_id(), None, timeouts, None).unwrap();
    assert_eq!(consensus.handle(prevote(1, 0, None)), []);
    assert_eq!(consensus.handle(verdict(1, 0, block(7), true)), []);
    assert_eq!(consensus.replay(&[vec![1, 2]]), []);
    assert_eq!((consensus.height(), consensus.round()), (None, None));
    assert_eq!(consensus.standing(), Standing::Following);
}

#[test]
fn a_key_that_is_not_the_listed_one_only_follows() {
    let timeouts = Timeouts::from(&Parameters::default());
    let identity = Some((ValidatorId(1), key_of(2)));
    let mut consensus = Consensus::new(chain_id(), identity, timeouts, None).unwrap();
    let effects = consensus.handle(start(HEIGHT, validators(4)));
    assert_eq!(consensus.standing(), Standing::Following);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::GetBlock { .. })));
}

#[test]
#[should_panic(expected = "a height never starts twice")]
fn a_height_never_starts_twice() {
    let mut lone = Lone::new(0);
    lone.feed(start(HEIGHT, validators(4)));
}

#[test]
fn a_decided_height_sends_its_last_votes_again_but_takes_no_more() {
    let mut lone = Lone::precommitted();
    lone.feed(precommit(1, 0, Some(block(7))));
    lone.feed(precommit(2, 0, Some(block(7))));
    assert!(lone.consensus.is_decided());
    assert_eq!(lone.feed(precommit(3, 0, Some(block(7)))), []);
    let before = lone.sent.len();
    let timeout = Timeout { height: HEIGHT, round: Round(0), kind: TimeoutKind::Rebroadcast };
    lone.feed(Input::Timeout(timeout));
    assert_eq!(lone.sent.len(), before + 2);
}

#[test]
fn a_certificate_with_our_precommit_in_it_waits_for_the_guard() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    // With two precommits there already, our own decides before it is sent.
    lone.feed(precommit(1, 0, Some(block(7))));
    lone.feed(precommit(2, 0, Some(block(7))));
    lone.feed(prevote(1, 0, Some(block(7))));
    let effects = lone.feed(prevote(2, 0, Some(block(7))));
    let at = |wanted: fn(&Effect) -> bool| effects.iter().position(wanted).unwrap();
    let decided = at(|effect| matches!(effect, Effect::Decided { .. }));
    assert!(at(|effect| matches!(effect, Effect::Persist(_))) < decided);
    assert!(at(|effect| matches!(effect, Effect::Guard(_))) < decided);
    assert!(at(|effect| matches!(effect, Effect::Send(_))) > decided, "our vote still leaves");
}

/// A log that says "my timeout passed, and I prevoted this block": its first half leads to a vote
/// for none.
fn diverging_log() -> Vec<u8> {
    let own = signed_vote(0, HEIGHT, 0, VoteStep::Prevote, Some(block(7)));
    let mut bytes = vec![1]; // version
    bytes.extend(1_u64.to_le_bytes()); // height
    bytes.extend(2_u64.to_le_bytes()); // two entries
    bytes.extend(3_u32.to_le_bytes()); // a timeout
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes()); // of the proposal
    bytes.extend(0_u32.to_le_bytes()); // a vote
    bytes.extend(chain_types::codec::encode(&own));
    bytes
}

#[test]
fn a_log_that_leads_to_other_votes_silences_the_validator_for_the_height() {
    let mut lone = Lone::restarted(0, vec![diverging_log()], None);
    assert_eq!(lone.consensus.standing(), Standing::Mute(MuteReason::LogDiverged));
    assert_eq!(lone.consensus.take_troubles().len(), 1);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    assert_eq!(lone.sent, []);
    for index in [1, 2, 3] {
        lone.feed(precommit(index, 0, Some(block(7))));
    }
    assert!(lone.consensus.is_decided());
    lone.feed(start(Height(2), validators(4)));
    assert_eq!(lone.consensus.standing(), Standing::Voting);
}

#[test]
fn a_locked_validator_prevotes_another_block_only_after_a_later_polka() {
    let mut lone = Lone::precommitted();
    let timeout =
        |round, kind| Input::Timeout(Timeout { height: HEIGHT, round: Round(round), kind });
    for index in [1, 2, 3] {
        lone.feed(precommit(index, 0, None));
    }
    lone.feed(timeout(0, TimeoutKind::Precommit));
    // In round 1 validator 2 proposes something new: we are locked.
    lone.feed(proposal(2, 1, block(9)));
    lone.feed(verdict(2, 1, block(9), true));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 1), Some(None));
    // A quorum prevotes it all the same: our lock moves.
    for index in [1, 2, 3] {
        lone.feed(prevote(index, 1, Some(block(9))));
    }
    assert_eq!(lone.sent_vote(VoteStep::Precommit, 1), Some(Some(block(9))));
    // And a restart remembers the later lock.
    let after = Lone::restarted(0, lone.log.clone(), lone.guard.clone());
    assert_eq!(after.consensus.standing(), Standing::Voting);
    assert_eq!(after.consensus.round(), Some(Round(1)));
    assert_eq!(after.sent_vote(VoteStep::Precommit, 1), Some(Some(block(9))));
}

#[test]
fn it_may_move_between_threads() {
    fn moves<T: Send>() {}
    moves::<Consensus>();
}
