#include "data/prose.h"

#include <math.h>

enum { MESSAGE_MAX = 2000 };

const char *
prose_pick(struct rng *rng, const struct words *words)
{
    return words->items[rng_below(rng, words->count)];
}

void
prose_add(struct row *row, const char *text)
{
    row_text_add(row, text, strlen(text));
}

void
prose_number(struct row *row, uint64_t number)
{
    char digits[20];
    size_t start = sizeof(digits);

    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    row_text_add(row, digits + start, sizeof(digits) - start);
}

void
prose_hex(struct row *row, struct rng *rng, size_t count)
{
    static const char hex[] = "0123456789abcdef";
    char digits[16];

    while (count > 0) {
        uint64_t bits = rng_next(rng);
        size_t now = count < sizeof(digits) ? count : sizeof(digits);

        for (size_t i = 0; i < now; i++, bits >>= 4)
            digits[i] = hex[bits & 15];
        row_text_add(row, digits, now);
        count -= now;
    }
}

/* Each topic of a trade talks about four of the trade's nouns, so that neighbours overlap. */
static const char *
noun(struct rng *rng, uint32_t topic)
{
    const struct trade *trade = &trades[topic % TRADE_COUNT];

    return trade->nouns[(topic / TRADE_COUNT * 2 + rng_below(rng, 4)) % TRADE_NOUNS];
}

static void
add_price(struct row *row, struct rng *rng, bool is_english)
{
    uint32_t price = 10 * (uint32_t)exp(2.5 + 4 * rng_ratio(rng));

    prose_number(row, price);
    prose_add(row, is_english ? " RUB" : " ₽");
}

static void
add_clock(struct row *row, struct rng *rng)
{
    static const char *const minutes[] = { ":00", ":15", ":30", ":45" };

    prose_number(row, 8 + rng_below(rng, 13));
    prose_add(row, minutes[rng_below(rng, 4)]);
}

static void
fill(struct row *row, struct rng *rng, const struct subject *subject, char hole)
{
    switch (hole) {
    case 'p':
        prose_add(row, noun(rng, subject->topic));
        break;
    case 'n':
        prose_number(row, 2 + rng_below(rng, 44));
        break;
    case 'm':
        add_price(row, rng, subject->is_english);
        break;
    case 't':
        add_clock(row, rng);
        break;
    case 'd':
        prose_add(row, prose_pick(rng, subject->is_english ? &words_day_en : &words_day));
        break;
    case 'c':
        prose_add(row, prose_pick(rng, &words_place));
        break;
    case 'a':
        prose_add(row, "№ ");
        prose_number(row, 10000 + rng_below(rng, 900000));
        break;
    case 'e':
        prose_add(row, prose_pick(rng, &words_emoji));
        break;
    default:
        prose_add(row, prose_pick(rng, &words_first_name));
    }
}

static void
add_sentence(
    struct row *row, struct rng *rng, const struct words *words, const struct subject *subject)
{
    const char *rest = prose_pick(rng, words);

    for (;;) {
        size_t plain = strcspn(rest, "%");

        row_text_add(row, rest, plain);
        if (rest[plain] == '\0')
            return;
        fill(row, rng, subject, rest[plain + 1]);
        rest += plain + 2;
    }
}

/* Bytes that a text of so many characters has; Cyrillic letters take two, blanks one. */
static size_t
bytes_of(uint32_t characters, bool is_english)
{
    return is_english ? characters : characters * 9 / 5;
}

/* Sentences until the text is about so long. */
static void
add_sentences(struct row *row, struct rng *rng, const struct words *words,
    const struct subject *subject, uint32_t characters)
{
    size_t limit = bytes_of(characters, subject->is_english);
    bool has_paragraphs = characters > 500;

    while (row_text_length(row) < limit) {
        if (row_text_length(row) > 0)
            prose_add(row, has_paragraphs && rng_below(rng, 5) == 0 ? "\n" : " ");
        add_sentence(row, rng, words, subject);
    }
}

void
prose_message(
    struct row *row, struct rng *rng, enum prose_voice voice, const struct subject *subject)
{
    static const struct words *const words[][2] = {
        [VOICE_USER] = { &words_question, &words_question_en },
        [VOICE_ASSISTANT] = { &words_answer, &words_answer_en },
        [VOICE_MANAGER] = { &words_manager, &words_answer_en },
    };
    static const double typical[] = {
        [VOICE_USER] = 40,
        [VOICE_ASSISTANT] = 90,
        [VOICE_MANAGER] = 35,
    };
    double length;

    if (voice == VOICE_USER && rng_below(rng, 6) == 0) {
        add_sentence(row, rng, &words_short, subject);
        return;
    }
    length = typical[voice] * exp(1.05 * rng_normal(rng));
    if (length > MESSAGE_MAX - 150)
        length = MESSAGE_MAX - 150;
    add_sentences(row, rng, words[voice][subject->is_english], subject, (uint32_t)length + 1);
    if (rng_below(rng, 16) == 0) {
        prose_add(row, " ");
        prose_add(row, prose_pick(rng, &words_emoji));
    }
}

void
prose_question(struct row *row, struct rng *rng, uint32_t topic)
{
    struct subject subject = { .topic = topic };

    add_sentence(row, rng, &words_question, &subject);
}

void
prose_document(struct row *row, struct rng *rng, uint32_t topic, uint32_t characters)
{
    struct subject subject = { .topic = topic, .is_english = rng_below(rng, 12) == 0 };
    const struct trade *trade = &trades[topic % TRADE_COUNT];

    prose_add(row, subject.is_english ? trade->english : trade->name);
    prose_add(row, ". ");
    prose_add(row, prose_pick(rng, &words_heading));
    prose_add(row, "\n");
    add_sentences(
        row, rng, subject.is_english ? &words_document_en : &words_document, &subject, characters);
}

void
prose_file_name(struct row *row, struct rng *rng, bool is_copy)
{
    prose_add(row, prose_pick(rng, &words_file));
    prose_add(row, " ");
    prose_number(row, 2023 + rng_below(rng, 4));
    if (rng_below(rng, 3) == 0) {
        prose_add(row, "-");
        prose_number(row, 1 + rng_below(rng, 12));
    }
    prose_add(row, is_copy ? " (2)." : ".");
    prose_add(row, prose_pick(rng, &words_extension));
}
