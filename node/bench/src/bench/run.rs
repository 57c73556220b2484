//! One run: parties and connections, load, what goes on beside it, and the count of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use chain_types::{ChainGenesis, Roles};
use genesis::{NetworkFolder, NodeFolder};
use indicatif::ProgressBar;
use node_console::exit::{Exit, failure};
use node_console::output::Output;
use node_localnet::nodes::Nodes;
use node_localnet::{parties_of, profile};
use rpc_client::client::Client;
use rpc_client::orders::Profile;
use rpc_client::party::Party;
use rpc_client::scheme::Scheme;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::gauge::Gauge;
use super::links::Links;
use super::load::{self, Loader, Plain, Submit};
use super::market::{Market, MarketReport};
use super::mix::{self, Mix, Parties, Shares};
use super::outage::{self, Outage};
use super::pace::{self, DueTimes, Pacing, Schedule};
use super::reads::{Known, Reading, Reads};
use super::report::{BenchReport, Beside, Setting};
use super::tally::{SentBatch, Tally};
use super::{BenchOptions, Pace, contracts};

/// Results that may wait to be counted.
const RESULTS_MAX: usize = 16_384;
/// How long after its end an open loop goes on sending what was due before.
const CATCH_UP: Duration = Duration::from_secs(10);
/// One reserved order in so many is voided.
const VOIDED_ONE_IN: usize = 50;

/// A run on a network whose nodes are up.
pub struct Bench<'a> {
    options: &'a BenchOptions,
    network: &'a NetworkFolder,
    genesis: &'a ChainGenesis,
    output: Output,
    cancel: &'a CancellationToken,
}

/// Tasks beside the load.
struct Tasks {
    stop: CancellationToken,
    reads: Option<Reads>,
    market: Option<JoinHandle<MarketReport>>,
}

impl<'a> Bench<'a> {
    /// A run of `options`.
    pub fn new(
        options: &'a BenchOptions,
        (network, genesis): (&'a NetworkFolder, &'a ChainGenesis),
        output: Output,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self { options, network, genesis, output, cancel }
    }

