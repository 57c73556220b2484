//! The JSON forms of values that are text, each with its schema: a name, a pattern and a sentence.
//! One kind of value has one form, in parameters and in answers, and one name in rpc.discover.

use chain_types::{
    AccountKey, AccountKind, BatchId, BlockHash, BreachStage, CauseKind, ChainId, Digest,
    EquivocationKind, InstructionId, InstructionState, OrderId, PolicyScope, ProposalId,
    ProposalStatus, Roles, TransferAction, TransferId, TransferStatus,
};
use schemars::{Schema, json_schema};

/// A whole number without sign and leading zeros, as a pattern.
const NUMBER: &str = "(0|[1-9][0-9]*)";
/// An ISO 4217 code, or the number of a currency that ISO 4217 does not list.
const CURRENCY: &str = "([A-Z]{3}|[0-9]{3})";
const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const UUID_V7: &str = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

/// A value that JSON carries as text in one form.
pub trait TextForm {
    /// The form's name among the schemas.
    const NAME: &'static str;

    /// Returns the form's schema.
    fn schema() -> Schema;
}

/// Returns the schema of texts of a pattern; the pattern is that of the whole text.
fn pattern(pattern: &str, about: &str) -> Schema {
    json_schema!({ "type": "string", "pattern": format!("^{pattern}$"), "description": about })
}

/// Returns the schema of a closed list of names.
fn names(names: impl Iterator<Item = &'static str>, about: &str) -> Schema {
    let names: Vec<&str> = names.collect();
    json_schema!({ "type": "string", "enum": names, "description": about })
}

macro_rules! forms {
    ($($type:ty, $name:literal = $schema:expr;)*) => {
        $(impl TextForm for $type {
            const NAME: &'static str = $name;

            fn schema() -> Schema {
                $schema
            }
        })*
    };
}

forms! {
    u64, "DecimalNumber" =
        pattern(NUMBER, "A whole number of 0 to 18446744073709551615 in decimal digits.");
    i128, "MinorUnits" = pattern("(0|-?[1-9][0-9]*)", "A whole number in decimal digits, signed.");
    ChainId, "ChainId" = pattern("[0-9a-f]{64}", "A chain's id: SHA-256 of its genesis file.");
    BlockHash, "BlockHash" = pattern("[0-9a-f]{64}", "The hash of a block's header.");
    BatchId, "BatchId" = pattern("[0-9a-f]{64}", "A batch's id: the hash of its header.");
    OrderId, "OrderId" = pattern(UUID_V7, "An order's id: a UUID of version 7, in small letters.");
    TransferId, "TransferId" = pattern(UUID, "A transfer's id: a UUID, in small letters.");
    ProposalId, "ProposalId" = pattern(UUID, "A proposal's id: a UUID, in small letters.");
    InstructionId, "InstructionId" = pattern(
        &format!("{NUMBER}-{NUMBER}-{NUMBER}"),
        "An instruction's id: window, merchant and the currency's ISO 4217 number.",
    );
    AccountKey, "AccountName" = {
        let kinds: Vec<&str> = AccountKind::ALL.iter().map(|kind| kind.name()).collect();
        pattern(
            &format!("({}):{NUMBER}:{CURRENCY}", kinds.join("|")),
            "An account's name: kind, owner and currency, such as `gateway-liquidity:201:CNY`.",
        )
    };
    AccountKind, "AccountKind" =
        names(AccountKind::ALL.iter().map(|one| one.name()), "The kind of an account.");
    BreachStage, "BreachStage" = names(
        BreachStage::ALL.iter().map(|one| one.name()),
        "A stage whose deadline can be missed.",
    );
    CauseKind, "CauseKind" = names(
        CauseKind::ALL.iter().map(|one| one.name()),
        "The kind of operation that changed an account.",
    );
    EquivocationKind, "EquivocationKind" = names(
        EquivocationKind::ALL.iter().map(|one| one.name()),
        "The kind of message of which a validator signed two.",
    );
    InstructionState, "InstructionState" = names(
        InstructionState::ALL.iter().map(|one| one.name()),
        "The state of an instruction.",
    );
    PolicyScope, "PolicyScope" =
        names(PolicyScope::ALL.iter().map(|one| one.name()), "The kind of a policy's subject.");
    ProposalStatus, "ProposalStatus" = names(
        ProposalStatus::ALL.iter().map(|one| one.name()),
        "The state of a proposal.",
    );
    TransferAction, "TransferAction" = names(
        TransferAction::ALL.iter().map(|one| one.name()),
        "The operation that a transfer makes.",
    );
    TransferStatus, "TransferStatus" = names(
        TransferStatus::ALL.iter().map(|one| one.name()),
        "The state of a transfer.",
    );
    Digest, "Digest" = pattern("[0-9a-f]{64}", "A SHA-256 digest or a Merkle root.");
    KeyForm, "PublicKey" = pattern("[0-9a-f]{64}", "An ed25519 public key.");
    ReferenceForm, "Reference" = pattern(
        "[0-9a-f]{64}",
        "A reference of 32 bytes outside of the chain, such as a bank's.",
    );
    PseudonymForm, "UserPseudonym" = pattern("[0-9a-f]{32}", "A user's pseudonym.");
    CurrencyForm, "CurrencyCode" = pattern(
        CURRENCY,
        "A currency's ISO 4217 code; its three-digit number if ISO 4217 lists no code.",
    );
    RateForm, "DecimalRate" = pattern(
        r"(0|[1-9][0-9]*)(\.[0-9]{1,15})?",
        "An exchange rate as a decimal number, with all the digits that it was given.",
    );
    Base64Form, "Base64" = pattern(
        "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
        "Bytes as base64 of RFC 4648 section 4, with padding.",
    );
    DayForm, "Day" = pattern("[0-9]{4}-[0-9]{2}-[0-9]{2}", "A day, such as `2026-11-23`.");
    MonthForm, "Month" = pattern("[0-9]{4}-[0-9]{2}", "A month, such as `2026-11`.");
    RoleForm, "RoleName" =
        names(Roles::NAMES.iter().map(|(_, name)| *name), "A participant's role.");
    CursorForm, "Cursor" = json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "description": "A place in a list, as a page or an event of the same list gave it.",
    });
}

macro_rules! marks {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {
        $($(#[doc = $doc])* #[derive(Debug)] pub struct $name;)*
    };
}

// Marks of texts that are plain strings in Rust.
marks! {
    /// Marks 64 hexadecimal digits of a public key.
    KeyForm;
    /// Marks 64 hexadecimal digits of a reference.
    ReferenceForm;
    /// Marks 32 hexadecimal digits of a user's pseudonym.
    PseudonymForm;
    /// Marks the code of a currency.
    CurrencyForm;
    /// Marks an exchange rate in decimal digits.
    RateForm;
    /// Marks bytes as base64.
    Base64Form;
    /// Marks a day of the calendar.
    DayForm;
    /// Marks a month of the calendar.
    MonthForm;
    /// Marks the name of a role.
    RoleForm;
    /// Marks a place in a list.
    CursorForm;
}
