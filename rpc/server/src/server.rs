//! Binds the ports, accepts connections within their shares, and stops cleanly.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::server::Methods;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Gatekeeper;
use crate::budget::Budget;
use crate::config::ServerConfig;
use crate::connection::{Connection, Pools};
use crate::dispatch::Dispatcher;
use crate::gate::Gate;
use crate::http;
use crate::metrics::{RpcMetrics, TlsMetrics};
use crate::operator::{Health, Operator};
use crate::parameters;
use crate::port::Shared;
use crate::reader::Reader;
use crate::reads::Reads;
use crate::seldom::Seldom;
use crate::tls::{Tls, TlsFault, TlsFiles};
use crate::tokens::TokensFault;
use crate::turns::ask_for_short_turns;

/// The time between two sweeps of budgets that are full again.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// The time between two looks at deadlines of writing.
const OVERDUE_INTERVAL: Duration = Duration::from_millis(100);
/// How long to wait when the system gives no connection, such as for want of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);
/// The calls that a handshake of TLS counts for in the budget of its address.
pub(crate) const HANDSHAKE_CALLS: u32 = 20;
/// The longest header of a request, and the most that is read of a connection ahead of what is in
/// hand: it is held once a connection.
pub(crate) const HEADER_BYTES_MAX: usize = 16 * 1024;
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n\
    content-length: 46\r\nretry-after: 1\r\nconnection: close\r\n\r\n\
    Too many connections; retry, or another node.\n";

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// The address cannot be listened at.
    #[error("{setting} = {address}: {}; {}", problem(source), remedy(source))]
    Bind {
        /// The setting that names the address.
        setting: &'static str,
        /// The address that was asked for.
        address: SocketAddr,
        /// The reason that the system gives.
        source: io::Error,
    },
    /// The system gives no threads.
    #[error("no threads for rpc.listen ({0}); raise the limit of processes, or stop others")]
    Threads(io::Error),
    /// The files of a listener's TLS cannot be used.
    #[error("{setting}: {source}")]
    Tls {
        /// The section that names the files.
        setting: &'static str,
        /// The file and its fault.
        source: TlsFault,
    },
    /// The file of tokens cannot be used.
    #[error("rpc.access.tokens: {0}")]
    Tokens(#[from] TokensFault),
    /// Two methods have one name.
    #[error("two methods of the interface have one name: {0}; this is a defect, report it")]
    Methods(#[from] RegisterMethodError),
}

fn problem(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        io::ErrorKind::PermissionDenied => "the port needs privileges".to_owned(),
        _ => source.to_string(),
    }
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => "stop that program, or choose another port",
        io::ErrorKind::AddrNotAvailable => "use one of this machine's addresses, or 0.0.0.0",
        io::ErrorKind::PermissionDenied => "choose a port above 1023",
        _ => "choose another address",
    }
}

/// A running server, on threads of its own: what clients do holds up other clients only, and not
/// those who watch the node.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    operator_address: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
    threads: Vec<Threads>,
}

/// Threads of a server. Who lets go of them does not wait for them: it may be a thread of another
/// runtime, which must not.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Threads {
    fn start(mut builder: Builder, name: &str) -> Result<(Self, Handle), ServerFault> {
        let short_turns = || {
            if let Err(error) = ask_for_short_turns() {
                tracing::debug!(%error, "a thread of the server gets turns like any other");
            }
        };
        let builder = builder.thread_name(name).on_thread_start(short_turns).enable_all();
        let runtime = builder.build().map_err(ServerFault::Threads)?;
        let handle = runtime.handle().clone();
        Ok((Self(Some(runtime)), handle))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn bind(
    setting: &'static str,
    address: SocketAddr,
    handle: &Handle,
) -> Result<(TcpListener, SocketAddr), ServerFault> {
    let open = || -> io::Result<(TcpListener, SocketAddr)> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let local = listener.local_addr()?;
        let _entered = handle.enter();
        Ok((TcpListener::from_std(listener)?, local))
    };
    open().map_err(|source| ServerFault::Bind { setting, address, source })
}

/// Follows the file of tokens, if there is one, and gives their accounts their own rates.
fn watch_tokens(
    gatekeeper: &Arc<Gatekeeper>,
    budget: &Arc<Budget>,
    cancel: CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let budget = budget.clone();
    budget.set_own(gatekeeper.rates());
    let changed = move |keeper: &Gatekeeper| budget.set_own(keeper.rates());
    gatekeeper.clone().watch(changed, cancel)
}

