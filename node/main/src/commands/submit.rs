//! `sluice submit`: signs operations that people wrote and submits them.

use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use chain_types::batch::BATCH_ITEMS_MAX;
use chain_types::{Outcome, ParticipantId, SignedBatch};
use clap::{Args, ValueEnum};
use rpc_api::batch::outcome_name;
use rpc_api::{BatchReport, Wait, encode_base64};
use serde::Serialize;
use serde_json::json;

use super::exit::{Exit, WithExit as _, failure};
use super::output::Output;
use crate::participant::client::{CallError, Client};
use crate::participant::operations::{Kind, Operations, now};
use crate::participant::order_file::{self, Format, Row};
use crate::participant::orders::Entropy;
use crate::participant::party::{BATCH_VALID_MS, Party};

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Arguments of `sluice submit`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds TOML ([[orders]] tables), JSON (an array of objects) or comma-separated lines, as in

  merchant,gateway,amount,currency
  1001,201,12.34,CNY

Amounts are in major units. Exit code 0 when every operation was applied or had been before, 3 when
one was refused, 4 when the outcome is not known: then submit the same order ids again, or ask for
them with `sluice order`.")]
pub struct SubmitArgs {
    /// The submitter's configuration file.
    #[arg(long, value_name = "FILE")]
    participant: PathBuf,
    /// The file of operations, or - for standard input.
    file: PathBuf,
    /// What the operations are.
    #[arg(long, value_enum, default_value_t = Kind::Recharge)]
    kind: Kind,
    /// How the file is written.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,
    /// Nodes to submit to, instead of those that the configuration names.
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',')]
    rpc: Vec<String>,
    /// What to wait for.
    #[arg(long, value_enum, default_value_t = WaitFor::Final)]
    wait: WaitFor,
    /// How long to try, in seconds, for each batch.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
    /// Write the signed batch in base64 to this file and submit nothing; one batch at most.
    #[arg(long, value_name = "FILE")]
    sign_only: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WaitFor {
    /// Until a node has checked the batch and holds it.
    Admitted,
    /// Until a decided block holds it.
    Final,
}

/// What became of the operations.
#[derive(Debug, Default, Serialize)]
struct SubmitReport {
    applied: usize,
    repeated: usize,
    admitted: usize,
    refused: usize,
    unknown: usize,
    batches: Vec<BatchAnswer>,
    operations: Vec<OperationAnswer>,
}

#[derive(Debug, Serialize)]
struct BatchAnswer {
    batch_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<BatchReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct OperationAnswer {
    place: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    outcome: String,
}

/// Reads, signs, submits and says what became of each operation.
pub async fn run(args: SubmitArgs, output: Output) -> anyhow::Result<Exit> {
    let client = if args.rpc.is_empty() { None } else { Some(Arc::new(Client::new(&args.rpc)?)) };
    let (party, _) = Party::open(&args.participant, client).exit(Exit::Usage)?;
    let text = read(&args.file)?;
    let (rows, operations) = parse(&text, &args, party.id)
        .with_context(|| args.file.display().to_string())
        .exit(Exit::Usage)?;
    if let Some(path) = &args.sign_only {
        return sign_only(&party, &operations, path, output);
    }
    let wait = match args.wait {
        WaitFor::Admitted => Wait::Admitted,
        WaitFor::Final => Wait::Final,
    };
    let timeout = Duration::from_secs(args.timeout);
    let mut report = SubmitReport::default();
    let mut exit = Exit::Done;
    let batch_items = BATCH_ITEMS_MAX as usize;
    let bar = output.progress(operations.len() as u64, "operations");
    for start in (0..operations.len()).step_by(batch_items) {
        let range = start..operations.len().min(start + batch_items);
        let bytes = sign(&party, &operations, range.clone());
        let batch_id = SignedBatch::decode(bytes.clone())?.header().id().to_string();
        let answer = party.client.submit(0, bytes, wait, timeout).await;
        let answer = answer.map(|submitted| submitted.report);
        for index in range.clone() {
            let place = rows.get(index).map(|row| row.place.clone()).unwrap_or_default();
            report.tell(place, operations.subject(index), index - start, &answer);
        }
        let (body, error) = match answer {
            Ok(body) => (Some(body), None),
            Err(error) => {
                exit = error.exit();
                (None, Some(error.to_string()))
            }
        };
        report.batches.push(BatchAnswer { batch_id, report: body, error });
        bar.inc(range.len() as u64);
    }
    bar.finish_and_clear();
    if exit == Exit::Done && report.refused > 0 {
        exit = Exit::Refused;
    }
    output.answer(&report, || report.text())?;
    Ok(exit)
}

fn parse(
    text: &str,
    args: &SubmitArgs,
    submitter: ParticipantId,
) -> anyhow::Result<(Vec<Row>, Operations)> {
    let rows = order_file::read(text, args.format, args.kind.fields())?;
    let mut entropy = Entropy::fresh()?;
    let order_id = || entropy.order_id(now());
    let operations = Operations::from_rows(&rows, args.kind, submitter, order_id)?;
    Ok((rows, operations))
}

fn sign(party: &Party, operations: &Operations, range: Range<usize>) -> Bytes {
    let valid_until = now().plus(BATCH_VALID_MS);
    operations.sign(range, party.chain_id, party.id, &party.key, valid_until).into()
}

/// Writes the one signed batch for another way of sending it.
fn sign_only(
    party: &Party,
    operations: &Operations,
    path: &Path,
    output: Output,
) -> anyhow::Result<Exit> {
    let (count, most) = (operations.len(), BATCH_ITEMS_MAX as usize);
    if count > most {
        let message = format!("{count} operations; a batch holds at most {most}");
        return Err(failure(Exit::Usage, message));
    }
    let bytes = sign(party, operations, 0..count);
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
        format!("{}: batch {batch_id} of {count} operations, signed", path.display())
    })?;
    Ok(Exit::Done)
}

