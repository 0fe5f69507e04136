/*  pool_spawn.h - what a job is started with: its arguments, its environment, its input */

#ifndef WEFT_PATTERNS_POOL_SPAWN_H
#define WEFT_PATTERNS_POOL_SPAWN_H

#include "codec/pool_wire.h"
#include "patterns/pool_process.h"

struct spawn_variables;

struct spawn {
    const char *shell;          /*  for all commands; NULL: /bin/sh where one is needed */
    const char *dir;            /*  jobs run there; NULL: where the process is          */
    const char *exec;           /*  the command for messages; NULL: there is none       */
    int null;                   /*  /dev/null                                           */
    struct process_pipes pipes; /*  of the next job, if they are made                   */
    struct buffer text;         /*  arguments of the job that is being started          */
    char **argv;
    size_t argv_room;
    char **envp;
    char **threads;             /*  the last of envp, where jobs of several cores get OMP_NUM_THREADS; or NULL  */
    struct spawn_variables *variables;      /*  of the job, in envp                     */
};

struct spawn_job {
    uint64_t id;
    int64_t attempt;
    int slot;
    pid_t *group;               /*  as in struct process_spec   */
    struct pool_bytes spec;
};

/*  The texts are the caller's, and must outlive it. */
int spawn_init (struct spawn *self, const char *shell, const char *dir, const char *exec);
void spawn_free (struct spawn *self);

/*  Does now what the next start would else have to do. */
void spawn_prepare (struct spawn *self);

/*  Starts the job, whose spec is taken apart into `spec`. On failure *failure is the errno of exec, or 0. */
int spawn_job (struct spawn *self, const struct spawn_job *job, struct process *process, struct pool_spec *spec,
               int *failure);

#endif
