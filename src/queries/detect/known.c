#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "queries/detect/detect_part.h"

enum { MOST_DEPTH = 32, MOST_WORD = 64 };

/* The text of a template read from left to right: what the next $n is compared with. */
struct reader {
    struct arena *arena;
    struct known *known;
    const char *at;
    enum slot_place place;
    char column[MOST_WORD]; /* of the comparison */
    char word[MOST_WORD];   /* the last name */
    enum slot_place above[MOST_DEPTH];
    size_t depth;
    bool is_between; /* the next AND belongs to BETWEEN */
    bool is_cast;    /* the next word is a type */
    bool is_set;     /* UPDATE … SET */
    bool has_from;
};

static bool
is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_one_of(const char *word, const char *const *words)
{
    while (*words && strcasecmp(word, *words) != 0)
        words++;
    return *words;
}

static const char *const ends[] = { "and", "or", "where", "on", "having", "select", "from", "order",
    "group", "union", "when", "then", "else", "returning", "case", "join", NULL };
static const char *const lists[] = { "in", "any", "some", "all", "unnest", NULL };
static const char *const pages[] = { "limit", "offset", "fetch", NULL };

static void
read_word(struct reader *reader, const char *word)
{
    if (reader->is_cast) {
        reader->is_cast = false;
    } else if (is_one_of(word, lists)) {
        reader->place = PLACE_LIST;
    } else if (is_one_of(word, pages)) {
        reader->place = PLACE_PAGE;
        reader->known->has_limit |= strcasecmp(word, "offset") != 0;
    } else if (strcasecmp(word, "between") == 0) {
        reader->place = PLACE_RANGE;
        reader->is_between = true;
    } else if (strcasecmp(word, "values") == 0) {
        reader->place = PLACE_VALUES;
    } else if (strcasecmp(word, "set") == 0) {
        reader->is_set = true;
    } else if (strcasecmp(word, "and") == 0 && reader->is_between) {
        reader->is_between = false;
    } else if (is_one_of(word, ends)) {
        reader->place = PLACE_OTHER;
        reader->is_set = false;
        reader->has_from |= strcasecmp(word, "from") == 0;
    } else {
        snprintf(reader->word, sizeof(reader->word), "%s", word);
    }
}

static void
take_word(struct reader *reader)
{
    char word[MOST_WORD];
    size_t length = 0;
    char quote = (char)(*reader->at == '"' ? *reader->at++ : '\0');

    while (*reader->at && (quote ? *reader->at != quote : is_name(*reader->at))) {
        if (length + 1 < sizeof(word))
            word[length++] = *reader->at;
        reader->at++;
    }
    word[length] = '\0';
    if (quote && *reader->at)
        reader->at++;
    if (quote)
        snprintf(reader->word, sizeof(reader->word), "%s", word);
    else
        read_word(reader, word);
}

/* "$1 = column": the name behind the sign; empty when there is none. */
static void
look_ahead(const struct reader *reader, char ret[MOST_WORD])
{
    const char *at = reader->at;
    size_t length = 0;

    ret[0] = '\0';
    while (*at == ' ')
        at++;
    if (*at++ != '=')
        return;
    while (*at == ' ')
        at++;
    for (; is_name(*at) || *at == '.' || *at == '"'; at++) {
        if (*at == '.')
            length = 0;
        else if (*at != '"' && length + 1 < MOST_WORD)
            ret[length++] = *at;
    }
    ret[length] = '\0';
}

static void
take_param(struct reader *reader)
{
    char *end;
    unsigned long number = strtoul(reader->at, &end, 10);
    struct slot_use *slot;
    char behind[MOST_WORD];

    if (end == reader->at)
        return;
    reader->at = end;
    if (number < 1 || number > MOST_SLOTS)
        return;
    slot = &reader->known->slots[number - 1];
    if (number > reader->known->slot_count)
        reader->known->slot_count = number;
    look_ahead(reader, behind);
    slot->place = reader->place;
    if (reader->place == PLACE_EQUAL && reader->is_set)
        slot->place = PLACE_VALUES;
    if (reader->place == PLACE_OTHER && *behind)
        slot->place = PLACE_EQUAL;
    slot->column = *behind && reader->place == PLACE_OTHER ? arena_strdup(reader->arena, behind)
                   : reader->place == PLACE_EQUAL ? arena_strdup(reader->arena, reader->column)
                                                  : NULL;
}

