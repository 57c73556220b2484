//! Signing operations, submitting them and telling what became of each: what the commands that sign
//! share.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use chain_types::{BatchKind, Outcome, Rejection, SignedBatch};
use genesis::ParticipantConfig;
use rpc_api::batch::outcome_name;
use rpc_api::{BatchReport, OrderStanding, OrderState, Wait};
use serde::Serialize;

use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;
use rpc_client::access::NodeAccess;
use rpc_client::client::{CallError, Client};
use rpc_client::operations::{Operations, now};
use rpc_client::party::{BATCH_VALID_MS, Party};
use rpc_client::registered::{self, Asked, KeyStanding};

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
    let client = match urls {
        [] => None,
        urls => Some(client_of(urls, &ParticipantConfig::load(config).exit(Exit::Usage)?)?),
    };
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

/// The nodes at `urls`, or those that a configuration names; they are shown its token.
///
/// # Errors
/// When a URL is none, or the token's or the authorities' file cannot be used.
pub fn client_of(urls: &[String], config: &ParticipantConfig) -> anyhow::Result<Arc<Client>> {
    let urls = if urls.is_empty() { &config.rpc } else { urls };
    let access = NodeAccess::of(config).exit(Exit::Usage)?;
    Ok(Arc::new(Client::open(urls, &access).exit(Exit::Usage)?))
}

/// Operations that a party submits.
#[derive(Debug)]
pub struct Submission<'a> {
    /// The participant that signs.
    pub party: &'a Party,
    /// The operations, in the order of their file.
    pub operations: &'a Operations,
    /// The place of each in the file, for people; may be shorter.
    pub places: &'a [String],
}

/// The outcome of each operation, and the counts.
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
    /// The state of the order before, as the chain had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<OrderStanding>,
    /// The remedy, unless nothing is left to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// True if a new order with a new id may take its place.
    new_id_is_safe: bool,
}

/// The count that an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Applied,
    Repeated,
    Held,
    Admitted,
    Refused,
    Unknown,
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
        let batch_items = operations.kind().items_max() as usize;
        let bar = output.progress(operations.count() as u64, "operations");
        for start in (0..operations.count()).step_by(batch_items) {
            let range = start..operations.count().min(start + batch_items);
            let bytes = sign(party, operations, range.clone());
            let batch_id = SignedBatch::decode(bytes.clone())?.header().id().to_string();
            let answer = party.client.submit(0, bytes, wait, timeout).await;
            let answer = answer.map(|submitted| submitted.report);
            for index in range.clone() {
                let place = places.get(index).cloned().unwrap_or_default();
                let is_order = operations.kind() == BatchKind::Recharge;
                let about = (place, operations.subject(index), is_order);
                report.tell(about, index - start, &answer);
            }
            let (body, error) = match answer {
                Ok(body) => (Some(body), None),
                Err(error) => (None, Some(error.to_string())),
            };
            report.batches.push(BatchAnswer { batch_id, report: body, error });
            bar.inc(range.len() as u64);
        }
        bar.finish_and_clear();
        let exit = report.exit();
        Ok((report, exit))
    }
}

/// Operations `range` as one batch, signed.
pub fn sign(party: &Party, operations: &Operations, range: Range<usize>) -> Bytes {
    let valid_until = now().plus(BATCH_VALID_MS);
    operations.sign(range, party.chain_id, party.id, &party.key, valid_until).into()
}

/// The remedy for an order whose fate is open.
const ASK_FIRST: &str = "Ask for it with `sluice order`, or submit the same order ids again; make \
    no new order before that.";

