//! How a bank misbehaves, and how often.

/// Why a text does not name faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HabitFault {
    /// It is none of the names.
    #[error("{found:?} is not a fault: write none, all, or NAME=NUMBER with one of {names}")]
    Name {
        /// The part of the text.
        found: String,
        /// Every name that is known.
        names: String,
    },
    /// The number is too large.
    #[error("{name}={found}: at most {most}")]
    Number {
        /// Name of the fault, as it was given.
        name: &'static str,
        /// The number that was found.
        found: u64,
        /// The largest number of it.
        most: u64,
    },
    /// Fates of payments are more than all payments.
    #[error("the fates of payments are {0} of 1000: they are at most 1000 together")]
    Sum(u64),
}

/// Declares the faults: field, name, what `all` sets, the largest number.
macro_rules! habits {
    ($($(#[doc = $text:literal])+ $field:ident $name:literal $all:literal $most:literal,)*) => {
        /// How often a bank misbehaves. Numbers are of 1,000 payments, messages or files, unless
        /// the field says otherwise.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct BankHabits { $($(#[doc = $text])+ pub $field: u64,)* }

        impl BankHabits {
            /// A bank that is quick, loses nothing and credits everything.
            pub const NONE: Self = Self { $($field: 0,)* };
            /// Every fault now and then.
            pub const ALL: Self = Self { $($field: $all,)* };
            /// The name of each fault, in the order of the fields.
            pub const NAMES: &[&str] = &[$($name,)*];

            fn set(&mut self, name: &str, number: u64) -> Option<Result<(), HabitFault>> {
                match name {
                    $($name if number > $most => Some(Err(HabitFault::Number {
                        name: $name,
                        found: number,
                        most: $most,
                    })),)*
                    $($name => {
                        self.$field = number;
                        Some(Ok(()))
                    })*
                    _ => None,
                }
            }
        }
    };
}

habits! {
    /// Payments that only an entry of the merchant's account tells of.
    by_entry "by-entry" 150 1_000,
    /// Payments that are rejected: the account is closed.
    rejected "rejected" 60 1_000,
    /// Payments that are rejected: the gateway's account lacks the money.
    unfunded "unfunded" 60 1_000,
    /// Payments that are settled and then returned.
    returned "returned" 60 1_000,
    /// Payments that are credited and then returned.
    bounced "bounced" 60 1_000,
    /// Payments that are made with another amount.
    wrong_amount "wrong-amount" 10 1_000,
    /// Payments of which nothing is ever said.
    silent "silent" 10 1_000,
    /// Payments that wait until they are recalled.
    waiting "waiting" 30 1_000,
    /// Payments that the bank calls credited and rejected at once.
    contradicted "contradicted" 10 1_000,
    /// Files that never come.
    lost "lost" 160 1_000,
    /// Files that come twice, under another name.
    twice "twice" 160 1_000,
    /// Files beside which a half of them comes as well.
    torn "torn" 50 1_000,
    /// Messages that are rejected as a whole (FF01).
    refused_file "refused-file" 60 1_000,
    /// Messages that are paid, and called a duplicate (DUPL) besides.
    called_duplicate "called-duplicate" 60 1_000,
    /// Messages whose answer states PART, with the rejected payments alone; the others follow.
    part "part" 200 1_000,
    /// Messages that are answered by a file a payment.
    split "split" 200 1_000,
    /// Messages all of whose answers come in one file.
    merged "merged" 150 1_000,
    /// Messages after which a camt.052 tells of the gateway's account.
    reported "reported" 150 1_000,
    /// The longest delay of a file, in milliseconds. Each has its own, so that files overtake.
    delay_ms "delay-ms" 2_000 86_400_000,
    /// Seconds by which the bank's clock is behind.
    behind_s "behind-s" 90 86_400,
}

impl BankHabits {
    /// Reads a list such as `all,silent=0` or `lost=160,delay-ms=500`, from left to right.
    ///
    /// # Errors
    /// [`HabitFault`], with the part that cannot be used.
    pub fn parse(text: &str) -> Result<Self, HabitFault> {
        let mut habits = Self::NONE;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let unknown =
                || HabitFault::Name { found: part.to_owned(), names: Self::NAMES.join(", ") };
            match part {
                "none" => habits = Self::NONE,
                "all" => habits = Self::ALL,
                _ => {
                    let (name, number) = part.split_once('=').ok_or_else(unknown)?;
                    let number = number.parse().map_err(|_| unknown())?;
                    habits.set(name, number).ok_or_else(unknown)??;
                }
            }
        }
        let fates = habits.fates().iter().map(|(_, share)| share).sum();
        if fates > 1_000 { Err(HabitFault::Sum(fates)) } else { Ok(habits) }
    }

    /// Returns the fates that are not the usual one, with their shares of 1,000.
    pub(crate) fn fates(&self) -> [(crate::fate::PaymentFate, u64); 9] {
        use crate::fate::PaymentFate::{
            Bounced, Contradicted, CreditedByEntry, Rejected, Returned, Silent, Unfunded, Waiting,
            WrongAmount,
        };
        [
            (CreditedByEntry, self.by_entry),
            (Rejected, self.rejected),
            (Unfunded, self.unfunded),
            (Returned, self.returned),
            (Bounced, self.bounced),
            (WrongAmount, self.wrong_amount),
            (Silent, self.silent),
            (Waiting, self.waiting),
            (Contradicted, self.contradicted),
        ]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn faults_are_read_from_left_to_right() {
        assert_eq!(BankHabits::parse("").unwrap(), BankHabits::NONE);
        assert_eq!(BankHabits::parse("all").unwrap(), BankHabits::ALL);
        assert_eq!(BankHabits::parse("all,none").unwrap(), BankHabits::NONE);
        let habits = BankHabits::parse("all, silent=0,delay-ms=500").unwrap();
        assert_eq!(habits, BankHabits { silent: 0, delay_ms: 500, ..BankHabits::ALL });
    }

    #[test]
    fn what_is_no_fault_is_named() {
        let rows = [
            ("loss=1", "is not a fault"),
            ("lost", "is not a fault"),
            ("lost=many", "is not a fault"),
            ("lost=1001", "lost=1001: at most 1000"),
            ("rejected=600,silent=401", "1001 of 1000"),
        ];
        for (text, expected) in rows {
            let fault = BankHabits::parse(text).unwrap_err().to_string();
            assert!(fault.contains(expected), "{text}: {fault}");
        }
    }
}
