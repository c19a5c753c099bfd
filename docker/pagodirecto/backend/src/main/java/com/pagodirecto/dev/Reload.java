package com.pagodirecto.dev;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Development only: compiles the sources in this process and runs them in a class loader of their own, again whenever
 * one of them changes: {@code --watch FOLDER}. That is how Spring's DevTools restarts, too.
 */
public final class Reload {
    private static final long LOOK_EACH_MS = 100;

    private Reload() {}

    public static void main(String[] args) throws Exception {
        Path sources = Path.of(args[1]);
        AutoCloseable running = null;
        String seen = "";
        while (true) {
            String now = state(sources);
            if (!now.equals(seen)) {
                seen = now;
                Path classes = compile(sources);
                if (classes != null) {
                    if (running != null) {
                        running.close();
                    }
                    running = start(classes);
                }
            }
            Thread.sleep(LOOK_EACH_MS);
        }
    }

    private static List<Path> files(Path sources) throws IOException {
        try (Stream<Path> all = Files.walk(sources)) {
            return all.filter(path -> path.toString().endsWith(".java")).sorted().toList();
        }
    }

    private static String state(Path sources) throws IOException {
        StringBuilder state = new StringBuilder();
        for (Path path : files(sources)) {
            // An editor may just be replacing it.
            if (Files.exists(path)) {
                state.append(path).append(Files.getLastModifiedTime(path)).append(Files.size(path));
            }
        }
        return state.toString();
    }

    /** What does not compile is said, and what ran goes on. */
    private static Path compile(Path sources) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        Path target = Files.createTempDirectory("classes");
        try (var manager = compiler.getStandardFileManager(null, null, null)) {
            List<File> files = new ArrayList<>();
            files(sources).forEach(path -> files.add(path.toFile()));
            List<String> options = List.of("-d", target.toString(), "-proc:none");
            var task = compiler.getTask(null, manager, null, options, null, manager.getJavaFileObjectsFromFiles(files));
            return task.call() ? target : null;
        }
    }

    private static AutoCloseable start(Path classes) {
        try {
            // Without this class's own loader as its parent, so that all of it is loaded anew.
            var loader = new URLClassLoader(new URL[] {classes.toUri().toURL()}, ClassLoader.getPlatformClassLoader());
            Class<?> settings = loader.loadClass("com.pagodirecto.Settings");
            Object read = settings.getMethod("fromEnvironment").invoke(null);
            return (AutoCloseable) loader.loadClass("com.pagodirecto.Main").getMethod("start", settings).invoke(null, read);
        } catch (ReflectiveOperationException | IOException error) {
            (error.getCause() == null ? error : error.getCause()).printStackTrace();
            return null;
        }
    }
}