    /// Sends and measures. `nodes` are the nodes' processes, if they are this process's children.
    ///
    /// # Errors
    /// When the network cannot be used, or lacks a party that the load needs.
    pub async fn measure(&self, mut nodes: Option<&mut Nodes>) -> anyhow::Result<BenchReport> {
        let options = self.options;
        let client = Arc::new(Client::new(&self.urls()?)?);
        let loaders = loaders(self.network, self.genesis, &client, options.users)?;
        self.turn_contracts_on(&client, &loaders).await?;
        let setting = self.setting(loaders.len(), client.node_count());
        let (results, mut received) = mpsc::channel(RESULTS_MAX);
        let market = self.market(&client).await?;
        let known = if options.reads > 0 { Some(Arc::new(Known::new()?)) } else { None };
        let mut gauge = Gauge::start(self.network, &options.pids).await;
        let started = Instant::now();
        let sending = self.send(&client, loaders, market.as_ref(), results)?;
        let tasks = self.beside(self.urls()?, known.clone(), market)?;
        let mut tally = Tally::new(started, options.period).telling(known);
        let mut outage = self.outage(started, &mut tally);
        let bar = self.output.progress(options.period.as_secs(), "s");
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                sent = received.recv() => match sent {
                    Some(sent) => tally.add(&sent),
                    None => break,
                },
                () = Outage::due(outage.as_ref()) => {
                    if let (Some(outage), Some(nodes)) = (&mut outage, &mut nodes) {
                        outage.act(nodes, &mut gauge, &mut tally).await?;
                    }
                }
                _ = ticks.tick() => show(&bar, started, &tally),
            }
        }
        let pacing = sending.await?;
        bar.finish_and_clear();
        // A run that was cut short is measured over the time that it had.
        let period = options.period.min(started.elapsed());
        let mut beside = tasks.end().await?;
        let costs = gauge.stop().await;
        if let Some(outage) = outage {
            beside.ready_again_seconds = outage.end().await;
        }
        let machine = options.machine;
        Ok(BenchReport::new(&tally, period, setting, pacing, beside, &costs, machine))
    }

    /// The nodes that get the load: all but one that will be stopped.
    fn urls(&self) -> anyhow::Result<Vec<String>> {
        let nodes = self.network.nodes.iter();
        if !self.options.stop_one {
            return Ok(nodes.map(NodeFolder::rpc_url).collect());
        }
        let few =
            "one of fewer than four validators cannot be stopped: the others are not a quorum";
        let victim = outage::victim(self.network).context(few)?;
        let others = nodes.enumerate().filter(|(at, _)| *at != victim);
        Ok(others.map(|(_, node)| node.rpc_url()).collect())
    }

    fn outage(&self, started: Instant, tally: &mut Tally) -> Option<Outage> {
        let outage = Outage::of(self.network, started, self.options.period);
        let outage = outage.filter(|_| self.options.stop_one)?;
        tally.phase("all up", started);
        Some(outage)
    }

    fn setting(&self, gateways: usize, nodes: usize) -> Setting {
        let BenchOptions { batch_items, websockets, list, mix, .. } = *self.options;
        let (pace, rate, in_flight) = match self.options.pace {
            Pace::Closed { in_flight } => ("closed", 0, in_flight),
            Pace::Open { rate, in_flight_max } => ("open", rate, in_flight_max),
        };
        Setting { pace, rate, in_flight, websockets, list, batch_items, gateways, nodes, mix }
    }

    fn schedule(&self, nodes: usize) -> anyhow::Result<Schedule> {
        let BenchOptions { period, batch_items, .. } = *self.options;
        Ok(match self.options.pace {
            Pace::Closed { in_flight } => Schedule::Closed { in_flight: in_flight * nodes, period },
            Pace::Open { rate, in_flight_max } => {
                let turn_orders = u32::try_from(batch_items).context("too many orders a batch")?;
                let give_up = Some(period + CATCH_UP);
                let due = DueTimes::Steady { turn_orders: u64::from(turn_orders), rate, period };
                Schedule::Open { due, in_flight_max, turn_orders, give_up }
            }
        })
    }

    /// Starts sending the load.
    fn send(
        &self,
        client: &Arc<Client>,
        loaders: Vec<Loader>,
        market: Option<&Market>,
        results: mpsc::Sender<SentBatch>,
    ) -> anyhow::Result<JoinHandle<Pacing>> {
        let BenchOptions { batch_items, signers, websockets, list, .. } = *self.options;
        let (chain_id, cancel) = (self.genesis.chain_id, self.cancel.clone());
        let submit: Submit = match websockets {
            0 => load::over(Arc::clone(client)),
            connections => Links::new(&self.urls()?, connections, list).submit(),
        };
        let schedule = self.schedule(client.node_count())?;
        let Some(shares) = self.options.mix else {
            let plain = Plain::start(chain_id, &loaders, batch_items, signers, submit, results)?;
            return Ok(tokio::spawn(pace::run(plain, schedule, cancel)));
        };
        let service = service(self.network, self.genesis, client)?;
        let parties = Parties {
            chain_id,
            returnable: loaders.iter().map(|_| Mutex::default()).collect(),
            payers: mix::payers(self.genesis, &loaders),
            loaders,
            service,
            quotes: market.map(Market::quotes),
            voided_one_in: VOIDED_ONE_IN,
            submit,
            results,
        };
        let mix = Mix::new(parties, shares, batch_items, None, None)?;
        Ok(tokio::spawn(pace::run(mix, schedule, cancel)))
    }

    async fn market(&self, client: &Arc<Client>) -> anyhow::Result<Option<Market>> {
        if self.options.mix.is_none_or(|shares: Shares| shares.cross_border == 0) {
            return Ok(None);
        }
        let scheme = scheme(self.network, self.genesis, client)?;
        let providers = parties_of(self.network, self.genesis, client, Roles::FX_PROVIDER)?;
        Ok(Some(Market::open(&scheme, providers).await?))
    }

    fn beside(
        &self,
        urls: Vec<String>,
        known: Option<Arc<Known>>,
        market: Option<Market>,
    ) -> anyhow::Result<Tasks> {
        let stop = CancellationToken::new();
        let rate = self.options.reads;
        let reading = |known| Reading { urls, known, rate, stop: stop.clone() };
        let reads = known.map(reading).map(Reading::start).transpose()?;
        let market = market.map(|market| tokio::spawn(market.run(stop.clone())));
        Ok(Tasks { stop, reads, market })
    }

    async fn turn_contracts_on(
        &self,
        client: &Arc<Client>,
        loaders: &[Loader],
    ) -> anyhow::Result<()> {
        if self.options.without_contracts {
            return Ok(());
        }
        self.output.note("turning cashback and limits on");
        let scheme = scheme(self.network, self.genesis, client)?;
        let desks = parties_of(self.network, self.genesis, client, Roles::RISK_DESK)?;
        let none = "the folder holds no risk desk's key: it sets the limits";
        let profiles: Vec<_> = loaders.iter().map(|loader| loader.profile.clone()).collect();
        contracts::turn_on(&scheme, desks.first().context(none)?, &profiles).await
    }
}

