//! The collected order that a return or a consent names.

use chain_state::{History, OrderRecord, OrderStatus, Overlay};
use chain_types::{OrderId, Rejection};

/// The record of a collected order. One whose status is of this very block is not read from the
/// past.
pub(crate) fn find(
    overlay: &Overlay<'_>,
    id: OrderId,
    history: &dyn History,
) -> Result<OrderRecord, Rejection> {
    let record = overlay.order(&id).or_else(|| history.record(&id));
    let record = record.ok_or(Rejection::OrderUnknown)?;
    if record.status == OrderStatus::Collected {
        Ok(record)
    } else {
        Err(Rejection::OrderNotCollected)
    }
}
