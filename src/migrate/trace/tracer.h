/* What the files of the trace share while it runs. */
#pragma once

#include "catalog/diff.h"
#include "migrate/trace/trace.h"
#include "staging/scratch.h"

/* ---- predict.c: what the static analysis says of a revision ---- */

struct foreseen {
    const struct relation *relation; /* of the model while the replay runs: only to compare */
    const char *schema;
    const char *name;
    enum lock_mode mode;
    bool rewrites;
    bool scans;
    const struct step *step; /* of the strongest lock */
};

struct forecast {
    VEC(struct foreseen) tables; /* that were there before the revision */
    bool is_unknown;             /* something of it is only known when it runs */
    bool touches_rows;           /* it reads or writes rows, so tables are scanned all the same */
    bool fails;
    struct model_error error;
    struct place place;
};

/* ret: one for each revision, by its index. */
bool forecast_history(struct ctx *ctx, const struct analysis *analysis, const struct forecast **ret)
    MUST_CHECK;

/* ---- the whole ---- */

struct tracer {
    struct ctx *ctx;
    const struct alembic *alembic;
    const struct analysis *analysis;
    const struct trace_options *options;
    struct trace *trace;
    const struct forecast *forecasts;
    bool *is_applied; /* by node */
    bool has_skipped; /* from here on the static replay is about another schema */
    size_t done;

    struct scratch scratch;
    struct db *target; /* sessions in it: one for Alembic to be like, one to look from */
    struct db *second;
    struct arena *arenas[2];  /* of the schema before and after, in turn */
    struct schema schema;     /* as it is now */
    struct text_list ignored; /* Alembic's version table */
};

void tracer_show(const struct tracer *tracer, const char *doing, const struct revision *revision);

/* Opens and closes the sessions in the scratch database: a copy of it needs it left alone. */
bool tracer_open(struct tracer *tracer) MUST_CHECK;
void tracer_close(struct tracer *tracer);

/* schema_load() into an arena of its own; the error comes into the context. */
bool tracer_load_schema(
    struct tracer *tracer, struct db *db, struct arena *arena, struct schema *ret) MUST_CHECK;

/* What a failed run says, copied. */
struct trace_failure trace_failure_of(struct arena *arena, const struct alembic_outcome *outcome);

/* ---- observe.c: one revision's upgrade ---- */

bool trace_observe(struct tracer *tracer, struct trace_revision *ret) MUST_CHECK;

/* ---- downgrade.c: in a copy, so that whatever it leaves does no harm ---- */

/* after: the schema with the revision; tracer->schema: the one before it. */
bool trace_downgrade(struct tracer *tracer, struct trace_revision *ret) MUST_CHECK;

/* ---- source.c: where in the file a statement comes from ---- */

bool trace_find_places(struct ctx *ctx, struct trace_revision *revision) MUST_CHECK;

/* ---- findings.c ---- */

void trace_tell(struct tracer *tracer, const struct trace_revision *revision);
void trace_end_findings(struct tracer *tracer);
