/*
 * The terms that GIN would make of a column: trigrams, words, elements, keys. They are taken from the values
 * that the statistics hold; how many more the whole table has follows from how many were seen only once.
 */
#include <ctype.h>
#include <math.h>

#include "base/json.h"
#include "index/facts/facts_part.h"
#include "index/facts/size_part.h"

enum { MOST_TERMS = 20000 };

/* Of a tsvector, with its entry and a place or two. */
static const double bytes_a_word = 15;

struct term {
    uint64_t hash;
    double share;   /* of the rows */
    uint32_t count; /* of the samples */
    uint32_t last;  /* sample it was seen in, from 1 */
};

struct collector {
    struct arena *arena;
    struct term *terms; /* open addressing */
    size_t capacity;
    size_t used;
    uint32_t sample;
    double weight;   /* of the sample */
    double postings; /* a row */
    double bytes;    /* of keys, a row */
    bool letters[256];
};

/* FNV-1a. */
static uint64_t
hash_of(const void *data, size_t length, uint64_t seed)
{
    const unsigned char *bytes = data;
    uint64_t hash = 14695981039346656037u ^ seed;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash ? hash : 1;
}

static void
add_term(struct collector *collector, uint64_t hash, size_t bytes)
{
    size_t at = hash % collector->capacity;

    while (collector->terms[at].hash && collector->terms[at].hash != hash)
        at = (at + 1) % collector->capacity;

    struct term *term = &collector->terms[at];

    if (!term->hash && collector->used >= MOST_TERMS)
        return;
    if (!term->hash) {
        term->hash = hash;
        collector->used++;
    }
    if (term->last == collector->sample)
        return;
    term->last = collector->sample;
    term->count++;
    term->share += collector->weight;
    collector->postings += collector->weight;
    collector->bytes += collector->weight * (double)bytes;
}

/* Each word with two blanks before it and one behind it, in pieces of three. */
static void
add_trigrams(struct collector *collector, const char *text)
{
    unsigned char last[3] = { ' ', ' ', ' ' };

    for (const char *c = text;; c++) {
        unsigned char byte = (unsigned char)tolower((unsigned char)*c);
        bool is_word = isalnum(byte) || (byte & 0x80);

        if (is_word || last[2] != ' ') {
            last[0] = last[1];
            last[1] = last[2];
            last[2] = is_word ? byte : ' ';
            collector->letters[last[2]] = true;
            add_term(collector, hash_of(last, 3, 0), 4);
        }
        if (!is_word)
            last[0] = last[1] = last[2] = ' ';
        if (!*c)
            return;
    }
}

static void
add_words(struct collector *collector, const char *text)
{
    const char *start = NULL;

    for (const char *c = text;; c++) {
        bool is_word = isalnum((unsigned char)*c) || (*c & 0x80);

        if (is_word && !start)
            start = c;
        /* Words of up to three bytes are mostly stop words. */
        if (!is_word && start) {
            size_t length = (size_t)(c - start);

            if (length > 3)
                add_term(collector, hash_of(start, length, 0), length + 1);
            start = NULL;
        }
        if (!*c)
            return;
    }
}

static void
add_elements(struct collector *collector, const char *text)
{
    const char **items;
    size_t count;

    facts_array(collector->arena, arena_strdup(collector->arena, text), &items, &count);
    for (size_t i = 0; i < count; i++)
        if (items[i])
            add_term(collector, hash_of(items[i], strlen(items[i]), 0), strlen(items[i]) + 1);
}

/* path: of the keys above, for jsonb_path_ops, which has one term a value; 0 and is_path false else. */
static void
add_json(struct collector *collector, const json_t *node, uint64_t path, bool is_path)
{
    const char *name;
    const json_t *member;
    size_t i;

    if (json_is_object(node)) {
        void *at;

        for (at = json_object_iter((json_t *)(uintptr_t)node); at;
             at = json_object_iter_next((json_t *)(uintptr_t)node, at)) {
            name = json_object_iter_key(at);
            if (!is_path)
                add_term(collector, hash_of(name, strlen(name), 1), strlen(name) + 2);
            add_json(collector, json_object_iter_value(at),
                is_path ? hash_of(name, strlen(name), path) : 0, is_path);
        }
        return;
    }
    if (json_is_array(node)) {
        json_array_foreach(node, i, member) add_json(collector, member, path, is_path);
        return;
    }

    char *text = json_dumps(node, JSON_ENCODE_ANY);

    if (text) {
        add_term(collector, hash_of(text, strlen(text), path + 2), strlen(text));
        free(text);
    }
}

