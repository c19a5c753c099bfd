//! Kills and interruptions: the old database serves whole, or the new one does, and the next command tidies up.

use std::time::Duration;

use rustix::process::Signal;

use super::*;

/// The sessions that a restore has on the server.
const OURS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE ANY ('{infra-%,shop\\_\\_%}') AND pid <> pg_backend_pid()";

/// Moments that look random and are the same each time.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis((self.0 >> 33) % below)
    }
}

/// Whatever a restore that was killed has left, the next command removes; and then the live database is as it was before.
fn heal(shop: &Shop, old: &str, new: &str) -> bool {
    let live = shop.probe("shop");
    let exchanged = live == new;
    assert!(exchanged || live == old, "neither the old database nor the new one:\n{live}");
    let left = shop.databases();
    if exchanged {
        let kept = left.iter().find(|name| name.starts_with("shop__old_")).expect("the old one is kept");
        assert_eq!(shop.probe(kept), old);
        shop.restore(["--rollback"]).end().ok();
    }
    let finish = shop.restore(["--drop-previous"]).end();
    finish.ok();
    if left.iter().any(|name| name.starts_with("shop__new_")) && !exchanged {
        finish.says("left behind by an interrupted restore");
    }
    // What the engine was still about to do when we looked.
    wait_until("all is tidy", Duration::from_secs(20), || {
        if shop.databases() == ["shop"] && shop.sql_in("postgres", OURS) == "0" {
            return Ok(());
        }
        shop.restore(["--drop-previous"]).end().ok();
        Err(format!("{:?}", shop.databases()))
    });
    assert_eq!(shop.probe("shop"), old);
    exchanged
}

#[test]
fn c05_a_kill_at_any_time_leaves_the_old_database_or_the_new_one() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    let new = shop.probe("shop");
    shop.backup(&[]);
    shop.backup(&["--format", "sql", "--name", "text"]);
    shop.sql("DELETE FROM goods WHERE id > 500; CREATE TABLE other (id int)");
    let old = shop.probe("shop");
    let whole = shop.restore(["latest"]).end();
    heal(&shop, &old, &new);
    let below = u64::try_from(whole.took.as_millis()).unwrap() + 100;
    let mut moments = Moments(20_261_121);
    let mut exchanged = 0;
    for round in 0..6 * scale() {
        let running = shop.restore([if round % 3 == 2 { "text" } else { "latest" }]).spawn();
        std::thread::sleep(moments.next(below));
        running.signal(Signal::KILL);
        running.wait();
        exchanged += usize::from(heal(&shop, &old, &new));
    }
    assert!(exchanged < 6 * scale(), "a kill came in time at least once");
    shop.restore(["latest"]).end().ok();
    assert_eq!(shop.probe("shop"), new);
}

#[test]
fn c09_a_kill_in_the_exchange_leaves_one_of_the_two_whole() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    let new = shop.probe("shop");
    shop.backup(&[]);
    shop.sql("DELETE FROM goods WHERE id > 500");
    let old = shop.probe("shop");
    // Whoever writes a database's comment holds a lock that the rename waits for, and nothing else that a restore does.
    let sleeps = "FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep'";
    let hold = || {
        let hold =
            "SET application_name = holder; BEGIN; COMMENT ON DATABASE shop IS 'held'; SELECT pg_sleep(900); ROLLBACK";
        let mut psql = command("docker");
        psql.args(["exec", &shop.container, "psql", "-XAtq", "-U", "postgres", "-d", "template1", "-c", hold]);
        let holder = psql.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        wait_until("it is held", Duration::from_secs(20), || {
            match shop.sql_in("template1", &format!("SELECT count(*) {sleeps}")).as_str() {
                "1" => Ok(()),
                other => Err(other.to_owned()),
            }
        });
        holder
    };
    let release = |mut holder: std::process::Child| {
        shop.sql_in("template1", &format!("SELECT pg_terminate_backend(pid) {sleeps}"));
        holder.wait().unwrap();
    };
    let waits = "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE application_name LIKE 'infra-%' AND wait_event_type = 'Lock' AND query LIKE '%RENAME%'";
    let stuck = || {
        wait_until("the exchange waits", Duration::from_secs(30), || match shop.sql_in("template1", waits).as_str() {
            "0" => Err("not yet".to_owned()),
            pid => Ok(pid.to_owned()),
        })
    };
    // We are killed while the server works on it: it comes to its end, in one piece.
    let holder = hold();
    let running = shop.restore(["latest"]).spawn();
    stuck();
    running.signal(Signal::KILL);
    running.wait();
    release(holder);
    wait_until("it is decided", Duration::from_secs(10), || match shop.sql_in("template1", OURS).as_str() {
        "0" => Ok(()),
        other => Err(other.to_owned()),
    });
    heal(&shop, &old, &new);

    // The server's side is killed half way: nothing has changed.
    let holder = hold();
    let running = shop.restore(["latest"]).spawn();
    let pid = stuck();
    shop.sql_in("template1", &format!("SELECT pg_terminate_backend({pid})"));
    let ended = running.wait();
    ended.code(69);
    release(holder);
    assert_eq!((shop.probe("shop"), shop.databases()), (old.clone(), vec!["shop".to_owned()]));

    // Ctrl-C at that moment: it is finished, since nobody could say otherwise what happened, and the message tells.
    let holder = hold();
    let running = shop.restore(["latest"]).spawn();
    stuck();
    running.signal(Signal::INT);
    // It is told, and waits for the server's answer.
    std::thread::sleep(Duration::from_secs(1));
    release(holder);
    let ended = running.wait();
    ended.code(130).says("interrupted after the swap").says("db-restore --rollback");
    assert!(heal(&shop, &old, &new));
}

#[test]
fn c17_ctrl_c_at_each_step_leaves_the_old_database_and_nothing_else() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.backup(&[]);
    shop.backup(&["--format", "sql", "--name", "text"]);
    shop.sql("DELETE FROM goods WHERE id > 500");
    let before = (shop.probe("shop"), shop.databases());
    let steps = [
        ("latest", "verifying"),
        ("latest", "restoring"),
        ("text", "restoring"),
        ("latest", "comparing"),
        ("latest", "analyzing"),
    ];
    for (number, (what, step)) in steps.into_iter().enumerate() {
        let signal = [Signal::INT, Signal::TERM, Signal::HUP][number % 3];
        let running = shop.restore([what]).spawn();
        running.until(step);
        running.signal(signal);
        let ended = running.wait();
        ended.code(128 + signal.as_raw());
        assert_eq!((shop.probe("shop"), shop.databases()), before, "{signal:?} at `{step}`");
        assert_eq!(survivors(&ended.mark), [""; 0], "{signal:?} at `{step}`");
        wait_until("no session of ours is left", Duration::from_secs(5), || {
            match shop.sql_in("postgres", OURS).as_str() {
                "0" => Ok(()),
                other => Err(other.to_owned()),
            }
        });
    }
    shop.restore(["latest"]).end().ok();
}
