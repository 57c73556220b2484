//! docs/risk.md shows features and codes as the code has them. `SLUICE_WRITE_PAGES=1` writes them.

use risk_engine::{ModelFlaw, catalogue};

const PAGE: &str = "../../docs/risk.md";

/// Compares what stands between two marks of the page with what the code says, or writes it.
#[expect(clippy::disallowed_methods, reason = "says if the page is to be written")]
fn hold_page(mark: &str, made: &str) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (begin, end) = (format!("<!-- {mark} begins -->\n"), format!("<!-- {mark} ends -->"));
    let (before, rest) = page.split_once(&begin).expect("the mark of a part that is made");
    let (actual, after) = rest.split_once(&end).expect("its end");
    if std::env::var_os("SLUICE_WRITE_PAGES").is_some() {
        std::fs::write(PAGE, format!("{before}{begin}{made}{end}{after}")).unwrap();
    } else {
        assert_eq!(actual, made, "{PAGE}: SLUICE_WRITE_PAGES=1 writes it");
    }
}

/// Both parts in one test: a run that writes them writes one file.
#[test]
fn the_page_has_the_features_and_the_codes() {
    let mut made = "| number | feature | unit | what it is |\n|---|---|---|---|\n".to_owned();
    for row in catalogue() {
        made += &format!("| {} | {} | {} | {} |\n", row.number, row.name, row.unit, row.about);
    }
    hold_page("features", &made);
    let (tree, node, child) = (0, 0, 0);
    let flaws = [
        ModelFlaw::Truncated(0),
        ModelFlaw::Trailing(0),
        ModelFlaw::Magic,
        ModelFlaw::FeaturesVersion(0),
        ModelFlaw::Trees(0),
        ModelFlaw::Nodes { tree, nodes: 0 },
        ModelFlaw::UnknownFeature { tree, node, feature: 0 },
        ModelFlaw::Cyclic { tree, node, child },
        ModelFlaw::ChildRange { tree, node, child },
        ModelFlaw::Order { tree, node },
        ModelFlaw::Leaf { tree, node },
        ModelFlaw::Depth { tree, node },
        ModelFlaw::Mean { tree, node },
        ModelFlaw::Sum(0),
        ModelFlaw::Limits { hold_at: 0, refuse_at: 0 },
    ];
    let mut made = "| code | name | message |\n|---|---|---|\n".to_owned();
    for (number, flaw) in (1..).zip(flaws) {
        let (code, name) = flaw.code();
        assert_eq!(code, number, "{name}");
        made += &format!("| {code} | `{name}` | {flaw} |\n");
    }
    hold_page("codes", &made);
}
