//! `sluice key rotate`: a participant's key is replaced, in steps that may each be repeated.
//!
//! 1. The new key is made, in a file of its own, and is on disk before anything is said of it.
//! 2. A settlement operator proposes it, others approve it with `sluice decide`.
//! 3. Once the registry at the head has it, it takes the place of the old one, which is kept.
//!
//! The command looks at files and registry and takes the step that comes next. Asked twice it does
//! nothing twice: a proposal that is open is not made again, and a key in place stays.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chain_types::{Change, Height, ParticipantId, ProposalId, PublicKey};
use clap::Args;
use genesis::{ParticipantConfig, load_genesis, replace_secret_key};
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use rpc_api::{ProposalReport, RegistryReport};
use rpc_client::party::Party;
use rpc_client::registered::{self, Asked, KeyStanding, find};
use serde::Serialize;

use super::load_or_create;
use super::proposing::{Proposed, Proposer};
use crate::commands::submission::{self, SubmitReport};

/// How many blocks the key before is still accepted for, if nothing else is said: the validity of a
/// batch on its way, at the usual ten blocks a second, and as much again.
const OVERLAP_HEIGHTS: u64 = 2_400;
/// The role that proposes changes.
const OPERATOR: &str = "settlement-operator";

/// Arguments of `sluice key rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Run it until it says that the key is in place; each run takes the step that comes next:
  1. the new key is made in its file, and proposed by a settlement operator: by the participant
     itself if it is one, by --operator, or with the command that is printed;
  2. the other operators approve with `sluice decide proposal ID approve`;
  3. once the registry has the new key, it takes the place of the old one, which is kept beside it.
Batches signed with the old key are accepted for --overlap-heights more blocks. A key that leaked is
rotated with --overlap-heights 0. Asking twice does nothing twice.")]
pub struct RotateArgs {
    /// The configuration file of the participant whose key is replaced.
    #[arg(long, value_name = "FILE")]
    participant: PathBuf,
    /// The file of the new key; it is made if it is not there.
    #[arg(long, value_name = "FILE")]
    new_key: PathBuf,
    /// The configuration file of a settlement operator that proposes the key.
    #[arg(long, value_name = "FILE")]
    operator: Option<PathBuf>,
    /// For how many blocks the old key is still accepted.
    #[arg(long, value_name = "BLOCKS", default_value_t = OVERLAP_HEIGHTS)]
    overlap_heights: u64,
    /// The first block under the new key; as soon as the chain's notice allows if it is left out.
    #[arg(long, value_name = "HEIGHT")]
    activation_height: Option<u64>,
    /// Nodes to talk to, instead of those that the configuration names.
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',')]
    rpc: Vec<String>,
    /// How long to try to submit, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

/// The next step of the rotation.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// The registry has the new key: it takes its place.
    PutInPlace,
    /// A proposal of the new key is open.
    Wait(Box<ProposalReport>),
    /// Nobody has proposed the new key.
    Propose,
    /// The key here is not the registered one, so another rotation is done.
    Refuse(PublicKey),
    /// There is no such participant.
    Unknown,
}

/// The step that comes next, by what the registry says of both keys and which proposals are open.
fn next_step(
    registry: &RegistryReport,
    id: ParticipantId,
    old: PublicKey,
    new: PublicKey,
    open: &[ProposalReport],
) -> Step {
    if KeyStanding::of(registry, id, new) == KeyStanding::Current {
        return Step::PutInPlace;
    }
    match KeyStanding::of(registry, id, old) {
        KeyStanding::Current => {}
        KeyStanding::Replaced { by, .. } | KeyStanding::Other(by) => return Step::Refuse(by),
        KeyStanding::Unknown | KeyStanding::Malformed => return Step::Unknown,
    }
    match open.iter().find(|proposal| registered::registers(proposal, id, new)) {
        Some(proposal) => Step::Wait(Box::new(proposal.clone())),
        None => Step::Propose,
    }
}

/// The steps that were done, and the next one.
#[derive(Debug, Serialize)]
struct RotateReport {
    participant: u32,
    /// `to-propose`, `proposed`, `waits` or `in-place`.
    state: &'static str,
    public_key: String,
    new_key_file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_key_file: Option<String>,
    /// The command that comes next, for whom it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted: Option<SubmitReport>,
    #[serde(skip)]
    lines: Vec<String>,
}

/// Takes the step that comes next, and says which it was.
pub async fn run(args: RotateArgs, output: Output) -> anyhow::Result<Exit> {
    let config = ParticipantConfig::load(&args.participant).exit(Exit::Usage)?;
    let genesis = load_genesis(&config.genesis).exit(Exit::Usage)?;
    if is_same_file(&args.new_key, &config.key) {
        let message = format!(
            "--new-key names {}, the file of the present key; name a file of its own for the new one",
            config.key.display()
        );
        return Err(failure(Exit::Usage, message));
    }
    // Before anything is asked or said: a key that is proposed and then lost would lock its owner
    // out.
    let (new, is_new) = load_or_create(&args.new_key)?;
    let old = genesis::load_secret_key(&config.key).exit(Exit::Usage)?.public_key();
    let client = submission::client_of(&args.rpc, &config)?;
    // The nodes are asked about the new key, which is refused until it is registered.
    let asker = Party {
        id: config.participant(),
        key: new.clone(),
        chain_id: genesis.chain_id,
        client,
        first_node: 0,
    };
    let asked = registered::newest(&asker).await.exit(Exit::Usage)?;
    let Some(Asked { registry, .. }) = asked else {
        return Err(failure(Exit::Unreachable, "no node answers; nothing was proposed"));
    };
    let open = registered::proposals(&asker.client, true).await?;
    let public_key = new.public_key();
    let mut report = RotateReport {
        participant: config.id,
        state: "to-propose",
        public_key: public_key.to_string(),
        new_key_file: args.new_key.display().to_string(),
        proposal_id: None,
        activation_height: None,
        replaced_key_file: None,
        next: None,
        submitted: None,
        lines: Vec::new(),
    };
    if is_new {
        report.lines.push(format!("{}: made, public key {public_key}", args.new_key.display()));
    }
    let exit = match next_step(&registry, asker.id, old, public_key, &open) {
        Step::PutInPlace => {
            let kept = replace_secret_key(&config.key, &new).exit(Exit::Usage)?;
            report.in_place(&config, kept);
            Exit::Done
        }
        Step::Wait(proposal) => {
            report.waits(&proposal, &args);
            Exit::Done
        }
        Step::Refuse(by) => return Err(other_key(&args, &config, by)),
        Step::Unknown => {
            let message = format!(
                "the registry has no participant {} at height {}: settlement operators add it with \
                 change=participant and its public key; there is nothing to rotate",
                config.id, registry.height
            );
            return Err(failure(Exit::Usage, message));
        }
        Step::Propose => propose(&args, &registry, &mut report, output).await?,
    };
    output.answer(&report, || report.lines.join("\n"))?;
    Ok(exit)
}

