/*  cluster.h - weft run on more than one machine: workers that it starts elsewhere, and what they are handed */
#ifndef WEFT_CLI_CLUSTER_H
#define WEFT_CLI_CLUSTER_H

#include "cli/command.h"
#include "cli/hosts.h"
#include "cli/jobhead.h"
#include "cli/slurm.h"
#include "cli/ssh.h"
#include "cli/talk.h"
#include "cli/ticket.h"
#include "core/security.h"

struct cluster_options {
    struct option_list ssh;
    char *rsh, *remote_weft, *workdir, *worker_key;
    int64_t nodes;              /*  of Slurm; 0: without it                             */
    struct option_list sbatch;
    char *slurm_dir, *head_address;
    int64_t lifetime;
};
extern const struct option cluster_options[];

/*  How the run's own workers are to be, and those elsewhere as far as they are alike. */
struct cluster_config {
    const char *jobs;           /*  -j                                                  */
    const char *shell;          /*  or NULL                                             */
    const char *exec, *filter, *filter_format;      /*  for messages; or NULL           */
    int64_t nice;
    bool strict;                /*  a worker takes no job before it can begin it        */
    bool others;                /*  workers may come that nobody here has started       */
};

struct cluster {
    struct cli *cli;
    const struct cluster_options *options;
    struct cluster_config config;
    struct hosts hosts;
    size_t remote;              /*  hosts that are not this machine                     */
    bool local;                 /*  this machine takes part, too                        */
    int local_slots;            /*  of N/: ; 0: not given                               */
    int head_key, allow;        /*  in memory: the run's own pair, and its list         */
    struct ticket ticket;
    struct talk talk;
    struct ssh ssh;
    struct slurm slurm;
    char endpoint[64];          /*  where ssh's workers are joined to the head          */
    char listens[ENDPOINT_MAX]; /*  where those of Slurm connect; "": nowhere yet       */
    weft_pool_t *pool;
    struct progress *progress;
    bool told;                  /*  who has come                                        */
};

/*  Reads the options. `self` is zeroed and must be freed in any case; says nothing. */
int cluster_init (struct cluster *self, struct cli *cli, const struct cluster_options *options);
void cluster_free (struct cluster *self);

/*  Are workers started elsewhere? */
static inline bool
cluster_wanted (const struct cluster *self)
{
    return self->remote > 0 || self->options->nodes > 0;
}

/*  May a worker that was lost come back? */
static inline bool
cluster_comes_back (const struct cluster *self)
{
    return self->options->nodes > 0;
}

/*  Where jobs are to run, here as well; NULL: where this process is. */
static inline const char *
cluster_workdir (const struct cluster *self)
{
    return self->options->workdir;
}

/*  The pool was bound there, as the user wanted. */
void cluster_listens (struct cluster *self, const char *endpoint);

/*  Before the pool is opened: gives the run keys of its own when the user has given none. */
int cluster_keys (struct cluster *self, struct security_config *security);

/*  Starts workers of a pool that is bound where the user wants it, and looks after them while `head` runs. */
int cluster_start (struct cluster *self, weft_pool_t *pool, struct jobhead *head, const struct cluster_config *config);

/*  When the pool was destroyed: until all that was started has ended. */
void cluster_stop (struct cluster *self);

#endif
