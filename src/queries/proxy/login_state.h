/* What the files of the log-in share. */
#pragma once

#include "base/map.h"
#include "event/tls.h"
#include "queries/proxy/login.h"
#include "queries/proxy/scram.h"

/* As libpq's sslmode means them. */
enum login_mode {
    MODE_DISABLE,
    MODE_ALLOW,
    MODE_PREFER,
    MODE_REQUIRE,
    MODE_VERIFY_CA,
    MODE_VERIFY_FULL,
    MODE_COUNT,
};

struct login_rules {
    struct arena *arena;
    enum login_mode mode;
    struct tls_context *client_tls;
    struct tls_context *server_tls;
    const char *verifier_file; /* NULL: none */
    struct map verifiers;      /* user → struct scram_verifier */
};

enum login_state {
    STATE_START,      /* the client's start-up message, or what it asks before */
    STATE_TLS_CLIENT, /* TLS begins with the client */
    STATE_CONNECT,    /* the server is being connected to */
    STATE_TLS_ANSWER, /* one byte: whether the server speaks TLS */
    STATE_TLS_SERVER,
    STATE_LOGIN, /* authentication */
    STATE_DONE,
    STATE_REFUSED,
    STATE_CANCEL,
};

/* What is done about SCRAM. */
enum login_scram {
    SCRAM_PASSES,
    SCRAM_GUARDED, /* passes, unless the client binds to our certificate, which is not the server's */
    SCRAM_FIRST,   /* ended here: the client's first message is awaited, */
    SCRAM_FINAL,   /* its last one, */
    SCRAM_ASKED,   /* the server's first one, */
    SCRAM_SENT,    /* its last one, */
    SCRAM_OVER,
};

struct login_side {
    struct wire_stream stream;
    bool has_tls;
    struct scram_binding binding;
};

struct login {
    struct ctx ctx;
    struct login_rules *rules;
    struct login_buffers buffers;
    struct login_side client;
    struct login_side server;
    enum login_state state;
    bool is_direct; /* the client began with TLS and did not ask */
    bool has_asked_tls;
    bool has_asked_gss;
    bool wants_tls; /* with the server, on this connection */
    bool is_retry;
    bool has_passed; /* something of the server's to the client */
    bool is_clients_turn;
    const char *start; /* the whole start-up message */
    size_t start_size;
    const char *user;

    enum login_scram scram;
    bool server_has_plus;
    struct scram_server as_server;
    struct scram_client as_client;
    unsigned char key[SHA256_SIZE];
};

/* Sends the client an ErrorResponse, and nobody anything more. */
enum login_step login_refuse(
    struct login *login, const char *sqlstate, const char *message, const char *hint);
/* The same for the error in the log-in's context. */
enum login_step login_refuse_error(struct login *login, const char *sqlstate);

/* Messages of the authentication, of either side. */
enum login_step login_server_message(struct login *login, const struct wire_message *message);
enum login_step login_client_message(struct login *login, const struct wire_message *message);
