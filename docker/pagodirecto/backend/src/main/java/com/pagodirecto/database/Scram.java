package com.pagodirecto.database;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** The client's half of SCRAM-SHA-256 (RFC 5802, 7677), which also proves that the server knows the password. */
final class Scram {
    private final String password;
    private final String first;
    private final String nonce;
    private byte[] expected;

    Scram(String password) {
        this.password = password;
        byte[] random = new byte[18];
        new SecureRandom().nextBytes(random);
        nonce = Base64.getEncoder().encodeToString(random);
        first = "n=,r=" + nonce;
    }

    String first() {
        return "n,," + first;
    }

    String answer(String challenge) throws IOException {
        String[] parts = challenge.split(",", 3);
        if (parts.length != 3 || !parts[0].startsWith("r=" + nonce)) {
            throw new IOException("the server's SCRAM challenge is not an answer to ours");
        }
        try {
            byte[] salt = Base64.getDecoder().decode(parts[1].substring(2));
            int rounds = Integer.parseInt(parts[2].substring(2));
            PBEKeySpec spec = new PBEKeySpec(password.toCharArray(), salt, rounds, 256);
            byte[] salted = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
            byte[] client = hmac(salted, "Client Key");
            String last = "c=biws," + parts[0];
            String message = first + "," + challenge + "," + last;
            byte[] proof = hmac(MessageDigest.getInstance("SHA-256").digest(client), message);
            for (int i = 0; i < proof.length; i++) {
                proof[i] ^= client[i];
            }
            expected = hmac(hmac(salted, "Server Key"), message);
            return last + ",p=" + Base64.getEncoder().encodeToString(proof);
        } catch (GeneralSecurityException error) {
            throw new IOException(error);
        }
    }

    void verify(String last) throws IOException {
        if (!last.equals("v=" + Base64.getEncoder().encodeToString(expected))) {
            throw new IOException("the server does not know the password");
        }
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }
}
