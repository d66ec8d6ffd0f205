/* What holds for all sessions of a proxy: certificates, and the verifiers of a file. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "queries/proxy/login_state.h"

enum { MOST_VERIFIERS_SIZE = 16 * 1024 * 1024 };

static bool
read_mode(struct ctx *ctx, const char *text, enum login_mode *ret)
{
    static const char *const names[MODE_COUNT] = { "disable", "allow", "prefer", "require",
        "verify-ca", "verify-full" };

    *ret = MODE_PREFER;
    for (size_t i = 0; text && i < MODE_COUNT; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum login_mode)i;
            return true;
        }
    if (text)
        return error_set(ctx, ERR_CONFIG,
            "\"%s\" is no sslmode: disable, allow, prefer, require, verify-ca or verify-full",
            text);
    return true;
}

/* What lets its reader be the server, or us, is for one reader; PostgreSQL asks the same of its key. */
static bool
check_private(struct ctx *ctx, const char *path)
{
    struct stat found;

    if (stat(path, &found) != 0)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    if (found.st_mode & (found.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO)) {
        error_set(ctx, ERR_CONFIG, "\"%s\" can be read by others", path);
        return error_hint(ctx, "chmod 600 %s", path);
    }
    return true;
}

/* A text in double quotes, in which two stand for one, as in PgBouncer's file; NULL: there is none. */
static const char *
quoted(struct arena *arena, const char **at)
{
    const char *from = *at + strspn(*at, " \t");
    char *text = arena_alloc(arena, strlen(from) + 1), *to = text;

    if (*from++ != '"')
        return NULL;
    for (; *from; from++) {
        if (*from == '"' && *++from != '"') {
            *at = from;
            return text;
        }
        *to++ = *from;
    }
    return NULL;
}

static bool
read_verifier(struct ctx *ctx, struct login_rules *rules, const char *line, size_t number)
{
    const char *start = line + strspn(line, " \t");
    const char *at = start, *user, *text;
    struct scram_verifier *verifier = ARENA_NEW(rules->arena, struct scram_verifier);

    if (!*start || *start == '#' || *start == ';')
        return true;
    user = quoted(rules->arena, &at);
    text = user ? quoted(rules->arena, &at) : NULL;
    /* The line itself is a secret and is not shown. */
    if (!text)
        return error_set(ctx, ERR_CONFIG,
            "%s: line %zu: this is not \"user\" \"SCRAM-SHA-256$…\", both in double quotes",
            rules->verifier_file, number);
    if (!scram_read_verifier(rules->arena, text, verifier)) {
        error_set(ctx, ERR_CONFIG,
            "%s: line %zu: what stands for \"%s\" is no SCRAM-SHA-256 verifier",
            rules->verifier_file, number, user);
        return error_hint(
            ctx, "copy pg_authid.rolpassword; MD5 hashes and passwords are of no use here");
    }
    map_set(&rules->verifiers, user, verifier);
    return true;
}

static bool
read_verifiers(struct ctx *ctx, struct login_rules *rules)
{
    const char *data;
    size_t length, number = 0;

    if (!check_private(ctx, rules->verifier_file) ||
        !file_read_most(ctx, rules->verifier_file, MOST_VERIFIERS_SIZE, &data, &length))
        return error_wrap(ctx, "verifiers");
    for (const char *line = data, *end = data + length; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((newline ? newline : end) - line);
        char *copy = arena_strndup(rules->arena, line, size);

        if (size > 0 && copy[size - 1] == '\r')
            copy[size - 1] = '\0';
        if (!read_verifier(ctx, rules, copy, ++number))
            return false;
        line += size + 1;
    }
    return true;
}

static bool
make_contexts(struct ctx *ctx, struct login_rules *rules, const struct proxy_options *options)
{
    const struct tls_options of_clients = {
        .is_server = true,
        .certificate_file = options->certificate_file,
        .key_file = options->key_file,
        .protocol = "postgresql",
    };
    const struct tls_options of_server = {
        .ca_file = options->server_ca_file,
        .checks_name = rules->mode == MODE_VERIFY_FULL,
        .protocol = "postgresql",
    };
    /* As libpq does, none over a socket of the file system, whatever the mode says. */
    bool is_local = !options->host || *options->host == '/' || *options->host == '@';

    if (!options->certificate_file != !options->key_file)
        return error_set(ctx, ERR_CONFIG, "TLS for clients needs a certificate and its key, both");
    if (options->certificate_file && (!check_private(ctx, options->key_file) ||
                                         !tls_context_new(ctx, &of_clients, &rules->client_tls)))
        return error_wrap(ctx, "TLS for clients");
    if (rules->mode >= MODE_VERIFY_CA && !options->server_ca_file && !is_local) {
        error_set(ctx, ERR_CONFIG, "sslmode=%s needs the certificate of an authority to check with",
            options->server_ssl_mode);
        return error_hint(ctx, "sslrootcert=FILE, or sslrootcert=system");
    }
    if (rules->mode != MODE_DISABLE && !is_local &&
        !tls_context_new(ctx, &of_server, &rules->server_tls))
        return error_wrap(ctx, "TLS to the server");
    return true;
}

bool
login_rules_new(struct ctx *ctx, const struct proxy_options *options, struct login_rules **ret)
{
    struct arena *arena = arena_new();
    struct login_rules *rules = ARENA_NEW(arena, struct login_rules);

    rules->arena = arena;
    rules->verifiers.arena = arena;
    if (options->verifier_file)
        rules->verifier_file = arena_strdup(arena, options->verifier_file);
    if (!read_mode(ctx, options->server_ssl_mode, &rules->mode) ||
        !make_contexts(ctx, rules, options) ||
        (rules->verifier_file && !read_verifiers(ctx, rules))) {
        login_rules_free(rules);
        return false;
    }
    *ret = rules;
    return true;
}

void
login_rules_free(struct login_rules *rules)
{
    if (!rules)
        return;
    tls_context_free(rules->client_tls);
    tls_context_free(rules->server_tls);
    arena_free(rules->arena);
}

struct tls_context *
login_client_tls(struct login_rules *rules)
{
    return rules->client_tls;
}

struct tls_context *
login_server_tls(struct login_rules *rules)
{
    return rules->server_tls;
}
