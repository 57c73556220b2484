//! `sluice key rotate-node`: both keys of a node are replaced, in steps that may each be repeated.
//!
//! 1. The next keys are made beside the present ones, and are on disk before anything is said.
//! 2. A settlement operator proposes both as one change, others approve it.
//! 3. From its height on the node itself starts again with the next keys.
//! 4. They take the places of the present ones, which are kept. A node that is started in between
//!    takes whichever pair the registry names, so no moment of this leaves it without its keys.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chain_types::{Change, ProposalId, PublicKey, SecretKey};
use clap::Args;
use futures::FutureExt as _;
use genesis::{
    ConfigFault, NodeConfig, load_secret_key, next_key_path, replace_secret_key, replaced_key_path,
};
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use rpc_api::{ChangeReport, GovernanceRpcClient as _, NodeReport, ProposalReport, RegistryReport};
use rpc_client::registered;
use serde::Serialize;

use super::load_or_create;
use super::proposing::{Proposed, Proposer};
use crate::commands::nodes::AccessFiles;
use crate::commands::submission::SubmitReport;

/// Arguments of `sluice key rotate-node`.
#[derive(Debug, Args)]
#[command(after_help = "\
Run it where the node's key files are, until it says that the keys are in place:
  1. the next keys are made in network.key.next and validator.key.next, beside the present ones, and
     proposed by --operator or with the command that is printed;
  2. the other operators approve with `sluice decide proposal ID approve`;
  3. from the block of the change on, the running node starts itself again with the next
     keys; a node that is down takes them at its next start;
  4. run again, the command puts the next keys in the place of the present ones, which are kept.
Asking twice does nothing twice, and a node can be started at any moment between the steps. Once the
keys are in place, the next run begins the next rotation.")]
pub struct RotateNodeArgs {
    /// The configuration file of the node whose keys are replaced.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    config: PathBuf,
    /// The configuration file of a settlement operator that proposes the keys.
    #[arg(long, value_name = "FILE")]
    operator: Option<PathBuf>,
    /// The first block under the new keys; as soon as the chain's notice allows if it is left out.
    #[arg(long, value_name = "HEIGHT")]
    activation_height: Option<u64>,
    /// Nodes to ask what is registered; this one if none is named.
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',')]
    rpc: Vec<String>,
    #[command(flatten)]
    access: AccessFiles,
    /// How long to try to submit, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

/// The public halves of a node's keys, the network key first; an edge node's are the same.
type Pair = (String, String);

/// The next step of the rotation.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// The registry names the next keys: they take the places of the present ones.
    PutInPlace,
    /// A proposal of them is open or scheduled.
    Wait(Box<ProposalReport>),
    /// Nobody has proposed them for the node at this place.
    Propose(u32),
    /// The registry says something else, in words.
    Refuse(String),
}

/// The step that comes next, by what the registry says and which proposals are open.
fn next_step(
    registry: &RegistryReport,
    name: &str,
    present: &Pair,
    next: &Pair,
    open: &[ProposalReport],
) -> Step {
    let pair = |node: &NodeReport| (node.network_key.clone(), node.validator_key.clone());
    let Some(node) = registry.nodes.iter().find(|node| node.name == name) else {
        return Step::Refuse("has no node of this name: there is nothing to rotate".to_owned());
    };
    if node.removed {
        return Step::Refuse("says that the node was removed: it has no keys any more".to_owned());
    }
    if pair(node) == *next {
        return Step::PutInPlace;
    }
    if pair(node) != *present {
        return Step::Refuse(format!(
            "gives the node the network key {}, and neither the keys in use nor the next ones are \
             it",
            node.network_key
        ));
    }
    let is_it = |proposal: &&ProposalReport| match &proposal.change {
        ChangeReport::NodeKeys { node: of, validator_key, network_key } => {
            *of == node.node && (network_key, validator_key) == (&next.0, &next.1)
        }
        _ => false,
    };
    match open.iter().find(is_it) {
        Some(proposal) => Step::Wait(Box::new(proposal.clone())),
        None => Step::Propose(node.node),
    }
}

