/*  ticket.h - what a worker elsewhere is handed: where its head is, the keys, its options
 *
 *  A short text, which holds a secret:
 *
 *      weft-ticket = 1
 *      connect = tcp://head:41234          or "-": over its own standard input and output
 *      server-key = ...
 *      public-key = ...
 *      secret-key = ...
 *      slots = 4                           any option of weft worker may follow
 *      end
 */
#ifndef WEFT_CLI_TICKET_H
#define WEFT_CLI_TICKET_H

#include "core/certificate.h"
#include "core/endpoint.h"

#define TICKET_STDIO "-"

struct ticket {
    char connect[ENDPOINT_MAX];
    char server_key[KEY_TEXT];
    struct certificate key;             /*  the worker's own                    */
    struct buffer options;              /*  NAME NUL VALUE NUL ...              */
};

void ticket_init (struct ticket *self);

/*  An option of the worker; of a value NULL nothing is added. */
int ticket_add (struct ticket *self, const char *name, const char *value);

/*  *at is NULL for the first. False at the end. */
bool ticket_next (const struct ticket *self, const char **at, const char **name, const char **value);

/*  Overwrites what is secret. */
void ticket_free (struct ticket *self);

int ticket_print (const struct ticket *self, struct buffer *out);
int ticket_parse (struct ticket *self, const char *text, size_t size, const char *where);

/*  Of a file that nobody else may read. */
int ticket_load (struct ticket *self, const char *path);

/*  From a descriptor, up to the line "end" and not a byte further. */
int ticket_receive (struct ticket *self, int fd);

/*  A file with that text which is in memory alone, with a path for those who read by path. Closing the descriptor
 *  is its end. Negative when there is none. */
int ticket_memory (const struct buffer *text, char path[64]);

/*  The pair as such a file. */
int ticket_key_memory (const struct certificate *key, char path[64]);

#endif
