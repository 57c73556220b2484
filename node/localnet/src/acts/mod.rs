//! The acts that a run of the local network shows besides recharges: each contract in a short act,
//! played by the parties themselves over the public RPC, with what it expects of the chain.

mod cast;
mod fx;
mod instructions;
mod orders;
mod treasury;

use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::cast::{Cast, Merchants};
use node_console::output::Output;

/// How long an act may take: some wait for a window's close and a bank's credit.
const ACT_TIMEOUT: Duration = Duration::from_secs(150);

/// How an act went.
#[derive(Debug, Clone, Serialize)]
pub struct ActReport {
    /// The contract that it shows.
    pub name: &'static str,
    /// True if everything went as expected.
    pub is_well: bool,
    /// The result, in a sentence; or the problem.
    pub says: String,
}

/// Plays all acts side by side, and gives how they went, in the order of the programme. An act
/// that waits when `cancel` comes says so.
pub async fn perform(cast: Cast, output: Output, cancel: CancellationToken) -> Vec<ActReport> {
    let mut acts = JoinSet::new();
    macro_rules! play {
        ($($at:literal, $name:literal, $act:expr;)*) => {$({
            let (cast, cancel) = (cast.clone(), cancel.clone());
            acts.spawn(async move {
                let played = tokio::time::timeout(ACT_TIMEOUT, $act(&cast));
                let result = tokio::select! {
                    () = cancel.cancelled() => Err(anyhow::anyhow!("the run ended before it did")),
                    played = played => played.unwrap_or_else(|_| {
                        Err(anyhow::anyhow!("not done after {} s", ACT_TIMEOUT.as_secs()))
                    }),
                };
                ($at, ActReport::of($name, result))
            });
        })*};
    }
    play! {
        1, "liquidity", treasury::liquidity;
        2, "cashback", treasury::cashback;
        3, "conversion", fx::conversion;
        4, "returns", orders::returns;
        5, "holds", orders::holds;
        6, "instructions", instructions::corrected;
        7, "netting", instructions::settled;
        8, "governance", treasury::rotation;
    }
    let mut reports: Vec<(u8, ActReport)> = Vec::new();
    while let Some(report) = acts.join_next().await {
        // An act that panicked has no place; it is told of below.
        let (at, report) = report.unwrap_or_else(|error| {
            (u8::MAX, ActReport::of("act", Err(anyhow::anyhow!("{error}"))))
        });
        output.note(&report.line());
        reports.push((at, report));
    }
    reports.sort_by_key(|(at, _)| *at);
    reports.into_iter().map(|(_, report)| report).collect()
}

impl ActReport {
    /// Formats the result as a line for people.
    pub fn line(&self) -> String {
        let verdict = if self.is_well { "" } else { "NOT WELL: " };
        format!("{:<12} {verdict}{}", self.name, self.says)
    }

    fn of(name: &'static str, result: anyhow::Result<String>) -> Self {
        match result {
            Ok(says) => Self { name, is_well: true, says },
            Err(error) => {
                let says = node_console::output::message_of(&error);
                Self { name, is_well: false, says }
            }
        }
    }
}
