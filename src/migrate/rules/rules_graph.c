/* The shape of the history: what Alembic itself refuses, and what will surprise people. */

#include <string.h>

#include "migrate/rules/rules.h"
#include "migrate/rules/rules_example.h"

enum {
    SEVERAL_HEADS,
    MISSING_PARENT,
    DUPLICATE_ID,
    CYCLE,
    NO_REVISION,
    BAD_ID,
    AMBIGUOUS_ID,
    SEVERAL_BASES,
    EMPTY_PARENT,
    PLACEHOLDER_PARENT,
    MERGE_BY_DEPENDS_ON,
    MERGE_OF_ANCESTOR,
    MERGE_OF_MERGES,
    EMPTY_MERGE,
    MERGE_WITH_CHANGES,
    EMPTY_REVISION,
    DOWNGRADE_MISSING,
    DOWNGRADE_EMPTY,
    DOWNGRADE_RAISES,
    DOCSTRING_AT_ODDS,
    FILE_NAME_AT_ODDS,
};

#define FILE_OF(id, down, body) EXAMPLE_FILE(id, down, body, "pass")

#define ROOT                    FILE_OF("r1", "None", "op.execute('select 1')")
#define LEFT                    FILE_OF("r2", "'r1'", "op.execute('select 2')")
#define RIGHT                   FILE_OF("r3", "'r1'", "op.execute('select 3')")
#define CHAIN                   FILE_OF("r3", "'r2'", "op.execute('select 3')")

