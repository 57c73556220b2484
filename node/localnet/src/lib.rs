//! A whole network on this machine: validator processes, a simulated recharge service and two
//! or more simulated gateways, all over the public RPC; a live summary; and, after a run of given
//! length, an audit of what the chain says.

pub mod activity;
pub mod acts;
pub mod audit;
mod first_order;
pub mod fresh;
pub mod gateway;
pub mod http;
pub mod latency;
pub mod nodes;
pub mod refused;
mod report;
mod service;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chain_types::{ChainGenesis, Currency, Merchant, MerchantId, ParticipantId, Roles};
use futures::FutureExt as _;
use genesis::{NetworkFolder, NetworkPlan, ParticipantConfig, load_secret_key, network_new};
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use rpc_client::client::Client;
use rpc_client::orders::Profile;
use rpc_client::party::Party;
use rpc_client::scheme::Scheme;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::activity::Activity;
use self::acts::{ActReport, Cast, Merchants};
use self::audit::{Baseline, Settlement};
use self::gateway::Gateway;
use self::nodes::Nodes;
use self::report::{LocalnetReport, live_line};
use self::service::Service;

/// The largest amount of a simulated order, in minor units.
pub const ORDER_AMOUNT_MAX: u64 = 50_000;
/// Of ten orders, so many are submitted and collected by gateways in one step.
const ONE_STEP_OF_TEN: u64 = 3;
/// Messages to a gateway that may wait.
const DEBITS_MAX: usize = 256;
/// How long the drain may take beyond a window: collections under way, the bank's slowest
/// credit, attestation.
const DRAIN_BEYOND_WINDOW: Duration = Duration::from_secs(15);
/// How much longer than planned the drain may take before the run is not well.
const DRAIN_GRACE: Duration = Duration::from_secs(30);
/// The least time for which orders are submitted, however short the run.
const SUBMIT_MIN: Duration = Duration::from_secs(10);

/// The options of a run.
#[derive(Debug, Clone)]
pub struct LocalnetOptions {
    /// The network's folder; made if it holds no network.
    pub home: PathBuf,
    /// The network to make.
    pub plan: NetworkPlan,
    /// The rate of orders a second.
    pub rate: u64,
    /// Ends by itself after about this time.
    pub run_for: Option<Duration>,
}

/// Runs until the time is over or `cancel`; then says how it went.
///
/// # Errors
/// When the network cannot be made or started.
pub async fn run(
    options: LocalnetOptions,
    output: Output,
    cancel: CancellationToken,
) -> anyhow::Result<Exit> {
    let network = open_or_make(&options)?;
    let genesis = genesis::load_genesis(&network.genesis).exit(Exit::Usage)?;
    let mut nodes = Nodes::start(&network.nodes)?;
    let outcome = match nodes.wait_ready(&cancel).await {
        Ok(()) => {
            announce(&network, &nodes, output);
            // A report counts what its own parties did: an order of somebody else's would differ.
            if options.run_for.is_none() {
                first_order::explain(&network, &genesis, output)?;
            }
            simulate(&options, &network, &genesis, &mut nodes, output, &cancel).await
        }
        Err(error) => Err(error),
    };
    let unclean = nodes.stop().await;
    let Some(mut report) = outcome? else { return Ok(Exit::Done) };
    for problem in unclean {
        report.problem(problem);
    }
    output.answer(&report, || report.text())?;
    Ok(if report.is_well { Exit::Done } else { Exit::Negative })
}

fn open_or_make(options: &LocalnetOptions) -> anyhow::Result<NetworkFolder> {
    let home = &options.home;
    if !home.join("genesis.toml").exists() {
        return network_new(home, &options.plan).exit(Exit::Usage);
    }
    let network = NetworkFolder::open(home).exit(Exit::Usage)?;
    let validators = network.nodes.iter().filter(|node| node.is_validator).count();
    if validators != options.plan.validators as usize {
        let message = format!(
            "{} holds a network of {validators} validators, not {}; name another --home",
            home.display(),
            options.plan.validators
        );
        return Err(failure(Exit::Usage, message));
    }
    Ok(network)
}

