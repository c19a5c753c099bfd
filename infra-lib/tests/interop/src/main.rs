//! `interop sqlx up|down VERSION DIR` and `interop refinery up DIR`, on the database of `DATABASE_URL`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use sqlx::Connection as _;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["sqlx", "up", dir] => with_sqlx(&url, dir, None),
        ["sqlx", "down", version, dir] => with_sqlx(&url, dir, Some(version.parse()?)),
        ["refinery", "up", dir] => with_refinery(&url, dir),
        _ => Err("interop sqlx up DIR, sqlx down VERSION DIR, or refinery up DIR".into()),
    }
}

/// What `sqlx::migrate!().run(&pool)` does at a service's start, on the files of now instead of those of the build.
fn with_sqlx(url: &str, dir: &str, down: Option<i64>) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let migrator = sqlx::migrate::Migrator::new(Path::new(dir)).await?;
        let mut connection = sqlx::PgConnection::connect(url).await?;
        match down {
            None => migrator.run(&mut connection).await?,
            Some(version) => migrator.undo(&mut connection, version).await?,
        }
        connection.close().await?;
        Ok(())
    })
}

fn with_refinery(url: &str, dir: &str) -> Result<(), Box<dyn Error>> {
    let migrations = refinery::load_sql_migrations(dir)?;
    let mut client = postgres::Client::connect(url, postgres::NoTls)?;
    let report = refinery::Runner::new(&migrations).run(&mut client)?;
    for migration in report.applied_migrations() {
        println!("{migration}");
    }
    Ok(())
}
