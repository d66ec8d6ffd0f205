/* What the files of templates share: the scanner, and what the grammar says about a text. */
#pragma once

#include "base/text.h"
#include "workload/template.h"

/* What stands for a constant in a mask, and for a list of them. */
enum { MASK_LITERAL = 1, MASK_LIST = 2 };

/*
 * A text without what differs from call to call: constants are MASK_LITERAL, comments and runs of
 * blanks one blank, and the semicolon at the end is gone.
 */
struct mask {
    struct buffer text;
    uint32_t params; /* the highest $n */
    bool is_open;    /* a quote or a comment is not closed */
};

/*
 * Masks a text. is_short: lists of constants after IN and rows of VALUES are one MASK_LIST whatever
 * their length. literals may be NULL; both grow what they have.
 */
void mask_make(const char *sql, size_t length, bool is_short, struct mask *ret, struct arena *arena,
    struct literals *ret_literals);

/*
 * What shapes of one template have in common beyond their fingerprint: letters in small, parameters
 * numbered by rank, lists of parameters and constants of any length. keywords: TRUE, FALSE and NULL
 * count as constants. In the arena.
 */
const char *mask_identity(struct arena *arena, const struct mask *mask, bool keywords);

/* What the grammar says about a text. */
struct judgement {
    enum template_kind kind;
    const char *fingerprint; /* NULL: it is not understood */
    bool is_volatile;
    const char *text;
    VEC(uint32_t) kept; /* indexes of literals that belong to the template; in order */
};

/* sql ends with NUL; NULL: it is not to be read. mask and literals are those of the whole text, not shortened. */
void judge_template(struct ctx *ctx, const char *sql, const struct mask *mask,
    const struct literals *literals, struct judgement *ret);

/* Whether a name is that of a built-in function of which every form is immutable or stable. */
bool function_is_steady(const char *name);
