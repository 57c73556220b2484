//! The proposal of a change of keys, by an operator whose key is at hand.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use chain_types::{Change, Height, ProposalId, ProposalItem};
use node_console::exit::Exit;
use node_console::output::Output;
use rpc_api::{RegistryReport, Wait};
use rpc_client::operations::{Operations, now};
use rpc_client::orders::Entropy;

use crate::commands::submission::{self, Submission, SubmitReport};

/// How many heights a proposal leaves beyond the notice that the chain asks for.
const AHEAD_HEIGHTS: u64 = 10;

/// A settlement operator that proposes.
pub(super) struct Proposer<'a> {
    /// The operator's configuration file, which names its key and nodes.
    pub(super) config: &'a Path,
    /// Nodes to talk to, instead of those that the configuration names.
    pub(super) urls: &'a [String],
    /// The first block under the change; as soon as the chain's notice allows if it is left out.
    pub(super) activation_height: Option<u64>,
    /// How long to try to submit, in seconds.
    pub(super) timeout_s: u64,
}

/// A proposal that was submitted, and its answer.
pub(super) struct Proposed {
    pub(super) id: ProposalId,
    pub(super) activation: Height,
    pub(super) submitted: SubmitReport,
    pub(super) exit: Exit,
}

impl Proposer<'_> {
    pub(super) async fn propose(
        &self,
        registry: &RegistryReport,
        change: &Change,
        output: Output,
    ) -> anyhow::Result<Proposed> {
        let notice = registry.parameters.governance_notice_heights.saturating_add(AHEAD_HEIGHTS);
        let earliest = registry.height.saturating_add(notice);
        let activation = Height::new(self.activation_height.unwrap_or(earliest));
        let (party, _) = submission::open_signer(self.config, self.urls, output).await?;
        let id = ProposalId::new(now(), Entropy::fresh()?.bytes());
        let item = ProposalItem::new(id, activation, change).context("the change is too long")?;
        let operations = Operations::Proposal(vec![item]);
        let submission = Submission { party: &party, operations: &operations, places: &[] };
        let timeout = Duration::from_secs(self.timeout_s);
        let (submitted, exit) = submission.run(Wait::Final, timeout, output).await?;
        Ok(Proposed { id, activation, submitted, exit })
    }
}
