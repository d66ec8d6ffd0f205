#include <ctype.h>

#include "migrate/eval/eval_private.h"

/* A method of a text or template; false when its result is not known. */
typedef bool (*text_method)(
    struct eval *e, const struct value *self, const struct call *call, struct value *ret);

static const char blanks[] = " \t\n\r\v\f";

static const char *
text_at(const struct call *call, size_t n, const char *keyword)
{
    const struct value *value = call_argument(call, n, keyword);

    return value ? value_known_text(value) : NULL;
}

static bool
is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* Letters beyond ASCII have rules of their own. */
static bool
change_case(struct eval *e, const struct value *self, int (*change)(int), struct value *ret)
{
    struct buffer buffer = { .arena = e->arena };

    if (!is_ascii(self->text))
        return false;
    buffer_add(&buffer, self->text);
    for (size_t i = 0; i < buffer.length; i++)
        buffer.data[i] = (char)change((unsigned char)buffer.data[i]);
    *ret = eval_text_from(e, &buffer);
    return true;
}

static bool
text_lower(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    (void)call;
    return change_case(e, self, tolower, ret);
}

static bool
text_upper(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    (void)call;
    return change_case(e, self, toupper, ret);
}

static bool
text_title(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    struct buffer buffer = { .arena = e->arena };
    bool is_inside = false;

    (void)call;
    if (!is_ascii(self->text))
        return false;
    buffer_add(&buffer, self->text);
    for (size_t i = 0; i < buffer.length; i++) {
        int c = (unsigned char)buffer.data[i];

        buffer.data[i] = (char)(is_inside ? tolower(c) : toupper(c));
        is_inside = isalpha(c) != 0;
    }
    *ret = eval_text_from(e, &buffer);
    return true;
}

static bool
text_capitalize(
    struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    struct buffer buffer = { .arena = e->arena };

    (void)call;
    if (!is_ascii(self->text))
        return false;
    buffer_add(&buffer, self->text);
    for (size_t i = 0; i < buffer.length; i++)
        buffer.data[i] = (char)(i > 0 ? tolower((unsigned char)buffer.data[i])
                                      : toupper((unsigned char)buffer.data[i]));
    *ret = eval_text_from(e, &buffer);
    return true;
}

static bool
strip(
    struct eval *e, const struct value *self, const struct call *call, int sides, struct value *ret)
{
    const char *set = call->arguments.count > 0 ? text_at(call, 0, NULL) : blanks;
    const char *text = self->text;
    size_t length;

    if (call->arguments.count > 0 && call->arguments.items[0].kind == VALUE_NONE)
        set = blanks;
    if (!set || !is_ascii(set))
        return false;
    if (sides & 1)
        text += strspn(text, set);
    length = strlen(text);
    while ((sides & 2) && length > 0 && strchr(set, text[length - 1]))
        length--;
    *ret = eval_text_new(e, text, length);
    if (value_is_text(ret))
        ret->file = text == self->text ? self->file : NULL;
    return true;
}

static bool
text_strip(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    return strip(e, self, call, 3, ret);
}

static bool
text_lstrip(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    return strip(e, self, call, 1, ret);
}

static bool
text_rstrip(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    return strip(e, self, call, 2, ret);
}

static bool
text_join(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    struct buffer buffer = { .arena = e->arena };
    struct value items;

    if (call->arguments.count != 1)
        return false;
    if (!eval_iterate(e, &call->arguments.items[0], &items)) {
        static const char hole = VALUE_HOLE;

        *ret = eval_text_new(e, &hole, 1);
        return true;
    }
    for (size_t i = 0; i < items.items.count; i++) {
        if (i > 0)
            buffer_add(&buffer, self->text);
        eval_format_value(e, &buffer, &items.items.items[i], 0, "");
        if (buffer.length > EVAL_TEXT_MAX || !eval_work(e, 1))
            return false;
    }
    *ret = eval_text_from(e, &buffer);
    return true;
}

static bool
text_replace(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    const char *from = text_at(call, 0, "old");
    const struct value *by = call_argument(call, 1, "new");
    struct buffer to = { .arena = e->arena };
    struct buffer buffer = { .arena = e->arena };
    const char *text = self->text;

    if (!from || !*from || !by || call->arguments.count > 2)
        return false;
    eval_format_value(e, &to, by, 0, "");
    for (const char *found; (found = strstr(text, from)); text = found + strlen(from)) {
        buffer_append(&buffer, text, (size_t)(found - text));
        buffer_add(&buffer, buffer_text(&to));
        if (buffer.length > EVAL_TEXT_MAX)
            return false;
    }
    buffer_add(&buffer, text);
    *ret = eval_text_from(e, &buffer);
    return true;
}

