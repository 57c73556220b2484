//! Gains and locks that the rules still leave open, each kept out of the histories by one constant.
//! Whoever lands the rule that closes one removes its constant and what it guards; with the
//! constant set to `true` before that, the histories are red by that gain.

/// An order that was wholly returned counts for the tier of later ones (case A12): five orders of
/// one fen that go back buy the share of the sixth. Guards `promises`.
pub const CASHBACK_ON_RETURNED_ORDERS: bool = false;

/// Each order's share is rounded by itself, so that many small orders earn more than the promised
/// share (case A13). Guards `promises`.
pub const CASHBACK_ROUNDED_EACH_TIME: bool = false;

/// Cashback is owed from the collection on, not from the arrival (case A14): who collects takes a
/// budget for money that never arrives. Guards `promises`.
pub const CASHBACK_AT_COLLECTION: bool = false;

/// A service reserves of a gateway and a provider as much as it likes, for nothing (case A16).
/// Guards `foes` (the services reserve little) and the bound in `purse`.
pub const FREE_RESERVATION: bool = false;

/// Who collected takes an order back alone while its window is open, though everybody was told that
/// it is collected (case A17). Guards `foes`: a gateway of the foes reverses only orders of their
/// own merchants.
pub const REVERSAL_ALONE: bool = false;

/// A service voids an order while its gateway is debiting the user (case A18). Guards `foes`: their
/// services void nothing that an honest gateway collects.
pub const VOID_WHILE_DEBITING: bool = false;
