export default {
  up: async (client) => {
    await client.query(`CREATE TABLE photos (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      url text NOT NULL,
      caption text NOT NULL DEFAULT '' CHECK (length(caption) <= 500),
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
    await client.query("CREATE INDEX photos_user_id ON photos (user_id)");
    await client.query("CREATE INDEX photos_created_at ON photos (created_at DESC, id)");
  },
  down: (client) => client.query("DROP TABLE photos"),
};
