//! Relayed enlistment, and the URLs that clients get.

use crate::{
    support::{Partner, chat_server::ChatServer, refused},
    with_relay,
};
use reqwest::header;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

#[tokio::test]
async fn an_enlistment_and_its_response_are_relayed() {
    let whatsapp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/3p/interop_reg", whatsapp.local_addr().unwrap());
    let partner = Partner::with(|config| config.relay.enlist_url = Some(url)).await;
    let cookie = partner.account("alice").await;
    let post = |cookie: &str, kind: &str, body: Vec<u8>| {
        let request = partner.http.post(partner.url("/relay/enlist")).header(header::COOKIE, cookie);
        request.header(header::CONTENT_TYPE, kind.to_owned()).body(body).send()
    };
    let form = "application/x-www-form-urlencoded";
    let answering = tokio::spawn(async move {
        let (mut stream, _) = whatsapp.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"user_identifier=alice") {
            request.push(stream.read_u8().await.unwrap());
        }
        let answer = "{\"status\":\"ok\"}";
        let head = format!("HTTP/1.1 418 x\r\nContent-Length: {}\r\nSet-Cookie: a=b\r\n\r\n{answer}", answer.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        drop(stream);
        // The second response exceeds the maximum size.
        let (mut stream, _) = whatsapp.accept().await.unwrap();
        let mut head = [0; 4];
        stream.read_exact(&mut head).await.unwrap();
        let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 70_000]].concat();
        let _ = stream.write_all(&endless).await;
        String::from_utf8(request).unwrap()
    });
    let answer = post(&cookie, form, b"user_identifier=alice".to_vec()).await.unwrap();
    assert_eq!(answer.status(), 418);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
    assert!(!answer.headers().contains_key(header::SET_COOKIE));
    assert_eq!(answer.text().await.unwrap(), "{\"status\":\"ok\"}");
    refused(post(&cookie, form, b"a=b".to_vec()).await.unwrap(), 502, "bad_gateway").await;
    let request = answering.await.unwrap().to_ascii_lowercase();
    assert!(request.contains("\r\nx-forwarded-for: 127.0.0.1\r\n"), "{request}");
    assert!(!request.contains("cookie"), "{request}");
    refused(post("x=1", form, b"a=b".to_vec()).await.unwrap(), 401, "not_signed_in").await;
    refused(post(&cookie, "text/plain", b"a=b".to_vec()).await.unwrap(), 400, "form_invalid").await;
    assert_eq!(post(&cookie, form, vec![b'x'; 17 * 1_024]).await.unwrap().status(), 413);
    let none = Partner::start().await;
    let cookie = none.account("alice").await;
    let post = none.http.post(none.url("/relay/enlist")).header(header::COOKIE, cookie).send().await.unwrap();
    refused(post, 404, "not_found").await;
}

#[tokio::test]
async fn the_profile_points_clients_to_the_relay() {
    let server = ChatServer::start().await;
    let partner = with_relay(&server, "ws", |config| {
        config.relay.enlist_url = Some("https://v.example/3p/interop_reg".to_owned());
    })
    .await;
    let own = partner.running.addr;
    let profile = partner.get("/api/profile").await;
    let policy = profile.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains(&format!("connect-src 'self' ws://{own} http://{own};")), "{policy}");
    let text = profile.text().await.unwrap();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    for (name, value) in
        [("chat_url", format!("ws://{own}/relay")), ("enlist_url", format!("http://{own}/relay/enlist"))]
    {
        assert!(pairs.contains(&(name.to_owned(), value)), "{text}");
    }
}
