/*  pilot.h - what the pilot job of weft run --slurm needs: a folder that its nodes share, with ticket and script */
#ifndef WEFT_CLI_PILOT_H
#define WEFT_CLI_PILOT_H

#include "cli/ticket.h"
#include "core/option.h"

struct pilot_config {
    const char *dir;            /*  below which the folder is made; NULL: ~/.cache/weft         */
    const char *weft;           /*  the program on the nodes; NULL: the path of this one        */
    int64_t nodes;
    int64_t lifetime;           /*  ns that a worker may live; 0: as long as its job            */
    const char *jobs;           /*  -j                                                          */
    const struct option_list *sbatch;       /*  options, as a line of the script has them       */
    const struct ticket *ticket;
};

struct pilot {
    char folder[KEY_PATH_MAX];  /*  "": there is none                   */
};

/*  Removes what runs on this machine that are over have left there, and writes what this one needs. */
int pilot_make (struct pilot *self, const struct pilot_config *config);

/*  With all that is in it. */
void pilot_remove (struct pilot *self);

/*  Paths within it, in static storage of the thread. */
const char *pilot_script (const struct pilot *self);
const char *pilot_output (const struct pilot *self, const char *job);

/*  The text of the script, for tests. */
int pilot_print (const struct pilot *self, const struct pilot_config *config, struct buffer *out);

#endif
