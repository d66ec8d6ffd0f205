/* The child once for each key, or for each row of the parent, in one statement. */
#include "db/ident.h"
#include "queries/rewrite/rewrite_part.h"

/* How the rows of several children come together. */
struct joining {
    struct rewrite_writing *writing;
    struct buffer outputs; /* of the whole */
    struct buffer from;
    struct buffer inner; /* side by side: outputs of the query in which they are joined */
    struct buffer names; /* … and how they are called outside */
    const char *rows;    /* "k" or "p": where the keys are */
    const char *side;   /* name of what stands side by side; NULL: each child is joined by itself */
    const char *number; /* name of the number of a row: "nth" */
    const char *key;    /* … of the key, and of its place: "key", "ord" */
    const char *ord;
    const char *nth; /* what the rows of a key are ordered by; NULL: one row a key */
};

static struct joining
joining_new(struct rewrite_writing *writing, const char *rows)
{
    struct rewriting *rewriting = writing->rewriting;
    struct joining joining = {
        .writing = writing,
        .outputs = { .arena = rewriting->ctx->arena },
        .from = { .arena = rewriting->ctx->arena },
        .rows = rewrite_free_name(rewriting, rows),
        .number = rewrite_inner_name(rewriting, "nth"),
        .key = rewrite_inner_name(rewriting, "key"),
        .ord = rewrite_inner_name(rewriting, "ord"),
    };

    /* It stands in one list with the columns. */
    text_list_add(rewriting->ctx->arena, &writing->names, joining.number);
    return joining;
}

/* The names under which a child's columns are known, as "(nth, id, text)". */
static const char *
column_names(struct joining *joining, const struct rewrite_piece *piece, const char *first,
    const char **ret_names)
{
    struct arena *arena = joining->writing->rewriting->ctx->arena;
    struct buffer list = { .arena = arena };

    if (first)
        buffer_add(&list, first);
    for (size_t i = 0; i < piece->loop->column_count; i++) {
        ret_names[i] = rewrite_add_column(joining->writing, &piece->loop->columns[i]);
        buffer_printf(&list, "%s%s", list.length ? ", " : "", ret_names[i]);
    }
    return list.length ? arena_printf(arena, "(%s)", buffer_text(&list)) : "";
}

/* The child's text, and before each of its rows the number of it. */
static const char *
numbered(const struct joining *joining, enum shape_rows rows, const char *text)
{
    return arena_printf(joining->writing->rewriting->ctx->arena,
        "(SELECT %s AS %s, x.* FROM (\n%s\n       ) AS x)",
        rows == SHAPE_MANY ? "pg_catalog.row_number() OVER ()" : "1", joining->number, text);
}

/* Joined to the keys by itself: it gives one row at most, or is the only child. */
static void
join_alone(struct joining *joining, const struct rewrite_piece *piece, const char *text)
{
    struct rewriting *rewriting = joining->writing->rewriting;
    struct arena *arena = rewriting->ctx->arena;
    const char **names = ARENA_ARRAY(arena, const char *, piece->loop->column_count + 1);
    const char *alias = rewrite_free_name(rewriting, arena_printf(arena, "c%d", piece->child + 1));
    const char *has = rewrite_has_name(arena, piece);
    bool is_one = piece->rows == SHAPE_ONE;

    rewrite_add_truth(joining->writing, has);

    const char *list = column_names(joining, piece, is_one ? NULL : joining->number, names);

    if (is_one) {
        buffer_printf(&joining->outputs, ",\n       true AS %s", has);
        buffer_printf(
            &joining->from, "\n CROSS JOIN LATERAL (\n%s\n       ) AS %s%s", text, alias, list);
    } else {
        buffer_printf(
            &joining->outputs, ",\n       %s.%s IS NOT NULL AS %s", alias, joining->number, has);
        buffer_printf(&joining->from, "\n  LEFT JOIN LATERAL %s AS %s%s ON true",
            numbered(joining, piece->rows, text), alias, list);
    }
    if (piece->rows == SHAPE_MANY)
        joining->nth = arena_printf(arena, "%s.%s", alias, joining->number);
    for (size_t i = 0; i < piece->loop->column_count; i++)
        buffer_printf(&joining->outputs, ", %s.%s", alias, names[i]);
}

