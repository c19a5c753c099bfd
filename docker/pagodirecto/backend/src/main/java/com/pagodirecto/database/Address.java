package com.pagodirecto.database;

/** Where a database is, and who asks it. */
public record Address(String host, int port, String database, String user, String password) {
    @Override
    public String toString() {
        return user + "@" + host + ":" + port + "/" + database;
    }
}
