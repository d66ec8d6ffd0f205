"""Log-in through "pgmend queries trace": TLS on either side, every way to authenticate, with libpq (psql, psycopg2) and
asyncpg, against a server of its own with certificates of its own.

The environment names the program: PGMEND.
"""
import asyncio
import atexit
import hashlib
import os
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import nplus1test  # noqa: E402
from nplus1test import apitest  # noqa: E402

try:
    import asyncpg
    import psycopg2
except ImportError as error:
    apitest.skip_all(f"these tests need Debian's python3-psycopg2 and python3-asyncpg: {error}")

CLUSTER = str(apitest.ROOT / "script/cluster")
WORD = "a passw0rd 'of' Ünlüs"  # the same after SASLprep
ASCII_WORD = "a passw0rd of ASCII letters"  # asyncpg sends no other where SCRAM is not asked for
ASK = """SELECT current_user, coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)"""
HBA = """
local all postgres trust
hostssl all tlsonly 127.0.0.1/32 scram-sha-256
hostnossl all plainonly 127.0.0.1/32 scram-sha-256
host all md5er 127.0.0.1/32 md5
host all talker 127.0.0.1/32 password
host all trusted 127.0.0.1/32 trust
host all ann,stale,missing,"o""dd ü" 127.0.0.1/32 scram-sha-256
"""
ROLES = {"ann": "scram-sha-256", "stale": "scram-sha-256", "missing": "scram-sha-256", 'o"dd ü': "scram-sha-256",
         "tlsonly": "scram-sha-256", "plainonly": "scram-sha-256", "talker": "scram-sha-256", "md5er": "md5", "trusted": "md5"}


# -- certificates and a server --------------------------------------------------------------------


def openssl(*arguments):
    apitest.run(["openssl", *map(str, arguments)])


def certificate(folder, name, issuer=None, digest="sha256", names="DNS:localhost"):
    """name.crt and name.key; an authority without an issuer."""
    key, request = folder / f"{name}.key", folder / f"{name}.csr"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    key.chmod(0o600)
    if issuer is None:
        # Python 3.13 wants an authority to say what its key is for, and a certificate to say whose key signed it.
        openssl("req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-days", "2",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", folder / f"{name}.crt")
        return
    extension = folder / f"{name}.ext"
    extension.write_text(f"subjectAltName={names}\nauthorityKeyIdentifier=keyid\n")
    openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", folder / f"{issuer}.crt", "-CAkey", folder / f"{issuer}.key",
            "-CAcreateserial", "-days", "2", f"-{digest}", "-extfile", extension, "-out", folder / f"{name}.crt")


