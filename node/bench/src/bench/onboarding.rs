//! Merchants that registrars add beside a load: one registrar a gateway, one batch at a time.

use std::sync::Arc;

use chain_types::{
    ChainGenesis, Change, Digest, Merchant, MerchantId, MerchantItem, Participant, ParticipantId,
    RegistrarLimits, Roles,
};
use node_console::output::message_of;
use rpc_client::client::Client;
use rpc_client::party::Party;
use rpc_client::scheme::{Scheme, say};
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Merchants of a batch.
const BATCH_MERCHANTS: u64 = 500;

/// The merchants that registrars added beside the load.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OnboardingReport {
    /// The merchants that were to be added.
    pub wanted: u64,
    /// The merchants of final batches.
    pub merchants: u64,
    /// The time from the first batch to the end of the last.
    pub seconds: f64,
    /// Final merchants a second, over `seconds`.
    pub merchants_per_second: f64,
    /// The median time from submission to finality of a batch of 500.
    pub batch_final_p50_ms: f64,
    /// The longest such time.
    pub batch_final_max_ms: f64,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl OnboardingReport {
    /// Returns true if every merchant was added.
    pub fn is_whole(&self) -> bool {
        self.merchants == self.wanted
    }

    /// Returns the report as one line for people.
    pub fn text(&self) -> String {
        let problem =
            self.problem.iter().map(|problem| format!("; problem: {problem}")).collect::<String>();
        format!(
            "onboarding   {} of {} merchants in {:.1} s, {:.0}/s; a batch final in {:.0} ms \
             (median), {:.0} ms at most{problem}",
            self.merchants,
            self.wanted,
            self.seconds,
            self.merchants_per_second,
            self.batch_final_p50_ms,
            self.batch_final_max_ms
        )
    }
}

/// Registrars with their limits, ready to add merchants.
#[derive(Debug)]
pub struct Onboarding {
    /// Each with the gateway whose merchants it adds.
    registrars: Vec<(Party, ParticipantId)>,
    first: u64,
    wanted: u64,
}

impl Onboarding {
    /// Registers a registrar for each of `gateways` and lets governance set its limits.
    ///
    /// # Errors
    /// When governance refuses, or no node answers.
    pub async fn open(
        scheme: &Scheme,
        chain: &ChainGenesis,
        client: &Arc<Client>,
        gateways: &[ParticipantId],
        wanted: u64,
    ) -> anyhow::Result<Self> {
        let last = chain.participants.last().map_or(0, |participant| participant.id.get());
        let mut registrars = Vec::new();
        for (place, gateway) in (1..).zip(gateways) {
            let key = genesis::draw_secret_key()?;
            let id = ParticipantId::new(last + place);
            let (chain_id, client) = (chain.chain_id, Arc::clone(client));
            registrars.push((Party { id, key, chain_id, client, first_node: 0 }, *gateway));
        }
        let participant = |(party, _): &(Party, ParticipantId)| {
            Change::Participant(Participant {
                id: party.id,
                name: format!("registrar {}", party.id),
                roles: Roles::MERCHANT_REGISTRAR,
                public_key: party.key.public_key(),
                suspended: false,
                legal_entity: String::new(),
            })
        };
        scheme.govern(&registrars.iter().map(participant).collect::<Vec<_>>()).await?;
        let most = u32::try_from(wanted).unwrap_or(u32::MAX);
        let limits = |(party, gateway): &(Party, ParticipantId)| Change::Registrar {
            participant: party.id,
            limits: RegistrarLimits { gateway: *gateway, added_max: most, changed_max: most },
        };
        scheme.govern(&registrars.iter().map(limits).collect::<Vec<_>>()).await?;
        let first = chain.merchants.iter().map(|merchant| merchant.id.get() + 1).max().unwrap_or(1);
        Ok(Self { registrars, first, wanted })
    }

    /// Adds merchants until all are there, or until `stop`.
    pub async fn run(self, stop: CancellationToken) -> OnboardingReport {
        let mut report = OnboardingReport { wanted: self.wanted, ..OnboardingReport::default() };
        let (started, mut final_ms) = (Instant::now(), Vec::new());
        let mut turns = self.registrars.iter().cycle();
        while report.merchants < self.wanted {
            let Some((registrar, gateway)) = turns.next() else { break };
            let count = BATCH_MERCHANTS.min(self.wanted - report.merchants);
            let first = self.first + report.merchants;
            let items: Vec<MerchantItem> =
                (first..first + count).filter_map(|id| merchant(id, *gateway)).collect();
            let sent = Instant::now();
            let said = tokio::select! {
                () = stop.cancelled() => break,
                said = say(registrar, &items) => said,
            };
            if let Err(problem) = said {
                report.problem = Some(message_of(&problem));
                break;
            }
            final_ms.push(sent.elapsed().as_secs_f64() * 1_000.0);
            report.merchants += count;
        }
        report.seconds = started.elapsed().as_secs_f64();
        report.merchants_per_second = report.merchants as f64 / report.seconds.max(0.001);
        final_ms.sort_by(f64::total_cmp);
        report.batch_final_p50_ms = final_ms.get(final_ms.len() / 2).copied().unwrap_or_default();
        report.batch_final_max_ms = final_ms.last().copied().unwrap_or_default();
        report
    }
}

fn merchant(id: u64, payout_gateway: ParticipantId) -> Option<MerchantItem> {
    let name = format!("streamer {id}");
    let (id, payout_account) = (MerchantId::new(id), Digest::ZERO);
    let (suspended, legal_entity) = (false, String::new());
    MerchantItem::new(&Merchant {
        id,
        name,
        payout_gateway,
        payout_account,
        suspended,
        legal_entity,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_is_missing() {
        let mut report = OnboardingReport { wanted: 1_000, merchants: 500, ..Default::default() };
        report.problem = Some("818".to_owned());
        assert!(!report.is_whole());
        let text = report.text();
        assert!(text.contains("500 of 1000 merchants") && text.contains("problem: 818"), "{text}");
    }
}
