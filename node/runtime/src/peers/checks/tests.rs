use chain_types::{
    BlockHash, Digest, Node, ParticipantId, Round, SecretKey, ValidatorId, Vote, VoteStep,
};
use consensus_core::{PolkaCertificate, Proposal};

use super::*;

const CHAIN: ChainId = ChainId::new(Digest::from_bytes([7; 32]));
/// The committed height: the next one is being decided.
const COMMITTED: Height = Height::new(100);
/// Has no power; those before it validate.
const EDGE: u32 = 4;
/// Lost its power with the block of height 90.
const FORMER: u32 = 5;

fn network_key(number: u32) -> PublicKey {
    SecretKey::from_seed(&[number as u8 + 1; 32]).public_key()
}

fn vote_key(number: u32) -> SecretKey {
    SecretKey::from_seed(&[number as u8 + 101; 32])
}

fn nodes(former_power: u64) -> Vec<Node> {
    let power = |number| match number {
        EDGE => 0,
        FORMER => former_power,
        _ => 1,
    };
    let node = |number| Node {
        name: format!("node-{number}"),
        operator: ParticipantId::new(1),
        network_key: network_key(number),
        validator_key: vote_key(number).public_key(),
        power: power(number),
    };
    (0..=FORMER).map(node).collect()
}

fn directory() -> Arc<Directory> {
    let directory = Directory::new(Height::new(89), &nodes(1), network_key(0));
    assert!(directory.follow(Height::new(90), &nodes(0)));
    assert!(!directory.follow(COMMITTED, &nodes(0)));
    Arc::new(directory)
}

/// A vote of `author` at `height`, signed with the key of `signer`.
fn signed(author: u32, height: u64, signer: u32) -> SignedVote {
    let block = Some(BlockHash::new(Digest::from_bytes([1; 32])));
    let vote =
        Vote { height: Height::new(height), round: Round::new(0), step: VoteStep::Prevote, block };
    let signature = vote_key(signer).sign(&vote.digest(CHAIN));
    SignedVote { vote, validator: ValidatorId::new(author), signature }
}

fn vote(author: u32, height: u64, signer: u32) -> PeerMessage {
    PeerMessage::Consensus(Message::Vote(signed(author, height, signer)))
}

fn proposal(author: u32, signer: u32, chain_id: ChainId) -> PeerMessage {
    let proposal = Proposal {
        height: COMMITTED.next(),
        round: Round::new(0),
        block: BlockHash::new(Digest::from_bytes([1; 32])),
        valid_round: None,
        proposer: ValidatorId::new(author),
    };
    let signature = vote_key(signer).sign(&proposal.digest(chain_id));
    PeerMessage::Consensus(Message::Proposal(SignedProposal { proposal, signature }))
}

fn certificate() -> PeerMessage {
    PeerMessage::Consensus(Message::PolkaCertificate(PolkaCertificate {
        height: COMMITTED.next(),
        round: Round::new(0),
        block: BlockHash::new(Digest::from_bytes([1; 32])),
        signatures: Vec::new(),
    }))
}

fn admit(from: u32, message: &PeerMessage) -> Finding {
    let mut checks = Checks::new(network_key(from), directory(), Instant::now());
    checks.admit(message, &codec::encode(message), Instant::now())
}

