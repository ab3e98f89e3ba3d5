//! The demo's website: what it tells of those who come, and whom it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

use std::sync::Arc;

use cablecar::webauthn::{Create, Get, Origin};
use cablecar_tests::World;
use cablecar_tests::website::Website;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A website that is open, as somebody finds it.
struct Visit {
    origin: Origin,
    host: String,
}

impl Visit {
    async fn open() -> Self {
        let (website, listeners) = Website::open(0).await.unwrap();
        let origin = website.origin();
        for listener in listeners {
            tokio::spawn(Arc::clone(&website).serve(listener));
        }
        let host = origin.strip_prefix("http://").unwrap().to_owned();
        Self { origin: Origin::parse(&origin).unwrap(), host }
    }

    /// The whole answer to a request of this head.
    async fn raw(&self, line: &str, host: &str, origin: &str, body: &str) -> String {
        let port = self.host.rsplit(':').next().unwrap();
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// What the page's script would be told, or the refusal.
    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        let line = format!("POST {path}");
        let answer = self.raw(&line, &self.host, self.origin.as_str(), &body.to_string()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        if head.starts_with("HTTP/1.1 200 ") {
            Ok(serde_json::from_str(body).unwrap())
        } else {
            Err(body.into())
        }
    }

    async fn register(&self, world: &mut World, name: &str) -> Result<Value, String> {
        let begun = self.post("/register/begin", json!({"name": name})).await?;
        let create = Create::from_json(begun["options"].to_string().as_bytes(), &self.origin).unwrap();
        let (answer, _) = world.play(&create.ask()).await;
        let response = create.finish(&answer.unwrap()).unwrap();
        self.post("/register/finish", json!({"ticket": begun["ticket"], "response": response})).await
    }

    /// A response to sign in, and the ticket for it.
    async fn response(&self, world: &mut World) -> (Value, Value) {
        let begun = self.post("/sign-in/begin", json!({})).await.unwrap();
        let get = Get::from_json(begun["options"].to_string().as_bytes(), &self.origin).unwrap();
        let (answer, _) = world.play(&get.ask()).await;
        let response = get.finish(&answer.unwrap()).unwrap();
        (serde_json::to_value(response).unwrap(), begun["ticket"].clone())
    }
}

#[tokio::test]
async fn whoever_comes_with_a_phone_is_told_so() {
    let (visit, mut world) = (Visit::open().await, World::default());
    assert!(visit.post("/sign-in/begin", json!({})).await.unwrap_err().contains("register first"));
    let told = visit.register(&mut world, "alice").await.unwrap();
    let wanted = json!({"name": "alice", "verified": true, "attachment": "cross-platform", "phone": true});
    assert_eq!(told, wanted);
    let (response, ticket) = visit.response(&mut world).await;
    let told = visit.post("/sign-in/finish", json!({"ticket": ticket, "response": response})).await;
    assert_eq!(told, Ok(wanted));
}

#[tokio::test]
async fn a_response_counts_once_and_only_if_it_is_true() {
    let (visit, mut world) = (Visit::open().await, World::default());
    visit.register(&mut world, "alice").await.unwrap();
    let (response, ticket) = visit.response(&mut world).await;
    let mut false_one = response.clone();
    false_one["response"]["signature"] = json!("AAAA");
    let body = json!({"ticket": ticket, "response": false_one});
    visit.post("/sign-in/finish", body).await.unwrap_err();
    // Its ticket is spent, also for the true one.
    let body = json!({"ticket": ticket, "response": response});
    assert!(visit.post("/sign-in/finish", body).await.unwrap_err().contains("begin again"));
    // Another challenge is another question.
    let begun = visit.post("/sign-in/begin", json!({})).await.unwrap();
    let body = json!({"ticket": begun["ticket"], "response": response});
    visit.post("/sign-in/finish", body).await.unwrap_err();
}

#[tokio::test]
async fn other_names_and_other_pages_get_nothing() {
    let visit = Visit::open().await;
    let own = visit.origin.as_str().to_owned();
    assert!(visit.raw("GET /", &visit.host, &own, "").await.starts_with("HTTP/1.1 200 "));
    assert!(visit.raw("GET /", "rebound.example", &own, "").await.starts_with("HTTP/1.1 404 "));
    assert!(visit.raw("GET /else", &visit.host, &own, "").await.starts_with("HTTP/1.1 404 "));
    let line = "POST /register/begin";
    let elsewhere = visit.raw(line, &visit.host, "https://evil.example", "{\"name\":\"x\"}").await;
    assert!(elsewhere.starts_with("HTTP/1.1 403 "), "{elsewhere}");
    let long = visit.raw(line, &visit.host, &own, &" ".repeat(70_000)).await;
    assert!(long.starts_with("HTTP/1.1 400 "), "{long}");
}