static const struct rule rules[] = {
    [SEVERAL_HEADS] = {
        .id = "several-heads",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "the history ends in more than one head",
        .why = "`alembic upgrade head` refuses: \"Multiple head revisions are present for given "
               "argument 'head'\". Whoever deploys with `heads` applies both lines, in an order "
               "that nobody has tested.",
        .instead = "Merge them: `alembic merge -m \"merge\" HEAD1 HEAD2`; or re-parent the newer "
                   "line while it is unpublished.",
        .fires = ROOT NEXT LEFT NEXT RIGHT,
        .passes = ROOT NEXT LEFT NEXT CHAIN,
    },
    [MISSING_PARENT] = {
        .id = "missing-parent",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "a revision names a parent or dependency that no file has",
        .why = "Alembic cannot load the folder: every command stops with a bare KeyError.",
        .instead = "Restore the missing file, or change the reference to the revision that took "
                   "its place. Databases that stand at the missing id cannot be upgraded either.",
        .fires = ROOT NEXT FILE_OF("r2", "'gone'", "op.execute('select 1')"),
        .passes = ROOT NEXT LEFT,
    },
    [DUPLICATE_ID] = {
        .id = "duplicate-id",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "two files have the same revision id",
        .why = "Alembic only warns and uses the file it read last, so that the other one's "
               "changes are never applied; the hidden file stays in the list of heads (a phantom "
               "head), and `upgrade head` then sees several.",
        .instead = "Give one of them a new id and the right down_revision.",
        .fires = ROOT NEXT LEFT NEXT FILE_OF("r2", "'r1'", "op.execute('select 3')"),
        .passes = ROOT NEXT LEFT,
    },
    [CYCLE] = {
        .id = "cycle",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "revisions follow each other in a circle",
        .why = "Alembic cannot order them: every command stops with CycleDetected or "
               "LoopDetected. Healthy revisions that hang on the circle are listed as well.",
        .instead = "Correct the down_revision or depends_on that points forward.",
        .fires = ROOT NEXT FILE_OF("r2", "'r3'", "op.execute('select 1')") NEXT CHAIN,
        .passes = ROOT NEXT LEFT NEXT CHAIN,
    },
    [NO_REVISION] = {
        .id = "no-revision-id",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "a file in the folder that is no revision",
        .why = "Alembic loads every Python file of a versions folder and refuses one without "
               "`revision` and `down_revision`: no command works any more.",
        .instead = "Move helpers out of the versions folder; name the revision if it is one.",
        .fires = ROOT NEXT "# file:\ndef helper():\n    return 1\n",
        .passes = ROOT,
    },
    [BAD_ID] = {
        .id = "bad-revision-id",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "a revision id with characters that Alembic refuses",
        .why = "The characters @, - and + (and : since 1.14) have a meaning on Alembic's command "
               "line; a revision that has them is refused.",
        .instead = "Use letters, digits and underscores.",
        .fires = FILE_OF("r-1", "None", "op.execute('select 1')"),
        .passes = ROOT,
    },
    [AMBIGUOUS_ID] = {
        .id = "ambiguous-id",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "a shortened id that fits several revisions",
        .why = "Alembic cannot tell which revision is meant, and stops.",
        .instead = "Write the whole id.",
        .fires = FILE_OF("abc1", "None", "op.execute('select 1')")
            NEXT FILE_OF("abc2", "'abc1'", "op.execute('select 2')")
            NEXT "# file:\nfrom alembic import op\nrevision = 'r3'\ndown_revision = 'abc2'\n"
                 "depends_on = 'abc'\n\n\ndef upgrade():\n    op.execute('select 3')\n",
        .passes = ROOT NEXT LEFT,
    },
    [SEVERAL_BASES] = {
        .id = "several-bases",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_WARNING,
        .summary = "unrelated revisions without a parent",
        .why = "Histories that begin in several places are applied in an order that depends on "
               "file names. Usually somebody forgot the down_revision.",
        .instead = "Set the down_revision; lines that are meant to be apart have a branch label "
                   "each.",
        .fires = ROOT NEXT FILE_OF("r2", "None", "op.execute('select 2')"),
        .passes = ROOT NEXT LEFT,
    },
    [EMPTY_PARENT] = {
        .id = "empty-down-revision",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_WARNING,
        .summary = "down_revision is an empty text",
        .why = "Alembic 1.8 takes it for a base, 1.19 stops with KeyError: ''.",
        .instead = "Write `down_revision = None`.",
        .fires = FILE_OF("r1", "''", "op.execute('select 1')"),
        .passes = ROOT,
    },
    [PLACEHOLDER_PARENT] = {
        .id = "placeholder-parent",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "the down_revision is a placeholder that nobody replaced",
        .why = "The comment says that another revision should stand here. As it is, the file "
               "begins a history of its own and may run before the tables it needs exist.",
        .instead = "Set it to the id of the revision this one was written after.",
        .fires = ROOT NEXT
            FILE_OF("r2", "None  # Replace with actual latest revision", "op.execute('select 1')"),
        .passes = ROOT NEXT LEFT,
    },
    [MERGE_BY_DEPENDS_ON] = {
        .id = "merge-by-depends-on",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "a merge that names its parents in depends_on",
        .why = "depends_on orders, but does not join: the revisions it names stay heads, and "
               "`alembic upgrade head` still finds several.",
        .instead = "Put the heads into down_revision: `down_revision = ('a', 'b')`.",
        .fires = ROOT NEXT LEFT NEXT RIGHT NEXT
            "# file:\nrevision = 'r4'\ndown_revision = None\ndepends_on = ('r2', 'r3')\n\n\n"
            "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n",
        .passes = ROOT NEXT LEFT NEXT RIGHT NEXT FILE_OF("r4", "('r2', 'r3')", "pass"),
    },
    [MERGE_OF_ANCESTOR] = {
        .id = "merge-of-ancestor",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ERROR,
        .summary = "a merge of a revision with its own descendant",
        .why = "One parent is already part of the other one's history, so that nothing is "
               "merged. Often the head that should have been merged is still open.",
        .instead = "Name the heads that `alembic heads` shows; drop the ancestor.",
        .fires = ROOT NEXT LEFT NEXT FILE_OF("r3", "('r1', 'r2')", "pass"),
        .passes = ROOT NEXT LEFT NEXT RIGHT NEXT FILE_OF("r4", "('r2', 'r3')", "pass"),
    },
    [MERGE_OF_MERGES] = {
        .id = "merge-of-merges",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ADVICE,
        .summary = "a merge whose parents are merges",
        .why = "Merges on top of merges mean that two lines kept growing side by side after they "
               "had been joined: each deployment saw another order.",
        .instead = "Rebase new revisions onto the head before they are published (a check of "
                   "`alembic heads` in CI), instead of merging afterwards.",
        .fires = ROOT NEXT LEFT NEXT RIGHT NEXT FILE_OF("r4", "('r2', 'r3')", "pass")
            NEXT FILE_OF("r5", "('r2', 'r3')", "pass")
            NEXT FILE_OF("r6", "('r4', 'r5')", "pass"),
        .passes = ROOT NEXT LEFT NEXT RIGHT NEXT FILE_OF("r4", "('r2', 'r3')", "pass"),
    },
    [EMPTY_MERGE] = {
        .id = "empty-merge",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ADVICE,
        .summary = "a merge revision that changes nothing",
        .why = "It only joins two lines. That is what merges are for, but each one is a file that "
               "a consolidated history does not need.",
        .instead = "Nothing has to be done; consolidating removes it.",
        .fires = ROOT NEXT LEFT NEXT RIGHT NEXT FILE_OF("r4", "('r2', 'r3')", "pass"),
        .passes = ROOT NEXT LEFT NEXT CHAIN,
    },
    [MERGE_WITH_CHANGES] = {
        .id = "merge-with-changes",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_WARNING,
        .summary = "a merge revision that also changes the schema",
        .why = "Reviewers do not expect changes in a merge, and its downgrade splits the history "
               "again.",
        .instead = "Put the changes into a revision of their own after the merge.",
        .fires = ROOT NEXT LEFT NEXT RIGHT NEXT
            FILE_OF("r4", "('r2', 'r3')", "op.execute('create table t (id bigint primary key)')"),
        .passes = ROOT NEXT LEFT NEXT RIGHT NEXT FILE_OF("r4", "('r2', 'r3')", "pass"),
    },
    [EMPTY_REVISION] = {
        .id = "empty-revision",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ADVICE,
        .summary = "a revision that changes nothing",
        .why = "Its upgrade() is empty although its name promises something; later revisions may "
               "rely on what it was meant to do.",
        .instead = "Write what is missing as a new revision; never fill a published one.",
        .fires = ROOT NEXT FILE_OF("r2", "'r1'", "pass"),
        .passes = ROOT NEXT LEFT,
    },
    [DOWNGRADE_MISSING] = {
        .id = "downgrade-missing",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_WARNING,
        .summary = "there is no downgrade()",
        .why = "`alembic downgrade` stops with an AttributeError in the middle of going back.",
        .instead = "Write one, or one that raises with the reason why there is no way back.",
        .fires = "# file:\nfrom alembic import op\nrevision = 'r1'\ndown_revision = None\n\n\n"
                 "def upgrade():\n    op.execute('create table t (id bigint primary key)')\n",
        .passes = "# file:\nfrom alembic import op\nrevision = 'r1'\ndown_revision = None\n\n\n"
                  "def upgrade():\n    op.execute('create table t (id bigint primary key)')\n\n\n"
                  "def downgrade():\n    op.drop_table('t')\n",
    },
    [DOWNGRADE_EMPTY] = {
        .id = "downgrade-empty",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_WARNING,
        .summary = "downgrade() does nothing although upgrade() changes the schema",
        .why = "Going back leaves the changes in place but moves the version: the next upgrade "
               "fails on what is already there.",
        .instead = "Undo each change in reverse order, or raise with the reason.",
        .fires = FILE_OF("r1", "None", "op.execute('create table t (id bigint primary key)')"),
        .passes = "# file:\nfrom alembic import op\nrevision = 'r1'\ndown_revision = None\n\n\n"
                  "def upgrade():\n    op.execute('create table t (id bigint primary key)')\n\n\n"
                  "def downgrade():\n    op.drop_table('t')\n",
    },
    [DOWNGRADE_RAISES] = {
        .id = "downgrade-raises",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ADVICE,
        .summary = "downgrade() refuses",
        .why = "There is no way back over this revision but a backup.",
        .instead = "Fine if that is meant; say so in the runbook.",
        .fires = "# file:\nfrom alembic import op\nrevision = 'r1'\ndown_revision = None\n\n\n"
                 "def upgrade():\n    op.execute('create table t (id bigint primary key)')\n\n\n"
                 "def downgrade():\n    raise NotImplementedError\n",
        .passes = "# file:\nfrom alembic import op\nrevision = 'r1'\ndown_revision = None\n\n\n"
                  "def upgrade():\n    op.execute('create table t (id bigint primary key)')\n\n\n"
                  "def downgrade():\n    op.drop_table('t')\n",
    },
    [DOCSTRING_AT_ODDS] = {
        .id = "docstring-at-odds",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ADVICE,
        .summary = "the docstring names another id or parent than the code",
        .why = "Alembic reads the code only; people read the docstring and are misled. Usually "
               "the file was re-parented or copied by hand.",
        .instead = "Correct the lines \"Revision ID\" and \"Revises\".",
        .fires = ROOT NEXT "# file:\n\"\"\"second\n\nRevision ID: r2\nRevises: r0\n\"\"\"\n"
                           "from alembic import op\nrevision = 'r2'\ndown_revision = 'r1'\n\n\n"
                           "def upgrade():\n    op.execute('select 1')\n",
        .passes = ROOT NEXT "# file:\n\"\"\"second\n\nRevision ID: r2\nRevises: r1\n\"\"\"\n"
                            "from alembic import op\nrevision = 'r2'\ndown_revision = 'r1'\n\n\n"
                            "def upgrade():\n    op.execute('select 1')\n",
    },
    [FILE_NAME_AT_ODDS] = {
        .id = "file-name-at-odds",
        .group = GROUP_GRAPH,
        .severity = SEVERITY_ADVICE,
        .summary = "the file's name contains another revision id than the code",
        .why = "Whoever looks for the file of an id does not find it.",
        .instead = "Rename the file; Alembic does not care about names.",
        .fires = "# file: 0a1b2c3d4e5f_users.py\nfrom alembic import op\n"
                 "revision = 'ffff2c3d4e5f'\ndown_revision = None\n\n\n"
                 "def upgrade():\n    op.execute('select 1')\n",
        .passes = "# file: 0a1b2c3d4e5f_users.py\nfrom alembic import op\n"
                  "revision = '0a1b2c3d4e5f'\ndown_revision = None\n\n\n"
                  "def upgrade():\n    op.execute('select 1')\n",
    },
};

