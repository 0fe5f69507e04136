/*  resume.h - what a job log says was run before: --resume, --resume-failed, --retry-failed
 *
 *  A job is known by its number, as with GNU parallel, and by its command: when the
 *  input was changed, the numbers mean other jobs, and going on is refused. */
#ifndef WEFT_CLI_RESUME_H
#define WEFT_CLI_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"

#define RESUME_NUMBER_MAX 100000000     /*  16 bytes of memory for each number up to the highest */

enum resume_mode {
    RESUME_NOT,
    RESUME_ENDED,               /*  jobs that have ended are passed over                    */
    RESUME_FAILED,              /*  only those that have succeeded are                      */
    RESUME_RETRY                /*  those that failed are run again, as the log has them    */
};

struct resume_entry;

struct resume {
    enum resume_mode mode;
    bool trust;                 /*  go by numbers alone                                     */
    const char *path;           /*  the caller's                                            */
    int fd;
    struct resume_entry *entries;   /*  by number                                           */
    uint64_t capacity, last;    /*  numbers: that there is room for, the highest            */
    uint64_t retried;           /*  RESUME_RETRY: up to which number                        */
    uint64_t count, failed;     /*  jobs in the log, and those of them that never succeeded */
};

/*  Reads the log at `path`, which may have a + before it. One that does not exist yet is
 *  empty, and so is one of RESUME_NOT. A last line that was cut off does not count. */
int resume_open (struct resume *self, enum resume_mode mode, const char *path, bool trust);
void resume_close (struct resume *self);

/*  Is this job to be passed over? 1, 0, or WEFT_EINVAL: the log has another command for
 *  that number. A command of NULL is not compared. */
int resume_passes (struct resume *self, uint64_t number, const char *command);

/*  RESUME_RETRY: the next job that failed, by number. 1, WEFT_EEND, or an error. */
int resume_next (struct resume *self, uint64_t *number, struct buffer *command);

#endif
