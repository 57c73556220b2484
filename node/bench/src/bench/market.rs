//! FX providers at work: rates that keep moving, and quotes that users take while they are good.

use std::time::Duration;

use chain_types::{Amount, Currency, QuoteId, RateItem};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use rpc_client::operations::now;
use rpc_client::party::Party;
use rpc_client::scheme::{Deposit, Scheme, say};

/// The currency in which users pay.
pub const PAID: Currency = Currency::new(156);
/// The currency in which merchants are paid across the border.
pub const PAID_OUT: Currency = Currency::new(840);
/// A provider's position and a quote's ceiling, which no load exhausts, in minor units.
const POSITION: u64 = 1_000_000_000_000_000;
/// Dollars for a yuan in the middle, with [`SCALE`] decimals.
const MIDDLE: u64 = 139_000;
const SCALE: u16 = 6;
/// The rate moves up and down over so many steps of so much: 0.04 %, within the guard of 0.3 %.
const STEPS: u64 = 20;
const STEP: u64 = 3;
/// The difference of each provider's rate from the one before it: they never quite agree.
const APART: u64 = 10;
/// How often a quote is issued; each provider issues one when its turn comes.
const QUOTE_EVERY: Duration = Duration::from_secs(1);
/// How long a quote is good, in milliseconds.
const QUOTE_VALID_MS: u64 = 30_000;
/// Rates are published with every so many quotes.
const QUOTES_A_RATE: u64 = 5;

/// The rates and quotes that the providers published.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MarketReport {
    /// The number of rates that were published.
    pub rates: u64,
    /// The number of quotes that were published.
    pub quotes: u64,
    /// The operations that were refused or not answered.
    pub problems: Vec<String>,
}

/// The FX providers, publishing.
#[derive(Debug)]
pub struct Market {
    providers: Vec<Party>,
    newest: watch::Sender<Option<QuoteId>>,
    last_number: u32,
    report: MarketReport,
}

impl Market {
    /// Gives each of `providers` a position, and opens with rates and a first quote.
    ///
    /// # Errors
    /// When there are none, or one of these is refused.
    pub async fn open(scheme: &Scheme, providers: Vec<Party>) -> anyhow::Result<Self> {
        anyhow::ensure!(!providers.is_empty(), "the folder holds no FX provider's key");
        let position = |provider: &Party| Deposit {
            kind: Deposit::POSITION,
            owner: u64::from(provider.id.get()),
            currency: PAID_OUT,
            amount: POSITION,
        };
        scheme.deposit(&providers.iter().map(position).collect::<Vec<_>>()).await?;
        let (newest, _) = watch::channel(None);
        let mut market =
            Self { providers, newest, last_number: 0, report: MarketReport::default() };
        market.publish(0).await?;
        market.quote(0).await?;
        Ok(market)
    }

    /// Returns the newest quote, as it changes.
    pub fn quotes(&self) -> watch::Receiver<Option<QuoteId>> {
        self.newest.subscribe()
    }

    /// Publishes and quotes until `stop`.
    pub async fn run(mut self, stop: CancellationToken) -> MarketReport {
        let mut ticks = tokio::time::interval(QUOTE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        for turn in 1_u64.. {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            let mut said = Ok(());
            if turn.is_multiple_of(QUOTES_A_RATE) {
                said = self.publish(turn / QUOTES_A_RATE).await;
            }
            if said.is_ok() {
                said = self.quote(turn).await;
            }
            if let Err(problem) = said {
                self.report.problems.push(node_console::output::message_of(&problem));
            }
        }
        self.report
    }

    async fn publish(&mut self, step: u64) -> anyhow::Result<()> {
        for (place, provider) in (0..).zip(&self.providers) {
            say(provider, &[rate(mantissa(step, place))]).await?;
            self.report.rates += 1;
        }
        Ok(())
    }

    async fn quote(&mut self, turn: u64) -> anyhow::Result<()> {
        let place = turn % self.providers.len() as u64;
        let Some(provider) = self.providers.get(usize::try_from(place)?) else { return Ok(()) };
        // Numbers only go up, over runs too.
        let number = u32::try_from(now().get() / 1_000)?.max(self.last_number + 1);
        self.last_number = number;
        let (id, valid_until) = (QuoteId::of(provider.id, number), now().plus(QUOTE_VALID_MS));
        let rate = rate(mantissa(turn / QUOTES_A_RATE, place));
        let item = rate.quote(id, Amount::new(POSITION), valid_until);
        say(provider, &[item]).await?;
        self.report.quotes += 1;
        self.newest.send_replace(Some(item.quote_id()));
        Ok(())
    }
}

/// The rate of a step, of the provider at a place: up for [`STEPS`], then down.
fn mantissa(step: u64, place: u64) -> u64 {
    let phase = step % (2 * STEPS);
    let up = phase.min(2 * STEPS - phase);
    MIDDLE + up * STEP + place * APART
}

fn rate(mantissa: u64) -> RateItem {
    RateItem::new((PAID, PAID_OUT), (mantissa, SCALE), now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rates_of_a_quote_s_life_are_as_far_apart_as_the_guard() {
        let seen = (0..3 * STEPS).flat_map(|step| (0..3).map(move |place| mantissa(step, place)));
        let (mut least, mut most) = (u64::MAX, 0);
        for mantissa in seen {
            (least, most) = (least.min(mantissa), most.max(mantissa));
        }
        assert!(most > least);
        assert!((most - least) * 1_000 < 3 * least, "{least} to {most}");
    }
}
