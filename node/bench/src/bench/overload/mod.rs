//! Far more than the network can take, offered by a crowd of paced clients, beside calm ones and
//! rogues; and what the platform's promises are worth then.
//!
//! A closed loop shows the capacity of the hour first. Everything goes over public JSON-RPC to real
//! processes.

mod calls;
mod memory;
mod offering;
mod options;
mod report;
mod rogue;
mod shapes;

use std::sync::Arc;
use std::time::Duration;

use chain_types::{ChainGenesis, Roles};
use genesis::NetworkFolder;
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use node_localnet::fresh::FreshNetwork;
use node_localnet::nodes::Nodes;
use node_localnet::parties_of;
use rpc_client::client::Client;
use rpc_client::orders::Profile;
use rpc_client::paced::desk::PaceSettings;
use rpc_client::paced::heard::OutlookKeys;
use rpc_client::paced::{NodeCalls, PacedClient};
use rpc_client::party::Party;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::calls::LinkedCalls;
use self::memory::MemoryWatch;
use self::offering::{Offering, OverloadAnswer, SurgeTimes};
pub use self::options::OverloadOptions;
use self::report::RunFigures;
pub use self::report::{OverloadReport, OverloadRun};
use self::rogue::Rogues;
use super::crowd::Crowd;
use super::draw::Draws;
use super::load::Loader;
use super::options::{BenchOptions, Ground};
use super::run::{self, Bench};
use super::shape::LoadShape;

/// How long only calm clients send before a surge and after it.
const LEAD: Duration = Duration::from_secs(1);
const TAIL: Duration = Duration::from_secs(3);
/// Batches on the way of one client: what a node serves at once over four connections.
const AWAY_MAX: usize = 256;
/// Answers that may wait to be counted.
const ANSWERS_MAX: usize = 16_384;

/// Makes a network, measures its closed loop, and then each overload in turn.
///
/// # Errors
/// When the network cannot be made, used or started.
pub async fn run(
    options: BenchOptions,
    overload: OverloadOptions,
    output: Output,
    cancel: CancellationToken,
) -> anyhow::Result<OverloadReport> {
    let Ground::Fresh { below, plan, .. } = &options.ground else {
        let message = "--overload makes a network of its own: leave --network out";
        return Err(failure(Exit::Usage, message));
    };
    let fresh = FreshNetwork::below(below, plan)?;
    let genesis = genesis::load_genesis(&fresh.network.genesis).exit(Exit::Usage)?;
    let mut nodes = Nodes::start(&fresh.network.nodes)?;
    let on = (&fresh.network, &genesis);
    let outcome = match nodes.wait_ready(&cancel).await {
        Ok(()) => {
            let bench = OverloadBench { options: &options, overload: &overload, on, output };
            bench.measure(&nodes.pids(), &cancel).await
        }
        Err(error) => Err(error),
    };
    for problem in nodes.stop().await {
        tracing::warn!(problem, "a node did not end cleanly");
    }
    outcome
}

struct OverloadBench<'a> {
    options: &'a BenchOptions,
    overload: &'a OverloadOptions,
    on: (&'a NetworkFolder, &'a ChainGenesis),
    output: Output,
}

