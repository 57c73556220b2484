//! Two verdicts of one desk about one order: evidence that needs no witness.

use chain_types::{ChainId, PublicKey};

use crate::verdict::{SignedRiskVerdict, VerdictError};

/// Two differing verdicts of one desk about one item, the one with the lesser bytes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerdictConflict {
    first: SignedRiskVerdict,
    second: SignedRiskVerdict,
}

/// Why two verdicts are no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConflictFlaw {
    /// The desks are two.
    #[error("the verdicts are of desks {0} and {1}: two desks may judge one order")]
    Desks(u32, u32),
    /// The items are two.
    #[error("the verdicts are about two items: compare verdicts about one")]
    Items,
    /// The verdicts say the same.
    #[error("the two verdicts are the same")]
    Same,
    /// One is not the desk's.
    #[error(transparent)]
    Verdict(#[from] VerdictError),
}

impl VerdictConflict {
    /// Holds two verdicts against each other, and their signatures against the desk's key. A desk
    /// answers a repeated question with its first verdict, so any difference is evidence.
    ///
    /// # Errors
    /// [`ConflictFlaw`] if the desks or items are two, the verdicts one, or a signature is not the
    /// desk's.
    pub fn new(
        one: SignedRiskVerdict,
        other: SignedRiskVerdict,
        chain_id: ChainId,
        key: &PublicKey,
    ) -> Result<Self, ConflictFlaw> {
        let (desk, other_desk) = (one.verdict.desk, other.verdict.desk);
        if desk != other_desk {
            return Err(ConflictFlaw::Desks(desk.get(), other_desk.get()));
        }
        if one.verdict.item != other.verdict.item {
            return Err(ConflictFlaw::Items);
        }
        if one.verdict == other.verdict {
            return Err(ConflictFlaw::Same);
        }
        one.verify(chain_id, key)?;
        other.verify(chain_id, key)?;
        let is_ordered = one.verdict.bytes() < other.verdict.bytes();
        let (first, second) = if is_ordered { (one, other) } else { (other, one) };
        Ok(Self { first, second })
    }

    /// Returns the two verdicts, the one with the lesser bytes first.
    pub const fn verdicts(&self) -> (&SignedRiskVerdict, &SignedRiskVerdict) {
        (&self.first, &self.second)
    }
}