fn open_tls(
    setting: &'static str,
    files: TlsFiles,
    config: &ServerConfig,
    metrics: TlsMetrics,
) -> Result<Arc<Tls>, ServerFault> {
    let timeout = Duration::from_millis(config.header_timeout_ms);
    let tls = Tls::open(files, timeout, metrics);
    tls.map(Arc::new).map_err(|source| ServerFault::Tls { setting, source })
}

impl Server {
    /// Listens and serves until `cancel`: at the public address what `methods` makes of the
    /// server's reader, at the operator's what `health` says. Figures are registered under
    /// `sluice_rpc_` and served from `registry` with the node's own, at the operator's address.
    ///
    /// # Errors
    /// When an address cannot be listened at, or there can be no more threads.
    pub fn start(
        config: ServerConfig,
        methods: impl FnOnce(&Reader) -> Result<Methods, RegisterMethodError>,
        health: Health,
        registry: Arc<Mutex<Registry>>,
        cancel: CancellationToken,
    ) -> Result<Self, ServerFault> {
        let (threads, handle) = Threads::start(Builder::new_multi_thread(), "rpc")?;
        let (listener, address) = bind("rpc.listen", config.listen, &handle)?;
        let metrics = RpcMetrics::register(&registry);
        let budget = Arc::new(Budget::new(config.calls_per_second_max));
        let reads = Reads::new(&config, &metrics);
        let reader = Reader::new(reads, budget.clone(), metrics.clone(), cancel.clone());
        let methods = methods(&reader).and_then(|methods| parameters::hold(&methods))?;
        let mut server =
            Self { address, operator_address: None, tasks: Vec::new(), threads: vec![threads] };
        let gatekeeper = Arc::new(Gatekeeper::open(config.access.clone())?);
        server.tasks.push(handle.spawn(watch_tokens(&gatekeeper, &budget, cancel.clone())));
        let tls = config.tls.clone().map(|files| {
            let metrics = TlsMetrics::register(&registry, "sluice_rpc");
            open_tls("rpc.tls", files, &config, metrics)
        });
        let tls = tls.transpose()?;
        if let Some(tls) = &tls {
            server.tasks.push(handle.spawn(tls.clone().watch(cancel.clone())));
        }
        let (operator_listen, operator_tls) = (config.operator_listen, config.operator_tls.clone());
        let operator_tls = operator_tls.map(|files| {
            let metrics = TlsMetrics::register(&registry, "sluice_operator");
            open_tls("operator.tls", files, &config, metrics)
        });
        let operator_tls = operator_tls.transpose()?;
        let shared = Arc::new(Shared {
            tls,
            dispatcher: Dispatcher::new(&config, budget, metrics.clone(), gatekeeper, methods),
            pools: Pools::new(&config, &metrics),
            gate: Gate::new(&config),
            config,
            metrics,
            tasks: TaskTracker::new(),
            stop: cancel.clone(),
            abort: CancellationToken::new(),
        });
        if let Some(listen) = operator_listen {
            let shared = shared.clone();
            server.start_operator(
                listen,
                Operator { health, registry, tls: operator_tls, shared },
                cancel,
            )?;
        }
        let mut acceptor = Acceptor::new(shared);
        server.tasks.push(handle.spawn(async move {
            acceptor.accept_until_cancelled(listener).await;
            acceptor.finish().await;
        }));
        Ok(server)
    }

    fn start_operator(
        &mut self,
        listen: SocketAddr,
        operator: Operator,
        cancel: CancellationToken,
    ) -> Result<(), ServerFault> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1);
        let (threads, handle) = Threads::start(builder, "operator")?;
        let (listener, address) = bind("operator.listen", listen, &handle)?;
        self.operator_address = Some(address);
        if let Some(tls) = &operator.tls {
            self.tasks.push(handle.spawn(tls.clone().watch(cancel.clone())));
        }
        self.tasks.push(handle.spawn(operator.serve(listener, cancel)));
        self.threads.push(threads);
        Ok(())
    }

    /// The address at which it listens, with the port that the system chose, if it was to choose.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the operator's paths, if they are served.
    pub fn operator_address(&self) -> Option<SocketAddr> {
        self.operator_address
    }

    /// Returns when the server has stopped after `cancel`.
    pub async fn stopped(self) {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "the server ended early");
            }
        }
        drop(self.threads);
    }
}

struct Acceptor {
    shared: Arc<Shared>,
    /// Those that may have something unwritten, by number.
    open: HashMap<u64, Weak<Connection>>,
    next_number: u64,
    failures: Seldom,
}

impl Acceptor {
    fn new(shared: Arc<Shared>) -> Self {
        Self { shared, open: HashMap::new(), next_number: 0, failures: Seldom::new() }
    }

