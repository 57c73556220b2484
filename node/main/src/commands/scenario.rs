//! `sluice scenario`: a crowd of a known size and sum, and the auditor's verdict on it.

use std::path::PathBuf;
use std::time::Duration;

use chain_types::Parameters;
use clap::{Args, Subcommand};
use node_bench::scenario::{self, DOUBLE_ELEVEN, LIVESTREAM, Scenario, ScenarioOptions};
use node_console::exit::Exit;
use node_console::output::Output;

use node_console::signals;

/// Arguments of `sluice scenario`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each starts four validators of its own as processes, sends the crowd's orders over public JSON-RPC
by its course, has the gateways pay what they are instructed to, and stops the validators. Then the
independent auditor works out every outcome and every balance from the blocks of one home alone.
Exit code 0 only if every order became final, the books add up to the cent, the auditor finds
nothing, its balances are the node's, and all four nodes have the same blocks and state; else 1.")]
pub struct ScenarioArgs {
    #[command(subcommand)]
    scene: SceneCommand,
}

#[derive(Debug, Subcommand)]
enum SceneCommand {
    /// One streamer's birthday: 2.4 million recharges, 120 million yuan, one steep peak.
    Livestream(RunArgs),
    /// A shopping day: 860 million yuan in 5 million orders for 200 merchants through 8 gateways,
    /// a peak at midnight; reservations, conversions and cashback are among them.
    DoubleEleven(RunArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The part of the crowd that comes, up to 1: with the same average amount, to the cent.
    #[arg(long, value_name = "PART", default_value_t = 1.0, value_parser = part)]
    scale: f64,
    /// For how long orders come, in seconds: livestream 120, double-eleven 300 by default.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    /// Make the network here, in a new or empty folder, and leave it; otherwise it is temporary.
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// The folder in which a temporary network is made.
    #[arg(long, value_name = "FOLDER", default_value = ".", conflicts_with = "home")]
    folder: PathBuf,
    /// How long a settlement window stays open, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = Parameters::default().window_ms,
        value_parser = clap::value_parser!(u64).range(1_000..=86_400_000))]
    window_ms: u64,
}

fn part(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= 1.0);
    number.ok_or_else(|| "not a number above 0 and up to 1".to_owned())
}

/// Runs it; exit code 1 unless all is well.
pub async fn run(args: ScenarioArgs, output: Output) -> anyhow::Result<Exit> {
    let (scene, args): (Scenario, RunArgs) = match args.scene {
        SceneCommand::Livestream(args) => (LIVESTREAM, args),
        SceneCommand::DoubleEleven(args) => (DOUBLE_ELEVEN, args),
    };
    let options = ScenarioOptions {
        period: Duration::from_secs(args.seconds.unwrap_or(scene.seconds)),
        scene,
        // Within 0 and a million.
        scale_millionths: (args.scale * 1e6).round() as u64,
        home: args.home,
        folder: args.folder,
        window_ms: args.window_ms,
    };
    let cancel = signals::cancel_on_signal()?;
    scenario::run(options, output, cancel).await
}
