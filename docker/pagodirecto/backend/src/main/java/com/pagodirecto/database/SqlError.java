package com.pagodirecto.database;

/** What the server said no to, with its SQLSTATE. The connection can be used again. */
public final class SqlError extends Exception {
    private static final long serialVersionUID = 1;

    private final String state;

    SqlError(String state, String message) {
        super(message);
        this.state = state;
    }

    public String state() {
        return state;
    }
}
