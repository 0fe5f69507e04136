/*  ssh.c - workers on other machines, started by ssh, each with one connection that ssh itself carries */

#include "cli/ssh.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/outpost.h"
#include "cli/piped.h"
#include "cli/relay.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/thread.h"

#define GREETING_MAX (32 * 1024)        /*  what login scripts may write before it          */
#define ERRORS_MAX (256 * 1024)
#define WORDS_MAX 64
#define NODE_STACK (256 * 1024)         /*  of a thread                                     */
#define LAST_WORDS (3 * TIME_S)         /*  at the end of the run, for what is under way    */
#define PATIENCE (5 * TIME_S)           /*  for a worker to end, and ssh with it            */
#define STATUS_SSH 255                  /*  ssh's own failures                              */
#define STATUS_NO_COMMAND 127

struct ssh_node {
    struct ssh *ssh;
    const struct host *host;
    pthread_t thread;
    struct buffer ticket;       /*  its text                                            */
    struct piped piped;
    struct buffer greeting;     /*  of its output: all until the connection begins      */
    struct buffer errors;       /*  of its standard error: lines that were not said yet */
    struct relay relay;
    int socket;                 /*  to the head; -1: no connection yet                  */
    bool ready;                 /*  a worker has begun there                            */
    bool given_up;              /*  it was said why                                     */
};

/* -------------------------------------------------------------- the command */

/*  For any shell there is. */
static int
add_quoted (struct buffer *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./~+-";
    if (*text && text[strspn (text, plain)] == '\0')
        return buffer_add_str (out, text);
    int rc = buffer_add_str (out, "'");
    for (; *text && rc == 0; text++)
        rc = *text == '\'' ? buffer_add_str (out, "'\\''") : buffer_add (out, text, 1);
    return rc ? rc : buffer_add_str (out, "'");
}

static int
remote_command (const struct ssh_config *config, struct buffer *out)
{
    int rc = 0;
    if (config->workdir) {
        rc = buffer_add_str (out, "cd ");
        rc = rc ? rc : add_quoted (out, config->workdir);
        rc = rc ? rc : buffer_add_str (out, " && ");
    }
    rc = rc ? rc : buffer_add_str (out, "exec ");
    rc = rc ? rc : add_quoted (out, config->remote_weft);
    rc = rc ? rc : buffer_add_str (out, " worker --ticket -");
    return rc ? rc : buffer_terminate (out);
}

/*  Its words, at blanks; `text` is changed. */
static size_t
split (char *text, char **argv, size_t count)
{
    for (char *word; (word = strsep (&text, " \t")) && count < WORDS_MAX; )
        if (*word)
            argv[count++] = word;
    return count;
}

/*  There is nobody to ask: what needs an answer fails, and says so. */
static const char *const ssh_options[] = { "-T", "-x", "-oBatchMode=yes", "-oClearAllForwardings=yes",
                                           "-oServerAliveInterval=15" };
#define SSH_OPTIONS (sizeof ssh_options / sizeof *ssh_options)

static int
node_start (struct ssh_node *self)
{
    const struct ssh_config *config = &self->ssh->config;
    char *words[WORDS_MAX + 1], *argv[WORDS_MAX + SSH_OPTIONS + 3], *text = NULL;
    struct buffer command;
    size_t used = 0;
    buffer_init (&command, 0);
    bool whole = strpbrk (self->host->login, " \t") != NULL;
    int rc = asprintf (&text, "%s%s%s", whole ? "" : config->rsh, whole ? "" : " ", self->host->login);
    rc = rc < 0 ? error_set (WEFT_ENOMEM, "out of memory") : remote_command (config, &command);
    if (rc == 0) {
        size_t count = split (text, words, 0);
        const char *name = strrchr (words[0], '/') ? strrchr (words[0], '/') + 1 : words[0];
        argv[used++] = words[0];
        for (size_t i = 0; i < SSH_OPTIONS && strcmp (name, "ssh") == 0; i++)
            argv[used++] = (char *) (uintptr_t) ssh_options[i];
        for (size_t i = 1; i < count; i++)
            argv[used++] = words[i];
        argv[used++] = buffer_data (&command);
        argv[used] = NULL;
        rc = piped_start (&self->piped, argv);
    }
    free (text);
    buffer_free (&command);
    return rc;
}

/* ----------------------------------------------------------------- what it says */

static void
say_line (struct ssh_node *self, bool error, const char *line, size_t size)
{
    static const char prefix[] = "weft worker: ";
    while (size && (line[size - 1] == '\r' || line[size - 1] == '\n'))
        size--;
    if (size > sizeof prefix && memcmp (line, prefix, sizeof prefix - 1) == 0) {
        line += sizeof prefix - 1;
        size -= sizeof prefix - 1;
    }
    if (size)
        talk_say (self->ssh->config.talk, error, "%s: %.*s", self->host->name, (int) size, line);
}

