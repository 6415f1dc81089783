//! A PostgreSQL server for each test binary: on a Unix socket in a temporary folder, removed when the test binary ends.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Prints where it listens, then waits for the end of its input: the test binary holds the other end of the pipe, which
/// the system closes even if the binary is killed. Data need not survive a power failure: no fsync.
const SCRIPT: &str = r#"
trap '' INT HUP TERM
folder=$(mktemp -d -p /tmp --suffix=.causeway-postgres) || exit 1
stop() { "$1/pg_ctl" -D "$folder/data" -m immediate -w stop >>"$folder/log" 2>&1; rm -rf "$folder"; }
if ! "$1/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1 ||
   ! "$1/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/log" -o "-c listen_addresses= -c unix_socket_directories=$folder \
     -c fsync=off -c full_page_writes=off -c max_connections=400" start >>"$folder/log" 2>&1
then cat "$folder/log"; stop "$1"; exit 1; fi
echo "ready $folder"
read -r _
stop "$1"
"#;

struct Postgres {
    folder: String,
    /// Its input is closed when this process ends: statics are never dropped.
    _alive: Child,
}

/// The URL of a new, empty database.
pub(crate) async fn database() -> String {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let server = SERVER.get_or_init(start);
    let url = |name: &str| format!("postgres://postgres@localhost/{name}?host={}", server.folder);
    let name = format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&url("postgres")).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    connection.close().await.unwrap();
    url(&name)
}

fn start() -> Postgres {
    let programs = programs().expect("PostgreSQL is not installed. Run: apt-get install -y postgresql");
    // PostgreSQL refuses to run as root; Debian's package creates a user for it.
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = Command::new(if root { "runuser" } else { "sh" });
    if root {
        command.args(["-u", "postgres", "--", "sh"]);
    }
    let mut child = command
        .args(["-c", SCRIPT, "postgres-for-tests"])
        .arg(programs)
        .current_dir("/")
        // In a process group of its own, so that signals to the test's group leave it running to clean up.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let Some(folder) = line.trim_end().strip_prefix("ready ") else {
        output.read_to_string(&mut line).unwrap();
        panic!("PostgreSQL did not start:\n{line}");
    };
    Postgres { folder: folder.to_owned(), _alive: child }
}

/// The programs of the newest version installed by Debian's packages.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let version = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    folders.filter(|folder| folder.join("initdb").is_file()).max_by_key(version)
}
