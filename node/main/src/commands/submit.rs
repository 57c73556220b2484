//! `sluice submit`: signs operations that people wrote and submits them.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use chain_types::{BatchKind, ParticipantId, SignedBatch};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use genesis::ParticipantConfig;
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use rpc_api::{Wait, encode_base64};
use rpc_client::operations::{OperationKind, Operations, RowContext, now};
use rpc_client::order_file::{self, Format, Row};
use rpc_client::orders::Entropy;
use rpc_client::party::Party;
use serde_json::json;

use super::submission::{self, Submission};

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Arguments of `sluice submit`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds TOML ([[orders]] or [[operations]] tables), JSON (an array of objects) or
comma-separated lines, as in

  merchant,gateway,amount,currency
  1001,201,12.34,CNY

One operation may be given without a file, as in

  sluice submit --participant p.toml --kind rate --set currency=USD --set payout_currency=CNY \\
    --set rate=7.1234

Amounts are in major units. The key must be the one that the registry at the head has for the
submitter: a node is asked before anything is signed, other than with --sign-only.

Exit code 0 when every operation was applied or had been before, 2 when the key is another than the
registered one, 3 when one was refused or had been before, 4 when the outcome of one is not known:
then submit the same order ids again, or ask for them with `sluice order`; make no new orders before
that. With --keep the ids are in a file first: docs/client-recovery.md.")]
pub struct SubmitArgs {
    /// The submitter's configuration file.
    #[arg(long, value_name = "FILE")]
    participant: PathBuf,
    /// The file of operations, or - for standard input.
    #[arg(required_unless_present = "set")]
    file: Option<PathBuf>,
    /// A field of the one operation, instead of a file.
    #[arg(long, value_name = "FIELD=VALUE", conflicts_with = "file")]
    set: Vec<String>,
    /// The kind of the operations.
    #[arg(long, value_parser = kinds(), default_value = OperationKind::Recharge.name())]
    kind: OperationKind,
    /// The form of the file.
    #[arg(long, value_enum, default_value_t = FileForm::Auto)]
    format: FileForm,
    /// Nodes to submit to, instead of those that the configuration names.
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',')]
    rpc: Vec<String>,
    /// The stage to wait for.
    #[arg(long, value_enum, default_value_t = WaitFor::Final)]
    wait: WaitFor,
    /// The longest time to try each batch, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
    /// Write the operations with their ids to this new file before anything is sent. Whoever has
    /// to ask again submits that file: then nothing is booked twice.
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Write the signed batch in base64 to this file and submit nothing; one batch at most.
    #[arg(long, value_name = "FILE")]
    sign_only: Option<PathBuf>,
}

/// The form of the file, as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileForm {
    /// Found from the first characters.
    Auto,
    /// `[[orders]]` or `[[operations]]` tables.
    Toml,
    /// An array of objects, or an object with such an array named `orders` or `operations`.
    Json,
    /// Comma-separated lines under a line of field names; `#` starts a comment.
    Csv,
}

impl From<FileForm> for Format {
    fn from(form: FileForm) -> Self {
        match form {
            FileForm::Auto => Self::Auto,
            FileForm::Toml => Self::Toml,
            FileForm::Json => Self::Json,
            FileForm::Csv => Self::Csv,
        }
    }
}

