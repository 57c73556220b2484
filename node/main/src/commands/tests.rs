#![allow(clippy::unwrap_used, clippy::expect_used)]
//! The command line as people type it.

use clap::{CommandFactory as _, Parser as _};
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::message_of;

use super::Cli;

const ID: &str = "0190a8e2-7c00-7000-8000-000000000000";

fn parses(line: &str) -> bool {
    Cli::try_parse_from(line.split_whitespace()).is_ok()
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn what_the_documentation_shows_parses() {
    for line in [
        "sluice localnet new folder",
        "sluice localnet new folder --validators 7 --edges 1 --base-port 30000 --currencies CNY,USD",
        "sluice --json localnet new folder --window-ms 5000",
        "sluice network assemble plan.toml --out network",
        "sluice key new participant.key --for participant",
        "sluice key new k --for validator --json",
        "sluice key show participant.key",
        "sluice key show participant.key --rpc http://a:1,http://b:2",
        "sluice key rotate --participant p.toml --new-key next.key",
        "sluice key rotate --participant p.toml --new-key next.key --operator o.toml \
         --overlap-heights 0 --activation-height 900 --rpc http://a:1",
        "sluice network join --genesis g.toml --out d --name validator-4 --operator 1 \
         --listen 127.0.0.1:1 --rpc 127.0.0.1:2 --peer validator-0=127.0.0.1:3 \
         --peer validator-1=127.0.0.1:4,validator-2=127.0.0.1:5 --edge",
        "sluice start --config node.toml --log debug --log-json",
        "sluice localnet",
        "sluice localnet --for 120 --rate 800 --validators 4 --home x --base-port 40000 --json",
        "sluice submit --participant p.toml -",
        "sluice submit --participant p.toml orders.csv --kind collect --wait admitted",
        "sluice submit --participant p.toml o.toml --rpc http://a:1,http://b:2 --format toml",
        &format!("sluice order {ID} --rpc http://127.0.0.1:26001"),
        &format!("sluice order {ID} --rpc http://a:1 --rpc http://b:1 --json"),
        &format!("sluice receipt {ID} --rpc http://127.0.0.1:26001 --out r.bin"),
        "sluice verify r.bin --genesis genesis.toml",
        "sluice submit --participant p.toml --kind rate --set currency=USD --set rate=7.1",
        "sluice submit --participant p.toml changes.toml --kind proposal",
        &format!("sluice decide transfer {ID} approve --participant p.toml --reference r"),
        &format!("sluice decide proposal {ID} refuse --participant p.toml --rpc http://a:1"),
        &format!("sluice decide hold {ID} release --participant p.toml --reason ACCP"),
        "sluice query window 7 --rpc http://a:1",
        "sluice query transfers --open --limit 5 --rpc http://a:1 --json",
        "sluice query reference CNY USD --rpc http://a:1",
        "sluice proof gateway-liquidity:201:CNY --height 9 --rpc http://a:1 --out p.bin",
        "sluice proof window 7 --rpc http://a:1 --out p.bin",
        "sluice bank run gateway-201 --seed 7 --faults all,silent=0 --pause-ms 100 --close",
        "sluice bank run shared --journal other.journal --once",
        "sluice bank status gateway-201 --json",
        "sluice bank statement gateway-201",
        "sluice gateway run h --participant p.toml --kill-at message-out:2",
        "sluice gateway run h --participant p.toml --kill-at any:40 --once",
        "sluice statement merchant 1001 --month 2026-11 --offset-min 480 --home h --genesis g.toml",
        "sluice statement gateway 201 --window 7 --format csv --home h --genesis g.toml",
        "sluice close --home h --genesis g.toml --day 2026-11-29 --out d --previous e --json",
        "sluice gateway new home --participant p.toml",
        "sluice gateway run home --participant p.toml --rpc http://a:1 --pause-ms 500 --once",
        "sluice gateway status home --json",
        "sluice gateway reconcile home --day 2026-11-30 --explained A,B",
        "sluice replay --home nodes/validator-0/home --genesis genesis.toml",
        "sluice bench --network folder --start --seconds 60 --rate 20000 --batch-items 500",
        "sluice bench --network folder --pids 1,2,3,4 --in-flight 8",
        "sluice bench --merchants 100000 --zipf 0.8 --users-zipf 0 --gateways 20 --seed 7",
        "sluice bench --uniform-merchants 10 --currencies 1 --in-flight 3",
        "sluice bench --network folder --uniform-merchants 10",
        "sluice bench --compare before.json --compare-unlike",
        "sluice bench-history",
        "sluice bench-history --orders 1000000,10000000 --parameter order_validity_ms=20000",
    ] {
        assert!(parses(line), "{line}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "sluice",
        "sluice network",
        "sluice gateway",
        "sluice gateway run home",
        "sluice gateway run home --participant p.toml --pause-ms 0",
        "sluice gateway reconcile home",
        "sluice network new folder",
        "sluice network assemble plan.toml",
        "sluice key",
        "sluice key new",
        "sluice key new k",
        "sluice key new k --for everything",
        "sluice key rotate --participant p.toml",
        "sluice localnet new",
        "sluice network join --genesis g.toml --out d --name validator-4 --operator 1 \
         --listen 127.0.0.1:1 --rpc 127.0.0.1:2",
        "sluice network join --genesis g.toml --out d --name validator-4 --operator 1 \
         --listen 127.0.0.1:1 --rpc 127.0.0.1:2 --peer validator-0",
        "sluice localnet new folder --currencies XXQ",
        "sluice localnet new folder --base-port 70000",
        "sluice localnet --rate 0",
        "sluice submit orders.csv",
        "sluice submit --participant p.toml",
        "sluice submit --participant p.toml f --kind refund",
        "sluice order --rpc http://a:1",
        "sluice order not-an-id --rpc http://a:1",
        &format!("sluice order {ID}"),
        &format!("sluice receipt {ID} --rpc http://a:1"),
        "sluice verify r.bin",
        "sluice replay --home h",
        "sluice bench --network f --batch-items 0",
        "sluice bench --merchants 0",
        "sluice bench --merchants 100001",
        "sluice bench --merchants 20 --uniform-merchants 10",
        "sluice bench --network f --merchants 20",
        "sluice bench --zipf -1",
        "sluice bench --zipf 4.5",
        "sluice bench --zipf NaN",
        "sluice bench --uniform-merchants 10 --zipf 1",
        "sluice bench --without-contracts --programmes 5",
        "sluice bench --currencies 19",
        "sluice bench --compare-unlike",
        "sluice bench-history --orders 0",
        "sluice bench-history --home a --folder b",
        "sluice bench --network f --batch-items 8193",
        "sluice bench --network f --seconds 0",
        "sluice mint 100",
        "sluice submit --participant p.toml f --set currency=USD",
        &format!("sluice decide hold {ID} release --participant p.toml"),
        &format!("sluice decide order {ID} approve --participant p.toml"),
        "sluice query colour --rpc http://a:1",
        "sluice query windows --limit 1001 --rpc http://a:1",
        "sluice query windows",
        "sluice proof window --rpc http://a:1 --out p.bin",
        "sluice proof 201 --rpc http://a:1 --out p.bin",
        "sluice statement merchant 1001 --month 2026-13 --home h --genesis g.toml",
        "sluice statement merchant 1001 --month 2026-11 --offset-min 841 --home h --genesis g.toml",
        "sluice statement gateway 201 --home h --genesis g.toml",
    ] {
        assert!(!parses(line), "{line}");
    }
}

#[test]
fn an_error_s_exit_code_is_the_one_it_was_given() {
    assert_eq!(Exit::of(&anyhow::anyhow!("x")), Exit::Fault);
    assert_eq!(Exit::of(&failure(Exit::Refused, "x")), Exit::Refused);
    let error = failure(Exit::Refused, "x").context("while trying");
    assert_eq!(Exit::of(&error), Exit::Refused);
    let error = Err::<(), _>(std::io::Error::other("disk")).exit(Exit::Usage).unwrap_err();
    assert_eq!(Exit::of(&error), Exit::Usage);
}

#[test]
fn a_message_is_one_line_of_causes_without_exit_words() {
    let error = failure(Exit::Usage, "the cause").context("the place");
    assert_eq!(message_of(&error), "the place: the cause");
    let error = anyhow::anyhow!("inner").context("outer: inner");
    assert_eq!(message_of(&error), "outer: inner");
}

#[test]
fn numbers_of_exit_codes_are_frozen() {
    let exits =
        [Exit::Done, Exit::Negative, Exit::Usage, Exit::Refused, Exit::Unreachable, Exit::Fault];
    let numbers: Vec<u8> = exits.iter().map(|exit| exit.number()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
}
