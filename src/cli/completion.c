/*
 * Completion scripts. The three shells get the same simple program: walk over the words typed so
 * far to the place in the tree of commands, then offer what can stand there.
 */

#include <ctype.h>

#include "base/vec.h"
#include "cli/page.h"

/* What may follow at a place. */
struct child {
    const char *word;
    const char *summary;
};

/* A place in the tree: a group of commands, a command, or both. */
struct node {
    const char *path; /* " index apply", "" for the root */
    const struct command *command;
    VEC(struct child) children;
};

struct tree {
    struct arena *arena;
    FILE *out;
    VEC(struct node) nodes;
};

static struct node *
find_node(struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->nodes.count; i++)
        if (text_equal(tree->nodes.items[i].path, path))
            return &tree->nodes.items[i];
    VEC_PUSH(tree->arena, &tree->nodes, (struct node){ .path = path });
    return &tree->nodes.items[tree->nodes.count - 1];
}

static void
add_child(struct tree *tree, struct node *node, const char *word, const struct command *command)
{
    for (size_t i = 0; i < node->children.count; i++) {
        if (!text_equal(node->children.items[i].word, word))
            continue;
        if (command)
            node->children.items[i].summary = command->summary;
        return;
    }

    const char *summary =
        command ? command->summary : arena_printf(tree->arena, "commands of %s", word);

    VEC_PUSH(tree->arena, &node->children, (struct child){ .word = word, .summary = summary });
}

static void
add_command(struct tree *tree, const struct command *command)
{
    const char *path = "";
    const char *at = command->path;

    while (*at) {
        size_t length = strcspn(at, " ");
        const char *word = arena_strndup(tree->arena, at, length);
        bool is_last = !at[length];

        add_child(tree, find_node(tree, path), word, is_last ? command : NULL);
        path = arena_printf(tree->arena, "%s %s", path, word);
        at += length + !is_last;
    }
    find_node(tree, path)->command = command;
}

/* Text for single quotes; colon: zsh separates word and description by one. */
static const char *
quote(struct arena *arena, const char *text, bool is_fish, bool is_description)
{
    struct buffer buffer = { .arena = arena };

    buffer_add(&buffer, "'");
    for (; *text; text++) {
        if (*text == '\'')
            buffer_add(&buffer, is_fish ? "\\'" : "'\\''");
        else if (*text == ':' && is_description)
            buffer_add(&buffer, "\\:");
        else if (*text == '\\' && is_fish)
            buffer_add(&buffer, "\\\\");
        else
            buffer_append(&buffer, text, 1);
    }
    buffer_add(&buffer, "'");
    return buffer_text(&buffer);
}

/* ' help'|' index'|…: every place but the root. */
static void
print_paths(const struct tree *tree, const char *between)
{
    bool is_first = true;

    for (size_t i = 0; i < tree->nodes.count; i++) {
        if (!*tree->nodes.items[i].path)
            continue;
        fprintf(tree->out, "%s'%s'", is_first ? "" : between, tree->nodes.items[i].path);
        is_first = false;
    }
}

/* A value as a word of zsh's or fish's: '<=>' would be a redirection. */
static const char *
quote_choice(struct arena *arena, const char *choice, bool is_fish)
{
    bool is_plain = true;

    for (const char *at = choice; *at; at++)
        is_plain = is_plain && (isalnum((unsigned char)*at) || strchr("-_.", *at));
    return is_plain ? choice : quote(arena, choice, is_fish, false);
}

/*
 * The branch of a case that offers the values of an option: words, or the names of files. Without words_end each
 * value is a word of its own; else all are in one pair of quotes.
 */
static void
print_values(const struct tree *tree, const struct field *field, const char *words,
    const char *words_end, const char *files)
{
    if (field->type == FIELD_BOOL)
        return;
    fprintf(tree->out, "        --%s", option_spell(tree->arena, field));
    if (field->letter)
        fprintf(tree->out, "|-%c", field->letter);
    fputs(") ", tree->out);
    if (field->choices) {
        fputs(words, tree->out);
        for (size_t i = 0; field->choices[i]; i++)
            fprintf(tree->out, " %s",
                words_end ? field->choices[i]
                          : quote_choice(tree->arena, field->choices[i], false));
        if (words_end)
            fputs(words_end, tree->out);
    } else {
        fputs(files, tree->out);
    }
    fputs("; return ;;\n", tree->out);
}

static void
print_bash_node(const struct tree *tree, const struct node *node)
{
    fprintf(tree->out, "    '%s')\n        words='", node->path);
    for (size_t i = 0; i < node->children.count; i++)
        fprintf(tree->out, "%s%s", i > 0 ? " " : "", node->children.items[i].word);
    fputs("'\n        options='", tree->out);
    for (size_t i = 0; i < option_count(node->command); i++)
        fprintf(tree->out, "%s--%s", i > 0 ? " " : "",
            option_spell(tree->arena, option_at(node->command, i).field));
    fputs("'\n        case \"$previous\" in\n", tree->out);
    for (size_t i = 0; i < option_count(node->command); i++)
        print_values(tree, option_at(node->command, i).field, "choices='", "'", "choices=''");
    fputs("        esac ;;\n", tree->out);
}

