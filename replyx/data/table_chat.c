/* Dialogs, messages, and the history of handoffs. */
#include "data/tables.h"

static const char *const handoff_names[] = {
    [HANDOFF_NONE] = "none",
    [HANDOFF_REQUESTED] = "requested",
    [HANDOFF_ACTIVE] = "active",
    [HANDOFF_RESOLVED] = "resolved",
};

static uint32_t
count_dialogs(const struct world *world)
{
    return world->scale.dialogs;
}

static void
write_nulls(struct row *row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        row_null(row);
}

/* Six in ten customers write in Telegram; of some only the name in Telegram is known. */
static void
write_customer(struct row *row, struct rng *rng)
{
    bool has_name = rng_chance(rng, 0.7);

    write_name(row, "", UINT64_C(100000000) + rng_below(rng, 1900000000));
    if (rng_chance(rng, 0.25)) {
        row_null(row);
    } else {
        row_text_begin(row);
        prose_add(row, prose_pick(rng, &words_latin_first));
        prose_add(row, "_");
        prose_add(row, prose_pick(rng, &words_latin_last));
        prose_number(row, rng_below(rng, 1000));
        row_text_end(row);
    }
    if (!has_name) {
        write_nulls(row, 3);
        return;
    }
    row_text(row, prose_pick(rng, &words_first_name));
    if (rng_chance(rng, 0.3))
        row_null(row);
    else
        row_text(row, prose_pick(rng, &words_last_name));
    row_null(row);
}

static void
write_guest(struct row *row, struct rng *rng)
{
    write_nulls(row, 2);
    write_text_or_null(row, rng, rng_chance(rng, 0.3) ? prose_pick(rng, &words_first_name) : NULL);
    row_null(row);
    row_text_begin(row);
    prose_add(row, "guest_");
    prose_hex(row, rng, 16);
    row_text_end(row);
}

static void
write_time_if(struct row *row, bool is_known, int64_t us)
{
    if (is_known)
        row_time(row, us);
    else
        row_null(row);
}

static void
write_handoff(struct row *row, struct handoff *handoff)
{
    row_text(row, handoff_names[handoff->status]);
    write_time_if(row, handoff->status >= HANDOFF_REQUESTED, handoff->requested_us);
    write_time_if(row, handoff->status >= HANDOFF_ACTIVE, handoff->started_us);
    write_time_if(row, handoff->status >= HANDOFF_RESOLVED, handoff->resolved_us);
    if (handoff->reason != NULL)
        row_text(row, handoff->reason);
    else
        row_null(row);
    if (handoff->status >= HANDOFF_ACTIVE)
        row_int4(row, id_of(handoff->manager));
    else
        row_null(row);
    if (handoff->status == HANDOFF_NONE)
        row_null(row);
    else
        write_uuid(row, &handoff->rng);
}

/* Dialogs that nobody writes in any more have mostly been ended. */
static void
write_end(const struct world *world, const struct dialog *dialog, bool is_open, struct row *row,
    struct rng *rng)
{
    int64_t idle_us = world->now_us - dialog->last_us;
    int64_t ended_us = dialog->last_us + rng_between(rng, 300, 3600) * US_PER_SECOND;
    bool is_ended = !is_open && idle_us > 2 * 3600 * US_PER_SECOND && rng_chance(rng, 0.65);

    write_time_if(row, is_ended, ended_us);
}

static void
write_dialog(const struct world *world, uint32_t index, struct row *row)
{
    const struct dialog *dialog = &world->dialogs[index];
    struct rng rng = rng_start(world->seed, RNG_DIALOG, index);
    struct handoff handoff;

    dialog_handoff(world, index, &handoff);
    row_int4(row, id_of(dialog_owner(world, index)));
    write_int4_or_null(row, &rng, id_of(dialog->assistant));
    if (rng_chance(&rng, 0.6))
        write_customer(row, &rng);
    else
        write_guest(row, &rng);
    row_int4(row, dialog->is_silent ? 0 : 1);
    row_int4(row, rng_chance(&rng, 0.05) ? 1 : 0);
    row_int4(row, handoff.status == HANDOFF_ACTIVE ? 1 : 0);
    if (dialog->first_response_s < 0)
        row_null(row);
    else
        row_float8(row, (double)dialog->first_response_s);
    write_handoff(row, &handoff);
    row_time(row, dialog->started_us);
    write_end(world, dialog, handoff.status == HANDOFF_ACTIVE, row, &rng);
}

static const struct column dialog_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "assistant_id", COLUMN_INT4 },
    { "telegram_chat_id", COLUMN_TEXT },
    { "telegram_username", COLUMN_TEXT },
    { "first_name", COLUMN_TEXT },
    { "last_name", COLUMN_TEXT },
    { "guest_id", COLUMN_TEXT },
    { "auto_response", COLUMN_INT4 },
    { "fallback", COLUMN_INT4 },
    { "is_taken_over", COLUMN_INT4 },
    { "first_response_time", COLUMN_FLOAT8 },
    { "handoff_status", COLUMN_TEXT },
    { "handoff_requested_at", COLUMN_TIME },
    { "handoff_started_at", COLUMN_TIME },
    { "handoff_resolved_at", COLUMN_TIME },
    { "handoff_reason", COLUMN_TEXT },
    { "assigned_manager_id", COLUMN_INT4 },
    { "request_id", COLUMN_TEXT },
    { "started_at", COLUMN_TIME },
    { "ended_at", COLUMN_TIME },
};

