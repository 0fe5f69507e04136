/*  jobasked.c - what the head of a ledger is asked to do with its jobs while it runs */

#include "cli/jobasked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ledgerask.h"
#include "core/error.h"

#define TURN_REQUESTS 16        /*  answered before the pool has its turn           */

/* ----------------------------------------------------------------- requests */

/*  The next word, which is ended with a NUL; NULL past the last. */
static char *
next_word (char **rest)
{
    char *word;
    do
        word = strsep (rest, " \n");
    while (word && !*word);
    return word;
}

/*  0 when it is none: jobs are counted from 1. */
static uint64_t
number_of (const char *word)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull (word, &end, 10);
    return errno || *end || *word < '0' || *word > '9' ? 0 : number;
}

static int
cancel_one (weft_pool_t *pool, uint64_t id, bool running, struct buffer *reply)
{
    int rc = weft_pool_cancel_job (pool, id, running);
    const char *outcome = rc == 0 ? "taken" : rc == WEFT_EEND ? "ended" : rc == WEFT_EINVAL ? "none"
                          : rc == WEFT_ESTATE ? "running" : NULL;
    return outcome ? buffer_addf (reply, "%llu %s\n", (unsigned long long) id, outcome)
                   : buffer_addf (reply, "%llu error %s\n", (unsigned long long) id, weft_error ());
}

static int
cancel (weft_pool_t *pool, char *rest, struct buffer *reply)
{
    char *word = next_word (&rest);
    bool running = word && strcmp (word, "running") == 0;
    word = running ? next_word (&rest) : word;
    if (word && strcmp (word, "all") == 0 && !next_word (&rest)) {
        int rc = weft_pool_cancel_job (pool, 0, running);
        return rc ? buffer_addf (reply, "error %s\n", weft_error ()) : buffer_add_str (reply, "all taken\n");
    }
    int rc = 0;
    for (; word && rc == 0; word = next_word (&rest)) {
        uint64_t id = number_of (word);
        rc = id ? cancel_one (pool, id, running, reply) : buffer_addf (reply, "error %.40s is no job\n", word);
    }
    return rc;
}

static int
retry_one (weft_pool_t *pool, uint64_t id, struct buffer *reply)
{
    uint64_t by = 0;
    int rc = weft_pool_retry (pool, id, &by);
    const char *outcome = rc == 0 ? "retried" : rc == WEFT_EINVAL ? "none" : rc == WEFT_ESTATE && by ? "stands" : NULL;
    return outcome ? buffer_addf (reply, "%llu %s %llu\n", (unsigned long long) id, outcome, (unsigned long long) by)
                   : buffer_addf (reply, "%llu error %s\n", (unsigned long long) id, weft_error ());
}

static int
retry (weft_pool_t *pool, char *rest, struct buffer *reply)
{
    char *word = next_word (&rest);
    uint64_t count;
    int rc = 0;
    if (word && strcmp (word, "failed") == 0 && !next_word (&rest)) {
        rc = weft_pool_retry (pool, 0, &count);
        return rc == 0 ? buffer_addf (reply, "all retried %llu\n", (unsigned long long) count)
               : rc == WEFT_EAGAIN ? buffer_addf (reply, "some retried %llu\n", (unsigned long long) count)
               : buffer_addf (reply, "error %s\n", weft_error ());
    }
    for (; word && rc == 0; word = next_word (&rest)) {
        uint64_t id = number_of (word);
        rc = id ? retry_one (pool, id, reply) : buffer_addf (reply, "error %.40s is no job\n", word);
    }
    return rc;
}

int
jobasked_do (weft_pool_t *pool, bool ending, const char *request, size_t size, struct buffer *reply)
{
    if (size > LEDGERASK_MAX || memchr (request, '\0', size))
        return buffer_add_str (reply, "error that is no request\n");
    char *copy = strndup (request, size), *rest = copy, *verb = copy ? next_word (&rest) : NULL;
    int rc;
    if (!copy)
        rc = error_plain (WEFT_ENOMEM);
    else if (verb && strcmp (verb, "cancel") == 0)
        rc = cancel (pool, rest, reply);
    else if (verb && strcmp (verb, "retry") == 0 && ending)
        rc = buffer_add_str (reply, "error this head is at its end: ask again when it has gone\n");
    else if (verb && strcmp (verb, "retry") == 0)
        rc = retry (pool, rest, reply);
    else
        rc = buffer_add_str (reply, "error this head knows: cancel, retry\n");
    free (copy);
    return rc;
}

/* ---------------------------------------------------------------- listening */

void
jobasked_open (struct jobasked *self, struct cli *cli, weft_pool_t *pool, const char *ledger)
{
    char endpoint[256];
    *self = (struct jobasked){ .pool = pool, .folder = -1 };
    int rc = ledgerask_place (ledger, endpoint, sizeof endpoint, &self->folder);
    self->socket = rc == 0 ? weft_open (cli->weft, "rep") : NULL;
    rc = rc ? rc : self->socket ? weft_set (self->socket, "max-size", "64K") : WEFT_ENOMEM;
    rc = rc ? rc : weft_bind (self->socket, endpoint);
    if (rc == 0)
        return;
    cli_note (cli, "'weft jobs' cannot cancel or retry anything while this runs: %s", weft_error ());
    jobasked_close (self);
}

void
jobasked_close (struct jobasked *self)
{
    if (!self->pool)
        return;
    weft_close (&self->socket);
    if (self->folder >= 0)
        close (self->folder);
    self->folder = -1;
}

static void
answer (struct jobasked *self, weft_msg_t *msg)
{
    struct buffer reply;
    buffer_init (&reply, 0);
    int rc = jobasked_do (self->pool, self->ending, weft_msg_data (msg, 0), weft_msg_size (msg, 0), &reply);
    size_t size = buffer_size (&reply);
    self->retried |= rc == 0 && size && memmem (buffer_data (&reply), size, " retried ", 9);
    weft_msg_clear (msg);
    if (rc == 0 && weft_msg_add (msg, size ? buffer_data (&reply) : NULL, size) == 0)
        weft_send (self->socket, msg, WEFT_DONTWAIT);       /*  who asked may have gone */
    buffer_free (&reply);
}

void
jobasked_turn (struct jobasked *self)
{
    weft_msg_t msg;
    if (!self->socket)
        return;
    weft_msg_init (&msg);
    for (int i = 0; i < TURN_REQUESTS && weft_recv (self->socket, &msg, WEFT_DONTWAIT) == 0; i++)
        answer (self, &msg);
    weft_msg_clear (&msg);
}
