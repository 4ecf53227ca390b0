//! How long a connection may take over the head of a request, and over an answer. The HTTP library
//! has one clock for a head that trickles in and for a connection that rests between two requests.
//! The first must be short; the second longer than the proxies' in front of us, which otherwise send
//! a request into a connection that is just being closed. And it waits for ever with an answer that
//! its client does not take, which would be a way to fill our memory.

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
    time::{Instant, Sleep, sleep},
};

use crate::transport::Limits;

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

/// A connection that fails when a head or an answer takes too long.
#[derive(Debug)]
pub(super) struct Patient {
    stream: TcpStream,
    phase: Phase,
    limits: Arc<Limits>,
    /// When the head has to be there.
    head: Option<Pin<Box<Sleep>>>,
    /// When the client has to have taken more; none while it takes all we have.
    answer: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// A new connection owes us a head at once.
    pub(super) fn new(stream: TcpStream, limits: Arc<Limits>) -> (Self, Phase) {
        let phase = Phase(Arc::new(AtomicU8::new(HEAD)));
        let patient = Self {
            stream,
            phase: phase.clone(),
            limits,
            head: None,
            answer: None,
        };
        (patient, phase)
    }

    /// Looks at the clock of an answer. What the client takes gives it time for the rest at the pace
    /// it must keep, and never more than it began with.
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Limits {
            stall, answer_rate, ..
        } = *self.limits;
        match (&outcome, &mut self.answer) {
            (Poll::Pending, answer) => {
                let deadline = answer.get_or_insert_with(|| Box::pin(sleep(stall)));
                if deadline.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            (Poll::Ready(Ok(taken)), Some(deadline)) => {
                let until = later(deadline.deadline(), *taken, answer_rate);
                deadline.as_mut().reset(until.min(Instant::now() + stall));
            }
            _ => {}
        }
        outcome
    }
}

/// The deadline of a client that has taken some bytes.
fn later(deadline: Instant, taken: usize, rate: u32) -> Instant {
    let taken = u32::try_from(taken).unwrap_or(u32::MAX);
    deadline + Duration::from_secs(1) * taken / rate.max(1)
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
            self.head = None;
            return outcome;
        }
        let limit = self.limits.head_time;
        let deadline = self.head.get_or_insert_with(|| Box::pin(sleep(limit)));
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
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Who flushes has written all there was.
        self.answer = None;
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
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.wrote(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_little_earns_little() {
        let deadline = Instant::now();
        assert_eq!(
            later(deadline, 16 * 1024, 8 * 1024),
            deadline + Duration::from_secs(2)
        );
        assert_eq!(
            later(deadline, 1, 8 * 1024),
            deadline + Duration::from_nanos(122_070)
        );
    }
}