const struct rule_group rules_graph = { rules, COUNT_OF(rules) };

static const struct node *
node_at(const struct check *check, size_t index)
{
    return &check->graph->nodes[index];
}

static struct place
head_of(const struct revision *revision)
{
    if (revision->id_place.file)
        return revision->id_place;
    return (struct place){ .file = revision->file };
}

static struct place
parent_of(const struct revision *revision)
{
    return revision->down_place.file ? revision->down_place : head_of(revision);
}

/* "a, b and c" of the nodes' ids. */
static const char *
id_list(const struct check *check, const size_t *items, size_t count)
{
    struct buffer text = { .arena = check->ctx->arena };

    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, "%s%s",
            i == 0           ? ""
            : i + 1 == count ? " and "
                             : ", ",
            node_at(check, items[i])->revision->id);
    return buffer_text(&text);
}

static void
check_ends(const struct check *check)
{
    const struct graph *graph = check->graph;
    struct arena *arena = check->ctx->arena;

    for (size_t i = 0; graph->heads.count > 1 && i < graph->heads.count; i++) {
        const struct revision *revision = node_at(check, graph->heads.items[i])->revision;

        check_tell(check, &rules[SEVERAL_HEADS], revision, head_of(revision),
            arena_printf(arena, "%s is one of %zu heads", revision->id, graph->heads.count));
    }
    for (size_t i = 0; graph->bases.count > 1 && i < graph->bases.count; i++) {
        const struct node *node = node_at(check, graph->bases.items[i]);

        if (node->labels.count == 0)
            check_tell(check, &rules[SEVERAL_BASES], node->revision, parent_of(node->revision),
                arena_printf(arena, "%s is one of %zu revisions without a parent",
                    node->revision->id, graph->bases.count));
    }
}