static void
print_bash(const struct tree *tree)
{
    FILE *out = tree->out;

    fputs("# bash completion for pgmend; made by \"pgmend completion bash\"\n"
          "_pgmend_words()\n{\n"
          "    local previous=$2\n"
          "    choices=- words='' options=''\n"
          "    case \"$1\" in\n",
        out);
    for (size_t i = 0; i < tree->nodes.count; i++)
        print_bash_node(tree, &tree->nodes.items[i]);
    fputs("    esac\n}\n\n_pgmend()\n{\n"
          "    local at='' current=${COMP_WORDS[COMP_CWORD]} choices words options i\n"
          "    COMPREPLY=()\n"
          "    for (( i = 1; i < COMP_CWORD; i++ )); do\n"
          "        case \"$at ${COMP_WORDS[i]}\" in\n        ",
        out);
    print_paths(tree, "|");
    fputs(") at=\"$at ${COMP_WORDS[i]}\" ;;\n"
          "        esac\n    done\n"
          "    _pgmend_words \"$at\" \"${COMP_WORDS[COMP_CWORD-1]}\"\n"
          "    if [[ $choices != - ]]; then\n"
          "        words=$choices\n"
          "    elif [[ $current == -* ]]; then\n"
          "        words=$options\n"
          "    fi\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "}\n\n"
          "complete -o bashdefault -o default -F _pgmend pgmend\n",
        out);
}

static void
print_zsh_node(const struct tree *tree, const struct node *node)
{
    FILE *out = tree->out;

    fprintf(out, "    '%s')\n        case \"$words[CURRENT-1]\" in\n", node->path);
    for (size_t i = 0; i < option_count(node->command); i++)
        print_values(tree, option_at(node->command, i).field, "compadd --", NULL, "_files");
    fputs("        esac\n        entries=(\n", out);
    for (size_t i = 0; i < node->children.count; i++) {
        const struct child *child = &node->children.items[i];

        fprintf(out, "            %s:%s\n", child->word,
            quote(tree->arena, child->summary, false, true));
    }
    fputs("        )\n        options=(\n", out);
    for (size_t i = 0; i < option_count(node->command); i++) {
        const struct field *field = option_at(node->command, i).field;

        fprintf(out, "            --%s:%s\n", option_spell(tree->arena, field),
            quote(tree->arena, field->help ? field->help : "", false, true));
    }
    fputs("        ) ;;\n", out);
}

static void
print_zsh(const struct tree *tree)
{
    FILE *out = tree->out;

    fputs("#compdef pgmend\n"
          "# zsh completion for pgmend; made by \"pgmend completion zsh\"\n"
          "_pgmend()\n{\n"
          "    local at='' i\n"
          "    local -a entries options\n"
          "    for (( i = 2; i < CURRENT; i++ )); do\n"
          "        case \"$at $words[i]\" in\n        ",
        out);
    print_paths(tree, "|");
    fputs(") at=\"$at $words[i]\" ;;\n"
          "        esac\n    done\n"
          "    case \"$at\" in\n",
        out);
    for (size_t i = 0; i < tree->nodes.count; i++)
        print_zsh_node(tree, &tree->nodes.items[i]);
    fputs("    esac\n"
          "    if [[ $words[CURRENT] == -* ]]; then\n"
          "        _describe -o option options\n"
          "    elif (( $#entries )); then\n"
          "        _describe command entries\n"
          "    else\n"
          "        _files\n"
          "    fi\n"
          "}\n\n"
          "if [[ $funcstack[1] == _pgmend ]]; then\n"
          "    _pgmend \"$@\"\n"
          "else\n"
          "    compdef _pgmend pgmend\n"
          "fi\n",
        out);
}

static void
print_fish_option(const struct tree *tree, const struct field *field, const char *path)
{
    FILE *out = tree->out;

    fputs("complete -c pgmend", out);
    if (path)
        fprintf(out, " -n '__pgmend_at \"%s\"'", path);
    if (field->letter)
        fprintf(out, " -s %c", field->letter);
    fprintf(out, " -l %s", option_spell(tree->arena, field));
    if (field->choices) {
        struct buffer words = { .arena = tree->arena };

        for (size_t i = 0; field->choices[i]; i++) {
            buffer_add(&words, i > 0 ? " " : "");
            buffer_add(&words, quote_choice(tree->arena, field->choices[i], true));
        }
        fprintf(out, " -x -a %s", quote(tree->arena, buffer_text(&words), true, false));
    } else if (field->type != FIELD_BOOL) {
        fputs(" -r", out);
    }
    fprintf(out, " -d %s\n", quote(tree->arena, field->help ? field->help : "", true, false));
}

static void
print_fish(const struct tree *tree)
{
    FILE *out = tree->out;

    fputs("# fish completion for pgmend; made by \"pgmend completion fish\"\n"
          "function __pgmend_at\n"
          "    set -l at ''\n"
          "    for word in (commandline -opc)[2..-1]\n"
          "        switch \"$at $word\"\n"
          "            case ",
        out);
    print_paths(tree, " ");
    fputs("\n                set at \"$at $word\"\n"
          "        end\n    end\n"
          "    test \"$at\" = \"$argv[1]\"\n"
          "end\n\n",
        out);
    for (size_t i = 0; i < global_field_count; i++)
        print_fish_option(tree, &global_fields[i], NULL);
    for (size_t i = 0; i < tree->nodes.count; i++) {
        const struct node *node = &tree->nodes.items[i];

        for (size_t j = 0; j < node->children.count; j++)
            fprintf(out, "complete -c pgmend -f -n '__pgmend_at \"%s\"' -a %s -d %s\n", node->path,
                node->children.items[j].word,
                quote(tree->arena, node->children.items[j].summary, true, false));
        for (size_t j = 0; node->command && j < node->command->option_count; j++)
            print_fish_option(tree, &node->command->options[j], node->path);
    }
}

bool
completion_print(FILE *out, const char *shell)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct tree tree = { .arena = arena, .out = out };

    for (size_t i = 0; commands[i]; i++)
        add_command(&tree, commands[i]);
    if (text_equal(shell, "bash"))
        print_bash(&tree);
    else if (text_equal(shell, "zsh"))
        print_zsh(&tree);
    else if (text_equal(shell, "fish"))
        print_fish(&tree);
    else
        return false;
    return true;
}
