INSERT INTO posts (id, user_id, type, content, hashtags, created_at) VALUES
    ('00000000-0000-4000-8000-000000000201', '00000000-0000-4000-8000-000000000001', 'text_short',
     'The engine weaves algebraic patterns #engines', '{engines}', '2025-10-16T09:00:00Z'),
    ('00000000-0000-4000-8000-000000000202', '00000000-0000-4000-8000-000000000002', 'text_short',
     'Found an actual bug today #debugging', '{debugging}', '2025-10-16T10:00:00Z'),
    ('00000000-0000-4000-8000-000000000203', '00000000-0000-4000-8000-000000000003', 'text_short',
     'It builds. #engines #debugging', '{engines,debugging}', '2025-10-16T11:00:00Z')
ON CONFLICT (id) DO NOTHING;

INSERT INTO comments (id, post_id, user_id, content) VALUES
    ('00000000-0000-4000-8000-000000000301', '00000000-0000-4000-8000-000000000202',
     '00000000-0000-4000-8000-000000000001', 'Taped into the log book, I hope.')
ON CONFLICT (id) DO NOTHING;

INSERT INTO likes (user_id, post_id) VALUES
    ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000202'),
    ('00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000202')
ON CONFLICT DO NOTHING;
