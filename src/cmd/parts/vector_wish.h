/* The options with which the user says himself what the vector commands else find out. */
#pragma once

#include "base/field.h"
#include "vector/target/target.h"

#define WISH_FIELD(strct, member, option, ...)                       \
    {                                                                \
        .name = (option), .type = FIELD_TYPE_OF(strct, wish.member), \
        .offset = offsetof(strct, wish.member), __VA_ARGS__          \
    }

/* Rows of a table of options whose struct has a member "struct vector_wish wish". */
#define VECTOR_WISH_FIELDS(strct)                                                                \
    WISH_FIELD(strct, table, "table", .arg = "TABLE",                                            \
        .help = "the table, perhaps with its schema (default: the one with a vector column)"),   \
        WISH_FIELD(strct, column, "column", .arg = "COLUMN", .help = "its vector column"),       \
        WISH_FIELD(strct, tenant, "tenant", .arg = "COLUMN",                                     \
            .help = "the column that every search compares by \"=\"; '' for none"),              \
        WISH_FIELD(strct, filters, "filter", .arg = "CONDITION",                                 \
            .help = "another condition of the searches, as \"importance >= 5\""),                \
        WISH_FIELD(strct, operator, "operator", .arg = "OPERATOR",                               \
            .choices = vector_wish_operators, .help = "the operator that the searches sort by"), \
        WISH_FIELD(strct, limit, "limit", .arg = "ROWS", .help = "rows that a search asks for"), \
        WISH_FIELD(strct, text, "text", .arg = "COLUMN", .help = "the column of the texts"),     \
        WISH_FIELD(strct, text_config, "text_config", .arg = "NAME",                             \
            .help = "text search configuration, or the regconfig column that holds it")

extern const char *const vector_wish_operators[];
