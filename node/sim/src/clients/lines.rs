//! Gateways and FX providers say how much may be reserved on their accounts.

use chain_types::operation::LineItem;
use chain_types::{LineAccount, VerifiedBatch};

use super::memory::Memory;
use super::moment::Moment;
use crate::setup::{CURRENCIES, GATEWAYS, PROVIDERS, SERVICE};

/// A gateway or provider widens a line, narrows it, or ends it.
pub fn set(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let (account, owner) = if moment.one_in(3) {
        (LineAccount::FxPosition, moment.pick(&PROVIDERS))
    } else {
        (LineAccount::GatewayLiquidity, moment.pick(&GATEWAYS))
    };
    // Once in a while to whom nobody gives one.
    let holder = if moment.one_in(10) { owner } else { SERVICE };
    let item = LineItem {
        account: account.number().into(),
        holder: holder.get().into(),
        currency: moment.pick(&CURRENCIES).get().into(),
        limit: moment.pick(&[0, 100_000, 1_500_000, 1_500_000, 3_000_000]).into(),
        spare: [0; 48],
    };
    moment.sign(owner, &[item])
}
