/* Values as the binary format has them; source: the typsend functions of PostgreSQL. */
#include <inttypes.h>
#include <string.h>

#include "workload/traced_value.h"
#include "workload/traced_value_part.h"

enum { MOST_DIMENSIONS = 6, NUMERIC_ARRAY = 1231 };

/* OIDs of PostgreSQL's pg_type.dat, which never change. */
enum type_oid {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
    TYPE_CHAR = 18,
    TYPE_NAME = 19,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_OID = 26,
    TYPE_JSON = 114,
    TYPE_XML = 142,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_UNKNOWN = 705,
    TYPE_BPCHAR = 1042,
    TYPE_VARCHAR = 1043,
    TYPE_DATE = 1082,
    TYPE_TIME = 1083,
    TYPE_TIMESTAMP = 1114,
    TYPE_TIMESTAMPTZ = 1184,
    TYPE_NUMERIC = 1700,
    TYPE_UUID = 2950,
    TYPE_JSONB = 3802,
};

static const uint32_t arrays[] = { 199, 1000, 1001, 1002, 1003, 1005, 1007, 1009, 1014, 1015, 1016,
    1021, 1022, 1028, 1115, 1182, 1183, 1185, NUMERIC_ARRAY, 2951, 3807 };

int64_t
value_take_int(struct value_bytes *bytes, size_t size)
{
    uint64_t number;

    if (bytes->length < size) {
        bytes->is_damaged = true;
        return 0;
    }
    number = bytes->data[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes->data[i];
    bytes->data += size;
    bytes->length -= size;
    return (int64_t)number;
}

uint32_t
value_take_uint(struct value_bytes *bytes, size_t size)
{
    uint64_t number = (uint64_t)value_take_int(bytes, size);

    return (uint32_t)(size < 4 ? number & ((UINT64_C(1) << size * 8) - 1) : number);
}

static void
add_hex(struct buffer *buffer, struct value_bytes *bytes)
{
    static const char digits[] = "0123456789abcdef";

    buffer_reserve(buffer, bytes->length * 2);
    for (size_t i = 0; i < bytes->length; i++) {
        char pair[2] = { digits[bytes->data[i] >> 4], digits[bytes->data[i] & 0xf] };

        buffer_append(buffer, pair, sizeof(pair));
    }
    bytes->length = 0;
}

static bool
add_uuid(struct buffer *buffer, struct value_bytes *bytes)
{
    static const size_t parts[] = { 4, 2, 2, 2, 6 };

    if (bytes->length != 16)
        return false;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct value_bytes part = { .data = bytes->data, .length = parts[i] };

        if (i > 0)
            buffer_add(buffer, "-");
        add_hex(buffer, &part);
        bytes->data += parts[i];
    }
    bytes->length = 0;
    return true;
}

static bool
add_text(struct buffer *buffer, struct value_bytes *bytes)
{
    /* A server's text has no NUL. */
    if (bytes->length > 0 && memchr(bytes->data, '\0', bytes->length))
        return false;
    buffer_append(buffer, bytes->data, bytes->length);
    bytes->length = 0;
    return true;
}

static double
take_double(struct value_bytes *bytes)
{
    int64_t word = value_take_int(bytes, 8);
    double number;

    memcpy(&number, &word, sizeof(number));
    return number;
}

static double
take_float(struct value_bytes *bytes)
{
    uint32_t word = value_take_uint(bytes, 4);
    float number;

    memcpy(&number, &word, sizeof(number));
    return (double)number;
}

/* Types that are made of letters or bytes. */
static bool
add_string(struct buffer *buffer, uint32_t type, struct value_bytes *bytes)
{
    switch (type) {
    case TYPE_TEXT:
    case TYPE_VARCHAR:
    case TYPE_BPCHAR:
    case TYPE_NAME:
    case TYPE_UNKNOWN:
    case TYPE_JSON:
    case TYPE_XML:
        return add_text(buffer, bytes);
    case TYPE_JSONB:
        return value_take_int(bytes, 1) == 1 && add_text(buffer, bytes);
    case TYPE_CHAR:
        if (bytes->length != 1 || bytes->data[0] >= 0x80)
            return false;
        bytes->length = bytes->data[0] ? 1 : 0;
        return add_text(buffer, bytes);
    case TYPE_BYTEA:
        buffer_add(buffer, "\\x");
        add_hex(buffer, bytes);
        return true;
    case TYPE_UUID:
        return add_uuid(buffer, bytes);
    default:
        return false;
    }
}

