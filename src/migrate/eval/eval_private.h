/* What the files of the evaluation share, and nobody else includes. */
#pragma once

#include "migrate/eval/eval.h"

enum {
    EVAL_DEPTH_MAX = 500,       /* nested expressions, statements and calls */
    EVAL_CALLS_MAX = 50,        /* nested calls of functions of the file */
    EVAL_WORK_MAX = 200000,     /* steps beyond one for each node of the file */
    EVAL_ITERATIONS_MAX = 1000, /* unrolled, in one file */
    EVAL_ITEMS_MAX = 10000,     /* of one list */
    EVAL_CONDITIONS_MAX = 64,   /* around one call */
    EVAL_TEXT_MAX = 1 << 20,    /* bytes of one text */
};

/* The contents of a list or dict, shared by all values that are the same object. */
struct box {
    VEC(struct value) items;
    VEC(struct value_pair) pairs;
    const char *unknown; /* why the contents are not known any more, or NULL */
    unsigned branches;   /* how many undecided branches it was made in */
};

struct scope {
    struct map names;    /* name → struct value *; a slot without kind and text is unbound */
    struct scope *outer; /* lexically; NULL: the module */
    bool is_class;
    struct text_list globals;
    struct text_list nonlocals;
};

struct function {
    const struct py_node *node; /* PY_FUNCTION or PY_LAMBDA */
    const char *name;
    struct scope *scope; /* where it was defined */
    VEC(struct keyword) defaults;
    VEC(struct value) first; /* arguments given beforehand */
    VEC(struct keyword) keywords;
    bool is_static; /* a method without self */
    bool is_class_method;
    bool is_property;
    bool yields;
};

/* How long a condition lasts. */
enum hold {
    HOLD_BLOCK,
    HOLD_ITERATION, /* after a continue that may have happened */
    HOLD_LOOP,      /* break */
    HOLD_FUNCTION,  /* return */
    HOLD_RUN,       /* raise */
};

struct guard {
    struct condition condition;
    enum hold hold;
    bool is_rest; /* what follows something that may have left */
    bool is_loop;
};

/* A slot before it was assigned in a branch, or its value at the end of the branch. */
struct change {
    struct value *slot;
    struct value value;
};

struct changes {
    struct change *items;
    size_t count;
    size_t capacity;
};

/* A return statement that was met. */
struct outcome {
    struct value value;
    bool is_certain;
    struct test test; /* if it is not: of its only condition, or TEST_NONE */
};

struct frame {
    size_t guard_base;
    VEC(struct outcome) outcomes;
};

/* A condition that was evaluated: its value, and what holds in either branch if it is unknown. */
struct truth {
    struct value value;
    struct conditions yes;
    struct conditions no;
};

/* Where the changes of a branch begin in the trail. */
struct branch {
    size_t mark;
    unsigned level;
};

/* Later ones leave more. */
enum flow { FLOW_NEXT, FLOW_CONTINUE, FLOW_BREAK, FLOW_RETURN, FLOW_RAISE };

struct rest {
    bool is_open;
    bool was_cut; /* a branch around it has ended: what follows begins it anew */
    struct branch branch;
};

struct eval {
    struct ctx *ctx;
    struct arena *arena; /* of values and calls */
    struct arena *keep;  /* of texts */
    const struct py_tree *tree;
    const char *file;
    const char *root; /* the folder below which files may be read, found when first needed */
    const struct eval_host *host;
    struct notes *notes;
    struct map *words; /* each kept once */
    struct map own_words;
    struct scope *module;
    struct scope *scope;
    struct frame *frame; /* NULL: not in a function */
    struct scene scene;
    struct conditions conditions; /* of the guards, as the scene shows them */
    bool is_stale;                /* the guards have changed since */
    VEC(struct guard) guards;
    struct changes trail;
    struct rest rest;
    unsigned branches; /* undecided ones we are in */
    unsigned depth;
    unsigned calls;
    size_t work;
    size_t work_max;
    size_t iterations;
    size_t told;     /* operations told to the host */
    bool has_raised; /* a function that was called raises for certain */
    bool is_stopped;
    bool is_interrupted;
    const char *wildcard; /* the module of the only `from … import *` */
    bool has_unknown_wildcard;
    uint32_t loop_noted;             /* line of the loop that was noted last */
    unsigned limits;                 /* noted */
    const struct py_node *statement; /* the expression that is the statement being run */
};

/* ---- eval.c: places, notes, limits ---- */

struct place eval_place(const struct eval *e, const struct py_node *node);
void eval_note(struct eval *e, enum note_kind kind, const struct py_node *node, const char *format,
    ...) PRINTF_LIKE(4, 5);

/* Counts work; false when the walk must end. */
bool eval_work(struct eval *e, size_t amount);
void eval_limit(struct eval *e, const struct py_node *node, const char *what);

/* One level deeper; false when that is too deep, or the walk must end. */
bool eval_enter(struct eval *e, const struct py_node *node);
void eval_leave(struct eval *e);

