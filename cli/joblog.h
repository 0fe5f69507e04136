/*  joblog.h - a line for each job that has ended, in GNU parallel's columns */
#ifndef WEFT_CLI_JOBLOG_H
#define WEFT_CLI_JOBLOG_H

#include <stdint.h>

#include "core/buffer.h"

struct joblog {
    int fd;                     /*  -1: no log is kept  */
    const char *path;           /*  the caller's        */
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

/*  Empties the file, or with a + before the path adds to it. NULL: keeps no log. */
int joblog_open (struct joblog *self, const char *path);
void joblog_close (struct joblog *self);

/*  One line, written at once and whole. */
int joblog_add (struct joblog *self, const struct joblog_entry *entry);

#endif
