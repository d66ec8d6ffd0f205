#include "workload/traced_value.h"

#include <ctype.h>
#include <endian.h>
#include <string.h>

#include "base/crypto.h"

enum {
    ROUNDS_MESSAGE = 2,
    ROUNDS_END = 4,
    LONGEST_NUMBER = 128,
    LONGEST_EXPONENT = 6,
    LONGEST_PLAIN = 90
};

void
value_key_make(struct value_key *ret)
{
    random_bytes(ret->bytes, sizeof(ret->bytes));
}

/* ---- SipHash-2-4 ---- */

static uint64_t
rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void
mix(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

/* Little-endian, as the paper has it; at most eight bytes. */
static uint64_t
word_at(const unsigned char *bytes, size_t count)
{
    uint64_t word = 0;

    if (count == sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        return le64toh(word);
    }
    for (size_t i = count; i > 0; i--)
        word = word << 8 | bytes[i - 1];
    return word;
}

static uint64_t
siphash(const struct value_key *key, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    uint64_t k0 = word_at(key->bytes, 8), k1 = word_at(key->bytes + 8, 8);
    uint64_t v[4] = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
        k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
    size_t whole = length & ~(size_t)7;

    for (size_t at = 0; at < whole; at += 8) {
        uint64_t word = word_at(bytes + at, 8);

        v[3] ^= word;
        mix(v, ROUNDS_MESSAGE);
        v[0] ^= word;
    }

    uint64_t last = word_at(bytes + whole, length - whole) | (uint64_t)length << 56;

    v[3] ^= last;
    mix(v, ROUNDS_MESSAGE);
    v[0] ^= last;
    v[2] ^= 0xff;
    mix(v, ROUNDS_END);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- numbers ---- */

/* A number as its digits and the power of ten that the last of them stands at. */
struct number {
    bool is_negative;
    char digits[LONGEST_NUMBER];
    size_t count;
    int64_t power;
};

static bool
read_exponent(const char *text, size_t length, int64_t *ret)
{
    bool is_negative = length > 0 && *text == '-';
    size_t at = length > 0 && (*text == '-' || *text == '+') ? 1 : 0;
    int64_t number = 0;

    if (at == length || length - at > LONGEST_EXPONENT)
        return false;
    for (; at < length; at++) {
        if (!isdigit((unsigned char)text[at]))
            return false;
        number = number * 10 + (text[at] - '0');
    }
    *ret = is_negative ? -number : number;
    return true;
}

/* Leading zeros are not kept. */
static void
add_digit(struct number *number, char digit, bool is_behind_point)
{
    if (number->count > 0 || digit != '0')
        number->digits[number->count++] = digit;
    if (is_behind_point)
        number->power--;
}

static bool
read_number(const char *text, size_t length, struct number *ret)
{
    size_t at = length > 0 && (*text == '-' || *text == '+') ? 1 : 0;
    bool has_point = false, has_digit = false;
    int64_t exponent = 0;

    if (length == 0 || length >= LONGEST_NUMBER)
        return false;
    *ret = (struct number){ .is_negative = *text == '-' };
    for (; at < length && text[at] != 'e' && text[at] != 'E'; at++) {
        if (text[at] == '.' && !has_point) {
            has_point = true;
        } else if (isdigit((unsigned char)text[at])) {
            has_digit = true;
            add_digit(ret, text[at], has_point);
        } else {
            return false;
        }
    }
    if (!has_digit || (at < length && !read_exponent(text + at + 1, length - at - 1, &exponent)))
        return false;
    ret->power += exponent;
    return true;
}

/* "-12e3" without printf(), which would cost more than all the rest; what it wrote ends there. */
static size_t
write_number(const struct number *number, char *ret)
{
    uint64_t power = number->power < 0 ? 0 - (uint64_t)number->power : (uint64_t)number->power;
    char digits[24];
    size_t count = 0, at = 0;

    if (number->is_negative)
        ret[at++] = '-';
    memcpy(ret + at, number->digits, number->count);
    at += number->count;
    ret[at++] = 'e';
    if (number->power < 0)
        ret[at++] = '-';
    do {
        digits[count++] = (char)('0' + power % 10);
        power /= 10;
    } while (power > 0);
    while (count > 0)
        ret[at++] = digits[--count];
    return at;
}

/* What most numbers are: digits, the first of them no zero; as write_number() would have it. 0: another. */
static size_t
plain_form(const char *text, size_t length, char *ret)
{
    size_t count = length;
    size_t zeros;

    if (length == 0 || length > LONGEST_PLAIN || *text == '0')
        return 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return 0;
    while (text[count - 1] == '0')
        count--;
    zeros = length - count;
    memcpy(ret, text, count);
    ret[count++] = 'e';
    if (zeros > 9)
        ret[count++] = (char)('0' + zeros / 10);
    ret[count++] = (char)('0' + zeros % 10);
    return count;
}

/* The same text for the same number; 0 when it is none. */
static size_t
one_form(const char *text, size_t length, char *ret)
{
    struct number number;
    size_t plain = plain_form(text, length, ret);

    if (plain > 0)
        return plain;
    /* Most values that are no numbers say so with their first byte. */
    if (length == 0 || (!isdigit((unsigned char)*text) && !strchr("+-.", *text)) ||
        !read_number(text, length, &number))
        return 0;
    while (number.count > 0 && number.digits[number.count - 1] == '0') {
        number.count--;
        number.power++;
    }
    if (number.count == 0)
        number = (struct number){ .digits = "0", .count = 1 };
    return write_number(&number, ret);
}

uint64_t
value_hash(const struct value_key *key, const char *text, size_t length)
{
    char form[LONGEST_NUMBER + 32];
    size_t form_length = one_form(text, length, form);
    uint64_t hash = form_length > 0 ? siphash(key, form, form_length) : siphash(key, text, length);

    return hash != 0 ? hash : 1;
}
