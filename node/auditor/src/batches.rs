//! Batches: the rules that refuse a whole one, and the way of each item to its section.

use chain_types::batch::Items;
use chain_types::{Height, Outcome, ParticipantId, Rejection, VerifiedBatch};

use crate::auditor::{Auditor, Verdict};
use crate::finding::{AuditFinding, FindingPlace, outcome_words};
use crate::orders::refuse_if;

impl Auditor {
    /// Works out every outcome of a batch and compares it.
    ///
    /// # Errors
    /// The first outcome that the chain gives otherwise.
    pub(crate) fn check_batch(
        &mut self,
        place: usize,
        batch: &VerifiedBatch,
        outcomes: &[Outcome],
    ) -> Result<(), AuditFinding> {
        let count = usize::try_from(batch.count()).unwrap_or(usize::MAX);
        if outcomes.len() != count {
            return Err(AuditFinding {
                height: self.height,
                place: FindingPlace::Batch { batch: place },
                expected: format!("{count} outcomes of batch {}", batch.id()),
                found: format!("{}", outcomes.len()),
            });
        }
        if let Err(rejection) = self.check_author(Height::new(self.height), batch) {
            return Err(AuditFinding {
                height: self.height,
                place: FindingPlace::Batch { batch: place },
                expected: format!("a block without batch {}", batch.id()),
                found: format!("it, although {}", outcome_words(rejection.into())),
            });
        }
        let refusal = self.check_submitter(batch).err();
        if self.check_batch_timely(batch).is_ok() {
            self.batches.insert(batch.id());
        }
        // A list stands or falls as a whole.
        let list = match (refusal, batch.items()) {
            (None, Items::ChangeList(items)) => self.give_list(items, batch.header()),
            _ => Vec::new(),
        };
        for (index, outcome) in outcomes.iter().enumerate() {
            let verdict = match (refusal, list.get(index)) {
                (Some(rejection), _) => Err(rejection),
                (None, Some(verdict)) => *verdict,
                (None, None) => self.item(batch.items(), index, batch.header().submitter),
            };
            let expected = verdict.unwrap_or_else(Outcome::from);
            if expected != *outcome {
                let subject = subject(batch, index);
                return Err(AuditFinding {
                    height: self.height,
                    place: FindingPlace::Item { batch: place, item: index, subject },
                    expected: outcome_words(expected),
                    found: outcome_words(*outcome),
                });
            }
        }
        Ok(())
    }

    /// Checks who signed a batch: a block of `height`, the next one, holds none that this refuses.
    ///
    /// # Errors
    /// Rejections 107 to 109.
    pub fn check_author(&self, height: Height, batch: &VerifiedBatch) -> Result<(), Rejection> {
        let (header, registry) = (batch.header(), &self.registry);
        refuse_if(header.chain_id != self.chain_id, Rejection::WrongChain)?;
        let is_known = registry.participant(header.submitter).is_some();
        refuse_if(!is_known, Rejection::SubmitterUnknown)?;
        let is_signed = registry.accepts_key(header.submitter, batch.public_key(), height.get());
        refuse_if(!is_signed, Rejection::SignatureInvalid)
    }

    /// 110 to 114: what refuses a whole batch. No block holds a batch twice, so a chain that says
    /// 114 of an item is wrong in another way.
    fn check_submitter(&self, batch: &VerifiedBatch) -> Result<(), Rejection> {
        let (header, registry) = (batch.header(), &self.registry);
        let is_suspended =
            registry.participant(header.submitter).is_some_and(|participant| participant.suspended);
        refuse_if(is_suspended, Rejection::SubmitterSuspended)?;
        let may_submit = registry.has_role(header.submitter, batch.kind().roles());
        refuse_if(!may_submit, Rejection::RoleMissing)?;
        self.check_batch_timely(batch)?;
        refuse_if(self.batches.contains(&batch.id()), Rejection::BatchRepeated)
    }

    /// 112 and 113: a batch is valid now, and for no longer than an order's id.
    fn check_batch_timely(&self, batch: &VerifiedBatch) -> Result<(), Rejection> {
        let until = batch.header().valid_until.get();
        refuse_if(until < self.time, Rejection::BatchExpired)?;
        let parameters = &self.registry.parameters;
        let allowed_ms = parameters.order_skew_ms.saturating_add(parameters.order_validity_ms);
        let is_too_long = until > self.time.saturating_add(allowed_ms);
        refuse_if(is_too_long, Rejection::BatchValidTooLong)
    }

