/* Distinct texts of what went wrong, counted in fixed memory. */
#pragma once

#include "load/result/record.h"

enum { LOAD_MESSAGES_SHOWN = 20 };

struct load_messages;

struct load_messages *load_messages_new(struct arena *arena);
void load_messages_add(struct load_messages *messages, const char *text);
/* The most frequent ones into the record, the most frequent first. */
void load_messages_show(struct load_messages *messages, struct load_record *record);