impl OperationAnswer {
    /// Takes over an item's outcome and gives what it counts as. For the submission of an order
    /// what the chain knew of it comes first: a repetition counts as what it repeats.
    fn judge(&mut self, outcome: Outcome, is_order: bool) -> Count {
        self.code = Some(i32::from(outcome.0));
        outcome_name(outcome).clone_into(&mut self.outcome);
        if outcome.is_applied() {
            return Count::Applied;
        }
        if outcome == Outcome::HELD {
            return Count::Held;
        }
        if let Some(standing) = &self.standing {
            self.new_id_is_safe = is_order && standing.new_id_is_safe;
            self.remedy = Some(standing.remedy.clone());
            if is_order && standing.same_content == Some(true) {
                return match standing.status {
                    OrderState::Held => Count::Held,
                    OrderState::Reserved | OrderState::Debiting | OrderState::Collected => {
                        Count::Repeated
                    }
                    _ => Count::Refused,
                };
            }
            if outcome == Outcome::REPEATED {
                return Count::Repeated;
            }
            return Count::Refused;
        }
        let Some(rejection) = outcome.rejection() else {
            // A repetition of an order whose outcome the node did not say.
            self.remedy = is_order.then(|| ASK_FIRST.to_owned());
            return if is_order { Count::Unknown } else { Count::Repeated };
        };
        self.new_id_is_safe = is_order && rejection.new_id_is_safe();
        self.remedy = Some(rejection.remedy().to_owned());
        match rejection {
            // Late, and the node did not say whether the chain has it.
            Rejection::OrderIdExpired if is_order => {
                self.remedy = Some(ASK_FIRST.to_owned());
                Count::Unknown
            }
            _ => Count::Refused,
        }
    }

    /// The line for people, with what the chain knew before and what to do on lines of their own.
    fn text(&self) -> String {
        let code = self.code.filter(|code| *code > 1);
        let code = code.map_or_else(String::new, |code| format!(" (code {code})"));
        let mut text = format!("{}  {}{code}  [{}]", self.id, self.outcome, self.place);
        // Writing into a string does not fail.
        if let Some(standing) = &self.standing {
            let _ = write!(text, "\n  it stands as {}", standing.status.name());
            if let Some(height) = standing.status_height {
                let _ = write!(text, " since height {height}");
            }
        }
        if let Some(remedy) = &self.remedy {
            let _ = write!(text, "\n  {remedy}");
        }
        text
    }
}

impl SubmitReport {
    /// The exit code of what was answered: what is not known comes first, for it is to be asked
    /// for before anything else is done.
    const fn exit(&self) -> Exit {
        if self.unknown > 0 {
            Exit::Unreachable
        } else if self.refused > 0 {
            Exit::Refused
        } else {
            Exit::Done
        }
    }

    /// Counts and lists the operation at `index` of a batch that was answered with `answer`: its
    /// place, its id, and whether it submits an order.
    fn tell(
        &mut self,
        (place, id, is_order): (String, String, bool),
        index: usize,
        answer: &Result<BatchReport, CallError>,
    ) {
        let mut told = OperationAnswer {
            place,
            id,
            code: None,
            outcome: String::new(),
            standing: None,
            remedy: None,
            new_id_is_safe: false,
        };
        let count = match answer {
            Ok(report) => match &report.outcomes {
                None => {
                    "admitted".clone_into(&mut told.outcome);
                    Count::Admitted
                }
                Some(outcomes) => {
                    let index = u32::try_from(index).unwrap_or(u32::MAX);
                    let others = &outcomes.not_applied;
                    let at = others.binary_search_by_key(&index, |item| item.item_index).ok();
                    let other = at.and_then(|at| others.get(at));
                    let outcome = other.map_or(Outcome::APPLIED, |item| Outcome(item.code));
                    told.standing = other.and_then(|item| item.standing.clone());
                    told.judge(outcome, is_order)
                }
            },
            Err(CallError::Refused { code, name, remedy, .. }) => {
                told.code = Some(*code);
                let name = if name.is_empty() { "unknown" } else { name.as_str() };
                name.clone_into(&mut told.outcome);
                told.remedy = Some(remedy.trim_start_matches(": ").to_owned());
                match answer {
                    Err(error) if error.is_refusal() => Count::Refused,
                    _ => Count::Unknown,
                }
            }
            Err(_) => {
                "unknown".clone_into(&mut told.outcome);
                told.remedy = Some(ASK_FIRST.to_owned());
                Count::Unknown
            }
        };
        *match count {
            Count::Applied => &mut self.applied,
            Count::Repeated => &mut self.repeated,
            Count::Held => &mut self.held,
            Count::Admitted => &mut self.admitted,
            Count::Refused => &mut self.refused,
            Count::Unknown => &mut self.unknown,
        } += 1;
        self.operations.push(told);
    }

