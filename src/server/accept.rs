//! Takes connections, serves them, and lets go of them in order. Not `axum::serve`, which waits for
//! the head of a request for ever and takes any number of connections.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use hyper::{server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Server, gate::Gate, patience::Patient};
use crate::transport::{Limits, Seat};

/// Bytes of a request's head.
const HEAD: usize = 64 * 1024;

/// A connection that was taken.
struct Arrival {
    stream: TcpStream,
    peer: SocketAddr,
    seat: Seat,
}

impl Server {
    /// Serves until `shutdown`, then finishes what has begun and returns.
    pub async fn serve(self, shutdown: CancellationToken) {
        let Self {
            socket,
            router,
            limits,
            proxies,
            stopping,
            running,
        } = self;
        let listener = socket.listener;
        let mut gate = Gate::new(&limits, proxies);
        while let Some(arrival) = next(&listener, &mut gate, &shutdown).await {
            let work = connection(arrival, router.clone(), limits.clone(), stopping.clone());
            running.spawn(work);
        }
        drop(listener);
        stopping.cancel();
        running.close();
        if timeout(limits.drain, running.wait()).await.is_err() {
            let left = running.len();
            tracing::warn!(left, "stopped before everything that had begun was over");
        }
    }
}

/// The next connection; none once the server is to stop.
async fn next(
    listener: &TcpListener,
    gate: &mut Gate,
    shutdown: &CancellationToken,
) -> Option<Arrival> {
    let arrival = async {
        let mut room = gate.room().await?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => match gate.seat(room, peer.ip()) {
                    Ok(seat) => return Some(Arrival { stream, peer, seat }),
                    // Dropped, and thereby refused.
                    Err(free) => room = free,
                },
                Err(error) => {
                    // Usually there are no file descriptors left; some will be soon.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => None,
        arrived = arrival => arrived,
    }
}

async fn connection(
    arrival: Arrival,
    router: Router,
    limits: Arc<Limits>,
    stopping: CancellationToken,
) {
    let Arrival { stream, peer, seat } = arrival;
    // Answers are small and awaited; where this cannot be set they are only a little later.
    let _ = stream.set_nodelay(true);
    let (stream, phase) = Patient::new(stream, limits.clone());
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(seat.clone());
        phase.serving();
        let (answer, phase) = (router.call(request), phase.clone());
        async move {
            let answer = answer.await?;
            // A connection that turns into a socket sends no more heads.
            if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                phase.resting();
            }
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.rest_time)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    // How a connection ends is the client's affair: it left, was too slow, or spoke no HTTP.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