fn announce(network: &NetworkFolder, nodes: &Nodes, output: Output) {
    output.note(&format!("chain {}", network.chain_id));
    for (node, pid) in network.nodes.iter().zip(nodes.pids()) {
        let url = node.rpc_url();
        output.note(&format!(
            "{}: {url}  ws://{}  http://{}/metrics  (process {pid})",
            node.name, node.rpc_address, node.operator_address
        ));
    }
    if let Some(first) = network.nodes.first() {
        output.note(&format!("explorer: {}/explorer/", first.rpc_url()));
    }
    output.note(&format!("logs: {}/nodes/*/node.log; end with Ctrl-C", network.path.display()));
}

/// Runs the parties; `None` when it was cancelled and no run of a given length was asked for.
async fn simulate(
    options: &LocalnetOptions,
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    nodes: &mut Nodes,
    output: Output,
    cancel: &CancellationToken,
) -> anyhow::Result<Option<LocalnetReport>> {
    let urls: Vec<String> = network.nodes.iter().map(genesis::NodeFolder::rpc_url).collect();
    let client = Arc::new(Client::new(&urls)?);
    let baseline = Baseline::read(&client).await?;
    let activity = Arc::new(Activity::default());
    let stop = Stop::new(cancel);
    let started = Instant::now();
    let mut parties = start_parties(options, network, genesis, &client, &activity, &stop, output)?;
    let window = Duration::from_millis(genesis.parameters.window_ms);
    let drain = window + DRAIN_BEYOND_WINDOW;
    let submit_for = options.run_for.map(|time| time.saturating_sub(drain).max(SUBMIT_MIN));
    let submit_until = submit_for.map(|time| started + time);
    let first_url = urls.into_iter().next().unwrap_or_default();
    let mut watch = Watch {
        activity: &activity,
        client: &client,
        nodes,
        output,
        started,
        first_order_at: Some(first_url),
    };
    watch.until(submit_until, cancel, async |_| false).await;
    stop.orders.cancel();
    // The acts go on while the load ends; a run without an end tells of them as they are done.
    let acted = parties.acting.await.unwrap_or_default();
    // Those who submit and collect see to the end what is under way; instructions go on.
    while parties.working.join_next().await.transpose()?.transpose()?.is_some() {}
    if !cancel.is_cancelled() {
        let give_up = Instant::now() + drain + DRAIN_GRACE;
        let drained = async |client: &Client| {
            let settlement = Settlement::read(client, baseline).await;
            settlement.is_ok_and(|settlement| settlement.is_complete())
        };
        watch.until(Some(give_up), cancel, drained).await;
    }
    stop.paying.cancel();
    while parties.paying.join_next().await.transpose()?.transpose()?.is_some() {}
    if cancel.is_cancelled() && options.run_for.is_none() {
        output.note(&live_line(started.elapsed(), &activity.snapshot(), None));
        return Ok(None);
    }
    let counts = activity.snapshot();
    let mut report =
        LocalnetReport::read(&client, genesis, baseline, counts, started.elapsed()).await;
    report.contracts(acted);
    if cancel.is_cancelled() {
        report.problem("stopped before its time".to_owned());
    }
    Ok(Some(report))
}

/// The signals that stop the parties.
struct Stop {
    /// Cancelled when no new orders are to be made.
    orders: CancellationToken,
    /// Stops the paying of instructions.
    paying: CancellationToken,
}

impl Stop {
    fn new(cancel: &CancellationToken) -> Self {
        Self { orders: cancel.child_token(), paying: cancel.child_token() }
    }
}

/// The tasks of the parties at work.
struct Parties {
    /// Those who submit and collect.
    working: JoinSet<anyhow::Result<()>>,
    /// The parties that pay.
    paying: JoinSet<anyhow::Result<()>>,
    /// Those who show each contract once.
    acting: JoinHandle<Vec<ActReport>>,
}

