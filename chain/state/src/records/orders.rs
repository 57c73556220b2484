//! Orders: what became of them, what waits, what went back.

use bincode::{Decode, Encode};
use chain_types::{
    Amount, Currency, Digest, Height, Location, MerchantId, OrderId, OrderStatus, Outcome,
    ParticipantId, QuoteId, TimeMs,
};

/// An order's fate so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct OrderRecord {
    /// The location of its submission.
    pub location: Location,
    /// The first 16 bytes of its item's Merkle leaf hash.
    pub fingerprint: [u8; 16],
    /// The outcome of its submission.
    pub outcome: Outcome,
    /// How far it has come.
    pub status: OrderStatus,
    /// The block that set the status.
    pub status_height: Height,
    /// The operation that set the status: the submission itself if that was the only step, and
    /// for an expiry, which no operation causes.
    pub status_location: Location,
}

impl OrderRecord {
    /// The record that a submission leaves. `leaf` is its item's Merkle leaf hash.
    pub fn new(location: Location, leaf: &Digest, outcome: Outcome, status: OrderStatus) -> Self {
        Self {
            location,
            fingerprint: fingerprint(leaf),
            outcome,
            status,
            status_height: location.height,
            status_location: location,
        }
    }

    /// The record that a later step leaves. An expiry has no operation, so no `step`.
    #[must_use]
    pub fn stepped(self, status: OrderStatus, height: Height, step: Option<Location>) -> Self {
        let status_location = step.unwrap_or(self.location);
        Self { status, status_height: height, status_location, ..self }
    }
}

/// The part of an item's Merkle leaf hash that tells one content from another.
pub fn fingerprint(leaf: &Digest) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&leaf.bytes()[..16]);
    bytes
}

/// How an order's money changes its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Conversion {
    /// The quote that is used.
    pub quote: QuoteId,
    /// The currency in which the merchant is paid.
    pub payout_currency: Currency,
    /// The sum that the provider delivers and the merchant is paid, in minor units: the exact
    /// payout, rounded down.
    pub payout: Amount,
}

/// An open reserved order: money pending in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Reservation {
    /// The participant that submitted it.
    pub submitter: ParticipantId,
    /// The merchant who is paid.
    pub merchant: MerchantId,
    /// The gateway that collects the order.
    pub gateway: ParticipantId,
    /// How much, in minor units.
    pub amount: Amount,
    /// The currency that the user pays in.
    pub currency: Currency,
    /// The pseudonym of the user.
    pub user: [u8; 16],
    /// How it is converted, if it is.
    pub conversion: Option<Conversion>,
    /// Block time of its acceptance.
    pub accepted: TimeMs,
    /// The last block time at which it may be collected.
    pub expires: TimeMs,
}

/// An order that waits for a risk desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct HeldOrder {
    /// The participant that submitted it.
    pub submitter: ParticipantId,
    /// The order as submitted.
    pub item: [u8; 128],
    /// Block time of its submission.
    pub held: TimeMs,
}

/// The record of money that was sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ReturnRecord {
    /// The id of the order.
    pub order: OrderId,
    /// The number of this return among the order's, from 1.
    pub sequence: u16,
    /// The gateway that sent it back.
    pub gateway: ParticipantId,
    /// How much, in minor units of the order's currency.
    pub amount: Amount,
    /// How much of the payout, in minor units of the payout currency.
    pub payout: Amount,
    /// How much of the order's cashback was taken back, or is promised no longer, in minor units of
    /// the order's currency.
    pub cashback: Amount,
    /// Why: the number of a [`chain_types::ReturnReason`].
    pub reason: u16,
    /// True if its window was still open: a reversal.
    pub is_reversal: bool,
    /// True if the payout went back as it was, in the payout currency: the time in which it is
    /// converted back at the order's own rate was over.
    pub is_unconverted: bool,
    /// The reference of the bank, 32 bytes.
    pub reference: [u8; 32],
    /// The time of the block that holds the return.
    pub time: TimeMs,
    /// The location of the return.
    pub location: Location,
    /// True if the payout came from what was owed to the merchant, and not from a gateway that had
    /// paid it.
    pub from_payable: bool,
    /// How much the returning gateway paid for cashback of the month that rested on the order, in
    /// minor units of the order's currency.
    pub cashback_rested: Amount,
    /// How much of `cashback` the collecting gateway had paid before, by what rested on other
    /// orders: it does not pay it again, or gets it back.
    pub cashback_set_off: Amount,
}