class Server:
    """PostgreSQL that speaks TLS on a port of 127.0.0.1, and a folder with all certificates."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pgmend-tls-"))
        self.folder.chmod(0o755)
        atexit.register(self.remove)
        certificate(self.folder, "authority")
        certificate(self.folder, "stranger")
        # tls-server-end-point is made with the digest that the certificate was signed with: RFC 5929.
        certificate(self.folder, "server", "authority", digest="sha384")
        certificate(self.folder, "proxy", "authority")
        private = self.folder / "of-the-server"
        private.mkdir()
        for name in ("server.crt", "server.key"):
            shutil.copy(self.folder / name, private / name)
        (private / "hba").write_text(HBA, encoding="utf-8")
        (private / "server.key").chmod(0o600)
        if os.getuid() == 0:
            user = "postgres" if subprocess.run(["id", "-u", "postgres"], capture_output=True, check=False).returncode == 0 \
                else "nobody"
            for path in (private, *private.iterdir()):
                shutil.chown(path, user)
        self.cluster = self.folder / "cluster"
        self.start(private)
        self.admin = apitest.Database("postgres", self.env)

    def start(self, private):
        for _ in range(5):  # somebody else may take the port in between
            self.port = apitest.free_port()
            sets = {"ssl": "on", "ssl_cert_file": private / "server.crt", "ssl_key_file": private / "server.key",
                    "hba_file": private / "hba", "listen_addresses": "127.0.0.1", "port": self.port,
                    "password_encryption": "scram-sha-256", "shared_buffers": "16MB", "max_connections": "40",
                    "log_min_messages": "log", "log_error_verbosity": "verbose"}
            argv = [CLUSTER, "start", str(self.cluster), "--scratch"]
            found = subprocess.run(argv + [part for name, value in sets.items() for part in ("--set", f"{name}={value}")],
                                   capture_output=True, text=True, check=False)
            if found.returncode == 0:
                break
        else:
            apitest.bail("the server does not start: " + found.stderr[-2000:])
        host = re.search(r"PGHOST=(\S+)", found.stdout)[1]
        self.env = {**os.environ, "PGHOST": host, "PGPORT": str(self.port), "PGUSER": "postgres"}

    def remove(self):
        subprocess.run([CLUSTER, "remove", str(self.cluster)], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return next(self.cluster.rglob("log")).read_text(encoding="utf-8", errors="replace")

    def url(self, mode, host="127.0.0.1", authority=None):
        more = f"&sslrootcert={self.folder / authority}" if authority else ""
        return f"postgresql://{host}:{self.port}/postgres?sslmode={mode}{more}"


def word(user):
    return ASCII_WORD if user in ("md5er", "talker") else WORD


SERVER = Server()
FILES = SERVER.folder


def make_roles():
    for name, method in ROLES.items():
        quoted = '"' + name.replace('"', '""') + '"'
        password = word(name).replace("'", "''")
        SERVER.admin.sql(f"SET password_encryption = '{method}'; CREATE ROLE {quoted} LOGIN PASSWORD '{password}'")
    SERVER.admin.sql("CREATE TABLE public.bulk (line text); GRANT ALL ON bulk TO public")


def verifiers():
    """What pg_authid holds, as PgBouncer's userlist.txt; "stale" has changed its password since, "missing" is not there."""
    rows = SERVER.admin.rows("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword LIKE 'SCRAM%' "
                             "AND rolname <> 'missing'")
    path = FILES / "verifiers"
    path.write_text("; of the tests\n" + "".join('"{}" "{}"\n'.format(row["rolname"].replace('"', '""'), row["rolpassword"])
                                               for row in rows), encoding="utf-8")
    path.chmod(0o600)
    SERVER.admin.sql("ALTER ROLE stale PASSWORD '" + WORD.replace("'", "''") + "'")
    return path, [row["rolpassword"] for row in rows]


# -- clients --------------------------------------------------------------------------------------


def by_psql(port, user, password, tls, binding):
    env = {**os.environ, "PGPASSWORD": password, "PGSSLMODE": "require" if tls else "disable",
           "PGCHANNELBINDING": binding, "PGGSSENCMODE": "disable"}
    found = subprocess.run(["psql", "-XqAtw", "-h", "127.0.0.1", "-p", str(port), "-U", user, "-d", "postgres", "-c", ASK],
                           env=env, capture_output=True, text=True, timeout=apitest.DEADLINE_S, check=False)
    return found.stdout.strip() if found.returncode == 0 else found.stderr


def connect(port, user, password=WORD, tls=True, binding="prefer", **more):
    return psycopg2.connect(host="127.0.0.1", port=port, user=user, password=password, dbname="postgres",
                            sslmode="require" if tls else "disable", channel_binding=binding, gssencmode="disable", **more)


def by_psycopg2(port, user, password, tls, binding):
    try:
        connection = connect(port, user, password, tls, binding)
    except psycopg2.OperationalError as error:
        return str(error)
    with connection.cursor() as cursor:
        cursor.execute(ASK)
        row = cursor.fetchone()
    if connection.info.ssl_in_use != tls:
        return f"TLS to the client: {connection.info.ssl_in_use}"
    connection.close()
    return f"{row[0]}|{'t' if row[1] else 'f'}"


def client_context():
    context = ssl.create_default_context(cafile=str(FILES / "authority.crt"))
    context.check_hostname = False
    return context