/// The steps that were done, and the next one.
#[derive(Debug, Serialize)]
struct RotateNodeReport {
    node: String,
    /// `to-propose`, `proposed`, `waits` or `in-place`.
    state: &'static str,
    network_key: String,
    validator_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_height: Option<u64>,
    /// The files that keep the keys before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replaced_key_files: Vec<String>,
    /// The command that comes next, for whom it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted: Option<SubmitReport>,
    #[serde(skip)]
    lines: Vec<String>,
}

/// A node's key files, one or two: the network key first.
fn key_files(config: &NodeConfig) -> Vec<&Path> {
    [Some(config.network_key.as_path()), config.validator_key.as_deref()]
        .into_iter()
        .flatten()
        .collect()
}

fn pair_of(keys: &[SecretKey]) -> anyhow::Result<Pair> {
    let text = |key: Option<&SecretKey>| key.map(|key| key.public_key().to_string());
    let pair = text(keys.first()).zip(text(keys.last()));
    pair.context("a node has a network key")
}

/// Takes the step that comes next, and says which it was.
pub async fn run(args: RotateNodeArgs, output: Output) -> anyhow::Result<Exit> {
    let config = NodeConfig::load(&args.config).exit(Exit::Usage)?;
    let files = key_files(&config);
    let urls = match args.rpc.is_empty() {
        true => vec![format!("http://{}", config.rpc.listen)],
        false => args.rpc.clone(),
    };
    let client = args.access.client(&urls)?;
    let present = files.iter().map(|file| load_secret_key(file).exit(Exit::Usage));
    let present = present.collect::<anyhow::Result<Vec<_>>>()?;
    let registry = client.ask(|node| node.registry().boxed()).await;
    let registry = registry?;
    if is_done(&registry, &config.name, &pair_of(&present)?, &files) {
        remove_next(&files).exit(Exit::Usage)?;
        return answer_in_place(&config, &present, Vec::new(), output);
    }
    // Before anything is said: keys that are proposed and then lost would lock the node out.
    let mut next = Vec::with_capacity(files.len());
    for file in &files {
        next.push(load_or_create(&next_key_path(file))?.0);
    }
    let pair = pair_of(&next)?;
    let open = registered::proposals(&client, true).await?;
    let mut report = RotateNodeReport::new(&config, &pair);
    let exit = match next_step(&registry, &config.name, &pair_of(&present)?, &pair, &open) {
        Step::PutInPlace => {
            let kept = put_in_place(&files, &next).exit(Exit::Usage)?;
            return answer_in_place(&config, &next, kept, output);
        }
        Step::Wait(proposal) => {
            report.waits(&proposal);
            Exit::Done
        }
        Step::Refuse(says) => {
            let message = format!("node {}: the registry {says}", config.name);
            return Err(failure(Exit::Usage, message));
        }
        Step::Propose(node) => propose(&args, &urls, &registry, node, &mut report, output).await?,
    };
    output.answer(&report, || report.lines.join("\n"))?;
    Ok(exit)
}

/// Returns true if an earlier run has put the registered keys in place and was ended before it
/// removed all the files in which they lay.
fn is_done(registry: &RegistryReport, name: &str, present: &Pair, files: &[&Path]) -> bool {
    let node = registry.nodes.iter().find(|node| node.name == name);
    let is_named = node
        .is_some_and(|node| (&node.network_key, &node.validator_key) == (&present.0, &present.1));
    let lies_ready = |file: &&Path| {
        let next = load_secret_key(&next_key_path(file)).ok();
        let key = load_secret_key(file).ok();
        next.zip(key).is_some_and(|(next, key)| next.public_key() == key.public_key())
    };
    is_named && files.iter().any(lies_ready)
}

/// Puts each next key in its place and only then removes the files they lay in: at any moment the
/// registered pair is whole under one name or the other.
fn put_in_place(files: &[&Path], next: &[SecretKey]) -> Result<Vec<PathBuf>, ConfigFault> {
    let mut kept = Vec::new();
    for (file, key) in files.iter().zip(next) {
        let before = load_secret_key(file)?.public_key();
        if replace_secret_key(file, key)?.is_some() {
            kept.push(replaced_key_path(file, &before));
        }
    }
    remove_next(files)?;
    Ok(kept)
}

