//! `sluice change-list`: many changes of merchants and programmes as lists, each of which one
//! proposal makes as a whole.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use chain_types::batch::BatchItem as _;
use chain_types::operation::LISTED_BYTES_MAX;
use chain_types::{Change, Digest, Height, ListedChangeItem, ProposalId, ProposalItem, codec};
use clap::Args;
use futures::FutureExt as _;
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use rpc_api::{
    ChainRpcClient as _, ChangeReport, GovernanceRpcClient as _, LIMIT_MAX, ListedChange, Wait,
    decode_base64,
};
use rpc_client::client::Client;
use rpc_client::operations::{OperationKind, Operations, RowContext, now};
use rpc_client::order_file::{self, Format};
use rpc_client::orders::Entropy;
use rpc_client::party::Party;
use rpc_client::scheme;
use serde::Serialize;

use super::submission::{self, Submission, SubmitReport};
use super::submit;

/// Arguments of `sluice change-list`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds TOML ([[operations]] tables), JSON (an array of objects) or comma-separated lines, as
in

  change,merchant,name,payout_gateway
  merchant,5001,Ming,201
  merchant,5002,Lin,201

Changes are merchant, merchant-suspended and programme, with the fields that `sluice submit --kind
proposal` takes. Each 3,000 make a list, and each list one proposal: all of its changes or none.
Without --participant nothing is sent: every operator finds the digest of a list from the file
alone, and compares it with what `sluice query proposal` and `sluice decide` show.")]
pub struct ChangeListArgs {
    /// The file of changes, or - for standard input.
    file: PathBuf,
    /// The operator's configuration file: give the lists and propose them.
    #[arg(long, value_name = "FILE")]
    participant: Option<PathBuf>,
    /// The first block that shall execute under the changes; else the notice and 5 blocks ahead.
    #[arg(long, value_name = "HEIGHT", requires = "participant")]
    activation_height: Option<u64>,
    /// Nodes to talk to, instead of those that the configuration names.
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',')]
    rpc: Vec<String>,
    /// The longest time to try each batch, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

/// Heights beyond the notice at which a list takes effect, if none is given.
const ACTIVATION_AHEAD: u64 = 5;

/// A list of the file, and the proposal that names it.
#[derive(Debug, Serialize)]
struct ListAnswer {
    digest: String,
    count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal_digest: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    submitted: Vec<SubmitReport>,
}

/// Reads the lists of a file; gives and proposes them if somebody signs.
pub async fn run(args: ChangeListArgs, output: Output) -> anyhow::Result<Exit> {
    let items = items(&args)?;
    let lists = items.chunks(ListedChangeItem::KIND.items_max() as usize);
    let mut answers = Vec::new();
    let mut exit = Exit::Done;
    match &args.participant {
        None => answers.extend(lists.map(|items| ListAnswer::of(items, None))),
        Some(participant) => {
            let (party, _) = submission::open_signer(participant, &args.rpc, output).await?;
            for items in lists {
                let (answer, ended) = propose(&args, &party, items, output).await?;
                answers.push(answer);
                if ended != Exit::Done {
                    exit = ended;
                    break;
                }
            }
        }
    }
    output.answer(&answers, || {
        let lines: Vec<String> = answers.iter().map(ListAnswer::text).collect();
        lines.join("\n")
    })?;
    Ok(exit)
}

fn items(args: &ChangeListArgs) -> anyhow::Result<Vec<ListedChangeItem>> {
    let text = submit::read(&args.file)?;
    let named = || args.file.display().to_string();
    let kind = OperationKind::ChangeList;
    let rows = order_file::read(&text, Format::Auto, kind.fields());
    let rows = rows.with_context(named).exit(Exit::Usage)?;
    let mut entropy = Entropy::fresh()?;
    let submitter = chain_types::ParticipantId::new(0);
    let mut making =
        RowContext { submitter, now: now(), new_id: || entropy.order_id(submitter, now()) };
    match Operations::from_rows(&rows, kind, &mut making).with_context(named).exit(Exit::Usage)? {
        Operations::ChangeList(items) => Ok(items),
        other => anyhow::bail!("{} operations instead of a list", other.kind().name()),
    }
}

