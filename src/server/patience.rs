//! How long a connection may take over the head of a request. The HTTP library has one clock for a
//! head that trickles in and for a connection that rests between two requests. The first must be
//! short; the second longer than the proxies' in front of us, which otherwise send a request into a
//! connection that is just being closed.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

const RESTING: u8 = 0;
const HEAD: u8 = 1;
const SERVING: u8 = 2;

/// What a connection is about, told by those who know.
#[derive(Clone, Debug)]
pub(super) struct Phase(Arc<AtomicU8>);

impl Phase {
    /// A request has arrived whole.
    pub(super) fn serving(&self) {
        self.0.store(SERVING, Ordering::Relaxed);
    }

    /// The request is answered.
    pub(super) fn resting(&self) {
        self.0.store(RESTING, Ordering::Relaxed);
    }
}

/// A connection that fails when a head takes too long.
#[derive(Debug)]
pub(super) struct Patient {
    stream: TcpStream,
    phase: Phase,
    limit: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// A new connection owes us a head at once.
    pub(super) fn new(stream: TcpStream, limit: Duration) -> (Self, Phase) {
        let phase = Phase(Arc::new(AtomicU8::new(HEAD)));
        let patient = Self {
            stream,
            phase: phase.clone(),
            limit,
            deadline: None,
        };
        (patient, phase)
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        let phase = &self.phase.0;
        if buf.filled().len() > before && phase.load(Ordering::Relaxed) == RESTING {
            phase.store(HEAD, Ordering::Relaxed);
        }
        if phase.load(Ordering::Relaxed) != HEAD {
            self.deadline = None;
            return outcome;
        }
        let limit = self.limit;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
        if deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        outcome
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
