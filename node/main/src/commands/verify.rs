//! `sluice verify`: checks a receipt, an account's proof or a window's against the genesis file
//! alone, or beside it against the lineage of `sluice lineage`. No node, no network.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chain_types::receipt::Proven;
use chain_types::record_proof::RECORD_PROOF_MAGIC;
use chain_types::{
    ChainGenesis, ChainId, Height, Lineage, Outcome, PROOF_BYTES_MAX, Receipt, RecordProof, Trust,
    Walk,
};
use clap::Args;
use rpc_api::batch::outcome_name;
use rpc_api::{AccountReport, Money, WindowReport};
use serde::Serialize;

use chain_state::proof::ProvenWindow;
use chain_state::proof::{ACCOUNT_PROOF_MAGIC, ProvenAccount};
use node_console::exit::{Exit, WithExit as _};
use node_console::output::{Output, time_text};
use node_home::reports;
use rpc_client::lineage_file::walk_over;

/// Arguments of `sluice verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is printed is proven, and no more: a receipt without a collection does not say that there was
none. Exit code 0 when the file is valid, 1 when it is not, 2 when a file cannot be read.")]
pub struct VerifyArgs {
    /// The file of a receipt, of an account's proof or of a window's.
    file: PathBuf,
    /// The chain's genesis file; its SHA-256 is the chain id that you trust.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// The file of `sluice lineage`, for a receipt or a proof without a lineage of its own.
    #[arg(long, value_name = "FILE")]
    lineage: Option<PathBuf>,
}

/// Against what a receipt or a proof is verified.
struct Ground<'a> {
    genesis: &'a ChainGenesis,
    lineage: Option<&'a Path>,
}

impl Ground<'_> {
    /// Returns the part of the lineage apart for some heights; `None` where the proof's `own` has
    /// it.
    fn apart(
        &self,
        own: &Lineage,
        heights: impl IntoIterator<Item = Height>,
    ) -> Result<Option<Trust>, String> {
        let Some(path) = self.lineage.filter(|_| own.0.is_empty()) else { return Ok(None) };
        let mut walk = Walk::new(self.genesis, heights);
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = std::fs::File::open(path).map_err(|error| told(&error))?;
        walk_over(file, &mut walk).map_err(|error| told(&error))?;
        Ok(Some(walk.finish()))
    }

    /// Why a proof does not hold, and what may be missing.
    fn reason(&self, own: &Lineage, error: &dyn std::fmt::Display) -> String {
        let hint = match self.lineage {
            _ if !own.0.is_empty() => return error.to_string(),
            None => "if it was asked for without its lineage, give the file of `sluice lineage`",
            Some(_) => "if it is newer than the lineage, call `sluice lineage` again",
        };
        format!("{error} ({hint})")
    }
}

/// The verdict about a receipt or a proof.
#[derive(Debug, Serialize)]
struct Verdict {
    valid: bool,
    chain_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    proven: Option<ProvenReport>,
}

/// The statement that a verified file proves.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ProvenReport {
    Order(Box<ProvenOrder>),
    Account(Box<ProvenCounters>),
    Window(Box<ProvenReportOfWindow>),
}

/// A closed window, as the block that closed it reported.
#[derive(Debug, Serialize)]
struct ProvenReportOfWindow {
    window: WindowReport,
    height: u64,
    block_hash: String,
}

/// An account as a block left it.
#[derive(Debug, Serialize)]
struct ProvenCounters {
    account: AccountReport,
    height: u64,
    time_ms: u64,
    block_hash: String,
}

#[derive(Debug, Serialize)]
struct ProvenOrder {
    order_id: String,
    outcome_code: u16,
    outcome: &'static str,
    merchant: String,
    collecting_gateway: u32,
    amount: Money,
    external_reference: String,
    accepted_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    collected_ms: Option<u64>,
    /// Until when its gateway could take it back alone, if its window was open for as long.
    #[serde(skip_serializing_if = "Option::is_none")]
    reversible_until_ms: Option<u64>,
    /// True if it was collected under other parameters than the genesis file's, whose grace of
    /// reversals this proof does not show.
    #[serde(skip_serializing_if = "is_false")]
    reversal_grace_unknown: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instruction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cashback_tier: Option<u16>,
    returned: Money,
}

/// Returns true if a flag is left out of JSON.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl ProvenOrder {
    fn new(proven: &Proven, genesis: &ChainGenesis) -> Self {
        let item = &proven.item;
        let is_under_genesis = proven.collected_under == Some(genesis.parameters.digest());
        let grace_ms = genesis.parameters.reversal_grace_ms;
        let reversible = proven.collected.filter(|_| is_under_genesis && grace_ms > 0);
        Self {
            order_id: proven.order_id.to_string(),
            outcome_code: proven.outcome.0,
            outcome: outcome_name(proven.outcome),
            merchant: item.merchant().to_string(),
            collecting_gateway: item.collecting_gateway().get(),
            amount: Money::new(item.amount(), item.currency()),
            external_reference: hex::encode(item.external_reference),
            accepted_ms: proven.accepted.get(),
            collected_ms: proven.collected.map(|time| time.get()),
            reversible_until_ms: reversible.map(|time| time.plus(grace_ms).get()),
            reversal_grace_unknown: proven.collected.is_some() && !is_under_genesis,
            arrived_ms: proven.arrived.map(|(_, time)| time.get()),
            instruction_id: proven.arrived.map(|(id, _)| id.to_string()),
            cashback_tier: proven.cashback_tier,
            returned: Money::new(proven.returned, item.currency()),
        }
    }
}

