/*
 * The table of templates. A text is masked (template_scan.c), and the mask looked up; only a mask that
 * is not known is given to the grammar. Memory is bounded, as texts come from outside: masks are
 * forgotten all at once when there are too many, and beyond MOST_TEMPLATES every further statement is of
 * one template that says so.
 *
 * is_volatile is decided by names alone, without a server: a read is not volatile when it locks no rows
 * and calls only functions that are known to be immutable or stable. A function of the user's own is not
 * known, so a template that calls one is volatile until the server's catalogue has been asked.
 */
#include <inttypes.h>

#include "base/crypto.h"
#include "base/map.h"
#include "base/memory.h"
#include "workload/template_part.h"

enum {
    MOST_TEMPLATES = 20000,
    MOST_TEMPLATE_BYTES = 64 * 1024 * 1024,
    MOST_SHAPES = 32768, /* a power of two */
    SHAPE_SLOTS = 2 * MOST_SHAPES,
    MOST_SHAPE_BYTES = 32 * 1024 * 1024,
    MOST_SCRATCH = 1024 * 1024,
    LONGEST_READ = 512 * 1024,  /* of a text that the grammar is asked about */
    LONGEST_UNKNOWN = 16 * 1024 /* of the text of a template that is not understood */
};

struct shape {
    uint64_t hash;
    const char *key;
    size_t length;
    const struct template *template; /* NULL: it depends on the constants that are kept */
    bool is_long; /* which these are depends on how long lists are: see the mask with whole lists */
    const uint32_t *kept;
    size_t kept_count;
};

struct templates {
    struct arena *arena;
    struct arena *own;     /* shapes */
    struct arena *scratch; /* of one look-up */
    struct arena *reused;  /* mask and literals */
    struct mask mask;
    struct literals literals;
    struct shape *shapes;
    size_t shape_count;
    uint64_t seed;
    struct map by_identity;
    struct map by_text;
    VEC(struct template *) items;
    size_t bytes;
    const struct template *rest; /* what all are that are too many */
};

struct templates *
templates_new(struct arena *arena)
{
    struct templates *templates = ARENA_NEW(arena, struct templates);

    templates->arena = arena;
    templates->own = arena_new();
    templates->scratch = arena_new();
    templates->reused = arena_new();
    templates->mask.text.arena = templates->reused;
    /* Pages of it that no shape falls on are never touched. */
    templates->shapes = calloc(SHAPE_SLOTS, sizeof(templates->shapes[0]));
    if (!templates->shapes)
        memory_exhausted(0);
    templates->by_identity.arena = arena;
    templates->by_text.arena = arena;
    random_bytes(&templates->seed, sizeof(templates->seed));
    return templates;
}

void
templates_free(struct templates *templates)
{
    if (!templates)
        return;
    arena_free(templates->own);
    arena_free(templates->scratch);
    arena_free(templates->reused);
    free(templates->shapes);
}

/* FNV-1a; with a seed of the run where others could choose the texts. */
static uint64_t
hash_of(uint64_t seed, const char *data, size_t length)
{
    uint64_t hash = seed ^ UINT64_C(14695981039346656037);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
    return hash ^ (hash >> 29);
}

/*
 * Of a mask, by eight bytes: multiplied to twice as many bits and folded, as wyhash does; a mask is at most one
 * of many texts a second, but each of them waits for this.
 */
static uint64_t
hash_of_mask(uint64_t seed, const char *data, size_t length)
{
    uint64_t hash = seed ^ length;

    while (length > 0) {
        size_t count = length < sizeof(uint64_t) ? length : sizeof(uint64_t);
        uint64_t word = 0;
        unsigned __int128 product;

        memcpy(&word, data, count);
        product = (unsigned __int128)(hash ^ word ^ UINT64_C(0xa0761d6478bd642f)) *
                  (seed ^ UINT64_C(0xe7037ed1a0b428db));
        hash = (uint64_t)product ^ (uint64_t)(product >> 64) ^ hash << 1;
        data += count;
        length -= count;
    }
    return hash ^ hash >> 29;
}

static struct shape *
shape_slot(const struct templates *templates, const char *key, size_t length, uint64_t hash)
{
    size_t at = hash % SHAPE_SLOTS;

    while (templates->shapes[at].key) {
        struct shape *shape = &templates->shapes[at];

        if (shape->hash == hash && shape->length == length && memcmp(shape->key, key, length) == 0)
            break;
        at = (at + 1) % SHAPE_SLOTS;
    }
    return &templates->shapes[at];
}

static struct shape *
shape_find(const struct templates *templates, const char *key, size_t length)
{
    return shape_slot(templates, key, length, hash_of_mask(templates->seed, key, length));
}

