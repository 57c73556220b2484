//! A small chain to try the rules on: eighteen parties, four merchants, five currencies.

mod chain;
mod items;

use chain_types::hash::sha256;
use chain_types::{
    Amount, ChainGenesis, ChainId, Currency, Digest, LiquidityLine, Merchant, MerchantId, Node,
    Parameters, Participant, ParticipantId, Roles, SecretKey, TimeMs,
};

pub use self::chain::{Chain, Decided};
pub use self::items::*;

/// Settlement operators; each runs one of the four validators.
pub const OPERATORS: [u32; 4] = [1, 2, 3, 4];
pub const SERVICE: u32 = 101;
pub const SERVICE_SUSPENDED: u32 = 102;
pub const SERVICE_SECOND: u32 = 103;
/// Collects; pays merchants 1002.
pub const BANK_A: u32 = 201;
/// Collects; pays merchants 1001 and 1003.
pub const BANK_B: u32 = 202;
/// A suspended gateway; pays merchant 1004.
pub const BANK_SUSPENDED: u32 = 203;
/// A gateway without any liquidity line; pays nobody.
pub const BANK_POOR: u32 = 204;
pub const AUDITOR: u32 = 301;
pub const PROVIDERS: [u32; 3] = [401, 402, 403];
pub const RISK_DESK: u32 = 501;
/// Settlement agents: maker and checker.
pub const AGENTS: [u32; 2] = [601, 602];

pub const SHOP: u64 = 1001;
pub const SHOP_OF_A: u64 = 1002;
pub const SHOP_SUSPENDED: u64 = 1003;
pub const SHOP_OF_SUSPENDED: u64 = 1004;

pub const CNY: u16 = 156;
pub const JPY: u16 = 392;
pub const KWD: u16 = 414;
pub const USD: u16 = 840;
pub const EUR: u16 = 978;
/// A currency that the chain does not accept at first.
pub const GBP: u16 = 826;

/// The time of block zero.
pub const START: TimeMs = TimeMs::new(1_800_000_000_000);

/// The sum that bank A may collect in CNY at first: opening liquidity and cap.
pub const A_OPENING: u64 = 1_000;
pub const A_CAP: u64 = 9_000;

/// The first key of a participant.
pub fn key_of(participant: u32) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"test key", &participant.to_le_bytes()]).bytes())
}

/// A key of that name; no participant has it at first.
pub fn key_named(name: &str) -> SecretKey {
    SecretKey::from_seed(&sha256(&[name.as_bytes()]).bytes())
}

/// The key of a validator's votes; validators count from zero.
pub fn vote_key(validator: u32) -> SecretKey {
    key_named(&format!("validator {}", validator + 1))
}

/// Validator `number`, run by the operator of the same number.
pub fn node(number: u32) -> Node {
    Node {
        name: format!("node-{number}"),
        operator: ParticipantId::new(number),
        network_key: key_named(&format!("network {number}")).public_key(),
        validator_key: vote_key(number - 1).public_key(),
        power: 1,
    }
}

pub fn genesis() -> ChainGenesis {
    let participant = |id: u32, roles: Roles, suspended: bool| Participant {
        id: ParticipantId::new(id),
        name: format!("party {id}"),
        roles,
        public_key: key_of(id).public_key(),
        suspended,
        legal_entity: String::new(),
    };
    let merchant = |id: u64, payout_gateway: u32, suspended: bool| Merchant {
        id: MerchantId::new(id),
        name: format!("merchant {id}"),
        payout_gateway: ParticipantId::new(payout_gateway),
        payout_account: Digest::ZERO,
        suspended,
        legal_entity: String::new(),
    };
    let line = |gateway: u32, currency: u16, cap: u64, opening: u64| LiquidityLine {
        gateway: ParticipantId::new(gateway),
        currency: Currency::new(currency),
        net_debit_cap: Amount::new(cap),
        opening_liquidity: Amount::new(opening),
    };
    ChainGenesis {
        chain_id: ChainId::new(sha256(&[b"a chain for tests"])),
        name: "tests".to_owned(),
        time: START,
        parameters: Parameters {
            order_amount_max: 1_000_000,
            rates_min: 1,
            ..Parameters::default()
        },
        currencies: [CNY, JPY, KWD, USD, EUR].map(Currency::new).to_vec(),
        participants: vec![
            participant(OPERATORS[0], Roles::SETTLEMENT_OPERATOR, false),
            participant(OPERATORS[1], Roles::SETTLEMENT_OPERATOR, false),
            participant(OPERATORS[2], Roles::SETTLEMENT_OPERATOR, false),
            participant(OPERATORS[3], Roles::SETTLEMENT_OPERATOR, false),
            participant(SERVICE, Roles::RECHARGE_SERVICE, false),
            participant(SERVICE_SUSPENDED, Roles::RECHARGE_SERVICE, true),
            participant(SERVICE_SECOND, Roles::RECHARGE_SERVICE, false),
            participant(BANK_A, Roles::GATEWAY, false),
            participant(BANK_B, Roles::GATEWAY, false),
            participant(BANK_SUSPENDED, Roles::GATEWAY, true),
            participant(BANK_POOR, Roles::GATEWAY, false),
            participant(AUDITOR, Roles::AUDITOR, false),
            participant(PROVIDERS[0], Roles::FX_PROVIDER, false),
            participant(PROVIDERS[1], Roles::FX_PROVIDER, false),
            participant(PROVIDERS[2], Roles::FX_PROVIDER, false),
            participant(RISK_DESK, Roles::RISK_DESK, false),
            participant(AGENTS[0], Roles::SETTLEMENT_AGENT, false),
            participant(AGENTS[1], Roles::SETTLEMENT_AGENT, false),
        ],
        merchants: vec![
            merchant(SHOP, BANK_B, false),
            merchant(SHOP_OF_A, BANK_A, false),
            merchant(SHOP_SUSPENDED, BANK_B, true),
            merchant(SHOP_OF_SUSPENDED, BANK_SUSPENDED, false),
        ],
        liquidity: vec![
            line(BANK_A, CNY, A_CAP, A_OPENING),
            line(BANK_A, JPY, 0, 500),
            line(BANK_B, CNY, 5_000, 0),
            line(BANK_SUSPENDED, CNY, 5_000, 0),
        ],
        lines: Vec::new(),
        nodes: OPERATORS.map(node).to_vec(),
    }
    .with_lines(Amount::new(u64::MAX))
}
