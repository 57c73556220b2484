//! The meaning and the form of each parameter, by its name. One name has one meaning in the whole
//! interface, so that a client writes an id in one way wherever it passes it.

use chain_types::{AccountKey, BatchId, InstructionId, OrderId, ProposalId, TransferId};
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::batch::Wait;
use crate::block::BlockSelector;
use crate::forms::{Base64Form, CurrencyForm, CursorForm, PseudonymForm};
use crate::method::SchemaOf;
use crate::page::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::settlement::InstructionSelector;
use crate::text::Text;

/// A parameter's name with its meaning.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// The parameter's name, as callers write it.
    pub name: &'static str,
    /// The meaning of a value, in a sentence or a few.
    pub meaning: &'static str,
    /// The schema of a value.
    pub schema: SchemaOf,
}

impl Term {
    /// The term of a name; `None` for a name that no method takes.
    pub fn of(name: &str) -> Option<&'static Self> {
        TERMS.iter().find(|term| term.name == name)
    }
}

fn limit(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT,
    })
}

fn timeout(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1, "maximum": u64::MAX })
}

macro_rules! terms {
    ($($name:ident, $schema:expr, $meaning:literal;)*) => {
        /// Every parameter's name, ascending.
        pub const TERMS: &[Term] = &[
            $(Term { name: stringify!($name), meaning: $meaning, schema: $schema },)*
        ];
    };
}

terms! {
    account, SchemaGenerator::subschema_for::<Text<AccountKey>>, "The account's name.";
    batch_id, SchemaGenerator::subschema_for::<Text<BatchId>>, "The batch's id.";
    block, SchemaGenerator::subschema_for::<BlockSelector>, "The block: its height or its hash.";
    bytes_base64, SchemaGenerator::subschema_for::<Text<Base64Form>>,
        "The bytes of a signed batch (docs/wire-format.md).";
    currency, SchemaGenerator::subschema_for::<Text<CurrencyForm>>,
        "The currency; of a pair, the one that is collected.";
    cursor, SchemaGenerator::subschema_for::<Text<CursorForm>>,
        "A place in this list: the items after it are asked for. It is the `next` of a page or the \
         `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for ever.";
    filter, SchemaGenerator::subschema_for::<InstructionSelector>,
        "The instructions that are asked for: exactly one of its fields is given.";
    from_height, SchemaGenerator::subschema_for::<u64>, "The height of the first block to send.";
    gateway, SchemaGenerator::subschema_for::<u32>, "The participant id of the paying gateway.";
    height, SchemaGenerator::subschema_for::<u64>,
        "The height of the block after which the account is asked for; without one, the head's.";
    holder, SchemaGenerator::subschema_for::<u32>,
        "The participant id of the party that may reserve on the lines.";
    instruction_id, SchemaGenerator::subschema_for::<Text<InstructionId>>, "The instruction's id.";
    limit, limit, "The most items of the page.";
    lineage_apart, SchemaGenerator::subschema_for::<bool>,
        "True if the changes of validators are left out of the proof, for a verifier that has them \
         from `chain_lineage`. False by default.";
    merchant, SchemaGenerator::subschema_for::<Text<u64>>, "The merchant's id.";
    open_only, SchemaGenerator::subschema_for::<bool>,
        "True if only those are asked for that wait for a decision. False by default.";
    order_id, SchemaGenerator::subschema_for::<Text<OrderId>>, "The order's id.";
    owner, SchemaGenerator::subschema_for::<u32>,
        "The participant id of the party that has given the lines.";
    payout_currency, SchemaGenerator::subschema_for::<Text<CurrencyForm>>,
        "The currency of a pair that is paid out.";
    proposal_id, SchemaGenerator::subschema_for::<Text<ProposalId>>, "The proposal's id.";
    provider, SchemaGenerator::subschema_for::<u32>, "The participant id of the FX provider.";
    quote_id, SchemaGenerator::subschema_for::<Text<u64>>,
        "The quote's number; its upper 32 bits are the provider's id.";
    submitter, SchemaGenerator::subschema_for::<u32>,
        "The participant id of the submitter whose line is asked for; without one, no line is given.";
    timeout_ms, timeout,
        "The longest wait, in milliseconds: 10,000 by default, and at most the server's \
         `wait_ms_max`.";
    transfer_id, SchemaGenerator::subschema_for::<Text<TransferId>>, "The transfer's id.";
    user, SchemaGenerator::subschema_for::<Text<PseudonymForm>>, "The user's pseudonym.";
    wait, SchemaGenerator::subschema_for::<Wait>,
        "The stage of the batch at which the node answers.";
    window, SchemaGenerator::subschema_for::<u64>, "The window's number; the first is 0.";
    with_codes, SchemaGenerator::subschema_for::<bool>,
        "True if the answer gives every item's code. False by default.";
}