fn read(path: &Path) -> anyhow::Result<String> {
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

impl SubmitReport {
    /// Counts and lists the operation at `index` of a batch that was answered with `answer`.
    fn tell(
        &mut self,
        place: String,
        id: String,
        index: usize,
        answer: &Result<BatchReport, CallError>,
    ) {
        let (count, code, outcome) = match answer {
            Ok(report) => match &report.outcomes {
                None => (&mut self.admitted, None, "admitted".to_owned()),
                Some(outcomes) => {
                    let index = u32::try_from(index).unwrap_or(u32::MAX);
                    let others = &outcomes.not_applied;
                    let at = others.binary_search_by_key(&index, |item| item.item_index).ok();
                    let other = at.and_then(|at| others.get(at));
                    let outcome = other.map_or(Outcome::APPLIED, |item| Outcome(item.code));
                    let count = match outcome {
                        Outcome::APPLIED => &mut self.applied,
                        Outcome::REPEATED => &mut self.repeated,
                        _ => &mut self.refused,
                    };
                    (count, Some(i32::from(outcome.0)), outcome_name(outcome).to_owned())
                }
            },
            Err(CallError::Refused { code, name, .. }) => {
                (&mut self.refused, Some(*code), name.clone())
            }
            Err(_) => (&mut self.unknown, None, "unknown".to_owned()),
        };
        *count += 1;
        self.operations.push(OperationAnswer { place, id, code, outcome });
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        for operation in &self.operations {
            let code = operation.code.filter(|code| *code > 1);
            let code = code.map_or_else(String::new, |code| format!(" (code {code})"));
            let OperationAnswer { place, id, outcome, .. } = operation;
            lines.push(format!("{id}  {outcome}{code}  [{place}]"));
        }
        for batch in &self.batches {
            match (&batch.report, &batch.error) {
                (_, Some(error)) => lines.push(format!("batch {}: {error}", batch.batch_id)),
                (Some(BatchReport { height: Some(height), .. }), _) => {
                    lines.push(format!("batch {} is final at height {height}", batch.batch_id));
                }
                _ => lines.push(format!("batch {} is admitted", batch.batch_id)),
            }
        }
        let counts = [
            (self.applied, "applied"),
            (self.repeated, "repeated"),
            (self.admitted, "admitted"),
            (self.refused, "refused"),
            (self.unknown, "unknown"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        lines.push(counts.join(", "));
        lines.join("\n")
    }
}
