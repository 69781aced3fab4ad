//! `std::io` over a script.

use super::{Progress, ScriptedIo};
use std::io::{self, ErrorKind, IoSlice, Read, Write};

impl<T> Progress<T> {
    fn or_would_block(self) -> io::Result<T> {
        match self {
            Self::Done(result) => result,
            Self::NotNow | Self::NotYet => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Read for ScriptedIo {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = buf.len();
        let sink = |bytes: &[u8]| buf.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
        self.script().take(most, sink).or_would_block()
    }
}

impl Write for ScriptedIo {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.script().put(bufs).or_would_block()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.script().flushes += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_where_the_script_says() {
        let (mut io, peer) = ScriptedIo::new();
        peer.send("a").fail_read(ErrorKind::ConnectionReset).end();
        let mut buf = [0; 4];
        assert_eq!(io.read(&mut buf).unwrap(), 1);
        assert_eq!(io.read(&mut buf).unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!((io.read(&mut buf).unwrap(), io.read(&mut buf).unwrap()), (0, 0));
        peer.take_at_most(3).fail_writes(ErrorKind::BrokenPipe);
        assert_eq!(io.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cd")]).unwrap(), 3);
        assert_eq!(io.write(b"d").unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(io.write(b"d").unwrap_err().kind(), ErrorKind::BrokenPipe);
        drop(io);
        assert!(peer.is_dropped() && peer.take_written() == b"abc" && peer.written().is_empty());
    }

    #[test]
    fn without_a_script_reads_wait_and_writes_are_taken() {
        let (mut io, peer) = ScriptedIo::new();
        assert_eq!(io.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        io.write_all(b"all").unwrap();
        io.flush().unwrap();
        assert_eq!((peer.written(), peer.flushes()), (b"all".to_vec(), 1));
    }
}
