"""What the peers share: the statements of ours, the secret, who signs in."""
import os
import pathlib

from fastapi import HTTPException
from jose import JWTError, jwt

ROOT = pathlib.Path(__file__).resolve().parents[3]
SECRET = pathlib.Path(os.environ["PEER_SECRET_FILE"]).read_text(encoding="utf-8").splitlines()[0]
DAYS = 30


def statement(name):
    """The text of src/sql/replyx/NAME.sql without its header."""
    lines = (ROOT / "src/sql/replyx" / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--")).rstrip().removesuffix(";")


def user_of(header):
    """The user of "Bearer …"; the algorithm is pinned, as ours is."""
    if not header or not header.startswith("Bearer "):
        raise HTTPException(401)
    try:
        return int(jwt.decode(header[7:], SECRET, algorithms=["HS256"])["sub"])
    except (JWTError, KeyError, ValueError) as error:
        raise HTTPException(401) from error
