/*
 * The words that texts are made of, all written for this program. In templates a % and a letter
 * stand for something that differs each time:
 *   %p product or service of the trade (a noun that reads the same in nominative and accusative)
 *   %n number   %m price   %t time of day   %d day   %c where   %a order   %e emoji   %f first name
 */
#pragma once

#include "base/base.h"

struct words {
    const char *const *items;
    uint32_t count;
};

enum { TRADE_COUNT = 24, TRADE_NOUNS = 8 };

struct trade {
    const char *name; /* nominative */
    const char *english;
    const char *nouns[TRADE_NOUNS];
};

extern const struct trade trades[TRADE_COUNT];

extern const struct words words_question;
extern const struct words words_short;
extern const struct words words_answer;
extern const struct words words_manager;
extern const struct words words_document;
extern const struct words words_heading;
extern const struct words words_question_en;
extern const struct words words_answer_en;
extern const struct words words_document_en;
extern const struct words words_day;
extern const struct words words_day_en;
extern const struct words words_place;
extern const struct words words_emoji;
extern const struct words words_first_name;
extern const struct words words_last_name;
extern const struct words words_latin_first;
extern const struct words words_latin_last;
extern const struct words words_file;
extern const struct words words_extension;
extern const struct words words_reason;