enum kind {
    KIND_TRIGRAMS,
    KIND_WORDS,
    KIND_ELEMENTS,
    KIND_JSON,
    KIND_PATHS,
    KIND_VECTOR,
    KIND_VALUE
};

static enum kind
kind_of(const struct fact_column *column, const struct candidate_key *key)
{
    if (key->opclass && strstr(key->opclass, "trgm"))
        return KIND_TRIGRAMS;
    if (strstr(key->text, "to_tsvector("))
        return KIND_WORDS;
    if (!column)
        return KIND_VALUE;
    if (strcmp(column->base_type, "tsvector") == 0)
        return KIND_VECTOR;
    if (strcmp(column->base_type, "jsonb") == 0)
        return key->opclass && strstr(key->opclass, "path") ? KIND_PATHS : KIND_JSON;
    return column->category == 'A' ? KIND_ELEMENTS : KIND_VALUE;
}

static void
add_value(struct collector *collector, enum kind kind, const char *text)
{
    json_t *tree CLEANUP(json_release) = NULL;

    switch (kind) {
    case KIND_TRIGRAMS:
        add_trigrams(collector, text);
        return;
    case KIND_WORDS:
        add_words(collector, text);
        return;
    case KIND_ELEMENTS:
        add_elements(collector, text);
        return;
    case KIND_JSON:
    case KIND_PATHS:
        tree = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        add_json(collector, tree, 0, kind == KIND_PATHS);
        return;
    case KIND_VECTOR:
    case KIND_VALUE:
        add_term(collector, hash_of(text, strlen(text), 0), strlen(text) + 1);
        return;
    }
}

/* All values that are known, each with the share of the rows that it stands for. */
static size_t
collect(struct collector *collector, const struct fact_column *column, enum kind kind)
{
    double common = 0;

    for (size_t i = 0; i < column->common_count; i++) {
        collector->weight = column->common_shares[i];
        collector->sample++;
        common += collector->weight;
        if (column->common[i])
            add_value(collector, kind, column->common[i]);
    }
    if (column->bound_count > 1)
        collector->weight = fmax(1 - column->null_share - common, 0) / (double)column->bound_count;
    for (size_t i = 0; i < column->bound_count && column->bounds[i]; i++) {
        collector->sample++;
        add_value(collector, kind, column->bounds[i]);
    }
    return collector->sample;
}

/* Where no values are known: by the width alone. */
static void
guess(const struct fact_column *column, enum kind kind, double rows, struct size_terms *ret)
{
    static const double bytes_a_term[] = {
        [KIND_TRIGRAMS] = 1,
        [KIND_WORDS] = 9,
        [KIND_ELEMENTS] = 8,
        [KIND_JSON] = 9,
        [KIND_PATHS] = 16,
        [KIND_VECTOR] = 15,
        [KIND_VALUE] = 1e9,
    };
    double nulls = column ? column->null_share : 0;
    double width = column ? column->width : 16;
    bool is_hash = kind == KIND_TRIGRAMS || kind == KIND_PATHS;

    ret->a_row = fmax(width / bytes_a_term[kind], 1) * (1 - nulls);
    ret->rare_a_row = ret->a_row;
    ret->key_width = is_hash ? 4 : fmin(bytes_a_term[kind] + 1, width);
    ret->distinct = 12 * sqrt(rows * ret->a_row);
    if (kind == KIND_TRIGRAMS)
        ret->distinct = fmin(ret->distinct, 8000);
    if (kind == KIND_VALUE)
        ret->distinct = column && column->distinct >= 1 ? column->distinct : rows;
}

/*
 * How many terms there are in all, by how many were seen once and twice: between Chao's estimate, which is
 * right when all are equally rare, and Heaps' law, which is right for words of a language.
 */
