package com.pagodirecto.database;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A connection to PostgreSQL: as much of its protocol (version 3) as this backend needs. A real one has the JDBC driver,
 * which comes from Maven Central.
 */
public final class Connection implements Closeable {
    private static final int PATIENCE_MS = 5_000;

    private final Socket socket = new Socket();
    private final DataInputStream in;
    private final DataOutputStream out;

    public Connection(Address address) throws IOException, SqlError {
        try {
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(address.host(), address.port()), PATIENCE_MS);
            socket.setSoTimeout(PATIENCE_MS);
            in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
            out = new DataOutputStream(socket.getOutputStream());
            logIn(address);
        } catch (IOException | SqlError error) {
            socket.close();
            throw error;
        }
    }

    /** How long an answer may take; 0 for ever. */
    public void patience(int milliseconds) throws IOException {
        socket.setSoTimeout(milliseconds);
    }

    /** Runs a script of any number of statements. */
    public void run(String sql) throws IOException, SqlError {
        send('Q', new Message().text(sql));
        read();
    }

    /** Runs one statement with parameters, as text; its rows. */
    public List<List<String>> query(String sql, String... parameters) throws IOException, SqlError {
        write('P', new Message().text("").text(sql).number16(0));
        Message bind = new Message().text("").text("").number16(0).number16(parameters.length);
        for (String parameter : parameters) {
            bind.value(parameter);
        }
        write('B', bind.number16(0));
        write('E', new Message().text("").number(0));
        send('S', new Message());
        return read();
    }

    @Override
    public void close() throws IOException {
        try (socket) {
            send('X', new Message());
        }
    }

    private void logIn(Address address) throws IOException, SqlError {
        Message startup = new Message().number(3 << 16);
        startup.text("user").text(address.user()).text("database").text(address.database());
        byte[] body = startup.text("application_name").text("backend").text("").bytes();
        out.writeInt(body.length + 4);
        out.write(body);
        out.flush();
        Scram scram = new Scram(address.password());
        while (true) {
            Answer answer = next();
            switch (answer.kind) {
                case 'R' -> authenticate(scram, answer);
                case 'E' -> throw answer.error();
                case 'Z' -> {
                    return;
                }
                default -> {}
            }
        }
    }

    private void authenticate(Scram scram, Answer answer) throws IOException {
        int kind = answer.body.readInt();
        switch (kind) {
            case 0 -> {}
            case 10 -> {
                byte[] first = scram.first().getBytes(StandardCharsets.UTF_8);
                send('p', new Message().text("SCRAM-SHA-256").number(first.length).raw(first));
            }
            case 11 -> send('p', new Message().raw(scram.answer(answer.rest()).getBytes(StandardCharsets.UTF_8)));
            case 12 -> scram.verify(answer.rest());
            default -> throw new IOException("the server wants a kind of authentication that is not SCRAM: " + kind);
        }
    }

    private List<List<String>> read() throws IOException, SqlError {
        List<List<String>> rows = new ArrayList<>();
        SqlError error = null;
        while (true) {
            Answer answer = next();
            switch (answer.kind) {
                case 'D' -> rows.add(answer.row());
                case 'E' -> error = answer.error();
                case 'Z' -> {
                    if (error != null) {
                        throw error;
                    }
                    return rows;
                }
                default -> {}
            }
        }
    }

    private Answer next() throws IOException {
        char kind = (char) in.readUnsignedByte();
        byte[] body = in.readNBytes(in.readInt() - 4);
        return new Answer(kind, new DataInputStream(new java.io.ByteArrayInputStream(body)));
    }

    private void send(char kind, Message message) throws IOException {
        write(kind, message);
        out.flush();
    }

    private void write(char kind, Message message) throws IOException {
        byte[] body = message.bytes();
        byte[] whole = new Message().raw(new byte[] {(byte) kind}).number(body.length + 4).raw(body).bytes();
        out.write(whole);
    }

    /** A message from the server. */
    private record Answer(char kind, DataInputStream body) {
        String rest() throws IOException {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        }

        List<String> row() throws IOException {
            int count = body.readUnsignedShort();
            List<String> row = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                int length = body.readInt();
                row.add(length < 0 ? null : new String(body.readNBytes(length), StandardCharsets.UTF_8));
            }
            return row;
        }

        SqlError error() throws IOException {
            String state = "", message = "";
            for (String field : rest().split("\0")) {
                if (field.startsWith("C")) {
                    state = field.substring(1);
                } else if (field.startsWith("M")) {
                    message = field.substring(1);
                }
            }
            return new SqlError(state, message);
        }
    }

    /** The body of a message to the server. */
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final DataOutputStream to = new DataOutputStream(bytes);

        Message text(String text) throws IOException {
            to.write(text.getBytes(StandardCharsets.UTF_8));
            to.writeByte(0);
            return this;
        }

        Message value(String text) throws IOException {
            byte[] value = text.getBytes(StandardCharsets.UTF_8);
            return number(value.length).raw(value);
        }

        Message number(int number) throws IOException {
            to.writeInt(number);
            return this;
        }

        Message number16(int number) throws IOException {
            to.writeShort(number);
            return this;
        }

        Message raw(byte[] raw) throws IOException {
            to.write(raw);
            return this;
        }

        byte[] bytes() {
            return bytes.toByteArray();
        }
    }
}
