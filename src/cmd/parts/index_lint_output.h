/* What "index lint" writes: a screen, or a document in one of the formats of findings. */
#pragma once

#include "cli/command.h"
#include "index/lint/lint.h"

enum index_lint_format {
    INDEX_LINT_TEXT,
    INDEX_LINT_JSON,
    INDEX_LINT_SARIF,
    INDEX_LINT_GITHUB,
    INDEX_LINT_MARKDOWN,
    INDEX_LINT_FORMAT_COUNT
};

/* For --format; NULL-terminated, in the order of the enum. */
extern const char *const index_lint_formats[];

struct index_lint_page {
    const struct lint *lint;
    const char *against; /* "replyx @ db:5432, PostgreSQL 15.20": what it was checked against */
    bool is_verbose;
};

/* asked: of --format, or NULL; json: of --json; path: of --output, or NULL. ERR_USAGE. */
bool index_lint_format(struct ctx *ctx, const char *asked, bool json, const char *path,
    enum index_lint_format *ret) MUST_CHECK;

void index_lint_write(
    struct ctx *ctx, FILE *out, enum index_lint_format format, const struct index_lint_page *page);

bool index_lint_write_file(struct ctx *ctx, const char *path, enum index_lint_format format,
    const struct index_lint_page *page) MUST_CHECK;