#[test]
fn who_try_speak_of_which_height() {
    use Finding::{Handle, HandleAnd, Ignore};
    let strike = Finding::Strike(Strike::Powerless);
    let rows: [(&str, u32, u64, Finding); 15] = [
        ("a validator of the height being decided", 1, 101, Handle),
        ("of the next one", 1, 102, Handle),
        ("of the one just committed", 1, 100, Handle),
        ("of one some heights back", 1, 93, Handle),
        ("long ago", 1, 92, Ignore(Ignored::Late)),
        ("far away", 1, 103, Ignore(Ignored::Ahead)),
        ("as far as can be", 1, u64::MAX, Ignore(Ignored::Ahead)),
        ("an edge", EDGE, 101, strike),
        ("an edge of a height whose validators are known", EDGE, 93, strike),
        ("an edge that may be a validator then", EDGE, 102, Ignore(Ignored::Ahead)),
        ("an edge far away, where nobody is heard", EDGE, 500, Ignore(Ignored::Ahead)),
        ("one that lost its power ten heights ago", FORMER, 101, HandleAnd(Ignored::LostPower)),
        ("it says so of an older height", FORMER, 93, HandleAnd(Ignored::LostPower)),
        ("a key that is nobody's", 77, 101, strike),
        ("zero", 1, 0, Ignore(Ignored::Late)),
    ];
    for (what, from, height, expected) in rows {
        assert_eq!(admit(from, &vote(from, height, from)), expected, "{what}");
    }
    let status = PeerMessage::Status { height: Height::new(u64::MAX) };
    assert_eq!(admit(EDGE, &status), Handle, "everybody says how far it is");
}

#[test]
fn power_lost_long_ago_counts_no_more() {
    let directory = directory();
    directory.follow(Height::new(500), &nodes(0));
    let mut checks = Checks::new(network_key(FORMER), directory, Instant::now());
    let message = vote(FORMER, 501, FORMER);
    let finding = checks.admit(&message, &codec::encode(&message), Instant::now());
    assert_eq!(finding, Finding::Strike(Strike::Powerless));
}

/// Whoever relays what a validator said under its key of before, or what it says under one that the
/// next block gives it, has forged nothing.
#[test]
fn words_of_a_rotated_validator_are_verified_with_the_key_of_their_height() {
    let directory = directory();
    let mut rotated = nodes(0);
    rotated[2].network_key = network_key(22);
    rotated[2].validator_key = vote_key(22).public_key();
    assert!(directory.follow(COMMITTED, &rotated));
    let (forged, ahead) = (Finding::Strike(Strike::Forged), Finding::Ignore(Ignored::Ahead));
    let rows = [
        ("the old key, then", vote(2, 100, 2), Finding::Handle),
        ("the old key, now", vote(2, 101, 2), forged),
        ("the new key, then", vote(2, 100, 22), forged),
        ("the new key, now", vote(2, 101, 22), Finding::Handle),
        ("a key that the next block may give it", vote(2, 102, 33), ahead),
    ];
    for (what, message, expected) in rows {
        let verifier = Verifier::new(CHAIN, directory.clone());
        assert_eq!(verifier.verify(&message, Instant::now()), expected, "{what}");
    }
    // What comes over the old link is heard of without a strike, and counts for nothing.
    let mut checks = Checks::new(network_key(2), directory.clone(), Instant::now());
    let message = vote(2, 100, 2);
    let finding = checks.admit(&message, &codec::encode(&message), Instant::now());
    assert_eq!(finding, Finding::HandleAnd(Ignored::LostPower));
    assert_eq!(directory.index(&network_key(2)), None);
    assert_eq!(directory.index(&network_key(22)), Some(NodeIndex::new(2)));
}

#[test]
fn signatures_are_verified_with_the_registrys_keys() {
    let forged = Finding::Strike(Strike::Forged);
    let other_chain = ChainId::new(Digest::from_bytes([8; 32]));
    let rows = [
        ("an own vote", vote(1, 101, 1), Finding::Handle),
        ("a vote in another's name", vote(2, 101, 1), forged),
        ("a vote of nobody", vote(77, 101, 1), forged),
        (
            "a vote of one that may be registered by then",
            vote(77, 102, 1),
            Finding::Ignore(Ignored::Ahead),
        ),
        ("an own proposal", proposal(1, 1, CHAIN), Finding::Handle),
        ("a proposal in another's name", proposal(2, 1, CHAIN), forged),
        ("a proposal of another chain", proposal(1, 1, other_chain), forged),
        ("a certificate, which consensus verifies", certificate(), Finding::Handle),
    ];
    let list = |signers: [u32; 3]| {
        let votes = (0..3).zip(signers);
        PeerMessage::Votes(votes.map(|(author, signer)| signed(author, 101, signer)).collect())
    };
    let rows = rows.into_iter().chain([
        ("votes of others, relayed", list([0, 1, 2]), Finding::Handle),
        ("a forged one among them", list([0, 1, 1]), forged),
    ]);
    let verifier = Verifier::new(CHAIN, directory());
    for (what, message, expected) in rows {
        for _ in 0..2 {
            assert_eq!(verifier.verify(&message, Instant::now()), expected, "{what}");
        }
    }
}

