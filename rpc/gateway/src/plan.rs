//! The next messages to the bank and the next statements to the chain, from where the attempts
//! stand.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{Currency, InstructionId, TimeMs};
use rpc_iso20022::{
    EndToEndId, OutgoingPayment, PaymentOrder, RecallRequest, RecalledPayment, SentPayment,
    StatusRequest, WriteError, WrittenMessage, write_camt056, write_pacs008, write_pacs028,
    write_pain001,
};

use crate::books::{GatewayBooks, SentMessage};
use crate::profile::PaymentMessage;
use crate::record::{ChainDeed, DeedKind, IntendedMessage, MessagePurpose, NamedPayment};
use crate::standing::{AttemptStanding, GatewayRules, HeldReason, standing};

/// Messages that are planned at once; the others follow when these are out.
const MESSAGES_MAX: usize = 16;
/// Statements of one batch.
const DEEDS_MAX: usize = 1_000;

/// Why a message cannot be planned. It is a mistake of the profile, or of this program.
#[derive(Debug, thiserror::Error)]
pub enum PlanFault {
    /// The message cannot be written.
    #[error("a message cannot be written: {0}")]
    Write(#[from] WriteError),
    /// The bank has no day on which it pays.
    #[error("the profile has no day within 400 days on which the bank pays")]
    NoDay,
    /// The books name a message or a day in a form that is not theirs.
    #[error("the journal has {0:?} where it should have a message's id or a day")]
    Journal(Box<str>),
}

/// The next steps of all open attempts.
#[derive(Debug, Default)]
pub struct GatewayPlan {
    pays: BTreeMap<Currency, Vec<EndToEndId>>,
    asks: BTreeMap<Currency, Vec<EndToEndId>>,
    recalls: BTreeMap<Currency, Vec<EndToEndId>>,
    says: BTreeMap<DeedKind, Vec<ChainDeed>>,
    /// Attempts about which a person is called.
    pub held: BTreeMap<EndToEndId, HeldReason>,
    /// Attempts that need nothing.
    pub done: Vec<EndToEndId>,
}

impl GatewayPlan {
    /// Looks at every open attempt.
    pub fn new(books: &GatewayBooks, rules: &GatewayRules<'_>) -> Self {
        let mut plan = Self::default();
        for id in books.open() {
            let currency = id.instruction.currency;
            match standing(books, *id, rules) {
                AttemptStanding::Wait => {}
                AttemptStanding::Done => plan.done.push(*id),
                AttemptStanding::Pay => plan.pays.entry(currency).or_default().push(*id),
                AttemptStanding::Ask => plan.asks.entry(currency).or_default().push(*id),
                AttemptStanding::Recall => plan.recalls.entry(currency).or_default().push(*id),
                AttemptStanding::Say(deed) => {
                    plan.says.entry(deed.kind).or_default().push(deed);
                }
                AttemptStanding::Held(reason) => {
                    plan.held.insert(*id, reason);
                }
            }
        }
        plan
    }

    /// Returns the attempts that are to be paid.
    pub fn pays(&self) -> impl Iterator<Item = EndToEndId> {
        self.pays.values().flatten().copied()
    }

    /// Leaves out payments of instructions that the chain was not asked about just now: nothing is
    /// paid on an old word.
    pub fn retain_fresh(&mut self, fresh: &BTreeSet<InstructionId>) {
        self.pays.values_mut().for_each(|ids| ids.retain(|id| fresh.contains(&id.instruction)));
    }

    /// Returns the next batches of statements, each of one kind.
    pub fn batches(&self) -> impl Iterator<Item = &[ChainDeed]> {
        self.says.values().flat_map(|deeds| deeds.chunks(DEEDS_MAX))
    }