/*  Whole lines; with `all` the last without its end, too. */
static void
say_errors (struct ssh_node *self, bool error, bool all)
{
    size_t size;
    while ((size = buffer_size (&self->errors))) {
        const char *data = buffer_data (&self->errors), *end = memchr (data, '\n', size);
        if (!end && !all)
            return;
        size = end ? (size_t) (end + 1 - data) : size;
        say_line (self, error, data, size);
        buffer_consume (&self->errors, size);
    }
}

/*  Why its worker is not there, from how ssh ended. */
static void
say_failure (struct ssh_node *self, int status)
{
    struct talk *talk = self->ssh->config.talk;
    const char *name = self->host->name;
    say_errors (self, true, true);
    if (status == STATUS_SSH)
        talk_say (talk, true, "%s: ssh could not log in there (try: ssh -o BatchMode=yes %s true)", name,
                  self->host->login);
    else if (status == STATUS_NO_COMMAND)
        talk_say (talk, true, "%s: there is no weft there, or not in its PATH: say where with --remote-weft PATH",
                  name);
    else
        talk_say (talk, true, "%s: the worker did not start there (status %d)", name, status);
}

static void
say_end (struct ssh_node *self, int status)
{
    struct talk *talk = self->ssh->config.talk;
    say_errors (self, false, true);
    if (status == STATUS_SSH)
        talk_say (talk, true, "%s: the connection by ssh broke; its jobs run elsewhere", self->host->name);
    else if (status || self->ssh->config.verbose)
        talk_say (talk, status != 0, "%s: its worker has ended (status %d)", self->host->name, status);
}

/* ------------------------------------------------------------------ a node's thread */

static bool
stopping (const struct ssh_node *self)
{
    struct pollfd fd = { .fd = self->ssh->stop, .events = POLLIN };
    return poll (&fd, 1, 0) > 0;
}

/*  The line that the connection follows. Returns its size with all before it, 0 when it has not come, or negative. */
static ssize_t
find_ready (struct ssh_node *self, const char **version, size_t *length)
{
    const char *data = buffer_data (&self->greeting), *end = data + buffer_size (&self->greeting);
    const char *line = memmem (data, (size_t) (end - data), OUTPOST_READY, sizeof OUTPOST_READY - 1);
    const char *last = line ? memchr (line, '\n', (size_t) (end - line)) : NULL;
    if (!last)
        return end - data < GREETING_MAX ? 0
            : error_set (WEFT_EPROTO, "what is written there is not a worker's (does a login script write much?)");
    *version = line + sizeof OUTPOST_READY - 1;
    *length = (size_t) (last - *version);
    return last + 1 - data;
}

/*  Its worker is there: joins what it says and the head. */
static int
node_connect (struct ssh_node *self, size_t skip)
{
    self->socket = relay_connect (self->ssh->config.endpoint);
    int rc = self->socket < 0 ? self->socket : relay_init (&self->relay, self->piped.out, self->piped.in, self->socket);
    if (rc)
        return rc;
    buffer_consume (&self->greeting, skip);
    relay_begin (&self->relay, buffer_data (&self->greeting), buffer_size (&self->greeting));
    buffer_free (&self->greeting);
    return 0;
}

static int
node_greeting (struct ssh_node *self)
{
    const char *version = "";
    size_t length = 0;
    piped_read (&self->piped.out, &self->greeting);
    ssize_t skip = find_ready (self, &version, &length);
    if (skip <= 0)
        return (int) skip;
    /*  What differs matters when the pool's protocol does: then the head says so, and the worker, too. */
    if (length != strlen (WEFT_VERSION) || memcmp (version, WEFT_VERSION, length) != 0)
        talk_say (self->ssh->config.talk, false, "%s: weft is %.*s there, and " WEFT_VERSION " here", self->host->name,
                  (int) length, version);
    self->ready = true;
    if (!self->ssh->config.verbose)
        buffer_clear (&self->errors);       /*  of the login */
    self->ssh->there++;
    self->ssh->starting--;
    talk_stir (self->ssh->config.talk);
    return node_connect (self, (size_t) skip);
}

/*  One wait, and what can be done then. 1 when nothing more will come. */
static int
node_turn (struct ssh_node *self, int64_t *deadline)
{
    struct pollfd fds[RELAY_FDS + 4] = { [0].fd = -1 };
    bool carrying = self->socket >= 0;
    if (carrying)
        relay_poll (&self->relay, fds);
    struct pollfd *own = fds + (carrying ? RELAY_FDS : 0);
    own[0] = (struct pollfd){ .fd = self->piped.exited, .events = POLLIN };
    own[1] = (struct pollfd){ .fd = self->piped.err, .events = POLLIN };
    own[2] = (struct pollfd){ .fd = *deadline == TIME_FOREVER ? self->ssh->stop : -1, .events = POLLIN };
    own[3] = (struct pollfd){ .fd = carrying ? -1 : self->piped.out, .events = POLLIN };
    int64_t left = clock_left (clock_system (), *deadline);
    if (poll (fds, (nfds_t) (own + 4 - fds), clock_poll_ms (left)) < 0)
        return errno == EINTR ? 0 : error_errno ("poll");
    if (own[1].revents)
        piped_read (&self->piped.err, &self->errors);
    if (own[2].revents)
        *deadline = clock_deadline (clock_system (), carrying ? LAST_WORDS : 0);
    int rc = own[3].revents || (own[0].revents && !carrying) ? node_greeting (self) : 0;
    if (carrying)
        relay_step (&self->relay);
    if (carrying && self->ready)
        say_errors (self, false, false);
    bool over = carrying ? relay_over (&self->relay) : own[0].revents && self->socket < 0;
    return rc < 0 ? rc : over || clock_left (clock_system (), *deadline) == 0;
}