/* Beside the others: the first row of each, the second of each. */
static void
join_beside(struct joining *joining, const struct rewrite_piece *piece, const char *text)
{
    struct rewriting *rewriting = joining->writing->rewriting;
    struct arena *arena = rewriting->ctx->arena;
    const char **names = ARENA_ARRAY(arena, const char *, piece->loop->column_count + 1);
    const char *alias = arena_printf(arena, "c%d", piece->child + 1);
    const char *has = rewrite_has_name(arena, piece);

    rewrite_add_truth(joining->writing, has);

    const char *list = column_names(joining, piece, joining->number, names);

    buffer_printf(&joining->from, "%s %s AS %s%s", joining->nth ? "\n          FULL JOIN" : "",
        numbered(joining, SHAPE_MANY, text), alias, list);
    if (joining->nth)
        buffer_printf(&joining->from,
            strchr(joining->nth, ',') ? " ON %s.%s = coalesce(%s)" : " ON %s.%s = %s", alias,
            joining->number, joining->nth);
    joining->nth = joining->nth
                       ? arena_printf(arena, "%s, %s.%s", joining->nth, alias, joining->number)
                       : arena_printf(arena, "%s.%s", alias, joining->number);
    buffer_printf(&joining->inner, ", %s.%s IS NOT NULL", alias, joining->number);
    buffer_printf(&joining->names, ", %s", has);
    buffer_printf(
        &joining->outputs, ",\n       coalesce(%s.%s, false) AS %s", joining->side, has, has);
    for (size_t i = 0; i < piece->loop->column_count; i++) {
        buffer_printf(&joining->inner, ", %s.%s", alias, names[i]);
        buffer_printf(&joining->names, ", %s", names[i]);
        buffer_printf(&joining->outputs, ", %s.%s", joining->side, names[i]);
    }
}

/* The texts of the children, with what stands for their keys: see key_texts_of. */
typedef const char *key_text_of(
    struct joining *joining, const void *data, const struct rewrite_piece *piece, size_t slot);

static const char *
child_text(struct joining *joining, const struct rewrite_piece *piece, key_text_of *key_of,
    const void *data)
{
    struct arena *arena = joining->writing->rewriting->ctx->arena;
    const char **keys = ARENA_ARRAY(arena, const char *, piece->loop->param_count + 1);

    for (size_t i = 0; i < piece->loop->param_count; i++)
        if (piece->slots[i].is_key)
            keys[i] = key_of(joining, data, piece, i);
    return rewrite_piece_text(joining->writing, piece, keys);
}

static bool
has_many(const struct rewriting *rewriting)
{
    for (size_t i = 0; i < rewriting->input->child_count; i++)
        if (rewriting->children[i].rows == SHAPE_MANY)
            return true;
    return false;
}

static void
join_children(struct joining *joining, key_text_of *key_of, const void *data)
{
    struct rewriting *rewriting = joining->writing->rewriting;
    struct arena *arena = rewriting->ctx->arena;
    struct buffer from = joining->from;
    size_t count = rewriting->input->child_count;

    joining->inner.arena = joining->names.arena = arena;
    if (count > 1 && has_many(rewriting)) {
        joining->side = rewrite_free_name(rewriting, "c");
        joining->from = (struct buffer){ .arena = arena };
    }
    for (size_t i = 0; i < count; i++) {
        const struct rewrite_piece *piece = &rewriting->children[i];
        const char *text = child_text(joining, piece, key_of, data);

        /* Of children that stand side by side none sees another. */
        joining->writing->seen_from = joining->side ? count : i + 1;

        if (joining->side)
            join_beside(joining, piece, text);
        else
            join_alone(joining, piece, text);
    }
    if (!joining->side)
        return;
    buffer_printf(&from,
        "\n  LEFT JOIN LATERAL (\n       SELECT coalesce(%s)%s\n         FROM%s\n"
        "       ) AS %s(%s%s) ON true",
        joining->nth, buffer_text(&joining->inner), buffer_text(&joining->from), joining->side,
        joining->number, buffer_text(&joining->names));
    joining->from = from;
    joining->nth = arena_printf(arena, "%s.%s", joining->side, joining->number);
}