static void
take_operator(struct reader *reader)
{
    const char *start = reader->at;
    size_t length = strspn(start, "<>=!~+-*/%^&|#@?:");

    reader->at += length;
    reader->is_cast = length == 2 && strncmp(start, "::", 2) == 0;
    if (reader->is_cast)
        return;
    if (length == 1 && *start == '=') {
        reader->place = PLACE_EQUAL;
        memcpy(reader->column, reader->word, sizeof(reader->column));
    } else if ((length == 1 && (*start == '<' || *start == '>')) ||
               (length == 2 && start[1] == '=' && (*start == '<' || *start == '>'))) {
        reader->place = PLACE_RANGE;
    }
}

static void
take_sign(struct reader *reader)
{
    char sign = *reader->at++;

    if (sign == '(' && reader->depth < MOST_DEPTH) {
        reader->above[reader->depth++] = reader->place;
    } else if (sign == ')' && reader->depth > 0) {
        reader->depth--;
        reader->place = reader->above[reader->depth] == PLACE_VALUES ? PLACE_VALUES : PLACE_OTHER;
    } else if (sign == ',') {
        reader->place = reader->depth > 0               ? reader->above[reader->depth - 1]
                        : reader->place == PLACE_VALUES ? PLACE_VALUES
                                                        : PLACE_OTHER;
    } else if (sign == '\'') {
        while (*reader->at && *reader->at != '\'')
            reader->at++;
        reader->at += *reader->at ? 1 : 0;
    }
}

static void
read_template(struct reader *reader)
{
    while (*reader->at) {
        char c = *reader->at;

        if (c == '$') {
            reader->at++;
            take_param(reader);
        } else if (c == '"' || (is_name(c) && !isdigit((unsigned char)c))) {
            take_word(reader);
        } else if (strchr("<>=!~+-*/%^&|#@?:", c)) {
            take_operator(reader);
        } else {
            take_sign(reader);
        }
    }
}

static struct known *
known_new(struct arena *arena, const struct template *template)
{
    struct known *known = ARENA_NEW(arena, struct known);
    struct reader reader = { .arena = arena, .known = known, .at = template->text };
    bool is_select = strncasecmp(template->text, "select", 6) == 0;

    known->template = template;
    known->slots = ARENA_ARRAY(arena, struct slot_use, MOST_SLOTS);
    read_template(&reader);
    known->is_read =
        template->kind == TEMPLATE_READ || (template->kind == TEMPLATE_UNKNOWN && is_select);
    known->is_update =
        template->kind == TEMPLATE_WRITE && (strncasecmp(template->text, "update", 6) == 0 ||
                                                strncasecmp(template->text, "delete", 6) == 0);
    known->is_noise = known->is_read && !reader.has_from && !strchr(template->text, '(');
    return known;
}

struct known *
known_find(struct detect *detect, const struct template *template)
{
    if (template->number >= detect->known_size) {
        size_t size = detect->known_size ? detect->known_size * 2 : 256;
        struct known **bigger;

        while (size <= template->number)
            size *= 2;
        bigger = ARENA_ARRAY(detect->arena, struct known *, size);
        if (detect->known_size > 0)
            memcpy(bigger, detect->known, detect->known_size * sizeof(*bigger));
        detect->known = bigger;
        detect->known_size = size;
    }
    if (!detect->known[template->number])
        detect->known[template->number] = known_new(detect->arena, template);
    return detect->known[template->number];
}

bool
known_is_paging(const struct known *known, uint32_t varying)
{
    bool is_other = false;
    bool has_range = false;

    for (size_t i = 0; i < MOST_SLOTS; i++) {
        enum slot_place place = known->slots[i].place;

        if (!(varying & UINT32_C(1) << i))
            continue;
        has_range |= place == PLACE_RANGE;
        is_other |= place != PLACE_PAGE && place != PLACE_LIST && place != PLACE_RANGE;
    }
    return !is_other || (has_range && known->has_limit);
}

/* "author" of "author_id" stands in the text as "authors". */
static bool
has_stem(const char *text, const char *column, size_t length)
{
    for (; *text; text++)
        if (strncasecmp(text, column, length) == 0)
            return true;
    return false;
}

bool
known_is_named(const struct known *known, size_t slot, const char *column)
{
    const char *compared = slot < MOST_SLOTS ? known->slots[slot].column : NULL;
    size_t length = column ? strlen(column) : 0;
    size_t other = compared ? strlen(compared) : 0;

    if (length == 0 || other == 0)
        return false;
    if (strcasecmp(compared, "id") == 0)
        return length > 3 && strcasecmp(column + length - 3, "_id") == 0 &&
               has_stem(known->template->text, column, length - 3);
    if (strcasecmp(column, "id") == 0)
        return other > 3 && strcasecmp(compared + other - 3, "_id") == 0;
    return strcasecmp(compared, column) == 0;
}
