#![allow(clippy::unwrap_used, clippy::expect_used)]
use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: BenchArgs,
}

fn args(line: &str) -> BenchArgs {
    Line::try_parse_from(["bench"].into_iter().chain(line.split_whitespace())).unwrap().args
}

fn options(line: &str) -> BenchOptions {
    args(line).options().unwrap()
}

fn plan(options: &BenchOptions) -> NetworkPlan {
    match &options.ground {
        Ground::Fresh { plan, .. } => (**plan).clone(),
        Ground::Network { .. } => unreachable!("a new network was asked for"),
    }
}

#[test]
fn without_options_the_load_has_the_platform_s_shape() {
    let options = options("");
    let skew = Skew { merchants: 1.0, users: 1.0 };
    assert_eq!(options.shape, LoadShape::Platform { skew, programmes: 200 });
    let plan = plan(&options);
    assert_eq!((plan.merchants, plan.gateways, plan.currencies.len()), (10_000, 8, 18));
    assert_eq!((options.users, options.seed), (2_500_000, 1));
    assert_eq!(options.sizes.shares().len(), PLATFORM_SIZES.len());
    // As many orders in flight as with two batches of 8,192.
    assert_eq!(options.pace, Pace::Closed { in_flight: 36 });
    assert_eq!(options.websockets, 0);
}

#[test]
fn the_uniform_shape_is_what_was_measured_before() {
    let options = options("--uniform-merchants 10");
    assert_eq!(options.shape, LoadShape::Uniform { merchants_max: 10 });
    assert_eq!(plan(&options), NetworkPlan::default());
    assert_eq!((options.users, options.sizes.shares()), (500_000, vec![(8_192, 100.0)]));
    assert_eq!(options.pace, Pace::Closed { in_flight: 2 });
}

#[test]
fn each_part_of_the_shape_can_be_chosen() {
    let line = "--merchants 100000 --zipf 0 --gateways 20 --currencies 3 --users 7 --programmes 9";
    let all = options(line);
    let skew = Skew { merchants: 0.0, users: 0.0 };
    assert_eq!(all.shape, LoadShape::Platform { skew, programmes: 9 });
    let plan = plan(&all);
    assert_eq!((plan.merchants, plan.gateways, plan.currencies.len()), (100_000, 20, 3));
    assert_eq!(all.users, 7);
    let LoadShape::Platform { skew, .. } = options("--zipf 0.5 --users-zipf 2").shape else {
        unreachable!("no uniform shape was asked for")
    };
    assert_eq!((skew.merchants, skew.users), (0.5, 2.0));
    let single = options("--batch-items 1");
    assert_eq!((single.sizes.most(), single.websockets), (1, 16));
    assert_eq!(single.pace, Pace::Closed { in_flight: 512 });
    assert_eq!(options("--batch-items 1024").pace, Pace::Closed { in_flight: 16 });
    assert_eq!(
        options("--batch-items 1024 --uniform-merchants 10").pace,
        Pace::Closed { in_flight: 2 }
    );
    let open = options("--rate 5 --uniform-merchants 4 --gateways 3");
    assert_eq!(open.pace, Pace::Open { rate: 5, in_flight_max: 256 });
}

#[test]
fn a_report_that_cannot_be_compared_with_is_refused_before_anything_starts() {
    let error = args("--compare /nowhere/at/all.json").options().unwrap_err();
    assert_eq!(Exit::of(&error), Exit::Usage);
    assert!(format!("{error:#}").contains("all.json"), "{error:#}");
}

#[test]
fn an_overload_has_a_gateway_for_each_client_and_leaves_other_loads_alone() {
    assert!(!args("").overload.is_asked());
    let args = args("--overload 2,5,10 --crowd 12 --calm 4 --rogue 0,2 --seconds 5");
    assert!(args.overload.is_asked());
    let overload = args.overload.options();
    assert_eq!((overload.factors.clone(), overload.rogues.clone()), (vec![2, 5, 10], vec![0, 2]));
    assert_eq!((overload.submitters(), overload.valid_ms), (18, 3_000));
    for line in ["--overload 2 --rate 5", "--overload 2 --network x", "--crowd 3"] {
        let words = ["bench"].into_iter().chain(line.split_whitespace());
        assert!(Line::try_parse_from(words).is_err(), "{line}");
    }
}
