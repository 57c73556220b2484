//! Leaves the recharge service's batches out: it neither takes them, nor passes them on, nor
//! votes for a block that holds one.

use node_replica::Input;

use super::{Scene, Villain};
use crate::setup::SERVICE;

/// The hostile node that the module describes.
#[derive(Debug)]
pub struct Censor;

impl Villain for Censor {
    fn hear(&mut self, _: &mut Scene<'_>, input: Input) -> Option<Input> {
        let is_censored = match &input {
            Input::Batch(batch) | Input::Submit { batch, .. } => {
                batch.header().submitter == SERVICE
            }
            _ => false,
        };
        (!is_censored).then_some(input)
    }
}
