/*  jobmessages.h - messages for jobs, from files or standard input, in one of the message formats */
#ifndef WEFT_CLI_JOBMESSAGES_H
#define WEFT_CLI_JOBMESSAGES_H

#include "codec/format.h"

struct jobmessages {
    struct decoder decoder;
    struct buffer bytes;
    weft_msg_t msg;
    char *const *paths;         /*  files to be read still                                  */
    size_t count;
    const char *name;           /*  of the one that is read                                 */
    int in;                     /*  what "-" is                                             */
    int fd;                     /*  -1: none is open                                        */
    bool end;                   /*  it was read to its end                                  */
};

/*  `paths` must outlive it; none: standard input. Reads nothing yet. */
void jobmessages_init (struct jobmessages *self, enum format format, char *const *paths, size_t count, int in);

/*  Does nothing for one that is all zero. */
void jobmessages_free (struct jobmessages *self);

/*  Never waits. 1: `message`, which is emptied first, holds the next one; 0: nothing yet, wait until `fd` can be read;
 *  WEFT_EEND; or an error, which ends it. */
int jobmessages_next (struct jobmessages *self, struct buffer *message);

#endif
