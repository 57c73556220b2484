//! One small network, with keys from known seeds, from which every vector is made.
mod items;
mod receipts;

use bytes::Bytes;
use chain_types::hash::sha256;
use chain_types::*;

pub use self::items::*;
pub use self::receipts::*;

/// 2026-01-01T00:00:00Z, the time of block zero.
pub const GENESIS_TIME: TimeMs = TimeMs::new(1_767_225_600_000);
/// The file whose SHA-256 is the chain id.
pub const GENESIS_FILE: &[u8] = include_bytes!("../vectors/genesis.toml");
/// The order that the receipt is about: its place in the batch of forty.
pub const ORDER_INDEX: u32 = 37;
/// The order that the long receipt is about.
pub const LONG_ORDER_INDEX: u32 = 71;

/// The last block that the genesis file's validators decide: it hands over to five.
pub const HANDOVER_HEIGHT: Height = Height::new(50);
/// The first block under the second key of gateway 202.
pub const KEY_HEIGHT: Height = Height::new(55);
/// The last block that accepts its first key beside it.
pub const OVERLAP_END: Height = Height::new(65);
/// The seed of its second key, thirty-two times.
pub const SECOND_KEY: u8 = 203;
/// The seeds of the keys that validator 4 has after a rotation.
pub const NEXT_NETWORK_KEY: u8 = 16;
pub const NEXT_VOTE_KEY: u8 = 6;

/// The key whose seed is `tag` thirty-two times.
pub fn key(tag: u8) -> SecretKey {
    SecretKey::from_seed(&[tag; 32])
}

/// The seed of a participant's key: `vectors/genesis.toml` says the rule.
pub fn tag(participant: u32) -> u8 {
    let tag = match participant {
        1..=4 => 20 + participant,
        301.. => participant / 100 * 10 + participant % 10,
        _ => participant,
    };
    u8::try_from(tag).unwrap()
}

pub fn chain_id() -> ChainId {
    ChainId::new(sha256(&[GENESIS_FILE]))
}

/// A participant of the vectors.
pub fn participant(id: u32, word: &str, roles: Roles) -> Participant {
    Participant::new(
        ParticipantId::new(id),
        format!("{word}-{id}"),
        roles,
        key(tag(id)).public_key(),
    )
}

/// A merchant of the vectors.
pub fn merchant(id: u64, gateway: u32, payout_account: Digest) -> Merchant {
    Merchant {
        id: MerchantId::new(id),
        name: format!("merchant-{id}"),
        payout_gateway: ParticipantId::new(gateway),
        payout_account,
        suspended: false,
        legal_entity: String::new(),
    }
}

/// A node of the vectors: its vote key has seed 1 + `index`, its network key seed 11 + `index`.
pub fn node(index: u8) -> Node {
    Node {
        name: format!("validator-{}", index + 1),
        operator: ParticipantId::new(u32::from(index) % 4 + 1),
        network_key: key(11 + index).public_key(),
        validator_key: key(1 + index).public_key(),
        power: 1,
    }
}

/// The content of `vectors/genesis.toml`.
pub fn genesis() -> ChainGenesis {
    let line = |gateway, currency| LiquidityLine {
        gateway: ParticipantId::new(gateway),
        currency: Currency::new(currency),
        net_debit_cap: Amount::new(1_000_000_000),
        opening_liquidity: Amount::new(0),
    };
    let mut participants: Vec<Participant> =
        (1..=4).map(|id| participant(id, "operator", Roles::SETTLEMENT_OPERATOR)).collect();
    participants.extend([
        participant(101, "recharge", Roles::RECHARGE_SERVICE),
        participant(201, "gateway", Roles::GATEWAY),
        participant(202, "gateway", Roles::GATEWAY),
        participant(301, "provider", Roles::FX_PROVIDER),
        participant(401, "agent", Roles::SETTLEMENT_AGENT),
        participant(402, "agent", Roles::SETTLEMENT_AGENT),
        participant(501, "desk", Roles::RISK_DESK),
    ]);
    ChainGenesis {
        chain_id: chain_id(),
        name: "vectors".to_owned(),
        time: GENESIS_TIME,
        parameters: Parameters::default(),
        currencies: vec![Currency::new(156), Currency::new(392)],
        participants,
        merchants: vec![
            merchant(1001, 202, Digest::ZERO),
            merchant(1002, 201, Digest::from_bytes([0x5a; 32])),
        ],
        liquidity: vec![line(201, 156), line(201, 392), line(202, 156), line(202, 392)],
        lines: Vec::new(),
        nodes: (0..4).map(node).collect(),
    }
}

/// The validators who decide the block of `height`.
pub fn validators_at(height: Height) -> ValidatorSet {
    let count = if height <= HANDOVER_HEIGHT { 4 } else { 5 };
    ValidatorSet::of_nodes(&(0..count).map(node).collect::<Vec<_>>())
}

/// The keys of all participants at the block of `height`.
pub fn parties_at(height: Height) -> Vec<PartyKeys> {
    let keys = |participant: &Participant| {
        let keys = PartyKeys::of(participant);
        if height < KEY_HEIGHT || participant.id != ParticipantId::new(202) {
            return keys;
        }
        let previous = Some((keys.current, OVERLAP_END));
        PartyKeys { current: key(SECOND_KEY).public_key(), previous, ..keys }
    };
    genesis().participants.iter().map(keys).collect()
}

pub fn valid_until() -> TimeMs {
    GENESIS_TIME.plus(120_000)
}

/// The bytes of a batch of `items` that participant `submitter` signs.
pub fn signed<T>(submitter: u32, items: &[T]) -> Vec<u8>
where
    T: zerocopy::IntoBytes + zerocopy::Immutable + batch::BatchItem,
{
    signed_with(tag(submitter), submitter, items)
}

/// The bytes of a batch of `items` that participant `submitter` signs with the key of seed `tag`.
pub fn signed_with<T>(tag: u8, submitter: u32, items: &[T]) -> Vec<u8>
where
    T: zerocopy::IntoBytes + zerocopy::Immutable + batch::BatchItem,
{
    SignedBatch::sign(chain_id(), ParticipantId::new(submitter), &key(tag), valid_until(), items)
}

/// The keys that a participant has or had.
pub fn keys_of(id: ParticipantId) -> Option<PartyKeys> {
    parties_at(KEY_HEIGHT).into_iter().find(|keys| keys.participant == id)
}

pub fn verified(bytes: Vec<u8>) -> VerifiedBatch {
    SignedBatch::decode(Bytes::from(bytes)).unwrap().verify(chain_id(), keys_of).unwrap()
}
