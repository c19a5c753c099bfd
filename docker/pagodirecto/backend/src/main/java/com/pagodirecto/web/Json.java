package com.pagodirecto.web;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** As much JSON as this backend speaks: objects of texts. */
public final class Json {
    private static final String TEXT = "\"((?:[^\"\\\\]|\\\\.)*)\"";
    private static final Pattern MEMBER = Pattern.compile("\\s*" + TEXT + "\\s*:\\s*(?:" + TEXT + "|(-?[0-9]+))\\s*(,|$)");

    private Json() {}

    public static String text(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                default -> {
                    if (c < ' ') {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.append('"').toString();
    }

    /** An object of names and texts, in turns. */
    public static String object(String... members) {
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < members.length; i += 2) {
            out.append(i == 0 ? "" : ",").append(text(members[i])).append(':').append(text(members[i + 1]));
        }
        return out.append('}').toString();
    }

    /** The members of an object whose values are texts or whole numbers; null for anything else. */
    public static Map<String, String> read(String json) {
        String body = json.strip();
        if (!body.startsWith("{") || !body.endsWith("}")) {
            return null;
        }
        body = body.substring(1, body.length() - 1).strip();
        Map<String, String> members = new HashMap<>();
        Matcher member = MEMBER.matcher(body);
        int at = 0;
        while (at < body.length()) {
            if (!member.find(at) || member.start() != at) {
                return null;
            }
            members.put(plain(member.group(1)), member.group(2) == null ? member.group(3) : plain(member.group(2)));
            at = member.end();
        }
        return members;
    }

    private static final Pattern ESCAPE = Pattern.compile("\\\\(u([0-9a-fA-F]{4})|.)");

    private static String plain(String escaped) {
        return ESCAPE.matcher(escaped).replaceAll(escape -> Matcher.quoteReplacement(switch (escape.group(1).charAt(0)) {
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'r' -> "\r";
            case 'b' -> "\b";
            case 'f' -> "\f";
            case 'u' -> escape.group(2) == null ? "u" : Character.toString((char) Integer.parseInt(escape.group(2), 16));
            default -> escape.group(1);
        }));
    }
}
