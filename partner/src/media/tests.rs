//! The media host on both database engines, with a real folder.

use super::*;
use crate::{
    sign_in::{AccountRepository, Identifier},
    store::testing::{TestDatabase, on_both_engines},
};
use std::time::Duration;
use tempfile::TempDir;

on_both_engines!(
    a_file_is_the_concatenation_of_its_pieces,
    of_two_concurrent_writers_one_fails,
    expired_uploads_and_files_are_deleted_with_their_bytes,
    files_are_deleted_with_their_account,
    the_quota_and_the_number_of_uploads_of_an_account_are_bounded
);

struct Fixture {
    media: Media,
    accounts: AccountRepository,
    folder: TempDir,
}

async fn fixture(database: &TestDatabase) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let database = database.open().await;
    let accounts = AccountRepository::new(database.clone());
    for name in ["alice", "bob"] {
        accounts.create(&Identifier::new(name).unwrap(), "hash", at(1)).await.unwrap();
    }
    let settings = MediaSettings {
        location: MediaLocation::Folder(folder.path().join("media")),
        types: vec!["application/octet-stream".to_owned()],
        file_bytes: 1_000,
        quota_bytes: 1_500,
        uploads: 2,
        upload_lifetime: Duration::from_secs(10),
        retention: Duration::from_secs(100),
    };
    Fixture { media: Media::open(settings, database, MediaMetrics::default()).unwrap(), accounts, folder }
}

impl Fixture {
    async fn begin(&self, size: u64, now: i64) -> Upload {
        let id = self.media.begin(&account("alice"), "application/octet-stream", size, at(now)).await.unwrap();
        self.media.upload(&account("alice"), &id, at(now)).await.unwrap().unwrap()
    }

    async fn read(&self, upload: &Upload, range: Range<u64>, now: i64) -> Option<Vec<u8>> {
        let found = self.media.find(&upload.reference, at(now)).await.unwrap()?;
        let bytes: Vec<Bytes> = self.media.read(found, range).try_collect().await.unwrap();
        Some(bytes.concat())
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("media")).map_or(0, Iterator::count)
    }
}

fn account(name: &str) -> AccountId {
    AccountId::new(name)
}

fn at(seconds: i64) -> UnixSeconds {
    UnixSeconds::new(seconds)
}

fn bytes(text: &'static str) -> Vec<Bytes> {
    vec![Bytes::from_static(text.as_bytes())]
}

async fn a_file_is_the_concatenation_of_its_pieces(database: TestDatabase) {
    let fixture = fixture(&database).await;
    let mut upload = fixture.begin(10, 1).await;
    for piece in ["012", "3456", "789"] {
        assert!(fixture.read(&upload, 0..10, 2).await.is_none(), "not before it is complete");
        fixture.media.append(&mut upload, bytes(piece), at(2)).await.unwrap();
    }
    assert_eq!(fixture.read(&upload, 0..10, 3).await.unwrap(), b"0123456789");
    assert_eq!(fixture.read(&upload, 2..8, 3).await.unwrap(), b"234567");
    assert_eq!(fixture.read(&upload, 3..7, 3).await.unwrap(), b"3456");
    assert!(fixture.media.upload(&account("bob"), &upload.id, at(3)).await.unwrap().is_none(), "it belongs to alice");
    assert!(
        fixture
            .media
            .upload(&account("alice"), &UploadId::parse(upload.reference.as_str()).unwrap(), at(3))
            .await
            .unwrap()
            .is_none(),
        "the reference is public"
    );
}

async fn of_two_concurrent_writers_one_fails(database: TestDatabase) {
    let fixture = fixture(&database).await;
    let mut first = fixture.begin(6, 1).await;
    let mut second = first.clone();
    fixture.media.append(&mut first, bytes("abc"), at(1)).await.unwrap();
    assert!(matches!(fixture.media.append(&mut second, bytes("xyz"), at(1)).await, Err(WriteError::OffsetMismatch)));
    fixture.media.append(&mut first, bytes("def"), at(1)).await.unwrap();
    assert!(
        matches!(fixture.media.append(&mut first, bytes("g"), at(1)).await, Err(WriteError::OffsetMismatch)),
        "more than announced"
    );
    assert_eq!(fixture.read(&first, 0..6, 2).await.unwrap(), b"abcdef");
    let pieces = std::fs::read_dir(fixture.folder.path().join("media").join(first.reference.as_str())).unwrap().count();
    assert_eq!(pieces, 2, "the rejected piece is deleted");
}

async fn expired_uploads_and_files_are_deleted_with_their_bytes(database: TestDatabase) {
    let fixture = fixture(&database).await;
    let (mut whole, mut part) = (fixture.begin(3, 1).await, fixture.begin(6, 1).await);
    fixture.media.append(&mut whole, bytes("abc"), at(5)).await.unwrap();
    fixture.media.append(&mut part, bytes("abc"), at(5)).await.unwrap();
    // A piece that was written before the server stopped and not recorded in the database.
    fixture.media.pieces.put(&part.reference, bytes("lost")).await.unwrap();
    assert_eq!(fixture.media.sweep(at(10)).await.unwrap(), 0);
    assert_eq!(fixture.media.sweep(at(11)).await.unwrap(), 1, "ten seconds for an upload");
    assert!(fixture.media.upload(&account("alice"), &part.id, at(11)).await.unwrap().is_none());
    assert_eq!(fixture.files(), 1);
    assert!(fixture.read(&whole, 0..3, 104).await.is_some());
    assert!(fixture.read(&whole, 0..3, 105).await.is_none(), "a hundred seconds for a file, from its last byte");
    assert_eq!(fixture.media.sweep(at(105)).await.unwrap(), 1);
    assert_eq!(fixture.files(), 0);
    assert!(matches!(fixture.media.append(&mut part, bytes("def"), at(5)).await, Err(WriteError::OffsetMismatch)));
    assert_eq!(fixture.files(), 0);
}

async fn files_are_deleted_with_their_account(database: TestDatabase) {
    let fixture = fixture(&database).await;
    let mut upload = fixture.begin(3, 1).await;
    fixture.media.append(&mut upload, bytes("abc"), at(1)).await.unwrap();
    let alice = Identifier::new("alice").unwrap();
    assert!(fixture.accounts.delete(&account("alice")).await.unwrap());
    assert!(matches!(
        fixture.media.begin(&account("alice"), "application/octet-stream", 1, at(1)).await,
        Err(NewUploadError::NoAccount)
    ));
    // Another person takes the identifier.
    fixture.accounts.create(&alice, "hash", at(2)).await.unwrap();
    assert!(fixture.media.upload(&account("alice"), &upload.id, at(2)).await.unwrap().is_none());
    assert!(fixture.read(&upload, 0..3, 2).await.is_none());
    assert_eq!(fixture.media.sweep(at(2)).await.unwrap(), 1);
    assert_eq!(fixture.files(), 0);
}

async fn the_quota_and_the_number_of_uploads_of_an_account_are_bounded(database: TestDatabase) {
    let fixture = fixture(&database).await;
    let alice = account("alice");
    let begin = |size| fixture.media.begin(&alice, "application/octet-stream", size, at(1));
    begin(1_000).await.unwrap();
    assert!(matches!(begin(501).await, Err(NewUploadError::Quota)));
    begin(400).await.unwrap();
    assert!(matches!(begin(100).await, Err(NewUploadError::TooMany)));
    fixture.media.begin(&account("bob"), "application/octet-stream", 1_000, at(1)).await.unwrap();
    fixture.media.begin(&account("alice"), "application/octet-stream", 1_000, at(11)).await.unwrap();
}
