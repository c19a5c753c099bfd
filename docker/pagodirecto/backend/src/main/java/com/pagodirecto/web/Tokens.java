package com.pagodirecto.web;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** JSON web tokens, HS256, which say whose tenant somebody is. */
public final class Tokens {
    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();
    private static final String HEADER = encode(Json.object("alg", "HS256", "typ", "JWT"));

    private final SecretKeySpec key;
    private final Duration lifetime;

    public Tokens(String secret, Duration lifetime) {
        key = new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256");
        this.lifetime = lifetime;
    }

    public String issue(String tenant) {
        long end = Instant.now().plus(lifetime).getEpochSecond();
        String body = HEADER + "." + encode("{\"tenant\":" + Json.text(tenant) + ",\"exp\":" + end + "}");
        return body + "." + sign(body);
    }

    /** The tenant of a token, or null where it is not one of ours or has ended. */
    public String tenant(String token) {
        String[] parts = token.split("\\.", -1);
        if (parts.length != 3 || !parts[0].equals(HEADER)) {
            return null;
        }
        byte[] expected = sign(parts[0] + "." + parts[1]).getBytes(StandardCharsets.UTF_8);
        if (!MessageDigest.isEqual(expected, parts[2].getBytes(StandardCharsets.UTF_8))) {
            return null;
        }
        Map<String, String> claims = Json.read(new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8));
        return Long.parseLong(claims.get("exp")) > Instant.now().getEpochSecond() ? claims.get("tenant") : null;
    }

    private String sign(String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return ENCODER.encodeToString(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String encode(String text) {
        return ENCODER.encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
