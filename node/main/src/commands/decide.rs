//! `sluice decide`: approves or refuses what another proposed, or a held order, once it was read.

use std::path::PathBuf;
use std::time::Duration;

use chain_types::operation::CHANGE_BYTES_MAX;
use chain_types::{
    ApprovalItem, Change, Decision, Height, HoldDecisionItem, HoldReason, OrderId, ProposalId,
    ProposalItem, TransferDecisionItem, TransferId, codec,
};
use clap::{Args, ValueEnum};
use futures::FutureExt as _;
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use rpc_api::{
    ChangeReport, GovernanceRpcClient as _, LedgerRpcClient as _, ProposalReport,
    RechargeRpcClient as _, TransferReport, Wait, decode_base64,
};
use rpc_client::operations::{Operations, reference_bytes};
use rpc_client::party::Party;
use serde::Serialize;

use super::change_list;
use super::render;
use super::submission::{self, Submission, SubmitReport};

/// Arguments of `sluice decide`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is decided is fetched from a node and shown, and the signature covers what was shown: a
transfer's action and amount, a proposal's every byte, and every change of its list. Exit code 0
when the decision was applied or had been before, 3 when it was refused.")]
pub struct DecideArgs {
    /// The subject of the decision.
    #[arg(value_enum)]
    what: What,
    /// The id of the subject, a UUID.
    id: String,
    /// The decision; of a held order, `approve` releases it.
    #[arg(value_enum)]
    decision: Word,
    /// The decider's configuration file.
    #[arg(long, value_name = "FILE")]
    participant: PathBuf,
    /// The decider's own reference: at most 32 bytes of text.
    #[arg(long, default_value = "")]
    reference: String,
    /// Why a held order is released or refused: ACCP, FRAD, RR04 or MS03.
    #[arg(long, value_name = "CODE", required_if_eq("what", "hold"))]
    reason: Option<String>,
    /// Nodes to talk to, instead of those that the configuration names.
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',')]
    rpc: Vec<String>,
    /// The longest time to try, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// A deposit, a withdrawal or a net debit cap.
    Transfer,
    /// A proposal to change the registry.
    Proposal,
    /// An order that waits for a risk desk.
    Hold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Word {
    /// Approve the transfer or proposal, or release the held order.
    #[value(alias = "release")]
    Approve,
    /// Refuse the transfer, proposal or held order.
    Refuse,
}

/// The subject as it was read, and the outcome of the decision.
#[derive(Debug, Serialize)]
struct DecideReport {
    decided: serde_json::Value,
    submitted: SubmitReport,
}

/// Reads, shows, signs and submits.
pub async fn run(args: DecideArgs, output: Output) -> anyhow::Result<Exit> {
    let (party, _) = submission::open_signer(&args.participant, &args.rpc, output).await?;
    let (operations, decided) = match args.what {
        What::Transfer => transfer(&args, &party).await?,
        What::Proposal => proposal(&args, &party).await?,
        What::Hold => hold(&args, &party).await?,
    };
    output.note(&render::text(&decided));
    let submission = Submission { party: &party, operations: &operations, places: &[] };
    let timeout = Duration::from_secs(args.timeout);
    let (submitted, exit) = submission.run(Wait::Final, timeout, output).await?;
    let report = DecideReport { decided, submitted };
    output.answer(&report, || report.submitted.text())?;
    Ok(exit)
}

impl DecideArgs {
    fn decision(&self) -> u16 {
        match self.decision {
            Word::Approve => Decision::Approve.number(),
            Word::Refuse => Decision::Refuse.number(),
        }
    }

    fn reference(&self) -> anyhow::Result<[u8; 32]> {
        let bytes = reference_bytes(&self.reference);
        bytes.ok_or_else(|| failure(Exit::Usage, "a reference has at most 32 bytes"))
    }
}

async fn transfer(
    args: &DecideArgs,
    party: &Party,
) -> anyhow::Result<(Operations, serde_json::Value)> {
    let id: TransferId = args.id.parse().exit(Exit::Usage)?;
    let found = party.client.ask(|node| node.transfer(id.to_string()).boxed()).await;
    let found: TransferReport = found?;
    let item = decision_of(&found, id, args.decision(), args.reference()?)?;
    Ok((Operations::TransferDecision(vec![item]), serde_json::to_value(&found)?))
}

/// The decision about the transfer that was shown.
fn decision_of(
    shown: &TransferReport,
    id: TransferId,
    decision: u16,
    reference: [u8; 32],
) -> anyhow::Result<TransferDecisionItem> {
    let amount = u64::try_from(shown.amount.minor).ok().filter(|_| shown.transfer_id == id);
    let amount = amount.ok_or_else(|| failure(Exit::Fault, "the node reports another transfer"))?;
    Ok(TransferDecisionItem {
        transfer_id: id.bytes(),
        decision: decision.into(),
        action: shown.action.number().into(),
        amount: amount.into(),
        reference,
        spare: [0; 4],
    })
}