static void
push_text(struct eval *e, struct value *list, const char *text, size_t length)
{
    struct value item = eval_text_new(e, text, length);

    eval_list_push(e, list, &item);
}

static bool
text_split(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    const struct value *given = call_argument(call, 0, "sep");
    const char *separator = given ? value_known_text(given) : NULL;
    const char *text = self->text;
    int64_t most = INT64_MAX;

    if (call_argument(call, 1, "maxsplit")) {
        if (call_argument(call, 1, "maxsplit")->kind != VALUE_INTEGER)
            return false;
        most = call_argument(call, 1, "maxsplit")->integer;
    }
    if (self->kind != VALUE_TEXT || most < 0 || (separator && !*separator) ||
        (given && !separator && given->kind != VALUE_NONE) || (!separator && most != INT64_MAX))
        return false;
    *ret = eval_list_new(e, VALUE_LIST, 0);
    if (!separator) {
        for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
            size_t length = strcspn(text, blanks);

            push_text(e, ret, text, length);
            text += length;
        }
        return true;
    }
    for (const char *found; most > 0 && (found = strstr(text, separator)); most--) {
        push_text(e, ret, text, (size_t)(found - text));
        text = found + strlen(separator);
    }
    push_text(e, ret, text, strlen(text));
    return true;
}

static bool
text_splitlines(
    struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    const char *text = self->text;

    if (self->kind != VALUE_TEXT || call->arguments.count + call->keywords.count > 0 ||
        strpbrk(text, "\r\v\f\x1c\x1d\x1e\xc2\xe2"))
        return false;
    *ret = eval_list_new(e, VALUE_LIST, 0);
    while (*text) {
        size_t length = strcspn(text, "\n");

        push_text(e, ret, text, length);
        text += length + (text[length] == '\n');
    }
    return true;
}

static bool
partition(struct eval *e, const struct value *self, const struct call *call, bool is_last,
    struct value *ret)
{
    const char *separator = text_at(call, 0, NULL);
    const char *found = NULL;

    if (self->kind != VALUE_TEXT || !separator || !*separator)
        return false;
    for (const char *at = self->text; (at = strstr(at, separator)); at++) {
        found = at;
        if (!is_last)
            break;
    }

    size_t before = found ? (size_t)(found - self->text) : strlen(self->text);
    const char *parts[] = { arena_strndup(e->arena, self->text, before), found ? separator : "",
        found ? found + strlen(separator) : "" };

    if (!found && is_last) {
        parts[2] = parts[0];
        parts[0] = "";
    }
    *ret = eval_list_new(e, VALUE_TUPLE, COUNT_OF(parts));
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        push_text(e, ret, parts[i], strlen(parts[i]));
    return true;
}

static bool
text_partition(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    return partition(e, self, call, false, ret);
}

static bool
text_rpartition(
    struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    return partition(e, self, call, true, ret);
}

static bool
text_removeprefix(
    struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    const char *start = text_at(call, 0, NULL);

    if (!start)
        return false;

    size_t skip = text_starts_with(self->text, start) ? strlen(start) : 0;

    *ret = eval_text_new(e, self->text + skip, strlen(self->text) - skip);
    return true;
}

static bool
text_removesuffix(
    struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    const char *end = text_at(call, 0, NULL);

    if (!end)
        return false;

    size_t skip = text_ends_with(self->text, end) ? strlen(end) : 0;

    *ret = eval_text_new(e, self->text, strlen(self->text) - skip);
    return true;
}

/* The argument is a text or a tuple of texts. */
static bool
has_end(const struct value *self, const struct call *call,
    bool (*has)(const char *text, const char *part), struct value *ret)
{
    bool found = false;

    if (self->kind != VALUE_TEXT || call->arguments.count != 1)
        return false;

    const struct value *given = &call->arguments.items[0];
    size_t count = given->kind == VALUE_TUPLE ? given->items.count : 1;

    for (size_t i = 0; i < count; i++) {
        const struct value *one = given->kind == VALUE_TUPLE ? &given->items.items[i] : given;
        const char *part = value_known_text(one);

        if (!part)
            return false;
        found |= has(self->text, part);
    }
    *ret = value_bool(found);
    return true;
}

