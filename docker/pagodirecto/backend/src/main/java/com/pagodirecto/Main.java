package com.pagodirecto;

import com.pagodirecto.crm.Customers;
import com.pagodirecto.crm.Login;
import com.pagodirecto.database.Migrations;
import com.pagodirecto.database.Pool;
import com.pagodirecto.web.Health;
import com.pagodirecto.web.Log;
import com.pagodirecto.web.Metrics;
import com.pagodirecto.web.Tokens;
import com.pagodirecto.web.Web;

/** Starts the backend: migrates, then serves. */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        AutoCloseable running = start(Settings.fromEnvironment());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(running)));
    }

    /** Serves until the result is closed; returns as soon as it serves. */
    public static AutoCloseable start(Settings settings) throws Exception {
        Log log = new Log(settings.logFile());
        new Migrations(settings.migrations(), log).run(settings.owner());
        Pool pool = new Pool(settings.application(), settings.poolSize());
        Metrics metrics = new Metrics(pool);
        Tokens tokens = new Tokens(settings.jwtSecret(), settings.jwtLifetime());
        Web web = new Web(settings, log, metrics, tokens, new Health(pool), new Login(pool), new Customers(pool));
        log.info("listening on " + settings.port());
        return () -> {
            web.close();
            pool.close();
            log.info("stopped");
            log.close();
        };
    }

    private static void close(AutoCloseable running) {
        try {
            running.close();
        } catch (Exception error) {
            error.printStackTrace();
        }
    }
}