impl OverloadBench<'_> {
    async fn measure(
        &self,
        pids: &[u32],
        cancel: &CancellationToken,
    ) -> anyhow::Result<OverloadReport> {
        self.output.note("closed loop: the capacity of this hour");
        let watch = MemoryWatch::start(pids);
        let closed = Bench::new(self.options, self.on, self.output, cancel).measure(None).await?;
        let normal_growth = watch.stop().await;
        // A float is cast to the nearest number within bounds.
        let capacity = (closed.throughput_per_second as u64).max(1);
        let loaders = self.loaders()?;
        let mut runs = Vec::new();
        for factor in &self.overload.factors {
            for rogues in &self.overload.rogues {
                if cancel.is_cancelled() {
                    break;
                }
                self.output.note(&format!(
                    "{factor} times {capacity} orders/s by {} clients, {} calm, {rogues} rogues",
                    self.overload.crowd, self.overload.calm
                ));
                let watch = MemoryWatch::start(pids);
                let mut run = self.surge((*factor, *rogues), capacity, &loaders).await?;
                let growth = watch.stop().await;
                run.memory_above_normal_mib = memory::above_mib(&growth, &normal_growth);
                runs.push(run);
            }
        }
        Ok(OverloadReport::new(capacity, self.options.period.as_secs(), self.overload, runs))
    }

    /// One overload: everybody offers, and every fate is waited for.
    async fn surge(
        &self,
        (factor, rogues): (u64, usize),
        capacity: u64,
        loaders: &[Loader],
    ) -> anyhow::Result<OverloadRun> {
        let members = shapes::members(self.overload, factor, capacity);
        let times = SurgeTimes::after(LEAD, self.options.period, TAIL);
        let (answers, mut received) = mpsc::channel::<OverloadAnswer>(ANSWERS_MAX);
        for (place, (member, loader)) in members.iter().zip(loaders).enumerate() {
            let client = self.client(loader, place)?;
            let offering = Offering {
                place,
                member: *member,
                chain_id: self.on.1.chain_id,
                loader: loader.clone(),
                valid_ms: self.overload.valid_ms,
                times,
            };
            let draws = Draws::new(self.options.seed, place as u64)?;
            tokio::spawn(offering.run(client, draws, answers.clone()));
        }
        drop(answers);
        // Behind the crowd and the calm ones.
        let rogue_loaders = loaders.iter().skip(members.len()).take(rogues);
        let rogues_at_work = Rogues::start(
            rogue_loaders,
            self.on.1.chain_id,
            &self.urls(),
            times,
            (self.overload.valid_ms, self.options.seed),
        )?;
        let mut figures = RunFigures::new(&members, times, self.overload.valid_ms);
        while let Some(answer) = received.recv().await {
            figures.add(&answer);
        }
        let rogue = rogues_at_work.end().await;
        Ok(figures.report((factor, rogues), capacity, rogue))
    }

    /// A paced client of a loader, over connections of its own.
    fn client(&self, loader: &Loader, place: usize) -> anyhow::Result<PacedClient> {
        let calls: Arc<dyn NodeCalls> = Arc::new(LinkedCalls::new(&self.urls()));
        let seed = self.options.seed.wrapping_add(place as u64);
        let settings = PaceSettings { away_max: AWAY_MAX, seed, ..PaceSettings::default() };
        let keys = OutlookKeys::of_genesis(self.on.1);
        Ok(PacedClient::start(calls, (self.on.1.chain_id, loader.id), keys, settings))
    }

    fn urls(&self) -> Vec<String> {
        self.on.0.nodes.iter().map(|node| node.rpc_url()).collect()
    }

    /// The gateways that submit: the crowd first, then the calm ones, then rogues.
    fn loaders(&self) -> anyhow::Result<Vec<Loader>> {
        let (network, genesis) = self.on;
        let client = Arc::new(Client::new(&self.urls())?);
        let BenchOptions { users, seed, .. } = *self.options;
        let LoadShape::Platform { skew, .. } = self.options.shape else {
            return run::loaders(network, genesis, &client, users);
        };
        let gateways = parties_of(network, genesis, &client, Roles::GATEWAY)?;
        let ids: Vec<_> = gateways.iter().map(|party| party.id).collect();
        let crowd = Arc::new(Crowd::new(genesis, &ids, users, skew, seed)?);
        let (collected, payees, amount_max) = (true, Vec::new(), 0);
        let profile =
            |gateway| Profile { gateway, collected, payees: payees.clone(), amount_max, users };
        let loader = |party: Party| Loader {
            profile: profile(party.id),
            id: party.id,
            key: party.key,
            crowd: Some(Arc::clone(&crowd)),
        };
        Ok(gateways.into_iter().map(loader).collect())
    }
}
