//! Is not there: what any other kind is measured by.

use super::Villain;

/// See the module.
#[derive(Debug)]
pub struct Absent;

impl Villain for Absent {
    fn runs_replica(&self) -> bool {
        false
    }
}
