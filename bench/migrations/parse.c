/* Reads and parses the .py files of a folder with tree-sitter, and nothing else: the least that
 * anything like "pgmend migrations analyze" must do. Prints files and bytes. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

const TSLanguage *tree_sitter_python(void);

static size_t
parse_file(TSParser *parser, const char *folder, const char *name)
{
    static char text[1 << 20];
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        exit(1);
    }
    size_t length = fread(text, 1, sizeof(text), file);

    fclose(file);
    TSTree *tree = ts_parser_parse_string(parser, NULL, text, (uint32_t)length);

    if (ts_node_has_error(ts_tree_root_node(tree)))
        fprintf(stderr, "%s: does not parse\n", path);
    ts_tree_delete(tree);
    return length;
}

int
main(int argc, char **argv)
{
    TSParser *parser = ts_parser_new();
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    size_t files = 0, bytes = 0;

    if (!folder) {
        fprintf(stderr, "usage: parse FOLDER\n");
        return 2;
    }
    ts_parser_set_language(parser, tree_sitter_python());
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        size_t length = strlen(entry->d_name);

        if (length > 3 && strcmp(entry->d_name + length - 3, ".py") == 0) {
            bytes += parse_file(parser, argv[1], entry->d_name);
            files++;
        }
    }
    closedir(folder);
    ts_parser_delete(parser);
    printf("%zu files, %zu bytes\n", files, bytes);
    return 0;
}