#[test]
fn every_bit_of_a_vote_is_bound() {
    let verifier = Verifier::new(CHAIN, directory());
    let good = codec::encode(&signed(1, 101, 1));
    verifier.verify(&vote(1, 101, 1), Instant::now());
    let mut refused = 0;
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(changed) = codec::decode::<SignedVote>(&bytes, bytes.len()) else { continue };
        let message = PeerMessage::Consensus(Message::Vote(changed));
        assert_ne!(verifier.verify(&message, Instant::now()), Finding::Handle, "bit {bit}");
        refused += 1;
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn what_a_peer_says_again_is_heard_again_only_after_a_while() {
    let start = Instant::now();
    let mut checks = Checks::new(network_key(1), directory(), start);
    let messages = [vote(1, 101, 1), vote(2, 101, 2)];
    let bytes = messages.each_ref().map(codec::encode);
    let admit = |checks: &mut Checks, which: usize, ms| {
        checks.admit(&messages[which], &bytes[which], start + Duration::from_millis(ms))
    };
    assert_eq!(admit(&mut checks, 0, 0), Finding::Handle);
    assert_eq!(admit(&mut checks, 0, 0), Finding::Handle, "the driver did not get it");
    checks.remember(&bytes[0], start);
    for _ in 0..1_000 {
        assert_eq!(admit(&mut checks, 0, 50), Finding::Ignore(Ignored::Duplicate));
    }
    assert_eq!(admit(&mut checks, 1, 50), Finding::Handle);
    assert_eq!(admit(&mut checks, 0, 600), Finding::Handle, "its rebroadcast is heard");
}

#[test]
fn a_list_of_votes_is_bounded_and_no_edge_may_send_one() {
    let list = |count| PeerMessage::Votes(vec![signed(2, 101, 2); count]);
    let too_many = list(RELAYED_VOTES_MAX + 1);
    assert_eq!(admit(1, &list(RELAYED_VOTES_MAX)), Finding::Handle);
    assert_eq!(admit(1, &too_many), Finding::Strike(Strike::Invalid));
    assert_eq!(admit(EDGE, &list(1)), Finding::Strike(Strike::Powerless));
}

#[test]
fn certificates_and_proposals_have_budgets_of_their_own() {
    let start = Instant::now();
    let rows = [
        ("certificates", certificate(), BUNDLES_PER_SECOND),
        ("proposals", proposal(1, 1, CHAIN), PROPOSALS_PER_SECOND),
    ];
    for (what, message, per_second) in rows {
        let mut checks = Checks::new(network_key(1), directory(), start);
        let bytes = codec::encode(&message);
        let mut admitted = |second| {
            let now = start + Duration::from_secs(second);
            let all = (0..1_000).map(|_| checks.admit(&message, &bytes, now));
            all.filter(|finding| *finding == Finding::Handle).count() as u64
        };
        assert_eq!(admitted(0), per_second, "{what}");
        assert_eq!(admitted(1), per_second, "{what} a second later");
        let vote = vote(1, 101, 1);
        let finding = checks.admit(&vote, &codec::encode(&vote), start);
        assert_eq!(finding, Finding::Handle, "votes go on beside {what}");
    }
}
