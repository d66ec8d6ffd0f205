/* \sleep: a timer of the session's own, made when it is needed first. */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "load/sql/sql_part.h"

static void
load_sql_on_pause(struct edge *edge, unsigned events)
{
    struct load_connection *connection =
        (struct load_connection *)((char *)edge - offsetof(struct load_connection, pause));
    uint64_t times;

    (void)events;
    if (read(edge->socket, &times, sizeof(times)) == sizeof(times) &&
        connection->state == LOAD_SQL_PAUSING)
        load_sql_paused(connection);
}

static bool
make_timer(struct load_connection *connection)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (timer < 0)
        return false;
    connection->pause.callback = load_sql_on_pause;
    if (edge_level(connection->sql->edges, &connection->pause, timer, EDGE_READ))
        return true;
    close(timer);
    return false;
}

void
load_sql_pause(struct load_connection *connection, int64_t pause_us)
{
    struct itimerspec time = {
        .it_value.tv_sec = pause_us / 1000000,
        .it_value.tv_nsec = pause_us % 1000000 * 1000,
    };

    /* All zero would stop the timer. */
    if (pause_us == 0)
        time.it_value.tv_nsec = 1;
    if ((connection->pause.socket < 0 && !make_timer(connection)) ||
        timerfd_settime(connection->pause.socket, 0, &time, NULL) != 0)
        load_sql_lose(connection, LOAD_RESET, strerror(errno));
}

void
load_sql_pause_end(struct load_connection *connection)
{
    int timer = connection->pause.socket;

    if (timer < 0)
        return;
    edge_remove(connection->sql->edges, &connection->pause);
    close(timer);
}