/// Returns true if two paths lead to one file that exists.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let resolved = |path: &Path| path.canonicalize().ok();
    resolved(one).is_some_and(|path| resolved(other) == Some(path))
}

fn other_key(args: &RotateArgs, config: &ParticipantConfig, by: PublicKey) -> anyhow::Error {
    let message = format!(
        "participant {} signs with {by}, which is the key of neither {} nor {}; let --new-key name \
         the file of that key, or `key` in {} if it is in place elsewhere",
        config.id,
        config.key.display(),
        args.new_key.display(),
        args.participant.display(),
    );
    failure(Exit::Usage, message)
}

/// Proposes the new key if an operator's key is at hand; otherwise says how an operator does it.
async fn propose(
    args: &RotateArgs,
    registry: &RegistryReport,
    report: &mut RotateReport,
    output: Output,
) -> anyhow::Result<Exit> {
    let id = ParticipantId::new(report.participant);
    let is_operator = find(registry, id)
        .is_some_and(|known| known.participant.roles.iter().any(|role| role == OPERATOR));
    let proposer = match &args.operator {
        Some(operator) => operator,
        None if is_operator => &args.participant,
        None => {
            report.tell_to_propose(args);
            return Ok(Exit::Done);
        }
    };
    let public_key =
        PublicKey::from_hex(&report.public_key).context("the new key is not a public key")?;
    let overlap_heights = args.overlap_heights;
    let change = Change::Key { participant: id, public_key, overlap_heights };
    let activation_height = args.activation_height;
    let proposer =
        Proposer { config: proposer, urls: &args.rpc, activation_height, timeout_s: args.timeout };
    let Proposed { id, activation, submitted, exit } =
        proposer.propose(registry, &change, output).await?;
    if exit == Exit::Done {
        report.proposed(id, activation, args);
    } else {
        report.lines.push(submitted.text());
    }
    report.submitted = Some(submitted);
    Ok(exit)
}

impl RotateReport {
    fn tell_to_propose(&mut self, args: &RotateArgs) {
        let command = format!(
            "sluice submit --participant participant.toml --kind proposal --set change=key \
             --set activation_height=HEIGHT --set participant={} --set public_key={} \
             --set overlap_heights={}",
            self.participant, self.public_key, args.overlap_heights
        );
        self.lines.push("a settlement operator proposes the key, others approve it:".to_owned());
        self.lines.push(format!("  {command}"));
        self.again(args);
        self.next = Some(command);
    }

    fn proposed(&mut self, id: ProposalId, activation: Height, args: &RotateArgs) {
        self.state = "proposed";
        self.lines.push(format!(
            "proposed as {id}, to hold from block {activation} on; the old key is accepted for {} \
             blocks more",
            args.overlap_heights
        ));
        self.approve(id, activation.get(), args);
    }

    fn waits(&mut self, proposal: &ProposalReport, args: &RotateArgs) {
        self.state = "waits";
        self.lines.push(format!(
            "the proposal {} is approved by {} operators, needs those of {} legal entities, and holds \
             from block {} on",
            proposal.proposal_id,
            proposal.approvals.len(),
            proposal.approvals_needed,
            proposal.due_height
        ));
        self.approve(proposal.proposal_id, proposal.due_height, args);
    }

    /// Tells what the other operators do, and then the owner of the key.
    fn approve(&mut self, id: ProposalId, activation_height: u64, args: &RotateArgs) {
        let command = format!("sluice decide proposal {id} approve --participant participant.toml");
        self.proposal_id = Some(id.to_string());
        self.activation_height = Some(activation_height);
        self.lines.push(format!("other operators approve it: `{command}`"));
        self.again(args);
        self.next = Some(command);
    }

    fn again(&mut self, args: &RotateArgs) {
        self.lines.push(format!(
            "until it is registered, {} signs with the old key; then run the same command again",
            args.participant.display()
        ));
    }

    fn in_place(&mut self, config: &ParticipantConfig, kept: Option<PathBuf>) {
        self.state = "in-place";
        let key = config.key.display();
        self.lines.push(match &kept {
            Some(kept) => format!(
                "registered and in place: {key} holds the new key; the old one is kept in {}",
                kept.display()
            ),
            None => format!("registered and in place: {key} holds the new key"),
        });
        self.replaced_key_file = kept.map(|path| path.display().to_string());
    }
}

#[cfg(test)]
mod tests;
