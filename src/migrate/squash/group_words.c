#include <ctype.h>

#include "migrate/squash/group_private.h"

struct word {
    const char *text; /* singular */
    enum domain domain;
    unsigned weight; /* how sure it makes */
};

static const struct word words[] = {
    { "user", DOMAIN_USERS, 2 },
    { "account", DOMAIN_USERS, 2 },
    { "auth", DOMAIN_USERS, 3 },
    { "oauth", DOMAIN_USERS, 3 },
    { "session", DOMAIN_USERS, 2 },
    { "role", DOMAIN_USERS, 3 },
    { "permission", DOMAIN_USERS, 3 },
    { "token", DOMAIN_USERS, 1 },
    { "password", DOMAIN_USERS, 3 },
    { "login", DOMAIN_USERS, 3 },
    { "identity", DOMAIN_USERS, 3 },
    { "credential", DOMAIN_USERS, 3 },
    { "invitation", DOMAIN_USERS, 2 },
    { "invite", DOMAIN_USERS, 2 },
    { "member", DOMAIN_USERS, 2 },
    { "membership", DOMAIN_USERS, 2 },
    { "team", DOMAIN_USERS, 2 },
    { "organization", DOMAIN_USERS, 2 },
    { "workspace", DOMAIN_USERS, 2 },
    { "tenant", DOMAIN_USERS, 2 },
    { "profile", DOMAIN_USERS, 2 },
    { "employee", DOMAIN_USERS, 2 },
    { "confirmation", DOMAIN_USERS, 2 },
    { "email", DOMAIN_USERS, 1 },
    { "api", DOMAIN_USERS, 1 },
    { "key", DOMAIN_USERS, 1 },
    { "assistant", DOMAIN_KNOWLEDGE, 3 },
    { "knowledge", DOMAIN_KNOWLEDGE, 4 },
    { "document", DOMAIN_KNOWLEDGE, 3 },
    { "embedding", DOMAIN_KNOWLEDGE, 4 },
    { "prompt", DOMAIN_KNOWLEDGE, 3 },
    { "chunk", DOMAIN_KNOWLEDGE, 3 },
    { "vector", DOMAIN_KNOWLEDGE, 3 },
    { "article", DOMAIN_KNOWLEDGE, 3 },
    { "file", DOMAIN_KNOWLEDGE, 1 },
    { "dialog", DOMAIN_DIALOGS, 4 },
    { "dialogue", DOMAIN_DIALOGS, 4 },
    { "message", DOMAIN_DIALOGS, 3 },
    { "conversation", DOMAIN_DIALOGS, 4 },
    { "chat", DOMAIN_DIALOGS, 3 },
    { "rating", DOMAIN_DIALOGS, 2 },
    { "thread", DOMAIN_DIALOGS, 2 },
    { "handoff", DOMAIN_DIALOGS, 3 },
    { "operator", DOMAIN_DIALOGS, 2 },
    { "reply", DOMAIN_DIALOGS, 2 },
    { "feedback", DOMAIN_DIALOGS, 2 },
    { "plan", DOMAIN_BILLING, 3 },
    { "payment", DOMAIN_BILLING, 4 },
    { "balance", DOMAIN_BILLING, 4 },
    { "subscription", DOMAIN_BILLING, 4 },
    { "price", DOMAIN_BILLING, 3 },
    { "invoice", DOMAIN_BILLING, 4 },
    { "promo", DOMAIN_BILLING, 4 },
    { "referral", DOMAIN_BILLING, 4 },
    { "order", DOMAIN_BILLING, 3 },
    { "refund", DOMAIN_BILLING, 4 },
    { "coupon", DOMAIN_BILLING, 4 },
    { "discount", DOMAIN_BILLING, 4 },
    { "tariff", DOMAIN_BILLING, 4 },
    { "transaction", DOMAIN_BILLING, 3 },
    { "payout", DOMAIN_BILLING, 4 },
    { "billing", DOMAIN_BILLING, 4 },
    { "bonus", DOMAIN_BILLING, 3 },
    { "wallet", DOMAIN_BILLING, 4 },
    { "checkout", DOMAIN_BILLING, 4 },
    { "customer", DOMAIN_BILLING, 2 },
    { "currency", DOMAIN_BILLING, 3 },
    { "tax", DOMAIN_BILLING, 3 },
    { "pool", DOMAIN_BILLING, 2 },
    { "usage", DOMAIN_BILLING, 1 },
    { "setting", DOMAIN_OPERATIONS, 1 },
    { "log", DOMAIN_OPERATIONS, 1 },
    { "job", DOMAIN_OPERATIONS, 3 },
    { "bot", DOMAIN_OPERATIONS, 3 },
    { "broadcast", DOMAIN_OPERATIONS, 4 },
    { "feature", DOMAIN_OPERATIONS, 3 },
    { "flag", DOMAIN_OPERATIONS, 3 },
    { "audit", DOMAIN_OPERATIONS, 3 },
    { "system", DOMAIN_OPERATIONS, 3 },
    { "notification", DOMAIN_OPERATIONS, 3 },
    { "event", DOMAIN_OPERATIONS, 2 },
    { "webhook", DOMAIN_OPERATIONS, 3 },
    { "schedule", DOMAIN_OPERATIONS, 2 },
    { "task", DOMAIN_OPERATIONS, 2 },
    { "queue", DOMAIN_OPERATIONS, 3 },
    { "integration", DOMAIN_OPERATIONS, 2 },
    { "metric", DOMAIN_OPERATIONS, 3 },
};