def by_asyncpg(port, user, password, tls, _binding):
    async def work():
        connection = await asyncpg.connect(host="127.0.0.1", port=port, user=user, password=password, database="postgres",
                                           ssl=client_context() if tls else False, timeout=apitest.DEADLINE_S)
        row = await connection.fetchrow(ASK)
        await connection.close()
        return f"{row[0]}|{'t' if row[1] else 'f'}"

    try:
        return asyncio.run(work())
    except asyncpg.PostgresError as error:
        return f"{type(error).__name__} {error.sqlstate} {error} {error.hint or ''}"
    except OSError as error:
        return f"{type(error).__name__} {error}"


CLIENTS = {"psql": by_psql, "psycopg2": by_psycopg2, "asyncpg": by_asyncpg}


def works(proxy, name, user="ann", tls=True, server_tls=True, binding="prefer", clients=tuple(CLIENTS)):
    """Each client gets in, and the server sees what it should of TLS; a wrong password is refused in its own words."""
    expected = f"{user}|{'t' if server_tls else 'f'}"
    for client in clients:
        found = CLIENTS[client](proxy.port, user, word(user), tls, binding)
        apitest.same(found, expected, f"{name}: {client} as {user}")


def refuses_wrong_password(proxy, name, user="ann", tls=True, binding="prefer"):
    """In the server's own words, which its log has as well."""
    for client, ask in CLIENTS.items():
        before = SERVER.log().count("password authentication failed for user")
        found = ask(proxy.port, user, "another password", tls, binding)
        apitest.check(f'password authentication failed for user "{user}"' in found and
                      ("28P01" in found if client == "asyncpg" else True) and
                      SERVER.log().count("password authentication failed for user") > before,
                      f"{name}: {client} with a wrong password is refused by the server", found)


def says(proxy, name, texts, user="ann", tls=True, binding="prefer", clients=("psql", "psycopg2")):
    for client in clients:
        found = CLIENTS[client](proxy.port, user, word(user), tls, binding)
        apitest.check(all(text in found for text in texts), f"{name}: {client} is told", found)


# -- ways -----------------------------------------------------------------------------------------

PROXIES = []


def proxy_of(url, *options):
    proxy = nplus1test.Trace(url, *options, is_kept=False)
    PROXIES.append(proxy)
    return proxy


def of_certificate(name):
    return "--tls-cert", FILES / f"{name}.crt", "--tls-key", FILES / f"{name}.key"


def options(*parts):
    return [str(part) for part in parts]


def test_plain():
    proxy = proxy_of(SERVER.url("disable"))
    for user in ("ann", 'o"dd ü', "md5er", "talker", "trusted"):
        works(proxy, "plain on both sides", user, tls=False, server_tls=False)
    refuses_wrong_password(proxy, "plain on both sides", tls=False)
    refuses_wrong_password(proxy, "plain on both sides", "md5er", tls=False)
    says(proxy, "TLS that the proxy was given no certificate for", ["does not support SSL"], clients=("psql", "psycopg2"))
    says(proxy, "a user who may only come by TLS", ["no pg_hba.conf entry", "no encryption"], "tlsonly", tls=False)


def test_server_side():
    proxy = proxy_of(SERVER.url("require"))
    for user in ("ann", "tlsonly", "md5er", "talker"):
        works(proxy, "TLS to the server", user, tls=False)
    refuses_wrong_password(proxy, "TLS to the server", tls=False)
    says(proxy, "a user who may only come without TLS", ["no pg_hba.conf entry"], "plainonly", tls=False)


def test_modes():
    for mode in ("prefer", "allow"):
        proxy = proxy_of(SERVER.url(mode))
        works(proxy, f"sslmode={mode}", "tlsonly", tls=False, server_tls=True, clients=["psycopg2"])
        works(proxy, f"sslmode={mode}", "plainonly", tls=False, server_tls=False, clients=["psycopg2"])
        works(proxy, f"sslmode={mode}", "ann", tls=False, server_tls=mode == "prefer", clients=["psycopg2"])
    works(proxy_of(SERVER.url("verify-ca", authority="authority.crt")), "sslmode=verify-ca", tls=False, clients=["psycopg2"])
    works(proxy_of(SERVER.url("verify-full", "localhost", "authority.crt")), "sslmode=verify-full", tls=False,
          clients=["psycopg2"])
    says(proxy_of(SERVER.url("verify-full", authority="authority.crt")), "sslmode=verify-full of another name",
         ["could not begin TLS with the server", "IP address mismatch"], tls=False, clients=["psycopg2"])
    says(proxy_of(SERVER.url("verify-ca", authority="stranger.crt")), "sslmode=verify-ca of another authority",
         ["could not begin TLS with the server", "certificate"], tls=False, clients=["psycopg2"])