static void
check_problem(const struct check *check, const struct graph_problem *problem)
{
    static const size_t rule_of[] = {
        [GRAPH_DUPLICATE_ID] = DUPLICATE_ID,
        [GRAPH_MISSING_PARENT] = MISSING_PARENT,
        [GRAPH_MISSING_DEPENDENCY] = MISSING_PARENT,
        [GRAPH_SELF_LOOP] = CYCLE,
        [GRAPH_CYCLE] = CYCLE,
        [GRAPH_BAD_ID] = BAD_ID,
        [GRAPH_AMBIGUOUS] = AMBIGUOUS_ID,
        [GRAPH_NO_ID] = NO_REVISION,
        [GRAPH_EMPTY_PARENT] = EMPTY_PARENT,
    };
    const struct revision *revision = node_at(check, problem->revision)->revision;
    struct place place = head_of(revision);
    struct finding *finding;

    if (revision->failure)
        return; /* told as cannot-read */
    if (problem->kind == GRAPH_MISSING_DEPENDENCY && revision->depends_place.file)
        place = revision->depends_place;
    else if (problem->kind != GRAPH_DUPLICATE_ID && problem->kind != GRAPH_BAD_ID)
        place = parent_of(revision);
    finding = check_tell(check, &rules[rule_of[problem->kind]], revision, place,
        problem->alembic ? problem->alembic : rules[rule_of[problem->kind]].summary);
    finding->object = problem->id;
    finding_evidence(
        check->findings, finding, "alembic 1.8", problem->is_fatal_1_8 ? "stops" : "goes on");
    finding_evidence(
        check->findings, finding, "alembic 1.19", problem->is_fatal_1_19 ? "stops" : "goes on");
    for (size_t i = 0; i < problem->revisions.count; i++) {
        const struct revision *other = node_at(check, problem->revisions.items[i])->revision;

        if (other != revision)
            finding_related(check->findings, finding, head_of(other), "on it or behind it");
    }
}

