//! Connections over real pipes.

use std::io::{PipeReader, PipeWriter, Write, pipe};

use super::super::connection::Connection;
use super::super::wire::{LIMIT, WireError, WorkerReply, encode};

fn on_a_loop<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn frame(reply: &WorkerReply) -> Vec<u8> {
    let mut frames = Vec::new();
    encode(reply, &mut frames).unwrap();
    frames
}

/// A connection, and the other ends of its pipes.
fn connection() -> (Connection, PipeReader, PipeWriter) {
    let (incoming, their_writer) = pipe().unwrap();
    let (their_reader, outgoing) = pipe().unwrap();
    (Connection::new(incoming, outgoing).unwrap(), their_reader, their_writer)
}

#[test]
fn an_end_between_messages_is_one_and_within_a_message_a_failure() {
    on_a_loop(async {
        let (mut connection, _reader, mut writer) = connection();
        writer.write_all(&frame(&WorkerReply::Ready)).unwrap();
        drop(writer);
        assert_eq!(connection.receive().await.unwrap(), Some(WorkerReply::Ready));
        assert_eq!(connection.receive::<WorkerReply>().await.unwrap(), None);
    });
    on_a_loop(async {
        let (mut connection, _reader, mut writer) = connection();
        writer.write_all(&frame(&WorkerReply::Ready)[..5]).unwrap();
        drop(writer);
        assert!(matches!(connection.receive::<WorkerReply>().await, Err(WireError::Cut)));
    });
}

#[test]
fn a_message_that_is_larger_than_the_connection_holds_gets_through() {
    on_a_loop(async {
        let (mut connection, reader, writer) = connection();
        let mut other = Connection::new(reader, writer).unwrap();
        let causes = vec!["x".repeat(LIMIT - 100)];
        let message = frame(&WorkerReply::Refused(causes.clone()));
        let (sent, received) = tokio::join!(connection.send(&message), other.receive());
        sent.unwrap();
        assert!(received.unwrap() == Some(WorkerReply::Refused(causes)));
    });
}

#[test]
fn a_message_to_a_side_that_is_gone_is_a_failure() {
    on_a_loop(async {
        let (mut connection, reader, _writer) = connection();
        drop(reader);
        let sent = connection.send(&frame(&WorkerReply::Ready)).await;
        assert!(matches!(sent, Err(WireError::Broken(_))), "{sent:?}");
    });
}

#[test]
fn closing_ends_what_the_other_side_reads_and_nothing_else() {
    on_a_loop(async {
        let (connection, reader, writer) = connection();
        let mut other = Connection::new(reader, writer).unwrap();
        let incoming = PipeReader::from(connection.close().unwrap());
        assert_eq!(other.receive::<WorkerReply>().await.unwrap(), None);
        other.send(b"still open").await.unwrap();
        drop(other);
        assert_eq!(std::io::read_to_string(incoming).unwrap(), "still open");
    });
}

#[test]
fn files_and_wrong_ends_are_no_connection() {
    on_a_loop(async {
        let file = || std::fs::File::open("/dev/null").unwrap();
        let (reader, writer) = pipe().unwrap();
        assert!(Connection::new(file(), writer.try_clone().unwrap()).is_err());
        assert!(Connection::new(reader.try_clone().unwrap(), file()).is_err());
        assert!(Connection::new(writer, reader).is_err());
    });
}
