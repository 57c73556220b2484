//! An act of conversion: three providers publish rates, one quotes, a gateway's users pay in CNY
//! and the merchant is paid in USD; a quote that has drifted is refused.

use chain_types::{
    Amount, MerchantId, Outcome, QuoteId, QuoteItem, Rate, RateItem, RechargeItem, Rejection,
};
use rpc_client::operations::now;
use rpc_client::orders::Entropy;
use rpc_client::party::Party;
use rpc_client::scheme::{Deposit, say};

use super::cast::{CNY, Cast, USD, money};

/// USD for one CNY, with [`SCALE`] decimals: what each provider sees.
const RATES: [u64; 3] = [138_900, 139_000, 139_100];
const SCALE: u16 = 6;
/// The first balance of a provider's position, in minor units.
const POSITION: u64 = 100_000_000;
/// The amount of each order, in minor units.
const ORDER_AMOUNT: u64 = 71_942;
const ORDERS: usize = 20;
/// How long a quote is good, in milliseconds.
const QUOTE_VALID_MS: u64 = 60_000;

/// Orders that are converted, and one that is refused.
pub async fn conversion(cast: &Cast) -> anyhow::Result<String> {
    let provider = Cast::first(&cast.providers)?;
    let (owner, amount) = (u64::from(provider.id.get()), POSITION);
    let position = Deposit { kind: Deposit::POSITION, owner, currency: USD, amount };
    cast.scheme.deposit(&[position]).await?;
    for (provider, mantissa) in cast.providers.iter().zip(RATES) {
        say(provider, &[rate(mantissa)]).await?;
    }
    // A provider's numbers ascend: the other one of the pair is the greater.
    let number = u32::from_le_bytes(Entropy::fresh()?.bytes()) >> 1;
    let (good, drifted) = (quote(provider, number, RATES[1]), quote(provider, !number, 139_417));
    say(provider, &[good, drifted]).await?;
    let gateway = Cast::first(&cast.gateways)?;
    let (merchant, _) = cast.merchants.generous;
    let orders: Vec<RechargeItem> = (0..ORDERS)
        .map(|_| converted(cast, gateway, merchant, good.quote_id()))
        .collect::<anyhow::Result<_>>()?;
    let outcomes = say(gateway, &orders).await?;
    cast.count_collected(ORDERS as u64);
    anyhow::ensure!(outcomes.not_applied.is_empty(), "some orders were not converted");
    let refused = converted(cast, gateway, merchant, drifted.quote_id())?;
    Cast::expect(gateway, refused, Outcome::from(Rejection::QuoteDrifted)).await?;
    let payout = Rate::new(RATES[1], SCALE)
        .and_then(|rate| rate.convert(Amount::new(ORDER_AMOUNT), CNY, USD))
        .unwrap_or_default();
    let (paid, each) = (money(Amount::new(ORDER_AMOUNT), CNY), money(payout, USD));
    Ok(format!("{ORDERS} orders of {paid} paid out as {each} each; a quote 0.3 % off refused"))
}

fn rate(mantissa: u64) -> RateItem {
    RateItem::new((CNY, USD), (mantissa, SCALE), now())
}

fn quote(provider: &Party, number: u32, mantissa: u64) -> QuoteItem {
    let ceiling = Amount::new(ORDER_AMOUNT * 2 * ORDERS as u64);
    let valid_until = now().plus(QUOTE_VALID_MS);
    rate(mantissa).quote(QuoteId::of(provider.id, number), ceiling, valid_until)
}

fn converted(
    cast: &Cast,
    gateway: &Party,
    merchant: MerchantId,
    quote: QuoteId,
) -> anyhow::Result<RechargeItem> {
    let order = cast.order(gateway, merchant, Entropy::fresh()?.bytes(), ORDER_AMOUNT)?;
    Ok(RechargeItem {
        payout_currency: USD.get().into(),
        fx_quote: quote.get().into(),
        payout_minimum: 1.into(),
        ..order
    })
}