static void
shape_put(struct templates *templates, const char *key, size_t length,
    const struct template *template, const struct judgement *judgement)
{
    uint64_t hash = hash_of_mask(templates->seed, key, length);
    struct shape *shape;

    if (templates->shape_count >= MOST_SHAPES || arena_used(templates->own) > MOST_SHAPE_BYTES) {
        arena_reset(templates->own);
        memset(templates->shapes, 0, sizeof(templates->shapes[0]) * SHAPE_SLOTS);
        templates->shape_count = 0;
    }
    shape = shape_slot(templates, key, length, hash);
    if (!shape->key)
        templates->shape_count++;
    *shape = (struct shape){ .hash = hash, .length = length, .template = template };
    shape->key = arena_memdup(templates->own, key, length + 1);
    if (judgement && judgement->kept.count > 0) {
        shape->kept_count = judgement->kept.count;
        shape->kept = arena_memdup(templates->own, judgement->kept.items,
            sizeof(judgement->kept.items[0]) * judgement->kept.count);
    }
}

/* ---- making templates ---- */

static const struct template *
add(struct templates *templates, const struct template *like, const char *identity)
{
    struct template *template = arena_memdup(templates->arena, like, sizeof(*like));

    template->number = (uint32_t)templates->items.count;
    template->fingerprint = arena_strdup(templates->arena, like->fingerprint);
    template->text = arena_strdup(templates->arena, like->text);
    templates->bytes += strlen(template->text) + sizeof(*template);
    VEC_PUSH(templates->arena, &templates->items, template);
    map_set(&templates->by_text,
        arena_printf(templates->arena, "%d %s", (int)like->kind, template->text), template);
    if (identity) {
        templates->bytes += strlen(identity);
        map_set(&templates->by_identity, arena_strdup(templates->arena, identity), template);
    }
    return template;
}

static bool
is_full(const struct templates *templates)
{
    return templates->items.count >= MOST_TEMPLATES || templates->bytes > MOST_TEMPLATE_BYTES;
}

static const struct template *
rest(struct templates *templates)
{
    static const struct template many = {
        .kind = TEMPLATE_UNKNOWN,
        .fingerprint = "xfffffffffffffff",
        .text = "(a statement of one kind too many to be told apart)",
        .is_volatile = true,
    };

    if (!templates->rest)
        templates->rest = add(templates, &many, NULL);
    return templates->rest;
}

static const struct template *
find_same(const struct templates *templates, enum template_kind kind, const char *text)
{
    return map_get(&templates->by_text, arena_printf(templates->scratch, "%d %s", (int)kind, text));
}

const struct template *
templates_add(struct templates *templates, const struct template *like)
{
    const struct template *found;

    arena_reset(templates->scratch);
    found = find_same(templates, like->kind, like->text);
    if (found)
        return found;
    return is_full(templates) ? rest(templates) : add(templates, like, NULL);
}

/* What else must be equal beside the fingerprint; the constants that are kept behind it. */
static const char *
identity_of(const struct templates *templates, const char *sql, const struct mask *brief,
    const struct literals *literals, const struct judgement *judgement)
{
    struct buffer identity = { .arena = templates->scratch };

    buffer_printf(&identity, "%d %s\n", (int)judgement->kind,
        judgement->fingerprint ? judgement->fingerprint : "");
    buffer_add(
        &identity, mask_identity(templates->scratch, brief, judgement->kind == TEMPLATE_WRITE));
    for (size_t i = 0; i < judgement->kept.count; i++) {
        const struct literal *literal = &literals->items[judgement->kept.items[i]];

        buffer_add(&identity, "\n");
        buffer_append(&identity, sql + literal->start, literal->end - literal->start);
    }
    return buffer_text(&identity);
}

/* Cuts a text that nobody can run anyway, between two characters. */
static const char *
shortened(struct arena *arena, const char *text)
{
    size_t length = LONGEST_UNKNOWN;

    if (strlen(text) <= length)
        return text;
    while (length > 0 && (text[length] & 0xC0) == 0x80)
        length--;
    return arena_printf(arena, "%.*s…", (int)length, text);
}

/* The template of a mask that is not known, and what the grammar says about it. */
static const struct template *
make(struct templates *templates, const char *sql, size_t length, bool is_cut,
    struct judgement *judgement)
{
    struct ctx ctx = { .arena = templates->scratch };
    struct mask whole = { .text = { .arena = templates->scratch } };
    struct literals literals = { 0 };
    struct template like = { 0 };
    const struct template *found;
    const char *identity;
    bool is_read = !is_cut && length <= LONGEST_READ;

