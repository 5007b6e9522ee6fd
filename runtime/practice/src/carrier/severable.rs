//! Connections that the server can cut before its answer leaves: the request was acted upon, and the caller never knows.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct SeverableListener(pub TcpListener);

pub(crate) struct SeverableStream {
    stream: TcpStream,
    severed: Arc<AtomicBool>,
}

/// Given to each request: the shears for the connection it came by.
#[derive(Clone, Default)]
pub(crate) struct Shears(Arc<AtomicBool>);

impl Shears {
    /// Nothing more is written to this connection; the caller sees it reset.
    pub fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn are_closed(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Listener for SeverableListener {
    type Io = SeverableStream;
    type Addr = Arc<AtomicBool>;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        let severed = Arc::new(AtomicBool::new(false));
        (SeverableStream { stream, severed: severed.clone() }, severed)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(Arc::default())
    }
}

impl Connected<IncomingStream<'_, SeverableListener>> for Shears {
    fn connect_info(stream: IncomingStream<'_, SeverableListener>) -> Self {
        Shears(stream.remote_addr().clone())
    }
}

impl SeverableStream {
    fn refuse_when_severed(&self) -> io::Result<()> {
        if self.severed.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for SeverableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for SeverableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.refuse_when_severed()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.refuse_when_severed()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
