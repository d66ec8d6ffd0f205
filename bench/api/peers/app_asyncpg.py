"""The strongest that Python has: FastAPI on uvloop, asyncpg, the very statements of ours, JSON passed through.

Connections are not reset when they are given back, which asyncpg does by four statements: what a request sets is set
again by each. So a request is two prepared statements and no transaction around them.
"""
import datetime
import os

import asyncpg
from common import DAYS, statement, user_of
from fastapi import FastAPI, Request, Response

STATS = statement("api_stats")
ASSISTANTS = statement("api_assistants")
BECOME = "SELECT set_config('replyx.user_id', $1, false)"
app = FastAPI()


class Connection(asyncpg.Connection):
    def get_reset_query(self):
        return ""

    _get_reset_query = get_reset_query  # its name before 0.29


@app.on_event("startup")
async def start():
    app.state.pool = await asyncpg.create_pool(os.environ["PEER_URL"], min_size=20, max_size=20,
                                               connection_class=Connection)


async def ask(request, sql, *args):
    user = user_of(request.headers.get("authorization"))
    async with app.state.pool.acquire() as connection:
        await connection.fetchval(BECOME, str(user))
        body = await connection.fetchval(sql, user, *args)
    return Response(body, media_type="application/json")


@app.get("/assistants/stats")
async def stats(request: Request):
    since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=DAYS)
    return await ask(request, STATS, since)


@app.get("/assistants")
async def assistants(request: Request, active: bool = True):
    return await ask(request, ASSISTANTS, active, active)