/// Gives a list and proposes it. The second is not said when the first was refused.
async fn propose(
    args: &ChangeListArgs,
    party: &Party,
    items: &[ListedChangeItem],
    output: Output,
) -> anyhow::Result<(ListAnswer, Exit)> {
    let timeout = Duration::from_secs(args.timeout);
    let given = Operations::ChangeList(items.to_vec());
    let submission = Submission { party, operations: &given, places: &[] };
    let (report, exit) = submission.run(Wait::Final, timeout, output).await?;
    let mut answer = ListAnswer::of(items, None);
    answer.submitted.push(report);
    if exit != Exit::Done {
        return Ok((answer, exit));
    }
    let activation = match args.activation_height {
        Some(height) => Height::new(height),
        None => {
            let registry = party.client.ask(|node| node.registry().boxed()).await?;
            let notice = registry.parameters.governance_notice_heights;
            let head = party.client.ask(|node| node.head().boxed()).await?.height;
            Height::new(head.saturating_add(notice).saturating_add(ACTIVATION_AHEAD))
        }
    };
    let proposals = scheme::proposals(&[scheme::list_change(items)], activation)?;
    let proposed = Operations::Proposal(proposals.clone());
    let submission = Submission { party, operations: &proposed, places: &[] };
    let (report, exit) = submission.run(Wait::Final, timeout, output).await?;
    let mut told = ListAnswer::of(items, proposals.first());
    told.submitted = answer.submitted;
    told.submitted.push(report);
    Ok((told, exit))
}

impl ListAnswer {
    fn of(items: &[ListedChangeItem], proposal: Option<&ProposalItem>) -> Self {
        Self {
            digest: ListedChangeItem::list_digest(items).to_string(),
            count: u32::try_from(items.len()).unwrap_or(u32::MAX),
            proposal_id: proposal.map(|item| item.proposal_id().to_string()),
            proposal_digest: proposal.map(|item| item.digest().to_string()),
            submitted: Vec::new(),
        }
    }

    fn text(&self) -> String {
        let list = format!("list {} of {} changes", self.digest, self.count);
        match (&self.proposal_id, self.submitted.last()) {
            (Some(proposal), _) => format!("{list}: proposal {proposal}"),
            (None, Some(refused)) => format!("{list} was not proposed\n{}", refused.text()),
            (None, None) => list,
        }
    }
}

/// The whole list of a proposal, whose bytes lead to the digest that the proposal names: a node
/// that shows other changes is found out.
pub async fn fetch(
    client: &Client,
    id: ProposalId,
    activation: Height,
    (digest, count): (Digest, u32),
) -> anyhow::Result<Vec<ListedChange>> {
    let mut changes: Vec<ListedChange> = Vec::new();
    let mut cursor = None;
    loop {
        let (id, after) = (id.to_string(), cursor.take());
        let page = client
            .ask(|node| node.proposal_changes(id.clone(), after.clone(), Some(LIMIT_MAX)).boxed())
            .await?;
        changes.extend(page.items);
        cursor = page.next;
        if cursor.is_none() || changes.len() > count as usize {
            break;
        }
    }
    check(&changes, activation, (digest, count))?;
    Ok(changes)
}

fn check(
    changes: &[ListedChange],
    activation: Height,
    (digest, count): (Digest, u32),
) -> anyhow::Result<()> {
    let lie = || failure(Exit::Fault, "the node shows another list than the proposal names");
    let item = |shown: &ListedChange| {
        let bytes = decode_base64(&shown.change_base64)?;
        let change: Change = codec::decode(&bytes, LISTED_BYTES_MAX).ok()?;
        let is_shown = ChangeReport::new(&change, activation) == shown.change;
        ListedChangeItem::new(&change).filter(|_| is_shown)
    };
    let items: Option<Vec<ListedChangeItem>> = changes.iter().map(item).collect();
    let items = items.ok_or_else(lie)?;
    if items.len() != count as usize || ListedChangeItem::list_digest(&items) != digest {
        return Err(lie());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chain_types::MerchantId;
    use rpc_api::encode_base64;

    use super::*;

    #[test]
    fn an_operator_is_shown_the_list_that_its_proposal_names_and_no_other() {
        let change = |merchant| Change::MerchantSuspended {
            merchant: MerchantId::new(merchant),
            suspended: true,
        };
        let items: Vec<_> = (1..4).map(|id| ListedChangeItem::new(&change(id)).unwrap()).collect();
        let named = (ListedChangeItem::list_digest(&items), 3);
        let shown = |place: u32, read: u64, meant: u64| ListedChange {
            place,
            change: ChangeReport::new(&change(read), Height::new(9)),
            change_base64: encode_base64(&codec::encode(&change(meant))),
        };
        let honest = [shown(0, 1, 1), shown(1, 2, 2), shown(2, 3, 3)];
        check(&honest, Height::new(9), named).unwrap();
        assert!(check(&honest[..2], Height::new(9), named).is_err(), "one is missing");
        let other = [shown(0, 1, 1), shown(1, 4, 4), shown(2, 3, 3)];
        assert!(check(&other, Height::new(9), named).is_err(), "another list");
        let two_faced = [shown(0, 1, 1), shown(1, 4, 2), shown(2, 3, 3)];
        assert!(check(&two_faced, Height::new(9), named).is_err(), "its words are not its bytes");
    }
}