static bool
text_startswith(
    struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    (void)e;
    return has_end(self, call, text_starts_with, ret);
}

static bool
text_endswith(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    (void)e;
    return has_end(self, call, text_ends_with, ret);
}

static bool
text_find(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    const char *part = text_at(call, 0, NULL);
    const char *found;

    (void)e;
    if (self->kind != VALUE_TEXT || !part || call->arguments.count != 1 || !is_ascii(self->text))
        return false;
    found = strstr(self->text, part);
    *ret = value_integer(found ? found - self->text : -1);
    return true;
}

static bool
text_count(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    const char *part = text_at(call, 0, NULL);
    int64_t count = 0;

    (void)e;
    if (self->kind != VALUE_TEXT || !part || !*part || call->arguments.count != 1)
        return false;
    for (const char *at = self->text; (at = strstr(at, part)); at += strlen(part))
        count++;
    *ret = value_integer(count);
    return true;
}

static bool
pad(struct eval *e, const struct value *self, const struct call *call, const char *form,
    struct value *ret)
{
    const struct value *width = call_argument(call, 0, NULL);
    struct buffer buffer = { .arena = e->arena };

    if (self->kind != VALUE_TEXT || !width || width->kind != VALUE_INTEGER || width->integer < 0 ||
        width->integer > EVAL_ITEMS_MAX || call->arguments.count != 1)
        return false;
    eval_format_value(
        e, &buffer, self, 0, arena_printf(e->arena, "%s%d", form, (int)width->integer));
    *ret = eval_text_from(e, &buffer);
    return true;
}

static bool
text_ljust(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    return pad(e, self, call, "<", ret);
}

static bool
text_rjust(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    return pad(e, self, call, ">", ret);
}

static bool
text_zfill(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    return pad(e, self, call, "0=", ret);
}

static bool
text_same(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    (void)e;
    (void)call;
    *ret = *self;
    return true;
}

static bool
text_format(struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    *ret = eval_format_method(e, self, call);
    return true;
}

static bool
text_format_map(
    struct eval *e, const struct value *self, const struct call *call, struct value *ret)
{
    struct call given = { .path = call->path };
    const struct value *map = call_argument(call, 0, NULL);

    if (!map || map->kind != VALUE_DICT)
        return false;
    for (size_t i = 0; i < map->pairs.count; i++)
        if (map->pairs.items[i].key.kind == VALUE_TEXT)
            VEC_PUSH(e->arena, &given.keywords,
                (struct keyword){ map->pairs.items[i].key.text, map->pairs.items[i].value });
    *ret = eval_format_method(e, self, &given);
    return true;
}

static const struct {
    const char *name;
    text_method run;
} methods[] = {
    { "format", text_format },
    { "join", text_join },
    { "strip", text_strip },
    { "lower", text_lower },
    { "upper", text_upper },
    { "replace", text_replace },
    { "split", text_split },
    { "lstrip", text_lstrip },
    { "rstrip", text_rstrip },
    { "title", text_title },
    { "capitalize", text_capitalize },
    { "casefold", text_lower },
    { "splitlines", text_splitlines },
    { "partition", text_partition },
    { "rpartition", text_rpartition },
    { "removeprefix", text_removeprefix },
    { "removesuffix", text_removesuffix },
    { "startswith", text_startswith },
    { "endswith", text_endswith },
    { "find", text_find },
    { "index", text_find },
    { "count", text_count },
    { "ljust", text_ljust },
    { "rjust", text_rjust },
    { "zfill", text_zfill },
    { "encode", text_same },
    { "decode", text_same },
    { "format_map", text_format_map },
};

bool
eval_text_method(struct eval *e, const struct value *self, const char *name,
    const struct call *call, struct value *ret)
{
    if ((call->has_unknown_arguments && strcmp(name, "format") != 0) ||
        !eval_work(e, strlen(self->text) / 64))
        return false;
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (strcmp(methods[i].name, name) != 0)
            continue;
        if (!methods[i].run(e, self, call, ret))
            return false;
        ret->is_assumed |= self->is_assumed;
        return true;
    }
    return false;
}