    /// Formats the report for people.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        lines.extend(self.operations.iter().map(OperationAnswer::text));
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chain_types::{BatchError, BatchId};
    use jsonrpsee::core::client::Error as ClientError;
    use rpc_api::{ApiError, BatchState, Outcomes, api_error, rejection_error};

    use super::*;

    fn exit_of(answer: &Result<BatchReport, CallError>, is_order: bool) -> (Exit, SubmitReport) {
        let mut report = SubmitReport::default();
        report.tell(("line 1".to_owned(), "id".to_owned(), is_order), 0, answer);
        (report.exit(), report)
    }

    fn answered(
        outcome: Outcome,
        standing: Option<OrderStanding>,
    ) -> Result<BatchReport, CallError> {
        let mut report = BatchReport::pending(BatchId::default(), BatchState::Final);
        let mut outcomes = Outcomes::new(&[outcome], false);
        if let Some(item) = outcomes.not_applied.first_mut() {
            item.standing = standing;
        }
        report.outcomes = Some(outcomes);
        Ok(report)
    }

    /// Whoever acts on the exit code charges nobody twice: a repetition ends as what it repeats.
    #[test]
    fn a_repetition_ends_as_what_it_repeats() {
        let late = Outcome::from(Rejection::OrderIdExpired);
        let applied = Outcome::APPLIED;
        let no_money = Outcome::from(Rejection::LiquidityExceeded);
        let known =
            |status, same, outcome| Some(OrderStanding::known(status, Some(same), outcome, (7, 7)));
        type Row = (Outcome, Option<OrderStanding>, Exit, bool);
        let rows: [Row; 10] = [
            (late, known(OrderState::Collected, true, applied), Exit::Done, false),
            (late, known(OrderState::Reserved, true, applied), Exit::Done, false),
            (late, known(OrderState::Rejected, true, no_money), Exit::Refused, true),
            (late, known(OrderState::Collected, false, applied), Exit::Refused, false),
            (late, Some(OrderStanding::never()), Exit::Refused, true),
            // Nothing is said of it, so it may be in the books.
            (late, None, Exit::Unreachable, false),
            (Outcome::REPEATED, None, Exit::Unreachable, false),
            (Outcome::REPEATED, known(OrderState::Collected, true, applied), Exit::Done, false),
            (Outcome::REPEATED, known(OrderState::Rejected, true, no_money), Exit::Refused, true),
            (Outcome::REPEATED, known(OrderState::Held, true, Outcome::HELD), Exit::Done, false),
        ];
        for (number, (outcome, standing, expected, is_safe)) in (1..).zip(rows) {
            let (exit, report) = exit_of(&answered(outcome, standing), true);
            assert_eq!(exit, expected, "row {number}");
            assert_eq!(report.operations[0].new_id_is_safe, is_safe, "row {number}");
            let said = report.text();
            assert_eq!(is_safe, said.contains("with a new id"), "row {number}: {said}");
        }
        // What only names an order, or is none, has no such care.
        let (exit, _) = exit_of(&answered(Outcome::REPEATED, None), false);
        assert_eq!(exit, Exit::Done);
        let (exit, _) = exit_of(&answered(Outcome::APPLIED, None), true);
        assert_eq!(exit, Exit::Done);
    }

    #[test]
    fn what_was_not_refused_is_not_called_so() {
        let call = |error| Err(CallError::new("http://a", ClientError::Call(error)));
        let refused = BatchError::new(Rejection::BatchExpired, "");
        let (exit, report) = exit_of(&call(rejection_error(&refused, None)), true);
        assert_eq!((exit, report.refused), (Exit::Refused, 1));
        assert!(report.text().contains("they keep their ids"), "{}", report.text());
        let (exit, report) = exit_of(&call(api_error(ApiError::CallTimeout, "")), true);
        assert_eq!((exit, report.unknown), (Exit::Unreachable, 1));
    }
}