    mask_make(sql, length, false, &whole, templates->scratch, &literals);
    judge_template(&ctx, is_read ? arena_strndup(templates->scratch, sql, length) : NULL, &whole,
        &literals, judgement);
    identity = identity_of(templates, sql, &templates->mask, &literals, judgement);
    found = map_get(&templates->by_identity, identity);
    if (found)
        return found;
    like.kind = judgement->kind;
    like.text = judgement->text;
    like.fingerprint = judgement->fingerprint;
    like.is_volatile = judgement->is_volatile;
    like.param_count = (uint16_t)whole.params;
    if (!like.fingerprint) {
        like.text = shortened(templates->scratch, like.text);
        like.fingerprint = arena_printf(
            templates->scratch, "x%015" PRIx64, hash_of(0, identity, strlen(identity)) >> 4);
    }
    found = find_same(templates, like.kind, like.text);
    if (found)
        return found;
    return is_full(templates) ? rest(templates) : add(templates, &like, identity);
}

/* ---- looking up ---- */

/* The mask with the constants that belong to the template behind it. */
static const char *
longer_key(struct templates *templates, const char *sql, const struct shape *shape)
{
    struct buffer key = { .arena = templates->scratch };

    buffer_add(&key, shape->key);
    for (size_t i = 0; i < shape->kept_count; i++) {
        const struct literal *literal;

        if (shape->kept[i] >= templates->literals.count)
            continue;
        literal = &templates->literals.items[shape->kept[i]];
        buffer_add(&key, "\n");
        buffer_append(&key, sql + literal->start, literal->end - literal->start);
    }
    return buffer_text(&key);
}

static void
give_literals(const struct templates *templates, const struct shape *shape, struct arena *arena,
    struct literals *ret)
{
    size_t kept = 0;

    *ret = (struct literals){ 0 };
    if (templates->literals.count == 0)
        return;
    ret->items = ARENA_ARRAY(arena, struct literal, templates->literals.count);
    ret->capacity = templates->literals.count;
    for (size_t i = 0; i < templates->literals.count; i++) {
        if (kept < shape->kept_count && shape->kept[kept] == i)
            kept++;
        else
            ret->items[ret->count++] = templates->literals.items[i];
    }
}

static void
make_mask(struct templates *templates, const char *sql, size_t length, bool is_cut, bool is_short)
{
    if (arena_used(templates->reused) > MOST_SCRATCH) {
        arena_reset(templates->reused);
        templates->mask = (struct mask){ .text = { .arena = templates->reused } };
        templates->literals = (struct literals){ 0 };
    }
    templates->mask.text.length = 0;
    templates->literals.count = 0;
    mask_make(sql, length, is_short, &templates->mask, templates->reused, &templates->literals);
    /* What was cut off is never the same as what was not, and what is not closed neither. */
    buffer_add(&templates->mask.text, is_cut ? " …" : templates->mask.is_open ? " …?" : "");
}

/* Of the mask; all zero but for the hash when it is not known. */
static struct shape
find_mask(const struct templates *templates)
{
    return *shape_find(templates, templates->mask.text.data, templates->mask.text.length);
}

/* A text whose mask is not known. */
static const struct template *
find_new(
    struct templates *templates, const char *sql, size_t length, bool is_cut, struct shape *shape)
{
    struct judgement judgement;
    const struct template *template = make(templates, sql, length, is_cut, &judgement);
    struct buffer *mask = &templates->mask.text;

    if (judgement.kept.count > 0 && memchr(mask->data, MASK_LIST, mask->length)) {
        shape_put(templates, mask->data, mask->length, NULL, NULL);
        shape_find(templates, mask->data, mask->length)->is_long = true;
        make_mask(templates, sql, length, is_cut, false);
    }
    shape_put(templates, mask->data, mask->length, judgement.kept.count > 0 ? NULL : template,
        &judgement);
    *shape = find_mask(templates);
    return template;
}

const struct template *
templates_find(struct templates *templates, const char *sql, size_t length, bool is_cut,
    struct arena *arena, struct literals *ret_literals)
{
    struct shape shape;
    const struct template *template;

    length = strnlen(sql, length < UINT32_MAX ? length : UINT32_MAX);
    arena_reset(templates->scratch);
    make_mask(templates, sql, length, is_cut, true);
    shape = find_mask(templates);
    if (shape.is_long) {
        make_mask(templates, sql, length, is_cut, false);
        shape = find_mask(templates);
    }
    template = shape.template;
    if (!shape.key)
        template = find_new(templates, sql, length, is_cut, &shape);
    if (!shape.template) {
        const char *key = longer_key(templates, sql, &shape);
        const struct shape *second = shape_find(templates, key, strlen(key));

        /* Adding one may empty the table. */
        shape.kept =
            arena_memdup(templates->scratch, shape.kept, sizeof(shape.kept[0]) * shape.kept_count);
        if (second->key) {
            template = second->template;
        } else {
            struct judgement judgement;

            if (!template)
                template = make(templates, sql, length, is_cut, &judgement);
            shape_put(templates, key, strlen(key), template, NULL);
        }
    }
    if (ret_literals)
        give_literals(templates, &shape, arena, ret_literals);
    return template;
}

size_t
templates_count(const struct templates *templates)
{
    return templates->items.count;
}
