/* Which files git says are changed. */
#pragma once

#include "base/ctx.h"
#include "base/text.h"

/*
 * Files below the folders that differ from where this work left base ("origin/main"; "HEAD": what
 * is not committed), with those that git does not know yet. git is run, without the external
 * programs that a repository's configuration may name for it.
 */
bool changed_files(struct ctx *ctx, const struct text_list *folders, const char *base,
    struct text_list *ret) MUST_CHECK;