/* The text of the node, once in memory for all equal ones. */
const char *eval_word(struct eval *e, const char *text, size_t length);
const char *eval_name(struct eval *e, const struct py_node *node);
const char *eval_join(struct eval *e, const char *path, const char *between, const char *name);

/* The source of a node on one line, shortened, between the two texts. */
const char *eval_source(
    struct eval *e, const char *before, const struct py_node *node, const char *after);

/* The same of what stands before the body: "for x in y". */
const char *eval_head(
    struct eval *e, const char *before, const struct py_node *node, const struct py_node *body);

/* ---- value.c ---- */

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

struct value value_unknown(const char *why);
struct value value_none(void);
struct value value_bool(bool truth);
struct value value_integer(int64_t number);
enum answer value_truth(const struct value *value);
enum answer value_compare(const struct value *a, const struct value *b);
bool value_is_text(const struct value *value); /* or a template */

/* As repr() writes it; false if a part is unknown. */
bool value_repr(struct buffer *buffer, const struct value *value, unsigned depth);

/* As str() writes it; an unknown part becomes a hole, and the result is false. */
bool value_str(struct buffer *buffer, const struct value *value);

/* The class or one of its bases has this path or ends in "." and this. */
bool class_is(const struct class_def *def, const char *const *names);
const struct value *class_member(const struct class_def *def, const char *name);

/* ---- eval_list.c ---- */

/* A list, tuple or dict with room for count items; items are then pushed into its box. */
struct value eval_list_new(struct eval *e, enum value_kind kind, size_t count);
void eval_list_push(struct eval *e, struct value *list, const struct value *item);
void eval_set_add(struct eval *e, struct value *set, const struct value *item);
void eval_dict_set(
    struct eval *e, struct value *dict, const struct value *key, const struct value *value);
const struct value *eval_dict_get(const struct value *dict, const struct value *key);

/* Brings items and pairs up to date with the box. */
void eval_refresh(struct value *value);

/* The same with everything in it: before somebody else looks at it. */
void eval_freeze(struct eval *e, struct value *value, unsigned depth);

/* A list or tuple of what iterating gives; false if it is not known. */
bool eval_iterate(struct eval *e, const struct value *value, struct value *ret);

/* What iterating something unknown gives. */
struct value eval_element(struct eval *e, const struct value *value);

/* Before a box is changed: false when its contents are not known afterwards. */
bool eval_list_touch(struct eval *e, struct value *value);
bool eval_list_method(struct eval *e, struct value *self, const char *name, const struct call *call,
    struct value *ret);
struct value eval_subscript_of(struct eval *e, const struct value *object, const struct value *key,
    const struct py_node *node);
struct value eval_slice_of(struct eval *e, const struct value *object, const struct value part[3]);

/* ---- eval_text.c, eval_format.c, eval_method.c ---- */

struct value eval_string(struct eval *e, const struct py_node *node);
struct value eval_concatenated(struct eval *e, const struct py_node *node);
struct value eval_text_new(struct eval *e, const char *text, size_t length);
struct value eval_text_from(struct eval *e, struct buffer *buffer);

/* With conversion ('r', 's', 0) and format specification ("" for none); a hole if unknown. */
void eval_format_value(struct eval *e, struct buffer *buffer, const struct value *value,
    char conversion, const char *spec);
struct value eval_format_method(struct eval *e, const struct value *self, const struct call *call);
struct value eval_percent(struct eval *e, const struct value *format, const struct value *values);
bool eval_text_method(struct eval *e, const struct value *self, const char *name,
    const struct call *call, struct value *ret);
struct value eval_dedent(struct eval *e, const struct value *value);
struct value eval_cleandoc(struct eval *e, const struct value *value);
size_t eval_text_count(const char *text);                 /* code points */
size_t eval_text_offset(const char *text, size_t points); /* bytes of so many */

/* ---- eval_expression.c, eval_operator.c, eval_comprehension.c ---- */

struct value eval_expression(struct eval *e, const struct py_node *node);
struct value eval_attribute_of(
    struct eval *e, const struct value *object, const char *name, const struct py_node *node);

/* Notes that the result of a query is used, if the path is one. */
void eval_note_result(struct eval *e, const struct value *value, const struct py_node *node);
struct value eval_binary(struct eval *e, const struct py_node *node);
struct value eval_binary_of(
    struct eval *e, const struct value *left, const char *sign, const struct value *right);
struct value eval_unary(struct eval *e, const struct py_node *node);
struct value eval_comparison(struct eval *e, const struct py_node *node);
struct value eval_boolean(struct eval *e, const struct py_node *node);
struct value eval_not(struct eval *e, const struct py_node *node);
struct value eval_comprehension(struct eval *e, const struct py_node *node);

/* any(… for …) and all(… for …). */
struct value eval_any(struct eval *e, const struct py_node *generator, bool is_all);

/* ---- eval_call.c, eval_bind.c, eval_builtin.c, eval_path.c ---- */

