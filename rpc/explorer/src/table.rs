//! Every file of the explorer: the path at which it is served, its media type, and its bytes.

/// Path, media type and bytes.
pub(crate) type Row = (&'static str, &'static str, &'static [u8]);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

macro_rules! files {
    ($($path:literal $kind:ident $file:literal)*) => {
        /// The files. Those below `client` are the TypeScript client's own: a receipt is verified
        /// here by the code that verifies it there.
        pub(crate) const FILES: &[Row] = &[$(
            (concat!("/explorer/", $path), $kind, include_bytes!(concat!("../", $file))),
        )*];
    };
}

files! {
    "" HTML "static/index.html"
    "style.css" CSS "static/style.css"
    "icon.svg" SVG "static/icon.svg"
    "js/chart.js" SCRIPT "static/js/chart.js"
    "js/columns.js" SCRIPT "static/js/columns.js"
    "js/csv.js" SCRIPT "static/js/csv.js"
    "js/identify.js" SCRIPT "static/js/identify.js"
    "js/latest.js" SCRIPT "static/js/latest.js"
    "js/list.js" SCRIPT "static/js/list.js"
    "js/live.js" SCRIPT "static/js/live.js"
    "js/main.js" SCRIPT "static/js/main.js"
    "js/money.js" SCRIPT "static/js/money.js"
    "js/pin.js" SCRIPT "static/js/pin.js"
    "js/proofs.js" SCRIPT "static/js/proofs.js"
    "js/prove.js" SCRIPT "static/js/prove.js"
    "js/resource.js" SCRIPT "static/js/resource.js"
    "js/route.js" SCRIPT "static/js/route.js"
    "js/rpc.js" SCRIPT "static/js/rpc.js"
    "js/scope.js" SCRIPT "static/js/scope.js"
    "js/text.js" SCRIPT "static/js/text.js"
    "js/time.js" SCRIPT "static/js/time.js"
    "js/token.js" SCRIPT "static/js/token.js"
    "js/view.js" SCRIPT "static/js/view.js"
    "js/pages/all.js" SCRIPT "static/js/pages/all.js"
    "js/pages/chain.js" SCRIPT "static/js/pages/chain.js"
    "js/pages/fx.js" SCRIPT "static/js/pages/fx.js"
    "js/pages/ledger.js" SCRIPT "static/js/pages/ledger.js"
    "js/pages/network.js" SCRIPT "static/js/pages/network.js"
    "js/pages/orders.js" SCRIPT "static/js/pages/orders.js"
    "js/pages/overview.js" SCRIPT "static/js/pages/overview.js"
    "js/pages/parties.js" SCRIPT "static/js/pages/parties.js"
    "js/pages/risk.js" SCRIPT "static/js/pages/risk.js"
    "js/pages/search.js" SCRIPT "static/js/pages/search.js"
    "js/pages/settlement.js" SCRIPT "static/js/pages/settlement.js"
    "js/pages/trust.js" SCRIPT "static/js/pages/trust.js"
    "client/bytes.js" SCRIPT "../../clients/typescript/src/bytes.js"
    "client/certificate.js" SCRIPT "../../clients/typescript/src/certificate.js"
    "client/crypto.js" SCRIPT "../../clients/typescript/src/crypto.js"
    "client/genesis.js" SCRIPT "../../clients/typescript/src/genesis.js"
    "client/kinds.js" SCRIPT "../../clients/typescript/src/kinds.js"
    "client/lineage.js" SCRIPT "../../clients/typescript/src/lineage.js"
    "client/merkle.js" SCRIPT "../../clients/typescript/src/merkle.js"
    "client/proof.js" SCRIPT "../../clients/typescript/src/proof.js"
    "client/receipt.js" SCRIPT "../../clients/typescript/src/receipt.js"
    "client/toml.js" SCRIPT "../../clients/typescript/src/toml.js"
    "client/verify.js" SCRIPT "../../clients/typescript/src/verify.js"
    "vendor/lit-html/lit-html.js" SCRIPT "vendor/lit-html/lit-html.js"
    "vendor/lit-html/LICENSE" TEXT "vendor/lit-html/LICENSE"
    "vendor/uplot/uPlot.iife.min.js" SCRIPT "vendor/uplot/uPlot.iife.min.js"
    "vendor/uplot/uPlot.min.css" CSS "vendor/uplot/uPlot.min.css"
    "vendor/uplot/LICENSE" TEXT "vendor/uplot/LICENSE"
    "vendor/noble-ed25519/index.js" SCRIPT "vendor/noble-ed25519/index.js"
    "vendor/noble-ed25519/LICENSE" TEXT "vendor/noble-ed25519/LICENSE"
    "vendor/noble-hashes/sha2.js" SCRIPT "vendor/noble-hashes/sha2.js"
    "vendor/noble-hashes/_md.js" SCRIPT "vendor/noble-hashes/_md.js"
    "vendor/noble-hashes/_u64.js" SCRIPT "vendor/noble-hashes/_u64.js"
    "vendor/noble-hashes/utils.js" SCRIPT "vendor/noble-hashes/utils.js"
    "vendor/noble-hashes/crypto.js" SCRIPT "vendor/noble-hashes/crypto.js"
    "vendor/noble-hashes/LICENSE" TEXT "vendor/noble-hashes/LICENSE"
}
