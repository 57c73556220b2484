//! Is not there: what any other kind is measured by.

use super::Villain;

/// The hostile node that the module describes.
#[derive(Debug)]
pub struct Absent;

impl Villain for Absent {
    fn runs_replica(&self) -> bool {
        false
    }
}