const struct table table_dialogs = {
    .name = "dialogs",
    TABLE_COLUMNS(dialog_columns),
    .count = count_dialogs,
    .write = write_dialog,
};

static uint32_t
count_messages(const struct world *world)
{
    return world->scale.messages;
}

struct part_of_sender {
    const char *sender;
    const char *kind;
    enum prose_voice voice;
};

static const struct part_of_sender parts[] = {
    [SENDER_USER] = { "user", "user", VOICE_USER },
    [SENDER_ASSISTANT] = { "assistant", "assistant", VOICE_ASSISTANT },
    [SENDER_MANAGER] = { "manager", "operator", VOICE_MANAGER },
    [SENDER_SYSTEM] = { "manager", "system", VOICE_MANAGER },
};

struct system_message {
    const char *type;
    const char *text;
};

static const struct system_message system_messages[] = {
    { "operator_joined", "Оператор подключился к диалогу" },
    { "operator_typing", "Оператор отвечает, оставайтесь на связи ⏳" },
    { "transferred", "Диалог передан другому оператору" },
};

/* A dialog has one topic and one language. */
static struct subject
subject_of(const struct world *world, uint32_t dialog)
{
    const struct assistant *assistant = &world->assistants[world->dialogs[dialog].assistant];
    struct rng rng = rng_start(world->seed, RNG_DIALOG_SUBJECT, dialog);

    return (struct subject){
        .topic = assistant->topics[rng_below(&rng, ASSISTANT_TOPICS)],
        .is_english = rng_chance(&rng, 0.08),
    };
}

static void
write_message(const struct world *world, uint32_t index, struct row *row)
{
    const struct event *message = &world->messages.events[index];
    enum sender sender = message_sender(world, message);
    struct rng rng = rng_start(world->seed, RNG_MESSAGE_TEXT, message_key(message));
    struct subject subject = subject_of(world, message->owner);
    const struct system_message *notice =
        &system_messages[rng_below(&rng, COUNT_OF(system_messages))];

    row_int4(row, id_of(message->owner));
    row_text(row, parts[sender].sender);
    row_text_begin(row);
    if (sender == SENDER_SYSTEM)
        prose_add(row, notice->text);
    else
        prose_message(row, &rng, parts[sender].voice, &subject);
    row_text_end(row);
    row_text(row, parts[sender].kind);
    if (sender == SENDER_SYSTEM)
        row_text(row, notice->type);
    else
        row_null(row);
    row_int4(row, rng_chance(&rng, 0.98) ? 1 : 0);
    row_time(row, message->us);
}

static const struct column message_columns[] = {
    { "id", COLUMN_INT4 },
    { "dialog_id", COLUMN_INT4 },
    { "sender", COLUMN_TEXT },
    { "text", COLUMN_TEXT },
    { "message_kind", COLUMN_TEXT },
    { "system_type", COLUMN_TEXT },
    { "delivered", COLUMN_INT4 },
    { "timestamp", COLUMN_TIME },
};

const struct table table_dialog_messages = {
    .name = "dialog_messages",
    TABLE_COLUMNS(message_columns),
    .count = count_messages,
    .write = write_message,
};

static uint32_t
count_audit(const struct world *world)
{
    return (uint32_t)world->handoffs.count;
}

static void
write_audit(const struct world *world, uint32_t index, struct row *row)
{
    const struct event *step = &world->handoffs.events[index];
    struct rng rng = rng_start(world->seed, RNG_AUDIT, index);
    struct handoff handoff;

    dialog_handoff(world, step->owner, &handoff);
    row_int4(row, id_of(step->owner));
    write_text_or_null(row, &rng, handoff_names[step->number]);
    row_text(row, handoff_names[step->number + 1]);
    if (step->number == 0)
        row_null(row);
    else
        row_int4(row, id_of(handoff.manager));
    write_text_or_null(row, &rng, step->number == 0 ? handoff.reason : NULL);
    write_uuid(row, &handoff.rng);
    row_int4(row, (int32_t)step->number + 1);
    write_text_or_null(row, &rng,
        rng_chance(&rng, 0.5) ? "{\"channel\": \"telegram\", \"queue\": \"Общая очередь\"}" : NULL);
    row_time(row, step->us);
}

static const struct column audit_columns[] = {
    { "id", COLUMN_INT4 },
    { "dialog_id", COLUMN_INT4 },
    { "from_status", COLUMN_TEXT },
    { "to_status", COLUMN_TEXT },
    { "user_id", COLUMN_INT4 },
    { "reason", COLUMN_TEXT },
    { "request_id", COLUMN_TEXT },
    { "seq", COLUMN_INT4 },
    { "extra_data", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
};

const struct table table_handoff_audit = {
    .name = "handoff_audit",
    TABLE_COLUMNS(audit_columns),
    .count = count_audit,
    .write = write_audit,
};
