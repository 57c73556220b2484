//! The crowd at work: orders by the scenario's course, banks that pay what they are told to, until
//! every instruction has arrived.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain_types::{ChainGenesis, MerchantId, Roles};
use genesis::{NetworkFolder, NodeFolder};
use indicatif::ProgressBar;
use node_console::output::Output;
use node_localnet::activity::{Activity, Counts};
use node_localnet::audit::{AgreementReport, Baseline, Settlement, agreement};
use node_localnet::gateway::Gateway;
use node_localnet::{parties_of, profile};
use rpc_client::client::Client;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::amounts::Amounts;
use super::options::ScenarioOptions;
use crate::bench::contracts::{self, Terms};
use crate::bench::draw::Draws;
use crate::bench::load::{self, Loader};
use crate::bench::market::{Market, MarketReport, PAID};
use crate::bench::mix::{AmountsOf, Mix, Parties, payers};
use crate::bench::pace::{self, DueTimes, Pacing, Schedule};
use crate::bench::run::{loaders, scheme, service};
use crate::bench::sizes::BatchSizes;
use crate::bench::tally::{SentBatch, Tally};

/// Orders of a user on average: some reach what cashback begins with.
const ORDERS_A_USER: u64 = 10;
/// The most orders of a batch.
const BATCH_MAX: u64 = 2_048;
/// The least number of batches, so that a small crowd has a course too.
const BATCHES_MIN: u64 = 400;
/// Batches in flight at all nodes, beyond which sending waits.
const IN_FLIGHT_MAX: usize = 256;
/// Results that may wait to be counted.
const RESULTS_MAX: usize = 16_384;
/// How long a bank takes to credit a merchant here, in milliseconds: from and how much more.
const CREDIT_MS: (u64, u64) = (200, 800);
/// How long the drain may take beyond a window.
const DRAIN_MAX: Duration = Duration::from_secs(120);

/// A scenario on a network whose nodes are up.
pub struct Play<'a> {
    options: &'a ScenarioOptions,
    network: &'a NetworkFolder,
    genesis: &'a ChainGenesis,
    output: Output,
    cancel: &'a CancellationToken,
}

/// The result of a scenario before its audit.
pub struct Played {
    /// Orders by what became of them.
    pub tally: Tally,
    /// How well the course was kept.
    pub pacing: Pacing,
    /// How long orders came and were answered.
    pub elapsed: Duration,
    /// The report of the FX providers, if there were any.
    pub market: Option<MarketReport>,
    /// The operations of the paying gateways.
    pub paid: Counts,
    /// The figures of settlement.
    pub settlement: Settlement,
    /// The reports of the nodes about themselves in the end.
    pub agreement: AgreementReport,
}

impl<'a> Play<'a> {
    /// A scenario of `options`.
    pub fn new(
        options: &'a ScenarioOptions,
        network: &'a NetworkFolder,
        genesis: &'a ChainGenesis,
        output: Output,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self { options, network, genesis, output, cancel }
    }

    /// Plays it to the end.
    ///
    /// # Errors
    /// When the network lacks a party, or no node answers.
    pub async fn perform(&self) -> anyhow::Result<Played> {
        let urls: Vec<String> = self.network.nodes.iter().map(NodeFolder::rpc_url).collect();
        let client = Arc::new(Client::new(&urls)?);
        let gateways = u64::from(self.options.scene.gateways);
        let users = (self.options.orders() / (gateways * ORDERS_A_USER)).max(1);
        let mut loaders = loaders(self.network, self.genesis, &client, users)?;
        for loader in &mut loaders {
            loader.profile.payees.retain(|(_, currency)| *currency == PAID);
        }
        let market = self.prepare(&client, &loaders).await?;
        let baseline = Baseline::read(&client).await?;
        let (stop, activity) = (CancellationToken::new(), Arc::new(Activity::default()));
        let mut paying = self.pay(&client, &activity, &stop)?;
        let (results, received) = mpsc::channel(RESULTS_MAX);
        let quotes = market.as_ref().map(Market::quotes);
        let parties = Parties {
            chain_id: self.genesis.chain_id,
            returnable: loaders.iter().map(|_| Mutex::default()).collect(),
            payers: payers(self.genesis, &loaders),
            loaders,
            service: service(self.network, self.genesis, &client)?,
            quotes,
            voided_one_in: 0,
            submit: load::over(Arc::clone(&client)),
            results,
        };
        let trading = market.map(|market| tokio::spawn(market.run(stop.clone())));
        let started = Instant::now();
        let (mix, schedule) = self.crowd(parties)?;
        let sending = tokio::spawn(pace::run(mix, schedule, self.cancel.clone()));
        let tally = self.count(started, received).await;
        let (pacing, elapsed) = (sending.await?, started.elapsed());
        let settlement = self.drain(&client, baseline).await?;
        stop.cancel();
        while paying.join_next().await.transpose()?.transpose()?.is_some() {}
        let market = match trading {
            Some(trading) => Some(trading.await?),
            None => None,
        };
        let paid = activity.snapshot();
        let agreement = agreement(&client).await?;
        Ok(Played { tally, pacing, elapsed, market, paid, settlement, agreement })
    }