static bool
has_changes(const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        if (step_is_ddl(&steps->items[i]) || step_is_data(&steps->items[i]))
            return true;
    return false;
}

static void
check_merge_parents(const struct check *check, const struct node *node)
{
    struct arena *arena = check->ctx->arena;
    const struct revision *revision = node->revision;
    bool are_merges = true;

    for (size_t i = 0; i < node->parents.count; i++) {
        are_merges &= node_at(check, node->parents.items[i])->is_merge_point;
        for (size_t k = 0; k < node->parents.count; k++)
            if (i != k &&
                graph_is_ancestor(check->graph, node->parents.items[i], node->parents.items[k]))
                check_tell(check, &rules[MERGE_OF_ANCESTOR], revision, parent_of(revision),
                    arena_printf(arena, "%s is already part of the history of %s",
                        node_at(check, node->parents.items[i])->revision->id,
                        node_at(check, node->parents.items[k])->revision->id));
    }
    if (are_merges)
        check_tell(check, &rules[MERGE_OF_MERGES], revision, parent_of(revision),
            arena_printf(arena, "%s are merges themselves",
                id_list(check, node->parents.items, node->parents.count)));
}

static void
check_merge(const struct check *check, const struct node *node)
{
    struct arena *arena = check->ctx->arena;
    const struct revision *revision = node->revision;

    if (node->parents.count == 0 && node->dependencies.count > 1 && revision->upgrade.count == 0)
        check_tell(check, &rules[MERGE_BY_DEPENDS_ON], revision,
            revision->depends_place.file ? revision->depends_place : parent_of(revision),
            arena_printf(arena, "depends_on orders but does not merge: %s stay heads",
                id_list(check, node->dependencies.items, node->dependencies.count)));
    if (node->parents.count < 2)
        return;
    check_merge_parents(check, node);
    if (has_changes(&revision->upgrade))
        check_tell(check, &rules[MERGE_WITH_CHANGES], revision, revision->upgrade_place,
            arena_printf(arena, "the merge %s also has %zu %s", revision->id,
                revision->upgrade.count, revision->upgrade.count == 1 ? "step" : "steps"));
    else if (revision->upgrade_body == BODY_EMPTY)
        check_tell(check, &rules[EMPTY_MERGE], revision, parent_of(revision),
            arena_printf(arena, "%s only joins %s", revision->id,
                id_list(check, node->parents.items, node->parents.count)));
}

