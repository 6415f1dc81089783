//! Opens everything that a server needs, from its checked configuration.
//!
//! What this module does not know: listeners, and what is served.

use crate::{
    app::{App, Limits, Push},
    client_files::ClientFiles,
    clock,
    config::{PushSettings, Settings},
    identity::{TokenKeys, key_files},
    keys::Seal,
    media::Media,
    metrics::{Metrics, PushMetrics},
    push::{Delivery, KeySource, QueueRepository, SubscriptionRepository, VapidKeys, Verifier, outbound},
    relay::{Enlistment, Relay},
    sign_in::{
        AccountRepository, AccountSource, AuthAttemptRepository, BuiltIn, DeviceRepository, OpenId, PasskeyRepository,
        Passkeys, Passwords, SessionRepository,
    },
    start_error::StartError,
    store::{self, Database, DatabaseLocation},
};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

/// Opens the state that all handlers share.
pub(crate) async fn open_app(settings: Settings) -> Result<App, StartError> {
    let (database, keys, vapid) = open_database(&settings).await?;
    let (keys, vapid) = (Arc::new(keys), Arc::new(vapid));
    // Reading files and a trial hash block, but nothing is served yet.
    let client = settings.client_dir.as_deref().map(ClientFiles::read).transpose()?;
    let account_source = match settings.open_id.clone() {
        Some(open_id) => {
            let open_id = OpenId::new(open_id, &settings.public_origin);
            AccountSource::OpenId(Box::new(open_id.map_err(|error| StartError::OpenId(error.to_string()))?))
        }
        None => AccountSource::BuiltIn(Box::new(BuiltIn {
            passwords: Passwords::new(&settings.passwords).map_err(StartError::PasswordCost)?,
            passkeys: Passkeys::new(&settings.public_origin, &settings.partner_name),
        })),
    };
    let limits = Limits::new(&settings);
    let metrics = Metrics::new();
    let push = open_push(&settings.push, &database, vapid, metrics.push.clone())?;
    let relay = settings.relay.clone().map(|relay| Relay::new(relay, metrics.relay.clone())).transpose()?;
    let enlistment = settings.relay_enlist_url.clone().map(Enlistment::new).transpose();
    let enlistment = enlistment.map_err(StartError::Enlistment)?;
    let media = Media::open(settings.media.clone(), database.clone(), metrics.media.clone())?;
    Ok(App {
        account_source,
        accounts: AccountRepository::new(database.clone()),
        sessions: SessionRepository::new(database.clone()),
        passkeys: PasskeyRepository::new(database.clone()),
        devices: DeviceRepository::new(database.clone()),
        auth_attempts: AuthAttemptRepository::new(database.clone()),
        settings,
        database,
        keys,
        push,
        client,
        limits,
        metrics,
        relay,
        enlistment,
        media,
        draining: AtomicBool::new(false),
    })
}

/// Opens the database and the keys in it, creating them at the first start.
pub(crate) async fn open_database(settings: &Settings) -> Result<(Database, TokenKeys, VapidKeys), StartError> {
    let at = |source| StartError::DataFolder { path: settings.data_dir.clone(), source };
    let file = settings.data_dir.join("partner.db");
    let location = match &settings.database_url {
        Some(url) => DatabaseLocation::Postgres(url.as_str()),
        None => {
            create_private_folder(&settings.data_dir).and_then(|()| create_private_file(&file)).map_err(at)?;
            DatabaseLocation::Sqlite(&file)
        }
    };
    let seal = Arc::new(Seal::open(&settings.sealing_secret)?);
    let database = store::open(location).await?;
    let now = clock::unix_seconds();
    let files = settings.data_dir.join("keys");
    let keys = TokenKeys::open(database.clone(), seal.clone(), now, move || key_files(&files)).await?;
    let vapid = VapidKeys::open(database.clone(), seal, now, || Ok(Vec::new())).await?;
    Ok((database, keys, vapid))
}

fn open_push(
    settings: &PushSettings,
    database: &Database,
    keys: Arc<VapidKeys>,
    metrics: PushMetrics,
) -> Result<Push, StartError> {
    let client = outbound(settings.proxy.as_ref())?;
    let source = KeySource::new(client.clone(), settings.jwks_url.clone(), settings.jwks_cache, settings.jwks_pause);
    let verifier = Verifier {
        issuer: settings.issuer.clone(),
        audience: settings.audience.clone(),
        leeway: settings.leeway,
        lifetime: settings.lifetime,
        single_use: settings.single_use,
        keys: source,
    };
    let services = settings.services.clone();
    let contact = settings.contact.clone();
    let delivery = Delivery::new(database.clone(), keys.clone(), services.clone(), contact, client, metrics)?;
    Ok(Push {
        keys,
        services,
        verifier,
        subscriptions: SubscriptionRepository::new(database.clone()),
        queue: QueueRepository::new(database.clone()),
        delivery: Arc::new(delivery),
    })
}

/// Creates a folder for its owner only, independent of the umask; an existing one keeps its permissions.
fn create_private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Creates the database file for its owner only. SQLite gives its journals the same permissions.
fn create_private_file(file: &Path) -> io::Result<()> {
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}
