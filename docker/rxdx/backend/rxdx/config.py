"""Settings, from the environment alone; whatever is wrong is said at start, all of it at once."""

import os
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = ("development", "staging", "production")
LEVELS = ("debug", "info", "warning", "error")


class ConfigError(Exception):
    """What is wrong, a line each; never a value that may be secret."""


@dataclass(frozen=True)
class Config:
    environment: str
    debug: bool
    log_level: str
    database_url: str
    pool_size: int
    secret_key: bytes
    cors_origins: list[str]
    attachments: Path
    llm_model: str | None


def read_config(env: dict[str, str] | None = None) -> Config:
    source = os.environ if env is None else env
    problems: list[str] = []

    def get(key: str, default: str = "") -> str:
        return source.get(key) or default

    def one_of(key: str, default: str, allowed: tuple[str, ...]) -> str:
        value = get(key, default).lower()
        if value not in allowed:
            problems.append(f"{key} must be one of {', '.join(allowed)}")
        return value

    def number(key: str, default: int, least: int, most: int) -> int:
        text = get(key, str(default))
        if not text.isdecimal() or not least <= int(text) <= most:
            problems.append(f"{key} must be a number from {least} to {most}")
            return default
        return int(text)

    environment = one_of("ENVIRONMENT", "development", ENVIRONMENTS)
    debug = one_of("DEBUG", "false", ("true", "false")) == "true"
    if debug and environment == "production":
        problems.append("DEBUG must be false in production")
    url = get("DATABASE_URL")
    if not url.startswith("postgresql://"):
        problems.append("DATABASE_URL must begin with postgresql://")
    secret = get("SECRET_KEY")
    if len(secret) < 32:
        problems.append("SECRET_KEY must have 32 characters or more; `openssl rand -hex 32` makes one")
    llm = one_of("LLM_ENABLED", "false", ("true", "false")) == "true"
    if llm and not get("LLM_STUDIO_URL").startswith(("http://", "https://")):
        problems.append("LLM_STUDIO_URL must be an address, since LLM_ENABLED is true")
    if llm and not get("LLM_MODEL_NAME"):
        problems.append("LLM_MODEL_NAME must be set, since LLM_ENABLED is true")
    number("SMTP_PORT", 587, 1, 65535)
    if get("SMTP_HOST") and "@" not in get("EMAIL_FROM"):
        problems.append("EMAIL_FROM must be an address, since SMTP_HOST is set")
    config = Config(
        environment=environment,
        debug=debug,
        log_level=one_of("LOG_LEVEL", "info", LEVELS),
        database_url=url,
        pool_size=number("DATABASE_POOL_SIZE", 5, 1, 100),
        secret_key=secret.encode(),
        cors_origins=[origin for origin in get("CORS_ORIGINS").split(",") if origin],
        attachments=Path(get("ATTACHMENTS_DIR", "/var/lib/rxdx/attachments")),
        llm_model=get("LLM_MODEL_NAME") if llm else None,
    )
    if problems:
        raise ConfigError("\n".join(problems))
    return config