static void
finish(struct joining *joining, const char *order)
{
    struct rewrite *rewrite = &joining->writing->rewrite;

    rewrite->sql = arena_printf(joining->writing->rewriting->ctx->arena,
        "SELECT %s.%s AS key_ord%s\n  FROM %s\n ORDER BY %s.%s%s%s", joining->rows, order,
        buffer_text(&joining->outputs), buffer_text(&joining->from), joining->rows, order,
        joining->nth ? ", " : "", joining->nth ? joining->nth : "");
}

/* What one array of keys has to be for all children. */
struct lateral_key {
    const struct rewrite_piece *piece; /* of which the type is; NULL: no child takes a key */
    size_t slot;
};

static const char *
find_key(
    struct rewriting *rewriting, struct lateral_key *ret, const struct rewrite_piece **ret_piece)
{
    size_t loose = 0;

    *ret = (struct lateral_key){ 0 };
    for (size_t i = 0; i < rewriting->input->child_count; i++) {
        const struct rewrite_piece *piece = &rewriting->children[i];

        *ret_piece = piece;
        if (piece->refusal)
            return piece->refusal;
        if (!piece->is_of_key)
            return "takes another key than the one that the array is of";
        for (size_t j = 0; j < piece->loop->param_count; j++) {
            if (!piece->slots[j].is_key)
                continue;
            if (!ret->piece)
                *ret = (struct lateral_key){ piece, j };
            loose += piece->slots[j].column < 0;
        }
    }
    *ret_piece = ret->piece;
    if (!ret->piece)
        return "no child takes a key";
    if (!ret->piece->slots[ret->slot].has_array || ret->piece->slots[ret->slot].is_array)
        return "takes a key of a type of which there are no arrays";
    *ret_piece = NULL;
    if (loose > 1)
        return "it is not known that the children take the same value";
    return NULL;
}

static const char *
array_key(struct joining *joining, const void *data, const struct rewrite_piece *piece, size_t slot)
{
    const struct lateral_key *key = data;
    struct arena *arena = joining->writing->rewriting->ctx->arena;

    return rewrite_key_text(arena, arena_printf(arena, "%s.%s", joining->rows, joining->key),
        key->piece->slots[key->slot].type, piece, slot);
}

static const char *
why_lateral(const struct rewriting *rewriting)
{
    if (rewriting->input->child_count > 1 && has_many(rewriting))
        return "each child runs as it is, once for each key; its rows are numbered as it gives them,"
               " and rows of several children stand side by side by that number, so that none is"
               " multiplied";
    if (has_many(rewriting))
        return "the child runs as it is, once for each key, and its rows are numbered as it gives"
               " them; a key without rows stays";
    return "each child runs as it is, once for each key, and gives one row at most; a key without"
           " rows stays";
}

bool
rewrite_write_lateral(struct rewriting *rewriting)
{
    struct rewrite_writing writing = rewrite_writing_new(rewriting, REWRITE_LATERAL);
    struct joining joining = joining_new(&writing, "k");
    const struct rewrite_piece *piece = NULL;
    struct lateral_key key;
    const char *why = find_key(rewriting, &key, &piece);

    if (why) {
        rewrite_refuse(rewriting, REWRITE_LATERAL, piece, why);
        return true;
    }
    writing.rewrite.key_type = key.piece->loop->params[key.slot].type_name;
    writing.rewrite.why = why_lateral(rewriting);
    rewrite_add_number(&writing, "key_ord");
    buffer_printf(&joining.from, "pg_catalog.unnest($1::%s[]) WITH ORDINALITY AS %s(%s, %s)",
        writing.rewrite.key_type, joining.rows, joining.key, joining.ord);
    join_children(&joining, array_key, &key);
    finish(&joining, joining.ord);
    return rewrite_end(&writing);
}