/// Removes the files of keys that are in place.
fn remove_next(files: &[&Path]) -> Result<(), ConfigFault> {
    for file in files {
        let path = next_key_path(file);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(ConfigFault::Write { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

fn answer_in_place(
    config: &NodeConfig,
    keys: &[SecretKey],
    kept: Vec<PathBuf>,
    output: Output,
) -> anyhow::Result<Exit> {
    let mut report = RotateNodeReport::new(config, &pair_of(keys)?);
    report.state = "in-place";
    report.lines = vec!["registered and in place".to_owned()];
    report.replaced_key_files = kept.iter().map(|path| path.display().to_string()).collect();
    let kept = report.replaced_key_files.iter();
    report.lines.extend(kept.map(|path| format!("  the key before is kept in {path}")));
    output.answer(&report, || report.lines.join("\n"))?;
    Ok(Exit::Done)
}

/// Proposes the next keys if an operator's key is at hand; otherwise says how an operator does it.
async fn propose(
    args: &RotateNodeArgs,
    urls: &[String],
    registry: &RegistryReport,
    node: u32,
    report: &mut RotateNodeReport,
    output: Output,
) -> anyhow::Result<Exit> {
    let Some(operator) = &args.operator else {
        report.tell_to_propose(node);
        return Ok(Exit::Done);
    };
    let key = |text: &str| PublicKey::from_hex(text).context("the next key is not a public key");
    let network_key = key(&report.network_key)?;
    let validator_key = key(&report.validator_key)?;
    let change = Change::NodeKeys { node, network_key, validator_key };
    let activation_height = args.activation_height;
    let proposer = Proposer { config: operator, urls, activation_height, timeout_s: args.timeout };
    let Proposed { id, activation, submitted, exit } =
        proposer.propose(registry, &change, output).await?;
    if exit == Exit::Done {
        report.state = "proposed";
        report.lines.push(format!("proposed as {id}, to hold from block {activation} on"));
        report.approve(id, activation.get());
    } else {
        report.lines.push(submitted.text());
    }
    report.submitted = Some(submitted);
    Ok(exit)
}

impl RotateNodeReport {
    fn new(config: &NodeConfig, (network_key, validator_key): &Pair) -> Self {
        Self {
            node: config.name.clone(),
            state: "to-propose",
            network_key: network_key.clone(),
            validator_key: validator_key.clone(),
            proposal_id: None,
            activation_height: None,
            replaced_key_files: Vec::new(),
            next: None,
            submitted: None,
            lines: Vec::new(),
        }
    }

    fn tell_to_propose(&mut self, node: u32) {
        let command = format!(
            "sluice submit --participant participant.toml --kind proposal --set change=node-keys \
             --set activation_height=HEIGHT --set node={node} --set network_key={} \
             --set validator_key={}",
            self.network_key, self.validator_key
        );
        self.lines.push("the next keys lie ready; a settlement operator proposes them:".to_owned());
        self.lines.push(format!("  {command}"));
        self.again();
        self.next = Some(command);
    }

    fn waits(&mut self, proposal: &ProposalReport) {
        self.state = "waits";
        self.lines.push(format!(
            "the proposal {} is approved by {} operators, needs those of {} legal entities, and holds \
             from block {} on",
            proposal.proposal_id,
            proposal.approvals.len(),
            proposal.approvals_needed,
            proposal.due_height
        ));
        self.approve(proposal.proposal_id, proposal.due_height);
    }

    fn approve(&mut self, id: ProposalId, activation_height: u64) {
        let command = format!("sluice decide proposal {id} approve --participant participant.toml");
        self.proposal_id = Some(id.to_string());
        self.activation_height = Some(activation_height);
        self.lines.push(format!("other operators approve it: `{command}`"));
        self.again();
        self.next = Some(command);
    }

    fn again(&mut self) {
        self.lines.push(
            "the node starts again with the next keys at that block; then run the same command \
             again"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests;
