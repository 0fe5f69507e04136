/*  session.h - what the pattern programs share: a socket by its options, waiting, the end */

#ifndef WEFT_CLI_SESSION_H
#define WEFT_CLI_SESSION_H

#include "cli/command.h"
#include "cli/formats.h"
#include "cli/metrics.h"
#include "cli/secure.h"
#include "patterns/pattern.h"

struct session_endpoints {
    struct option_list bind, connect;
};
extern const struct option session_endpoint_table[];

/*  The tables of a pattern's program, in the order that session_run expects: its own, and
 *  those that it shares. */
#define SESSION_TABLES(own, formats, pattern)                                                                          \
    (const struct command_table[])                                                                                     \
    {                                                                                                                  \
        { .title = "Messages", .table = own }, { .title = "Formats", .table = formats },                               \
            { .title = "Endpoints", .table = session_endpoint_table }, { .title = "Socket", .table = socket_options }, \
            { .title = "Pattern", .indirect = &pattern.options }, SECURE_TABLE, METRICS_TABLE, { .title = NULL }       \
    }
enum { SESSION_OWN_TABLES = 7 };

struct session {
    struct cli *cli;
    const struct command *command;
    weft_socket_t *socket;
    struct session_endpoints endpoints;
    char **operands;            /*  more endpoints                                          */
    int operand_count;
    struct formats formats;
    struct secure secure;
    struct metrics_options metrics;
    struct meter meter;
    void *own;                  /*  the command's own options                               */
    uint64_t lost;              /*  messages that the command had to give up; by core/counter.h         */
    struct histogram *times;    /*  of req and rep: how long requests took; NULL when nobody wants to know  */
    int64_t drain;              /*  after a signal: until when what was taken is delivered  */
};

/*  What a pattern's program is, besides its command: session->own has its options. */
struct session_program {
    const struct pattern *pattern;
    bool (*reads) (const struct session *session);      /*  whether messages come from standard input. May be NULL  */
    bool (*check) (const struct session *session);      /*  of its options, before any endpoint is opened; false:
                                                            has said what is wrong with them. May be NULL   */
    int (*run) (struct session *session);               /*  ends with session_finish, whose status it gives */
};

/*  A whole command: opens a socket of the pattern, parses argv into it and into `own` (a zeroed struct for the first
 *  table), checks, binds and connects to all endpoints that were given, runs, and closes. How the command ends. */
int session_run (struct cli *cli, const struct command *command, const struct session_program *program, void *own,
                 int argc, char **argv);

/*  Waits, all at once, for the socket (`events`: WEFT_IN, WEFT_OUT or 0), for input when
 *  `input`, for a signal, for the output's reader to go, and until `deadline`. Returns bits, or a
 *  negative error. */
enum {
    SESSION_SOCKET = 1,
    SESSION_INPUT = 2,
    SESSION_STOP = 4,
    SESSION_READER_GONE = 8,
    SESSION_DEADLINE = 16
};
int session_wait (struct session *self, int events, bool input, int64_t deadline);

/*  Has a signal asked for the end? From then on there is --linger for the rest. */
bool session_stopped (struct session *self);

/*  Sends, waiting as the options say: for peers, for room, for at most --timeout; after a
 *  signal until the drain is over (WEFT_ETERM). */
int session_send (struct session *self, weft_msg_t *msg);

/*  In session_metrics.c: before the endpoints are opened, after it, and before the socket is closed. */
int session_begin_metrics (struct session *self);
int session_add_metrics (struct session *self);
void session_end_metrics (struct session *self);
extern const struct metric session_metrics[];

/*  A request that began at `since` (session_now) has its reply. */
int64_t session_now (const struct session *self);
void session_took (struct session *self, int64_t since);

/*  "; half within 0.1 ms, 99% within 2 ms, all within 3 ms", if there were any. */
struct buffer;
void session_add_times (const struct session *self, struct buffer *text);

/*  When a wait that begins now runs into --timeout. */
int64_t session_deadline (const struct session *self);

/*  --timeout has passed without anything to receive: WEFT_ENOPEER, WEFT_EPEER or WEFT_ETIMEOUT, explained. */
int session_timed_out (struct session *self);

/*  The summary, and what losses make of `status`. */
int session_finish (struct session *self, int status);

#endif