fn start_parties(
    options: &LocalnetOptions,
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    client: &Arc<Client>,
    activity: &Arc<Activity>,
    stop: &Stop,
    output: Output,
) -> anyhow::Result<Parties> {
    let services = parties_of(network, genesis, client, Roles::RECHARGE_SERVICE)?;
    let gateways = parties_of(network, genesis, client, Roles::GATEWAY)?;
    let Some(service) = services.into_iter().next() else {
        return Err(failure(Exit::Usage, "the network has no recharge service"));
    };
    anyhow::ensure!(!gateways.is_empty(), "the network has no gateway");
    let websocket_urls: Vec<String> =
        network.nodes.iter().map(|node| format!("ws://{}", node.rpc_address)).collect();
    let one_step_rate = options.rate * ONE_STEP_OF_TEN / 10 / gateways.len() as u64;
    let service_rate = options.rate - one_step_rate * gateways.len() as u64;
    let cast = cast(network, genesis, client, activity)?;
    let merchants = cast.merchants;
    let acting = tokio::spawn(acts::perform(cast, output, stop.paying.clone()));
    let mut parties = Parties { working: JoinSet::new(), paying: JoinSet::new(), acting };
    let (mut debits, mut profiles) = (BTreeMap::new(), Vec::new());
    for party in gateways {
        let (sender, receiver) = mpsc::channel(DEBITS_MAX);
        debits.insert(party.id, sender);
        profiles.push(profile(genesis, party.id, false)?);
        let gateway = Gateway {
            profile: profile(genesis, party.id, true)?,
            party,
            one_step_rate,
            websocket_urls: websocket_urls.clone(),
            credit_ms: gateway::CREDIT_MS,
            unpaid: merchants.troubled.0,
            activity: Arc::clone(activity),
        };
        parties.working.spawn(gateway.clone().run(receiver, stop.orders.clone()));
        parties.paying.spawn(gateway.pay(stop.paying.clone()));
    }
    let activity = Arc::clone(activity);
    let service = Service { party: service, rate: service_rate, profiles, debits, activity };
    parties.working.spawn(service.run(stop.orders.clone()));
    Ok(parties)
}

/// The parties of the acts. Their merchants are the last two, which the load leaves alone.
fn cast(
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    client: &Arc<Client>,
    activity: &Arc<Activity>,
) -> anyhow::Result<Cast> {
    let of = |role| parties_of(network, genesis, client, role);
    let [generous, troubled] =
        acts_merchants(genesis).context("a network of acts has merchants")?;
    Ok(Cast {
        scheme: Scheme {
            operators: of(Roles::SETTLEMENT_OPERATOR)?,
            agents: of(Roles::SETTLEMENT_AGENT)?,
            client: Arc::clone(client),
        },
        providers: of(Roles::FX_PROVIDER)?,
        desks: of(Roles::RISK_DESK)?,
        gateways: of(Roles::GATEWAY)?,
        services: of(Roles::RECHARGE_SERVICE)?,
        merchants: Merchants {
            generous: (generous.id, generous.payout_gateway),
            troubled: (troubled.id, troubled.payout_gateway),
        },
        client: Arc::clone(client),
        activity: Arc::clone(activity),
    })
}

/// The merchants that only acts collect for, when there are more than those two.
fn acts_merchants(genesis: &ChainGenesis) -> Option<[&Merchant; 2]> {
    let (rest, last) = genesis.merchants.split_last_chunk::<2>()?;
    (!rest.is_empty()).then_some([&last[0], &last[1]])
}