def test_client_side():
    proxy = proxy_of(SERVER.url("disable"), *options(*of_certificate("proxy")))
    for user in ("ann", "md5er", "plainonly"):
        works(proxy, "TLS to the client", user, server_tls=False)
    works(proxy, "TLS offered and not used", tls=False, server_tls=False)
    refuses_wrong_password(proxy, "TLS to the client")
    says(proxy, "binding that the server cannot do", ["channel binding"], binding="require")


def test_both_without_help():
    proxy = proxy_of(SERVER.url("require"), *options(*of_certificate("proxy")))
    ways = ["--verifiers", "the server's own certificate", "channel_binding=disable"]
    says(proxy, "TLS on both sides and nothing else", ways)
    says(proxy, "TLS on both sides and nothing else, binding required", ways, binding="require")
    works(proxy, "TLS on both sides, channel_binding=disable", binding="disable")
    works(proxy, "TLS on both sides, md5", "md5er")
    works(proxy, "TLS on both sides, trust", "trusted")
    refuses_wrong_password(proxy, "TLS on both sides, channel_binding=disable", binding="disable")
    works(proxy, "TLS to the server only, though it could be both", tls=False)


def test_verifiers(path):
    proxy = proxy_of(SERVER.url("require"), *options(*of_certificate("proxy"), "--verifiers", path))
    for user in ("ann", 'o"dd ü', "tlsonly"):
        works(proxy, "verifiers", user)
    works(proxy, "verifiers, binding required", binding="require", clients=("psql", "psycopg2"))
    works(proxy, "verifiers, binding forbidden", binding="disable")
    works(proxy, "verifiers, md5", "md5er")
    refuses_wrong_password(proxy, "verifiers")
    refuses_wrong_password(proxy, "verifiers, binding forbidden", binding="disable")
    for client in CLIENTS:
        found = CLIENTS[client](proxy.port, "stale", WORD, True, "prefer")
        apitest.check('verifier of the user "stale" is not the one that the server has' in found,
                      f"an old verifier: {client} is told", found)
    says(proxy, "no verifier of the user", ['no verifier of the user "missing"', "channel_binding=disable"], "missing")
    works(proxy, "no verifier of the user, binding forbidden", "missing", binding="disable")
    works(proxy, "verifiers are not needed without TLS to the client", "stale", tls=False)
    return proxy


def test_same_certificate():
    proxy = proxy_of(SERVER.url("require"), *options(*of_certificate("server")))
    for binding in ("prefer", "require", "disable"):
        works(proxy, f"the server's own certificate, channel_binding={binding}", binding=binding)
    refuses_wrong_password(proxy, "the server's own certificate", binding="require")
    return proxy


# -- traffic by TLS on both sides -----------------------------------------------------------------


def test_traffic(proxy):
    connection = connect(proxy.port, "ann")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200000) AS i")
    found = hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()
    expected = "".join(hashlib.md5(str(i).encode()).hexdigest() for i in range(1, 200001))
    apitest.same(found, hashlib.sha256(expected.encode()).hexdigest(), "6 MB in one message arrive as they are")
    lines = "".join(f"{i} {'x' * (i % 300)}\n" for i in range(40000))
    (FILES / "in").write_text(lines)
    with open(FILES / "in", encoding="utf-8") as file:
        cursor.copy_expert("COPY bulk FROM STDIN", file)
    with open(FILES / "out", "w", encoding="utf-8") as file:
        cursor.copy_expert("COPY (SELECT line FROM bulk ORDER BY split_part(line, ' ', 1)::int) TO STDOUT", file)
    apitest.same((FILES / "out").read_text() == lines, True, "COPY of 6 MB in and out")
    connection.close()


