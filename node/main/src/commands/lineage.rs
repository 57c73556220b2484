//! `sluice lineage`: fetches every change of validators of a chain, verifies it and keeps it in a
//! file, with which receipts and proofs are small.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chain_types::lineage::{HANDOVER_BYTES_MAX, LINEAGE_MAGIC};
use chain_types::{Handover, Walk, codec};
use clap::Args;
use futures::FutureExt as _;
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use rpc_api::{ChainRpcClient as _, LIMIT_MAX, Page, decode_base64};
use rpc_client::lineage_file::walk_over;
use serde_json::json;

use super::nodes::NodeUrls;

/// Arguments of `sluice lineage`.
#[derive(Debug, Args)]
pub struct LineageArgs {
    #[command(flatten)]
    nodes: NodeUrls,
    /// The chain's genesis file; its SHA-256 is the chain id that you trust.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// The file of the lineage; a file of an earlier call is continued.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Fetches what the file lacks and verifies all of it. The file is replaced by a longer one at
/// once, or stays as it was.
pub async fn run(args: LineageArgs, output: Output) -> anyhow::Result<Exit> {
    let genesis = genesis::load_genesis(&args.genesis).exit(Exit::Usage)?;
    let client = args.nodes.client()?;
    let mut walk = Walk::new(&genesis, []);
    let mut changes = known(&args.out, &mut walk)?;
    let mut part = args.out.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut file = begin(&args.out, &part).context("cannot write the lineage")?;
    let mut cursor = (changes > 0).then(|| walk.since().get().saturating_sub(1).to_string());
    loop {
        let page = client.ask(|node| node.lineage(cursor.clone(), Some(LIMIT_MAX)).boxed());
        let Page { items, next } = page.await?;
        for item in items {
            let (handover, bytes) = read(&item.handover_base64)
                .ok_or_else(|| failure(Exit::Fault, "the node's answer is not a handover"))?;
            walk.step(&handover)
                .with_context(|| {
                    format!("the node's handover at block {} is not valid", item.height)
                })
                .exit(Exit::Fault)?;
            file.write_all(&bytes).context("cannot write the lineage")?;
            changes += 1;
        }
        if next.is_none() || next == cursor {
            break;
        }
        cursor = next;
    }
    file.sync_all().context("cannot write the lineage")?;
    std::fs::rename(&part, &args.out).context("cannot write the lineage")?;
    let bytes = std::fs::metadata(&args.out).map_or(0, |file| file.len());
    let answer = json!({
        "file": args.out.display().to_string(),
        "changes": changes,
        "bytes": bytes,
        "since_height": walk.since().get(),
    });
    output.answer(&answer, || {
        let (file, since) = (args.out.display(), walk.since());
        format!(
            "{file}: {bytes} bytes, {changes} changes of validators, the last decide from block \
             {since} on"
        )
    })?;
    Ok(Exit::Done)
}

/// The number of changes that an earlier call kept; the walk is then past them.
fn known(out: &Path, walk: &mut Walk) -> anyhow::Result<u64> {
    let file = match File::open(out) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", out.display()));
        }
    };
    let walked = walk_over(file, walk);
    let wrong = || format!("{} is not a lineage of this chain: move it away", out.display());
    walked.with_context(wrong).exit(Exit::Usage)
}

/// A copy of what is kept, to be gone on with.
fn begin(out: &Path, part: &Path) -> std::io::Result<File> {
    if out.exists() {
        std::fs::copy(out, part)?;
    } else {
        std::fs::write(part, LINEAGE_MAGIC)?;
    }
    OpenOptions::new().append(true).open(part)
}

fn read(base64: &str) -> Option<(Handover, Vec<u8>)> {
    let bytes = decode_base64(base64)?;
    let handover = codec::decode(&bytes, HANDOVER_BYTES_MAX).ok()?;
    Some((handover, bytes))
}
