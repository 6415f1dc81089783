//! Executes administrative commands; prints one line for each entry, with tabs between columns.
//!
//! What this module does not know: the database.

use super::arguments::Command;
use causeway_partner::{
    AccountId, Admin, Config, KeyError, StartError, StorageSummary, StoreError, SweepError, UnixSeconds,
};
use std::{
    io::{self, Write},
    time::{Duration, SystemTime},
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Open(#[from] StartError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error("there is no user {:?}; see partner users list", .0.as_str())]
    UnknownUser(AccountId),
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// Opens the database, executes the command and closes the database.
pub(crate) async fn run(config: Config, command: Command, output: &mut impl Write) -> Result<(), CommandError> {
    let admin = Admin::open(config).await?;
    let done = execute(&admin, command, output).await;
    admin.close().await;
    // A reader such as `head` may close the pipe early.
    match done.and_then(|()| Ok(output.flush()?)) {
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

async fn execute(admin: &Admin, command: Command, output: &mut impl Write) -> Result<(), CommandError> {
    match command {
        Command::ListKeys => {
            for key in admin.keys().await? {
                let signs = if key.signs { "signs" } else { "-" };
                let (created, active) = (date(key.created.unwrap_or(UnixSeconds::EPOCH)), date(key.active));
                writeln!(output, "{}\t{}\t{signs}\tmade {created}\tfrom {active}", key.purpose, key.kid)?;
            }
        }
        Command::RotateKeys => writeln!(output, "{}", admin.rotate_keys().await?)?,
        Command::RotateVapid => writeln!(output, "{}", admin.rotate_vapid().await?)?,
        Command::ListUsers => {
            let mut page = admin.users(None).await?;
            while let Some(last) = page.last().cloned() {
                for user in page {
                    writeln!(output, "{}\tmade {}", user.account.as_str(), date(user.created))?;
                }
                page = admin.users(Some(&last)).await?;
            }
        }
        Command::DeleteUser(account) => {
            if !admin.delete_user(&account).await? {
                return Err(CommandError::UnknownUser(account));
            }
        }
        Command::ListSubscriptions => {
            let mut written = Ok(());
            let each = |one: causeway_partner::SubscriptionSummary| {
                let (created, seen) = (date(one.created), date(one.seen));
                let (account, service) = (one.account.as_str(), one.service.unwrap_or_default());
                let line = format!("{account}\t{service}\t{}\tmade {created}\tseen {seen}\n", one.kid);
                written = output.write_all(line.as_bytes());
                written.is_ok()
            };
            admin.subscriptions(each).await?;
            written?;
        }
        Command::ListStorage => {
            let mut page = admin.storage(None).await?;
            while let Some(last) = page.last().cloned() {
                for one in page {
                    let StorageSummary { account, files, uploads, bytes, expired } = one;
                    writeln!(
                        output,
                        "{}\tfiles {files}\tuploads {uploads}\tbytes {bytes}\texpired {expired}",
                        account.as_str()
                    )?;
                }
                page = admin.storage(Some(&last)).await?;
            }
        }
        Command::SweepStorage => writeln!(output, "{}", admin.sweep_storage().await?)?,
        Command::PruneSubscriptions => writeln!(output, "{}", admin.prune_subscriptions().await?)?,
    }
    Ok(())
}

/// A time in the format of HTTP.
fn date(time: UnixSeconds) -> String {
    let since = Duration::from_secs(u64::try_from(time.get()).unwrap_or(0));
    // The format ends with the year 9999.
    let latest = Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since.min(latest))
}
