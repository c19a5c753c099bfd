"""The API. Everything is below /api, but for /health, which is asked by machines."""

import logging
import re
import socket
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from . import auth, graph
from .config import read_config
from .database import has_graph, make_engine

KEY = r"^[A-Z]{2,10}-[0-9]{1,6}$"
LARGEST = 5 * 1024 * 1024

config = read_config()
logging.basicConfig(level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
log = logging.getLogger("rxdx")
engine = make_engine(config)
app = FastAPI(title="RxDx", version="1.0.0", docs_url="/api/docs", redoc_url=None, openapi_url="/api/openapi.json")
app.add_middleware(CORSMiddleware, allow_origins=config.cors_origins, allow_methods=["*"], allow_headers=["*"])
log.info("ready to serve %s", config.environment)


class Credentials(BaseModel):
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)
    password: str = Field(min_length=12, max_length=200)


class Node(BaseModel):
    key: str = Field(pattern=KEY)
    title: str = Field(min_length=1, max_length=200)


class Link(BaseModel):
    kind: str = Field(pattern="^(refines|verifies)$")
    source: str = Field(pattern=KEY)
    target: str = Field(pattern=KEY)


def transaction():
    with engine.begin() as connection:
        yield connection


def session(authorization: Annotated[str, Header()] = "") -> int:
    scheme, _, token = authorization.partition(" ")
    user = auth.user_of(config.secret_key, token) if scheme.lower() == "bearer" else None
    if user is None:
        raise HTTPException(401, "log in first", {"WWW-Authenticate": "Bearer"})
    return user


Database = Annotated[Connection, Depends(transaction, scope="function")]
User = Annotated[int, Depends(session)]


def note(connection: Connection, user: int, action: str, subject: str) -> None:
    sql = "INSERT INTO audit_log (user_id, action, subject) VALUES (%s, %s, %s)"
    connection.exec_driver_sql(sql, (user, action, subject))


@app.exception_handler(SQLAlchemyError)
def database_failed(_: Request, error: SQLAlchemyError) -> JSONResponse:
    log.error("the database refused: %s", type(error).__name__)
    detail = str(getattr(error, "orig", error)) if config.debug else "the database does not answer"
    return JSONResponse({"detail": detail}, 503)


@app.get("/health")
def health() -> JSONResponse:
    state = {"status": "ok", "database": "up", "graph": "up"}
    try:
        with engine.connect() as connection:
            # Before the first migration there is none; that is no reason to restart anything.
            if not has_graph(connection):
                state["graph"] = "absent"
    except SQLAlchemyError:
        state = {"status": "unavailable", "database": "down", "graph": "down"}
    return JSONResponse(state, 200 if state["status"] == "ok" else 503)


@app.get("/api/instance")
def instance() -> dict[str, str]:
    return {"instance": socket.gethostname(), "environment": config.environment}


@app.post("/api/auth/register", status_code=201)
def register(who: Credentials, database: Database) -> dict[str, str]:
    sql = "INSERT INTO users (email, password_hash) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING id"
    user = database.exec_driver_sql(sql, (who.email, auth.hash_password(who.password))).scalar()
    if user is None:
        raise HTTPException(409, "this address is taken")
    return {"token": auth.make_token(config.secret_key, user)}


@app.post("/api/auth/login")
def login(who: Credentials, database: Database) -> dict[str, str]:
    sql = "SELECT id, password_hash FROM users WHERE lower(email) = lower(%s)"
    found = database.exec_driver_sql(sql, (who.email,)).first()
    if found is None or not auth.is_password(who.password, found.password_hash):
        raise HTTPException(401, "wrong address or password")
    return {"token": auth.make_token(config.secret_key, found.id)}


@app.get("/api/requirements")
def list_requirements(database: Database) -> list[dict]:
    return graph.requirements(database)


@app.post("/api/{kind}s", status_code=201)
def add_node(kind: str, node: Node, user: User, database: Database) -> dict:
    if kind not in graph.LABELS:
        raise HTTPException(404, "there is no such kind")
    try:
        made = graph.add(database, kind, node.key, node.title)
    except IntegrityError as error:
        raise HTTPException(409, f"{node.key} is taken") from error
    note(database, user, f"add {kind}", node.key)
    return made


@app.put("/api/links", status_code=204)
def add_link(link: Link, user: User, database: Database) -> None:
    if not graph.link(database, link.kind, link.source, link.target):
        raise HTTPException(404, "one of the two is not there")
    note(database, user, link.kind, f"{link.source} {link.target}")


@app.get("/api/requirements/{key}/trace")
def trace(key: str, database: Database) -> list[dict]:
    return graph.trace(database, key)


@app.put("/api/requirements/{key}/attachment", status_code=204)
async def attach(key: str, request: Request, user: User) -> None:
    content = await request.body()
    if len(content) > LARGEST:
        raise HTTPException(413, f"at most {LARGEST} bytes")
    with engine.begin() as connection:
        if not graph.exists(connection, key):
            raise HTTPException(404, "there is no such requirement")
        (config.attachments / key).write_bytes(content)
        note(connection, user, "attach", key)


@app.get("/api/requirements/{key}/attachment")
def attachment(key: str) -> FileResponse:
    path = config.attachments / key
    if not re.match(KEY, key) or not path.is_file():
        raise HTTPException(404, "nothing is attached")
    return FileResponse(path, media_type="application/octet-stream")
