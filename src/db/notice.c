#include "db/notice.h"

#include "base/log.h"
#include "db/connection.h"

void
db_log_notice(void *unused, const PGresult *result)
{
    (void)unused;

    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    log_debug("server: %s", text ? text : "");
}

static void
take(void *data, const PGresult *result)
{
    const struct db_notices *notices = ((const struct db *)data)->notices;
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    notices->hear(
        notices->data, message ? message : "", PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
}

void
db_notices_begin(struct db *db, struct db_notices *notices)
{
    notices->db = db;
    notices->outer = db->notices;
    db->notices = notices;
    notices->before = (void (*)(void))PQsetNoticeReceiver(db->conn, take, db);
}

void
db_notices_end(struct db_notices *notices)
{
    struct db *db = notices->db;

    if (!db)
        return;
    PQsetNoticeReceiver(db->conn, (PQnoticeReceiver)notices->before, db);
    db->notices = notices->outer;
    notices->db = NULL;
}
