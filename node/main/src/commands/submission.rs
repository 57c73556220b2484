//! Signing operations, submitting them and telling what became of each: what the commands that sign
//! share.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use chain_types::{Outcome, SignedBatch};
use genesis::ParticipantConfig;
use rpc_api::batch::outcome_name;
use rpc_api::{BatchReport, Wait};
use serde::Serialize;

use super::exit::{Exit, WithExit as _};
use super::output::Output;
use crate::participant::client::{CallError, Client};
use crate::participant::operations::{Operations, now};
use crate::participant::party::{BATCH_VALID_MS, Party};
use crate::participant::registered::{self, Asked, KeyStanding};

/// Opens the party of a configuration file for signing: refuses a key that the chain does not
/// accept from it. The party talks to the nodes at `urls`, or to those that the file names.
///
/// # Errors
/// When a file cannot be used, or the registry at the head has another key.
pub async fn open_signer(
    config: &Path,
    urls: &[String],
    output: Output,
) -> anyhow::Result<(Party, Option<Asked>)> {
    let client = if urls.is_empty() { None } else { Some(Arc::new(Client::new(urls)?)) };
    let (party, genesis) = Party::open(config, client).exit(Exit::Usage)?;
    let asked = registered::check(&party, &genesis, config).await;
    let asked = asked.with_context(|| config.display().to_string()).exit(Exit::Usage)?;
    if let Some(Asked { standing: KeyStanding::Replaced { by, until_height }, .. }) = &asked {
        output.note(&format!(
            "the key of {} was replaced by {by}, and is accepted up to block {until_height}: put \
             the new key in its place before",
            config.display()
        ));
    }
    Ok((party, asked))
}

/// The nodes at `urls`, or those that a configuration names.
///
/// # Errors
/// When one is not an `http://` URL.
pub fn client_of(urls: &[String], config: &ParticipantConfig) -> anyhow::Result<Arc<Client>> {
    let urls = if urls.is_empty() { &config.rpc } else { urls };
    Ok(Arc::new(Client::new(urls)?))
}

/// Operations that a party submits.
#[derive(Debug)]
pub struct Submission<'a> {
    /// Who signs.
    pub party: &'a Party,
    /// What is submitted.
    pub operations: &'a Operations,
    /// Where each was written, for people; may be shorter.
    pub places: &'a [String],
}

/// What became of the operations.
#[derive(Debug, Default, Serialize)]
pub struct SubmitReport {
    applied: usize,
    repeated: usize,
    held: usize,
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

impl Submission<'_> {
    /// Submits all of them, batch after batch, and says what became of each.
    ///
    /// # Errors
    /// When what was signed here is no batch.
    pub async fn run(
        &self,
        wait: Wait,
        timeout: Duration,
        output: Output,
    ) -> anyhow::Result<(SubmitReport, Exit)> {
        let Self { party, operations, places } = self;
        let mut report = SubmitReport::default();
        let mut exit = Exit::Done;
        let batch_items = operations.kind().items_max() as usize;
        let bar = output.progress(operations.len() as u64, "operations");
        for start in (0..operations.len()).step_by(batch_items) {
            let range = start..operations.len().min(start + batch_items);
            let bytes = sign(party, operations, range.clone());
            let batch_id = SignedBatch::decode(bytes.clone())?.header().id().to_string();
            let answer = party.client.submit(0, bytes, wait, timeout).await;
            let answer = answer.map(|submitted| submitted.report);
            for index in range.clone() {
                let place = places.get(index).cloned().unwrap_or_default();
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
        Ok((report, exit))
    }
}

/// Operations `range` as one batch, signed.
pub fn sign(party: &Party, operations: &Operations, range: Range<usize>) -> Bytes {
    let valid_until = now().plus(BATCH_VALID_MS);
    operations.sign(range, party.chain_id, party.id, &party.key, valid_until).into()
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
                        Outcome::REPEATED => &mut self.repeated,
                        Outcome::HELD => &mut self.held,
                        other if other.is_applied() => &mut self.applied,
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

    /// What it says for people.
    pub fn text(&self) -> String {
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
            (self.held, "held"),
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