/// The participants of a role whose keys the network's folder holds, spread over its nodes.
///
/// # Errors
/// When a participant's files cannot be used.
pub fn parties_of(
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    client: &Arc<Client>,
    role: Roles,
) -> anyhow::Result<Vec<Party>> {
    let mut parties = Vec::new();
    for folder in &network.participants {
        let participant = genesis.participant(ParticipantId::new(folder.id));
        if participant.is_some_and(|known| known.roles.any_of(role) && !known.suspended) {
            // Not `Party::open`: the genesis file, which may be large, has been read.
            let config = ParticipantConfig::load(&folder.config).exit(Exit::Usage)?;
            let (id, client) = (config.participant(), Arc::clone(client));
            let key = load_secret_key(&config.key).exit(Exit::Usage)?;
            let (chain_id, first_node) = (genesis.chain_id, folder.id as usize);
            parties.push(Party { id, key, chain_id, client, first_node });
        }
    }
    Ok(parties)
}

/// The orders of a gateway's users: to every merchant whose own gateway has a line in the
/// currency too.
///
/// # Errors
/// When there is no such merchant.
pub fn profile(
    genesis: &ChainGenesis,
    gateway: ParticipantId,
    collected: bool,
) -> anyhow::Result<Profile> {
    let has_line = |gateway: ParticipantId, currency: Currency| {
        genesis.liquidity.iter().any(|line| line.gateway == gateway && line.currency == currency)
    };
    let mut payees: Vec<(MerchantId, Currency)> = Vec::new();
    let is_acts = |merchant: &Merchant| {
        acts_merchants(genesis).is_some_and(|acts| acts.iter().any(|own| own.id == merchant.id))
    };
    let merchants = genesis.merchants.iter();
    for merchant in merchants.filter(|merchant| !merchant.suspended && !is_acts(merchant)) {
        for currency in &genesis.currencies {
            if has_line(gateway, *currency) && has_line(merchant.payout_gateway, *currency) {
                payees.push((merchant.id, *currency));
            }
        }
    }
    anyhow::ensure!(!payees.is_empty(), "gateway {gateway} has no merchant to collect for");
    let amount_max = ORDER_AMOUNT_MAX.min(genesis.parameters.order_amount_max);
    Ok(Profile { gateway, collected, payees, amount_max, users: 0 })
}

/// Watches the run: a line a second, and a word when a node's process ends.
struct Watch<'a> {
    activity: &'a Activity,
    client: &'a Client,
    nodes: &'a mut Nodes,
    output: Output,
    started: Instant,
    /// The URL to ask for the first order, until that order is printed.
    first_order_at: Option<String>,
}

impl Watch<'_> {
    /// Until `end`, `cancel`, or `done` says so.
    async fn until(
        &mut self,
        end: Option<Instant>,
        cancel: &CancellationToken,
        done: impl AsyncFn(&Client) -> bool,
    ) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            // A dead validator is one of the faults that the network bears.
            for ended in self.nodes.newly_ended() {
                self.output.note(&ended);
            }
            let height = self.height().await;
            let elapsed = self.started.elapsed();
            let counts = self.activity.snapshot();
            if let Some(order) = counts.sample.first()
                && let Some(url) = self.first_order_at.take()
            {
                let line = format!("order {order} is collected: sluice order {order} --rpc {url}");
                self.output.note(&line);
            }
            self.output.note(&live_line(elapsed, &counts, height));
            if end.is_some_and(|end| Instant::now() >= end) || done(self.client).await {
                return;
            }
        }
    }

    async fn height(&self) -> Option<u64> {
        use rpc_api::ChainRpcClient as _;
        self.client.ask(|node| node.head().boxed()).await.ok().map(|head| head.height)
    }
}

/// The network folder of a path, for commands that need one to exist.
///
/// # Errors
/// When there is none, or it cannot be used.
pub fn open_network(folder: &Path) -> anyhow::Result<(NetworkFolder, ChainGenesis)> {
    let network = NetworkFolder::open(folder)
        .with_context(|| format!("{} is not a network folder", folder.display()))
        .exit(Exit::Usage)?;
    let genesis = genesis::load_genesis(&network.genesis).exit(Exit::Usage)?;
    Ok((network, genesis))
}