impl Tasks {
    async fn end(self) -> anyhow::Result<Beside> {
        self.stop.cancel();
        let reads = match self.reads {
            Some(reads) => Some(tokio::task::spawn_blocking(move || reads.report()).await??),
            None => None,
        };
        let market = match self.market {
            Some(market) => Some(market.await?),
            None => None,
        };
        Ok(Beside { reads, market, ready_again_seconds: None })
    }
}

fn show(bar: &ProgressBar, started: Instant, tally: &Tally) {
    let seconds = started.elapsed().as_secs();
    bar.set_position(seconds);
    let rate = tally.final_orders() / seconds.max(1);
    bar.set_message(format!("{} orders final, {rate}/s", tally.final_orders()));
}

/// The scheme's own parties.
///
/// # Errors
/// When a participant's files cannot be used.
pub fn scheme(
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    client: &Arc<Client>,
) -> anyhow::Result<Scheme> {
    let of = |role| parties_of(network, genesis, client, role);
    Ok(Scheme {
        operators: of(Roles::SETTLEMENT_OPERATOR)?,
        agents: of(Roles::SETTLEMENT_AGENT)?,
        client: Arc::clone(client),
    })
}

/// The recharge service.
///
/// # Errors
/// When the folder holds no key of one.
pub fn service(
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    client: &Arc<Client>,
) -> anyhow::Result<Party> {
    let services = parties_of(network, genesis, client, Roles::RECHARGE_SERVICE)?;
    let none = "the folder holds no recharge service's key: it reserves orders";
    services.into_iter().next().ok_or_else(|| failure(Exit::Usage, none))
}

/// The gateways that put load on the network, each with so many users.
///
/// # Errors
/// When the folder holds no gateway's key, or a gateway has no merchant to collect for.
pub fn loaders(
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    client: &Arc<Client>,
    users: u64,
) -> anyhow::Result<Vec<Loader>> {
    let mut loaders = Vec::new();
    for party in parties_of(network, genesis, client, Roles::GATEWAY)? {
        let profile = Profile { users, ..profile(genesis, party.id, true)? };
        loaders.push(Loader { id: party.id, key: party.key, profile });
    }
    if loaders.is_empty() {
        let message = "the folder holds no gateway's key: the load is signed by gateways";
        return Err(failure(Exit::Usage, message));
    }
    Ok(loaders)
}
