/* What every session of ours has, whatever the role, the database or a pooler have set. */
#include "base/log.h"
#include "db/connection.h"

bool
db_check_version(struct ctx *ctx, struct db *db)
{
    const char *text = PQparameterStatus(db->conn, "server_version");

    db->version = PQserverVersion(db->conn);
    text = text ? text : "";
    db->version_text = arena_strndup(db->arena, text, strcspn(text, " "));
    if (db_major(db) < DB_OLDEST_MAJOR) {
        error_set(ctx, ERR_UNSUPPORTED, "the server is PostgreSQL %s, older than %d",
            db->version_text, DB_OLDEST_MAJOR);
        return error_hint(
            ctx, "pgmend knows PostgreSQL %d to %d.", DB_OLDEST_MAJOR, DB_NEWEST_MAJOR);
    }
    if (db_major(db) <= DB_NEWEST_MAJOR)
        return true;
    if (db->options.access == ACCESS_WRITE) {
        error_set(ctx, ERR_UNSUPPORTED,
            "the server is PostgreSQL %s, newer than this pgmend knows (%d): it will not change "
            "anything there",
            db->version_text, DB_NEWEST_MAJOR);
        return error_hint(ctx, "Reading works; install a newer pgmend to make changes.");
    }
    log_warn("the server is PostgreSQL %s, newer than this pgmend knows (%d)", db->version_text,
        DB_NEWEST_MAJOR);
    return true;
}

/* search_path first, and qualified, so that nobody's function of the same name is run. */
const char db_pin_sql[] =
    "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),"
    " pg_catalog.set_config('default_transaction_read_only', $1, false),"
    " pg_catalog.set_config('statement_timeout', $2, false),"
    " pg_catalog.set_config('lock_timeout', $3, false),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false),"
    " pg_catalog.set_config('idle_session_timeout', '0', false),"
    " pg_catalog.set_config('client_connection_check_interval', '0', false),"
    " pg_catalog.set_config('default_transaction_isolation', 'read committed', false),"
    " pg_catalog.set_config('jit', 'off', false),"
    " pg_catalog.set_config('synchronous_commit', 'on', false),"
    " pg_catalog.set_config('standard_conforming_strings', 'on', false),"
    " pg_catalog.set_config('DateStyle', 'ISO, YMD', false),"
    " pg_catalog.set_config('IntervalStyle', 'postgres', false),"
    " pg_catalog.set_config('TimeZone', 'UTC', false),"
    " pg_catalog.set_config('extra_float_digits', '1', false),"
    " pg_catalog.set_config('bytea_output', 'hex', false),"
    " pg_catalog.set_config('quote_all_identifiers', 'off', false),"
    " (SELECT pg_catalog.set_config(s.name, '0', false) FROM pg_catalog.pg_settings AS s"
    "   WHERE s.name OPERATOR(pg_catalog.=) 'transaction_timeout')," /* 17 and later */
    " pg_catalog.set_config('application_name', $4, false)";

void
db_pin_params(struct arena *arena, const struct db *db, const char *ret[DB_PIN_PARAMS])
{
    const struct db_options *options = &db->options;

    ret[0] = options->access == ACCESS_WRITE ? "off" : "on";
    ret[1] = arena_printf(arena, "%lld", (long long)(options->statement_timeout_us / 1000));
    ret[2] = arena_printf(arena, "%lld", (long long)(options->lock_timeout_us / 1000));
    ret[3] = options->application;
}