static bool
add_scalar(struct buffer *buffer, uint32_t type, struct value_bytes *bytes)
{
    switch (type) {
    case TYPE_BOOL:
        buffer_add(buffer, value_take_int(bytes, 1) ? "t" : "f");
        break;
    case TYPE_INT2:
        buffer_printf(buffer, "%" PRId64, value_take_int(bytes, 2));
        break;
    case TYPE_INT4:
        buffer_printf(buffer, "%" PRId64, value_take_int(bytes, 4));
        break;
    case TYPE_INT8:
        buffer_printf(buffer, "%" PRId64, value_take_int(bytes, 8));
        break;
    case TYPE_OID:
        buffer_printf(buffer, "%u", value_take_uint(bytes, 4));
        break;
    case TYPE_FLOAT4:
        value_add_float(buffer, take_float(bytes), true);
        break;
    case TYPE_FLOAT8:
        value_add_float(buffer, take_double(bytes), false);
        break;
    case TYPE_NUMERIC:
        return value_add_numeric(buffer, bytes);
    case TYPE_DATE:
        value_add_date(buffer, (int32_t)value_take_int(bytes, 4));
        break;
    case TYPE_TIME:
        return value_add_time(buffer, value_take_int(bytes, 8));
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        value_add_timestamp(buffer, value_take_int(bytes, 8), type == TYPE_TIMESTAMPTZ);
        break;
    default:
        return add_string(buffer, type, bytes);
    }
    return true;
}

/* ---- arrays ---- */

struct dimension {
    int32_t size;
    int32_t lower;
};

struct array {
    struct buffer *buffer;
    struct arena *arena;
    struct value_bytes *bytes;
    struct dimension dimensions[MOST_DIMENSIONS];
    int32_t depth;
    uint32_t type; /* of the elements */
};

static void
add_quoted(struct buffer *buffer, const char *text, size_t length)
{
    bool is_plain = length > 0 && strcasecmp(text, "NULL") != 0 &&
                    strcspn(text, "{},\"\\ \t\n\r\v\f") == length;

    if (is_plain) {
        buffer_append(buffer, text, length);
        return;
    }
    buffer_add(buffer, "\"");
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\')
            buffer_add(buffer, "\\");
        buffer_append(buffer, &text[i], 1);
    }
    buffer_add(buffer, "\"");
}

static bool
add_element(struct array *array)
{
    int64_t length = value_take_int(array->bytes, 4);
    struct buffer text = { .arena = array->arena };
    struct value_bytes bytes;

    if (array->bytes->is_damaged || length < -1 || length > (int64_t)array->bytes->length)
        return false;
    if (length < 0) {
        buffer_add(array->buffer, "NULL");
        return true;
    }
    bytes = (struct value_bytes){ .data = array->bytes->data, .length = (size_t)length };
    if (!add_scalar(&text, array->type, &bytes) || bytes.is_damaged || bytes.length > 0)
        return false;
    array->bytes->data += length;
    array->bytes->length -= (size_t)length;
    add_quoted(array->buffer, buffer_text(&text), text.length);
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the array, at most six */
static bool
add_dimension(struct array *array, int32_t depth)
{
    buffer_add(array->buffer, "{");
    for (int32_t i = 0; i < array->dimensions[depth].size; i++) {
        if (i > 0)
            buffer_add(array->buffer, ",");
        if (depth + 1 < array->depth ? !add_dimension(array, depth + 1) : !add_element(array))
            return false;
    }
    buffer_add(array->buffer, "}");
    return true;
}

static bool
take_dimensions(struct array *array)
{
    bool is_shifted = false;
    int64_t elements = 1;

    for (int32_t i = 0; i < array->depth; i++) {
        struct dimension *dimension = &array->dimensions[i];

        dimension->size = (int32_t)value_take_int(array->bytes, 4);
        dimension->lower = (int32_t)value_take_int(array->bytes, 4);
        /* Each element has at least the four bytes of its length. */
        if (array->bytes->is_damaged || dimension->size <= 0 ||
            dimension->size > (int64_t)array->bytes->length / 4 / elements ||
            dimension->lower > INT32_MAX - dimension->size)
            return false;
        elements *= dimension->size;
        is_shifted |= dimension->lower != 1;
    }
    for (int32_t i = 0; is_shifted && i < array->depth; i++)
        buffer_printf(array->buffer, "[%d:%d]%s", array->dimensions[i].lower,
            array->dimensions[i].lower + array->dimensions[i].size - 1,
            i + 1 == array->depth ? "=" : "");
    return true;
}

static bool
add_array(struct buffer *buffer, struct value_bytes *bytes)
{
    struct array array = { .buffer = buffer, .arena = buffer->arena, .bytes = bytes };

    array.depth = (int32_t)value_take_int(bytes, 4);
    (void)value_take_int(bytes, 4); /* whether there are NULLs */
    array.type = value_take_uint(bytes, 4);
    if (bytes->is_damaged || array.depth < 0 || array.depth > MOST_DIMENSIONS)
        return false;
    if (array.depth == 0) {
        buffer_add(buffer, "{}");
        return true;
    }
    return take_dimensions(&array) && add_dimension(&array, 0);
}

static bool
is_array(uint32_t type)
{
    for (size_t i = 0; i < COUNT_OF(arrays); i++)
        if (arrays[i] == type)
            return true;
    return false;
}

bool
value_from_binary(struct arena *arena, uint32_t type, const void *data, size_t length,
    const char **ret_text, size_t *ret_length)
{
    struct buffer buffer = { .arena = arena };
    struct value_bytes bytes = { .data = data, .length = length };
    bool is_known = is_array(type) ? add_array(&buffer, &bytes) : add_scalar(&buffer, type, &bytes);

    if (!is_known || bytes.is_damaged || bytes.length > 0)
        return false;
    *ret_text = buffer_text(&buffer);
    *ret_length = buffer.length;
    return true;
}
