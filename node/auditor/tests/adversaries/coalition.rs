//! Who is in league with whom. A coalition has an agent or an operator, or several of one legal
//! entity: a maker and a checker of two houses are what the rules trust, and so are two operators.
//! Everybody else may belong to it.
//!
//! A bank speaks for its customers: a merchant trusts the gateway that pays it, and a user the
//! gateway that collects from it, as one trusts a bank with an account. What these do to their own
//! customers is fraud at a bank and no rule of the scheme sees it; so merchants that a gateway of
//! the coalition pays belong to it, and its gateways collect only from its own users.

use crate::network::*;

/// Users with a lower number are the foes'.
pub const HONEST_USERS_FROM: u8 = 10;

/// The parties that act as one.
#[derive(Debug, Clone)]
pub struct Coalition {
    pub gateways: Vec<u32>,
    pub providers: Vec<u32>,
    pub services: Vec<u32>,
    pub agents: Vec<u32>,
    pub operators: Vec<u32>,
    pub merchants: Vec<u64>,
}

/// Each merchant's first payout gateway.
const PAYERS: [(u64, u32); 4] = [(1_001, 202), (1_002, 201), (1_003, 203), (1_004, 202)];

impl Coalition {
    /// The coalition of a seed: a collecting bank, a paying one, a house, two banks, none, and
    /// the two banks through which most of the money goes.
    pub fn of(seed: u64) -> Self {
        let (gateways, providers, services): (&[u32], &[u32], &[u32]) = match seed % 6 {
            1 => (&[201], &[401], &[101]),
            2 => (&[202], &[402], &[102]),
            3 => (&[EVERYBODY], &[EVERYBODY], &[EVERYBODY]),
            4 => (&[201, 203], &[403], &[101]),
            5 => (&[], &[401], &[101, 102]),
            _ => (&[201, 202], &[401], &[102]),
        };
        let (agents, operators, own): (&[u32], &[u32], &[u64]) = match seed % 6 {
            1 => (&[601], &[], &[1_004]),
            2 => (&[], &[2], &[]),
            3 => (&[603, HOUSE], &[4], &[1_003]),
            4 => (&[], &[3], &[]),
            5 => (&[602], &[], &[1_001]),
            _ => (&[601], &[], &[]),
        };
        let paid = PAYERS.iter().filter(|(_, payer)| gateways.contains(payer));
        let mut merchants: Vec<u64> = own.iter().copied().chain(paid.map(|paid| paid.0)).collect();
        merchants.sort_unstable();
        merchants.dedup();
        Self {
            gateways: gateways.to_vec(),
            providers: providers.to_vec(),
            services: services.to_vec(),
            agents: agents.to_vec(),
            operators: operators.to_vec(),
            merchants,
        }
    }

    /// Returns true if a participant is one of them.
    pub fn holds(&self, participant: u32) -> bool {
        let all = [&self.gateways, &self.providers, &self.services, &self.agents, &self.operators];
        all.iter().any(|some| some.contains(&participant))
    }

    pub fn holds_merchant(&self, merchant: u64) -> bool {
        self.merchants.contains(&merchant)
    }

    /// Those of `all` that are not of the coalition.
    pub fn honest(&self, all: &[u32]) -> Vec<u32> {
        all.iter().copied().filter(|one| !self.holds(*one)).collect()
    }

    /// Every participant of the coalition, each once.
    pub fn members(&self) -> Vec<u32> {
        let mut all = [
            self.gateways.as_slice(),
            &self.providers,
            &self.services,
            &self.agents,
            &self.operators,
        ]
        .concat();
        all.sort_unstable();
        all.dedup();
        all
    }
}
