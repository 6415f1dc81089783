//! The media host over HTTP: interrupted uploads, downloads, and memory use.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod support;

use causeway_partner::Config;
use reqwest::{Client, Response, header};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use support::{Partner, chat_server::LONG, refused};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use url::form_urlencoded;

const TYPE: &str = "application/octet-stream";
const MIB: usize = 1 << 20;

/// Bytes that differ between positions.
fn noise(length: usize) -> Vec<u8> {
    let mut seed = 7_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// A client of one account.
struct Uploader {
    http: Client,
    base: String,
    cookie: String,
}

impl Uploader {
    async fn new(partner: &Partner, name: &str) -> Self {
        Self { http: partner.http.clone(), base: partner.url(""), cookie: partner.account(name).await }
    }

    async fn announce(&self, size: usize, kind: &str) -> Response {
        let form = [("size", size.to_string()), ("type", kind.to_owned())];
        let request = self.http.post(format!("{}/api/media", self.base)).header(header::COOKIE, &self.cookie);
        request.form(&form).send().await.unwrap()
    }

    async fn begin(&self, size: usize) -> String {
        let response = self.announce(size, TYPE).await;
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["tus-resumable"], "1.0.0");
        let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
        let upload = field(response, "upload").await;
        assert_eq!(location, format!("/api/media/{upload}"));
        upload
    }

    fn url(&self, upload: &str) -> String {
        format!("{}/api/media/{upload}", self.base)
    }

    async fn patch(&self, upload: &str, offset: usize, bytes: &[u8]) -> Response {
        let request = self.http.patch(self.url(upload)).header(header::COOKIE, &self.cookie);
        let request = request.header("upload-offset", offset).header(header::CONTENT_TYPE, PIECES);
        request.body(bytes.to_vec()).send().await.unwrap()
    }

    async fn head(&self, upload: &str) -> Response {
        self.http.head(self.url(upload)).header(header::COOKIE, &self.cookie).send().await.unwrap()
    }

    async fn offset(&self, upload: &str) -> usize {
        let response = self.head(upload).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()[header::CACHE_CONTROL]),
            (200, &"no-store".parse().unwrap())
        );
        response.headers()["upload-offset"].to_str().unwrap().parse().unwrap()
    }

    async fn delete(&self, upload: &str) -> Response {
        self.http.delete(self.url(upload)).header(header::COOKIE, &self.cookie).send().await.unwrap()
    }

    /// Uploads a whole file and returns upload id and reference.
    async fn upload(&self, bytes: &[u8]) -> (String, String) {
        let upload = self.begin(bytes.len()).await;
        let response = self.patch(&upload, 0, bytes).await;
        assert_eq!(response.status(), 200);
        (upload, field(response, "storage_reference").await)
    }
}

const PIECES: &str = "application/offset+octet-stream";

async fn field(response: Response, name: &str) -> String {
    let text = response.text().await.unwrap();
    let found = form_urlencoded::parse(text.as_bytes()).find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("no {name} in {text:?}")).1.into_owned()
}

