import unittest

from rxdx import auth
from rxdx.config import ConfigError, read_config

GOOD = {"DATABASE_URL": "postgresql://u:p@h/d", "SECRET_KEY": "x" * 32}


class Config(unittest.TestCase):
    def test_defaults_hold_where_nothing_is_said(self):
        config = read_config(GOOD)
        self.assertEqual((config.environment, config.debug, config.log_level, config.pool_size), ("development", False, "info", 5))
        self.assertEqual(read_config(GOOD | {"LOG_LEVEL": ""}).log_level, "info")
        self.assertEqual(read_config(GOOD | {"LOG_LEVEL": "error"}).log_level, "error")

    def test_all_problems_are_said_at_once_and_no_value(self):
        bad = {"DATABASE_URL": "mysql://hidden", "SECRET_KEY": "short-secret", "ENVIRONMENT": "production", "DEBUG": "true"}
        with self.assertRaises(ConfigError) as caught:
            read_config(bad | {"LLM_ENABLED": "true", "SMTP_HOST": "mail", "DATABASE_POOL_SIZE": "no"})
        text = str(caught.exception)
        for key in ("DATABASE_URL", "SECRET_KEY", "DEBUG", "LLM_STUDIO_URL", "LLM_MODEL_NAME", "EMAIL_FROM", "DATABASE_POOL_SIZE"):
            self.assertIn(key, text)
        self.assertNotIn("hidden", text)
        self.assertNotIn("short-secret", text)


class Auth(unittest.TestCase):
    def test_a_token_is_good_for_its_time_and_its_key(self):
        token = auth.make_token(b"k" * 32, 7, now=1000)
        self.assertEqual(auth.user_of(b"k" * 32, token, now=1000 + auth.LIFETIME - 1), 7)
        self.assertIsNone(auth.user_of(b"k" * 32, token, now=1000 + auth.LIFETIME))
        self.assertIsNone(auth.user_of(b"l" * 32, token, now=1000))
        self.assertIsNone(auth.user_of(b"k" * 32, token[:-2], now=1000))
        self.assertIsNone(auth.user_of(b"k" * 32, "", now=1000))

    def test_a_password_is_only_itself(self):
        stored = auth.hash_password("a long password")
        self.assertTrue(auth.is_password("a long password", stored))
        self.assertFalse(auth.is_password("a long passworD", stored))
        self.assertNotEqual(stored, auth.hash_password("a long password"))
