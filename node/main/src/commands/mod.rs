//! The command line: one file a command.

mod audit;
mod backup;
mod bank;
mod bench;
mod bench_history;
mod change_list;
mod close;
mod decide;
mod gateway;
mod key;
mod lineage;
mod localnet;
pub mod logging;
mod network;
mod nodes;
mod order;
mod proof;
mod query;
mod receipt;
mod render;
mod replay;
mod restore;
mod scenario;
mod start;
mod statement;
mod submission;
mod submit;
mod token;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use node_console::exit::Exit;
use node_console::output::Output;

const AFTER_HELP: &str = "\
Exit codes:
  0  done, or the answer is yes
  1  done, and the answer is no (an invalid receipt, a digest that differs, a run that is not well)
  2  the command line, or a file that it names, is wrong
  3  the chain refused, with a code
  4  no node could be reached, or none answered in time
  5  something is broken on this side: a disk, a permission, a port
  6  governance removed this node, or gave it keys that are not here (sluice start)";

/// The settlement chain for recharge flows.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Answer with one JSON document on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    log: logging::LogOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a network: keys, node and participant configurations, one genesis file.
    Network(network::NetworkArgs),
    /// Make keys, show their public halves, replace those of a participant or of a node.
    Key(key::KeyArgs),
    /// Make, list and revoke the tokens that a node's callers show.
    Token(token::TokenArgs),
    /// Run a node until SIGTERM or SIGINT.
    Start(start::StartArgs),
    /// Run a whole network on this machine, with a recharge service and gateways at work.
    Localnet(localnet::LocalnetArgs),
    /// Sign operations written by people and submit them.
    Submit(submit::SubmitArgs),
    /// Propose many changes of merchants and programmes at once; show the digest of a file's list.
    ChangeList(change_list::ChangeListArgs),
    /// Approve or refuse a transfer, a change of the registry or a held order.
    Decide(decide::DecideArgs),
    /// Ask a node about windows, accounts, rates, proposals and more.
    Query(query::QueryArgs),
    /// Show an order's state, as a node reports it.
    Order(order::OrderArgs),
    /// Fetch an order's receipt into a file.
    Receipt(receipt::ReceiptArgs),
    /// Fetch the proof of an account's counters at a height, or of a closed window's report, into a
    /// file.
    Proof(proof::ProofArgs),
    /// Fetch every change of validators into a file, verified: with it, receipts and proofs are
    /// small.
    Lineage(lineage::LineageArgs),
    /// Verify a receipt or a proof against the genesis file, without any node.
    Verify(verify::VerifyArgs),
    /// Re-execute a home's blocks from genesis and compare every digest.
    Replay(replay::ReplayArgs),
    /// Audit a home: recompute its outcomes, accounts and windows by the independent rules.
    Audit(audit::AuditArgs),
    /// Write what a home's ledger held, moved and owed on one day, as files that add up.
    Close(close::CloseArgs),
    /// Copy a home's blocks into a folder while its node runs; never its keys or its vote guard.
    Backup(backup::BackupArgs),
    /// Make a new home from a backup, with every block verified from genesis.
    Restore(restore::RestoreArgs),
    /// Write a merchant's month or a gateway's settlement window, line by line, from a home's
    /// blocks.
    Statement(statement::StatementArgs),
    /// Connect a bank: pay what the chain instructs, and say on the chain what the bank says.
    Gateway(gateway::GatewayArgs),
    /// Simulate a bank for tests of a gateway: seeded faults, and a journal of what was really
    /// paid.
    Bank(bank::BankArgs),
    /// Put load on a network over its public RPC and measure.
    Bench(bench::BenchArgs),
    /// Write a long history into a home and measure whether an order still costs the same.
    BenchHistory(bench_history::BenchHistoryArgs),
    /// Run a load of known size and sum on a network, and audit the result.
    Scenario(scenario::ScenarioArgs),
}

/// Parses the command line, runs the command and gives the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    match run(cli, output) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output.error(&error);
            Exit::of(&error).into()
        }
    }
}

fn run(cli: Cli, output: Output) -> anyhow::Result<Exit> {
    // A node's configuration says how it logs; other commands are quiet: their answer matters.
    let node = match &cli.command {
        Command::Start(args) => Some(args.config()?),
        _ => None,
    };
    match &node {
        Some(node) => logging::start(&cli.log, &node.log.filter, node.log.json)?,
        None => logging::start(&cli.log, "warn", false)?,
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // The root future runs on this thread, the process's first: children that are to end with
    // their parent are bound to the thread that started them.
    let exit = runtime.block_on(async move {
        match cli.command {
            Command::Network(args) => network::run(args, output),
            Command::Key(args) => key::run(args, output).await,
            Command::Token(args) => token::run(&args, output),
            Command::Start(args) => start::run(args, node).await,
            Command::Localnet(args) => localnet::run(args, output).await,
            Command::Submit(args) => submit::run(args, output).await,
            Command::ChangeList(args) => change_list::run(args, output).await,
            Command::Decide(args) => decide::run(args, output).await,
            Command::Query(args) => query::run(args, output).await,
            Command::Order(args) => order::run(args, output).await,
            Command::Receipt(args) => receipt::run(args, output).await,
            Command::Proof(args) => proof::run(args, output).await,
            Command::Lineage(args) => lineage::run(args, output).await,
            Command::Verify(args) => verify::run(args, output),
            Command::Replay(args) => replay::run(args, output),
            Command::Audit(args) => audit::run(args, output),
            Command::Close(args) => close::run(args, output),
            Command::Backup(args) => backup::run(args, output),
            Command::Restore(args) => restore::run(args, output),
            Command::Statement(args) => statement::run(args),
            Command::Gateway(args) => gateway::run(args, output).await,
            Command::Bank(args) => bank::run(args, output).await,
            Command::Bench(args) => bench::run(args, output).await,
            Command::BenchHistory(args) => bench_history::run(args, output),
            Command::Scenario(args) => scenario::run(args, output).await,
        }
    })?;
    // A command that is done does not wait for idle connections.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    Ok(exit)
}

#[cfg(test)]
mod tests;
