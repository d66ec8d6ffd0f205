/* For the files of step proofs: what is measured, and what follows from it. */
#pragma once

#include "base/json.h"
#include "base/map.h"
#include "cmd/parts/step_proof.h"
#include "workload/window.h"
#include "workload/window_relation.h"

struct step_window {
    struct rollout *rollout;
    struct map own;          /* fingerprints of pgmend's own statements */
    bool has_opening;        /* a reading with which a window can begin */
    struct workload opening; /* it */
    int64_t opened_us;       /* when it was taken */
    const char *step;        /* whose window before is closed; NULL: of none */
    bool is_earlier;         /* an earlier run did the step */
    const char *trouble;     /* why calls are not counted, or NULL */
    struct workload_window before;
    struct named_relations relations; /* that the step is about, as they were before it */
};

enum proof_finding {
    PROOF_EARLY,   /* too few calls after */
    PROOF_UNKNOWN, /* calls before or some of those after are not known */
    PROOF_GAIN,
    PROOF_NO_GAIN,
    PROOF_LOSS,    /* something got slower */
    PROOF_UNCLEAR, /* may be chance */
};

/* What is known so far of one thing that is judged: a promise, or the workload. */
struct proof_state {
    int64_t reached_us; /* when its statements had been called often enough; 0: not yet */
    int32_t looks;      /* how often it was judged */
    bool has_finding;
    enum proof_finding finding; /* of the last time it was judged */
    const char *text;
};

/* One step while it is measured. */
struct step_proof {
    struct step_window *window;
    const struct plan_step *step;
    const struct step_proving *proving;
    struct db *db; /* reads */
    const json_t *json;
    struct workload start; /* the reading after the changes */
    int64_t start_us;
    const struct workload *now; /* the reading of this look */
    bool has_begun_anew;        /* the counters, since start */
    struct map scopes; /* fingerprint → struct statement_scope; lives as long as the proof */
    void *data;        /* of the kind */
};

/* What is to be judged: some statements together, and those around them. */
struct proof_case {
    const struct window_wish *wishes; /* statements; none: all that name the relations */
    size_t wish_count;
    const struct named_relations *relations; /* none: all there are */
    double least_gain;                       /* where a wish says nothing; 0: it need not gain */
    double most_loss;
    bool writes_may_lose; /* what they lose is set against the gain */
    bool any_gains;       /* it is enough that one of the statements gains */
    struct proof_state *state;
};

struct window_wish {
    const char *fingerprint;
    double wanted; /* share of its cost that has to be saved at least */
};

struct proof_statement {
    const struct window_statement *before; /* NULL: not called; one of both is there */
    const struct window_statement *after;
};

struct proof_judgement {
    enum proof_finding finding;
    double calls; /* after */
    const char *text;
    VEC(struct proof_statement) statements; /* those judged, and those that got slower */
};

/* Looks at the statements, and judges them when it is time to. is_last: there will be no more calls. */
void proof_judge(struct arena *arena, struct step_proof *proof, const struct workload_window *after,
    const struct proof_case *about, bool is_last, struct proof_judgement *ret);

/* The statements of one window as the step's record has them. */
const char *proof_story(struct arena *arena, const struct proof_judgement *judgements, size_t count,
    bool is_after, double seconds);

/* The window of such a text again, as far as it tells; of the statements that cost the most. */
bool proof_window_from_story(struct ctx *ctx, const char *story, struct workload_window *ret)
    MUST_CHECK;

/* One look: a verdict, and whether more looks could change it. ctx is of this look alone. */
typedef bool proof_look(struct ctx *ctx, struct step_proof *proof,
    const struct workload_window *after, bool is_last, struct step_verdict *ret);

/* Looks now and then until the verdict is not open, or the time is over. */
bool proof_measure(struct ctx *ctx, struct step_proof *proof, proof_look *look,
    struct step_verdict *ret) MUST_CHECK;

/* The kinds. */
bool proof_of_indexes(struct ctx *ctx, struct step_proof *proof, struct step_verdict *ret)
    MUST_CHECK;
bool proof_of_workload(struct ctx *ctx, struct step_proof *proof, struct step_verdict *ret)
    MUST_CHECK;
bool proof_of_vectors(struct ctx *ctx, struct step_proof *proof, struct step_verdict *ret)
    MUST_CHECK;

/* The relations that a proof of each kind is about. */
bool proof_find_relations(
    struct ctx *ctx, struct db *db, const json_t *json, struct named_relations *ret) MUST_CHECK;

/* "its statements were called 0 times within 10 s; 20 are wanted". */
const char *proof_tell_early(struct arena *arena, const struct step_proof *proof, double calls);