    /// Returns the next messages to the bank: payments, then recalls, then questions.
    ///
    /// # Errors
    /// When one cannot be written: see [`PlanFault`].
    pub fn messages(
        &self,
        books: &GatewayBooks,
        rules: &GatewayRules<'_>,
    ) -> Result<Vec<IntendedMessage>, PlanFault> {
        let most = rules.profile.payments_max;
        let mut messages = Vec::new();
        let all = [
            (&self.pays, MessagePurpose::Pay),
            (&self.recalls, MessagePurpose::Recall),
            (&self.asks, MessagePurpose::Ask),
        ];
        for (ids, purpose) in all {
            for (currency, ids) in ids {
                for ids in ids.chunks(most) {
                    if messages.len() >= MESSAGES_MAX {
                        return Ok(messages);
                    }
                    match purpose {
                        MessagePurpose::Pay => {
                            messages.extend(pay_within_digits(books, rules, *currency, ids)?);
                        }
                        _ => messages.push(follow(books, rules, purpose, ids)?),
                    }
                }
            }
        }
        Ok(messages)
    }
}

/// Writes messages that pay: several if the sum of one had more digits than a message carries.
fn pay_within_digits(
    books: &GatewayBooks,
    rules: &GatewayRules<'_>,
    currency: Currency,
    ids: &[EndToEndId],
) -> Result<Vec<IntendedMessage>, PlanFault> {
    match pay(books, rules, currency, ids) {
        Err(PlanFault::Write(WriteError::Amount(_))) if ids.len() > 1 => {
            let (first, second) = ids.split_at(ids.len() / 2);
            let mut messages = pay_within_digits(books, rules, currency, first)?;
            messages.extend(pay_within_digits(books, rules, currency, second)?);
            Ok(messages)
        }
        message => Ok(vec![message?]),
    }
}

/// Writes a message that pays.
fn pay(
    books: &GatewayBooks,
    rules: &GatewayRules<'_>,
    currency: Currency,
    ids: &[EndToEndId],
) -> Result<IntendedMessage, PlanFault> {
    let GatewayRules { profile, accounts, now } = *rules;
    let execution = profile.calendar.execution_day(now).ok_or(PlanFault::NoDay)?;
    // An attempt is planned only if both accounts are there.
    let debtor = profile.debtors.get(&currency).ok_or(WriteError::Payments(0))?.clone();
    let payments: Vec<OutgoingPayment> = ids
        .iter()
        .filter_map(|id| {
            let party = accounts.party(id.instruction.merchant, currency)?;
            Some(OutgoingPayment {
                obligation: id.of_chain(books.chain),
                resend: 0,
                amount: books.attempt(*id)?.amount,
                creditor: party.clone(),
                remittance: format!("window {}", id.instruction.window),
            })
        })
        .collect();
    let named = payments.iter().map(|payment| NamedPayment {
        id: payment.obligation.end_to_end_id(),
        amount: payment.amount.get(),
        merchant_account: payment.creditor.account.text().into(),
    });
    let named: Vec<NamedPayment> = named.collect();
    let gateway_account = debtor.account.text().into();
    let order = PaymentOrder {
        created: now,
        execution,
        currency,
        debtor,
        charges: profile.charges,
        service_level: profile.service_level.clone(),
        characters: profile.characters,
        name_characters_max: profile.name_characters_max,
        payments,
    };
    let written = match profile.payment {
        PaymentMessage::Pain001 => write_pain001(&order)?,
        PaymentMessage::Pacs008 => write_pacs008(&order, &profile.settlement)?,
    };
    Ok(IntendedMessage {
        message: written.id.as_str().into(),
        purpose: MessagePurpose::Pay,
        payment: profile.payment,
        time_ms: now.get(),
        execution: execution.to_string().into(),
        gateway_account,
        payments: named,
        xml: written.xml,
    })
}

/// Writes a message about payments that were sent: a question or a recall.
fn follow(
    books: &GatewayBooks,
    rules: &GatewayRules<'_>,
    purpose: MessagePurpose,
    ids: &[EndToEndId],
) -> Result<IntendedMessage, PlanFault> {
    let sent: Vec<(SentPayment, &SentMessage, NamedPayment)> =
        ids.iter().map(|id| sent_payment(books, *id)).collect::<Result<_, _>>()?;
    let written = match purpose {
        MessagePurpose::Recall => write_recall(&sent, rules)?,
        _ => write_pacs028(&StatusRequest {
            created: rules.now,
            instructing: rules.profile.settlement.instructing.clone(),
            instructed: rules.profile.settlement.instructed.clone(),
            payments: sent.iter().map(|(payment, ..)| payment.clone()).collect(),
        })?,
    };
    let first = sent.first().map(|(_, message, _)| *message);
    Ok(IntendedMessage {
        message: written.id.as_str().into(),
        purpose,
        payment: rules.profile.payment,
        time_ms: rules.now.get(),
        execution: first.map(|first| first.execution.clone()).unwrap_or_default(),
        gateway_account: first.map(|first| first.gateway_account.clone()).unwrap_or_default(),
        payments: sent.into_iter().map(|(.., named)| named).collect(),
        xml: written.xml,
    })
}

fn write_recall(
    sent: &[(SentPayment, &SentMessage, NamedPayment)],
    rules: &GatewayRules<'_>,
) -> Result<WrittenMessage, PlanFault> {
    let recalled = sent.iter().map(|(payment, message, named)| {
        let day = message.execution.parse();
        Ok(RecalledPayment {
            sent: payment.clone(),
            amount: chain_types::Amount::new(named.amount),
            execution: day.map_err(|_| PlanFault::Journal(message.execution.clone()))?,
        })
    });
    Ok(write_camt056(&RecallRequest {
        created: rules.now,
        assigner: rules.profile.settlement.instructing.clone(),
        assignee: rules.profile.settlement.instructed.clone(),
        reason: "CUST".to_owned(),
        payments: recalled.collect::<Result<_, PlanFault>>()?,
    })?)
}

/// Returns how a message names a payment that was sent.
fn sent_payment(
    books: &GatewayBooks,
    id: EndToEndId,
) -> Result<(SentPayment, &SentMessage, NamedPayment), PlanFault> {
    let unknown = || PlanFault::Journal(id.to_string().into());
    let attempt = books.attempt(id).ok_or_else(unknown)?;
    let sending = attempt.sending.as_ref().ok_or_else(unknown)?;
    let message = books.message(&sending.message).ok_or_else(unknown)?;
    let payment = SentPayment {
        obligation: id.of_chain(books.chain),
        resend: 0,
        message: sending
            .message
            .parse()
            .map_err(|_| PlanFault::Journal(sending.message.clone()))?,
        message_name: message.name,
    };
    let merchant_account = sending.merchant_account.clone();
    Ok((payment, message, NamedPayment { id, amount: attempt.amount.get(), merchant_account }))
}

/// Returns true if no message that is handed at `now` can meet a deadline.
pub fn is_late_already(rules: &GatewayRules<'_>, deadline_ms: u64) -> bool {
    rules.profile.calendar.is_too_late(rules.now, TimeMs::new(deadline_ms))
}