async fn proposal(
    args: &DecideArgs,
    party: &Party,
) -> anyhow::Result<(Operations, serde_json::Value)> {
    let id: ProposalId = args.id.parse().exit(Exit::Usage)?;
    let found = party.client.ask(|node| node.proposal(id.to_string()).boxed()).await;
    let found = found?;
    let digest = digest_of(&found, id)?;
    let mut decided = serde_json::to_value(&found)?;
    if let ChangeReport::List { digest, count } = found.change {
        let activation = Height::new(found.activation_height);
        let list = (digest, count);
        let changes = change_list::fetch(&party.client, id, activation, list).await?;
        if let Some(shown) = decided.as_object_mut() {
            shown.insert("changes".to_owned(), serde_json::to_value(changes)?);
        }
    }
    let item = ApprovalItem {
        proposal_id: id.bytes(),
        decision: args.decision().into(),
        digest: digest.bytes(),
        spare: [0; 14],
    };
    Ok((Operations::Approval(vec![item]), decided))
}

/// The digest of what is shown, made here from the proposal's bytes: a node that shows one change
/// and means another is found out.
fn digest_of(shown: &ProposalReport, id: ProposalId) -> anyhow::Result<chain_types::Digest> {
    let lie = || failure(Exit::Fault, "the node shows another change than the proposal's bytes");
    let activation = Height::new(shown.activation_height);
    let bytes = decode_base64(&shown.change_base64).ok_or_else(lie)?;
    let change: Change = codec::decode(&bytes, CHANGE_BYTES_MAX).map_err(|_| lie())?;
    if ChangeReport::new(&change, activation) != shown.change || shown.proposal_id != id {
        return Err(lie());
    }
    Ok(ProposalItem::new(id, activation, &change).ok_or_else(lie)?.digest())
}

async fn hold(args: &DecideArgs, party: &Party) -> anyhow::Result<(Operations, serde_json::Value)> {
    let id: OrderId = args.id.parse().exit(Exit::Usage)?;
    let found = party.client.ask(|node| node.order(id.to_string()).boxed()).await;
    let found = found?;
    let code = args.reason.as_deref().unwrap_or_default();
    let reason = HoldReason::ALL.iter().find(|reason| reason.iso_code() == code);
    let reason = reason.ok_or_else(|| {
        let known: Vec<&str> = HoldReason::ALL.iter().map(|reason| reason.iso_code()).collect();
        let message = format!("{code:?} is not a reason; known are {}", known.join(", "));
        failure(Exit::Usage, message)
    })?;
    let item = HoldDecisionItem {
        order_id: id.bytes(),
        decision: args.decision().into(),
        reason: reason.number().into(),
        reference: args.reference()?,
        spare: [0; 12],
    };
    Ok((Operations::HoldDecision(vec![item]), serde_json::to_value(&found)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chain_types::{Currency, Digest, ProposalStatus, TimeMs};
    use rpc_api::encode_base64;

    use super::*;

    fn shown(change: &Change, bytes: &Change) -> ProposalReport {
        let id = ProposalId::new(TimeMs::new(1_790_000_000_000), [1; 10]);
        ProposalReport {
            proposal_id: id,
            change: ChangeReport::new(change, Height::new(40)),
            change_base64: encode_base64(&codec::encode(bytes)),
            digest: Digest::ZERO,
            status: ProposalStatus::Proposed,
            failure: None,
            status_height: 1,
            maker: 1,
            proposed_ms: 1,
            approve_until_ms: 2,
            activation_height: 40,
            due_height: 40,
            approvals_needed: 2,
            approvals: vec![1],
            refusals: Vec::new(),
        }
    }

    #[test]
    fn an_operator_signs_the_change_that_it_was_shown_and_no_other() {
        let (one, other) =
            (Change::Currency(Currency::new(392)), Change::Currency(Currency::new(414)));
        let honest = shown(&one, &one);
        let id = honest.proposal_id;
        let expected = ProposalItem::new(id, Height::new(40), &one).unwrap().digest();
        assert_eq!(digest_of(&honest, id).unwrap(), expected, "whatever digest the node names");
        assert!(digest_of(&shown(&one, &other), id).is_err());
        assert!(digest_of(&honest, ProposalId::new(TimeMs::new(1), [2; 10])).is_err());
        let garbled = ProposalReport { change_base64: "AA==".to_owned(), ..honest };
        assert!(digest_of(&garbled, id).is_err());
    }
}
