/* What the files of a monitor are made of: the folder, and the lines. */
#pragma once

#include "base/map.h"
#include "monitor/store/files.h"

/* One of our files in the folder. */
struct files_name {
    const char *name;
    const char *day; /* "2026-11-23" */
    int32_t part;    /* 1 is the first */
    int64_t bytes;
};
struct files_names {
    struct files_name *items; /* oldest first */
    size_t count;
    size_t capacity;
};

struct output_files {
    struct arena *arena; /* as long as these files */
    struct output_files_options options;
    int folder; /* locked, so that two monitors never write into the same */
    int fd;     /* -1: none is open */
    char day[11];
    int32_t part;
    int64_t length;        /* of the open file, up to its last whole line */
    int64_t total;         /* of all our files */
    int64_t synced_us;     /* clock_us() of the last fsync */
    bool is_torn;          /* something stands behind length that must go first */
    struct arena *known;   /* of one file: */
    struct map statements; /* query ids whose text stands in it */
    int64_t lost;          /* lines since it could not be written */
    int64_t lost_since_wall_us;
    char error[400];
};

bool files_list(struct ctx *ctx, const char *folder, struct files_names *ret) MUST_CHECK;
/* Cuts what stands behind the last newline: the line during which a crash came. */
bool files_cut_torn(struct ctx *ctx, const char *path) MUST_CHECK;
/* Removes the oldest until the rest fits; never the named one. */
bool files_make_room(struct ctx *ctx, struct output_files *files, const char *keep) MUST_CHECK;

const char *files_tick_line(
    struct arena *arena, struct output_files *files, const struct watched *server);
const char *files_alert_line(struct arena *arena, const struct alert *alert, int64_t wall_us);
const char *files_lost_line(struct arena *arena, const struct output_files *files, int64_t wall_us);