def test_cancel(proxy):
    connection = connect(proxy.port, "ann")
    cursor = connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    pid = cursor.fetchone()[0]
    def cancel():
        apitest.wait_until("the statement runs", lambda: SERVER.admin.value(
            f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND query LIKE '%pg_sleep%' AND state = 'active'"))
        connection.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        cursor.execute("SELECT pg_sleep(600)")
        found = "it slept"
    except psycopg2.errors.QueryCanceled as error:
        found = error.pgcode
    thread.join()
    apitest.same(found, "57014", "a statement is cancelled through the proxy")
    connection.close()


# -- bytes ----------------------------------------------------------------------------------------


def start_of(user):
    body = struct.pack("!i", 196608) + f"user\0{user}\0database\0postgres\0\0".encode()
    return struct.pack("!i", len(body) + 4) + body


def read_all(stream, enough=lambda data: False):
    data = b""
    while not enough(data):
        try:
            more = stream.recv(65536)
        except (ConnectionError, ssl.SSLError):
            break
        if not more:
            break
        data += more
    return data


def test_bytes(proxy):
    address = ("127.0.0.1", proxy.port)
    ready = lambda data: b"Z\0\0\0\x05I" in data  # noqa: E731
    with socket.create_connection(address, apitest.DEADLINE_S) as stream:
        stream.sendall(struct.pack("!ii", 8, 80877103) + start_of("trusted"))
        found = read_all(stream)
    apitest.check(b"08P01" in found and b"unencrypted data after SSL request" in found,
                  "what comes before TLS is refused", found)

    context = client_context()
    context.set_alpn_protocols(["postgresql"])
    with socket.create_connection(address, apitest.DEADLINE_S) as plain, context.wrap_socket(plain) as stream:
        stream.sendall(start_of("trusted"))
        found = read_all(stream, ready)
        apitest.check(ready(found) and stream.selected_alpn_protocol() == "postgresql",
                      "TLS without asking (sslnegotiation=direct)", found)
    with socket.create_connection(address, apitest.DEADLINE_S) as plain, client_context().wrap_socket(plain) as stream:
        found = read_all(stream)
        apitest.check(b"08P01" in found and b"without ALPN" in found, "TLS without asking and without ALPN is refused", found)
    wrong = client_context()
    wrong.set_alpn_protocols(["http/1.1"])
    try:
        with socket.create_connection(address, apitest.DEADLINE_S) as plain, wrong.wrap_socket(plain):
            found = "it was let in"
    except (ssl.SSLError, ConnectionError) as error:
        found = str(error)
    apitest.check("NO_APPLICATION_PROTOCOL" in found.upper().replace(" ", "_"), "TLS for another protocol is refused", found)


# -- secrets --------------------------------------------------------------------------------------


def test_secrets(all_verifiers):
    """Neither in what the proxies said, nor in their files, which do hold the statements."""
    secrets = [WORD.encode(), ASCII_WORD.encode(), b"another password"]
    for verifier in all_verifiers:
        secrets += [part.encode() for part in re.split(r"[$:]", verifier)[2:]]
    said = b""
    for proxy in PROXIES:
        said += proxy.stop().encode()
        for path in [path for path in proxy.folder.rglob("*") if path.is_file()]:
            said += path.read_bytes()
    apitest.check(b"pg_stat_ssl" in said, "the traces hold the clients' statements", said)
    found = [secret for secret in secrets if secret in said]
    apitest.check(not found, "no password and no key stands in a file of the proxies'", f"{len(found)} of {len(secrets)}")


def main():
    make_roles()
    path, all_verifiers = verifiers()
    test_plain()
    test_server_side()
    test_modes()
    test_client_side()
    test_both_without_help()
    ended = test_verifiers(path)
    same = test_same_certificate()
    test_traffic(ended)
    test_cancel(same)
    test_bytes(same)
    test_secrets(all_verifiers)
    apitest.done()


main()