    /// The outcome of one item, by its section.
    fn item(&mut self, items: Items<'_>, index: usize, submitter: ParticipantId) -> Verdict {
        match items {
            Items::Recharge(items) => self.recharge(&items[index], submitter),
            Items::Collect(items) => self.collect(&items[index], submitter),
            Items::Debiting(items) => self.debiting(&items[index], submitter),
            Items::Consent(items) => self.consent(&items[index], submitter),
            Items::Void(items) => self.void(&items[index], submitter),
            Items::Arrival(items) => self.arrive(&items[index], submitter),
            Items::Failure(items) => self.fail(&items[index], submitter),
            Items::Return(items) => self.return_order(&items[index], submitter),
            Items::Reinstruct(items) => self.reinstruct(&items[index], submitter),
            Items::Bounce(items) => self.bounce(&items[index], submitter),
            Items::Recall(items) => self.recall(&items[index], submitter),
            Items::StepIn(items) => self.step_in(&items[index], submitter),
            Items::SettleWindow(items) => self.settle_window(&items[index], submitter),
            Items::Transfer(items) => self.transfer(&items[index], submitter),
            Items::TransferDecision(items) => self.decide_transfer(&items[index], submitter),
            Items::Rate(items) => self.rate(&items[index], submitter),
            Items::Quote(items) => self.quote(&items[index], submitter),
            Items::HoldDecision(items) => self.decide_hold(&items[index], submitter),
            Items::Policy(items) => self.policy(&items[index], submitter),
            Items::Line(items) => self.line(&items[index], submitter),
            Items::ChangeList(_) => unreachable!("a list is judged as a whole"),
            Items::Merchant(items) => self.register(&items[index], submitter),
            Items::Proposal(items) => self.propose(&items[index], submitter),
            Items::Approval(items) => self.approve(&items[index], submitter),
            Items::SettlementDecision(items) => self.decide_settlement(&items[index], submitter),
        }
    }
}

/// Describes an item for people: its kind, and the order or other thing that it names.
fn subject(batch: &VerifiedBatch, index: usize) -> String {
    let about = match batch.items() {
        Items::Recharge(items) => format!("order {}", items[index].order_id()),
        Items::Collect(items) => format!("order {}", items[index].order_id()),
        Items::Void(items) => format!("order {}", items[index].order_id()),
        Items::Arrival(items) => format!("instruction {}", items[index].instruction()),
        Items::Failure(items) => format!("instruction {}", items[index].instruction()),
        Items::Return(items) => format!("order {}", items[index].order_id()),
        Items::Debiting(items) => format!("order {}", items[index].order_id()),
        Items::Consent(items) => format!("order {}", items[index].order_id()),
        Items::Reinstruct(items) => format!("instruction {}", items[index].instruction()),
        Items::Bounce(items) => format!("instruction {}", items[index].instruction()),
        Items::Recall(items) => format!("instruction {}", items[index].instruction()),
        Items::StepIn(items) => format!("instruction {}", items[index].instruction()),
        Items::SettleWindow(items) => format!("window {}", items[index].window()),
        Items::Transfer(items) => format!("transfer {}", items[index].transfer_id()),
        Items::TransferDecision(items) => format!("transfer {}", items[index].transfer_id()),
        Items::Rate(items) => {
            format!("pair {} to {}", items[index].currency, items[index].payout_currency)
        }
        Items::Quote(items) => format!("quote {}", items[index].quote_id()),
        Items::HoldDecision(items) => format!("order {}", items[index].order_id()),
        Items::Policy(items) => {
            format!("scope {} subject {}", items[index].scope, items[index].subject)
        }
        Items::Line(items) => format!("holder {}", items[index].holder()),
        Items::ChangeList(_) => format!("a list, its change {index}"),
        Items::Merchant(items) => {
            let merchant = items[index].merchant();
            merchant
                .map_or_else(|| "no merchant".to_owned(), |found| format!("merchant {}", found.id))
        }
        Items::Proposal(items) => format!("proposal {}", items[index].proposal_id()),
        Items::Approval(items) => format!("proposal {}", items[index].proposal_id()),
        Items::SettlementDecision(items) => format!("window {}", items[index].window()),
    };
    let submitter = batch.header().submitter;
    format!("{} of {about} by participant {submitter}", batch.kind().name())
}
