/*  halt.h - when a run ends early, and with which exit status it ends
 *
 *  GNU parallel's --halt: never, or now|soon,fail|success|done=N or N%; and its old
 *  forms 0, 1, 2, -1, -2 and N%. */
#ifndef WEFT_CLI_HALT_H
#define WEFT_CLI_HALT_H

#include <stdbool.h>
#include <stdint.h>

enum halt_when {
    HALT_NEVER,
    HALT_SOON,                  /*  no job more; those that run go on to their end  */
    HALT_NOW                    /*  those that run are stopped                      */
};

enum halt_why {
    HALT_FAIL,
    HALT_SUCCESS,
    HALT_DONE
};

struct halt {
    enum halt_when when;
    enum halt_why why;
    uint64_t limit;             /*  jobs, or percent                                */
    bool percent;
    uint64_t total;             /*  of all jobs; 0 until it is known                */
    uint64_t done, failed;
    bool reached;
    int status;                 /*  once reached                                    */
};

/*  NULL is never. WEFT_EINVAL. */
int halt_parse (struct halt *self, const char *text);

/*  A job has ended. True when the limit is reached with it. `status` and `signal`
 *  are the job's, both 0 when it succeeded. */
bool halt_job (struct halt *self, int status, int signal);

/*  The number of jobs is known: true when a limit in percent is reached with that. */
bool halt_total (struct halt *self, uint64_t total);

/*  The exit status: the number of jobs that failed, 101 for more than 100; or what
 *  the limit that was reached makes of it. */
int halt_status (const struct halt *self);

#endif