static const struct {
    const char *title;
    const char *word;
} domains[] = {
    [DOMAIN_USERS] = { "users and access", "users" },
    [DOMAIN_KNOWLEDGE] = { "assistants and knowledge", "knowledge" },
    [DOMAIN_DIALOGS] = { "dialogs", "dialogs" },
    [DOMAIN_BILLING] = { "billing", "billing" },
    [DOMAIN_OPERATIONS] = { "operations", "operations" },
};

/* The word itself or its plural: prices, boxes, currencies. */
static bool
is_word(const char *token, size_t length, const char *word)
{
    size_t singular = strlen(word);
    const char *end;

    if (length >= singular && strncasecmp(token, word, singular) == 0) {
        end = token + singular;
        length -= singular;
        return length == 0 || (length == 1 && tolower((unsigned char)end[0]) == 's') ||
               (length == 2 && strncasecmp(end, "es", 2) == 0);
    }
    return singular > 1 && word[singular - 1] == 'y' && length == singular + 2 &&
           strncasecmp(token, word, singular - 1) == 0 &&
           strncasecmp(token + singular - 1, "ies", 3) == 0;
}

/* The length of the next part of promo_codes or PromoCodes. */
static size_t
token_length(const char *name)
{
    size_t length = 0;

    while (isalpha((unsigned char)name[length]) &&
           (length == 0 || !isupper((unsigned char)name[length]) ||
               isupper((unsigned char)name[length - 1])))
        length++;
    return length;
}

enum domain
group_domain(const char *table)
{
    unsigned scores[DOMAIN_NONE] = { 0 };
    enum domain best = DOMAIN_NONE;

    while (*table) {
        size_t length = token_length(table);

        for (size_t i = 0; length > 0 && i < COUNT_OF(words); i++) {
            enum domain domain = words[i].domain;

            if (!is_word(table, length, words[i].text))
                continue;
            scores[domain] += words[i].weight;
            /* Of two that are as sure, the later word says what the thing is. */
            if (best == DOMAIN_NONE || scores[domain] >= scores[best])
                best = domain;
        }
        table += length > 0 ? length : 1;
    }
    return best;
}

const char *
group_domain_title(enum domain domain)
{
    return domains[domain].title;
}

const char *
group_domain_word(enum domain domain)
{
    return domains[domain].word;
}
