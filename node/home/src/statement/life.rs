//! An instruction's life as the words about it tell it.

use std::collections::BTreeMap;

use chain_types::{Amount, Currency, ParticipantId};

use super::walk::{Event, What};

/// The state of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Given to its gateway, and neither paid nor failed.
    Instructed,
    /// Paid: the money arrived.
    Arrived,
    /// It could not be paid, or came back.
    Failed,
}

/// An agent's word that a gateway is absent.
#[derive(Debug, Clone)]
struct Absence {
    agent: ParticipantId,
    /// The agent's legal entity, empty if it has none of a name.
    house: String,
    reason: u16,
    time_ms: u64,
}

/// An instruction between two words.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) gateway: Option<ParticipantId>,
    pub(super) standing: Standing,
    /// The rest of it to pay.
    pub(super) left: Amount,
    attempt: u16,
    /// The sum that was returned to users since it arrived.
    returned_since: u64,
    /// Agents who said that its gateway is absent.
    absences: Vec<Absence>,
    /// The cashback that one gateway granted on its orders, by their currency.
    pub(super) cashback: BTreeMap<Currency, Amount>,
}

impl Life {
    /// One that its window's close gave to a gateway.
    pub(super) fn new(gateway: Option<ParticipantId>, left: Amount) -> Self {
        let (standing, absences) = (Standing::Instructed, Vec::new());
        let (attempt, returned_since, cashback) = (1, 0, BTreeMap::new());
        Self { gateway, standing, left, attempt, returned_since, absences, cashback }
    }

    /// Takes in what was granted on one of its orders.
    pub(super) fn granted(&mut self, currency: Currency, cashback: Amount) {
        let sum = self.cashback.entry(currency).or_default();
        *sum = sum.plus(cashback);
    }

    /// Takes in what a return left out of it.
    pub(super) fn taken_back(&mut self, currency: Currency, cashback: Amount) {
        let sum = self.cashback.entry(currency).or_default();
        *sum = sum.minus(cashback);
    }

    /// Takes in the return of one of its orders.
    pub(super) fn returned(&mut self, payout: Amount) {
        match self.standing {
            Standing::Failed => self.left = self.left.minus(payout),
            Standing::Arrived => {
                self.returned_since = self.returned_since.saturating_add(payout.get());
            }
            Standing::Instructed => {}
        }
    }

    /// Takes in a word about it. Agents' words count together for `waits_ms`; `payer` is the
    /// merchant's gateway when the word was said.
    pub(super) fn hear(&mut self, event: &Event, waits_ms: u64, payer: Option<ParticipantId>) {
        match &event.what {
            What::Arrived { .. } => self.stand(Standing::Arrived),
            What::Failed { .. } => self.stand(Standing::Failed),
            What::Bounced { .. } => {
                self.left = self.left.minus(Amount::new(self.returned_since));
                self.stand(Standing::Failed);
            }
            What::SteppedIn { agent, house, attempt, reason, .. } if *attempt == self.attempt => {
                let since = event.at.time_ms.saturating_sub(waits_ms);
                let is_second = self.absences.iter().any(|said| {
                    let is_other =
                        said.agent != *agent && (house.is_empty() || said.house != *house);
                    is_other && said.reason == *reason && said.time_ms >= since
                });
                self.absences.retain(|said| said.agent != *agent);
                let (agent, house, reason) = (*agent, house.clone(), *reason);
                let time_ms = event.at.time_ms;
                self.absences.push(Absence { agent, house, reason, time_ms });
                if is_second {
                    self.stand(Standing::Failed);
                }
            }
            What::Reinstructed { .. } => {
                self.gateway = payer;
                self.attempt = self.attempt.saturating_add(1);
                self.stand(Standing::Instructed);
            }
            What::SteppedIn { .. } | What::Collected { .. } | What::Returned { .. } => {}
        }
    }

    fn stand(&mut self, standing: Standing) {
        self.standing = standing;
        self.returned_since = 0;
        self.absences.clear();
    }
}
