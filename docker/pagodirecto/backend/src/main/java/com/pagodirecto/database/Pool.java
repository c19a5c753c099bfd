package com.pagodirecto.database;

import java.io.IOException;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** At most so many connections, kept open for whoever comes next. */
public final class Pool implements AutoCloseable {
    /** What is done with a connection. */
    public interface Work<T> {
        T with(Connection connection) throws IOException, SqlError;
    }

    private final Address address;
    private final int size;
    private final Semaphore free;
    private final ConcurrentLinkedDeque<Connection> idle = new ConcurrentLinkedDeque<>();

    public Pool(Address address, int size) {
        this.address = address;
        this.size = size;
        free = new Semaphore(size, true);
    }

    public int active() {
        return size - free.availablePermits();
    }

    public int size() {
        return size;
    }

    /** Does it in one transaction. */
    public <T> T transaction(Work<T> work) throws IOException, SqlError {
        return borrow(connection -> {
            connection.run("BEGIN");
            T result;
            try {
                result = work.with(connection);
            } catch (SqlError error) {
                connection.run("ROLLBACK");
                throw error;
            }
            connection.run("COMMIT");
            return result;
        });
    }

    /** A connection that has broken is not given back; the next one to ask gets a new one. */
    public <T> T borrow(Work<T> work) throws IOException, SqlError {
        try {
            if (!free.tryAcquire(5, TimeUnit.SECONDS)) {
                throw new IOException("all " + size + " connections are in use");
            }
        } catch (InterruptedException error) {
            throw new IOException(error);
        }
        try {
            Connection connection = take();
            try {
                T result = work.with(connection);
                idle.push(connection);
                return result;
            } catch (SqlError error) {
                idle.push(connection);
                throw error;
            } catch (IOException error) {
                quietly(connection);
                throw error;
            }
        } finally {
            free.release();
        }
    }

    private Connection take() throws IOException, SqlError {
        for (Connection known = idle.poll(); known != null; known = idle.poll()) {
            try {
                known.run("SELECT 1");
                return known;
            } catch (IOException | SqlError error) {
                // The server went away, or its database was exchanged.
                quietly(known);
            }
        }
        return new Connection(address);
    }

    @Override
    public void close() {
        for (Connection known = idle.poll(); known != null; known = idle.poll()) {
            quietly(known);
        }
    }

    private static void quietly(Connection connection) {
        try {
            connection.close();
        } catch (IOException ignored) {
            // It is gone already.
        }
    }
}
