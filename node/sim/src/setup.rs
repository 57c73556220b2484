//! The chain that every simulation runs: some validators, an edge node that governance may let
//! vote, a node that the genesis file does not name and governance may add, and parties of every
//! role. Times are short, so that a run sees windows close, rates grow stale, orders leave the
//! duplicate window, and a day and a month begin.

use std::sync::Arc;

use chain_types::{
    Amount, ChainGenesis, ChainId, Currency, Digest, LiquidityLine, Merchant, MerchantId, Node,
    Parameters, Participant, ParticipantId, Roles, SecretKey, TimeMs,
};

/// How many nodes the chain has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Validators from genesis on; they are the first nodes of the registry.
    pub validators: u32,
    /// How long an order may take to commit, in milliseconds.
    pub order_validity_ms: u64,
}

/// So short that a run sees orders expire and leave the duplicate window.
pub const SHORT_VALIDITY_MS: u64 = 5_000;
/// As on a real chain.
pub const LONG_VALIDITY_MS: u64 = 180_000;

impl Shape {
    /// The nodes of the genesis file: the validators and one edge node.
    pub const fn genesis_nodes(self) -> u32 {
        self.validators + 1
    }

    /// All nodes that run: one more, whose place in the registry is the next that governance
    /// fills.
    pub const fn nodes(self) -> u32 {
        self.genesis_nodes() + 1
    }

    /// A node as the genesis file or a governance change names it.
    pub fn node(self, index: u32) -> Node {
        Node {
            name: format!("node-{index}"),
            operator: OPERATORS[index as usize % OPERATORS.len()],
            network_key: network_key(index).public_key(),
            validator_key: node_key(index).public_key(),
            power: if index < self.validators { POWER } else { 0 },
        }
    }

    /// The simulated chain's genesis.
    pub fn genesis(self) -> Arc<ChainGenesis> {
        let genesis = ChainGenesis {
            chain_id: CHAIN,
            name: "simulated".to_owned(),
            time: GENESIS_TIME,
            parameters: parameters(self.order_validity_ms),
            currencies: CURRENCIES.to_vec(),
            participants: participants(),
            merchants: (0..)
                .zip(MERCHANTS)
                .map(|(index, id): (usize, _)| merchant(id, GATEWAYS[index % 2]))
                .collect(),
            liquidity: lines(),
            lines: Vec::new(),
            nodes: (0..self.genesis_nodes()).map(|index| self.node(index)).collect(),
        };
        Arc::new(genesis.with_lines(LINE))
    }
}

/// The id of the simulated chain.
pub const CHAIN: ChainId = ChainId::new(Digest::from_bytes([7; 32]));
/// The power of each validator: above one, so that governance can shift it a little.
pub const POWER: u64 = 10;
/// The currency of most orders.
pub const YUAN: Currency = Currency::new(156);
/// A currency without minor units.
pub const YEN: Currency = Currency::new(392);
/// A third currency, in which some merchants are paid.
pub const DOLLAR: Currency = Currency::new(840);
/// The currencies of the simulated chain, ascending.
pub const CURRENCIES: [Currency; 3] = [YUAN, YEN, DOLLAR];
/// The ids of the settlement operators.
pub const OPERATORS: [ParticipantId; 3] =
    [ParticipantId::new(1), ParticipantId::new(2), ParticipantId::new(3)];
/// The id of the recharge service.
pub const SERVICE: ParticipantId = ParticipantId::new(101);
/// The gateways. The last one's net debit cap is soon used up.
pub const GATEWAYS: [ParticipantId; 3] =
    [ParticipantId::new(201), ParticipantId::new(202), ParticipantId::new(203)];
/// The ids of the FX providers.
pub const PROVIDERS: [ParticipantId; 3] =
    [ParticipantId::new(401), ParticipantId::new(402), ParticipantId::new(403)];
/// The id of the risk desk.
pub const DESK: ParticipantId = ParticipantId::new(501);
/// The settlement agents: maker and checker in turn.
pub const AGENTS: [ParticipantId; 2] = [ParticipantId::new(601), ParticipantId::new(602)];
/// The ids of the merchants.
pub const MERCHANTS: [MerchantId; 3] =
    [MerchantId::new(1001), MerchantId::new(1002), MerchantId::new(1003)];
/// Block zero's time, ten seconds before February 2027 begins at UTC+8; the virtual clock starts
/// a second later.
pub const GENESIS_TIME: TimeMs = TimeMs::new(1_801_411_190_000);

/// How far each gateway's liquidity may fall, in minor units of any currency.
const CAPS: [u64; 3] = [1_000_000_000, 1_000_000_000, 2_000_000];
/// How much the recharge service may have reserved at a time on each gateway's liquidity, and with
/// the gateways on each provider's position.
const LINE: Amount = Amount::new(1_500_000);

/// The vote key of a node.
pub fn node_key(index: u32) -> SecretKey {
    key(1, index, 0)
}

/// The batch key of a participant after so many rotations.
pub fn participant_key(id: ParticipantId, rotations: u32) -> SecretKey {
    key(2, id.get(), rotations)
}

/// The key of a node's encrypted connections.
pub fn network_key(index: u32) -> SecretKey {
    key(3, index, 0)
}

fn key(kind: u8, number: u32, rotations: u32) -> SecretKey {
    let mut seed = [kind; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    seed[4..8].copy_from_slice(&rotations.to_le_bytes());
    SecretKey::from_seed(&seed)
}

fn parameters(order_validity_ms: u64) -> Parameters {
    Parameters {
        order_skew_ms: 1_000,
        order_validity_ms,
        window_ms: 4_000,
        deadline_domestic_ms: 12_000,
        deadline_cross_border_ms: 15_000,
        deadline_collect_ms: 3_000,
        payment_least_ms: 3_000,
        rate_fresh_ms: 6_000,
        rates_min: 1,
        rounding_loss_max_per_mille: 200,
        quote_hold_ms: 2_000,
        reservation_ms: 4_000,
        transfer_validity_ms: 60_000,
        proposal_validity_ms: 60_000,
        governance_notice_heights: 3,
        ..Parameters::default()
    }
}

fn participants() -> Vec<Participant> {
    let all = [
        (&OPERATORS[..], Roles::SETTLEMENT_OPERATOR),
        (&[SERVICE], Roles::RECHARGE_SERVICE),
        (&GATEWAYS, Roles::GATEWAY),
        (&PROVIDERS, Roles::FX_PROVIDER),
        (&[DESK], Roles::RISK_DESK),
        (&AGENTS, Roles::SETTLEMENT_AGENT),
    ];
    let of = |id: &ParticipantId, roles: Roles| {
        Participant::new(
            *id,
            format!("participant-{id}"),
            roles,
            participant_key(*id, 0).public_key(),
        )
    };
    all.iter().flat_map(|(ids, roles)| ids.iter().map(move |id| of(id, *roles))).collect()
}

/// A merchant as the genesis file or a governance change names it.
pub fn merchant(id: MerchantId, payout_gateway: ParticipantId) -> Merchant {
    Merchant::new(id, format!("merchant-{id}"), payout_gateway)
}

fn lines() -> Vec<LiquidityLine> {
    let line = |gateway: ParticipantId, cap: u64, currency: Currency| LiquidityLine {
        gateway,
        currency,
        net_debit_cap: Amount::new(cap),
        opening_liquidity: Amount::new(cap / 100),
    };
    let of = |(gateway, cap)| CURRENCIES.map(|currency| line(gateway, cap, currency));
    GATEWAYS.into_iter().zip(CAPS).flat_map(of).collect()
}
