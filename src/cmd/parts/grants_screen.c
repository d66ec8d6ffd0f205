#include "cmd/parts/grants_screen.h"

#include "monitor/plain.h"

static bool
is_comment(const char *statement)
{
    return text_starts_with(statement, "--");
}

/* What two uses need is given once. */
static bool
was_printed(const struct grants *grants, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (text_equal(grants->needs.items[i].statement, grants->needs.items[before].statement))
            return true;
    return false;
}

/* Names in comments are shown plain: one with a line end would go on as a statement. */
static void
print_need(FILE *out, struct arena *arena, const struct sql_doctor_grants *need, bool is_again)
{
    const char *shown = plain_text(arena, need->statement);

    if (need->is_had)
        fprintf(out, "--   has: %s\n", is_comment(shown) ? shown + 3 : shown);
    else if (is_again)
        fprintf(out, "--   as above: %s\n", is_comment(shown) ? shown + 3 : shown);
    else
        fprintf(out, "-- %s%s\n%s\n", need->needs_superuser ? "by a superuser: " : "",
            plain_text(arena, need->why), is_comment(shown) ? shown : need->statement);
}

static void
print_excess(FILE *out, struct arena *arena, const struct grants *grants)
{
    const char *role = plain_text(arena, grants->role);

    if (grants->excess.count == 0) {
        fprintf(out, "-- %s has nothing in excess%s.\n", role,
            grants->is_whole ? " for all of this together; --use names what it is for" : "");
        return;
    }
    fprintf(out, "-- in excess: %s has this, and nothing above needs it\n", role);
    for (size_t i = 0; i < grants->excess.count; i++)
        fprintf(out, "--   %s  (%s)\n", plain_text(arena, grants->excess.items[i].statement),
            plain_text(arena, grants->excess.items[i].why));
}

void
grants_print(FILE *out, struct arena *arena, const struct grants *grants)
{
    const char *role = plain_text(arena, grants->role);
    const char *use = "";
    size_t missing = grants_missing(grants);

    fprintf(out, "-- What role %s needs in database %s. Nothing was run.\n", role,
        plain_text(arena, grants->database));
    for (size_t i = 0; i < grants->needs.count; i++) {
        const struct sql_doctor_grants *need = &grants->needs.items[i];

        if (!text_equal(use, need->use)) {
            use = need->use;
            fprintf(out, "\n-- %s: %s\n", use, grant_use_commands(use));
        }
        print_need(out, arena, need, was_printed(grants, i));
    }
    fputc('\n', out);
    print_excess(out, arena, grants);
    if (missing > 0)
        fprintf(
            out, "-- %s lacks something. A role that may grant it runs this with psql.\n", role);
    else
        fprintf(out, "-- %s lacks nothing.\n", role);
}

json_t *
grants_json(struct arena *arena, const struct grants *grants)
{
    json_t *needs = json_array();
    json_t *excess = json_array();

    for (size_t i = 0; i < grants->needs.count; i++) {
        const struct sql_doctor_grants *need = &grants->needs.items[i];

        json_array_append_new(
            needs, json_pack("{s:s, s:s, s:s, s:b, s:b}", "use", need->use, "statement",
                       need->statement, "why", plain_text(arena, need->why), "is_had", need->is_had,
                       "needs_superuser", need->needs_superuser));
    }
    for (size_t i = 0; i < grants->excess.count; i++)
        json_array_append_new(
            excess, json_pack("{s:s, s:s}", "statement", grants->excess.items[i].statement, "why",
                        plain_text(arena, grants->excess.items[i].why)));
    return json_pack("{s:s, s:s, s:o, s:o}", "role", grants->role, "database", grants->database,
        "needs", needs, "excess", excess);
}