static void
check_downgrade(const struct check *check, const struct revision *revision)
{
    struct arena *arena = check->ctx->arena;

    if (!has_changes(&revision->upgrade))
        return;
    if (revision->downgrade_body == BODY_MISSING)
        check_tell(check, &rules[DOWNGRADE_MISSING], revision, revision->upgrade_place,
            arena_printf(arena, "%s has no downgrade()", revision->id));
    else if (revision->downgrade_body == BODY_RAISES)
        check_tell(check, &rules[DOWNGRADE_RAISES], revision, revision->downgrade_place,
            arena_printf(arena, "downgrade() of %s only raises", revision->id));
    else if (revision->downgrade_body == BODY_EMPTY)
        check_tell(check, &rules[DOWNGRADE_EMPTY], revision, revision->downgrade_place,
            arena_printf(arena, "downgrade() of %s is empty, upgrade() has %zu %s", revision->id,
                revision->upgrade.count, revision->upgrade.count == 1 ? "step" : "steps"));
}

/* Whether the docstring's "Revises:" names exactly these parents; "a, b" and "a and b" count. */
static bool
doc_names_parents(struct arena *arena, const struct revision *revision)
{
    const char *at = revision->doc_revises;
    size_t seen = 0;

    while (*at) {
        size_t length = strcspn(at, ", \t()'\"");
        const char *word = arena_strndup(arena, at, length);

        at += length;
        if (*at)
            at++;
        if (length == 0 || strcmp(word, "and") == 0)
            continue;
        if (strcmp(word, "None") == 0 || strcmp(word, "<base>") == 0)
            return revision->down.count == 0;
        if (!text_list_has(&revision->down, word))
            return false;
        seen++;
    }
    return seen == revision->down.count;
}

static void
check_docstring(const struct check *check, const struct revision *revision)
{
    struct arena *arena = check->ctx->arena;

    if (revision->doc_id && !text_equal(revision->doc_id, revision->id))
        check_tell(check, &rules[DOCSTRING_AT_ODDS], revision, head_of(revision),
            arena_printf(arena, "the docstring says Revision ID: %s, the code '%s'",
                revision->doc_id, revision->id));
    if (revision->doc_revises && !doc_names_parents(arena, revision))
        check_tell(check, &rules[DOCSTRING_AT_ODDS], revision, parent_of(revision),
            arena_printf(arena, "the docstring says Revises: %s, the code %s",
                text_is_empty(revision->doc_revises) ? "nothing" : revision->doc_revises,
                revision->down.count > 0 ? text_list_join(arena, &revision->down, ", ") : "None"));
}

/* The part of a file's name before the first underscore when it looks like a generated id. */
static const char *
id_in_name(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    size_t length = strspn(name, "0123456789abcdef");

    if (length != 12 || (name[length] != '_' && name[length] != '.'))
        return NULL;
    return arena_strndup(arena, name, length);
}

static void
check_names(const struct check *check, const struct revision *revision)
{
    struct arena *arena = check->ctx->arena;
    const char *named = id_in_name(arena, revision->file);

    if (named && !text_starts_with(revision->id, named))
        check_tell(check, &rules[FILE_NAME_AT_ODDS], revision, head_of(revision),
            arena_printf(
                arena, "the file is named for %s, the revision is %s", named, revision->id));
}

static void
check_node(const struct check *check, const struct node *node)
{
    struct arena *arena = check->ctx->arena;
    const struct revision *revision = node->revision;

    if (!revision->id || revision->failure)
        return;
    check_merge(check, node);
    check_downgrade(check, revision);
    check_docstring(check, revision);
    check_names(check, revision);
    if (revision->is_down_placeholder)
        check_tell(check, &rules[PLACEHOLDER_PARENT], revision, parent_of(revision),
            arena_printf(
                arena, "the comment says that the parent of %s is still to be set", revision->id));
    if (node->parents.count < 2 && revision->upgrade_body == BODY_EMPTY &&
        node->dependencies.count < 2)
        check_tell(check, &rules[EMPTY_REVISION], revision, revision->upgrade_place,
            arena_printf(arena, "upgrade() of %s is empty", revision->id));
}

bool
check_graph(const struct check *check)
{
    check_ends(check);
    for (size_t i = 0; i < check->graph->problems.count; i++)
        check_problem(check, &check->graph->problems.items[i]);
    for (size_t i = 0; i < check->graph->count; i++)
        check_node(check, node_at(check, i));
    return true;
}
