//! Reasons that operations give, with the ISO 20022 external code nearest in meaning.

use crate::numbered;

numbered! {
    /// Why a reserved order was voided.
    VoidReason: u16, iso_code {
        /// The user's bank refused the debit.
        DebitRefused = 1, "AM04";
        /// The user gave up.
        CustomerCancelled = 2, "CUST";
        /// The gateway could not reach the user's bank in time.
        BankUnavailable = 3, "AB08";
    }
}

numbered! {
    /// Why an instruction could not be paid.
    FailureReason: u16, iso_code {
        /// The merchant's account does not exist.
        AccountUnknown = 1, "AC01";
        /// The merchant's account is closed.
        AccountClosed = 2, "AC04";
        /// The merchant's account is blocked.
        AccountBlocked = 3, "AC06";
        /// The paying gateway's own systems failed.
        BankUnavailable = 4, "AB08";
        /// The law or a regulator forbids it.
        Regulatory = 5, "RR04";
        /// The merchant's bank does not say.
        Unspecified = 6, "MS03";
        /// A settlement agent recalled the instruction, and the money did not go out.
        Recalled = 7, "FOCR";
        /// The attestation of its arrival was a mistake.
        AttestedByMistake = 8, "NARR";
        /// The merchant's account is of a form that its bank does not accept.
        AccountInvalid = 9, "AC03";
        /// The merchant's account may not receive such a payment.
        TransactionForbidden = 10, "AG01";
        /// The merchant's bank does not take an amount like this.
        AmountNotAllowed = 11, "AM02";
        /// The merchant's name is not that of its account.
        NameMismatch = 12, "BE01";
        /// The merchant did not deliver, so that its orders go back: the word of two settlement
        /// agents in an absent gateway's place, and of nobody else.
        ServiceNotRendered = 13, "SVNR";
    }
}

impl FailureReason {
    /// Returns true if the same payment may succeed though nothing about the merchant changed.
    pub const fn needs_no_correction(self) -> bool {
        matches!(self, Self::BankUnavailable | Self::Recalled | Self::AttestedByMistake)
    }
}

numbered! {
    /// Why the money of an order is sent back.
    ReturnReason: u16, iso_code {
        /// The user asked for it.
        CustomerRequest = 1, "CUST";
        /// The order was made twice.
        Duplicate = 2, "DUPL";
        /// A cancellation was asked for and accepted.
        Cancellation = 3, "FOCR";
        /// The order was fraudulent.
        Fraud = 4, "FRAD";
        /// A system of the scheme or of a party failed.
        TechnicalProblem = 5, "TECH";
        /// The amount was wrong.
        WrongAmount = 6, "AM09";
        /// The merchant's account is closed.
        AccountClosed = 7, "AC04";
        /// The merchant's account is blocked.
        AccountBlocked = 8, "AC06";
        /// The merchant's account does not exist.
        AccountUnknown = 9, "AC01";
        /// The paying gateway does not say.
        Unspecified = 10, "MS03";
    }
}

numbered! {
    /// Why a risk desk decided about a held order as it did.
    HoldReason: u16, iso_code {
        /// Nothing was found against it.
        Cleared = 1, "ACCP";
        /// The desk takes the order for fraud.
        Fraud = 2, "FRAD";
        /// The law forbids it.
        Regulatory = 3, "RR04";
        /// The desk does not say.
        Unspecified = 4, "MS03";
    }
}