struct value eval_call(struct eval *e, const struct py_node *node);
struct value eval_call_value(
    struct eval *e, const struct value *callee, struct call *call, const struct py_node *node);
struct value eval_call_function(struct eval *e, const struct function *function,
    const struct call *call, const struct py_node *node);
void eval_bind(struct eval *e, const struct function *function, const struct call *call);
struct value eval_function_new(struct eval *e, const struct py_node *node);
struct value eval_lambda(struct eval *e, const struct py_node *node);
struct value eval_function_with(
    struct eval *e, const struct function *function, const struct value *first);

/* Functions whose result is known; false: it is for the host. */
bool eval_known_call(
    struct eval *e, const struct call *call, const struct py_node *node, struct value *ret);
bool eval_is_builtin(const char *name);
bool eval_path_call(
    struct eval *e, const struct call *call, const struct py_node *node, struct value *ret);
struct value eval_path_attribute(struct eval *e, const struct value *path, const char *name);
bool eval_path_method(struct eval *e, const struct value *path, const char *name,
    const struct call *call, struct value *ret);
struct value eval_path_join(struct eval *e, const struct value *left, const struct value *right);
const char *eval_own_path(struct eval *e); /* __file__: absolute */
bool eval_is_path(const struct value *value);

/* ---- eval_class.c, eval_import.c ---- */

void eval_class(struct eval *e, const struct py_node *node);
struct value eval_class_call(
    struct eval *e, const struct value *class_value, struct call *call, const struct py_node *node);

/* An attribute of a class, of an instance of one of the file, of an enum member. */
bool eval_class_attribute(
    struct eval *e, const struct value *object, const char *name, struct value *ret);
bool eval_is_enum(const struct class_def *def);
void eval_import(struct eval *e, const struct py_node *node);
void eval_import_from(struct eval *e, const struct py_node *node);
bool eval_is_library(const char *module); /* standard library, Alembic, SQLAlchemy */

/* ---- eval_test.c ---- */

struct test test_negate(struct test test);

/* The test "name is one of these", or TEST_NONE. */
struct test eval_test_in(const struct value *name, const struct value *collection);
struct test eval_test_equal(const struct value *a, const struct value *b);
struct test eval_test_call(const struct call *call);

/* Why a name is unknown in the body of a loop that assigns it. */
extern const char eval_assigned_in_loop[];

/* The value that is yes where the test holds and no elsewhere. */
struct value eval_choose(const struct test *test, const struct value *yes, const struct value *no);

/* ---- eval_scope.c ---- */

struct scope *eval_scope_new(struct eval *e, struct scope *outer);
struct value *eval_lookup(const struct eval *e, const char *name);
void eval_assign(struct eval *e, const char *name, const struct value *value);
void eval_assign_target(struct eval *e, const struct py_node *target, const struct value *value);
void eval_forget(struct eval *e, const char *name, const char *why);

/* A branch that may or may not run: from enter to leave, which takes its assignments back. */
struct branch eval_branch_enter(struct eval *e);
struct changes eval_branch_leave(struct eval *e, struct branch branch);

/* The rest of a loop's body, after a break or continue that may have happened, is a branch too. */
void eval_rest_enter(struct eval *e);
struct rest eval_rest_begin(struct eval *e);
void eval_rest_end(struct eval *e, struct rest outer);
void eval_apply(struct eval *e, const struct changes *changes);

/* After two branches of which one ran; test is that of the first, or TEST_NONE. */
void eval_merge(
    struct eval *e, const struct test *test, const struct changes *yes, const struct changes *no);

/* ---- eval_guard.c ---- */

void eval_guard_push(struct eval *e, const struct condition *condition, enum hold hold);
void eval_guard_push_all(struct eval *e, const struct conditions *conditions, enum hold hold);
void eval_guard_rest(struct eval *e, const struct conditions *conditions, enum hold hold);

/*
 * Ends the own conditions from base on (count of them); what may have left within them goes on to
 * count behind them if it holds longer than `most`.
 */
void eval_guard_leave(struct eval *e, size_t base, size_t count, enum hold most);
const struct conditions *eval_guard_conditions(struct eval *e);

/* ---- eval_condition.c ---- */

void eval_truth(struct eval *e, const struct py_node *node, struct truth *ret);

/* ---- eval_statement.c, eval_loop.c, eval_try.c ---- */

enum flow eval_block(struct eval *e, const struct py_node *block);
enum flow eval_statement(struct eval *e, const struct py_node *node);
enum flow eval_if(struct eval *e, const struct py_node *node);
enum flow eval_for(struct eval *e, const struct py_node *node);
enum flow eval_while(struct eval *e, const struct py_node *node);
enum flow eval_try(struct eval *e, const struct py_node *node);
enum flow eval_with(struct eval *e, const struct py_node *node);
enum flow eval_match(struct eval *e, const struct py_node *node);

/* ---- eval_syntax.c ---- */

/* Notes what CPython 3.11 does not load although the grammar reads it. */
void eval_syntax(struct eval *e);
