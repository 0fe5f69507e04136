/*  joblog.h - a line for each job that has ended, in GNU parallel's columns */
#ifndef WEFT_CLI_JOBLOG_H
#define WEFT_CLI_JOBLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"

#define JOBLOG_HEADER "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

enum joblog_mode {
    JOBLOG_NEW,                 /*  what is there is overwritten, unless a + before the path says no */
    JOBLOG_ADD,                 /*  what is there stays                     */
    JOBLOG_OFF                  /*  nothing is written                      */
};

struct joblog {
    int fd;                     /*  -1: no log is kept                      */
    const char *path;           /*  the caller's                            */
    bool mended;                /*  a line that was cut off has been removed */
    struct buffer line;
};

struct joblog_entry {
    uint64_t number;
    const char *host;           /*  ":" is this machine */
    int64_t started;            /*  us since 1970       */
    int64_t runtime;            /*  us                  */
    uint64_t sent, received;    /*  bytes               */
    int status, signal;
    const char *command;
};

/*  NULL keeps no log. To add to a file that is no job log is refused; a last line without
 *  its newline, as a crash leaves it, is removed. */
int joblog_open (struct joblog *self, const char *path, enum joblog_mode mode);
void joblog_close (struct joblog *self);

/*  One line, written at once and whole. */
int joblog_add (struct joblog *self, const struct joblog_entry *entry);

/*  What was asked of a line of a log: `command` points into it, with NULs for newlines. */
struct joblog_line {
    uint64_t number;
    bool failed;
    const char *command;
    size_t size;
};

/*  A line without its newline, this program's or GNU parallel's. False: it is none. */
bool joblog_parse (const char *text, size_t size, struct joblog_line *line);

#endif