static void
node_finish (struct ssh_node *self, int rc)
{
    if (self->socket >= 0)
        relay_close (self->socket, self->ssh->stop);
    relay_free (&self->relay);
    bool stop = stopping (self);
    /*  A worker stops its jobs when its input ends. */
    close (self->piped.in);
    self->piped.in = -1;
    struct pollfd fd = { .fd = self->piped.exited, .events = POLLIN };
    int64_t wait = stop && !self->ready ? 0 : PATIENCE;
    while (poll (&fd, 1, clock_poll_ms (wait)) < 0 && errno == EINTR)
        continue;
    piped_read (&self->piped.err, &self->errors);
    int status = piped_end (&self->piped, 0);
    if (rc < 0)
        talk_say (self->ssh->config.talk, true, "%s: %s", self->host->name, weft_error ());
    else if (stop || stopping (self))
        say_errors (self, false, self->ready);
    else if (self->ready)
        say_end (self, status);
    else
        say_failure (self, status);
}

static void *
node_run (void *arg)
{
    struct ssh_node *self = arg;
    int64_t deadline = TIME_FOREVER;
    buffer_init (&self->greeting, 2 * GREETING_MAX);
    buffer_init (&self->errors, ERRORS_MAX);
    self->socket = -1;
    int rc = node_start (self);
    /*  It is shorter than the room in a pipe. */
    if (rc == 0 && write (self->piped.in, buffer_data (&self->ticket), buffer_size (&self->ticket)) < 0
        && errno != EPIPE)
        rc = error_errno ("cannot hand over its ticket");
    file_forget (&self->ticket);
    bool started = rc == 0;
    while (rc == 0)
        rc = node_turn (self, &deadline);
    if (started)
        node_finish (self, rc);
    else
        talk_say (self->ssh->config.talk, true, "%s: %s", self->host->name, weft_error ());
    if (self->ready)
        self->ssh->there--;
    else
        self->ssh->starting--;
    buffer_free (&self->greeting);
    buffer_free (&self->errors);
    talk_stir (self->ssh->config.talk);
    return NULL;
}

/* ---------------------------------------------------------------- all of them */

static int
node_ticket (struct ssh_node *self)
{
    struct ticket *ticket = self->ssh->config.ticket;
    char slots[16];
    size_t common = buffer_size (&ticket->options);
    snprintf (slots, sizeof slots, "%d", self->host->slots);
    buffer_init (&self->ticket, 0);
    int rc = ticket_add (ticket, "name", self->host->name);
    rc = rc ? rc : ticket_add (ticket, "slots", self->host->slots ? slots : self->ssh->config.jobs);
    rc = rc ? rc : ticket_print (ticket, &self->ticket);
    buffer_cut (&ticket->options, common);
    return rc;
}

static int
node_thread (struct ssh_node *self)
{
    return thread_start (&self->thread, NODE_STACK, node_run, self);
}

int
ssh_start (struct ssh *self, const struct hosts *hosts, const struct ssh_config *config)
{
    *self = (struct ssh){ .config = *config, .stop = eventfd (0, EFD_CLOEXEC) };
    self->nodes = calloc (hosts->count, sizeof *self->nodes);
    if (!self->nodes || self->stop < 0)
        return error_set (WEFT_ENOMEM, "out of memory");
    int rc = 0;
    for (size_t i = 0; i < hosts->count && rc == 0; i++) {
        struct ssh_node *node = &self->nodes[self->count];
        if (hosts->list[i].local)
            continue;
        node->ssh = self;
        node->host = &hosts->list[i];
        rc = node_ticket (node);
        self->starting++;
        rc = rc ? rc : node_thread (node);
        if (rc == 0)
            self->count++;
        else
            file_forget (&node->ticket);
    }
    return rc;
}

void
ssh_stop (struct ssh *self)
{
    if (!self->nodes)
        return;
    eventfd_write (self->stop, 1);
    for (size_t i = 0; i < self->count; i++)
        pthread_join (self->nodes[i].thread, NULL);
    close (self->stop);
    free (self->nodes);
    self->nodes = NULL;
}
