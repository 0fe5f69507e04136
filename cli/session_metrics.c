/*  session_metrics.c - what a pattern program tells of itself: its socket, what it gave up, how long requests took */

#include <stdlib.h>

#include "cli/session.h"
#include "core/buffer.h"
#include "core/error.h"
#include "core/histogram.h"
#include "patterns/pattern_metrics.h"

struct session_values {
    uint64_t lost;
};

const struct metric session_metrics[] = {
    { .name = "weft_given_up_total", .kind = METRIC_COUNTER, .offset = offsetof (struct session_values, lost),
      .text = "messages that the command took, and could not process, answer or send" },
    METRIC_END
};

static void
read_session (void *arg, void *values)
{
    const struct session *self = arg;
    ((struct session_values *) values)->lost = counter_read (&self->lost);
}

static void
read_times (void *arg, void *values)
{
    const struct session *self = arg;
    ((struct pattern_times *) values)->requests = self->times;
}

int
session_add_metrics (struct session *self)
{
    const struct metric_source socket = { .table = pattern_metrics, .size = sizeof (struct pattern_values),
                                          .labels = { { "socket", self->socket->pattern->name } },
                                          .read = pattern_read, .arg = self->socket };
    struct metric_source own = socket, times = socket;
    own.table = session_metrics;
    own.size = sizeof (struct session_values);
    own.read = read_session;
    times.table = pattern_times_metrics;
    times.size = sizeof (struct pattern_times);
    times.read = read_times;
    own.arg = times.arg = self;
    int rc = meter_add (&self->meter, &socket);
    rc = rc ? rc : meter_add (&self->meter, &own);
    rc = rc ? rc : meter_add (&self->meter, &times);
    return rc ? rc : meter_ready (&self->meter, self->cli);
}

int
session_begin_metrics (struct session *self)
{
    const struct pattern *pattern = self->socket->pattern;
    int rc = meter_begin (&self->meter, self->cli, &self->metrics, self->secure.security.insecure);
    /*  Who asks has replies, and who answers gives them. */
    if (rc || !pattern->send || !pattern->recv || (!meter_is_on (&self->meter) && !self->cli->verbose))
        return rc;
    self->times = histogram_new ();
    return self->times ? 0 : error_plain (WEFT_ENOMEM);
}

int64_t
session_now (const struct session *self)
{
    return self->times ? clock_now (clock_system ()) : 0;
}

void
session_took (struct session *self, int64_t since)
{
    if (self->times)
        histogram_record (self->times, clock_now (clock_system ()) - since);
}

void
session_add_times (const struct session *self, struct buffer *text)
{
    if (!self->times || histogram_count (self->times) == 0)
        return;
    buffer_add_str (text, "; ");
    meter_add_times (text, self->times);
}

void
session_end_metrics (struct session *self)
{
    meter_end (&self->meter);
    free (self->times);
    self->times = NULL;
}