static double
all_terms(const struct collector *collector, double once, double twice, double more)
{
    double seen = (double)collector->used;
    double heaps = seen * pow(fmax(more, 1), once / seen);
    double chao = seen + once * fmax(once - 1, 0) / (2 * (twice + 1));
    double letters = 0;

    for (size_t i = 0; i < COUNT_OF(collector->letters); i++)
        letters += collector->letters[i];

    double all = sqrt(fmax(chao, seen) * heaps);

    return letters > 0 ? fmin(all, pow(letters, 3)) : all;
}

/*
 * Different words among so many: Heaps' law with the numbers of a large collection of news. Source: Manning,
 * Raghavan, Schütze, Introduction to Information Retrieval, 5.1.1.
 */
static double
vocabulary(double words)
{
    return 44 * pow(fmax(words, 1), 0.49);
}

/* What the server itself knows of elements and words. */
static void
take_elements(
    struct arena *arena, const struct fact_column *column, double rows, struct size_terms *ret)
{
    enum { MOST_KNOWN = 950 }; /* of about 1,000 that the server keeps at most */
    bool is_words = strcmp(column->base_type, "tsvector") == 0;
    double common = 0;

    ret->shares =
        arena_memdup(arena, column->element_shares, column->element_count * sizeof(ret->shares[0]));
    ret->seen = column->element_count;
    for (size_t i = 0; i < ret->seen; i++)
        common += ret->shares[i];
    ret->a_row = column->elements_a_row * (1 - column->null_share);
    ret->key_width = is_words ? 8 : 5;
    if (is_words)
        ret->a_row = fmax(ret->a_row, column->width / bytes_a_word * (1 - column->null_share));
    ret->rare_a_row = fmax(ret->a_row - common, 0);
    ret->distinct = (double)ret->seen;
    if (ret->seen >= MOST_KNOWN || ret->rare_a_row > 0.05 * ret->a_row)
        ret->distinct += vocabulary(rows * ret->rare_a_row);
}

void
size_terms_find(struct arena *arena, const struct fact_table *table,
    const struct candidate_key *key, struct size_terms *ret)
{
    const struct fact_column *column = key->column ? facts_column(table, key->column) : NULL;
    enum kind kind = kind_of(column, key);
    struct collector collector = { .arena = arena, .capacity = MOST_TERMS * 2 };
    double rows = fmax(table->planner_rows, 1);
    double once = 0;
    double twice = 0;

    *ret = (struct size_terms){ 0 };
    if (!column && size_columns(table, key->text, &column, 1) == 0)
        column = NULL;
    if (column && column->element_count > 0 && (kind == KIND_VECTOR || kind == KIND_ELEMENTS)) {
        take_elements(arena, column, rows, ret);
        return;
    }
    if (!column || kind == KIND_VECTOR || kind == KIND_VALUE ||
        column->common_count + column->bound_count == 0) {
        guess(column, kind, rows, ret);
        return;
    }
    collector.terms = ARENA_ARRAY(arena, struct term, collector.capacity);

    size_t samples = collect(&collector, column, kind);

    if (collector.used == 0) {
        guess(column, kind, rows, ret);
        return;
    }
    ret->shares = ARENA_ARRAY(arena, double, collector.used);
    for (size_t i = 0; i < collector.capacity; i++) {
        const struct term *term = &collector.terms[i];

        twice += term->hash && term->count == 2;
        /* What was seen once may be any of very many: it stands for all that are rare. */
        if (term->hash && term->count == 1 && term->share < 2.0 / (double)samples) {
            once++;
            ret->rare_a_row += term->share;
        } else if (term->hash) {
            ret->shares[ret->seen++] = term->share;
        }
    }
    ret->a_row = collector.postings;
    ret->key_width =
        kind == KIND_TRIGRAMS || kind == KIND_PATHS ? 4 : collector.bytes / collector.postings;
    ret->distinct = kind == KIND_WORDS
                        ? (double)ret->seen + vocabulary(rows * ret->rare_a_row)
                        : fmin(all_terms(&collector, once, twice, rows / (double)samples),
                              rows * collector.postings);
}