static const char *
parent_key(
    struct joining *joining, const void *data, const struct rewrite_piece *piece, size_t slot)
{
    const char *const *names = data;
    struct rewriting *rewriting = joining->writing->rewriting;
    struct arena *arena = rewriting->ctx->arena;
    size_t column = (size_t)piece->slots[slot].column;

    return rewrite_key_text(arena, arena_printf(arena, "%s.%s", joining->rows, names[column]),
        rewriting->parent.loop->columns[column].type, piece, slot);
}

/* A key that brings a collation of its own would change how the child compares. */
static bool
why_not_joined(
    struct rewriting *rewriting, const char **ret_why, const struct rewrite_piece **ret_piece)
{
    const struct rewrite_loop *parent = rewriting->parent.loop;
    bool is_default = true;

    *ret_piece = &rewriting->parent;
    *ret_why = rewriting->parent.refusal;
    for (size_t i = 0; i < rewriting->input->child_count && !*ret_why; i++) {
        const struct rewrite_piece *piece = &rewriting->children[i];

        *ret_piece = piece;
        *ret_why = piece->refusal;
        for (size_t j = 0; j < piece->loop->param_count && !*ret_why; j++) {
            int32_t column = piece->slots[j].column;

            if (!piece->slots[j].is_key)
                continue;
            if (column < 0 || (size_t)column >= parent->column_count) {
                *ret_why = "takes a column that the parent does not have";
                return true;
            }
            if (!rewrite_ask_collation(
                    rewriting->ctx, rewriting->db, parent, (size_t)column, &is_default))
                return error_wrap(rewriting->ctx, "asking for the collation of the key");
            if (!is_default)
                *ret_why = "takes a column that has a collation of its own";
        }
    }
    return true;
}

static void
join_parent(struct joining *joining, const char **names)
{
    struct rewriting *rewriting = joining->writing->rewriting;
    const struct rewrite_piece *parent = &rewriting->parent;
    const char *text = rewrite_piece_text(joining->writing, parent, NULL);
    const char *list = column_names(joining, parent, joining->number, names);

    buffer_printf(
        &joining->from, "%s AS %s%s", numbered(joining, SHAPE_MANY, text), joining->rows, list);
    for (size_t i = 0; i < parent->loop->column_count; i++)
        buffer_printf(&joining->outputs, ", %s.%s", joining->rows, names[i]);
}

bool
rewrite_write_joined(struct rewriting *rewriting)
{
    struct arena *arena = rewriting->ctx->arena;
    struct rewrite_writing writing = rewrite_writing_new(rewriting, REWRITE_JOINED);
    const struct rewrite_piece *piece = NULL;
    const char *why = "the parent is not known";
    struct joining joining = joining_new(&writing, "p");

    if (rewriting->parent.loop && !why_not_joined(rewriting, &why, &piece))
        return false;
    if (why) {
        rewrite_refuse(rewriting, REWRITE_JOINED, piece, why);
        return true;
    }

    const char **names = ARENA_ARRAY(arena, const char *, rewriting->parent.loop->column_count + 1);

    rewrite_add_number(&writing, "key_ord");
    join_parent(&joining, names);
    join_children(&joining, parent_key, names);
    finish(&joining, joining.number);
    writing.rewrite.why =
        rewriting->parent.loop->is_ordered
            ? "the parent's rows are numbered as it gives them, and each child runs as it is for each"
              " of them; a row without children stays"
            : "each child runs as it is for each row of the parent, which has no ORDER BY and so gives"
              " its rows in no certain order; a row without children stays";
    return rewrite_end(&writing);
}
