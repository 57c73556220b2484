//! The chain that every simulation runs: four validators, an edge node, a recharge service, two
//! gateways, three merchants.

use std::sync::Arc;

use chain_types::{
    Amount, ChainGenesis, ChainId, Currency, Digest, LiquidityLine, Merchant, MerchantId, Node,
    Parameters, Participant, ParticipantId, Roles, SecretKey, TimeMs,
};

/// Validators of the simulated chain.
pub const VALIDATORS: u32 = 4;
/// All nodes: the validators and one edge node.
pub const NODES: u32 = VALIDATORS + 1;
/// The currency of the simulated chain.
pub const YUAN: Currency = Currency(156);
/// The recharge service.
pub const SERVICE: ParticipantId = ParticipantId(101);
/// The gateways.
pub const GATEWAYS: [ParticipantId; 2] = [ParticipantId(201), ParticipantId(202)];
/// The merchants.
pub const MERCHANTS: [MerchantId; 3] = [MerchantId(1001), MerchantId(1002), MerchantId(1003)];
/// Block zero's time; the virtual clock starts a second later.
pub const GENESIS_TIME: TimeMs = TimeMs(1_800_000_000_000);

/// The vote key of a node.
pub fn node_key(index: u32) -> SecretKey {
    key(1, index)
}

/// The batch key of a participant.
pub fn participant_key(id: ParticipantId) -> SecretKey {
    key(2, id.0)
}

fn key(kind: u8, number: u32) -> SecretKey {
    let mut seed = [kind; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SecretKey::from_seed(&seed)
}

/// The simulated chain's genesis. Windows are short, so that a run sees several.
pub fn genesis() -> Arc<ChainGenesis> {
    let participant = |id: ParticipantId, roles: Roles| Participant {
        id,
        name: format!("participant-{id}"),
        roles,
        public_key: participant_key(id).public_key(),
        suspended: false,
    };
    let node = |index: u32| Node {
        name: format!("node-{index}"),
        operator: ParticipantId(1),
        network_key: key(3, index).public_key(),
        validator_key: node_key(index).public_key(),
        power: u64::from(index < VALIDATORS),
    };
    Arc::new(ChainGenesis {
        chain_id: ChainId(Digest([7; 32])),
        name: "simulated".to_owned(),
        time: GENESIS_TIME,
        parameters: Parameters { window_ms: 5_000, ..Parameters::default() },
        currencies: vec![YUAN],
        participants: vec![
            participant(ParticipantId(1), Roles::SETTLEMENT_OPERATOR),
            participant(SERVICE, Roles::RECHARGE_SERVICE),
            participant(GATEWAYS[0], Roles::GATEWAY),
            participant(GATEWAYS[1], Roles::GATEWAY),
        ],
        merchants: (0..)
            .zip(MERCHANTS)
            .map(|(index, id): (usize, _)| Merchant {
                id,
                name: format!("merchant-{id}"),
                payout_gateway: GATEWAYS[index % GATEWAYS.len()],
                payout_account: Digest::ZERO,
                suspended: false,
            })
            .collect(),
        liquidity: GATEWAYS
            .iter()
            .map(|gateway| LiquidityLine {
                gateway: *gateway,
                currency: YUAN,
                net_debit_cap: Amount(1_000_000_000),
                opening_liquidity: Amount(0),
            })
            .collect(),
        nodes: (0..NODES).map(node).collect(),
    })
}
