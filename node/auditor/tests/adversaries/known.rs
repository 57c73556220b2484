//! Gains and locks that the rules still leave open, each kept out of the histories by its name in
//! [`KEPT_OUT`]. Whoever lands the rule that closes one removes its name there, and what asks for
//! it. `SLUICE_KNOWN=NAME` lets the foes have one of them: the histories are red by it.

use std::sync::OnceLock;

/// What the foes can still gain or lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// An order that wholly went back counts for the tier of later ones (case A12): orders of one
    /// fen that go back buy the share of the next. Kept out by `promises`, which counts them too.
    CashbackOnReturned,
    /// Each order's share is rounded by itself, so that many small orders earn more than is
    /// promised (case A13). Kept out by `promises`, which leaves a unit for each order.
    CashbackRoundedUp,
    /// Cashback is owed from the collection on, though nothing arrives (case A14). Kept out by
    /// `promises`, which promises it from then on.
    CashbackAtCollection,
    /// A service holds of gateways and providers what nobody agreed to (case A16). Kept out by
    /// `foes`: their services hold little; and by the bound in `world`.
    FreeReservation,
    /// Who collected takes an order back alone while its window is open (case A17). Kept out by
    /// `foes`: their gateways reverse only orders of the foes' own merchants.
    ReversalAlone,
    /// A service voids what a gateway is debiting (case A18). Kept out by `foes`: their services
    /// void nothing that an honest gateway's user pays.
    VoidWhileDebiting,
    /// Who collected gives an order back in an absent gateway's place, though the merchant has
    /// delivered (section 10 of the rules). Kept out by `foes`: their gateways and agents do so
    /// only with orders of the foes' own merchants.
    ReturnForTheAbsent,
    /// Two operators of one legal entity are two approvals, so that a house of two passes any
    /// change that is not about itself (section 13). Kept out by `foes`: of a house one has a word.
    TwoOperatorsOfOneHouse,
}

/// Those that histories do without.
const KEPT_OUT: [Known; 8] = [
    Known::CashbackOnReturned,
    Known::CashbackRoundedUp,
    Known::CashbackAtCollection,
    Known::FreeReservation,
    Known::ReversalAlone,
    Known::VoidWhileDebiting,
    Known::ReturnForTheAbsent,
    Known::TwoOperatorsOfOneHouse,
];

/// Whether the foes have to do without it.
pub fn is_kept_out(known: Known) -> bool {
    KEPT_OUT.contains(&known) && shown() != format!("{known:?}")
}

#[expect(clippy::disallowed_methods, reason = "what to show; no rule sees it")]
fn shown() -> &'static str {
    static SHOWN: OnceLock<String> = OnceLock::new();
    SHOWN.get_or_init(|| std::env::var("SLUICE_KNOWN").unwrap_or_default())
}