/// Verifies; exit code 0 when valid, 1 when not, 2 when a file cannot be used.
pub fn run(args: VerifyArgs, output: Output) -> anyhow::Result<Exit> {
    let genesis = genesis::load_genesis(&args.genesis).exit(Exit::Usage)?;
    let bytes = read_at_most(&args.file, PROOF_BYTES_MAX)
        .with_context(|| format!("cannot read {}", args.file.display()))
        .exit(Exit::Usage)?;
    let ground = Ground { genesis: &genesis, lineage: args.lineage.as_deref() };
    let result = if bytes.starts_with(&ACCOUNT_PROOF_MAGIC) {
        account(&bytes, &ground)
    } else if bytes.starts_with(&RECORD_PROOF_MAGIC) {
        window(&bytes, &ground)
    } else {
        order(&bytes, &ground)
    };
    let verdict = verdict(genesis.chain_id, result);
    output.answer(&verdict, || text(&verdict))?;
    Ok(if verdict.valid { Exit::Done } else { Exit::Negative })
}

/// A file's bytes, at most one more than `limit`: enough for the decoder to refuse it by size.
fn read_at_most(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn order(bytes: &[u8], ground: &Ground<'_>) -> Result<ProvenReport, String> {
    let receipt = Receipt::decode(bytes).map_err(|error| error.to_string())?;
    let proven = match ground.apart(&receipt.lineage, receipt.heights())? {
        None => receipt.verify(ground.genesis),
        Some(trust) => receipt.verify_by(ground.genesis, &trust),
    };
    let proven = proven.map_err(|error| ground.reason(&receipt.lineage, &error))?;
    Ok(ProvenReport::Order(Box::new(ProvenOrder::new(&proven, ground.genesis))))
}

fn account(bytes: &[u8], ground: &Ground<'_>) -> Result<ProvenReport, String> {
    let proven = ProvenAccount::decode(bytes).map_err(|error| error.to_string())?;
    let result = match ground.apart(&proven.lineage, [proven.header.height])? {
        None => proven.verify(ground.genesis),
        Some(trust) => proven.verify_by(&trust),
    };
    result.map_err(|error| ground.reason(&proven.lineage, &error))?;
    let ProvenAccount { proof, header, .. } = proven;
    Ok(ProvenReport::Account(Box::new(ProvenCounters {
        account: reports::account(&proof.key, &proof.account),
        height: header.height.get(),
        time_ms: header.time.get(),
        block_hash: header.hash().to_string(),
    })))
}

fn window(bytes: &[u8], ground: &Ground<'_>) -> Result<ProvenReport, String> {
    let proof = RecordProof::decode(bytes).map_err(|error| error.to_string())?;
    let proven = match ground.apart(&proof.lineage, proof.heights())? {
        None => ProvenWindow::verify(&proof, ground.genesis),
        Some(trust) => ProvenWindow::verify_by(&proof, &trust),
    };
    let proven = proven.map_err(|error| ground.reason(&proof.lineage, &error))?;
    Ok(ProvenReport::Window(Box::new(ProvenReportOfWindow {
        window: reports::window(&proven.window, None, proven.settlement.as_ref()),
        height: proven.header.height.get(),
        block_hash: proven.header.hash().to_string(),
    })))
}

fn verdict(chain_id: ChainId, result: Result<ProvenReport, String>) -> Verdict {
    let (proven, reason) = match result {
        Ok(proven) => (Some(proven), None),
        Err(reason) => (None, Some(reason)),
    };
    Verdict { valid: proven.is_some(), chain_id: chain_id.to_string(), reason, proven }
}

fn text(verdict: &Verdict) -> String {
    let what = match &verdict.proven {
        None => return format!("INVALID: {}", verdict.reason.as_deref().unwrap_or_default()),
        Some(ProvenReport::Order(order)) => order.text(),
        Some(ProvenReport::Account(account)) => account.text(),
        Some(ProvenReport::Window(report)) => report.text(),
    };
    format!("valid on chain {}\n{what}", verdict.chain_id)
}

impl ProvenCounters {
    fn text(&self) -> String {
        let AccountReport { account, debits_posted, credits_posted, .. } = &self.account;
        let AccountReport { debits_pending, credits_pending, balance, .. } = &self.account;
        let AccountReport { settled, position, .. } = &self.account;
        format!(
            "  account    {account} at height {} ({})\n  balance    {balance}\n  \
             settled    {settled}\n  position   {position}, in windows that are not settled\n  \
             credits    {credits_posted}, pending {credits_pending}\n  \
             debits     {debits_posted}, pending {debits_pending}",
            self.height,
            time_text(self.time_ms),
        )
    }
}

impl ProvenReportOfWindow {
    fn text(&self) -> String {
        let WindowReport { window, order_count, instruction_count, .. } = &self.window;
        let mut text = format!(
            "  window {window}: {order_count} orders, {instruction_count} instructions, reported by \
             block {}",
            self.height
        );
        // Writing into a string does not fail.
        let _ = write!(text, "\n  opened     {}", time_text(self.window.opened_ms));
        if let Some(closed_ms) = self.window.closed_ms {
            let _ = write!(text, "\n  closed     {}", time_text(closed_ms));
        }
        let _ = match &self.window.settled {
            None => write!(text, "\n  settled    this proof does not say"),
            Some(word) => write!(
                text,
                "\n  settled    {} by agent {}, checked by {}, reference {}",
                time_text(word.settled_ms),
                word.agent,
                word.checker,
                word.reference
            ),
        };
        if self.window.settled.is_some() {
            // Writing into a string does not fail.
            let _ = write!(text, "\n  positions  none are left: the nets below are posted");
        }
        for position in &self.window.positions {
            let party = format!("{} {}", position.kind.name(), position.owner);
            let (debits, credits) = (&position.gross_debits, &position.gross_credits);
            let net = &position.net;
            let _ = write!(text, "\n  {party:<22} owes {debits}, is owed {credits}: net {net}");
        }
        text
    }
}

impl ProvenOrder {
    /// Returns true if the order never entered the books.
    fn is_rejected(&self) -> bool {
        Outcome(self.outcome_code).rejection().is_some()
    }

    fn text(&self) -> String {
        let mut text =
            format!("  order {}: {} to merchant {}", self.order_id, self.amount, self.merchant);
        // Writing into a string does not fail.
        let _ = write!(text, "\n  outcome    {} (code {})", self.outcome, self.outcome_code);
        let (is_rejected, gateway) = (self.is_rejected(), self.collecting_gateway);
        let _ = match (self.collected_ms, is_rejected) {
            (Some(_), _) => write!(text, "\n  gateway    {gateway} collected it"),
            (None, true) => {
                write!(text, "\n  gateway    {gateway} did not collect it: the chain rejected it")
            }
            (None, false) => write!(
                text,
                "\n  gateway    {gateway} was named to collect it; no collection is proven here"
            ),
        };
        let times = [
            (if is_rejected { "rejected" } else { "accepted" }, Some(self.accepted_ms)),
            ("collected", self.collected_ms),
            ("arrived", self.arrived_ms),
        ];
        for (stage, time_ms) in times {
            if let Some(time_ms) = time_ms {
                let _ = write!(text, "\n  {stage:<11}{}", time_text(time_ms));
            }
        }
        if let Some(instruction) = &self.instruction_id {
            let _ = write!(text, " by instruction {instruction}");
        }
        if let Some(time_ms) = self.reversible_until_ms {
            let until = time_text(time_ms);
            let _ = write!(text, "\n  reversible by its gateway alone until {until}");
        }
        if self.reversal_grace_unknown {
            text.push_str(
                "\n  reversible not shown: it was collected under later parameters than the \
                 genesis file's; ask `sluice order`",
            );
        }
        if let Some(tier) = self.cashback_tier {
            let _ = write!(text, "\n  cashback   of tier {tier}");
        }
        if self.returned.minor > 0 {
            let _ = write!(text, "\n  returned   {}", self.returned);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chain_types::{Amount, Currency, Rejection};

    use super::*;

    fn proven(outcome: Outcome, collected_ms: Option<u64>) -> String {
        let order = ProvenOrder {
            order_id: "an id".to_owned(),
            outcome_code: outcome.0,
            outcome: outcome_name(outcome),
            merchant: "1001".to_owned(),
            collecting_gateway: 201,
            amount: Money::new(Amount::new(1_234), Currency::new(156)),
            external_reference: String::new(),
            accepted_ms: 1_790_000_000_000,
            collected_ms,
            reversible_until_ms: None,
            reversal_grace_unknown: false,
            arrived_ms: None,
            instruction_id: None,
            cashback_tier: None,
            returned: Money::new(Amount::new(0), Currency::new(156)),
        };
        order.text()
    }

    #[test]
    fn a_gateway_collected_only_what_the_receipt_proves_collected() {
        let collected = proven(Outcome::APPLIED, Some(1_790_000_001_000));
        assert!(collected.contains("201 collected it"), "{collected}");
        let reserved = proven(Outcome::APPLIED, None);
        assert!(reserved.contains("no collection is proven here"), "{reserved}");
        assert!(reserved.contains("\n  accepted   2026-"), "{reserved}");
        let rejected = proven(Rejection::OrderExpired.into(), None);
        assert!(rejected.contains("did not collect it: the chain rejected it"), "{rejected}");
        assert!(rejected.contains("\n  rejected   2026-"), "{rejected}");
    }
}
