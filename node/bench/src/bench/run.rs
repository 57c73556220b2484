//! One run: parties and connections, load, what goes on beside it, and the count of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use chain_types::{ChainGenesis, Parameters, ParticipantId, Roles};
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

use super::contracts::{self, Terms};
use super::crowd::Crowd;
use super::draw::Draws;
use super::gauge::Gauge;
use super::links::Links;
use super::load::{self, Loader, Plain, Submit};
use super::market::{Market, MarketReport};
use super::mix::{self, Mix, Parties, Shares};
use super::onboarding::{Onboarding, OnboardingReport};
use super::options::{BenchOptions, Pace};
use super::outage::{self, Outage};
use super::pace::{self, DueTimes, Pacing, Schedule};
use super::reads::{Known, Reading, Reads};
use super::report::{BenchReport, Beside, Setting};
use super::shape::{LoadShape, Whom};
use super::tally::{SentBatch, Tally};

/// Results that may wait to be counted.
const RESULTS_MAX: usize = 16_384;
/// The time that an open loop goes on after its end, to send the batches that were due before.
const CATCH_UP: Duration = Duration::from_secs(10);
/// One reserved order in this many is voided.
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
    onboarding: Option<JoinHandle<OnboardingReport>>,
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
        let (loaders, whom) = self.crowd(&client)?;
        let setting = self.setting(&whom, loaders.len(), client.node_count());
        if let Some(earlier) = &options.earlier {
            earlier.check(&setting, options.period.as_secs())?;
        }
        let (market, onboarding) = tokio::select! {
            () = self.cancel.cancelled() => {
                return Err(failure(Exit::Negative, "it was stopped before the load began"));
            }
            ready = self.set_up(&client, &loaders, &whom) => ready?,
        };
        let (results, mut received) = mpsc::channel(RESULTS_MAX);
        let known = if options.reads > 0 { Some(Arc::new(Known::new()?)) } else { None };
        let mut gauge = Gauge::start(self.network, &options.pids).await;
        let started = Instant::now();
        let sending = self.send(&client, loaders, market.as_ref(), results)?;
        let tasks = self.beside(self.urls()?, known.clone(), market, onboarding)?;
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

    /// Prepares the chain for the load: contracts, a market, registrars.
    async fn set_up(
        &self,
        client: &Arc<Client>,
        loaders: &[Loader],
        whom: &Whom,
    ) -> anyhow::Result<(Option<Market>, Option<Onboarding>)> {
        self.turn_contracts_on(client, loaders, whom).await?;
        let market = self.market(client).await?;
        if self.options.onboard == 0 {
            return Ok((market, None));
        }
        let scheme = scheme(self.network, self.genesis, client)?;
        let gateways: Vec<ParticipantId> = loaders.iter().map(|loader| loader.id).collect();
        let wanted = self.options.onboard;
        let begun = Onboarding::open(&scheme, self.genesis, client, &gateways, wanted).await?;
        Ok((market, Some(begun)))
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

    /// Returns the gateways, and the merchants that their users pay.
    fn crowd(&self, client: &Arc<Client>) -> anyhow::Result<(Vec<Loader>, Whom)> {
        let BenchOptions { users, seed, .. } = *self.options;
        let (loaders, whom) = match self.options.shape {
            LoadShape::Platform { skew, programmes } => {
                let gateways = gateways(self.network, self.genesis, client)?;
                let ids: Vec<ParticipantId> = gateways.iter().map(|party| party.id).collect();
                let crowd = Arc::new(Crowd::new(self.genesis, &ids, users, skew, seed)?);
                let whom = Whom::of_crowd(&crowd, skew, users, programmes);
                let loader = |party: Party| Loader {
                    profile: Profile {
                        gateway: party.id,
                        collected: true,
                        payees: Vec::new(),
                        amount_max: 0,
                        users,
                    },
                    id: party.id,
                    key: party.key,
                    crowd: Some(Arc::clone(&crowd)),
                };
                (gateways.into_iter().map(loader).collect(), whom)
            }
            LoadShape::Uniform { merchants_max } => {
                let mut loaders = loaders(self.network, self.genesis, client, users)?;
                for loader in &mut loaders {
                    keep_first(&mut loader.profile, merchants_max);
                }
                let payees = loaders.iter().flat_map(|loader| loader.profile.payees.iter());
                let whom = Whom::of_pairs(payees.copied().collect(), users);
                (loaders, whom)
            }
        };
        let bare = self.options.without_contracts;
        Ok((loaders, if bare { whom.without_programmes() } else { whom }))
    }

    fn setting(&self, whom: &Whom, gateways: usize, nodes: usize) -> Setting {
        let BenchOptions { websockets, list, mix, reads, stop_one, .. } = *self.options;
        let (pace, rate, in_flight) = match self.options.pace {
            Pace::Closed { in_flight } => ("closed", 0, in_flight),
            Pace::Open { rate, in_flight_max } => ("open", rate, in_flight_max),
        };
        Setting {
            pace,
            rate,
            in_flight,
            websockets,
            list,
            batch_items: self.options.sizes.most(),
            gateways,
            nodes,
            mix,
            shape: whom.shape(&self.options.sizes, self.options.seed),
            contracts: !self.options.without_contracts,
            reads,
            stop_one,
            parameters: own_parameters(&self.genesis.parameters),
        }
    }

    fn schedule(&self, nodes: usize) -> Schedule {
        let period = self.options.period;
        match self.options.pace {
            Pace::Closed { in_flight } => Schedule::Closed { in_flight: in_flight * nodes, period },
            Pace::Open { rate, in_flight_max } => {
                let give_up = Some(period + CATCH_UP);
                Schedule::Open { due: DueTimes::Steady { rate, period }, in_flight_max, give_up }
            }
        }
    }

    /// Starts sending the load.
    fn send(
        &self,
        client: &Arc<Client>,
        loaders: Vec<Loader>,
        market: Option<&Market>,
        results: mpsc::Sender<SentBatch>,
    ) -> anyhow::Result<JoinHandle<Pacing>> {
        let BenchOptions { signers, websockets, list, seed, .. } = *self.options;
        let sizes = &self.options.sizes;
        let (chain_id, cancel) = (self.genesis.chain_id, self.cancel.clone());
        let submit: Submit = match websockets {
            0 => load::over(Arc::clone(client)),
            connections => Links::new(&self.urls()?, connections, list).submit(),
        };
        let schedule = self.schedule(client.node_count());
        let Some(shares) = self.options.mix else {
            let threads = (signers, seed);
            let plain = Plain::start(chain_id, &loaders, sizes, threads, submit, results)?;
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
        let draws = Draws::new(seed, 0)?;
        let mix = Mix::new(parties, shares, sizes.clone(), None, None, draws)?;
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
        onboarding: Option<Onboarding>,
    ) -> anyhow::Result<Tasks> {
        let stop = CancellationToken::new();
        let rate = self.options.reads;
        let reading = |known| Reading { urls, known, rate, stop: stop.clone() };
        let reads = known.map(reading).map(Reading::start).transpose()?;
        let market = market.map(|market| tokio::spawn(market.run(stop.clone())));
        let onboarding = onboarding.map(|begun| tokio::spawn(begun.run(stop.clone())));
        Ok(Tasks { stop, reads, market, onboarding })
    }

    async fn turn_contracts_on(
        &self,
        client: &Arc<Client>,
        loaders: &[Loader],
        whom: &Whom,
    ) -> anyhow::Result<()> {
        if self.options.without_contracts {
            return Ok(());
        }
        self.output.note("turning cashback and limits on");
        let scheme = scheme(self.network, self.genesis, client)?;
        let desks = parties_of(self.network, self.genesis, client, Roles::RISK_DESK)?;
        let none = "the folder holds no risk desk's key: it sets the limits";
        let gateways = loaders.iter().map(|loader| loader.id).collect();
        let terms = Terms::new(&whom.programmes, &whom.currencies, gateways);
        contracts::turn_on(&scheme, desks.first().context(none)?, &terms).await
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
        let onboarding = match self.onboarding {
            Some(onboarding) => Some(onboarding.await?),
            None => None,
        };
        Ok(Beside { reads, market, onboarding, ready_again_seconds: None })
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

/// Returns the gateways that put load on the network, with `users` users each.
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
    for party in gateways(network, genesis, client)? {
        let profile = Profile { users, ..profile(genesis, party.id, true)? };
        loaders.push(Loader { id: party.id, key: party.key, profile, crowd: None });
    }
    Ok(loaders)
}

fn gateways(
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    client: &Arc<Client>,
) -> anyhow::Result<Vec<Party>> {
    let gateways = parties_of(network, genesis, client, Roles::GATEWAY)?;
    if gateways.is_empty() {
        let message = "the folder holds no gateway's key: the load is signed by gateways";
        return Err(failure(Exit::Usage, message));
    }
    Ok(gateways)
}

/// Leaves the first merchants of a profile's payees.
fn keep_first(profile: &mut Profile, merchants_max: usize) {
    let mut kept = BTreeSet::new();
    profile.payees.retain(|(merchant, _)| {
        kept.contains(merchant) || (kept.len() < merchants_max && kept.insert(*merchant))
    });
}

/// The parameters that are not the default ones.
fn own_parameters(parameters: &Parameters) -> BTreeMap<&'static str, u64> {
    let values = parameters.values().into_iter().zip(Parameters::default().values());
    let named = Parameters::NAMES.iter().copied().zip(values);
    named.filter(|(_, (own, usual))| own != usual).map(|(name, (own, _))| (name, own)).collect()
}

#[cfg(test)]
mod tests {
    use chain_types::{Currency, MerchantId};

    use super::*;

    #[test]
    fn the_first_merchants_stay_in_all_their_currencies() {
        let pair = |merchant, currency| (MerchantId::new(merchant), Currency::new(currency));
        let payees = vec![pair(1, 156), pair(1, 840), pair(2, 156), pair(2, 840), pair(3, 156)];
        let gateway = ParticipantId::new(201);
        let mut profile = Profile { gateway, collected: true, payees, amount_max: 1, users: 1 };
        keep_first(&mut profile, 2);
        assert_eq!(profile.payees.len(), 4);
        keep_first(&mut profile, 1);
        assert_eq!(profile.payees, [pair(1, 156), pair(1, 840)]);
    }

    #[test]
    fn parameters_of_one_s_own_are_stated_and_the_default_ones_are_not() {
        let parameters = Parameters { window_ms: 2_000, ..Parameters::default() };
        assert_eq!(own_parameters(&parameters), [("window_ms", 2_000)].into());
        assert_eq!(own_parameters(&Parameters::default()), BTreeMap::new());
    }
}