/// Reads the name of a kind of operations; `--help` lists all names.
fn kinds() -> impl TypedValueParser<Value = OperationKind> {
    let known = OperationKind::ALL.iter();
    let names = known.map(|kind| PossibleValue::new(kind.name()).help(kind.help()));
    PossibleValuesParser::new(names).try_map(|name| {
        let named = OperationKind::ALL.iter().find(|kind| kind.name() == name);
        named.copied().ok_or("not a kind of operations")
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WaitFor {
    /// Until a node has checked the batch and holds it.
    Admitted,
    /// Until a decided block holds it.
    Final,
}

/// Reads, signs, submits and says what became of each operation.
pub async fn run(args: SubmitArgs, output: Output) -> anyhow::Result<Exit> {
    let id = ParticipantConfig::load(&args.participant).exit(Exit::Usage)?.participant();
    let (rows, operations) = operations(&args, id)?;
    if let Some(path) = &args.keep {
        keep(path, &rows, &operations)?;
    }
    if let Some(path) = &args.sign_only {
        // Without a node, perhaps on a machine without a network: the chain judges the key.
        let (party, _) = Party::open(&args.participant, None).exit(Exit::Usage)?;
        return sign_only(&party, &operations, path, output);
    }
    let (party, _) = submission::open_signer(&args.participant, &args.rpc, output).await?;
    let wait = match args.wait {
        WaitFor::Admitted => Wait::Admitted,
        WaitFor::Final => Wait::Final,
    };
    let places: Vec<String> = rows.into_iter().map(|row| row.place).collect();
    let timeout = Duration::from_secs(args.timeout);
    let submission = Submission { party: &party, operations: &operations, places: &places };
    let (report, exit) = submission.run(wait, timeout, output).await?;
    output.answer(&report, || report.text())?;
    Ok(exit)
}

/// The operations of the file or of the command line.
fn operations(
    args: &SubmitArgs,
    submitter: ParticipantId,
) -> anyhow::Result<(Vec<Row>, Operations)> {
    let rows = match &args.file {
        None => vec![order_file::row_of(&args.set).exit(Exit::Usage)?],
        Some(file) => {
            let text = read(file)?;
            let rows = order_file::read(&text, args.format.into(), args.kind.fields());
            rows.with_context(|| file.display().to_string()).exit(Exit::Usage)?
        }
    };
    let mut entropy = Entropy::fresh()?;
    let new_id = || entropy.order_id(submitter, now());
    let mut making = RowContext { submitter, now: now(), new_id };
    let operations = Operations::from_rows(&rows, args.kind, &mut making);
    let named = || args.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
    let operations = match &args.file {
        None => operations.exit(Exit::Usage)?,
        Some(_) => operations.with_context(named).exit(Exit::Usage)?,
    };
    Ok((rows, operations))
}

/// Writes the operations with their ids, durably, to a file that is not there yet.
fn keep(path: &Path, rows: &[Row], operations: &Operations) -> anyhow::Result<()> {
    let field = match operations.kind() {
        BatchKind::Recharge => "order_id",
        BatchKind::Transfer => "transfer_id",
        BatchKind::Proposal => "proposal_id",
        other => {
            let message = format!("--keep is for operations with ids; {} has none", other.name());
            return Err(failure(Exit::Usage, message));
        }
    };
    let rows: Vec<_> = (rows.iter().enumerate())
        .map(|(index, row)| row.with(field, operations.subject(index)))
        .collect();
    let cannot = || format!("cannot write {}", path.display());
    // One that is there may hold ids that are in the chain.
    let mut file = std::fs::File::create_new(path).with_context(cannot).exit(Exit::Usage)?;
    file.write_all(&serde_json::to_vec_pretty(&rows)?).with_context(cannot)?;
    file.sync_all().with_context(cannot)
}

/// Writes the one signed batch for another way of sending it.
fn sign_only(
    party: &Party,
    operations: &Operations,
    path: &Path,
    output: Output,
) -> anyhow::Result<Exit> {
    let (count, most) = (operations.count(), operations.kind().items_max() as usize);
    if count > most {
        let message = format!("{count} operations; a batch holds at most {most}");
        return Err(failure(Exit::Usage, message));
    }
    let bytes = submission::sign(party, operations, 0..count);
    let batch_id = SignedBatch::decode(bytes.clone())?.header().id().to_string();
    std::fs::write(path, encode_base64(&bytes))
        .with_context(|| format!("cannot write {}", path.display()))?;
    let subjects: Vec<String> = (0..count).map(|index| operations.subject(index)).collect();
    let answer = json!({
        "batch_id": batch_id,
        "file": path.display().to_string(),
        "kind": operations.kind().name(),
        "operations": subjects,
    });
    output.answer(&answer, || {
        format!(
            "{}: batch {batch_id} of {count} operations, signed; no node was asked whether the key \
             is registered",
            path.display()
        )
    })?;
    Ok(Exit::Done)
}

/// Reads a file of operations, or standard input for `-`.
pub fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(FILE_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
    };
    read.with_context(|| format!("cannot read {}", path.display())).exit(Exit::Usage)?;
    Ok(text)
}
