export default {
  up: (client) =>
    client.query(`CREATE TABLE users (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      username text NOT NULL UNIQUE CHECK (username ~ '^[a-z0-9_]{3,30}$'),
      password_hash text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`),
  down: (client) => client.query("DROP TABLE users"),
};
