//! Binds the port, accepts connections within their number, and stops cleanly.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::server::stop_channel;
use prometheus_client::registry::Registry;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::backend::Backend;
use crate::budget::Budget;
use crate::config::ServerConfig;
use crate::connection::{Connection, GatedStream};
use crate::http;
use crate::methods;
use crate::metrics::RpcMetrics;
use crate::policy::Policy;
use crate::turns::ask_for_short_turns;

/// The time between two sweeps of budgets that are full again.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// How long to wait when the system gives no connection, such as for want of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n\
    content-length: 46\r\nconnection: close\r\n\r\n\
    Too many connections; retry, or another node.\n";

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// The address cannot be listened at.
    #[error("rpc.listen = {address}: {}; {}", problem(source), remedy(source))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The system gives no threads.
    #[error("no threads for rpc.listen ({0}); raise the limit of processes, or stop others")]
    Threads(io::Error),
    /// Two methods have one name.
    #[error("two methods of the interface have one name: {0}; this is a defect, report it")]
    Methods(String),
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

/// A running server, on threads of its own: what clients do holds up other clients only.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
    threads: Threads,
}

/// The threads of a server. Who lets go of them does not wait for them: it may be a thread of
/// another runtime, which must not.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> io::Result<(Self, Handle)> {
        let short_turns = || {
            if let Err(error) = ask_for_short_turns() {
                tracing::debug!(%error, "a thread of the public port gets turns like any other");
            }
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("rpc")
            .on_thread_start(short_turns)
            .enable_all()
            .build()?;
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

impl Server {
    /// Listens and serves until `cancel`. Figures are registered under `sluice_rpc_` and served
    /// from `registry` with the node's own.
    ///
    /// # Errors
    /// When the address cannot be listened at, or there can be no more threads.
    pub fn start(
        config: ServerConfig,
        backend: Arc<dyn Backend>,
        registry: Arc<Mutex<Registry>>,
        cancel: CancellationToken,
    ) -> Result<Self, ServerFault> {
        let (threads, handle) = Threads::start().map_err(ServerFault::Threads)?;
        let listen = config.listen;
        let bind = |source| ServerFault::Bind { address: listen, source };
        let listener = std::net::TcpListener::bind(listen).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let metrics = RpcMetrics::register(&registry);
        let budget = Arc::new(Budget::new(config.calls_per_second_max));
        let methods = methods::all(&config, &backend, &metrics, &cancel)
            .map_err(|error| ServerFault::Methods(error.to_string()))?;
        let policy =
            Arc::new(Policy::new(&config, budget.clone(), metrics.clone(), methods.clone()));
        let (stop, stopper) = stop_channel();
        let router = http::router(&config, methods, stop, policy, backend, registry);
        let acceptor = Acceptor {
            permits: Arc::new(Semaphore::new(config.connections_max as usize)),
            config,
            router,
            metrics,
            budget,
            tasks: TaskTracker::new(),
            cancel,
            abort: CancellationToken::new(),
        };
        let listener = {
            let _entered = handle.enter();
            TcpListener::from_std(listener).map_err(bind)?
        };
        let task = handle.spawn(async move {
            acceptor.accept_until_cancelled(listener).await;
            // WebSocket connections live outside the tasks that accepted them.
            let _ = stopper.stop();
            acceptor.finish().await;
        });
        Ok(Self { address, task, threads })
    }

    /// Where it listens; with the port that the system chose, if it was to choose.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when the server has stopped after `cancel`.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server ended early");
        }
        drop(self.threads);
    }
}

struct Acceptor {
    config: ServerConfig,
    router: Router,
    metrics: RpcMetrics,
    budget: Arc<Budget>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    cancel: CancellationToken,
    /// Ends connections that did not end by themselves.
    abort: CancellationToken,
}

impl Acceptor {
    async fn accept_until_cancelled(&self, listener: TcpListener) {
        let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
        loop {
            tokio::select! {
                () = self.cancel.cancelled() => return,
                _ = sweep.tick() => self.budget.forget_idle(),
                accepted = listener.accept() => match accepted {
                    // Others stay in the system's queue meanwhile, and cost this process nothing.
                    Ok((stream, _)) if stream.as_raw_fd() >= self.config.descriptor_ceiling => {
                        drop(stream);
                        self.metrics.refused_for_want_of_descriptors();
                        tokio::time::sleep(ACCEPT_RETRY).await;
                    }
                    Ok((stream, peer)) => self.admit(stream, peer),
                    Err(error) => {
                        tracing::debug!(%error, "a connection could not be accepted");
                        self.metrics.refused_for_want_of_descriptors();
                        tokio::time::sleep(ACCEPT_RETRY).await;
                    }
                },
            }
        }
    }

    fn admit(&self, mut stream: TcpStream, peer: SocketAddr) {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            self.metrics.refused_connection();
            // Its send buffer is empty, so this does not wait; if it does, the client is not told.
            let _ = futures::FutureExt::now_or_never(stream.write_all(TOO_MANY));
            return;
        };
        // Answers are written whole; waiting to fill a packet would only delay them.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let connection = Connection::new(
            peer.ip(),
            self.config.calls_per_connection_max.max(1),
            permit,
            self.metrics.open_connection(),
        );
        let serving = serve(
            GatedStream::new(stream, connection.clone()),
            connection,
            self.router.clone(),
            Duration::from_millis(self.config.header_timeout_ms),
            self.cancel.clone(),
        );
        let abort = self.abort.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = serving => {}
                () = abort.cancelled() => {}
            }
        });
    }

    /// Lets connections finish what they have in hand, for a while.
    async fn finish(&self) {
        self.tasks.close();
        let patience = Duration::from_millis(self.config.stop_timeout_ms);
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            self.abort.cancel();
            self.tasks.wait().await;
        }
    }
}

/// Serves one connection until it closes, or after `cancel` until its request is answered.
async fn serve(
    stream: GatedStream<TcpStream>,
    connection: Arc<Connection>,
    router: Router,
    header_timeout: Duration,
    cancel: CancellationToken,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(connection.clone());
        router.clone().oneshot(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = cancel.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}
