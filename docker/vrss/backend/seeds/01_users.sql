-- People to look at in development. Nobody can log in as them: '!' is no hash of any password. Register your own.
INSERT INTO users (id, username, email, password_hash, display_name, bio, role) VALUES
    ('00000000-0000-4000-8000-000000000001', 'ada', 'ada@example.test', '!', 'Ada', 'Notes on engines.', 'creator'),
    ('00000000-0000-4000-8000-000000000002', 'grace', 'grace@example.test', '!', 'Grace', 'Finds the moth.', 'user'),
    ('00000000-0000-4000-8000-000000000003', 'linus', 'linus@example.test', '!', 'Linus', '', 'user')
ON CONFLICT (id) DO NOTHING;

INSERT INTO profile_customizations (user_id, theme) VALUES
    ('00000000-0000-4000-8000-000000000001', '{"accent": "#7c3aed"}'),
    ('00000000-0000-4000-8000-000000000002', '{"accent": "#0f766e"}')
ON CONFLICT (user_id) DO NOTHING;

INSERT INTO profile_sections (id, user_id, type, title, position) VALUES
    ('00000000-0000-4000-8000-000000000101', '00000000-0000-4000-8000-000000000001', 'feed', 'Posts', 0),
    ('00000000-0000-4000-8000-000000000102', '00000000-0000-4000-8000-000000000001', 'links', 'Elsewhere', 1)
ON CONFLICT (id) DO NOTHING;

INSERT INTO follows (follower_id, followed_id) VALUES
    ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001'),
    ('00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000001')
ON CONFLICT DO NOTHING;
