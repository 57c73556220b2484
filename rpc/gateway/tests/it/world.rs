//! A gateway, its bank and its chain, and the time between them. The gateway is stopped and started
//! again as a test says.

use std::collections::BTreeMap;
use std::path::Path;

use chain_types::{ParticipantId, SecretKey, TimeMs};
use rpc_bank::{BankHabits, BankOffice, MovedMoney, PaymentFate};
use rpc_gateway::{
    BankGateway, CrashPlan, CrashPoint, GatewayFault, GatewayHome, GatewaySigner, GatewayTurn,
};
use rpc_iso20022::EndToEndId;
use tempfile::TempDir;

use crate::chain::{CHAIN, GATEWAY, TestedChain};

/// The time at which every test begins: a Monday, 2026-11-30 at 00:00 UTC.
pub const BEGIN_MS: u64 = 1_795_996_800_000;
/// Time between two turns.
pub const STEP_MS: u64 = 60_000;

pub const PROFILE: &str = r#"
payment = "pain.001.001.09"
payments_max = 40
ask_after_s = 600
asks_max = 4
[debtor]
name = "Gateway 201"
[[account]]
currency = "CNY"
at = { account = "1001244100000000001", system = "CNAPS", member = "102100099996" }
[[account]]
currency = "JPY"
at = { account = "1001244100000000002", bic = "BOTKJPJT" }
[days]
zone = "UTC"
cut_off = "16:30"
weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"#;

pub struct World {
    pub folder: TempDir,
    pub chain: TestedChain,
    pub bank: BankOffice,
    gateway: Option<BankGateway<TestedChain>>,
    pub now_ms: u64,
    /// How often each place stopped the gateway.
    pub stops: BTreeMap<CrashPoint, u64>,
}

/// A merchant's account in a currency.
pub fn account(merchant: u64, code: &str) -> String {
    format!("6222{merchant}{code}")
}

impl World {
    pub fn new(seed: u64, habits: BankHabits, merchants: std::ops::RangeInclusive<u64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = GatewayHome::create(folder.path(), CHAIN, ParticipantId::new(GATEWAY)).unwrap();
        std::fs::write(home.profile(), PROFILE).unwrap();
        let accounts = merchants.flat_map(|merchant| ["CNY", "JPY"].map(|code| (merchant, code)));
        let book: String = accounts
            .map(|(merchant, code)| {
                format!(
                    "[[merchant]]\nid = {merchant}\ncurrency = \"{code}\"\nname = \"M\"\n\
                     at = {{ account = \"{}\", bic = \"BOTKJPJT\" }}\n",
                    account(merchant, code)
                )
            })
            .collect();
        std::fs::write(home.accounts(), book).unwrap();
        let chain = TestedChain::new(seed, key().public_key());
        chain.book().now_ms = BEGIN_MS;
        let journal = home.bank().join("bank.journal");
        let bank = BankOffice::open(&home.bank(), &journal, Some(seed), habits).unwrap();
        let stops = BTreeMap::new();
        Self { folder, chain, bank, gateway: None, now_ms: BEGIN_MS, stops }
    }

    /// Starts the gateway anew, to be stopped as `crash` says.
    pub fn start(&mut self, crash: CrashPlan) {
        self.gateway = None;
        self.gateway = Some(open(self.folder.path(), &self.chain, crash).unwrap());
    }

    /// One turn of the gateway. It is gone if it was stopped.
    pub fn turn(&mut self) -> Option<GatewayTurn> {
        let gateway = self.gateway.as_mut()?;
        match futures::executor::block_on(gateway.turn(TimeMs::new(self.now_ms))) {
            Ok(turn) => Some(turn),
            Err(GatewayFault::Stopped(point)) => {
                *self.stops.entry(point).or_default() += 1;
                self.gateway = None;
                None
            }
            Err(fault) => panic!("{fault}"),
        }
    }

    /// Lets the bank work, and time pass.
    pub fn pass(&mut self) {
        self.bank.turn(self.now_ms).unwrap();
        self.now_ms += STEP_MS;
        self.chain.book().now_ms = self.now_ms;
    }

    /// Runs a turn and the bank's work `times` times, without a stop.
    pub fn go(&mut self, times: usize) {
        if self.gateway.is_none() {
            self.start(CrashPlan::default());
        }
        for _ in 0..times {
            self.turn().unwrap();
            self.pass();
        }
    }

    /// The first turn of a gateway, without the bank's work behind it.
    pub fn turn_first(&mut self) {
        self.start(CrashPlan::default());
        self.turn().unwrap();
    }

    /// Ends the gateway; its folder stays.
    pub fn stop(&mut self) {
        self.gateway = None;
    }

    pub fn gateway(&self) -> &BankGateway<TestedChain> {
        self.gateway.as_ref().unwrap()
    }

    /// Money that really moved, as the bank's own journal has it.
    pub fn moved(&self) -> &[MovedMoney] {
        &self.bank.bank().ledger().moved
    }

    /// The fate of a payment, if the bank has it.
    pub fn fate(&self, id: EndToEndId) -> Option<PaymentFate> {
        self.bank.bank().ledger().payment(&id.to_string()).map(|payment| payment.fate)
    }

    pub fn is_running(&self) -> bool {
        self.gateway.is_some()
    }
}

pub fn open(
    folder: &Path,
    chain: &TestedChain,
    crash: CrashPlan,
) -> Result<BankGateway<TestedChain>, GatewayFault> {
    let signer = GatewaySigner { chain: CHAIN, gateway: ParticipantId::new(GATEWAY), key: key() };
    BankGateway::open(folder, signer, chain.clone(), crash)
}

pub fn key() -> SecretKey {
    SecretKey::from_seed(&[3; 32])
}
