package com.pagodirecto.database;

import com.pagodirecto.web.Log;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * Applies what is pending at start, as Flyway does: its files, its table, its checksums, its lock. So Flyway itself, and
 * whoever else keeps to its format, may take turns with this.
 */
public final class Migrations {
    private static final Pattern NAME = Pattern.compile("V([0-9._]+)__(.+)\\.sql");
    private static final String LEDGER = "public.flyway_schema_history";
    private static final long LOCK = 77_431_708_279_161L + "\"public\".\"flyway_schema_history\"".hashCode();
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** A file. */
    public record Migration(String version, String description, String script, String sql) {
        /** Over the lines without their ends. */
        public int checksum() {
            CRC32 crc = new CRC32();
            sql.lines().forEach(line -> crc.update(line.getBytes(StandardCharsets.UTF_8)));
            return (int) crc.getValue();
        }
    }

    private final Path dir;
    private final Log log;

    public Migrations(Path dir, Log log) {
        this.dir = dir;
        this.log = log;
    }

    public void run(Address owner) throws IOException, SqlError, InterruptedException {
        List<Migration> files = read(dir);
        try (Connection connection = reach(owner)) {
            // A migration may take as long as it must.
            connection.patience(0);
            connection.run("SELECT pg_advisory_lock(" + LOCK + ")");
            connection.run("""
                    CREATE TABLE IF NOT EXISTS %s (installed_rank integer NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY,
                        version varchar(50), description varchar(200) NOT NULL, type varchar(20) NOT NULL,
                        script varchar(1000) NOT NULL, checksum integer, installed_by varchar(100) NOT NULL,
                        installed_on timestamp NOT NULL DEFAULT now(), execution_time integer NOT NULL, success boolean NOT NULL);
                    CREATE INDEX IF NOT EXISTS flyway_schema_history_s_idx ON %s (success)""".formatted(LEDGER, LEDGER));
            Map<String, String> applied = applied(connection);
            int done = 0;
            for (Migration file : files) {
                String known = applied.get(file.version);
                if (known == null) {
                    apply(connection, file);
                    done++;
                } else if (!known.equals(Integer.toString(file.checksum()))) {
                    throw new IOException(file.script + " was edited after it was applied");
                }
            }
            log.info("schema is at version " + (files.isEmpty() ? "none" : files.get(files.size() - 1).version) + ", applied now: " + done);
        }
    }

    /** The files, in the order of their versions. */
    public static List<Migration> read(Path dir) throws IOException {
        try (Stream<Path> entries = Files.list(dir)) {
            List<Migration> found = new java.util.ArrayList<>();
            for (Path path : entries.toList()) {
                Matcher name = NAME.matcher(path.getFileName().toString());
                if (name.matches()) {
                    String version = name.group(1).replace('_', '.');
                    found.add(new Migration(version, name.group(2).replace('_', ' '), name.group(), Files.readString(path)));
                }
            }
            found.sort((a, b) -> Arrays.compare(numbers(a.version), numbers(b.version)));
            return found;
        }
    }

    private static int[] numbers(String version) {
        return Arrays.stream(version.split("\\.")).mapToInt(Integer::parseInt).toArray();
    }

    private static Map<String, String> applied(Connection connection) throws IOException, SqlError {
        Map<String, String> applied = new HashMap<>();
        String sql = "SELECT version, type, checksum, success FROM " + LEDGER + " WHERE version IS NOT NULL ORDER BY installed_rank";
        for (List<String> row : connection.query(sql)) {
            if (row.get(1).startsWith("UNDO")) {
                applied.remove(row.get(0));
            } else if (!row.get(3).equals("t")) {
                throw new IOException("version " + row.get(0) + " has failed half way");
            } else {
                applied.put(row.get(0), row.get(2));
            }
        }
        return applied;
    }

    private void apply(Connection connection, Migration file) throws IOException, SqlError {
        log.info("applying " + file.script);
        Instant began = Instant.now();
        connection.run("BEGIN");
        connection.run(file.sql);
        String insert = "INSERT INTO " + LEDGER + " SELECT coalesce(max(installed_rank), 0) + 1, $1, $2, 'SQL', $3, $4::integer, current_user, now(), $5::integer, true FROM " + LEDGER;
        String took = Long.toString(Duration.between(began, Instant.now()).toMillis());
        connection.query(insert, file.version, file.description, file.script, Integer.toString(file.checksum()), took);
        connection.run("COMMIT");
    }

    /** The server may still be coming up. */
    private Connection reach(Address owner) throws IOException, SqlError, InterruptedException {
        Instant until = Instant.now().plus(PATIENCE);
        while (true) {
            try {
                return new Connection(owner);
            } catch (IOException | SqlError error) {
                if (Instant.now().isAfter(until)) {
                    throw error;
                }
                Thread.sleep(500);
            }
        }
    }
}
