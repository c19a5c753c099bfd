//! Clients that are connected when the databases change places.

use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use super::*;

#[test]
fn c08_clients_see_the_old_data_or_the_new_and_never_anything_else() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.backup(&[]);
    shop.sql("DELETE FROM sales WHERE id > 100");
    // Twenty that come back at once, and one that sits there idle.
    let script = "for client in $(seq 20); do
        while [ ! -e /tmp/enough ]; do psql -XAtq -U postgres -d shop -c 'SELECT count(*) FROM sales' 2>&1; sleep 0.02; done &
      done; psql -XAtq -U postgres -d shop -c 'SELECT 500 FROM pg_sleep(600)' 2>&1 & wait";
    let mut clients = command("docker")
        .args(["exec", &shop.container, "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = clients.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    wait_until("the clients are there", Duration::from_secs(20), || {
        let idle = shop.sql_in("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop'");
        if idle == "0" { Err(idle) } else { Ok(()) }
    });
    shop.restore(["latest"]).end().ok();
    std::thread::sleep(Duration::from_millis(500));
    docker(["exec", &shop.container, "touch", "/tmp/enough"]);
    clients.wait().unwrap();
    let text = reader.join().unwrap().unwrap();
    let mut counts = [0; 2];
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line {
            "100" => counts[0] += 1,
            "500" => counts[1] += 1,
            line => assert!(
                [
                    "does not exist",
                    "terminating connection",
                    "server closed the connection",
                    "server terminated abnormally",
                    "just been dropped or renamed",
                    "before or while processing",
                    "connection to server was lost"
                ]
                .iter()
                .any(|known| line.contains(known)),
                "{line}"
            ),
        }
    }
    assert!(counts.iter().all(|count| *count > 0), "both were seen: {counts:?}");
    assert_eq!(shop.sql("SELECT count(*) FROM sales"), "500");
}

#[test]
fn c08_who_cannot_be_sent_away_keeps_the_old_database() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.backup(&[]);
    shop.sql("TRUNCATE sales");
    let before = (shop.probe("shop"), shop.databases());
    // A prepared transaction stays without a session.
    shop.sql("BEGIN; INSERT INTO sales (good) VALUES (1); PREPARE TRANSACTION 'open'");
    let busy = shop.restore(["latest"]).end();
    busy.code(75).says("being accessed by other users").says("prepared transaction");
    assert_eq!((shop.probe("shop"), shop.databases()), before);
    shop.sql("ROLLBACK PREPARED 'open'");
    shop.restore(["latest"]).end().ok();
}
