//! Messages to a bank, written strictly: valid against the schema, the same bytes from the same
//! content.

mod document;
mod order;
mod pacs008;
mod pacs028;
mod pain001;
mod recall;

pub use self::order::{
    ChargeBearer, NAME_CHARACTERS_MAX, OutgoingPayment, PAYMENTS_MAX, PaymentOrder, SentPayment,
    WriteError, WrittenMessage,
};
pub use self::pacs008::{InterbankSettlement, SettlementMethod, write_pacs008};
pub use self::pacs028::{StatusRequest, write_pacs028};
pub use self::pain001::write_pain001;
pub use self::recall::{RecallRequest, RecalledPayment, write_camt056};