#[tokio::test]
async fn a_file_uploaded_in_parts_is_downloaded_whole_without_a_session() {
    let partner = Partner::start().await;
    let alice = Uploader::new(&partner, "alice").await;
    let bytes = noise(5 * MIB + 3);
    let upload = alice.begin(bytes.len()).await;
    for (begin, end) in [(0, 100), (100, 3 * MIB), (3 * MIB, 3 * MIB)] {
        let response = alice.patch(&upload, begin, &bytes[begin..end]).await;
        assert_eq!((response.status().as_u16(), &response.headers()["upload-offset"]), (204, &end.into()));
        assert_eq!(alice.offset(&upload).await, end);
    }
    let last = alice.patch(&upload, 3 * MIB, &bytes[3 * MIB..]).await;
    assert_eq!(last.status(), 200);
    let reference = field(last, "storage_reference").await;
    let again = alice.patch(&upload, bytes.len(), &[]).await;
    assert_eq!(field(again, "storage_reference").await, reference, "for a client that missed the response");
    assert_eq!(reference.len(), 43);
    for path in [format!("/{reference}"), format!("/{reference}/")] {
        let response = partner.get(&path).await;
        assert_eq!(response.status(), 200);
        for (name, value) in [
            ("content-type", TYPE),
            ("content-length", &bytes.len().to_string()),
            ("accept-ranges", "bytes"),
            ("content-disposition", "attachment"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(response.headers()[name], value, "{name}");
        }
        let etag = response.headers()[header::ETAG].clone();
        assert!(response.bytes().await.unwrap() == bytes);
        let known = partner.http.get(partner.url(&path)).header(header::IF_NONE_MATCH, etag).send().await.unwrap();
        assert_eq!((known.status().as_u16(), known.bytes().await.unwrap().len()), (304, 0));
        let head = partner.http.head(partner.url(&path)).send().await.unwrap();
        assert_eq!(head.headers()[header::CONTENT_LENGTH], bytes.len().to_string().as_str());
    }
}

#[tokio::test]
async fn ranges_across_pieces() {
    let partner = Partner::start().await;
    let bytes = noise(5 * MIB);
    let (_, reference) = Uploader::new(&partner, "alice").await.upload(&bytes).await;
    let ask =
        |range: String| partner.http.get(partner.url(&format!("/{reference}"))).header(header::RANGE, range).send();
    for (begin, end) in [(0, 1), (2 * MIB - 1, 2 * MIB + 1), (MIB, 5 * MIB), (5 * MIB - 1, 5 * MIB)] {
        let response = ask(format!("bytes={begin}-{}", end - 1)).await.unwrap();
        assert_eq!(response.status(), 206);
        let place = format!("bytes {begin}-{}/{}", end - 1, bytes.len());
        assert_eq!(response.headers()[header::CONTENT_RANGE], place.as_str());
        assert_eq!(response.headers()[header::CONTENT_LENGTH], (end - begin).to_string().as_str());
        assert!(response.bytes().await.unwrap() == bytes[begin..end]);
    }
    let beyond = ask(format!("bytes={}-", bytes.len())).await.unwrap();
    assert_eq!(beyond.headers()[header::CONTENT_RANGE], format!("bytes */{}", bytes.len()).as_str());
    refused(beyond, 416, "range_invalid").await;
}

#[tokio::test]
async fn invalid_uploads_are_refused() {
    let partner = Partner::with(|config| {
        config.media.file_mib = 1;
        config.media.quota_mib = 2;
        config.media.uploads = 2;
    })
    .await;
    let (alice, bob) = (Uploader::new(&partner, "alice").await, Uploader::new(&partner, "bob").await);
    refused(alice.announce(10, "text/html").await, 415, "type_unsupported").await;
    refused(alice.announce(MIB + 1, TYPE).await, 413, "too_large").await;
    refused(alice.announce(0, TYPE).await, 413, "too_large").await;
    let upload = alice.begin(MIB).await;
    refused(alice.patch(&upload, 1, b"x").await, 409, "offset_conflict").await;
    refused(alice.patch(&upload, 0, &vec![0; MIB + 1]).await, 413, "too_large").await;
    let request = || alice.http.patch(alice.url(&upload)).header(header::COOKIE, &alice.cookie);
    refused(request().header("upload-offset", "0").send().await.unwrap(), 415, "type_unsupported").await;
    refused(request().header(header::CONTENT_TYPE, PIECES).send().await.unwrap(), 400, "form_invalid").await;
    let other = request().header(header::CONTENT_TYPE, PIECES).header("tus-resumable", "0.2.2");
    refused(other.send().await.unwrap(), 412, "version_unsupported").await;

    // Uploads of another account are not accessible.
    let stranger = Uploader { cookie: "x=1".to_owned(), http: alice.http.clone(), base: alice.base.clone() };
    for (who, status, word) in [(&bob, 404, "not_found"), (&stranger, 401, "not_signed_in")] {
        refused(who.patch(&upload, 0, b"x").await, status, word).await;
        refused(who.delete(&upload).await, status, word).await;
        assert_eq!(who.head(&upload).await.status(), status);
    }
    refused(alice.patch(&"A".repeat(43), 0, b"x").await, 404, "not_found").await;
    refused(alice.patch("..%2f..%2fpartner.db", 0, b"x").await, 404, "not_found").await;
    refused(partner.get(&format!("/{upload}")).await, 404, "not_found").await;

    assert_eq!(alice.offset(&upload).await, 0, "nothing of a body that is too large is stored");
    assert_eq!(alice.patch(&upload, 0, &vec![0; MIB]).await.status(), 200);
    refused(alice.patch(&upload, MIB, b"x").await, 413, "too_large").await;
    let second = alice.begin(MIB - 1).await;
    refused(alice.announce(2, TYPE).await, 413, "quota_exceeded").await;
    assert_eq!(alice.delete(&second).await.status(), 204);
    assert_eq!(alice.head(&second).await.status(), 404);
    alice.begin(1).await;
    alice.begin(1).await;
    refused(alice.announce(1, TYPE).await, 429, "too_many_uploads").await;
    refused(stranger.announce(1, TYPE).await, 401, "not_signed_in").await;
}

#[tokio::test]
async fn a_deleted_file_and_the_files_of_a_deleted_account_are_gone() {
    let partner = Partner::start().await;
    let alice = Uploader::new(&partner, "alice").await;
    let (first, gone) = alice.upload(b"first").await;
    let (_, kept) = alice.upload(b"second").await;
    let folder = partner.data.path().join("partner/media");
    assert_eq!(files(&folder), 2);
    assert_eq!(alice.delete(&first).await.status(), 204);
    refused(partner.get(&format!("/{gone}")).await, 404, "not_found").await;
    assert_eq!(files(&folder), 1);
    assert_eq!(partner.get(&format!("/{kept}")).await.text().await.unwrap(), "second");
    let ended = alice.http.delete(partner.url("/api/account")).header(header::COOKIE, &alice.cookie).send().await;
    assert_eq!(ended.unwrap().status(), 204);
    refused(partner.get(&format!("/{kept}")).await, 404, "not_found").await;
    // The next start begins with a sweep.
    partner.running.stop().await;
    let running = causeway_partner::Server::start(support::config(&partner.data)).await.unwrap();
    timeout(LONG, async {
        while files(&folder) > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the bytes stay");
    running.stop().await;
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// The program itself, so that it can be killed and its memory measured.
struct Program {
    child: Child,
    base: String,
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_partner"))
            .env_clear()
            .env("CAUSEWAY_PARTNER_LISTEN", "127.0.0.1:0")
            .env("CAUSEWAY_PARTNER_DATA_DIR", data)
            .env("CAUSEWAY_PARTNER_WHATSAPP_ROOT_KEY", "ab".repeat(32))
            .env("CAUSEWAY_PARTNER_SIGN_IN_HASH_MEMORY_KIB", "7168")
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let listening = lines.find_map(|line| line.split_once("listening address=").map(|(_, addr)| addr.to_owned()));
        // The pipe must be drained, or the program would block on its log.
        std::thread::spawn(move || lines.for_each(drop));
        Self { base: format!("http://{}", listening.unwrap()), child }
    }

    /// Peak memory of the process in bytes.
    fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_large_upload_uses_little_memory_and_survives_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let bytes = noise(64 * MIB);
    let mut program = Program::start(data.path());
    let http = Client::builder().no_proxy().build().unwrap();
    let form = [("identifier", "alice"), ("password", support::PASSWORD)];
    let account = http.post(format!("{}/api/account", program.base)).form(&form).send().await.unwrap();
    let mut alice = Uploader { http, base: program.base.clone(), cookie: support::session_of(&account) };
    let upload = alice.begin(bytes.len()).await;

    // A connection that breaks off inside the body.
    let addr = program.base.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&addr).await.unwrap();
    let head = format!(
        "PATCH /api/media/{upload} HTTP/1.1\r\nHost: x\r\nCookie: {}\r\nUpload-Offset: 0\r\nContent-Type: {PIECES}\r\n\
         Content-Length: {}\r\n\r\n",
        alice.cookie,
        bytes.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&bytes[..20 * MIB]).await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = timeout(LONG, stream.read_to_end(&mut Vec::new())).await.unwrap();
    drop(stream);
    let first = timeout(LONG, async {
        loop {
            match alice.offset(&upload).await {
                0 => tokio::task::yield_now().await,
                offset => break offset,
            }
        }
    })
    .await
    .unwrap();
    assert!(first <= 20 * MIB, "{first}");

    // A server that is killed during an upload.
    let begin = alice.offset(&upload).await;
    let url = alice.url(&upload);
    let request = alice.http.patch(url).header(header::COOKIE, &alice.cookie).header("upload-offset", begin);
    let rest = bytes[begin..].to_vec();
    let pieces: Vec<_> = rest.chunks(MIB).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    let sending = tokio::spawn(request.header(header::CONTENT_TYPE, PIECES).body(body).send());
    timeout(LONG, async {
        while alice.offset(&upload).await < begin + 8 * MIB {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let before_kill = program.peak();
    program.child.kill().unwrap();
    let _ = sending.await.unwrap();
    program = Program::start(data.path());
    alice.base = program.base.clone();
    let offset = alice.offset(&upload).await;
    assert!(offset >= begin + 8 * MIB, "acknowledged bytes are stored: {offset}");
    let last = alice.patch(&upload, offset, &bytes[offset..]).await;
    assert_eq!(last.status(), 200);
    let reference = field(last, "storage_reference").await;
    let fetched = alice.http.get(format!("{}/{reference}", alice.base)).send().await.unwrap().bytes().await.unwrap();
    assert!(fetched == bytes);
    for peak in [before_kill, program.peak()] {
        assert!(peak < 64 * MIB, "{} MiB at its peak: a whole file is in memory", peak / MIB);
        println!("peak {} MiB", peak / MIB);
    }
}

#[tokio::test]
async fn an_s3_store_works_like_a_folder() {
    let store = s3::Store::start().await;
    let endpoint = store.endpoint.clone();
    let partner = Partner::with(move |config: &mut Config| {
        config.media.store_url = Some("s3://bucket/media".to_owned());
        config.media.endpoint = Some(endpoint);
        config.media.access_key_id = Some(s3::KEY.to_owned());
        config.media.secret_access_key = Some(s3::SECRET.to_owned().into());
    })
    .await;
    let alice = Uploader::new(&partner, "alice").await;
    let bytes = noise(5 * MIB + 1);
    let upload = alice.begin(bytes.len()).await;
    assert_eq!(alice.patch(&upload, 0, &bytes[..3 * MIB]).await.status(), 204);
    let last = alice.patch(&upload, 3 * MIB, &bytes[3 * MIB..]).await;
    let reference = field(last, "storage_reference").await;
    assert!(partner.get(&format!("/{reference}")).await.bytes().await.unwrap() == bytes);
    let range = format!("bytes={}-{}", 2 * MIB - 5, 2 * MIB + 4);
    let part =
        partner.http.get(partner.url(&format!("/{reference}"))).header(header::RANGE, range).send().await.unwrap();
    assert!(part.bytes().await.unwrap() == bytes[2 * MIB - 5..2 * MIB + 5]);
    let folder = store.folder.path().join("bucket/media");
    assert!(files(&folder.join(&reference)) > 1, "in pieces");
    assert!(!partner.data.path().join("partner/media").exists());
    assert_eq!(alice.delete(&upload).await.status(), 204);
    timeout(Duration::from_secs(5), async {
        while folder.join(&reference).exists() && files(&folder.join(&reference)) > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("objects stay");
}

/// An S3 server over a folder.
mod s3 {
    use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
    use tempfile::TempDir;
    use tokio::net::TcpListener;

    pub(crate) const KEY: &str = "name";
    pub(crate) const SECRET: &str = "hunter2hunter2";

    pub(crate) struct Store {
        pub(crate) endpoint: String,
        pub(crate) folder: TempDir,
    }

    impl Store {
        pub(crate) async fn start() -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("bucket")).unwrap();
            let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
            builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
            let service = builder.build();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let io = hyper_util::rt::TokioIo::new(stream);
                    let connection = hyper::server::conn::http1::Builder::new().serve_connection(io, service.clone());
                    tokio::spawn(connection);
                }
            });
            Self { endpoint, folder }
        }
    }
}
