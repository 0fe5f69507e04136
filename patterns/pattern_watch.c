/*  pattern_watch.c - what happens to the connections of a wire: counted, logged once, remembered */

#include "patterns/pattern_watch.h"

#include <stdio.h>

#define EVENTS_A_TURN 256       /*  a storm of connections must not starve the messages */

static uint32_t
hash (uint32_t seed, const char *text)
{
    for (; *text; text++)
        seed = (seed ^ (unsigned char) *text) * UINT32_C (16777619);
    return seed;
}

bool
watch_first (struct watch *self, const char *what, const char *where)
{
    uint32_t key = hash (hash (UINT32_C (2166136261), what), where);
    for (unsigned i = 0; i < self->said_count; i++)
        if (self->said[i] == key)
            return false;
    if (self->said_count == WATCH_SAID)
        return false;
    self->said[self->said_count++] = key;
    return true;
}

/*  How loud each kind is in the log. */
static const int levels[] = {
    [WIRE_CONNECTED] = WEFT_LOG_INFO,
    [WIRE_DISCONNECTED] = WEFT_LOG_INFO,
    [WIRE_RETRYING] = WEFT_LOG_WARNING,
    [WIRE_REJECTED] = WEFT_LOG_WARNING,
    [WIRE_ABANDONED] = WEFT_LOG_INFO,
    [WIRE_LISTENING] = WEFT_LOG_DEBUG,
    [WIRE_ACCEPT_FAILED] = WEFT_LOG_ERROR,
    [WIRE_NOTICE] = WEFT_LOG_WARNING
};

/*  The wire knows socket types only; a user typed a pattern. */
static const char *
event_text (const struct watch *self, const struct wire_event *event, const char *who, char *text, size_t size)
{
    if (!event->incompatible || !self->speaks_with)
        return *event->text ? event->text : "listening";
    snprintf (text, size, "the peer does not fit: %s speaks with %s", who, self->speaks_with);
    return text;
}

static void
watch_trouble (struct watch *self, const struct wire_event *event, const char *text)
{
    if ((self->misfit || self->denied) && !event->incompatible && !event->denied)
        return;                 /*  the better explanation stays */
    self->misfit = event->incompatible;
    self->denied = event->denied;
    snprintf (self->trouble, sizeof self->trouble, "%s: %s", event->endpoint, text);
}

/*  Each peer, or key, that is refused is news. */
static void
log_refusal (struct watch *self, const struct wire_event *event, const char *text, const struct log *log,
             const char *who)
{
    if (self->refusals > WATCH_REFUSALS || !watch_first (self, text, event->endpoint))
        return;
    if (++self->refusals > WATCH_REFUSALS)
        log_write (log, WEFT_LOG_WARNING, "%s %s: further peers that are refused are only counted", who,
                   event->endpoint);
    else
        log_write (log, WEFT_LOG_WARNING, "%s %s: %s", who, event->endpoint, text);
}

static void
watch_event (struct watch *self, const struct wire_event *event, const struct log *log, const char *who)
{
    char words[160], what[16];
    const char *text = event_text (self, event, who, words, sizeof words);
    switch (event->kind) {
    case WIRE_CONNECTED:
        counter_add (&self->connects, 1);
        self->denied = false;
        break;
    case WIRE_DISCONNECTED:
        counter_add (&self->disconnects, 1);
        break;
    case WIRE_REJECTED:
        counter_add (&self->rejected, 1);
        watch_trouble (self, event, text);
        break;
    case WIRE_RETRYING:
        counter_add (&self->retrying, 1);
        watch_trouble (self, event, text);
        break;
    case WIRE_ACCEPT_FAILED:
        watch_trouble (self, event, text);
        break;
    case WIRE_ABANDONED:
    case WIRE_LISTENING:
    case WIRE_NOTICE:
        break;
    }
    if (!log->fn)
        return;
    if (event->kind == WIRE_REJECTED || event->kind == WIRE_NOTICE) {
        log_refusal (self, event, text, log, who);
        return;
    }
    snprintf (what, sizeof what, "event %d", event->kind);
    /*  A peer that is started at the same time is not missed at once: the second try tells. */
    if (event->kind == WIRE_RETRYING && watch_first (self, "retrying", event->endpoint))
        log_write (log, WEFT_LOG_INFO, "%s %s: %s", who, event->endpoint, text);
    else if (watch_first (self, what, event->endpoint))
        log_write (log, levels[event->kind], "%s %s: %s", who, event->endpoint, text);
}

void
watch_refusal (struct watch *self, const struct wire_event *event, const struct log *log, const char *who)
{
    if (event->kind == WIRE_REJECTED || event->kind == WIRE_ACCEPT_FAILED || event->kind == WIRE_NOTICE)
        watch_event (self, event, log, who);
}

void
watch_pump (struct watch *self, struct wire *wire, const struct log *log, const char *who)
{
    struct wire_event event;
    for (int i = 0; i < EVENTS_A_TURN && wire_next_event (wire, &event) == 1; i++)
        watch_event (self, &event, log, who);
}