    /// Prepares what stands before the first order: programmes and limits, rates and quotes.
    async fn prepare(
        &self,
        client: &Arc<Client>,
        loaders: &[Loader],
    ) -> anyhow::Result<Option<Market>> {
        let scheme = scheme(self.network, self.genesis, client)?;
        let of = |role| parties_of(self.network, self.genesis, client, role);
        if self.options.scene.cashback {
            self.output.note("turning cashback and limits on");
            let profiles: Vec<_> = loaders.iter().map(|loader| loader.profile.clone()).collect();
            if let Some(desk) = of(Roles::RISK_DESK)?.first() {
                contracts::turn_on(&scheme, desk, &Terms::of(&profiles)).await?;
            }
        }
        if self.options.scene.shares.cross_border == 0 {
            return Ok(None);
        }
        Ok(Some(Market::open(&scheme, of(Roles::FX_PROVIDER)?).await?))
    }

    /// The orders, and when they come.
    fn crowd(&self, parties: Parties) -> anyhow::Result<(Mix, Schedule)> {
        let (scene, orders) = (&self.options.scene, self.options.orders());
        let items = (orders / BATCHES_MIN).clamp(1, BATCH_MAX);
        let turns = usize::try_from(orders.div_ceil(items))?;
        let mut amounts = Amounts::new(scene.usual, orders, self.options.sum_minor())?;
        let amounts: AmountsOf = Box::new(move |entropy, count| amounts.next(entropy, count));
        let turn_orders = u32::try_from(items)?;
        let (sizes, draws) = (BatchSizes::fixed(turn_orders), Draws::fresh()?);
        let mix = Mix::new(parties, scene.shares, sizes, Some(orders), Some(amounts), draws)?;
        let times = scene.shape.schedule(turns, self.options.period);
        let schedule = Schedule::Open {
            due: DueTimes::Listed { times, turn_orders },
            in_flight_max: IN_FLIGHT_MAX,
            give_up: None,
        };
        Ok((mix, schedule))
    }

    /// The gateways as banks that pay.
    fn pay(
        &self,
        client: &Arc<Client>,
        activity: &Arc<Activity>,
        stop: &CancellationToken,
    ) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
        let nodes = self.network.nodes.iter();
        let websocket_urls: Vec<String> =
            nodes.map(|node| format!("ws://{}", node.rpc_address)).collect();
        let mut paying = JoinSet::new();
        for party in parties_of(self.network, self.genesis, client, Roles::GATEWAY)? {
            let gateway = Gateway {
                profile: profile(self.genesis, party.id, true)?,
                party,
                one_step_rate: 0,
                websocket_urls: websocket_urls.clone(),
                credit_ms: CREDIT_MS,
                unpaid: MerchantId::new(0),
                activity: Arc::clone(activity),
            };
            paying.spawn(gateway.pay(stop.clone()));
        }
        Ok(paying)
    }

    async fn count(&self, started: Instant, mut received: mpsc::Receiver<SentBatch>) -> Tally {
        let mut tally = Tally::new(started, self.options.period);
        let bar = self.output.progress(self.options.orders(), "orders");
        let mut shown = started;
        while let Some(sent) = received.recv().await {
            tally.add(&sent);
            if shown.elapsed() > Duration::from_millis(200) {
                shown = Instant::now();
                show(&bar, &tally);
            }
        }
        bar.finish_and_clear();
        tally
    }

    /// Waits until every collected order's instruction has arrived, and says what it came to.
    async fn drain(&self, client: &Client, baseline: Baseline) -> anyhow::Result<Settlement> {
        self.output.note("all orders are answered; waiting for the last window and its payments");
        let window = Duration::from_millis(self.genesis.parameters.window_ms);
        let give_up = Instant::now() + window + DRAIN_MAX;
        loop {
            let settlement = Settlement::read(client, baseline).await?;
            let is_over = Instant::now() >= give_up || self.cancel.is_cancelled();
            if settlement.is_complete() || is_over {
                return Ok(settlement);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

fn show(bar: &ProgressBar, tally: &Tally) {
    bar.set_position(tally.final_orders());
    let latency = tally.total.latency.report();
    bar.set_message(format!("p50 {:.0} ms, p99 {:.0} ms", latency.p50_ms, latency.p99_ms));
}
