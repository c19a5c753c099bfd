-- People for development. Nobody can log in as them: their password hash is none.
INSERT INTO users (username, password_hash) VALUES ('ansel', '!'), ('dorothea', '!'), ('vivian', '!')
ON CONFLICT (username) DO NOTHING;

INSERT INTO photos (user_id, url, caption)
SELECT u.id, 'https://images.example.org/' || u.username || '.jpg', 'by ' || u.username
FROM users u
WHERE u.password_hash = '!' AND NOT EXISTS (SELECT FROM photos p WHERE p.user_id = u.id);
