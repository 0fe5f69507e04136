/*  fabric.h - a fabric in one file: its parts, and whether they fit together
 *
 *  A section a part, whose keys are the options of its command; weft.zpl(5) is the manual. Nothing here runs: a
 *  fabric is read, checked, compared with another, and put in order. */
#ifndef WEFT_CLI_FABRIC_H
#define WEFT_CLI_FABRIC_H

#include "cli/command.h"
#include "core/endpoint.h"

#define FABRIC_PARTS_MAX 1000

/*  What becomes of a part that has failed. */
enum fabric_restart {
    FABRIC_END,                 /*  all end, with its status                    */
    FABRIC_NEVER,               /*  the others go on without it                 */
    FABRIC_ON_FAILURE           /*  it is started again, after a while          */
};

struct fabric_endpoint {
    const char *kind, *transport;   /*  as in struct trial; constants           */
    char *address;
    enum endpoint_side side;
    int line;
};

struct fabric_part {
    char *name;
    int line;                   /*  of its name, in the file                    */
    const struct command *command;
    int command_line;
    char **argv;                /*  the command with its options; argc, and a NULL  */
    int *lines;                 /*  of each of argv                             */
    int argc;
    char *in, *out;             /*  stdin, stdout: files; "-": weft up's own; NULL  */
    enum fabric_restart restart;
    struct fabric_endpoint *endpoints;      /*  all that it opens               */
    size_t endpoint_count;
};

struct fabric {
    struct fabric_part **parts; /*  in the order of the file. Whoever takes one out leaves NULL */
    size_t count;
};

/*  A mistake: "FILE:LINE: what is wrong". */
typedef void (fabric_wrong_fn) (void *arg, const char *text);

/*  Reads a file, or text that is called `name`. 0; WEFT_EINVAL after every mistake was told, in the order of the
 *  lines. */
int fabric_load (struct fabric **self, const char *file, fabric_wrong_fn *wrong, void *arg);
int fabric_parse (struct fabric **self, const char *name, const char *text, size_t size, fabric_wrong_fn *wrong,
                  void *arg);
void fabric_destroy (struct fabric **self);
void fabric_part_destroy (struct fabric_part **self);

/*  Whether the part is a worker that only parts of the same fabric can have jobs for; whether such a one has its jobs
 *  from `head`. */
bool fabric_works_inside (const struct fabric_part *self);
bool fabric_works_for (const struct fabric_part *self, const struct fabric_part *head);

/*  The part of that name, or NULL. */
struct fabric_part *fabric_find (const struct fabric *self, const char *name);

/*  Whether one could go on running where the other is wanted. */
bool fabric_part_same (const struct fabric_part *self, const struct fabric_part *other);

/*  In which order parts start: whoever connects comes after those that bind, where there is no circle. `order` gets
 *  `count` indices. */
void fabric_start_order (struct fabric_part *const *parts, size_t count, size_t *order);

/*  In which order they end: those of rank 0 first, then those of 1, and so on; who gives to others (requests,
 *  publications, messages, jobs) ends before them, so that they get and answer all of it. */
void fabric_end_ranks (struct fabric_part *const *parts, size_t count, unsigned *ranks);

#endif
