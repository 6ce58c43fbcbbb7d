//! Many hosts: a run closes connections that are idle.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use crate::support::{Ended, Place};

/// Answers every request, and never closes a connection by itself.
fn keep_alive(stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap_or(0) > 0 {
        if line == "\r\n" {
            // The client may have closed the connection already.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage");
        }
        line.clear();
    }
}

/// Only Linux gives every address of 127.0.0.0/8 to loopback.
#[cfg(target_os = "linux")]
#[test]
fn idle_connections_leave_room_for_others() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || keep_alive(stream.unwrap()));
        }
    });
    let place = Place::new();
    let url =
        |host: usize| format!("http://127.0.{}.{}:{port}/{host}\n", host / 200, host % 200 + 1);
    let list = place.file("list", (0..600).map(url).collect::<String>());
    // Each run opens 600 connections, and may have far fewer open at a time.
    for workers in ["1", "16"] {
        let arguments = ["-i", &list, "-j", workers, "--retry", "0", "--no-save", "--json"];
        let ended = Ended::of(place.command_with_files(256, &arguments).output().unwrap());
        let summary = ended.code(0).json();
        assert_eq!((&summary["saved"], &summary["connections"]), (&600.into(), &600.into()));
    }
}
