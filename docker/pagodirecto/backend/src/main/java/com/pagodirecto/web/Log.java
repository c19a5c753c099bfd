package com.pagodirecto.web;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.logging.FileHandler;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;

/** One JSON object a line, to standard output and, 10 MB × 3, to a file. */
public final class Log implements AutoCloseable {
    private final FileHandler file;

    public Log(Path path) throws IOException {
        if (path == null) {
            file = null;
            return;
        }
        file = new FileHandler(path + ".%g", 10 << 20, 3, true);
        file.setFormatter(new Formatter() {
            @Override
            public String format(LogRecord record) {
                return record.getMessage() + "\n";
            }
        });
    }

    public void info(String message) {
        line("INFO", message, "");
    }

    public void error(String message, String correlation) {
        line("ERROR", message, correlation);
    }

    /** A request that was answered. */
    public void request(String correlation, String method, String path, int status, long millis) {
        line("INFO", method + " " + path + " " + status + " " + millis + " ms", correlation);
    }

    private void line(String level, String message, String correlation) {
        String line = Json.object("time", Instant.now().toString(), "level", level, "correlationId", correlation, "message", message);
        System.out.println(line);
        if (file != null) {
            file.publish(new LogRecord(Level.INFO, line));
        }
    }

    @Override
    public void close() {
        if (file != null) {
            file.close();
        }
    }
}
