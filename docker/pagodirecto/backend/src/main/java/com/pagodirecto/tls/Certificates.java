package com.pagodirecto.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;

/** A job that gives the proxy its certificate: the given one, or a self-signed one. */
public final class Certificates {
    private static final String CERTIFICATE = "fullchain.pem";
    private static final String KEY = "privkey.pem";

    private Certificates() {}

    public static void main(String[] args) throws Exception {
        Path given = Path.of(args[0]), target = Path.of(args[1]);
        String domain = args[2];
        if (Files.exists(given.resolve(CERTIFICATE)) || Files.exists(given.resolve(KEY))) {
            byte[] certificate = Files.readAllBytes(given.resolve(CERTIFICATE));
            byte[] key = Files.readAllBytes(given.resolve(KEY));
            if (!lasts(certificate, Duration.ZERO)) {
                throw new IOException("the given certificate has expired");
            }
            publish(target, certificate, key);
            System.out.println("using the given certificate");
        } else if (fits(target, domain)) {
            System.out.println("keeping the certificate of " + domain);
        } else {
            make(target, domain);
            System.out.println("made a self-signed certificate for " + domain + "; browsers will warn");
        }
    }

    /** Whether the one that is there is of this name and lasts another month. */
    private static boolean fits(Path target, String domain) throws Exception {
        if (!Files.exists(target.resolve(CERTIFICATE)) || !Files.exists(target.resolve(KEY))) {
            return false;
        }
        byte[] pem = Files.readAllBytes(target.resolve(CERTIFICATE));
        return lasts(pem, Duration.ofDays(30)) && read(pem).getSubjectX500Principal().getName().equals("CN=" + domain);
    }

    private static boolean lasts(byte[] pem, Duration time) throws Exception {
        return read(pem).getNotAfter().toInstant().isAfter(Instant.now().plus(time));
    }

    private static X509Certificate read(byte[] pem) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem));
    }

    /** With the runtime's own keytool; the password of its file is drawn for this moment and travels by the environment. */
    private static void make(Path target, String domain) throws Exception {
        Path store = Files.createTempDirectory("tls").resolve("store.p12");
        String password = UUID.randomUUID().toString();
        Process keytool = keytool(store, domain, password);
        if (keytool.waitFor() != 0) {
            throw new IOException("keytool ended with " + keytool.exitValue());
        }
        KeyStore keys = KeyStore.getInstance(store.toFile(), password.toCharArray());
        Files.delete(store);
        byte[] key = pem("PRIVATE KEY", keys.getKey("tls", password.toCharArray()).getEncoded());
        publish(target, pem("CERTIFICATE", keys.getCertificate("tls").getEncoded()), key);
    }

    private static Process keytool(Path store, String domain, String password) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                System.getProperty("java.home") + "/bin/keytool", "-genkeypair", "-alias", "tls", "-keyalg", "EC", "-groupname", "secp256r1",
                "-dname", "CN=" + domain, "-ext", "SAN=dns:" + domain + ",dns:localhost,ip:127.0.0.1", "-ext", "EKU=serverAuth",
                "-validity", "825", "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass:env", "STORE_PASSWORD");
        builder.environment().put("STORE_PASSWORD", password);
        return builder.inheritIO().start();
    }

    private static byte[] pem(String what, byte[] der) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return ("-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n").getBytes();
    }

    /** The key first, each by rename: the proxy never sees half a file. */
    private static void publish(Path target, byte[] certificate, byte[] key) throws IOException {
        put(target.resolve(KEY), key, "rw-------");
        put(target.resolve(CERTIFICATE), certificate, "rw-r--r--");
    }

    private static void put(Path path, byte[] content, String mode) throws IOException {
        Path draft = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(draft);
        Files.createFile(draft, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)));
        Files.write(draft, content);
        Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE);
    }
}
