/* What sinks are given to tell: some alerts, as texts that own nothing of the alerts themselves. */
#pragma once

#include "monitor/notify/notify.h"

/* An alert as people are told of it. All texts are UTF-8. */
struct notice {
    const char *id;
    const char *rule;
    const char *summary;
    const char *severity;
    const char *server;
    const char *owner;  /* or "" */
    const char *labels; /* datname="replyx",mode="…" */
    const char *value;  /* "0.93 (threshold 0.80)" */
    const char *cause;  /* or "" */
    const char *next;   /* command, or "" */
    int64_t rank;       /* of the severity */
    int64_t since_wall_us;
    int64_t fired_wall_us;
    int64_t resolved_wall_us; /* 0: fires */
};
extern const struct field notice_fields[];
extern const size_t notice_field_count;

void notice_from_alert(struct arena *arena, const struct alert *alert, struct notice *ret);
void notice_copy(struct arena *arena, const struct notice *notice, struct notice *ret);

/* Alerts that go to one sink together. */
struct message {
    const char *receiver; /* name of the sink */
    const char *server;   /* what they have in common; NULL: they are of several servers */
    const char *page_url; /* or NULL */
    struct notice **news; /* what is told for the first time, or again; the worst first */
    size_t news_count;
    struct notice **others; /* of the same group, known already, still firing */
    size_t other_count;
    int64_t now_wall_us;
    bool is_test;
};

bool message_is_firing(const struct message *message);

/* One line without control characters, and the whole for people: lines. */
const char *message_title(struct arena *arena, const struct message *message);
const char *message_text(struct arena *arena, const struct message *message);

/* The document that Prometheus Alertmanager posts to webhooks, version 4. */
const char *message_webhook(struct arena *arena, const struct message *message);

/* UTF-8 without what moves the cursor or turns the reading direction; newlines are spaces. */
const char *message_clean(struct arena *arena, const char *text);

/*
 * How many bytes of the text come before the limit, in UTF-16 units or in bytes, without cutting a
 * character.
 */
size_t message_fit_utf16(const char *text, size_t most);
size_t message_fit_bytes(const char *text, size_t most);
