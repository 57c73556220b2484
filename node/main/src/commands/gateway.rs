//! `sluice gateway`: a bank's own process between the chain and the bank.

mod new;
mod reconcile;
mod run;
mod status;

use clap::{Args, Subcommand};
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;
use rpc_gateway::GatewayFault;

/// Arguments of `sluice gateway`.
#[derive(Debug, Args)]
pub struct GatewayArgs {
    #[command(subcommand)]
    command: GatewayCommand,
}

#[derive(Debug, Subcommand)]
enum GatewayCommand {
    /// Make a gateway's home: a profile and an account book to fill in, a journal, the bank's
    /// folder.
    New(new::NewArgs),
    /// Pay what the chain instructs, and say on the chain what the bank says, until SIGTERM or
    /// SIGINT.
    Run(run::RunArgs),
    /// Show where payments stand, and those about which a person decides.
    Status(status::StatusArgs),
    /// Hold a day's statements against the chain, and write the report that settles a window.
    Reconcile(reconcile::ReconcileArgs),
}

/// Runs the subcommand that was given, and says how it ended.
pub async fn run(args: GatewayArgs, output: Output) -> anyhow::Result<Exit> {
    match args.command {
        GatewayCommand::New(args) => new::run(&args, output),
        GatewayCommand::Run(args) => run::run(args, output).await,
        GatewayCommand::Status(args) => status::run(&args, output),
        GatewayCommand::Reconcile(args) => reconcile::run(args, output),
    }
}

/// Gives a fault its exit code: what a person wrote, or what is broken on this side.
fn exit_of<T>(result: Result<T, GatewayFault>) -> anyhow::Result<T> {
    let exit = match &result {
        Err(
            GatewayFault::Profile(_)
            | GatewayFault::Accounts(_)
            | GatewayFault::Stranger { .. }
            | GatewayFault::Day(_)
            | GatewayFault::Exists(_),
        ) => Exit::Usage,
        _ => Exit::Fault,
    };
    result.exit(exit)
}
