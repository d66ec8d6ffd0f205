/* What the files place*.c share: two states of a version folder, and what lies beside it. */
#pragma once

#include "migrate/squash/squash.h"

/* A file below a folder; a link counts as its target. */
struct tree_file {
    const char *path;   /* "0001_tables.py", "data/prices.csv" */
    const char *sha256; /* of a link: of "link:" and the target */
    bool is_link;
};

/* All files below a folder, by path; without what Python caches there. */
struct tree {
    struct tree_file *items;
    size_t count;
    size_t capacity;
};

/* ERR_UNSUPPORTED for what is neither file, folder nor link, and for names that are not UTF-8. */
bool place_tree_read(struct ctx *ctx, const char *folder, struct tree *ret) MUST_CHECK;
bool place_tree_equal(const struct tree *a, const struct tree *b);
void place_tree_sort(struct tree *tree);

/* What found has otherwise than wanted: "README.md was changed". */
void place_tree_compare(struct arena *arena, const struct tree *wanted, const struct tree *found,
    struct text_list *ret);

/* Whether Alembic takes the file for a revision, or for one that Python compiled. */
bool place_is_revision(const char *path, bool is_recursive);

/*
 * Names around a version folder; all are absolute, because the exchange takes the folder away from
 * under a process that works in it.
 */
struct place_paths {
    const char *parent;
    const char *name;    /* of the folder in parent */
    const char *folder;  /* parent/name */
    const char *fresh;   /* the new folder while it is built; after the exchange the old one */
    const char *plan;    /* the manifest to be, written before anything else */
    const char *trash;   /* a consolidated folder on its way out */
    const char *root;    /* parent/versions_archive */
    const char *shown;   /* the folder as the user knows it */
    const char *archive; /* root as the user knows it */
};

/* A link is followed: what it leads to is the folder. */
bool place_find_paths(struct ctx *ctx, const char *folder, struct place_paths *ret) MUST_CHECK;

/* What is going to happen, then what happened; JSON beside the archived folder. */
struct place_manifest {
    const char *head;
    const char *folder;  /* name of the version folder */
    const char *archive; /* name of the archived one, below root */
    const char *created;
    const char *version; /* of pgmend */
    int64_t inode;       /* of the old folder */
    struct tree old;
    struct tree new;
    struct text_list generated; /* those of new that pgmend wrote */
};
bool place_manifest_write(struct ctx *ctx, const char *path, const struct place_manifest *manifest)
    MUST_CHECK;
bool place_manifest_read(struct ctx *ctx, const char *path, struct place_manifest *ret) MUST_CHECK;
const char *place_manifest_path(
    struct arena *arena, const struct place_paths *paths, const char *archive);

/* Manifests of this version folder whose archived folder is wanted; their names without suffix. */
bool place_list_manifests(struct ctx *ctx, const struct place_paths *paths, struct text_list *ret)
    MUST_CHECK;

/* Builds the new folder, complete and on disk. Nothing else is touched. */
bool place_build(struct ctx *ctx, const struct place_paths *paths, const struct squash_files *files,
    bool is_recursive) MUST_CHECK;

/* One step for whoever looks on: both names, or neither, lead elsewhere afterwards. */
bool place_exchange(struct ctx *ctx, const char *a, const char *b) MUST_CHECK;

/* Moves the old folder, which the exchange left under the new one's name, into the archive. */
bool place_archive(struct ctx *ctx, const struct place_paths *paths, const char *archive)
    MUST_CHECK;

/* The new folder and the plan go away, and an archive with nothing in it. */
bool place_discard(struct ctx *ctx, const struct place_paths *paths) MUST_CHECK;

/* After the exchange of an undo: the consolidated folder and its manifest go away. */
bool place_finish_undo(struct ctx *ctx, const struct place_paths *paths, const char *archive)
    MUST_CHECK;

/* Finishes or takes back what a killed run left. */
bool place_heal(struct ctx *ctx, const struct place_paths *paths, struct text_list *ret_notes)
    MUST_CHECK;

/* ERR_CONFLICT when git knows of changes in the folder that are not committed. */
bool place_check_git(struct ctx *ctx, const struct place_paths *paths, struct text_list *ret_notes)
    MUST_CHECK;
