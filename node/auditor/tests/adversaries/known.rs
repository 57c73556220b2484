//! Gains and locks that the rules still leave open, each kept out of the histories by its name in
//! [`KEPT_OUT`]. Whoever lands the rule that closes one removes its name there, and what asks for
//! it. `SLUICE_KNOWN=NAME` lets the foes have one of them: the histories are red by it.

use std::sync::OnceLock;

/// The gains and locks that foes can still reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// A service agrees to what its bank takes back, though the merchant has delivered: the rules
    /// take its word for the merchant's (section 10). Kept out by `foes`: their services agree for
    /// the foes' own merchants only.
    ConsentInLeague,
}

/// Those that histories do without.
const KEPT_OUT: [Known; 1] = [Known::ConsentInLeague];

/// Returns true if the foes have to do without it.
pub fn is_kept_out(known: Known) -> bool {
    KEPT_OUT.contains(&known) && shown() != format!("{known:?}")
}

#[expect(clippy::disallowed_methods, reason = "what to show; no rule sees it")]
fn shown() -> &'static str {
    static SHOWN: OnceLock<String> = OnceLock::new();
    SHOWN.get_or_init(|| std::env::var("SLUICE_KNOWN").unwrap_or_default())
}
