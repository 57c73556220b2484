//! Scenarios: a crowd of a known size and sum, on a network of four validators of its own, and at
//! the end the independent auditor's verdict.

mod amounts;
mod options;
mod play;
mod report;
mod shape;

use chain_types::Height;
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;
use node_home::audit::verdict;
use node_localnet::fresh::FreshNetwork;
use node_localnet::nodes::Nodes;
use tokio_util::sync::CancellationToken;

pub use self::options::{DOUBLE_ELEVEN, LIVESTREAM, Scenario, ScenarioOptions};
use self::play::Play;
use self::report::ScenarioReport;

/// Runs a scenario and says how it went; exit code 1 unless all is well.
///
/// # Errors
/// When the network cannot be made or started, or its homes cannot be read.
pub async fn run(
    options: ScenarioOptions,
    output: Output,
    cancel: CancellationToken,
) -> anyhow::Result<Exit> {
    let plan = options.plan();
    let fresh = match &options.home {
        Some(home) => FreshNetwork::in_folder(home, &plan)?,
        None => FreshNetwork::below(&options.folder, &plan)?,
    };
    let network = &fresh.network;
    let genesis = genesis::load_genesis(&network.genesis).exit(Exit::Usage)?;
    let mut nodes = Nodes::start(&network.nodes)?;
    let played = match nodes.wait_ready(&cancel).await {
        Ok(()) => Play::new(&options, network, &genesis, output, &cancel).perform().await,
        Err(error) => Err(error),
    };
    let unclean = nodes.stop().await;
    let mut report = ScenarioReport::new(&options, played?);
    unclean.into_iter().for_each(|problem| report.problem(problem));
    if cancel.is_cancelled() {
        report.problem("stopped before its time".to_owned());
    }
    output.note("the auditor reads the blocks of one home");
    let audited = tokio::task::block_in_place(|| {
        let watch = |last: Height| {
            let bar = output.progress(last.get(), "blocks");
            move |height: Height| bar.set_position(height.get())
        };
        verdict::of_network(&network.nodes, &genesis, watch)
    });
    let (verdict, auditor) = audited?;
    report.judge(&options, verdict, &auditor);
    output.answer(&report, || report.text())?;
    Ok(if report.is_well { Exit::Done } else { Exit::Negative })
}
