//! How far things have come: the words that the books, the interface and its clients share.

use crate::numbered;

numbered! {
    /// How far an order has come. What follows a collection is read from its window's instruction.
    OrderStatus: u8, name {
        /// Refused with its outcome; never entered the books.
        Rejected = 1, "rejected";
        /// In the books as pending; waits for its collecting gateway.
        Reserved = 2, "reserved";
        /// The collecting gateway said that the user was debited.
        Collected = 3, "collected";
        /// Its submitter or its collecting gateway gave it up.
        Voided = 4, "voided";
        /// Nobody collected it within its validity.
        Expired = 5, "expired";
        /// Above a risk policy's threshold; waits for a risk desk. Not in the books.
        Held = 6, "held";
        /// It was held, and a risk desk or the end of its validity refused it.
        Refused = 7, "refused";
        /// Reserved, and its collecting gateway said that it debits the user: only that gateway
        /// collects or voids it.
        Debiting = 8, "debiting";
    }
}

numbered! {
    /// How far an instruction has come, without the time and place that the books keep of it.
    InstructionState: u8, name {
        /// The paying gateway has it.
        Instructed = 1, "instructed";
        /// The paying gateway attested that the merchant was credited.
        Arrived = 2, "arrived";
        /// It could not be paid, or its money came back.
        Failed = 3, "failed";
        /// It failed, and all its orders were returned since.
        Returned = 4, "returned";
    }
}

numbered! {
    /// How far a transfer has come.
    TransferStatus: u8, name {
        /// It waits for its checker.
        Proposed = 1, "proposed";
        /// The checker approved it: it is booked.
        Approved = 2, "approved";
        /// The checker refused it.
        Refused = 3, "refused";
        /// Nobody decided in time.
        Expired = 4, "expired";
    }
}

numbered! {
    /// How far a governance proposal has come.
    ProposalStatus: u8, name {
        /// It waits for approvals.
        Proposed = 1, "proposed";
        /// Enough operators approved; it waits for its height.
        Scheduled = 2, "scheduled";
        /// It is in effect.
        Effective = 3, "effective";
        /// Too many operators refused it.
        Refused = 4, "refused";
        /// Too few approved in time.
        Expired = 5, "expired";
        /// It no longer held when it was to take effect.
        Failed = 6, "failed";
    }
}

numbered! {
    /// The stage of the SLA clock that was missed.
    BreachStage: u8, name {
        /// The collecting gateway's: to say that the user was debited.
        Collected = 1, "collected";
        /// Nobody's: to close the window in time, which takes blocks.
        Instructed = 2, "instructed";
        /// The paying gateway's: to attest that the money was credited.
        Arrived = 3, "arrived";
        /// The paying gateway's: not to fail an instruction again and again, and to attest no
        /// arrival by mistake.
        Failed = 4, "failed";
    }
}