    async fn accept_until_cancelled(&mut self, listener: TcpListener) {
        let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
        let mut overdue = tokio::time::interval(OVERDUE_INTERVAL);
        let stop = self.shared.stop.clone();
        let ceiling = self.shared.config.descriptor_ceiling;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = sweep.tick() => self.shared.dispatcher.budget.forget_idle(),
                _ = overdue.tick() => self.end_overdue(),
                accepted = listener.accept() => match accepted {
                    // Others stay in the system's queue meanwhile, and cost this process nothing.
                    Ok((stream, _)) if stream.as_raw_fd() >= ceiling => {
                        drop(stream);
                        self.shared.metrics.refused("descriptors");
                        tokio::time::sleep(ACCEPT_RETRY).await;
                    }
                    Ok((stream, peer)) => self.admit(stream, peer),
                    Err(error) => {
                        self.accept_failed(&error);
                        tokio::time::sleep(ACCEPT_RETRY).await;
                    }
                },
            }
        }
    }

    /// Clients can cause this, by holding descriptors: it is counted, and logged rarely.
    fn accept_failed(&self, error: &io::Error) {
        self.shared.metrics.refused("descriptors");
        if let Some(count) = self.failures.count() {
            tracing::warn!(%error, count, "connections could not be accepted");
        }
    }

    /// Ends connections whose peers do not take what is written to them, or whose tokens no longer
    /// hold.
    fn end_overdue(&mut self) {
        let metrics = &self.shared.metrics;
        let gatekeeper = &self.shared.dispatcher.gatekeeper;
        self.open.retain(|_, connection| {
            let Some(connection) = connection.upgrade() else { return false };
            let credential = connection.credential.get();
            if let Some(error) = credential.and_then(|credential| gatekeeper.refusal(credential)) {
                metrics.access_refused(error);
                connection.activity.end.cancel();
                return false;
            }
            let is_overdue = connection.is_overdue();
            if is_overdue {
                metrics.refused("write-time");
                connection.activity.end.cancel();
            }
            !is_overdue
        });
    }

    fn admit(&mut self, mut stream: TcpStream, peer: SocketAddr) {
        let shared = &self.shared;
        let address = peer.ip().to_canonical();
        let is_proxy = shared.gate.is_proxy(address);
        let opened = Connection::open(address, is_proxy, &shared.config, &shared.pools);
        let Ok(connection) = opened else {
            shared.metrics.refused("connections");
            // Its send buffer is empty, so this does not wait; if it does, the client is not told.
            let _ = futures::FutureExt::now_or_never(stream.write_all(TOO_MANY));
            return;
        };
        // Answers are written whole; waiting to fill a packet would only delay them.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        self.next_number += 1;
        self.open.insert(self.next_number, Arc::downgrade(&connection));
        let (end, abort) = (connection.activity.end.clone(), shared.abort.clone());
        let serving = secure(stream, connection, shared.clone());
        shared.tasks.spawn(async move {
            tokio::select! {
                () = serving => {}
                () = end.cancelled() => {}
                () = abort.cancelled() => {}
            }
        });
    }

    /// Lets connections finish what they have in hand, for a while.
    async fn finish(&mut self) {
        let shared = self.shared.clone();
        shared.tasks.close();
        let patience = Duration::from_millis(shared.config.stop_timeout_ms);
        if tokio::time::timeout(patience, shared.tasks.wait()).await.is_err() {
            shared.abort.cancel();
            shared.tasks.wait().await;
        }
    }
}

/// Serves one connection, by TLS where the listener speaks it. A handshake costs a signature: it is
/// paid from the budget of calls of the client's address, unless that is a proxy's.
async fn secure(stream: TcpStream, connection: Arc<Connection>, shared: Arc<Shared>) {
    let Some(tls) = shared.tls.clone() else {
        return serve(stream, connection, shared).await;
    };
    let peer = connection.peer;
    if !shared.gate.is_proxy(peer)
        && shared.dispatcher.budget.take_more(peer, HANDSHAKE_CALLS).is_err()
    {
        return shared.metrics.refused("handshakes");
    }
    if let Some(stream) = tls.accept(stream).await {
        serve(stream, connection, shared).await;
    }
}

/// Serves one connection until it closes, or after the server was asked to stop until its request
/// is answered.
async fn serve<S>(stream: S, connection: Arc<Connection>, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let header_timeout = Duration::from_millis(shared.config.header_timeout_ms);
    let stop = shared.stop.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let serving = http::serve(shared.clone(), connection.clone(), request);
        async move { Ok::<_, Infallible>(serving.await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(HEADER_BYTES_MAX)
        .header_read_timeout(header_timeout)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}
