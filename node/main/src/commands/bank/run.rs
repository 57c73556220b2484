//! `sluice bank run`: the simulated bank at work.

use std::time::Duration;

use clap::Args;
use node_console::exit::Exit;
use node_console::output::Output;
use node_console::signals::cancel_on_signal;
use rpc_bank::{BankHabits, BankOffice, BankTurn};
use rpc_client::operations::now;

use super::{JournalArgs, exit_of};

/// Arguments of `sluice bank run`.
#[derive(Debug, Args)]
#[command(after_help = "\
For tests alone: no bank of the world is behind it. It can be ended at any moment, also by kill -9:
it goes on from its journal, which says what was really paid.

--faults is a list such as all,silent=0 or lost=160,delay-ms=500, read from left to right. Numbers
are of 1,000:
  payments  by-entry rejected unfunded returned bounced wrong-amount silent waiting contradicted
  messages  refused-file called-duplicate part split merged reported
  files     lost twice torn
  besides   delay-ms (the longest delay of a file), behind-s (seconds that the bank's clock is
            behind)
docs/gateway.md says what each of them is.")]
pub struct BankRunArgs {
    #[command(flatten)]
    journal: JournalArgs,
    /// The seed of every draw [default: that of the journal, or 1 for a new one].
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How the bank misbehaves: none, all, or names with numbers.
    #[arg(long, value_name = "LIST", default_value = "none", value_parser = BankHabits::parse)]
    faults: BankHabits,
    /// How long to pause between two turns, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 500,
          value_parser = clap::value_parser!(u64).range(10..=600_000))]
    pause_ms: u64,
    /// Do one turn and end.
    #[arg(long)]
    once: bool,
    /// At the end, state the gateway's accounts by a camt.053 each. A day that ends while the bank
    /// runs is stated without it.
    #[arg(long)]
    close: bool,
}

/// Does turn after turn.
pub async fn run(args: BankRunArgs, output: Output) -> anyhow::Result<Exit> {
    let (folder, journal) = args.journal.paths()?;
    let mut office = exit_of(BankOffice::open(&folder, &journal, args.seed, args.faults))?;
    let stop = cancel_on_signal()?;
    let mut day = office.bank().day(now().get());
    loop {
        let now_ms = now().get();
        let turn = exit_of(office.turn(now_ms))?;
        if turn != BankTurn::default() || args.once {
            output.note(&text(turn));
        }
        let today = office.bank().day(now_ms);
        if today != day {
            exit_of(office.close(now_ms))?;
            day = today;
        }
        if args.once {
            break;
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(Duration::from_millis(args.pause_ms)) => {}
        }
    }
    if args.close {
        let files = exit_of(office.close(now().get()))?;
        output.note(&format!("{files} files put in at the end of the day"));
    }
    Ok(Exit::Done)
}

fn text(turn: BankTurn) -> String {
    let BankTurn { received, moved, delivered } = turn;
    format!("{received} messages taken, {moved} movements of money, {delivered} files put in")
}
