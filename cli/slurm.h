/*  slurm.h - workers on nodes that Slurm gives: one pilot job after another, as long as there is work
 *
 *  A thread submits the pilot, watches it in the queue, submits the next one when it has ended and work
 *  is left, and cancels it in the end. */
#ifndef WEFT_CLI_SLURM_H
#define WEFT_CLI_SLURM_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/pilot.h"
#include "cli/talk.h"
#include "weft.h"

#define SLURM_ID_MAX 32

struct slurm {
    struct pilot_config config;
    struct pilot pilot;
    struct talk *talk;
    pthread_t thread;
    bool started;
    int wake;                   /*  eventfd: look now                                   */
    int stop;                   /*  eventfd, never read: the run has ended              */
    atomic_bool trying;         /*  there is a pilot, or there will be                  */
    atomic_bool work;           /*  jobs wait for workers                               */
    pthread_mutex_t lock;       /*  of what follows                                     */
    char id[SLURM_ID_MAX];      /*  of the pilot; "": none                              */
    unsigned came, there;       /*  of its workers                                      */
    int slots;
};

/*  The texts of the config must live on. */
int slurm_start (struct slurm *self, const struct pilot_config *config, struct talk *talk);

/*  A worker has come or gone; some are not of the pilot. */
void slurm_event (struct slurm *self, const weft_pool_event_t *event);

/*  Whether jobs wait: without any no pilot is submitted. */
void slurm_work (struct slurm *self, bool work);

/*  Cancels the pilot and removes its folder. */
void slurm_stop (struct slurm *self);

#endif
