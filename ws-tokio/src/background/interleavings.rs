//! Handles, the background task and a peer in every order that their threads can have, up to a number of preemptions. A wake-up that is
//! lost leaves somebody waiting for ever, which loom reports as a deadlock.

use super::*;
use crate::Error;
use crate::driver::Asked;
use crate::wakers::Slot;
use loom::future::block_on;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::io;
use std::mem::take;
use std::pin::Pin;
use std::task::Waker;
use tokio::io::ReadBuf;
use ws_proto::{Config, Connection, Message, Negotiated, Role};

/// A stream that takes [`ROOM`] bytes until its peer takes them away.
#[derive(Clone)]
struct Pipe(Arc<Ends>);

struct Ends {
    state: Mutex<State>,
    written: Condvar,
}

#[derive(Default)]
struct State {
    out: Vec<u8>,
    writer: Option<Waker>,
    inward: Vec<u8>,
    reader: Option<Waker>,
}

const ROOM: usize = 2;

impl Pipe {
    fn new() -> Self {
        Self(Arc::new(Ends { state: Mutex::new(State::default()), written: Condvar::new() }))
    }

    /// Takes so many bytes, as the peer, and makes room for more.
    fn take(&self, len: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        while taken.len() < len {
            let mut state = self.0.state.lock().unwrap();
            while state.out.is_empty() {
                state = self.0.written.wait(state).unwrap();
            }
            taken.append(&mut state.out);
            let writer = state.writer.take();
            drop(state);
            writer.into_iter().for_each(Waker::wake);
        }
        taken
    }

    /// Sends bytes, as the peer.
    fn give(&self, bytes: &[u8]) {
        let mut state = self.0.state.lock().unwrap();
        state.inward.extend(bytes);
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.state.lock().unwrap();
        if state.inward.is_empty() {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        buf.put_slice(&take(&mut state.inward));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.state.lock().unwrap();
        let n = buf.len().min(ROOM - state.out.len());
        if n == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.out.extend(&buf[..n]);
        drop(state);
        self.0.written.notify_one();
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A server's socket whose background task has a thread of its own.
fn shared(pipe: &Pipe) -> Arc<Shared<Pipe>> {
    let config = Config::builder().ping_interval(None).build().unwrap();
    let connection = Connection::new(Negotiated::new(Role::Server), config, std::time::Instant::now());
    let ops = Ops(|shared: &Arc<Shared<Pipe>>, asked| {
        assert_eq!(format!("{asked:?}"), format!("{:?}", Asked::Spawn), "handles stay until the end");
        let task = Task { shared: Arc::clone(shared), reader: None, ended: false };
        thread::spawn(move || block_on(task.run()));
        true
    });
    Shared::new(pipe.clone(), connection, ops)
}

/// The stream is gone: a task that rests, or is about to, finds that and ends.
fn retire(shared: &Shared<Pipe>) {
    let mut core = shared.lock();
    let stream = core.wire.stream.take();
    let resting = core.resting.take();
    drop(core);
    drop(stream);
    resting.into_iter().for_each(Waker::wake);
}

fn flush(shared: &Arc<Shared<Pipe>>, slot: Slot) -> thread::JoinHandle<Result<(), Error>> {
    let shared = Arc::clone(shared);
    thread::spawn(move || block_on(poll_fn(|cx| shared.poll_flush(slot, cx))))
}

fn in_every_order(preemptions: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(test);
}

#[test]
fn what_two_tasks_feed_leaves_while_the_background_task_comes_and_rests() {
    in_every_order(3, || {
        let pipe = Pipe::new();
        let shared = shared(&pipe);
        let feeding = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.feed(Message::from("a")).unwrap())
        };
        shared.feed(Message::from("b")).unwrap();
        let written = pipe.take(6);
        feeding.join().unwrap();
        assert!(matches!(&*written, [0x81, 1, b'a' | b'b', 0x81, 1, b'a' | b'b']), "{written:?}");
        retire(&shared);
    });
}

#[test]
fn what_is_fed_when_the_background_task_is_about_to_rest_leaves() {
    in_every_order(3, || {
        let pipe = Pipe::new();
        let shared = shared(&pipe);
        for text in ["a", "b"] {
            shared.feed(Message::from(text)).unwrap();
            assert_eq!(pipe.take(3), [0x81, 1, text.as_bytes()[0]]);
        }
        retire(&shared);
    });
}

#[test]
fn a_task_that_waits_for_the_answer_to_a_close_frame_of_another_gets_it() {
    in_every_order(2, || {
        let pipe = Pipe::new();
        let shared = shared(&pipe);
        shared.divide();
        let receiving = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut reader = Reader::default();
                block_on(poll_fn(|cx| shared.poll_message(&mut reader, cx)))
            })
        };
        shared.start_closing(CloseCode::NORMAL, "").unwrap();
        assert_eq!(pipe.take(4), [0x88, 2, 3, 232]);
        pipe.give(&[0x88, 0x82, 0, 0, 0, 0, 3, 232]);
        assert!(matches!(receiving.join().unwrap(), Ok(None)));
        retire(&shared);
    });
}

#[test]
fn a_flush_and_the_background_task_both_see_that_there_is_room() {
    for slot in [Slot::Sender, Slot::Flusher] {
        in_every_order(2, move || {
            let pipe = Pipe::new();
            let shared = shared(&pipe);
            if matches!(slot, Slot::Flusher) {
                shared.divide();
            }
            shared.feed(Message::from("a")).unwrap();
            let flushing = flush(&shared, slot);
            assert_eq!(pipe.take(3), [0x81, 1, b'a']);
            flushing.join().unwrap().unwrap();
            retire(&shared);
        });
    }
}

#[test]
fn who_flushes_for_all_and_who_sends_do_not_take_each_others_wake_up() {
    in_every_order(2, || {
        let pipe = Pipe::new();
        let shared = shared(&pipe);
        shared.divide();
        shared.feed(Message::from("a")).unwrap();
        let flushing = [Slot::Sender, Slot::Flusher].map(|slot| flush(&shared, slot));
        assert_eq!(pipe.take(3), [0x81, 1, b'a']);
        for flushing in flushing {
            flushing.join().unwrap().unwrap();
        }
        retire(&shared);
    });
}
