//! `sluice key`: makes keys, shows their public halves, and replaces a participant's or a node's.

mod proposing;
mod rotate;
mod rotate_node;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use futures::FutureExt as _;
use genesis::{load_secret_key, new_secret_key};
use rpc_api::{GovernanceRpcClient as _, RegistryReport};
use serde::Serialize;
use serde_json::json;

use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;

use super::nodes::AccessFiles;

/// Arguments of `sluice key`.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key in a new file that only its owner may read, and print its public half.
    New(NewArgs),
    /// Print the public half of a key, and what the chain has registered it for.
    Show(ShowArgs),
    /// Replace a participant's key: make a new one, have it registered, put it in place.
    Rotate(rotate::RotateArgs),
    /// Replace both keys of a node: make the next ones, have them registered, put them in place.
    RotateNode(rotate_node::RotateNodeArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The file holds 64 hexadecimal digits and a newline, with mode 0600; it and its name are on disk when
the command ends. A file that exists is never overwritten. Nothing secret is printed. Each use takes
a key of its own.")]
struct NewArgs {
    /// The new file of the key; it must not exist.
    file: PathBuf,
    /// The purpose of the key.
    #[arg(long = "for", value_enum, value_name = "USE")]
    purpose: Purpose,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The file of the key.
    file: PathBuf,
    /// Nodes to ask, in turn until one answers, what the key is registered for.
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',')]
    urls: Vec<String>,
    #[command(flatten)]
    access: AccessFiles,
}

/// The purpose of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Purpose {
    /// It signs a participant's batches: `key` in participant.toml.
    Participant,
    /// It proves a node to the other nodes: `network_key` in node.toml.
    Network,
    /// It signs a validator's votes: `validator_key` in node.toml.
    Validator,
}

impl Purpose {
    /// The use, and what is done with both halves of the key.
    const fn text(self) -> &'static str {
        match self {
            Self::Participant => {
                "signs a participant's batches; the public key is the `public_key` of a \
                 participant in the network's plan or in a proposal, the file is `key` in \
                 participant.toml"
            }
            Self::Network => {
                "proves a node to the other nodes; the public key is the `network_key` of a node \
                 in the network's plan or in a proposal, the file is `network_key` in node.toml"
            }
            Self::Validator => {
                "signs a validator's votes; the public key is the `validator_key` of a node in \
                 the network's plan or in a proposal, the file is `validator_key` in node.toml; \
                 never run two nodes with it"
            }
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Network => "network",
            Self::Validator => "validator",
        }
    }
}

/// Makes, shows or replaces a key.
pub async fn run(args: KeyArgs, output: Output) -> anyhow::Result<Exit> {
    match args.command {
        KeyCommand::New(args) => new(&args, output),
        KeyCommand::Show(args) => show(&args, output).await,
        KeyCommand::Rotate(args) => rotate::run(args, output).await,
        KeyCommand::RotateNode(args) => rotate_node::run(args, output).await,
    }
}

fn new(args: &NewArgs, output: Output) -> anyhow::Result<Exit> {
    let public_key = new_secret_key(&args.file).exit(Exit::Usage)?.to_string();
    let answer = json!({
        "file": args.file.display().to_string(),
        "public_key": public_key,
        "for": args.purpose.name(),
    });
    output.answer(&answer, || {
        format!("{public_key}\n{}: {}", args.file.display(), args.purpose.text())
    })?;
    Ok(Exit::Done)
}

/// One use that a registry names a key for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Use {
    /// `participant 201 (gateway-201)`, or a node's name.
    of: String,
    /// The purpose for which the registry names it.
    as_key: &'static str,
    /// The last height that accepts it, when it was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_height: Option<u64>,
}

/// Lists the purposes for which a registry names a key.
fn uses(registry: &RegistryReport, key: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for registered in &registry.participants {
        let participant = &registered.participant;
        let of = || format!("participant {} ({})", participant.participant, participant.name);
        if participant.public_key == key {
            uses.push(Use { of: of(), as_key: "public_key", until_height: None });
        }
        if let Some(previous) = registered.previous_key.as_ref().filter(|one| one.public_key == key)
        {
            let until_height = Some(previous.until_height);
            uses.push(Use { of: of(), as_key: "replaced public_key", until_height });
        }
    }
    for node in &registry.nodes {
        let of = || format!("node {}", node.name);
        if node.network_key == key {
            uses.push(Use { of: of(), as_key: "network_key", until_height: None });
        }
        if node.validator_key == key && node.validator_key != node.network_key {
            uses.push(Use { of: of(), as_key: "validator_key", until_height: None });
        }
    }
    uses
}

async fn show(args: &ShowArgs, output: Output) -> anyhow::Result<Exit> {
    let public_key = load_secret_key(&args.file).exit(Exit::Usage)?.public_key().to_string();
    let file = args.file.display().to_string();
    if args.urls.is_empty() {
        let answer = json!({ "file": file, "public_key": public_key });
        output.answer(&answer, || public_key.clone())?;
        return Ok(Exit::Done);
    }
    let client = args.access.client(&args.urls)?;
    let registry = client.ask(|node| node.registry().boxed()).await;
    let registry = registry?;
    let uses = uses(&registry, &public_key);
    let answer = json!({
        "file": file,
        "public_key": public_key,
        "height": registry.height,
        "registered_for": uses,
    });
    output.answer(&answer, || uses_text(&public_key, registry.height, &uses))?;
    Ok(if uses.is_empty() { Exit::Negative } else { Exit::Done })
}

fn uses_text(public_key: &str, height: u64, uses: &[Use]) -> String {
    let mut lines = vec![public_key.to_owned()];
    for Use { of, as_key, until_height } in uses {
        let until = until_height.map_or_else(String::new, |until| {
            format!(", accepted up to block {until} and no longer")
        });
        lines.push(format!("  registered at height {height} as the {as_key} of {of}{until}"));
    }
    if uses.is_empty() {
        lines.push(format!("  registered for nothing at height {height}"));
    }
    lines.join("\n")
}

/// Reads a key, or makes one where no file is.
///
/// # Errors
/// When a file is there that holds no key or that others may read, or none can be written.
fn load_or_create(path: &Path) -> anyhow::Result<(chain_types::SecretKey, bool)> {
    let is_new = !path.exists();
    if is_new {
        new_secret_key(path).exit(Exit::Usage)?;
    }
    Ok((load_secret_key(path).exit(Exit::Usage)?, is_new))
}

#[cfg(test)]
mod tests;
