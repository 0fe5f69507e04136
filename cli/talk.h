/*  talk.h - lines that threads want to say, for the one thread that speaks
 *
 *  So that a line is never written into a progress bar. */
#ifndef WEFT_CLI_TALK_H
#define WEFT_CLI_TALK_H

#include <pthread.h>
#include <stdbool.h>

#include "weft.h"

struct talk_line;

struct talk {
    pthread_mutex_t lock;
    struct talk_line *first, **last;
    unsigned count;
    unsigned long dropped;      /*  more were said than anybody can read                */
    int fd;                     /*  readable when there is something                    */
};

int talk_init (struct talk *self);
void talk_free (struct talk *self);

/*  From any thread. Control characters become spaces: what is said may come from elsewhere. */
void talk_say (struct talk *self, bool error, const char *format, ...) WEFT_PRINTF (3, 4);

/*  Something to look at without a line. */
void talk_stir (struct talk *self);

/*  The next line, to be freed, or NULL; then nothing makes `fd` readable but what is said after. */
char *talk_next (struct talk *self, bool *error);

#endif
